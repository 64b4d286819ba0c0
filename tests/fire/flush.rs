//! R5c: no answer precedes its flush. A killed process proves nothing about a lost machine: what
//! it wrote is still in the system's memory. So flushes are held back, and counted.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::play::{play_servers, scaled};
use crate::server::Server;
use crate::support::Backend;
use crate::support::cluster::Cluster;
use crate::support::ground::Ground;

/// An answer that does not wait for its flush would have come by then.
const HELD_FOR: Duration = Duration::from_millis(400);

/// Holds and counts the flushes of the processes it is preloaded into.
struct Flushes {
    directory: tempfile::TempDir,
}

impl Flushes {
    fn build() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let this = Self { directory };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fire/held_flush.c");
        let built = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .args([this.path("held_flush.so").as_os_str(), source.as_ref(), "-ldl".as_ref()])
            .status();
        assert!(built.unwrap().success());
        std::fs::write(this.path("count"), "").unwrap();
        let open = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(this.path("count"), open).unwrap();
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn environment(&self) -> Vec<(String, String)> {
        let of = |name: &str, file: &str| (name.to_owned(), self.path(file).display().to_string());
        vec![
            of("LD_PRELOAD", "held_flush.so"),
            of("HELD_FLUSH_WHILE", "held"),
            of("HELD_FLUSH_COUNT", "count"),
        ]
    }

    fn hold(&self) {
        std::fs::write(self.path("held"), "").unwrap();
    }

    fn release(&self) {
        std::fs::remove_file(self.path("held")).unwrap();
    }

    fn count(&self) -> u64 {
        std::fs::metadata(self.path("count")).unwrap().len()
    }
}

async fn no_answer_precedes_its_flush(backend: Backend) {
    let flushes = Flushes::build();
    let environment = flushes.environment();
    let ground = Arc::new(match backend {
        Backend::Sqlite => Ground::new(backend),
        Backend::Postgres => Ground::on(Some(Cluster::with(&environment).unwrap())),
    });
    let ledger = Ledger::open(&ground).await;
    let mut of_server: Vec<(&str, &str)> = match backend {
        Backend::Sqlite => {
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        Backend::Postgres => Vec::new(),
    };
    // Nobody else writes.
    of_server.push(("RIALTO_WORKER", "false"));
    let server = Server::start(&ground, &of_server).await;
    let (channel, org) = (&ledger.seed.channel, &ledger.seed.org);

    let body = json!({"rate_id": ledger.rate, "quantity": 1, "send_resources": false});
    let text = server.post_once(channel, "first", "/v1/payments", &body).await.unwrap().1;
    let made: Value = serde_json::from_str(&text).unwrap();
    let id = made["data"]["_id"].as_str().unwrap();
    let ticket = made["data"]["resource_ids"][0].as_str().unwrap();
    let event = made["data"]["event_id"].as_str().unwrap();
    let second = server.post_once(channel, "other", "/v1/payments", &body).await.unwrap().1;
    let second: Value = serde_json::from_str(&second).unwrap();
    let second = second["data"]["_id"].as_str().unwrap();

    // Every way of writing: planned, in three steps, as an operation of either side. With the
    // flushes each of them makes at least.
    let pay = crate::support::seed::card(crate::support::seed::GOOD_CARD);
    let writes = [
        (channel, "/v1/payments".to_owned(), body.clone(), 1),
        (channel, format!("/v1/payments/{id}/pay"), pay, 3),
        (channel, format!("/v1/payments/{second}/cancel"), json!({}), 1),
        (org, format!("/v1/tickets/{ticket}/checkin"), json!({}), 1),
        (org, format!("/v1/events/{event}/cancel"), json!({}), 1),
    ];
    for (number, (key, path, body, least)) in writes.iter().enumerate() {
        // What a server that answers too early has still to flush must not be held with it: it
        // would keep the next answer back.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = flushes.count();
        flushes.hold();
        let once = format!("held-{number}");
        let mut answer = Box::pin(server.post_once(key, &once, path, body));
        let early = tokio::time::timeout(HELD_FOR, &mut answer).await;
        assert!(early.is_err(), "{path} answered before its flush: {early:?}");
        flushes.release();
        let (status, text) = answer.await.expect("an answer after the flush");
        assert!([200, 201].contains(&status), "{path}: {text}");
        let made = flushes.count() - before;
        assert!(made >= *least, "{path}: {made} flushes");
    }

    // One client, nothing shared: a flush for every answer.
    let (before, answers) = (flushes.count(), scaled(50, 200));
    for number in 0..answers {
        let once = format!("counted-{number}");
        let event = json!({"title": "Another", "venue": "V"});
        let (status, text) = server.post_once(org, &once, "/v1/events", &event).await.unwrap();
        assert_eq!(status, 201, "{text}");
    }
    let made = flushes.count() - before;
    println!("{made} flushes for {answers} answers");
    assert!(made >= u64::try_from(answers).unwrap());
}

#[test]
fn sqlite() {
    play_servers(Backend::Sqlite, || no_answer_precedes_its_flush(Backend::Sqlite));
}

#[test]
fn postgres() {
    play_servers(Backend::Postgres, || no_answer_precedes_its_flush(Backend::Postgres));
}
