//! Every operation of the API document, asked by everybody who must not have it: generated from
//! the document, so that a new operation cannot be forgotten.

use std::collections::BTreeMap;

use reqwest::Method;
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::contract::{Caller, operations};
use crate::on_both;
use crate::support::people::Person;
use crate::support::{Reply, TestApp};

/// What exists for the first organization and channel.
struct Victim {
    event: String,
    rate: String,
    payment: String,
    ticket: String,
    refund: String,
    member: Person,
    invitation: String,
    key: String,
    partnership: String,
    location: String,
    customer: String,
    delivery: String,
    attendee: String,
}

async fn victim(app: &TestApp) -> Victim {
    let (event, rate) = app.on_sale(json!({"capacity": 100})).await;
    let paid = app.paid(&rate, 1).await;
    let paid_id = paid["_id"].as_str().unwrap();
    let given = crate::refunds::refund(app, &app.seed.org, paid_id, json!({"amount": 1})).await;
    app.drain().await;
    let owner = app.staff("owner@example.com", Role::Owner).await;
    let invite = json!({"email": "open@example.com", "role": "viewer"});
    let path = "/v1/members/invitations";
    let invited = app.ask_as(&owner.access, Method::POST, path, invite).await;
    let keys = app.get(&app.seed.org, "/v1/api-keys?limit=1").await;
    let partnerships = app.get(&app.seed.org, "/v1/partnerships?limit=1").await;
    let first = |reply: &Reply| reply.body["data"][0]["_id"].as_str().unwrap().to_owned();
    let body = json!({"email": "ana@example.com"});
    let customer = app.post(&app.seed.org, "/v1/customers", body).await;
    let deliveries = app.get(&app.seed.org, "/v1/deliveries?limit=1").await;
    let place = app.post(&app.seed.org, "/v1/locations", json!({"name": "Hall"})).await;
    Victim {
        customer: customer.data(201)["_id"].as_str().unwrap().to_owned(),
        delivery: first(&deliveries),
        attendee: paid["resource_ids"][0].as_str().unwrap().replace("tkt_", "atd_"),
        location: place.data(201)["_id"].as_str().unwrap().to_owned(),
        key: first(&keys),
        partnership: first(&partnerships),
        refund: given.data(201)["_id"].as_str().unwrap().to_owned(),
        invitation: invited.data(201)["_id"].as_str().unwrap().to_owned(),
        member: owner,
        event,
        rate,
        payment: app.pending(paid["rate_id"].as_str().unwrap(), 1).await,
        ticket: paid["resource_ids"][0].as_str().unwrap().to_owned(),
    }
}

