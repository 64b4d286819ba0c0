//! The program from the outside.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::cluster::cluster;
use crate::support::{Backend, available};

fn rialto(data: &std::path::Path, url: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
    command.current_dir(data).env_remove("DATABASE_URL").env("RIALTO_DATA_DIR", data.join("data"));
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    command.args(arguments).output().unwrap()
}

#[track_caller]
fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

/// The operator's commands on one database.
fn operator(url: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| rialto(directory.path(), url, arguments);
    assert!(run(&["migrate"]).status.success());
    let made = json(&run(&[
        "admin",
        "create-organization",
        "--name",
        "Apolo",
        "--slug",
        "apolo",
        "--currency",
        "eur",
        "--timezone",
        "Europe/Madrid",
    ]));
    assert_eq!(made["organization"]["currency"], "EUR");
    json(&run(&["admin", "create-channel", "--name", "Guide", "--slug", "guide"]));
    let twice = run(&["admin", "create-channel", "--name", "Guide", "--slug", "guide"]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&twice.stderr).contains("slug_taken"));
    let partnership = json(&run(&[
        "admin",
        "create-partnership",
        "--organization",
        "apolo",
        "--channel",
        "guide",
        "--collects",
        "channel",
        "--commission",
        "1.50EUR",
    ]));
    assert_eq!(partnership["partnership"]["status"], "active");
    json(&run(&[
        "admin",
        "set-partnership",
        "--organization",
        "apolo",
        "--channel",
        "guide",
        "--status",
        "suspended",
    ]));
    let key = json(&run(&[
        "admin",
        "create-key",
        "--organization",
        "apolo",
        "--mode",
        "live",
        "--preset",
        "editor",
    ]));
    assert!(key["key"]["key"].as_str().unwrap().starts_with("sk_live_"));
    json(&run(&["admin", "revoke-key", "--id", key["key"]["_id"].as_str().unwrap()]));
    let wrong = run(&["admin", "create-key", "--organization", "apolo", "--scopes", "write:all"]);
    assert_eq!(wrong.status.code(), Some(2));
    let audit = run(&["audit"]);
    assert_eq!(audit.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&audit.stdout).contains(", 0 broken."));
}

#[test]
fn the_operator_works_on_sqlite() {
    operator(None);
}

#[test]
fn the_operator_works_on_postgres() {
    if available(Backend::Postgres) {
        let cluster = cluster().unwrap();
        let name = cluster.create_empty();
        operator(Some(&cluster.url(&name)));
        cluster.remove(&name);
    }
}

#[test]
fn an_audit_finds_what_is_broken() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let directory = tempfile::tempdir().unwrap();
    assert!(rialto(directory.path(), None, &["migrate"]).status.success());
    let file = directory.path().join("data/rialto.sqlite3");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "INSERT INTO counters (organization_id, id, capacity, taken, revision, \
        ever_taken) VALUES ('org_x', 'rate_x', 10, 3, 1, 1)",
    )
    .unwrap();
    drop(conn);
    let audit = rialto(directory.path(), None, &["audit"]);
    let text = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert_eq!(audit.status.code(), Some(1), "{text}");
    assert!(text.contains("BROKEN") && text.contains("org_x/rate_x"), "{text}");
}

#[test]
fn the_demo_walks_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let demo = rialto(directory.path(), None, &["demo", "--exit", "--listen", "127.0.0.1:0"]);
        let text = String::from_utf8_lossy(&demo.stdout).into_owned();
        assert!(demo.status.success(), "{text}{}", String::from_utf8_lossy(&demo.stderr));
        assert!(text.contains("curl -s -X POST") && text.contains(".eml"), "{text}");
    }
}

/// Nothing of a buyer and no secret in the logs, however much of ours is logged.
#[test]
fn logs_hold_no_personal_data_and_no_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .current_dir(directory.path())
        .env_remove("DATABASE_URL")
        .env("RIALTO_LOG", "debug,rialto=trace")
        .args(["demo", "--exit", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let (shown, logged) =
        (String::from_utf8_lossy(&demo.stdout), String::from_utf8_lossy(&demo.stderr));
    assert!(logged.contains("request_id") && logged.contains("/v1/payments/{id}/pay"), "{logged}");
    assert!(shown.contains("ana@example.com") && shown.contains("sk_test_"));
    for private in ["ana@example.com", "Ana", "Lopez", "sk_test_", "4242424242424242", "u-1"] {
        let line = logged.lines().find(|line| line.contains(private));
        assert!(line.is_none(), "{private} is logged: {line:?}");
    }
}

#[test]
fn every_command_explains_itself() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["serve", "demo", "migrate", "openapi", "audit", "admin"] {
        let help = rialto(directory.path(), None, &[command, "--help"]);
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: rialto"), "{command}");
    }
    let printed = rialto(directory.path(), None, &["openapi"]);
    let committed = std::fs::read_to_string("openapi/v1.json").unwrap();
    assert_eq!(String::from_utf8_lossy(&printed.stdout), committed);
}

#[test]
fn a_wrong_setting_is_refused_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["serve", "--hold-seconds", "100", "--hold-seconds-max", "50"], "RIALTO_HOLD_SECONDS"),
        (&["serve", "--listen", "nowhere"], "--listen"),
        (&["serve", "--database-url", "mysql://x"], "DATABASE_URL"),
        (&["serve", "--secret-key", "short"], "server key"),
        (&["serve", "--smtp-url", "http://x", "--listen", "127.0.0.1:0"], "RIALTO_SMTP_URL"),
    ];
    for (arguments, hint) in cases {
        let refused = rialto(directory.path(), None, arguments);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains(hint), "{arguments:?}: {text}");
    }
}
