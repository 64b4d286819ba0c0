//! Access tokens, refresh tokens, cookies and one-time passwords.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::people::{PASSWORD, Person, credentials};
use crate::support::{Options, Reply, TestApp};

async fn refresh(app: &TestApp, token: &str) -> Reply {
    app.post_as_nobody("/v1/auth/refresh", json!({"refresh_token": token})).await
}

async fn works(app: &TestApp, access: &str) -> u16 {
    app.ask_as(access, Method::GET, "/v1/auth", Value::Null).await.status
}

fn token(reply: &Reply, name: &str) -> String {
    reply.data(200)[name].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_refresh_token_works_once_and_a_retry_gets_the_same(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let first = refresh(app, &ana.refresh).await;
        let second = token(&first, "refresh_token");
        assert_ne!(second, ana.refresh);
        assert_eq!(token(&refresh(app, &ana.refresh).await, "refresh_token"), second);
        let third = token(&refresh(app, &second).await, "refresh_token");
        assert_eq!(works(app, &token(&first, "access_token")).await, 200);
        // Two generations ago: somebody else has it. The whole session ends, at once.
        refresh(app, &ana.refresh).await.refused(401, "unauthorized");
        refresh(app, &third).await.refused(401, "unauthorized");
        for access in [&ana.access, &token(&first, "access_token")] {
            assert_eq!(works(app, access).await, 401);
        }
    }

    async fn a_token_used_after_its_grace_ends_its_session(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let next = token(&refresh(app, &ana.refresh).await, "refresh_token");
        app.advance(11);
        refresh(app, &ana.refresh).await.refused(401, "unauthorized");
        refresh(app, &next).await.refused(401, "unauthorized");
        // Another log-in is another session, and not concerned.
        let again = app.post_as_nobody("/v1/auth/log-in", credentials("ana@example.com", PASSWORD));
        assert_eq!(works(app, &token(&again.await, "access_token")).await, 200);
    }

    async fn fifty_at_once_leave_one_family_and_nobody_logged_out(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let all = join_all((0..50).map(|_| refresh(app, &ana.refresh))).await;
        let mut tokens: Vec<String> =
            all.iter().map(|reply| token(reply, "refresh_token")).collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        for reply in &all {
            assert_eq!(works(app, &token(reply, "access_token")).await, 200);
        }
        assert_eq!(refresh(app, &tokens[0]).await.status, 200);
    }

    async fn sessions_end_by_themselves(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        app.advance(600 + 31);
        assert_eq!(works(app, &ana.access).await, 401, "ten minutes and the leeway of clocks");
        let next = refresh(app, &ana.refresh).await;
        app.advance(12 * 3600);
        refresh(app, &token(&next, "refresh_token")).await.refused(401, "unauthorized");
        // Refreshed all the time, it ends a week after its log-in.
        let again = app.post_as_nobody("/v1/auth/log-in", credentials("ana@example.com", PASSWORD));
        let mut current = token(&again.await, "refresh_token");
        let mut refreshed = 0;
        loop {
            app.advance(11 * 3600);
            let reply = refresh(app, &current).await;
            if reply.status != 200 {
                break;
            }
            current = token(&reply, "refresh_token");
            refreshed += 1;
        }
        assert_eq!(refreshed, 7 * 24 / 11);
    }

    async fn log_out_ends_one_or_all(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let body = credentials("ana@example.com", PASSWORD);
        let again = app.post_as_nobody("/v1/auth/log-in", body.clone()).await;
        let other = Person::of("ana@example.com", again.data(200));
        let out = |body: Value| app.post_as_nobody("/v1/auth/log-out", body);
        assert_eq!(out(json!({"refresh_token": ana.refresh})).await.status, 204);
        assert_eq!(out(json!({"refresh_token": ana.refresh})).await.status, 204, "once more");
        assert_eq!(works(app, &ana.access).await, 401);
        assert_eq!(works(app, &other.access).await, 200);
        // A session that has ended ends no others.
        assert_eq!(out(json!({"refresh_token": ana.refresh, "all": true})).await.status, 204);
        assert_eq!(works(app, &other.access).await, 200);
        let third = app.post_as_nobody("/v1/auth/log-in", body).await;
        assert_eq!(out(json!({"refresh_token": other.refresh, "all": true})).await.status, 204);
        assert_eq!(works(app, &token(&third, "access_token")).await, 401);
        out(json!({"refresh_token": "rt.ses_01.0.x"})).await.refused(401, "unauthorized");
        out(json!({})).await.refused(401, "unauthorized");
    }

    async fn a_browser_keeps_it_in_a_cookie_that_no_other_site_sends(app: &TestApp) {
        app.owner("ana@example.com").await;
        let mut body = credentials("ana@example.com", PASSWORD);
        body["cookie"] = json!(true);
        let session = app.post_as_nobody("/v1/auth/log-in", body).await;
        assert_eq!(session.data(200)["refresh_token"], Value::Null);
        let set = session.headers["set-cookie"].to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/v1/auth"] {
            assert!(set.contains(part), "{set}");
        }
        let cookie = set.split(';').next().unwrap().to_owned();
        let ask = |path: &str, headers: &[(&'static str, String)]| {
            let mut request = app.request(Method::POST, path).json(&json!({}));
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            app.send(request.header("Cookie", &cookie))
        };
        let refresh = "/v1/auth/refresh";
        let own = ("Origin", app.base.clone());
        let foreign = ("Origin", "https://evil.example".to_owned());
        let site = |value: &str| ("Sec-Fetch-Site", value.to_owned());
        ask(refresh, &[]).await.refused(403, "cross_site");
        ask(refresh, std::slice::from_ref(&foreign)).await.refused(403, "cross_site");
        ask(refresh, &[own.clone(), site("cross-site")]).await.refused(403, "cross_site");
        ask(refresh, &[own.clone(), site("same-site")]).await.refused(403, "cross_site");
        ask("/v1/auth/log-out", &[foreign]).await.refused(403, "cross_site");
        let next = ask(refresh, std::slice::from_ref(&own)).await;
        assert_eq!(next.data(200)["refresh_token"], Value::Null);
        assert!(next.headers["set-cookie"].to_str().unwrap().contains("rialto_refresh=rt."));
        assert_eq!(ask(refresh, &[site("same-origin")]).await.status, 200);
        let out = ask("/v1/auth/log-out", &[own]).await;
        assert_eq!(out.status, 204);
        assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(works(app, &token(&next, "access_token")).await, 401);
    }

    async fn a_session_says_its_mode_and_defaults_to_live(app: &TestApp) {
        let owner = app.staff("owner@example.com", Role::Owner).await;
        let made = app.ask_as(&owner.access, Method::POST, "/v1/events", json!({"title": "T"})).await;
        let path = format!("/v1/events/{}", made.data(201)["_id"].as_str().unwrap());
        let read = |mode: Option<&str>| {
            let request = app.request(Method::GET, &path).bearer_auth(&owner.access);
            app.send(match mode {
                Some(mode) => request.header("Rialto-Mode", mode),
                None => request,
            })
        };
        assert_eq!(read(Some("test")).await.status, 200);
        assert_eq!(read(Some("live")).await.status, 404);
        assert_eq!(read(None).await.status, 404);
        assert_eq!(read(Some("prod")).await.fields(), ["Rialto-Mode"]);
    }

    async fn one_time_passwords_are_asked_for_once_confirmed(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let ask = |method: Method, path: &str, body: Value| {
            let (path, access) = (path.to_owned(), ana.access.clone());
            async move { app.ask_as(&access, method, &path, body).await }
        };
        let password = json!({"password": PASSWORD});
        let wrong = json!({"password": "wrong"});
        ask(Method::POST, "/v1/auth/totp", wrong).await.refused(401, "wrong_credentials");
        let begun = ask(Method::POST, "/v1/auth/totp", password.clone()).await;
        let secret = begun.data(201)["secret"].as_str().unwrap().to_owned();
        let url = begun.data(201)["url"].as_str().unwrap();
        assert!(url.starts_with("otpauth://totp/") && url.contains(&secret), "{url}");
        let seed = totp_rs::Secret::try_from_base32(&secret).unwrap();
        let generator = totp_rs::Builder::new().with_secret(seed).build_noncompliant();
        let code = |app: &TestApp| generator.generate(app.clock.now().unix().0).to_string();
        let wrong = |app: &TestApp| match code(app).as_str() {
            "000000" => "000001",
            _ => "000000",
        };
        let log_in = |code: Option<String>| {
            let mut body = credentials("ana@example.com", PASSWORD);
            if let Some(code) = code {
                body["code"] = json!(code);
            }
            app.post_as_nobody("/v1/auth/log-in", body)
        };
        assert_eq!(log_in(None).await.status, 200, "not before a first code");
        let confirm = "/v1/auth/totp/confirm";
        ask(Method::POST, confirm, json!({"code": wrong(app)})).await.refused(422, "wrong_code");
        assert_eq!(ask(Method::POST, confirm, json!({"code": code(app)})).await.status, 204);
        ask(Method::POST, "/v1/auth/totp", password.clone()).await.refused(409, "totp_active");
        log_in(None).await.refused(401, "code_required");
        log_in(Some(wrong(app).to_owned())).await.refused(401, "wrong_credentials");
        log_in(Some(code(app))).await.refused(401, "wrong_credentials");
        app.advance(60);
        assert_eq!(log_in(Some(code(app))).await.status, 200, "each code once");
        log_in(Some(code(app))).await.refused(401, "wrong_credentials");
        app.advance(60);
        assert_eq!(ask(Method::DELETE, "/v1/auth/totp", json!({"code": code(app)})).await.status, 204);
        let off = ask(Method::DELETE, "/v1/auth/totp", json!({"code": "123456"})).await;
        off.refused(409, "totp_inactive");
        assert_eq!(log_in(None).await.status, 200);
    }

    async fn what_ends_on_one_server_ends_on_all_within_a_second(app: &TestApp) {
        let owner = app.staff("owner@example.com", Role::Owner).await;
        let viewer = app.staff("viewer@example.com", Role::Viewer).await;
        let options = Options { clock: app.clock.clone(), ..Options::default() };
        let other = TestApp::open(app.ground(), Some(app.seed.clone()), options).await;
        let reads = |person: &Person| {
            let (access, other) = (person.access.clone(), &other);
            async move { other.ask_as(&access, Method::GET, "/v1/events", Value::Null).await.status }
        };
        // The last success is the last that may be: asked in a loop until it ends.
        let ends = async |person: &Person, status: u16| {
            let changed = Instant::now();
            let mut last = Duration::ZERO;
            loop {
                let asked = changed.elapsed();
                match reads(person).await {
                    200 => last = asked,
                    found => break assert_eq!(found, status),
                }
                assert!(asked < Duration::from_secs(5), "it never ends");
            }
            assert!(last < Duration::from_millis(1100), "{last:?}");
        };
        assert_eq!((reads(&owner).await, reads(&viewer).await), (200, 200));
        let path = format!("/v1/members/{}", viewer.member);
        let role = json!({"role": "scanner"});
        app.ask_as(&owner.access, Method::PATCH, &path, role).await.data(200);
        ends(&viewer, 403).await;
        let out = json!({"refresh_token": owner.refresh});
        assert_eq!(app.post_as_nobody("/v1/auth/log-out", out).await.status, 204);
        ends(&owner, 401).await;
        other.finish().await;
    }
}
