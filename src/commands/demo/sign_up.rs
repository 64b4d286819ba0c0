//! How the two of the demo find each other: sign-ups, a confirmation, a partnership, keys.

use std::path::Path;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use super::walk::{Call, Walk, With, text, wait_for_mail};

/// What the two come with.
pub struct Keys {
    /// The organization's test key.
    pub organization: String,
    /// The channel's test key.
    pub channel: String,
    /// The session of the organization's owner.
    pub(super) owner: String,
}

/// An organization and a channel sign up, become partners, and make a key each.
pub(super) async fn two_partners(walk: &mut Walk<'_>, captured: &Path) -> Result<Keys> {
    // A demo can be run again over the same data: its people are new ones each time.
    let tail: String = uuid::Uuid::new_v4().simple().to_string().chars().take(6).collect();
    let email = format!("ana-{tail}@example.com");
    let owner = sign_up(
        walk,
        "An organization signs up",
        json!({
        "email": email, "password": "correct horse battery", "name": "Ana Lopez",
        "organization": {"name": "Sala Apolo", "currency": "EUR", "timezone": "Europe/Madrid"}}),
    );
    let owner = text(&owner.await?, "/data/access_token")?;
    confirm(walk, captured, (&email, "correct horse battery")).await?;
    let channel = sign_up(
        walk,
        "... and so does a channel",
        json!({
        "email": format!("guide-{tail}@example.com"), "password": "another horse battery",
        "name": "Max Guide", "channel": {"name": "Night Guide"}}),
    );
    let channel = channel.await?;
    let email = format!("guide-{tail}@example.com");
    confirm(walk, captured, (&email, "another horse battery")).await?;
    let slug = text(&channel, "/data/tenant/slug")?;
    let channel = text(&channel, "/data/access_token")?;
    become_partners(walk, (&owner, &channel), &slug).await?;
    let organization = make_key(
        walk,
        "The organization makes a key for its programs",
        &owner,
        json!({"name": "demo", "preset": "admin"}),
    );
    let organization = organization.await?;
    let channel = make_key(
        walk,
        "... and the channel one that only sells",
        &channel,
        json!({"name": "demo", "scopes": ["write:payments", "write:tickets"]}),
    );
    Ok(Keys { organization, channel: channel.await?, owner })
}

async fn sign_up(walk: &mut Walk<'_>, title: &str, body: Value) -> Result<Value> {
    let path = "/v1/auth/sign-up".to_owned();
    let (method, body) = (Method::POST, Some(body));
    walk.call(Call { title, with: With::Nothing, method, path, body, expect: 201 }).await
}

/// Confirms an e-mail by the token in its letter.
async fn confirm(
    walk: &mut Walk<'_>,
    captured: &Path,
    (email, password): (&str, &str),
) -> Result<()> {
    let token = token_in_letter(captured, email, "confirm").await?;
    walk.call(Call {
        title: "Until the e-mail is confirmed it sells in test mode only; the letter has the token",
        with: With::Nothing,
        method: Method::POST,
        path: "/v1/auth/email/confirm".to_owned(),
        body: Some(json!({"token": token, "password": password})),
        expect: 204,
    })
    .await?;
    Ok(())
}

/// The token in the letter to somebody: what stands behind the hash of its link.
pub(super) async fn token_in_letter(captured: &Path, email: &str, kind: &str) -> Result<String> {
    let mail = wait_for_mail(captured, &format!("To: {email}")).await?;
    let letter = std::fs::read_to_string(&mail)?.replace("=\r\n", "").replace("=3D", "=");
    let link = letter.split(&format!("/account/{kind}#")).nth(1);
    let token = link.and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
    token.context("the letter has no token")
}

async fn become_partners(
    walk: &mut Walk<'_>,
    (owner, channel): (&str, &str),
    slug: &str,
) -> Result<()> {
    let offered = walk.call(Call {
        title: "The organization offers a partnership: 5 % commission",
        with: With::Session(owner),
        method: Method::POST,
        path: "/v1/partnerships".to_owned(),
        body: Some(json!({"channel_slug": slug, "collects": "platform",
            "commission": {"type": "percentage", "quantity": 5}})),
        expect: 201,
    });
    let offered = text(&offered.await?, "/data/_id")?;
    walk.call(Call {
        title: "... which the channel accepts",
        with: With::Session(channel),
        method: Method::POST,
        path: format!("/v1/partnerships/{offered}/accept"),
        body: Some(json!({"version": 1})),
        expect: 200,
    })
    .await?;
    Ok(())
}

async fn make_key(walk: &mut Walk<'_>, title: &str, session: &str, body: Value) -> Result<String> {
    let made = walk.call(Call {
        title,
        with: With::Session(session),
        method: Method::POST,
        path: "/v1/api-keys".to_owned(),
        body: Some(body),
        expect: 201,
    });
    text(&made.await?, "/data/key")
}
