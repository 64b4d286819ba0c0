//! An answer of any length goes out at once.

use std::time::{Duration, Instant};

use rialto::web::connection::PIECE;
use serde_json::json;

use crate::play::play;
use crate::support::{Backend, Options, TestApp};

/// Reads of each kind; the one in the middle counts.
const READS: usize = 41;
/// How many times as long an answer of twice the length may take. One whose last piece waits until
/// the client has acknowledged the others (RFC 896) takes 40 ms more, ten times as long.
const RATIO_MAX: u32 = 4;

async fn timed(app: &TestApp, events: usize) -> (Duration, usize) {
    let begun = Instant::now();
    let page = app.get(&app.seed.org, &format!("/v1/events?limit={events}")).await;
    assert_eq!(page.data(200).as_array().unwrap().len(), events);
    (begun.elapsed(), page.text.len())
}

#[test]
fn the_last_piece_of_an_answer_waits_for_nothing() {
    play(Backend::Sqlite, Options::default(), |app| {
        Box::pin(async move {
            for _ in 0..8 {
                let described = json!({"description": "x".repeat(4500)});
                let path = format!("/v1/events/{}", app.draft(json!(10)).await);
                app.patch(&app.seed.org, &path, described).await.data(200);
            }
            let (mut short, mut long) = (Vec::new(), Vec::new());
            for _ in 0..READS {
                short.push(timed(app, 4).await);
                long.push(timed(app, 8).await);
            }
            assert!(short.iter().all(|(_, bytes)| *bytes < PIECE), "{short:?}");
            assert!(long.iter().all(|(_, bytes)| *bytes > PIECE), "{long:?}");
            short.sort();
            long.sort();
            let (short, long) = (short[READS / 2].0, long[READS / 2].0);
            println!("one piece {short:?}, two pieces {long:?}");
            assert!(long < short * RATIO_MAX, "one piece {short:?}, two pieces {long:?}");
        })
    });
}
