//! Access tokens that are not ours, not of now, or not what they seem: all of them 401, all alike.

use data_encoding::BASE64URL_NOPAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use rialto::kernel::secret::ServerKey;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::on_both;
use crate::support::TestApp;

/// A server's key of a quarter, as the service derives it.
fn key_of(app: &TestApp, number: i64) -> [u8; 32] {
    let key: &ServerKey = app.db().environment().get().unwrap();
    key.mac("access-token", &[&number.to_be_bytes()])
}

fn sign(secret: &[u8], header: &Value, claims: &Value) -> String {
    let body = format!("{}.{}", BASE64.encode(header.to_string().as_bytes()), encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(body.as_bytes());
    format!("{body}.{}", BASE64.encode(&mac.finalize().into_bytes()))
}

fn encode(value: &Value) -> String {
    BASE64.encode(value.to_string().as_bytes())
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(part.as_bytes()).unwrap()).unwrap()
}

/// Something with one field different.
fn with(value: &Value, field: &str, to: Value) -> Value {
    let mut value = value.clone();
    value[field] = to;
    value
}

fn without(value: &Value, field: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(field);
    value
}

on_both! {
    async fn bad_tokens_are_all_refused_alike(app: &TestApp) {
        let ana = app.owner("ana@example.com").await;
        let eva = app.owner("eva@example.com").await;
        let parts: Vec<&str> = ana.access.split('.').collect();
        let (header, claims) = (decode(parts[0]), decode(parts[1]));
        let number: i64 = header["kid"].as_str().unwrap().parse().unwrap();
        let now = claims["iat"].as_i64().unwrap();
        let good = key_of(app, number);
        let ours = |header: &Value, claims: &Value| sign(&good, header, claims);
        // The key that is used here is the real one: what else is refused is refused for its fault.
        let same = ours(&header, &claims);
        let works = app.ask_as(&same, Method::GET, "/v1/auth", Value::Null).await;
        assert_eq!(works.status, 200, "{}", works.text);
        let claim = |field: &str, to: Value| ours(&header, &with(&claims, field, to));
        let head = |field: &str, to: Value| ours(&with(&header, field, to), &claims);
        let before = |age: i64| {
            let mut claims = claims.clone();
            for (field, at) in [("iat", now - age), ("nbf", now - age), ("exp", now - age + 600)] {
                claims[field] = json!(at);
            }
            ours(&header, &claims)
        };
        let bad = [
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("alg none", format!("{}.{}.", encode(&with(&header, "alg", json!("none"))), parts[1])),
            ("alg None, signed", head("alg", json!("None"))),
            ("alg HS512", head("alg", json!("HS512"))),
            ("alg RS256", head("alg", json!("RS256"))),
            ("a wrong key", sign(b"wrong", &header, &claims)),
            ("an empty key", sign(b"", &header, &claims)),
            ("another purpose's key", sign(&app.db().environment().get::<ServerKey>().unwrap()
                .mac("refresh-token", &[&number.to_be_bytes()]), &header, &claims)),
            ("a changed claim", format!("{}.{}.{}", parts[0],
                encode(&with(&claims, "mem", json!(eva.member))), parts[2])),
            ("an unknown kid", head("kid", json!("999999"))),
            ("a kid of long ago", sign(&key_of(app, number - 2),
                &with(&header, "kid", json!((number - 2).to_string())), &claims)),
            ("a kid to come", sign(&key_of(app, number + 1),
                &with(&header, "kid", json!((number + 1).to_string())), &claims)),
            ("a kid that is a path", head("kid", json!("../../dev/null"))),
            ("a kid that is SQL", head("kid", json!("' OR 1=1 --"))),
            ("no kid", ours(&without(&header, "kid"), &claims)),
            ("typ JWT", head("typ", json!("JWT"))),
            ("no typ", ours(&without(&header, "typ"), &claims)),
            ("crit", head("crit", json!(["exp"]))),
            ("a key from elsewhere", sign(b"theirs",
                &with(&header, "jku", json!("https://evil.example/keys")), &claims)),
            ("expired", before(631)),
            ("not yet", before(-60)),
            ("exp as text", claim("exp", json!((now + 600).to_string()))),
            ("exp far away", claim("exp", json!(now + 86_400))),
            ("no exp", ours(&header, &without(&claims, "exp"))),
            ("no nbf", ours(&header, &without(&claims, "nbf"))),
            ("another issuer", claim("iss", json!("evil"))),
            ("another audience", claim("aud", json!("evil"))),
            ("no audience", ours(&header, &without(&claims, "aud"))),
            ("somebody else's member", claim("mem", json!(eva.member))),
            ("somebody else's tenant", claim("org", json!(eva.tenant))),
            ("somebody else", claim("sub", json!("usr_00000000000000000000000000"))),
            ("a session that is not", claim("sid", json!("ses_00000000000000000000000000"))),
            ("a refresh token", ana.refresh.clone()),
            ("two tokens", format!("{}.{}", ana.access, ana.access)),
            ("half a token", ana.access[..ana.access.len() / 2].to_owned()),
            ("a word", "ey.ey.ey".to_owned()),
        ];
        for (what, token) in bad {
            let reply = app.ask_as(&token, Method::GET, "/v1/auth", Value::Null).await;
            reply.refused(401, "unauthorized");
            assert_eq!(reply.body["error"]["message"], "No valid credential was sent.", "{what}");
        }
        // At the edges of the leeway it works.
        for edge in [before(620), before(-29)] {
            assert_eq!(app.ask_as(&edge, Method::GET, "/v1/auth", Value::Null).await.status, 200);
        }
        // A key is no refresh token, and neither is an access token.
        for token in [&app.seed.org, &ana.access] {
            let body = json!({"refresh_token": token});
            app.post_as_nobody("/v1/auth/refresh", body).await.refused(401, "unauthorized");
        }
    }

    async fn keys_change_with_the_quarter_and_nobody_notices(app: &TestApp) {
        app.owner("ana@example.com").await;
        let log_in = || async {
            let body = crate::support::people::credentials(
                "ana@example.com", crate::support::people::PASSWORD);
            let session = app.post_as_nobody("/v1/auth/log-in", body).await;
            session.data(200)["access_token"].as_str().unwrap().to_owned()
        };
        let quarter = 90 * 24 * 3600;
        let now = app.clock.now().unix().0;
        // To a minute before the next quarter.
        app.advance(u32::try_from(quarter - now % quarter - 60).unwrap());
        let before = log_in().await;
        app.advance(120);
        let after = log_in().await;
        let kid = |token: &str| decode(token.split('.').next().unwrap())["kid"].clone();
        assert_ne!(kid(&before), kid(&after));
        for token in [before, after] {
            assert_eq!(app.ask_as(&token, Method::GET, "/v1/auth", Value::Null).await.status, 200);
        }
    }
}
