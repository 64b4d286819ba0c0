//! What happens after a sale: given away, let in by somebody invited, given back, paid late.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;

use super::sign_up::token_in_letter;
use super::walk::{Call, Walk, With, sell, text};

/// Longer than the second for which the late payment holds its stock.
const TOO_LATE: Duration = Duration::from_millis(1500);

/// The buyer gives the ticket away; answers its new code.
pub(super) async fn give_away(walk: &mut Walk<'_>, channel: &str, ticket: &str) -> Result<String> {
    let given = walk.call(Call {
        title: "The buyer gives the ticket to a friend: it gets a new code, the old one is dead",
        with: With::Key(channel),
        method: Method::POST,
        path: format!("/v1/tickets/{ticket}/transfer"),
        body: Some(json!({"full_name": "Ben Ruiz", "email": "ben@example.com"})),
        expect: 200,
    });
    text(&given.await?, "/data/qr_code")
}

/// The owner invites somebody for the door, who accepts by the token in the letter; answers their
/// session.
pub(super) async fn invite_scanner(
    walk: &mut Walk<'_>,
    owner: &str,
    captured: &Path,
) -> Result<String> {
    let tail: String = uuid::Uuid::new_v4().simple().to_string().chars().take(6).collect();
    let email = format!("door-{tail}@example.com");
    walk.call(Call {
        title: "The owner invites somebody who works the door and sees nothing else",
        with: With::Session(owner),
        method: Method::POST,
        path: "/v1/members/invitations".to_owned(),
        body: Some(json!({"email": email, "role": "scanner"})),
        expect: 201,
    })
    .await?;
    let token = token_in_letter(captured, &email, "invitation").await?;
    let accepted = walk.call(Call {
        title: "... who accepts it",
        with: With::Nothing,
        method: Method::POST,
        path: "/v1/members/invitations/accept".to_owned(),
        body: Some(json!({"token": token, "name": "Eva Ruiz", "password": "yet another horse"})),
        expect: 200,
    });
    text(&accepted.await?, "/data/access_token")
}

/// Another ticket is sold and given back: its place is for sale again.
pub(super) async fn refund(
    walk: &mut Walk<'_>,
    (owner, channel): (&str, &str),
    rate: &str,
) -> Result<()> {
    let payment = sell(walk, channel, rate).await?;
    let (id, ticket) = (text(&payment, "/data/_id")?, text(&payment, "/data/resource_ids/0")?);
    walk.call(Call {
        title: "The organization gives the money of a ticket back: it is void, its place free",
        with: With::Key(owner),
        method: Method::POST,
        path: format!("/v1/payments/{id}/refunds"),
        body: Some(json!({"tickets": [ticket], "reason": "Ill"})),
        expect: 201,
    })
    .await?;
    walk.call(Call {
        title: "... and this is all that ever happened to that payment",
        with: With::Key(channel),
        method: Method::GET,
        path: format!("/v1/payments/{id}/timeline"),
        body: None,
        expect: 200,
    })
    .await?;
    Ok(())
}

/// Money that comes after the end finds that there is still enough of everything.
pub(super) async fn pay_late(walk: &mut Walk<'_>, owner: &str, rate: &str) -> Result<()> {
    let made = walk.call(Call {
        title: "The organization sells one itself, to be paid at once ...",
        with: With::Key(owner),
        method: Method::POST,
        path: "/v1/payments".to_owned(),
        body: Some(json!({"rate_id": rate, "expires_in": 1, "collects": "organization",
            "send_resources": false})),
        expect: 201,
    });
    let id = text(&made.await?, "/data/_id")?;
    tokio::time::sleep(TOO_LATE).await;
    let paid = walk.call(Call {
        title: "... but the money is late. The same is still there: it is held again, and paid",
        with: With::Key(owner),
        method: Method::POST,
        path: format!("/v1/payments/{id}/mark-paid"),
        body: Some(json!({"type": "bank_transfer"})),
        expect: 200,
    });
    let outcome = text(&paid.await?, "/data/late/outcome")?;
    ensure!(outcome == "held_again", "the late payment was {outcome}");
    Ok(())
}
