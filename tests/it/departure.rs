//! A tenant leaves: who may say so, what keeps it, what ends with it and what stays.

use reqwest::Method;
use rialto::accounts::ops::invitations::invite_as_operator;
use rialto::db::{Outcome, Scope, Tenant, Tx};
use rialto::kernel::Mode;
use rialto::kernel::ids::{ChannelId, Id, OrganizationId};
use rialto::parties::ops::{create_partnership, set_partnership_status};
use rialto::parties::{Collects, Commission, CommissionType, PartnershipStatus, Terms};
use rialto::web::KeyScope;
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::people::{PASSWORD, Person, credentials};
use crate::support::seed::{GOOD_CARD, card, key};
use crate::support::{Reply, TestApp};

const PATH: &str = "/v1/auth/tenant";

async fn leave(app: &TestApp, by: &Person, slug: &str) -> Reply {
    let body = json!({"password": PASSWORD, "slug": slug});
    app.ask_as(&by.access, Method::DELETE, PATH, body).await
}

async fn slug(app: &TestApp, by: &Person) -> String {
    let auth = app.ask_as(&by.access, Method::GET, "/v1/auth", Value::Null).await;
    let own = auth.data(200);
    let tenant = if own["channel"].is_null() { &own["organization"] } else { &own["channel"] };
    tenant["slug"].as_str().unwrap().to_owned()
}

/// The token of the operator's invitation.
async fn invited(app: &TestApp, tenant: Tenant, email: &'static str, role: Role) -> String {
    let write = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(invite_as_operator(tx, tenant.clone(), email, role)?.1))
    };
    app.db().write(&Scope::platform("tests"), write).await.unwrap().into_inner()
}

/// A partnership between two who signed up.
async fn partners(app: &TestApp, owner: &Person, guide: &Person) {
    let organization = OrganizationId::parse(&owner.tenant).unwrap();
    let channel = ChannelId::parse(&guide.tenant).unwrap();
    let write = move |tx: &mut Tx<'_>| {
        let commission = Commission { kind: CommissionType::Percentage, quantity: 0 };
        let terms = Terms { collects: Collects::Platform, commission, on_account: false };
        create_partnership(tx, &organization, &channel, terms).map(Outcome::Done)
    };
    app.db().write(&Scope::platform("tests"), write).await.unwrap();
}

/// A live event of an organization with a rate.
async fn live_event(app: &TestApp, key: &str) -> (String, String) {
    let body = json!({"title": "Noche", "venue": "Hall", "price": 10, "currency": "EUR",
        "timezone": "Europe/Madrid", "start_date": "2090-12-31T22:00:00Z"});
    let event = app.post(key, "/v1/events", body).await.data(201).clone();
    let id = event["_id"].as_str().unwrap().to_owned();
    app.post(key, &format!("/v1/events/{id}/publish"), json!({})).await.data(200);
    (id, event["ticket_rates"][0]["_id"].as_str().unwrap().to_owned())
}

