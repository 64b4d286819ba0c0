//! Every operation of the document succeeds at least once, with a documented status and a body of
//! the documented shape.

use std::collections::BTreeSet;

use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::contract::{closed, document, operations};
use crate::on_both;
use crate::support::TestApp;
use crate::support::people::{PASSWORD, Person, confirmation, credentials};
use crate::support::seed::{GOOD_CARD, card};

/// Somebody who asks and is served.
struct Tour<'a> {
    app: &'a TestApp,
    document: Value,
    operations: Vec<(String, String, Value)>,
    reached: BTreeSet<String>,
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, own)| part == own || part.starts_with('{'))
}

fn id(object: &Value) -> &str {
    object["_id"].as_str().unwrap_or_else(|| panic!("no id: {object}"))
}

impl Tour<'_> {
    /// Asks with a key, an access token or nothing, as `POST /v1/events`; answers the data.
    async fn ask(&mut self, key: &str, what: &str, body: Value) -> Value {
        let (method, path) = what.split_once(' ').unwrap();
        let mut request = self.app.request(method.parse().unwrap(), path);
        if !key.is_empty() {
            request = request.header("X-Api-Key", key);
        }
        if key.starts_with("ey") {
            request = request.header("Rialto-Mode", "test");
        }
        if method != "GET" {
            let once = format!("k-{}", rand::random::<u64>());
            request = request.header("Idempotency-Key", once).json(&body);
        }
        let reply = self.app.send(request).await;
        assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.text);
        let bare = path.split('?').next().unwrap();
        let found = self.operations.iter().filter(|(template, known, _)| {
            known.eq_ignore_ascii_case(method) && fits(template, bare)
        });
        // A fixed part before an id: `/members/invitations` is no member.
        let (_, _, operation) = found.min_by_key(|(path, ..)| path.matches('{').count()).unwrap();
        let documented = &operation["responses"][reply.status.to_string()];
        assert!(documented.is_object(), "{what}: {} is not documented", reply.status);
        let schema = &documented["content"]["application/json"]["schema"];
        if schema.is_object() {
            let validator = jsonschema::draft202012::new(&closed(schema, &self.document)).unwrap();
            let faults: Vec<String> =
                validator.iter_errors(&reply.body).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{what}: {faults:?}");
        }
        self.reached.insert(operation["operationId"].as_str().unwrap().to_owned());
        reply.body["data"].clone()
    }

    /// Reads a list and one of it, changes it both ways.
    async fn look_and_change(&mut self, key: &str, room: &str, one: &str, fields: Value) {
        self.ask(key, &format!("GET /v1/{room}"), Value::Null).await;
        self.ask(key, &format!("GET /v1/{room}/{one}"), Value::Null).await;
        self.ask(key, &format!("PUT /v1/{room}/{one}"), fields.clone()).await;
        self.ask(key, &format!("PATCH /v1/{room}/{one}"), fields).await;
    }

    async fn session(&mut self, email: &str, password: &str) -> Person {
        let session = self.ask("", "POST /v1/auth/log-in", credentials(email, password)).await;
        Person::of(email, &session)
    }

    /// People: from a sign-up to the end of the tenant.
    async fn people(&mut self) {
        let email = "new@example.com";
        let body = json!({"email": email, "password": PASSWORD, "name": "New",
            "organization": {"name": "New", "currency": "EUR"}});
        let signed_up = Person::of(email, &self.ask("", "POST /v1/auth/sign-up", body).await);
        self.ask(&signed_up.access, "POST /v1/auth/email/resend", json!({})).await;
        let token = self.app.letter(email).await;
        self.ask("", "POST /v1/auth/email/confirm", confirmation(&token)).await;
        let refresh = json!({"refresh_token": signed_up.refresh});
        let owner = self.ask("", "POST /v1/auth/refresh", refresh).await;
        let owner = Person::of(email, &owner);
        self.ask(&owner.access, "GET /v1/auth", Value::Null).await;
        let invite = json!({"email": "hand@example.com", "role": "viewer"});
        let invitations = "/v1/members/invitations";
        let post = format!("POST {invitations}");
        let made = self.ask(&owner.access, &post, invite.clone()).await;
        self.ask(&owner.access, &format!("GET {invitations}"), Value::Null).await;
        let withdraw = format!("DELETE {invitations}/{}", id(&made));
        self.ask(&owner.access, &withdraw, json!({})).await;
        self.ask(&owner.access, &post, invite).await;
        let token = self.app.letter("hand@example.com").await;
        let accept = json!({"token": token, "name": "Hand", "password": PASSWORD});
        let hand = self.ask("", &format!("POST {invitations}/accept"), accept).await;
        let hand = Person::of("hand@example.com", &hand).member;
        self.ask(&owner.access, "GET /v1/members", Value::Null).await;
        self.ask(&owner.access, &format!("GET /v1/members/{hand}"), Value::Null).await;
        let scanner = json!({"role": "scanner"});
        self.ask(&owner.access, &format!("PATCH /v1/members/{hand}"), scanner).await;
        self.ask(&owner.access, &format!("DELETE /v1/members/{hand}"), json!({})).await;
        let password = json!({"password": PASSWORD});
        let begun = self.ask(&owner.access, "POST /v1/auth/totp", password).await;
        let seed = begun["secret"].as_str().unwrap().to_owned();
        let seed = totp_rs::Secret::try_from_base32(&seed).unwrap();
        let generator = totp_rs::Builder::new().with_secret(seed).build_noncompliant();
        let code = |app: &TestApp| json!({"code": generator.generate(app.clock.now().unix().0).to_string()});
        self.ask(&owner.access, "POST /v1/auth/totp/confirm", code(self.app)).await;
        self.app.advance(60);
        self.ask(&owner.access, "DELETE /v1/auth/totp", code(self.app)).await;
        let (second, third) = ("another horse battery", "a third horse battery");
        let change = json!({"current_password": PASSWORD, "password": second});
        self.ask(&owner.access, "POST /v1/auth/password/change", change).await;
        self.ask("", "POST /v1/auth/password/forgot", json!({"email": email})).await;
        let reset = json!({"token": self.app.letter(email).await, "password": third});
        self.ask("", "POST /v1/auth/password/reset", reset).await;
        let left = self.session(email, third).await;
        self.ask("", "POST /v1/auth/log-out", json!({"refresh_token": left.refresh})).await;
        let last = self.session(email, third).await;
        let slug = self.ask(&last.access, "GET /v1/auth", Value::Null).await;
        let body = json!({"password": third, "slug": slug["organization"]["slug"]});
        self.ask(&last.access, "DELETE /v1/auth/tenant", body).await;
    }

    async fn keys_and_partners(&mut self) {
        let org = self.app.seed.org.clone();
        let made = self.ask(&org, "POST /v1/api-keys", json!({"name": "Door"})).await;
        let path = format!("/v1/api-keys/{}", id(&made));
        self.ask(&org, "GET /v1/api-keys", Value::Null).await;
        self.ask(&org, &format!("GET {path}"), Value::Null).await;
        self.ask(&org, &format!("PATCH {path}"), json!({"name": "Gate"})).await;
        self.ask(&org, &format!("POST {path}/rotate"), json!({})).await;
        self.ask(&org, &format!("DELETE {path}"), json!({})).await;
        let owner = self.app.staff("owner@example.com", Role::Owner).await.access;
        let guide = self.app.channel_founder("guide@example.com").await.access;
        let offer = json!({"channel_slug": "night-guide", "collects": "platform",
            "commission": {"type": "percentage", "quantity": 5}});
        let made = self.ask(&owner, "POST /v1/partnerships", offer).await;
        let path = format!("/v1/partnerships/{}", id(&made));
        self.ask(&owner, "GET /v1/partnerships", Value::Null).await;
        self.ask(&guide, &format!("GET {path}"), Value::Null).await;
        self.ask(&owner, &format!("PATCH {path}"), json!({"on_account": true})).await;
        self.ask(&guide, &format!("POST {path}/accept"), json!({})).await;
        for action in ["suspend", "resume", "end"] {
            self.ask(&owner, &format!("POST {path}/{action}"), json!({})).await;
        }
    }

    /// What is sold, and where: the event on sale and its rate.
    async fn catalogue(&mut self) -> (String, String) {
        let org = self.app.seed.org.clone();
        let place = self.ask(&org, "POST /v1/locations", json!({"name": "Hall"})).await;
        let fields = json!({"name": "Hall", "city": "Berlin"});
        self.look_and_change(&org, "locations", id(&place), fields).await;
        self.ask(&org, &format!("DELETE /v1/locations/{}", id(&place)), json!({})).await;
        let body = json!({"title": "Night", "venue": "Hall", "price": 20, "currency": "EUR",
            "timezone": "Europe/Madrid", "start_date": "2090-01-01T20:00:00Z"});
        let draft = self.ask(&org, "POST /v1/events", body.clone()).await;
        self.ask(&org, &format!("DELETE /v1/events/{}", id(&draft)), json!({})).await;
        let event = self.ask(&org, "POST /v1/events", body).await;
        let (own, rate) = (id(&event), id(&event["ticket_rates"][0]));
        self.look_and_change(&org, "events", own, json!({"title": "Long night"})).await;
        self.ask(&org, &format!("POST /v1/events/{own}/publish"), json!({})).await;
        let slug = event["slug"].as_str().unwrap();
        self.ask(&org, &format!("GET /v1/events/by-slug/{slug}"), Value::Null).await;
        let of_event = format!("event_id={own}");
        self.ask(&org, &format!("GET /v1/ticket-rates?{of_event}"), Value::Null).await;
        let body = json!({"event_id": own, "name": "Crew", "prices": [{"price": 0}]});
        let crew = self.ask(&org, "POST /v1/ticket-rates", body).await;
        let by_slug = format!("GET /v1/ticket-rates/by-slug/crew?{of_event}");
        self.ask(&org, &by_slug, Value::Null).await;
        self.ask(&org, &format!("GET /v1/ticket-rates/{rate}"), Value::Null).await;
        for method in ["PUT", "PATCH"] {
            let change = format!("{method} /v1/ticket-rates/{rate}");
            self.ask(&org, &change, json!({"capacity": 100})).await;
        }
        self.free_of_charge(id(&crew)).await;
        let body = json!({"event_id": own, "name": "Gone", "prices": [{"price": 0}]});
        let gone = self.ask(&org, "POST /v1/ticket-rates", body).await;
        self.ask(&org, &format!("DELETE /v1/ticket-rates/{}", id(&gone)), json!({})).await;
        (own.to_owned(), rate.to_owned())
    }

    async fn free_of_charge(&mut self, rate: &str) {
        let channel = self.app.seed.channel.clone();
        let body = json!({"rate_id": rate, "send_resources": false});
        let free = self.ask(&channel, "POST /v1/payments", body).await;
        let finalize = format!("POST /v1/payments/{}/finalize", id(&free));
        let accepted = json!({"accepted_terms_and_conditions": true});
        self.ask(&channel, &finalize, accepted).await;
    }

    /// Money: each way a payment can go.
    async fn payments(&mut self, rate: &str) -> Value {
        let (org, channel) = (self.app.seed.org.clone(), self.app.seed.channel.clone());
        let body = json!({"email": "ana@example.com"});
        let customer = self.ask(&channel, "POST /v1/customers", body).await;
        self.look_and_change(&channel, "customers", id(&customer), json!({"name": "Ana"})).await;
        let body = json!({"rate_id": rate, "quantity": 2, "customer_id": id(&customer)});
        let made = self.ask(&channel, "POST /v1/payments", body).await;
        let path = format!("/v1/payments/{}", id(&made));
        let fields = json!({"metadata": {"n": 1}});
        self.look_and_change(&channel, "payments", id(&made), fields).await;
        self.ask(&channel, &format!("POST {path}/extend"), json!({"expires_in": 3600})).await;
        let typed = card(GOOD_CARD)["payment_method"].clone();
        let token = self.ask(&channel, "POST /v1/payment-methods", typed).await;
        let by = json!({"payment_method": {"type": "card", "token": id(&token)}});
        let paid = self.ask(&channel, &format!("POST {path}/pay"), by).await;
        self.ask(&channel, &format!("GET {path}/timeline"), Value::Null).await;
        self.ask(&channel, &format!("DELETE /v1/customers/{}", id(&customer)), json!({})).await;
        let own = json!({"rate_id": rate, "send_resources": false, "collects": "organization"});
        for actions in [&["authorize", "mark-paid"][..], &["cancel"]] {
            let made = self.ask(&org, "POST /v1/payments", own.clone()).await;
            for action in actions {
                let act = format!("POST /v1/payments/{}/{action}", id(&made));
                self.ask(&org, &act, json!({})).await;
            }
        }
        let refunds = format!("{path}/refunds");
        let given = self.ask(&org, &format!("POST {refunds}"), json!({"amount": 100})).await;
        self.app.drain().await;
        self.ask(&org, &format!("GET {refunds}"), Value::Null).await;
        self.ask(&channel, "GET /v1/refunds", Value::Null).await;
        self.ask(&channel, &format!("GET /v1/refunds/{}", id(&given)), Value::Null).await;
        paid
    }

    /// Tickets, from the door to the end of the event.
    async fn door(&mut self, event: &str, paid: &Value) {
        let org = self.app.seed.org.clone();
        self.ask(&org, "GET /v1/tickets", Value::Null).await;
        let first = paid["resource_ids"][0].as_str().unwrap();
        let second = paid["resource_ids"][1].as_str().unwrap();
        let path = format!("/v1/tickets/{first}");
        let ticket = self.ask(&org, &format!("GET {path}"), Value::Null).await;
        self.ask(&org, &format!("GET {path}/qr.svg"), Value::Null).await;
        for action in ["checkin", "exit", "checkin", "undo-checkin", "resend"] {
            self.ask(&org, &format!("POST {path}/{action}"), json!({})).await;
        }
        self.ask(&org, "POST /v1/checkins", json!({"code": ticket["qr_code"]})).await;
        let other = json!({"full_name": "Ben", "email": "ben@example.com"});
        self.ask(&org, &format!("POST /v1/tickets/{second}/transfer"), other).await;
        let refund = format!("PUT /v1/tickets/{second}/refund");
        self.ask(&org, &refund, json!({"amount": 1})).await;
        let attendee = format!("/v1/attendees/{}", second.replace("tkt_", "atd_"));
        self.ask(&org, &format!("GET {attendee}"), Value::Null).await;
        for method in ["PUT", "PATCH"] {
            let change = format!("{method} {attendee}");
            self.ask(&org, &change, json!({"full_name": "Benjamin"})).await;
        }
        self.app.drain().await;
        let sent = self.ask(&org, "GET /v1/deliveries", Value::Null).await;
        let delivery = format!("/v1/deliveries/{}", id(&sent[0]));
        self.ask(&org, &format!("GET {delivery}"), Value::Null).await;
        self.ask(&org, &format!("POST {delivery}/resend"), json!({})).await;
        let of_event = format!("/v1/events/{event}");
        self.ask(&org, &format!("POST {of_event}/tickets"), json!({"attendee_name": "Cam"})).await;
        for list in ["tickets", "attendees", "payments", "analytics"] {
            self.ask(&org, &format!("GET {of_event}/{list}"), Value::Null).await;
        }
        self.ask(&org, &format!("POST {of_event}/cancel"), json!({})).await;
        self.ask(&org, &format!("POST {of_event}/refunds"), json!({})).await;
        self.ask(&org, "GET /v1/changes", Value::Null).await;
        for path in ["/health/live", "/health/ready", "/metrics"] {
            self.ask("", &format!("GET {path}"), Value::Null).await;
        }
    }
}

/// Calls every operation, each with success.
pub async fn all(app: &TestApp) {
    let operations = operations();
    let all: BTreeSet<String> = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let reached = BTreeSet::new();
    let mut tour = Tour { app, document: document(), operations, reached };
    tour.keys_and_partners().await;
    let (event, rate) = tour.catalogue().await;
    let paid = tour.payments(&rate).await;
    tour.door(&event, &paid).await;
    tour.people().await;
    let missed: Vec<&String> = all.difference(&tour.reached).collect();
    assert!(missed.is_empty(), "never succeeded: {missed:?}");
}

on_both! {
    async fn succeeds_as_documented(app: &TestApp) {
        all(app).await;
    }
}
