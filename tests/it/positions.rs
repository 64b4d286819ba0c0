//! Every place of a request where an id can stand, path apart: somebody else's id there is answered
//! like one that names nothing. The places are read from the API document; one without a case
//! fails. And a revoked key opens nothing.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::contract::{Caller, operations};
use crate::on_both;
use crate::support::{Reply, TestApp};

/// What belongs to the first organization, and is used by the second one.
struct Things {
    event: String,
    rate: String,
    price: String,
    payment: String,
    ticket: String,
    customer: String,
    location: String,
}

fn id_of(object: &Value) -> String {
    object["_id"].as_str().unwrap().to_owned()
}

/// A small world of an organization: everything through its own key.
async fn things(app: &TestApp, key: &str) -> Things {
    let place = app.post(key, "/v1/locations", json!({"name": "Hall"})).await.data(201).clone();
    let body = json!({"title": "Night", "venue": "Hall", "price": 20, "currency": "EUR",
        "timezone": "Europe/Madrid", "start_date": "2090-01-01T20:00:00Z"});
    let event = app.post(key, "/v1/events", body).await.data(201).clone();
    let rate = event["ticket_rates"][0].clone();
    let issued = app.post(key, &format!("/v1/events/{}/tickets", id_of(&event)), json!({})).await;
    let issued = issued.data(201).clone();
    let body = json!({"email": "ana@example.com"});
    let customer = app.post(key, "/v1/customers", body).await.data(201).clone();
    Things {
        event: id_of(&event),
        rate: id_of(&rate),
        price: id_of(&rate["prices"][0]),
        payment: issued["payment_id"].as_str().unwrap().to_owned(),
        ticket: id_of(&issued),
        customer: id_of(&customer),
        location: id_of(&place),
    }
}

/// `id` under another name that nobody has.
fn absent(id: &str) -> String {
    format!("{}_00000000000000000000000000", id.split('_').next().unwrap())
}

async fn ask(app: &TestApp, method: Method, path: &str, body: &Value) -> Reply {
    let once = format!("k-{}", rand::random::<u64>());
    let request = app.request(method.clone(), path).header("X-Api-Key", &app.seed.other_org);
    let request =
        if method == Method::POST { request.header("Idempotency-Key", once) } else { request };
    app.send(if method == Method::GET { request } else { request.json(body) }).await
}

fn comparable(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body["error"]["request_id"] = Value::Null;
    body
}

/// Where ids stand in the bodies that may be sent, by operation: `rate_id`, `items[].rate_id`.
fn body_places() -> BTreeSet<(String, String)> {
    fn walk(schema: &Value, document: &Value, at: &str, found: &mut BTreeSet<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            return walk(document.pointer(pointer).unwrap(), document, at, found);
        }
        for part in ["allOf", "oneOf", "anyOf"] {
            for one in schema[part].as_array().into_iter().flatten() {
                walk(one, document, at, found);
            }
        }
        if schema["items"].is_object() {
            walk(&schema["items"], document, &format!("{at}[]"), found);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let place = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            if name.ends_with("_id") {
                found.insert(place);
            } else {
                walk(property, document, &place, found);
            }
        }
    }
    let document: Value = serde_json::from_str(&rialto::web::router::document_json()).unwrap();
    let mut all = BTreeSet::new();
    for (path, _, operation) in operations() {
        if !path.starts_with("/v1") || Caller::of(&operation) == Caller::Nobody {
            continue;
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut found = BTreeSet::new();
        walk(schema, &document, "", &mut found);
        let id = operation["operationId"].as_str().unwrap();
        all.extend(found.into_iter().map(|place| (id.to_owned(), place)));
    }
    all
}

/// Operation, method, path, place, and a body with an id at that place.
type Case<'a> = (&'a str, Method, String, &'a str, &'a str, Box<dyn Fn(&str) -> Value>);

fn cases<'a>(own: &'a Things, victim: &'a Things) -> Vec<Case<'a>> {
    let (rate, payment) = (own.rate.clone(), own.payment.clone());
    let payments = || "/v1/payments".to_owned();
    let of_own = move |place: &'static str| {
        let rate = rate.clone();
        Box::new(
            move |id: &str| json!({"send_resources": false, place: [{"rate_id": rate, "price_id": id}]}),
        ) as Box<dyn Fn(&str) -> Value>
    };
    let rate = own.rate.clone();
    let event = format!("/v1/events/{}", own.event);
    let mut all: Vec<Case<'a>> = vec![
        (
            "ticket_rates.create",
            Method::POST,
            "/v1/ticket-rates".to_owned(),
            "event_id",
            &victim.event,
            Box::new(|id| json!({"event_id": id, "name": "X", "prices": [{"price": 1}]})),
        ),
        (
            "events.create",
            Method::POST,
            "/v1/events".to_owned(),
            "location_id",
            &victim.location,
            Box::new(|id| json!({"title": "X", "location_id": id})),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "rate_id",
            &victim.rate,
            Box::new(|id| json!({"rate_id": id, "send_resources": false})),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "items[].rate_id",
            &victim.rate,
            Box::new(|id| json!({"items": [{"rate_id": id}], "send_resources": false})),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "tickets[].rate_id",
            &victim.rate,
            Box::new(|id| json!({"tickets": [{"rate_id": id}], "send_resources": false})),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "items[].price_id",
            &victim.price,
            of_own("items"),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "tickets[].price_id",
            &victim.price,
            of_own("tickets"),
        ),
        (
            "payments.create",
            Method::POST,
            payments(),
            "customer_id",
            &victim.customer,
            Box::new(move |id| json!({"rate_id": rate, "customer_id": id})),
        ),
        (
            "events.issue_tickets",
            Method::POST,
            format!("{event}/tickets"),
            "rate_id",
            &victim.rate,
            Box::new(|id| json!({"rate_id": id})),
        ),
        // Lists of ids have no name that ends in `_id`.
        (
            "refunds.create",
            Method::POST,
            format!("/v1/payments/{payment}/refunds"),
            "tickets[]",
            &victim.ticket,
            Box::new(|id| json!({"tickets": [id]})),
        ),
    ];
    for (operation, method) in [("update", Method::PUT), ("patch", Method::PATCH)] {
        let name = |of: &str| -> &'static str { format!("{of}.{operation}").leak() };
        all.extend([
            (
                name("events"),
                method.clone(),
                event.clone(),
                "location_id",
                victim.location.as_str(),
                Box::new(|id: &str| json!({"location_id": id})) as Box<dyn Fn(&str) -> Value>,
            ),
            (
                name("ticket_rates"),
                method.clone(),
                format!("/v1/ticket-rates/{}", own.rate),
                "event_id",
                &victim.event,
                Box::new(|id| json!({"event_id": id})),
            ),
            (
                name("ticket_rates"),
                method.clone(),
                format!("/v1/ticket-rates/{}", own.rate),
                "prices[]._id",
                &victim.price,
                Box::new(|id| json!({"prices": [{"_id": id, "price": 1}]})),
            ),
            (
                name("payments"),
                method.clone(),
                format!("/v1/payments/{}", own.payment),
                "customer_id",
                &victim.customer,
                Box::new(|id| json!({"customer_id": id})),
            ),
        ]);
    }
    all
}