on_both! {
    async fn a_channel_leaves_with_everybody_in_it(app: &TestApp) {
        let owner = app.owner("owner@example.com").await;
        let guide = app.channel_founder("guide@example.com").await;
        partners(app, &owner, &guide).await;
        let channel = Tenant::Channel(ChannelId::parse(&guide.tenant).unwrap());
        let scopes = [KeyScope::Read, KeyScope::WritePayments];
        let secret = key(app.db(), channel, Mode::Test, &scopes).await;
        let viewer = json!({"email": "new@example.com", "role": "viewer"});
        let invite = "/v1/members/invitations";
        app.ask_as(&guide.access, Method::POST, invite, viewer).await.data(201);
        let token = app.letter("new@example.com").await;
        let name = slug(app, &guide).await;
        // Only with password and slug.
        for (body, status, code) in [
            (json!({"password": "wrong password", "slug": name}), 401, "wrong_credentials"),
            (json!({"password": PASSWORD, "slug": "another"}), 400, "validation_error"),
            (json!({"password": PASSWORD}), 400, "validation_error"),
        ] {
            app.ask_as(&guide.access, Method::DELETE, PATH, body).await.refused(status, code);
        }
        let channel = Tenant::Channel(ChannelId::parse(&guide.tenant).unwrap());
        let operators = invited(app, channel, "other@example.com", Role::Admin).await;
        let gone = leave(app, &guide, &name).await;
        assert_eq!(gone.data(200), &json!({"_id": guide.tenant, "deleted": true}));
        // Nothing of it opens anything.
        app.ask_as(&guide.access, Method::GET, "/v1/auth", Value::Null).await.refused(401, "unauthorized");
        app.get(&secret, "/v1/auth").await.refused(401, "unauthorized");
        let refresh = json!({"refresh_token": guide.refresh});
        app.post_as_nobody("/v1/auth/refresh", refresh).await.refused(401, "unauthorized");
        let again = credentials("guide@example.com", PASSWORD);
        app.post_as_nobody("/v1/auth/log-in", again).await.refused(401, "wrong_credentials");
        for token in [token, operators] {
            let accept = json!({"token": token, "name": "New", "password": PASSWORD});
            let late = app.post_as_nobody("/v1/members/invitations/accept", accept).await;
            late.refused(400, "invalid_token");
        }
        // The other side keeps the partnership as it ended, and cannot offer it again.
        let seen = app.ask_as(&owner.access, Method::GET, "/v1/partnerships", Value::Null).await;
        let seen = &seen.data(200)[0];
        assert_eq!((&seen["status"], &seen["channel"]["slug"]), (&json!("ended"), &json!(name)));
        for who in [("channel_slug", &name), ("channel_id", &guide.tenant)] {
            let body = json!({who.0: who.1, "collects": "platform",
                "commission": {"type": "percentage", "quantity": 5}});
            let offered = app.ask_as(&owner.access, Method::POST, "/v1/partnerships", body).await;
            offered.refused(404, "not_found");
        }
        // The slug stays taken; the e-mail is free again.
        let body = json!({"email": "guide@example.com", "password": PASSWORD, "name": "Founder",
            "channel": {"name": "Night Guide", "slug": name}});
        app.post_as_nobody("/v1/auth/sign-up", body).await.refused(409, "slug_taken");
        app.channel_founder("guide@example.com").await;
    }

    async fn who_is_elsewhere_too_stays_there(app: &TestApp) {
        let owner = app.owner("owner@example.com").await;
        let admin = app.staff("admin@example.com", Role::Admin).await;
        leave(app, &admin, "x").await.refused(403, "missing_role");
        // The owner of one is the viewer of another.
        let seeded = Tenant::Organization(app.seed.organization_id.clone());
        let token = invited(app, seeded, "owner@example.com", Role::Viewer).await;
        let accept = "/v1/members/invitations/accept";
        let shared = app.ask_as(&owner.access, Method::POST, accept, json!({"token": token})).await;
        let shared = Person::of("owner@example.com", shared.data(200));
        let own = slug(app, &owner).await;
        leave(app, &shared, &own).await.refused(403, "missing_role");
        leave(app, &owner, &own).await.data(200);
        let session = credentials("owner@example.com", PASSWORD);
        let session = app.post_as_nobody("/v1/auth/log-in", session).await;
        assert_eq!(session.data(200)["tenant"]["_id"], shared.tenant.as_str());
    }

    async fn it_stays_while_others_rely_on_it(app: &TestApp) {
        let owner = app.staff("owner@example.com", Role::Owner).await;
        let name = slug(app, &owner).await;
        let refused = async |open: Value| {
            let refused = leave(app, &owner, &name).await;
            assert_eq!(refused.refused(409, "tenant_in_use")["open"], open);
        };
        // What is open in test mode keeps nobody.
        app.on_sale(json!({})).await;
        let org = &app.seed.org_live;
        let (event, rate) = live_event(app, org).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let pending = app.post(&app.seed.channel_live, "/v1/payments", body.clone()).await;
        pending.data(201);
        refused(json!({"published_events": 1, "open_payments": 1})).await;
        let own = json!({"rate_id": rate, "send_resources": false, "collects": "organization"});
        let paid = app.post(org, "/v1/payments", own).await.data(201).clone();
        let paid = format!("/v1/payments/{}", paid["_id"].as_str().unwrap());
        app.post(org, &format!("{paid}/mark-paid"), json!({})).await.data(200);
        refused(json!({"published_events": 1, "open_payments": 1})).await;
        app.post(org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        refused(json!({"open_payments": 1, "unrefunded_payments": 1})).await;
        app.drain().await;
        refused(json!({"unrefunded_payments": 1})).await;
        app.post(org, &format!("{paid}/cancel"), json!({})).await.data(200);
        refused(json!({"unrefunded_payments": 1})).await;
        app.post_once(org, "r", &format!("{paid}/refunds"), json!({})).await.data(201);
        leave(app, &owner, &name).await.data(200);
        // Nobody sells for it, and nobody lets in with its keys.
        app.post(&app.seed.channel_live, "/v1/payments", body).await.refused(404, "not_found");
        for key in [&app.seed.org, &app.seed.org_live, &app.seed.org_reader] {
            app.get(key, "/v1/events").await.refused(401, "unauthorized");
        }
        // What was sold stays with who sold it.
        let own = app.get(&app.seed.channel_live, "/v1/payments").await;
        assert_eq!(own.data(200).as_array().unwrap().len(), 1);
        assert_eq!(own.data(200)[0]["status"], "cancelled");
    }

    async fn a_channel_stays_while_its_buyers_are_not_served(app: &TestApp) {
        let channel = app.seed.channel_id.clone();
        let tenant = Tenant::Channel(channel.clone());
        let token = invited(app, tenant, "guide@example.com", Role::Owner).await;
        let body = json!({"token": token, "name": "Guide", "password": PASSWORD});
        let session = app.post_as_nobody("/v1/members/invitations/accept", body).await;
        let guide = Person::of("guide@example.com", session.data(200));
        let name = slug(app, &guide).await;
        let (_, rate) = live_event(app, &app.seed.org_live).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.channel_live, "/v1/payments", body).await.data(201).clone();
        let refused = leave(app, &guide, &name).await;
        assert_eq!(refused.refused(409, "tenant_in_use")["open"], json!({"open_payments": 1}));
        let cancel = format!("/v1/payments/{}/cancel", made["_id"].as_str().unwrap());
        app.post(&app.seed.channel_live, &cancel, json!({})).await.data(200);
        // A suspended partnership ends as well.
        let organization = app.seed.organization_id.clone();
        let suspend = move |tx: &mut Tx<'_>| {
            let status = PartnershipStatus::Suspended;
            set_partnership_status(tx, &organization, &channel, status).map(Outcome::Done)
        };
        app.db().write(&Scope::platform("tests"), suspend).await.unwrap();
        leave(app, &guide, &name).await.data(200);
        app.post(&app.seed.channel, "/v1/payments", card(GOOD_CARD)).await.refused(401, "unauthorized");
        let kept = app.get(&app.seed.org_live, "/v1/payments").await;
        assert_eq!(kept.data(200)[0]["channel_id"], guide.tenant.as_str());
    }
}
