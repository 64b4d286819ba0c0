//! Putting right what the generator of the API document gets wrong, once for all schemas.
//!
//! An inlined schema with a description comes out as "all of it, and an object": the description
//! belongs on the schema itself. What requests are read from refuses unknown fields: the document
//! says so. Components that nothing refers to (inlined everywhere) are left out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const COMPONENT: &str = "#/components/schemas/";

/// Polishes a whole document.
pub fn polish(document: &mut Value) {
    fold_descriptions(document);
    close_requests(document);
    drop_unused(document);
}

/// `{allOf: [X, {type: object, description}]}` becomes X with that description.
fn fold_descriptions(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(fold_descriptions),
        Value::Object(fields) => {
            fields.values_mut().for_each(fold_descriptions);
            if let Some(folded) = folded(fields) {
                *value = Value::Object(folded);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn folded(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    let [schema, note] = fields.get("allOf")?.as_array()?.as_slice() else {
        return None;
    };
    let note = note.as_object()?;
    let only_a_note = fields.len() == 1 && note.len() == 2 && note.get("type")? == "object";
    let description = note.get("description").filter(|_| only_a_note)?;
    let mut schema = schema.as_object()?.clone();
    schema.insert("description".to_owned(), description.clone());
    Some(schema)
}

/// Component names that a value refers to.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            found
                .extend(reference.and_then(|name| name.strip_prefix(COMPONENT)).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Components reachable from some values.
fn reachable(document: &Value, roots: &[&Value]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut next = BTreeSet::new();
    roots.iter().for_each(|root| references(root, &mut next));
    while let Some(name) = next.pop_first() {
        if known.insert(name.clone())
            && let Some(schema) = document.pointer(&format!("/components/schemas/{name}"))
        {
            let mut more = BTreeSet::new();
            references(schema, &mut more);
            next.extend(more.into_iter().filter(|name| !known.contains(name)));
        }
    }
    known
}

fn close_requests(document: &mut Value) {
    let paths = document.get("paths").and_then(Value::as_object);
    let operations = paths.into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let bodies: Vec<&Value> =
        operations.flat_map(Map::values).filter_map(|o| o.get("requestBody")).collect();
    for name in reachable(document, &bodies) {
        if let Some(schema) = document.pointer_mut(&format!("/components/schemas/{name}")) {
            close(schema);
        }
    }
}

/// Objects with named fields take no others. Not inside `allOf`, where each part sees all fields.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let object = fields.get("type").is_some_and(|kind| kind == "object");
    if object && (fields.contains_key("properties") || fields.len() <= 2) {
        let free = fields.get("description").is_some_and(|text| text.as_str() == Some(FREE));
        if !free {
            fields.insert("additionalProperties".to_owned(), false.into());
        }
    }
    for (name, value) in fields.iter_mut().filter(|(name, _)| *name != "allOf") {
        match value {
            Value::Object(properties) if name == "properties" => {
                properties.values_mut().for_each(close);
            }
            Value::Array(values) => values.iter_mut().for_each(close),
            other => close(other),
        }
    }
}

/// The description that marks an object as the caller's to fill.
pub const FREE: &str = "Yours to fill; at most 1024 bytes when serialized.";

fn drop_unused(document: &mut Value) {
    let Some(paths) = document.get("paths") else {
        return;
    };
    let used = reachable(document, &[paths]);
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    if let Some(schemas) = schemas {
        schemas.retain(|name, _| used.contains(name));
    }
}
