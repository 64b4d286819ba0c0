//! Signing up, confirming, logging in, passwords, members and invitations.

use futures_util::future::join_all;
use reqwest::Method;
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::people::{PASSWORD, Person, confirmation, credentials};

async fn log_in(app: &TestApp, email: &str, password: &str) -> crate::support::Reply {
    app.post_as_nobody("/v1/auth/log-in", credentials(email, password)).await
}

async fn who(app: &TestApp, person: &Person) -> crate::support::Reply {
    app.ask_as(&person.access, Method::GET, "/v1/auth", Value::Null).await
}

on_both! {
    async fn a_founder_works_in_test_mode_until_the_e_mail_is_confirmed(app: &TestApp) {
        let ana = app.founder("Ana@Example.com").await;
        let me = who(app, &ana).await;
        assert_eq!(me.data(200)["member"]["email"], "ana@example.com");
        assert_eq!(me.data(200)["member"]["email_confirmed"], false);
        assert_eq!(me.data(200)["organization"]["currency"], "EUR");
        let event = json!({"title": "First Night"});
        let made = app.ask_as(&ana.access, Method::POST, "/v1/events", event.clone()).await;
        assert_eq!(made.data(201)["title"], "First Night");
        let live = |app: &TestApp| {
            app.request(Method::POST, "/v1/events").bearer_auth(&ana.access).json(&event)
        };
        app.send(live(app)).await.refused(403, "email_unconfirmed");
        let invite = json!({"email": "eva@example.com", "role": "viewer"});
        let path = "/v1/members/invitations";
        app.ask_as(&ana.access, Method::POST, path, invite).await.refused(403, "email_unconfirmed");

        let token = app.letter("ana@example.com").await;
        let confirm = || app.post_as_nobody("/v1/auth/email/confirm", confirmation(&token));
        let stranger = json!({"token": token, "password": "another horse battery"});
        let stranger = app.post_as_nobody("/v1/auth/email/confirm", stranger).await;
        stranger.refused(401, "wrong_credentials");
        log_in(app, "ana@example.com", PASSWORD).await.refused(401, "wrong_credentials");
        assert_eq!(confirm().await.status, 204);
        confirm().await.refused(400, "invalid_token");
        assert_eq!(app.send(live(app)).await.status, 201, "live from now on");
        // A channel signs up the same way.
        let body = json!({"email": "guide@example.com", "password": PASSWORD, "name": "G",
            "channel": {"name": "Night Guide"}});
        let channel = app.post_as_nobody("/v1/auth/sign-up", body).await;
        assert_eq!(channel.data(201)["tenant"]["kind"], "channel");
        assert_eq!(channel.data(201)["tenant"]["slug"], "night-guide");
    }

    async fn sign_up_says_everything_that_is_wrong(app: &TestApp) {
        let path = "/v1/auth/sign-up";
        let wrong = app.post_as_nobody(path, json!({"email": "x", "password": "short",
            "organization": {"name": "", "currency": "EURO"}})).await;
        wrong.refused(400, "validation_error");
        let fields = wrong.fields();
        for field in ["email", "password", "name", "organization.name", "organization.currency"] {
            assert!(fields.contains(&field), "{field}: {fields:?}");
        }
        let body = |password: &str| json!({"email": "a@example.com", "password": password,
            "name": "A"});
        let easy = app.post_as_nobody(path, body("password123")).await;
        assert_eq!(easy.fields(), ["password"]);
        let none = app.post_as_nobody(path, body(PASSWORD)).await;
        assert_eq!(none.fields(), ["organization"]);
        let mut both = body(PASSWORD);
        both["organization"] = json!({"name": "A"});
        both["channel"] = json!({"name": "A"});
        assert_eq!(app.post_as_nobody(path, both).await.fields(), ["channel"]);
        let mut taken = body(PASSWORD);
        taken["organization"] = json!({"name": "A", "slug": "apolo"});
        app.post_as_nobody(path, taken).await.refused(409, "slug_taken");
    }

    async fn an_e_mail_belongs_to_whoever_confirms_it(app: &TestApp) {
        // Somebody claims an e-mail that is not theirs; its owner is kept from nothing.
        let thief = app.founder("ana@example.com").await;
        let ana = app.owner("ana@example.com").await;
        let me = log_in(app, "ana@example.com", PASSWORD).await;
        assert_eq!(me.data(200)["tenant"]["_id"], ana.tenant.as_str());
        assert_ne!(ana.tenant, thief.tenant);
        // Signing up again tells nobody that there is an account, and joins it when confirmed.
        let more = app.founder("ana@example.com").await;
        let token = app.letter("ana@example.com").await;
        let confirmed = app.post_as_nobody("/v1/auth/email/confirm", confirmation(&token)).await;
        assert_eq!(confirmed.status, 204);
        let which = log_in(app, "ana@example.com", PASSWORD).await;
        let error = which.refused(409, "tenant_required");
        let tenants: Vec<&str> = error["tenants"].as_array().unwrap().iter()
            .map(|tenant| tenant["_id"].as_str().unwrap()).collect();
        assert_eq!(tenants, [ana.tenant.as_str(), more.tenant.as_str()]);
        let mut chosen = credentials("ana@example.com", PASSWORD);
        chosen["tenant_id"] = json!(more.tenant);
        let there = app.post_as_nobody("/v1/auth/log-in", chosen.clone()).await;
        assert_eq!(there.data(200)["tenant"]["_id"], more.tenant.as_str());
        chosen["tenant_id"] = json!(thief.tenant);
        app.post_as_nobody("/v1/auth/log-in", chosen).await.refused(403, "no_membership");
        // The session of the second sign-up ended: its user was merged.
        assert_eq!(who(app, &more).await.status, 401);
    }

    async fn wrong_and_unknown_look_the_same(app: &TestApp) {
        app.owner("ana@example.com").await;
        let strip = |reply: &crate::support::Reply| {
            let mut body = reply.body.clone();
            body["error"]["request_id"] = Value::Null;
            (reply.status, body)
        };
        let wrong = log_in(app, "ana@example.com", "wrong").await;
        let unknown = log_in(app, "nobody@example.com", "wrong").await;
        wrong.refused(401, "wrong_credentials");
        assert_eq!(strip(&wrong), strip(&unknown));
        for email in ["ana@example.com", "nobody@example.com"] {
            let asked = app.post_as_nobody("/v1/auth/password/forgot", json!({"email": email})).await;
            assert_eq!((asked.status, asked.text.as_str()), (202, ""));
        }
        app.drain().await;
        assert!(!app.captured().iter().any(|mail| mail.contains("nobody@example.com")));
    }

    async fn guessing_is_stopped_and_its_victim_is_not(app: &TestApp) {
        app.owner("ana@example.com").await;
        let from = |address: &str, password: &str| {
            let body = credentials("ana@example.com", password);
            let request = app.request(Method::POST, "/v1/auth/log-in").json(&body);
            app.send(request.header("X-Forwarded-For", format!("1.1.1.1, {address}")))
        };
        for _ in 0..10 {
            from("9.9.9.9", "wrong").await.refused(401, "wrong_credentials");
        }
        let stopped = from("9.9.9.9", PASSWORD).await;
        stopped.refused(429, "rate_limited");
        assert!(stopped.headers.contains_key("retry-after"));
        from("9.9.9.9", "wrong").await.refused(429, "rate_limited");
        // What the caller wrote before the proxy's own entry changes nothing.
        assert_eq!(from("8.8.8.8", PASSWORD).await.status, 200);
        app.advance(601);
        assert_eq!(from("9.9.9.9", PASSWORD).await.status, 200);
    }

    async fn a_forgotten_password_is_set_anew(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let forgot = json!({"email": "Ana@example.com"});
        app.post_as_nobody("/v1/auth/password/forgot", forgot.clone()).await;
        let first = app.letter("ana@example.com").await;
        app.post_as_nobody("/v1/auth/password/forgot", forgot).await;
        let token = app.letter("ana@example.com").await;
        assert_ne!(first, token);
        let reset = |token: &str, password: &str| {
            app.post_as_nobody("/v1/auth/password/reset",
                json!({"token": token, "password": password}))
        };
        assert_eq!(reset(&token, "12345678").await.fields(), ["password"]);
        assert_eq!(reset(&token, "a better horse battery").await.status, 204);
        reset(&token, "yet another horse").await.refused(400, "invalid_token");
        reset(&first, "yet another horse").await.refused(400, "invalid_token");
        reset("let_01.forged", "yet another horse").await.refused(400, "invalid_token");
        log_in(app, "ana@example.com", PASSWORD).await.refused(401, "wrong_credentials");
        assert_eq!(log_in(app, "ana@example.com", "a better horse battery").await.status, 200);
        assert_eq!(who(app, &ana).await.status, 401, "sessions of before have ended");
        // One that nobody used in time is worthless.
        app.post_as_nobody("/v1/auth/password/forgot", json!({"email": "ana@example.com"})).await;
        let late = app.letter("ana@example.com").await;
        app.advance(31 * 60);
        reset(&late, "yet another horse").await.refused(400, "invalid_token");
    }

    async fn a_password_is_changed_by_the_old_one(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let again = log_in(app, "ana@example.com", PASSWORD).await;
        let other = Person::of("ana@example.com", again.data(200));
        let change = |old: &str| {
            let body = json!({"current_password": old, "password": "a better horse battery"});
            app.ask_as(&ana.access, Method::POST, "/v1/auth/password/change", body)
        };
        change("wrong").await.refused(401, "wrong_credentials");
        assert_eq!(change(PASSWORD).await.status, 204);
        assert_eq!(who(app, &ana).await.status, 200, "this session goes on");
        assert_eq!(who(app, &other).await.status, 401, "every other has ended");
        assert_eq!(log_in(app, "ana@example.com", "a better horse battery").await.status, 200);
    }

    async fn members_come_by_invitation(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let path = "/v1/members/invitations";
        let invite = |email: &str, role: &str| {
            app.ask_as(&ana.access, Method::POST, path, json!({"email": email, "role": role}))
        };
        let made = invite("Eva@example.com", "box_office").await;
        assert_eq!(made.data(201)["status"], "open");
        let first = app.letter("eva@example.com").await;
        // A second one replaces the first.
        invite("eva@example.com", "scanner").await.data(201);
        let token = app.letter("eva@example.com").await;
        let accept = |token: &str| {
            let body = json!({"token": token, "name": "Eva", "password": PASSWORD});
            app.post_as_nobody("/v1/members/invitations/accept", body)
        };
        accept(&first).await.refused(400, "invalid_token");
        let bare = app.post_as_nobody("/v1/members/invitations/accept", json!({"token": token})).await;
        assert_eq!(bare.fields(), ["name", "password"]);
        let session = accept(&token).await;
        assert_eq!(session.data(200)["member"]["role"], "scanner");
        assert_eq!(session.data(200)["tenant"]["_id"], ana.tenant.as_str());
        accept(&token).await.refused(400, "invalid_token");
        let eva = Person::of("eva@example.com", session.data(200));
        invite("eva@example.com", "viewer").await.refused(409, "already_member");
        // A scanner works the door and sees nothing else.
        let events = app.ask_as(&eva.access, Method::GET, "/v1/events", Value::Null).await;
        assert_eq!(events.refused(403, "missing_scope")["required_scope"], "read");
        let members = app.ask_as(&eva.access, Method::GET, "/v1/members", Value::Null).await;
        members.refused(403, "missing_role");
        // A withdrawn one and one that is too old are worthless.
        let open = invite("tom@example.com", "viewer").await.data(201)["_id"].clone();
        let letter = app.letter("tom@example.com").await;
        let gone = format!("{path}/{}", open.as_str().unwrap());
        let delete = || app.ask_as(&ana.access, Method::DELETE, &gone, json!({}));
        assert_eq!(delete().await.data(200)["deleted"], true);
        delete().await.refused(409, "wrong_status");
        accept(&letter).await.refused(400, "invalid_token");
        invite("tom@example.com", "viewer").await.data(201);
        let letter = app.letter("tom@example.com").await;
        app.advance(72 * 3600);
        accept(&letter).await.refused(400, "invalid_token");
    }

    async fn who_has_an_account_accepts_in_their_own_session(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let tom = app.owner("tom@example.com").await;
        let eva = app.owner("eva@example.com").await;
        let invite = json!({"email": "tom@example.com", "role": "admin"});
        let path = "/v1/members/invitations";
        app.ask_as(&ana.access, Method::POST, path, invite).await.data(201);
        let token = app.letter("tom@example.com").await;
        let path = "/v1/members/invitations/accept";
        let new = json!({"token": token, "name": "Tom", "password": PASSWORD});
        app.post_as_nobody(path, new).await.refused(409, "account_exists");
        let accept = |person: &Person| {
            let (access, body) = (person.access.clone(), json!({"token": token}));
            async move { app.ask_as(&access, Method::POST, path, body).await }
        };
        accept(&eva).await.refused(403, "other_email");
        let stale = app.request(Method::POST, path).bearer_auth("stale").json(&json!({"token": token}));
        app.send(stale).await.refused(401, "unauthorized");
        let session = accept(&tom).await;
        assert_eq!(session.data(200)["tenant"]["_id"], ana.tenant.as_str());
        assert_eq!(session.data(200)["member"]["role"], "admin");
    }

    async fn nobody_appoints_above_themselves_and_the_last_owner_stays(app: &TestApp) {
        let owner = app.staff("owner@example.com", Role::Owner).await;
        let admin = app.staff("admin@example.com", Role::Admin).await;
        let viewer = app.staff("viewer@example.com", Role::Viewer).await;
        let set = |by: &Person, whom: &Person, role: &str| {
            let path = format!("/v1/members/{}", whom.member);
            let (access, role) = (by.access.clone(), json!({"role": role}));
            async move { app.ask_as(&access, Method::PATCH, &path, role).await }
        };
        set(&admin, &viewer, "owner").await.refused(403, "wrong_principal");
        set(&admin, &owner, "viewer").await.refused(403, "wrong_principal");
        set(&owner, &owner, "admin").await.refused(409, "last_owner");
        let invite = json!({"email": "x@example.com", "role": "owner"});
        let path = "/v1/members/invitations";
        let invited = app.ask_as(&admin.access, Method::POST, path, invite).await;
        invited.refused(403, "wrong_principal");
        assert_eq!(set(&admin, &viewer, "box_office").await.data(200)["role"], "box_office");
        // What the role gives is given at once.
        let (_, rate) = app.on_sale(json!({})).await;
        let buy = json!({"rate_id": rate, "send_resources": false});
        let sold = app.ask_as(&viewer.access, Method::POST, "/v1/payments", buy.clone()).await;
        assert_eq!(sold.status, 201, "{}", sold.text);
        set(&owner, &viewer, "viewer").await.data(200);
        let refused = app.ask_as(&viewer.access, Method::POST, "/v1/payments", buy).await;
        refused.refused(403, "missing_scope");
        // Only owners remove, and not the last one.
        let remove = |by: &Person, whom: &Person| {
            let path = format!("/v1/members/{}", whom.member);
            let access = by.access.clone();
            async move { app.ask_as(&access, Method::DELETE, &path, json!({})).await }
        };
        remove(&admin, &viewer).await.refused(403, "missing_role");
        remove(&owner, &owner).await.refused(409, "last_owner");
        assert_eq!(remove(&owner, &viewer).await.data(200)["deleted"], true);
        assert_eq!(who(app, &viewer).await.status, 401);
        set(&owner, &admin, "owner").await.data(200);
        remove(&admin, &owner).await.data(200);
        assert_eq!(who(app, &owner).await.status, 401);
        let listed = app.ask_as(&admin.access, Method::GET, "/v1/members", Value::Null).await;
        assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    }

    async fn owners_who_remove_each_other_leave_one(app: &TestApp) {
        let mut owners = Vec::new();
        for number in 0..6 {
            owners.push(app.staff(&format!("owner{number}@example.com"), Role::Owner).await);
        }
        // All at once, each the next one, and those who are left once more.
        while owners.len() > 1 {
            let next = owners.iter().cycle().skip(1);
            let remove = |(by, whom): (&Person, &Person)| {
                let (access, path) = (by.access.clone(), format!("/v1/members/{}", whom.member));
                async move { app.ask_as(&access, Method::DELETE, &path, json!({})).await.status }
            };
            let before = owners.len();
            let removed = join_all(owners.iter().zip(next).map(remove)).await;
            // Somebody who was just let in may be remembered for a second.
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            let mut left = Vec::new();
            for owner in owners {
                if who(app, &owner).await.status == 200 {
                    left.push(owner);
                }
            }
            assert!(!left.is_empty(), "nobody is left: {removed:?}");
            assert_eq!(before - left.len(), removed.iter().filter(|s| **s == 200).count());
            owners = left;
        }
    }
}
