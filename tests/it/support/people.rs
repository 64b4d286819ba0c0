//! People with accounts, made as they make themselves: over HTTP and by the letters they get.

use reqwest::Method;
use rialto::accounts::ops::invitations::invite_as_operator;
use rialto::db::{Outcome, Scope, Tenant, Tx};
use rialto::web::permission::Role;
use serde_json::{Value, json};

use super::{Reply, TestApp};

/// A password that may be set.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody in a session.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub access: String,
    pub refresh: String,
    pub tenant: String,
    pub member: String,
}

impl Person {
    /// Of a session's answer.
    pub fn of(email: &str, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            email: email.to_owned(),
            access: text(&session["access_token"]),
            refresh: text(&session["refresh_token"]),
            tenant: text(&session["tenant"]["_id"]),
            member: text(&session["member"]["_id"]),
        }
    }
}

/// The body of a confirmation.
pub fn confirmation(token: &str) -> Value {
    json!({"token": token, "password": PASSWORD})
}

/// The body of a log-in.
pub fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

impl TestApp {
    /// POST without a credential.
    pub async fn post_as_nobody(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Any request in a session, in test mode.
    pub async fn ask_as(&self, access: &str, method: Method, path: &str, body: Value) -> Reply {
        let request = self.request(method.clone(), path).bearer_auth(access);
        let request = request.header("Rialto-Mode", "test");
        self.send(if method == Method::GET { request } else { request.json(&body) }).await
    }

    /// Signs somebody up with an organization of their own.
    pub async fn founder(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD, "name": "Founder",
            "organization": {"name": format!("House of {email}"), "currency": "EUR",
                "timezone": "Europe/Madrid"}});
        let session = self.post_as_nobody("/v1/auth/sign-up", body).await;
        Person::of(email, session.data(201))
    }

    /// A channel's founder, with the e-mail confirmed; its name is Night Guide.
    pub async fn channel_founder(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD, "name": "Founder",
            "channel": {"name": "Night Guide"}});
        let session = self.post_as_nobody("/v1/auth/sign-up", body).await;
        let person = Person::of(email, session.data(201));
        let token = self.letter(email).await;
        let confirmed = self.post_as_nobody("/v1/auth/email/confirm", confirmation(&token)).await;
        assert_eq!(confirmed.status, 204, "{}", confirmed.text);
        person
    }

    /// An organization's founder, with the e-mail confirmed.
    pub async fn owner(&self, email: &str) -> Person {
        let person = self.founder(email).await;
        let token = self.letter(email).await;
        let confirmed = self.post_as_nobody("/v1/auth/email/confirm", confirmation(&token)).await;
        assert_eq!(confirmed.status, 204, "{}", confirmed.text);
        person
    }

    /// Somebody whom the operator has invited to the first organization.
    pub async fn staff(&self, email: &str, role: Role) -> Person {
        let (tenant, to) = (self.seed.organization_id.clone(), email.to_owned());
        let write = move |tx: &mut Tx<'_>| {
            let tenant = Tenant::Organization(tenant.clone());
            Ok(Outcome::Done(invite_as_operator(tx, tenant, &to, role)?.1))
        };
        let token = self.db().write(&Scope::platform("tests"), write).await.unwrap().into_inner();
        let body = json!({"token": token, "name": "Staff", "password": PASSWORD});
        let session = self.post_as_nobody("/v1/members/invitations/accept", body).await;
        Person::of(email, session.data(200))
    }

    /// The token in the last letter to an e-mail.
    pub async fn letter(&self, email: &str) -> String {
        self.drain().await;
        let to = format!("To: {email}");
        let mut letters: Vec<String> =
            self.captured().into_iter().filter(|mail| mail.contains(&to)).collect();
        // Their Message-ID is the job's, whose order is the order of time.
        letters.sort_by_key(|mail| {
            mail.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned)
        });
        let letter = letters.pop().unwrap_or_else(|| panic!("no letter to {email}"));
        let plain = letter.replace("=\r\n", "").replace("=3D", "=");
        let link = plain.split("/account/").nth(1).expect("a link");
        link.split('#').nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }
}