/// The ids that stand in an operation's path and body, or a value of the same form that names
/// nothing.
fn request(operation: &str, path: &str, victim: &Victim, absent: bool) -> (String, Value) {
    let id = |real: &str| match absent {
        true => format!("{}_00000000000000000000000000", real.split('_').next().unwrap()),
        false => real.to_owned(),
    };
    let in_path = match operation.split('.').next().unwrap() {
        "events" => id(&victim.event),
        "customers" => id(&victim.customer),
        "deliveries" => id(&victim.delivery),
        "attendees" => id(&victim.attendee),
        "locations" => id(&victim.location),
        "ticket_rates" => id(&victim.rate),
        // Under the payment or the event.
        "refunds" if operation == "refunds.read" => id(&victim.refund),
        "payments" | "refunds" => id(&victim.payment),
        "tickets" => id(&victim.ticket),
        "members" => id(&victim.member.member),
        "invitations" => id(&victim.invitation),
        "api_keys" => id(&victim.key),
        "partnerships" => id(&victim.partnership),
        _ => String::new(),
    };
    let slug = match operation {
        _ if absent => "nothing",
        "events.read_by_slug" => "opening-night-1",
        _ => "general-admission",
    };
    let mut path = path.replace("{id}", &in_path).replace("{slug}", slug);
    if operation == "ticket_rates.read_by_slug" {
        path.push_str(&format!("?event_id={}", id(&victim.event)));
    }
    let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
    let bodies: BTreeMap<&str, Value> = [
        (
            "ticket_rates.create",
            json!({"event_id": id(&victim.event), "name": "X",
            "prices": [{"price": 1}]}),
        ),
        ("payments.create", json!({"rate_id": id(&victim.rate), "send_resources": false})),
        ("payments.pay", card.clone()),
        ("payment_methods.create", card["payment_method"].clone()),
        ("payments.extend", json!({"expires_in": 600})),
        ("tickets.refund", json!({"amount": 1})),
        ("tickets.transfer", json!({"full_name": "X", "email": "x@example.com"})),
        ("checkins.create", json!({"code": "NOSUCHCODE"})),
        ("payments.finalize", json!({"accepted_terms_and_conditions": true})),
        ("events.create", json!({"title": "X"})),
        ("locations.create", json!({"name": "X"})),
        ("customers.create", json!({"email": "x@example.com"})),
        ("api_keys.create", json!({"name": "X"})),
        (
            "partnerships.create",
            json!({"channel_slug": "nobody", "collects": "platform",
            "commission": {"type": "percentage", "quantity": 5}}),
        ),
        ("members.update", json!({"role": "viewer"})),
        ("invitations.create", json!({"email": "x@example.com", "role": "viewer"})),
        ("auth.change_password", json!({"current_password": "x", "password": "yet another horse"})),
        ("auth.begin_totp", json!({"password": "x"})),
        ("auth.confirm_totp", json!({"code": "000000"})),
        ("auth.end_totp", json!({"code": "000000"})),
        ("auth.delete_tenant", json!({"password": "x", "slug": "x"})),
    ]
    .into();
    (path, bodies.get(operation).cloned().unwrap_or_else(|| json!({})))
}

async fn ask(
    app: &TestApp,
    key: Option<&str>,
    method: &str,
    (path, body): (String, Value),
) -> Reply {
    let method: Method = method.to_uppercase().parse().unwrap();
    let path = match path.as_str() {
        "/v1/ticket-rates" if method == Method::GET => format!("{path}?event_id=evt_0"),
        _ => path,
    };
    let mut request = app.request(method.clone(), &path);
    if let Some(key) = key {
        request = request.header("X-Api-Key", key);
    }
    if key.is_some_and(|key| key.starts_with("ey")) {
        request = request.header("Rialto-Mode", "test");
    }
    if method != Method::GET {
        request = request.json(&body);
    }
    if path.ends_with("/refunds") {
        request = request.header("Idempotency-Key", "k-1");
    }
    app.send(request).await
}

/// The body without what differs between any two requests.
fn comparable(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body["error"]["request_id"] = Value::Null;
    body
}

/// Operations that name nothing of anybody's.
const NAMELESS: [&str; 28] = [
    "auth.delete_tenant",
    "payment_methods.create",
    "auth.read",
    "events.create",
    "events.list",
    "locations.create",
    "locations.list",
    "payments.list",
    "tickets.list",
    "refunds.list",
    "deliveries.list",
    "customers.create",
    "customers.list",
    "checkins.create",
    "changes.list",
    "ticket_rates.list",
    "members.list",
    "api_keys.create",
    "api_keys.list",
    "partnerships.create",
    "partnerships.list",
    "invitations.list",
    "invitations.create",
    "auth.change_password",
    "auth.resend_confirmation",
    "auth.begin_totp",
    "auth.confirm_totp",
    "auth.end_totp",
];

