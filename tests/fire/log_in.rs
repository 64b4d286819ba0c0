//! Logging in: nobody is found out by how long it takes, and a flood slows no sale.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::on_both_alone;
use crate::support::people::{PASSWORD, credentials};
use crate::support::{Options, Reply, TestApp};

/// Samples of each kind.
const SAMPLES: usize = 40;
/// Rounds in which the figures may settle: the machine is others' too.
const ROUNDS: usize = 4;

/// A log-in from an address of its own, so that none is throttled.
async fn log_in(app: &TestApp, email: &str, password: &str, number: usize) -> Reply {
    let request = app.request(Method::POST, "/v1/auth/log-in").json(&credentials(email, password));
    let address = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    app.send(request.header("X-Forwarded-For", address)).await
}

fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort();
    samples[((samples.len() - 1) as f64 * share) as usize]
}

/// How long purchases take while something goes on.
async fn purchases(app: &TestApp, rate: &str, goes_on: impl Fn(usize) -> bool) -> Duration {
    let mut samples = Vec::new();
    while goes_on(samples.len()) {
        let begun = Instant::now();
        let body = json!({"rate_id": rate, "send_resources": false});
        let bought = app.post(&app.seed.channel, "/v1/payments", body).await;
        assert_eq!(bought.status, 201, "{}", bought.text);
        samples.push(begun.elapsed());
    }
    percentile(&mut samples, 0.99)
}

on_both_alone! {
    async fn unknown_and_wrong_take_the_same_time(app: &TestApp, Options::default()) {
        app.owner("ana@example.com").await;
        let mut ratio = 0.0;
        for round in 0..ROUNDS {
            let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
            for sample in 0..SAMPLES {
                let number = round * 1000 + sample;
                for (email, samples) in
                    [("ana@example.com", &mut wrong), ("nobody@example.com", &mut unknown)]
                {
                    let begun = Instant::now();
                    let reply = log_in(app, email, "wrong", number).await;
                    samples.push(begun.elapsed());
                    reply.refused(401, "wrong_credentials");
                }
            }
            let (wrong, unknown) = (percentile(&mut wrong, 0.5), percentile(&mut unknown, 0.5));
            ratio = wrong.as_secs_f64() / unknown.as_secs_f64();
            println!("wrong {wrong:?}, unknown {unknown:?}: {ratio:.3}");
            if (0.9..1.1).contains(&ratio) {
                return;
            }
        }
        panic!("a wrong password takes {ratio:.3} of what an unknown e-mail does");
    }

    async fn a_flood_of_log_ins_slows_no_sale(app: &TestApp, Options::default()) {
        app.owner("ana@example.com").await;
        let (_, rate) = app.on_sale(json!({})).await;
        purchases(app, &rate, |count| count < 50).await;
        let mut ratio = 0.0;
        for round in 0..ROUNDS {
            let quiet = purchases(app, &rate, |count| count < 200).await;
            let over = std::cell::Cell::new(false);
            let flood = async {
                let all = (0..200).map(|number| {
                    log_in(app, "ana@example.com", PASSWORD, round * 1000 + number)
                });
                let answers = join_all(all).await;
                over.set(true);
                answers
            };
            let sales = purchases(app, &rate, |_| !over.get());
            let (answers, busy) = futures_util::future::join(flood, sales).await;
            // Whoever cannot be served in time is told so; nobody is told anything else.
            let served = answers.iter().filter(|reply| reply.status == 200).count();
            assert!(served > 10, "{served} were let in");
            assert!(answers.iter().all(|reply| [200, 503].contains(&reply.status)));
            ratio = busy.as_secs_f64() / quiet.as_secs_f64();
            println!("p99 {quiet:?}, under the flood {busy:?}: {ratio:.2}; {served} let in");
            if ratio <= 2.0 {
                return;
            }
        }
        panic!("the flood makes sales {ratio:.2} times as slow");
    }
}