on_both! {
    async fn ids_in_bodies(app: &TestApp) {
        let victim = things(app, &app.seed.org).await;
        let own = things(app, &app.seed.other_org).await;
        let path = format!("/v1/events/{}/publish", own.event);
        app.post(&app.seed.other_org, &path, json!({})).await.data(200);
        let mut covered = BTreeSet::new();
        for (operation, method, path, place, real, body) in cases(&own, &victim) {
            covered.insert((operation.to_owned(), place.to_owned()));
            let foreign = ask(app, method.clone(), &path, &body(real)).await;
            let nothing = ask(app, method, &path, &body(&absent(real))).await;
            assert!(foreign.status >= 400, "{operation} {place}: {}", foreign.text);
            assert_eq!(comparable(&foreign), comparable(&nothing), "{operation} {place}");
            assert!(!foreign.text.contains("ana@example.com"), "{operation} {place}");
        }
        // Any channel may be offered a partnership, by its id or its slug.
        covered.insert(("partnerships.create".to_owned(), "channel_id".to_owned()));
        // A new rate has no tiers to name.
        covered.insert(("ticket_rates.create".to_owned(), "prices[]._id".to_owned()));
        let places = body_places();
        assert!(places.len() > 10, "{places:?}");
        let missing: Vec<_> = places.difference(&covered).cloned().collect();
        assert!(missing.is_empty(), "places without a case: {missing:?}");
    }

    async fn ids_in_queries(app: &TestApp) {
        let victim = things(app, &app.seed.org).await;
        things(app, &app.seed.other_org).await;
        let mut asked = 0;
        for (path, method, operation) in operations() {
            if method != "get" || !path.starts_with("/v1") || path.contains('{') {
                continue;
            }
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let named = parameters.filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str())
                .filter(|name| name.ends_with("_id"));
            for name in named {
                let organization = app.seed.organization_id.to_string();
                let channel = app.seed.channel_id.to_string();
                let real = match name {
                    "event_id" => &victim.event,
                    "payment_id" => &victim.payment,
                    "ticket_rate_id" => &victim.rate,
                    "customer_id" => &victim.customer,
                    "location_id" => &victim.location,
                    "organization_id" => &organization,
                    "channel_id" => &channel,
                    other => panic!("{path}: {other} has no case"),
                };
                let ask = |id: String| ask_query(app, format!("{path}?{name}={id}"));
                let (foreign, nothing) = (ask(real.clone()).await, ask(absent(real)).await);
                assert_eq!(foreign.status, nothing.status, "{path} {name}");
                assert_eq!(comparable(&foreign), comparable(&nothing), "{path} {name}");
                asked += 1;
            }
        }
        assert!(asked > 12, "{asked}");
    }

    async fn a_revoked_key_opens_nothing(app: &TestApp) {
        let keys = app.get(&app.seed.org, "/v1/api-keys?limit=200").await;
        let made = app.post(&app.seed.org, "/v1/api-keys",
            json!({"name": "gone", "preset": "admin"})).await;
        let (id, secret) = (id_of(made.data(201)), made.data(201)["key"].as_str().unwrap().to_owned());
        assert!(keys.status == 200 && app.get(&secret, "/v1/auth").await.status == 200);
        let delete = app.request(Method::DELETE, &format!("/v1/api-keys/{id}"))
            .header("X-Api-Key", &app.seed.org).json(&json!({}));
        app.send(delete).await.data(200);
        for (path, method, operation) in operations() {
            if !path.starts_with("/v1") || Caller::of(&operation) == Caller::Nobody {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "x_1").replace("{slug}", "x");
            let request = app.request(method.clone(), &path).header("X-Api-Key", &secret);
            let request = if method == Method::GET { request } else { request.json(&json!({})) };
            app.send(request).await.refused(401, "unauthorized");
        }
    }
}

async fn ask_query(app: &TestApp, path: String) -> Reply {
    ask(app, Method::GET, &path, &Value::Null).await
}
