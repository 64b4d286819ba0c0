//! The walk: each request printed as a curl line, each answer as it came.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::after;
use super::sign_up::{self, Keys};

/// The mail must have been captured after so long.
const MAIL_WAIT: Duration = Duration::from_secs(10);

/// The requests of a demo.
pub(super) struct Walk<'a> {
    client: Client,
    base: &'a str,
    step: usize,
}

/// With what a request comes.
#[derive(Clone, Copy)]
pub(super) enum With<'a> {
    /// Nothing.
    Nothing,
    /// A secret key.
    Key(&'a str),
    /// A session, in test mode.
    Session(&'a str),
}

impl With<'_> {
    fn headers(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Key(key) => vec![("X-Api-Key", key.to_owned())],
            Self::Session(token) => vec![
                ("Authorization", format!("Bearer {token}")),
                ("Rialto-Mode", "test".to_owned()),
            ],
        }
    }
}

/// A request of the walk.
pub(super) struct Call<'a> {
    pub(super) title: &'a str,
    pub(super) with: With<'a>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) expect: u16,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    pub(super) fn new(base: &'a str) -> Self {
        Self { client: Client::new(), base, step: 0 }
    }

    /// A step that is no request.
    pub(super) fn say(&mut self, title: &str) {
        self.step += 1;
        println!("\n{}. {title}\n", self.step);
    }

    pub(super) async fn call(&mut self, call: Call<'_>) -> Result<Value> {
        let Call { title, with, method, path, body, expect } = call;
        self.say(title);
        let url = format!("{}{path}", self.base);
        print!("curl -s");
        if method != Method::GET {
            print!(" -X {method}");
        }
        print!(" '{url}'");
        let mut request = self.client.request(method, &url);
        for (name, value) in with.headers() {
            print!(" \\\n  -H '{name}: {value}'");
            request = request.header(name, value);
        }
        if path.ends_with("/refunds") {
            let once = format!("demo-{}", uuid::Uuid::new_v4().simple());
            print!(" \\\n  -H 'Idempotency-Key: {once}'");
            request = request.header("Idempotency-Key", once);
        }
        if let Some(body) = &body {
            print!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("no answer from {url}"))?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.context("the answer broke off")?;
        let answer: Value = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).context("the answer is not JSON")?,
        };
        println!("\n\nHTTP {status}");
        if !answer.is_null() {
            println!("{answer:#}");
        }
        ensure!(status == expect, "step {} answered {status}, not {expect}", self.step);
        Ok(answer)
    }
}

pub(super) fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the answer has no {pointer}"))
}

/// From two sign-ups to a guest at the door; answers the keys that were made on the way.
pub async fn walk(base: &str, captured: &Path) -> Result<Keys> {
    let mut walk = Walk::new(base);
    let keys = sign_up::two_partners(&mut walk, captured).await?;
    let (owner, channel) = (keys.organization.as_str(), keys.channel.as_str());
    let rate = put_on_sale(&mut walk, owner).await?;
    let payment = sell(&mut walk, channel, &rate).await?;
    let id = text(&payment, "/data/_id")?;
    let mail = wait_for_mail(captured, &id).await?;
    walk.say("The buyer has mail: receipt and ticket with its QR code");
    println!("open {}", mail.display());
    let ticket = text(&payment, "/data/resource_ids/0")?;
    let code = after::give_away(&mut walk, channel, &ticket).await?;
    let scanner = after::invite_scanner(&mut walk, &keys.owner, captured).await?;
    admit(&mut walk, &scanner, &code).await?;
    after::refund(&mut walk, (owner, channel), &rate).await?;
    after::pay_late(&mut walk, owner, &rate).await?;
    let read = walk.call(Call {
        title: "The channel reads the payment",
        with: With::Key(channel),
        method: Method::GET,
        path: format!("/v1/payments/{id}"),
        body: None,
        expect: 200,
    });
    let read = read.await?;
    let total = read.pointer("/data/total").cloned().unwrap_or_default();
    let (amount, fees) = (total.get("amount").cloned(), total.get("fees").cloned());
    ensure!(
        amount == Some(json!(20.6)) && fees == Some(json!(0.6)),
        "the total is {total}, not 20.6 with 0.6 of fees"
    );
    walk.call(Call {
        title: "Both sides have a feed of what happened; this is the channel's",
        with: With::Key(channel),
        method: Method::GET,
        path: "/v1/changes".to_owned(),
        body: None,
        expect: 200,
    })
    .await?;
    Ok(keys)
}