on_both! {
    async fn nobody_reaches_what_is_not_theirs(app: &TestApp) {
        let victim = victim(app).await;
        let before = app.get(&app.seed.org, &format!("/v1/payments/{}", victim.payment)).await;
        let left = app.availability(&victim.rate).await;
        let low = [
            app.staff("viewer@example.com", Role::Viewer).await,
            app.staff("scanner@example.com", Role::Scanner).await,
        ];
        let other = app.owner("stranger@example.com").await;
        let members = "/v1/members";
        let team = app.ask_as(&victim.member.access, Method::GET, members, Value::Null).await;
        let mut asked = 0;
        for (path, method, operation) in operations() {
            if !path.starts_with("/v1") || Caller::of(&operation) == Caller::Nobody {
                continue;
            }
            let id = operation["operationId"].as_str().unwrap();
            let name = format!("{method} {path}");
            // No credential, and a revoked form of one.
            let real = || request(id, &path, &victim, false);
            ask(app, None, &method, real()).await.refused(401, "unauthorized");
            // A credential that is good for less.
            match Caller::of(&operation) {
                Caller::Nobody => unreachable!("they were left out"),
                Caller::Credential(None) => {}
                Caller::Credential(Some(scope)) => {
                    let sells = scope == "write:payments";
                    let reader = if sells { &app.seed.channel_reader } else { &app.seed.org_reader };
                    for less in [reader, &low[0].access, &low[1].access] {
                        let without = ask(app, Some(less), &method, real()).await;
                        let scanner = less == &low[1].access;
                        if scope == if scanner { "write:checkins" } else { "read" } {
                            assert_ne!(without.status, 403, "{name}: this one may");
                        } else {
                            let error = without.refused(403, "missing_scope");
                            assert_eq!(error["required_scope"], scope.as_str(), "{name}");
                        }
                    }
                }
                Caller::Session(role) => {
                    for key in [&app.seed.org, &app.seed.channel] {
                        ask(app, Some(key), &method, real()).await.refused(403, "wrong_principal");
                    }
                    for less in low.iter().filter(|_| role != "member") {
                        let without = ask(app, Some(&less.access), &method, real()).await;
                        // Of the other kind of tenant, that is said first.
                        assert_eq!(without.status, 403, "{name}: {}", without.text);
                        assert!(["missing_role", "wrong_principal"].contains(&without.code()));
                    }
                }
            }
            if NAMELESS.contains(&id) {
                continue;
            }
            // Another tenant, the other mode: the same answer as for what does not exist.
            let strangers: &[&String] = match Caller::of(&operation) {
                Caller::Session(_) => &[&other.access],
                // They span both modes.
                _ if id.starts_with("partnerships.") => {
                    &[&app.seed.other_org, &app.seed.other_channel, &other.access]
                }
                _ => &[&app.seed.other_org, &app.seed.other_channel, &app.seed.org_live,
                    &app.seed.channel_live, &other.access],
            };
            for stranger in strangers {
                let foreign = ask(app, Some(stranger), &method, real()).await;
                let absent = ask(app, Some(stranger), &method, request(id, &path, &victim, true)).await;
                // Refused for what was sent, before anything is looked up.
                let barred = ["wrong_principal", "raw_card_refused"].contains(&foreign.code());
                assert!(foreign.status == 404 || barred, "{name}: {}", foreign.text);
                assert_eq!(comparable(&foreign), comparable(&absent), "{name}");
                asked += 1;
            }
        }
        assert!(asked > 60, "{asked}");
        let after = app.get(&app.seed.org, &format!("/v1/payments/{}", victim.payment)).await;
        assert_eq!(before.text, after.text, "the victim's rows are unchanged");
        assert_eq!(app.availability(&victim.rate).await, left);
        let after = app.ask_as(&victim.member.access, Method::GET, members, Value::Null).await;
        assert_eq!(team.text, after.text, "the victim's members are unchanged");
        for key in [&app.seed.other_org, &app.seed.other_channel, &app.seed.org_live] {
            for list in ["/v1/events", "/v1/payments", "/v1/tickets", "/v1/refunds", "/v1/changes"] {
                let listed = app.get(key, list).await;
                let canaries = [&victim.event, &victim.rate, &victim.payment, &victim.ticket];
                assert!(canaries.iter().all(|id| !listed.text.contains(id.as_str())), "{list}");
            }
        }
    }
}
