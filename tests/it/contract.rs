//! The API document is the code's, is committed, and its examples are true to it.

use std::collections::BTreeSet;

use rialto::web::router;
use serde_json::{Value, json};

pub fn document() -> Value {
    serde_json::from_str(&router::document_json()).unwrap()
}

/// Every operation: `(path, method, operation)`.
pub fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    assert!(all.len() > 20, "there are operations");
    all
}

/// Who an operation is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Whoever has no credential yet.
    Nobody,
    /// Any credential with this scope; none: any credential.
    Credential(Option<String>),
    /// A session: of any member, of a manager, of an owner.
    Session(String),
}

impl Caller {
    /// As the document says; nothing else may be said there.
    pub fn of(operation: &Value) -> Self {
        let security = operation["security"].as_array().unwrap();
        let schemes: Vec<&str> = security
            .iter()
            .flat_map(|s| s.as_object().unwrap().keys())
            .map(|s| s.as_str())
            .collect();
        let first = |scheme: &str| security[0][scheme][0].as_str().map(str::to_owned);
        match schemes.as_slice() {
            ["api_key", "bearer", "basic"] => Self::Credential(first("api_key")),
            ["session"] if security.len() == 1 => Self::Session(first("session").unwrap()),
            [] | ["session"] if security[0] == json!({}) => Self::Nobody,
            other => panic!("{}: {other:?}", operation["operationId"]),
        }
    }
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let committed = std::fs::read_to_string("openapi/v1.json").unwrap_or_default();
    assert!(
        committed == router::document_json(),
        "openapi/v1.json is stale: cargo run -- openapi > openapi/v1.json"
    );
}

#[test]
fn it_is_openapi_3_1_with_unique_operation_ids() {
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(id.contains('.'), "{method} {path} has the id {id:?}");
        assert!(ids.insert(id), "{method} {path}: an id twice");
    }
}

#[test]
fn every_operation_says_what_a_caller_needs() {
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        assert!(operation["description"].is_string(), "{name} has no description");
        let responses = operation["responses"].as_object().unwrap();
        if !path.starts_with("/v1") {
            continue;
        }
        let promised: &[&str] = match (Caller::of(&operation), method.as_str()) {
            (Caller::Nobody, _) => &["400", "413", "415", "429", "503"],
            (_, "get") => &["400", "401", "403", "404", "503"],
            (_, _) => &["400", "401", "403", "404", "409", "413", "415", "422", "503"],
        };
        for status in promised {
            assert!(responses.contains_key(*status), "{name} lacks {status}");
        }
    }
}

/// A schema together with the components it refers to.
pub fn closed(schema: &Value, document: &Value) -> Value {
    let mut closed = json!({"$schema": "https://json-schema.org/draft/2020-12/schema"});
    closed["components"] = document["components"].clone();
    closed["allOf"] = json!([schema]);
    closed
}

#[test]
fn every_example_validates() {
    let document = document();
    let mut checked = 0;
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let mut contents: Vec<(String, Value)> =
            bodies.map(|(kind, content)| (format!("{name} {kind}"), content.clone())).collect();
        for (status, response) in operation["responses"].as_object().unwrap() {
            let success = status.starts_with('2');
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let name = format!("{name} {status} {kind}");
                assert!(!success || content.get("example").is_some(), "{name} has no example");
                if content.get("example").is_some() {
                    contents.push((name, content.clone()));
                }
            }
        }
        for (name, content) in contents {
            let example = content.get("example").unwrap_or_else(|| panic!("{name}: no example"));
            let schema = closed(&content["schema"], &document);
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let faults: Vec<String> =
                validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{name}: {faults:?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} examples were checked");
}

#[test]
fn every_error_code_in_the_code_is_documented() {
    let text = router::document_json();
    let pattern = |line: &str, call: &str| -> Vec<String> {
        let mut found = Vec::new();
        for part in line.split(call).skip(1) {
            if let Some(code) =
                part.trim_start().strip_prefix('"').and_then(|p| p.split('"').next())
            {
                found.push(code.to_owned());
            }
        }
        found
    };
    let mut codes = BTreeSet::new();
    for file in super::tidy::sources() {
        let whole = file.text.replace('\n', " ");
        let squeezed = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        for call in ["Error::conflict(", "Error::unprocessable("] {
            codes.extend(pattern(&squeezed, call));
        }
        for part in squeezed.split("Kind::").skip(1) {
            if let Some((_, rest)) = part.split_once(',') {
                codes.extend(pattern(&format!("X({rest}"), "X("));
            }
        }
    }
    codes.retain(|code| code.contains('_') && !code.contains(' ') && code != "internal_error");
    assert!(codes.len() > 25, "{codes:?}");
    let missing: Vec<_> =
        codes.iter().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "undocumented codes: {missing:?}");
}
