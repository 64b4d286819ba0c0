//! The house rules, as a test: who may import whom, who names tables, who issues scopes.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The room: the first part of the path below `src`.
    fn room(&self) -> String {
        let below = self.path.strip_prefix("src").unwrap();
        let first = below.components().next().unwrap();
        first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
    }

    /// Without the unit tests at its end.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap()
    }

    fn is_store(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "store")
            || self.path.file_name().is_some_and(|name| name == "store.rs")
    }

    fn is_http(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "http")
            || self.path.file_name().is_some_and(|name| name == "http.rs")
    }
}

/// Every file below `src`.
pub fn sources() -> Vec<Source> {
    fn walk(directory: &Path, found: &mut Vec<Source>) {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(Source { path, text });
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 50);
    found
}

/// The rooms, in the order in which they may use each other.
const ORDER: [&str; 14] = [
    "kernel",
    "db",
    "config",
    "web",
    "outbox",
    "parties",
    "inventory",
    "catalog",
    "tickets",
    "payments",
    "admission",
    "mail",
    "reports",
    "app",
];

/// Files that put everything together, or are used from below by name only.
fn wires(source: &Source) -> bool {
    let name = source.name();
    name.ends_with("web/router.rs") || matches!(source.room().as_str(), "main" | "lib" | "commands")
}

#[test]
fn rooms_use_only_rooms_before_them() {
    for source in sources().iter().filter(|source| !wires(source)) {
        let room = source.room();
        let Some(own) = ORDER.iter().position(|name| *name == room) else { continue };
        for later in &ORDER[own + 1..] {
            let used = source.code().contains(&format!("crate::{later}::"));
            // The derive of a kernel type names the SQL type that db gives it.
            let allowed = room == "kernel" && source.name().ends_with("time.rs");
            assert!(!used || allowed, "{} uses {later}", source.name());
        }
    }
}

#[test]
fn another_slices_store_and_http_are_its_own() {
    for source in sources().iter().filter(|source| !wires(source)) {
        for room in &ORDER {
            if source.room() == *room {
                continue;
            }
            for inner in ["store", "http"] {
                let used = source.code().contains(&format!("crate::{room}::{inner}"))
                    || source.code().contains(&format!(" {room}::{inner}::"));
                assert!(!used, "{} reaches into {room}::{inner}", source.name());
            }
        }
    }
}

#[test]
fn only_stores_name_tables_and_borrow_the_connection() {
    for source in sources() {
        let code = source.code();
        if source.is_store() || source.room() == "db" {
            continue;
        }
        assert!(!code.contains("db::schema"), "{} names tables", source.name());
        assert!(!code.contains(".conn()"), "{} borrows the connection", source.name());
    }
}

#[test]
fn actix_stays_at_the_edge() {
    for source in sources() {
        let edge = source.is_http()
            || matches!(source.room().as_str(), "web" | "pages" | "app" | "main" | "commands");
        assert!(edge || !source.code().contains("actix_web"), "{} uses actix", source.name());
        assert!(!source.code().contains("scope(\"/v1\").route("), "{}", source.name());
    }
}

#[test]
fn transactions_are_opened_in_one_room() {
    for source in sources().iter().filter(|source| source.room() != "db") {
        for banned in [".transaction(", "batch_execute", "begin_transaction", "for_each_connection"]
        {
            assert!(!source.code().contains(banned), "{}: {banned}", source.name());
        }
    }
}

#[test]
fn scopes_are_issued_in_one_place_and_named_elsewhere() {
    let issuers: Vec<String> = sources()
        .iter()
        .filter(|source| source.code().contains("Scope::issue("))
        .map(Source::name)
        .collect();
    assert_eq!(issuers, ["src/web/auth.rs"]);
    let places: usize =
        sources().iter().map(|source| source.code().matches("Scope::platform(").count()).sum();
    assert_eq!(places, 29, "a new platform task: is it one?");
}

/// Nothing becomes durable and nothing outside is asked without a fail point on either side.
#[test]
fn commits_and_outside_calls_go_through_their_fail_points() {
    let steps = [
        ("commit_transaction(", "src/db/conn.rs", 2),
        ("provider.charge(", "src/payments/http/charging.rs", 1),
        ("provider.verdict(", "src/payments/ops/pay.rs", 1),
        ("self.hand_over(", "src/mail/transport.rs", 1),
    ];
    for (call, place, times) in steps {
        let found: Vec<String> = sources()
            .iter()
            .flat_map(|source| {
                let count = source.code().matches(call).count();
                std::iter::repeat_n(source.name(), count)
            })
            .collect();
        assert_eq!(found, vec![place; times], "{call}");
    }
    let text = std::fs::read_to_string("src/db/conn.rs").unwrap();
    assert!(text.contains("fail_point::around(step,"), "commit() lost its fail point");
    for (place, step) in [
        ("src/payments/http/charging.rs", "around_call(Step::ProviderCharge"),
        ("src/payments/ops/pay.rs", "around_call(Step::ProviderVerdict"),
        ("src/payments/ops/refund/ask.rs", "around_call(Step::ProviderRefund"),
        ("src/mail/transport.rs", "around_call(Step::MailSend"),
    ] {
        assert!(std::fs::read_to_string(place).unwrap().contains(step), "{place}: {step}");
    }
}

#[test]
fn the_clock_is_read_in_one_place() {
    for source in sources() {
        let clock = source.name().ends_with("kernel/time.rs");
        for banned in ["Utc::now()", "SystemTime::now()", "Local::now()"] {
            assert!(clock || !source.code().contains(banned), "{}: {banned}", source.name());
        }
    }
}

#[test]
fn manners() {
    for source in sources() {
        let name = source.name();
        assert!(source.text.starts_with("//!"), "{name} does not say what it is");
        for (number, line) in source.text.lines().enumerate() {
            assert!(line.chars().count() <= 100, "{name}:{}: too long", number + 1);
        }
        let lines = source.text.lines().count();
        assert!(lines <= 400, "{name} has {lines} lines");
        for part in ["utils", "helpers", "common"] {
            assert!(!name.contains(part), "{name} is named {part}");
        }
        for banned in ["unwrap()", ".expect(", "todo!(", "unimplemented!(", "dbg!(", "println!("] {
            let prints =
                banned == "println!(" && matches!(source.room().as_str(), "commands" | "main");
            assert!(prints || !source.code().contains(banned), "{name}: {banned}");
        }
    }
}

/// SQLite numbers `$2 ... $1` by first appearance and would bind swapped values.
#[test]
fn placeholders_first_appear_in_order() {
    for source in sources() {
        for literal in source.code().split('"').skip(1).step_by(2) {
            let mut highest = 0;
            for part in literal.split('$').skip(1) {
                let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                let Ok(number) = digits.parse::<u32>() else { continue };
                assert!(number <= highest + 1, "{}: {literal}", source.name());
                highest = highest.max(number);
            }
        }
    }
}
