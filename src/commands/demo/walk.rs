//! The walk: each request printed as a curl line, each answer as it came.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::seed::Seed;

/// The mail must have been captured after so long.
const MAIL_WAIT: Duration = Duration::from_secs(10);

struct Walk<'a> {
    client: Client,
    base: &'a str,
    step: usize,
}

/// A request of the walk.
struct Call<'a> {
    title: &'a str,
    key: &'a str,
    method: Method,
    path: String,
    body: Option<Value>,
    expect: u16,
}

impl Walk<'_> {
    async fn call(&mut self, call: Call<'_>) -> Result<Value> {
        self.step += 1;
        let Call { title, key, method, path, body, expect } = call;
        println!("\n{}. {title}\n", self.step);
        let url = format!("{}{path}", self.base);
        print!("curl -s");
        if method != Method::GET {
            print!(" -X {method}");
        }
        print!(" '{url}' \\\n  -H 'X-Api-Key: {key}'");
        let mut request = self.client.request(method, &url).header("X-Api-Key", key);
        if let Some(body) = &body {
            print!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("no answer from {url}"))?;
        let status = response.status().as_u16();
        let answer: Value = response.json().await.context("the answer is not JSON")?;
        println!("\n\nHTTP {status}\n{answer:#}");
        ensure!(status == expect, "step {} answered {status}, not {expect}", self.step);
        Ok(answer)
    }
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the answer has no {pointer}"))
}

/// From a new event to a guest at the door.
pub async fn walk(base: &str, seed: &Seed, captured: &Path) -> Result<()> {
    let mut walk = Walk { client: Client::new(), base, step: 0 };
    let (owner, channel) = (seed.organization_key.as_str(), seed.channel_key.as_str());
    let rate = put_on_sale(&mut walk, owner).await?;
    let payment = sell(&mut walk, channel, &rate).await?;
    let id = text(&payment, "/data/_id")?;
    let mail = wait_for_mail(captured, &id).await?;
    walk.step += 1;
    println!("\n{}. The buyer has mail: receipt and ticket with its QR code\n", walk.step);
    println!("open {}", mail.display());
    let ticket = text(&payment, "/data/resource_ids/0")?;
    admit(&mut walk, owner, &ticket).await?;
    let read = walk.call(Call {
        title: "The channel reads the payment",
        key: channel,
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
        key: channel,
        method: Method::GET,
        path: "/v1/changes".to_owned(),
        body: None,
        expect: 200,
    })
    .await?;
    Ok(())
}

/// An event with a rate of 20.00 EUR and 3 % fee, published.
async fn put_on_sale(walk: &mut Walk<'_>, owner: &str) -> Result<String> {
    let event = walk.call(Call {
        title: "The organization creates an event",
        key: owner,
        method: Method::POST,
        path: "/v1/events".to_owned(),
        body: Some(json!({"title": "Opening Night", "venue": "Sala Apolo",
            "start_date": "2030-12-31T22:00:00Z", "capacity": 500})),
        expect: 201,
    });
    let event = text(&event.await?, "/data/_id")?;
    let rate = walk.call(Call {
        title: "... a ticket rate of 20.00 EUR with a fee of 3 %",
        key: owner,
        method: Method::POST,
        path: "/v1/ticket-rates".to_owned(),
        body: Some(json!({"event_id": event, "name": "General admission", "capacity": 300,
            "prices": [{"price": 20.00, "fee_type": "percentage", "fee_quantity": 3}]})),
        expect: 201,
    });
    let rate = text(&rate.await?, "/data/_id")?;
    walk.call(Call {
        title: "... and publishes it",
        key: owner,
        method: Method::POST,
        path: format!("/v1/events/{event}/publish"),
        body: None,
        expect: 200,
    })
    .await?;
    Ok(rate)
}

/// A pending payment by the channel, then its money.
async fn sell(walk: &mut Walk<'_>, channel: &str, rate: &str) -> Result<Value> {
    let payment = walk.call(Call {
        title: "A partner channel creates a pending payment, which holds the stock",
        key: channel,
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
        key: channel,
        method: Method::POST,
        path: format!("/v1/payments/{id}/pay"),
        body: Some(json!({"payment_method": {"type": "card", "card": {
            "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}})),
        expect: 200,
    })
    .await
}

/// The door lets the guest in, once.
async fn admit(walk: &mut Walk<'_>, owner: &str, ticket: &str) -> Result<()> {
    let doors =
        [("The door checks the ticket in", 200), ("... once: a second time it says when", 409)];
    for (title, expect) in doors {
        walk.call(Call {
            title,
            key: owner,
            method: Method::POST,
            path: format!("/v1/tickets/{ticket}/checkin"),
            body: None,
            expect,
        })
        .await?;
    }
    Ok(())
}

/// The captured mail that names a payment.
async fn wait_for_mail(captured: &Path, payment: &str) -> Result<PathBuf> {
    let deadline = tokio::time::Instant::now() + MAIL_WAIT;
    while tokio::time::Instant::now() < deadline {
        let files = std::fs::read_dir(captured).into_iter().flatten().flatten();
        for file in files.map(|file| file.path()) {
            let whole = file.extension().is_some_and(|extension| extension == "eml");
            if whole && std::fs::read_to_string(&file)?.contains(payment) {
                return Ok(std::path::absolute(file)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("no mail was captured in {}", captured.display())
}

/// Where to look around.
pub fn print_addresses(base: &str, seed: &Seed, captured: &Path) {
    let mail = std::path::absolute(captured).unwrap_or_else(|_| captured.to_owned());
    println!("\nRialto stays up. Look around:\n");
    println!("  API reference   {base}/docs");
    println!("  OpenAPI         {base}/openapi.json");
    println!("  Health          {base}/health/ready");
    println!("  Metrics         {base}/metrics");
    println!("  Captured mail   {}", mail.display());
    println!("  Organization    X-Api-Key: {}", seed.organization_key);
    println!("  Channel         X-Api-Key: {}", seed.channel_key);
    println!("\nStop with Ctrl-C.");
}
