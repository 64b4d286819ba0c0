//! Every list with each of its filters, and on to its second page.

use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::contract::{document, operations};
use crate::support::{Reply, TestApp};

/// What lists are asked for.
struct Known {
    event: String,
    rate: String,
    payment: String,
    customer: String,
    location: String,
    tenants: [String; 2],
}

fn id(reply: &Reply) -> String {
    reply.data(201)["_id"].as_str().unwrap().to_owned()
}

/// What the operations have used up again by their end.
async fn leave_more(app: &TestApp) -> Known {
    let (org, channel) = (&app.seed.org, &app.seed.channel);
    let (event, rate) = app.on_sale(json!({"capacity": 300})).await;
    let customer = json!({"email": "ana@example.com"});
    let customer = id(&app.post(channel, "/v1/customers", customer).await);
    let body = json!({"rate_id": rate, "reference": "A-1", "customer_id": customer});
    let payment = id(&app.post(channel, "/v1/payments", body).await);
    app.paid(&rate, 1).await;
    let location = id(&app.post(org, "/v1/locations", json!({"name": "Hall"})).await);
    let tenants = [app.seed.organization_id.to_string(), app.seed.channel_id.to_string()];
    Known { event, rate, payment, customer, location, tenants }
}

/// Values of a parameter of a list.
fn values(parameter: &Value, known: &Known, document: &Value) -> Vec<String> {
    if let Some(schema) = parameter["schema"]["$ref"].as_str() {
        let schema = document.pointer(schema.trim_start_matches('#')).unwrap();
        let values = schema["enum"].as_array().unwrap().iter();
        return values.map(|value| value.as_str().unwrap().to_owned()).collect();
    }
    let value = match parameter["name"].as_str().unwrap() {
        "event_id" => &known.event,
        "ticket_rate_id" => &known.rate,
        "payment_id" => &known.payment,
        "customer_id" => &known.customer,
        "location_id" => &known.location,
        "organization_id" => &known.tenants[0],
        "channel_id" => &known.tenants[1],
        "start_date" | "end_date" => "2090-01-01",
        "email" | "recipient" => "ana@example.com",
        "search" => "night",
        "reference" => "A-1",
        "checked_in" => "true",
        "offset" | "limit" => "1",
        // By pages, and not as a filter.
        "cursor" | "after" | "wait" => return Vec::new(),
        other => panic!("{other} has no value"),
    };
    vec![value.to_owned()]
}

/// Asks for all lists, each as whoever may see it.
pub(super) async fn all(app: &TestApp) {
    let known = leave_more(app).await;
    let owner = app.staff("lists@example.com", Role::Owner).await.access;
    let document = document();
    for (path, method, operation) in operations() {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queries: Vec<_> = parameters.filter(|it| it["in"] == "query").collect();
        if method != "get" || !queries.iter().any(|query| query["name"] == "limit") {
            continue;
        }
        let whose = if path.contains("/payments/") { &known.payment } else { &known.event };
        let path = path.replace("{id}", whose);
        for query in queries {
            for value in values(query, &known, &document) {
                let asked = format!("{path}?{}={value}", query["name"].as_str().unwrap());
                let mut seen = false;
                for caller in [&app.seed.org, &app.seed.channel, &owner] {
                    seen |= pages(app, caller, &asked).await;
                }
                assert!(seen, "{asked}: nobody was answered");
            }
        }
    }
}

/// The first page and the one after it; `false` for who may not see it.
async fn pages(app: &TestApp, caller: &str, asked: &str) -> bool {
    let ask = async |asked: &str| {
        let request = app.request(reqwest::Method::GET, asked).header("X-Api-Key", caller);
        let session = caller.starts_with("ey");
        app.send(if session { request.header("Rialto-Mode", "test") } else { request }).await
    };
    let first = ask(asked).await;
    let page = &first.body["pagination"];
    if let Some(next) = page["next_cursor"].as_str().filter(|_| page["has_more"] == true) {
        let place = if asked.starts_with("/v1/changes") { "after" } else { "cursor" };
        assert_eq!(ask(&format!("{asked}&{place}={next}")).await.status, 200, "{asked}");
    }
    first.status == 200
}