/// An event with a rate of 20.00 EUR and 3 % fee, published.
async fn put_on_sale(walk: &mut Walk<'_>, owner: &str) -> Result<String> {
    let event = walk.call(Call {
        title: "The organization creates an event",
        with: With::Key(owner),
        method: Method::POST,
        path: "/v1/events".to_owned(),
        body: Some(json!({"title": "Opening Night", "venue": "Sala Apolo",
            "start_date": "2030-12-31T22:00:00Z", "capacity": 500})),
        expect: 201,
    });
    let event = text(&event.await?, "/data/_id")?;
    let rate = walk.call(Call {
        title: "... a ticket rate of 20.00 EUR with a fee of 3 %",
        with: With::Key(owner),
        method: Method::POST,
        path: "/v1/ticket-rates".to_owned(),
        body: Some(json!({"event_id": event, "name": "General admission", "capacity": 300,
            "prices": [{"price": 20.00, "fee_type": "percentage", "fee_quantity": 3}]})),
        expect: 201,
    });
    let rate = text(&rate.await?, "/data/_id")?;
    walk.call(Call {
        title: "... and publishes it",
        with: With::Key(owner),
        method: Method::POST,
        path: format!("/v1/events/{event}/publish"),
        body: None,
        expect: 200,
    })
    .await?;
    Ok(rate)
}

/// A pending payment by the channel, then its money.
pub(super) async fn sell(walk: &mut Walk<'_>, channel: &str, rate: &str) -> Result<Value> {
    let payment = walk.call(Call {
        title: "A partner channel creates a pending payment, which holds the stock",
        with: With::Key(channel),
        method: Method::POST,
        path: "/v1/payments".to_owned(),
        body: Some(json!({"rate_id": rate, "quantity": 1, "expires_in": 900,
            "buyer": {"name": "Ana Lopez", "email": "ana@example.com"}, "send_resources": true,
            "metadata": {"user_id": "u-1", "internal_id": "i-1"}, "expected_total": 20.6})),
        expect: 201,
    });
    let id = text(&payment.await?, "/data/_id")?;
    walk.call(Call {
        title: "The buyer pays with a test card",
        with: With::Key(channel),
        method: Method::POST,
        path: format!("/v1/payments/{id}/pay"),
        body: Some(json!({"payment_method": {"type": "card", "card": {
            "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}})),
        expect: 200,
    })
    .await
}

/// The door lets the guest in, once.
async fn admit(walk: &mut Walk<'_>, scanner: &str, code: &str) -> Result<()> {
    let doors = [("The door scans the code", 201), ("... once: a second time it says when", 409)];
    for (title, expect) in doors {
        walk.call(Call {
            title,
            with: With::Session(scanner),
            method: Method::POST,
            path: "/v1/checkins".to_owned(),
            body: Some(json!({"code": code})),
            expect,
        })
        .await?;
    }
    Ok(())
}

/// The captured mail with something in it.
pub(super) async fn wait_for_mail(captured: &Path, part: &str) -> Result<PathBuf> {
    let deadline = tokio::time::Instant::now() + MAIL_WAIT;
    while tokio::time::Instant::now() < deadline {
        let files = std::fs::read_dir(captured).into_iter().flatten().flatten();
        for file in files.map(|file| file.path()) {
            let whole = file.extension().is_some_and(|extension| extension == "eml");
            if whole && std::fs::read_to_string(&file)?.contains(part) {
                return Ok(std::path::absolute(file)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("no mail was captured in {}", captured.display())
}

/// Where to look around.
pub fn print_addresses(base: &str, keys: Option<&Keys>, captured: &Path) {
    let mail = std::path::absolute(captured).unwrap_or_else(|_| captured.to_owned());
    println!("\nRialto stays up. Look around:\n");
    println!("  API reference   {base}/docs");
    println!("  OpenAPI         {base}/openapi.json");
    println!("  Health          {base}/health/ready");
    println!("  Metrics         {base}/metrics");
    println!("  Captured mail   {base}/dev/mail ({})", mail.display());
    if let Some(keys) = keys {
        println!("  Organization    X-Api-Key: {}", keys.organization);
        println!("  Channel         X-Api-Key: {}", keys.channel);
    }
    println!("\nStop with Ctrl-C.");
}
