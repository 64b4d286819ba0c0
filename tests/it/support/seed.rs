//! Tenants and keys, and builders that go through the API.

use rialto::db::{Db, Outcome, Scope, Tenant, Tx};
use rialto::kernel::ids::{ChannelId, OrganizationId};
use rialto::kernel::{Currency, Mode};
use rialto::parties::ops::{self, NewChannel, NewKey, NewOrganization};
use rialto::parties::{Collects, Commission, CommissionType, KeyKind, KeySecret, Terms};
use rialto::web::KeyScope;
use serde_json::{Value, json};

use super::TestApp;

/// Two of each: whatever belongs to the second must not be seen by the first.
#[derive(Clone)]
pub struct Seed {
    pub organization_id: OrganizationId,
    pub channel_id: ChannelId,
    /// The organization's test key, with every scope.
    pub org: String,
    /// The channel's test key, with every scope; the platform collects.
    pub channel: String,
    /// The same organization's live key.
    pub org_live: String,
    /// The same channel's live key.
    pub channel_live: String,
    /// A partner channel that collects itself.
    pub collecting: String,
    /// Another organization, without partners.
    pub other_org: String,
    /// Another channel, without partners.
    pub other_channel: String,
    /// The organization's key with `read` only.
    pub org_reader: String,
    /// The channel's key with `read` only.
    pub channel_reader: String,
}

/// Makes a key of a tenant.
pub async fn key(db: &Db, tenant: Tenant, mode: Mode, scopes: &[KeyScope]) -> String {
    let secret = KeySecret::generate(mode);
    let shown = secret.expose().to_owned();
    let new = NewKey {
        tenant,
        mode,
        name: "test".to_owned(),
        kind: KeyKind::Secret,
        scopes: scopes.to_vec(),
        expires_at: None,
    };
    let write = move |tx: &mut Tx<'_>| Ok(Outcome::Done(ops::create_key(tx, &new, &secret)));
    db.write(&Scope::platform("tests"), write).await.unwrap();
    shown
}

fn organization(tx: &mut Tx<'_>, name: &str) -> OrganizationId {
    let new = NewOrganization {
        name: name.to_owned(),
        slug: name.to_lowercase(),
        currency: Currency::parse("EUR"),
        timezone: Some(chrono_tz::Europe::Madrid),
        confirmed: true,
    };
    ops::create_organization(tx, &new).unwrap().id
}

fn new_channel(tx: &mut Tx<'_>, name: &str) -> ChannelId {
    let (name, slug) = (name.to_owned(), name.to_lowercase());
    ops::create_channel(tx, &NewChannel { name, slug, confirmed: true }).unwrap().id
}

pub async fn seed(db: &Db) -> Seed {
    let write = |tx: &mut Tx<'_>| {
        let commission = Commission { kind: CommissionType::Percentage, quantity: 50_000 };
        let terms = |collects| Terms { collects, commission, on_account: false };
        let own = organization(tx, "Apolo");
        let other = organization(tx, "Other");
        let channel = new_channel(tx, "Guide");
        let collecting = new_channel(tx, "Collecting");
        let stranger = new_channel(tx, "Stranger");
        ops::create_partnership(tx, &own, &channel, terms(Collects::Platform))?;
        ops::create_partnership(tx, &own, &collecting, terms(Collects::Channel))?;
        Ok(Outcome::Done((own, other, channel, collecting, stranger)))
    };
    let made = db.write(&Scope::platform("tests"), write).await.unwrap().into_inner();
    let (own, other, channel, collecting, stranger) = made;
    let org = || Tenant::Organization(own.clone());
    let ch = || Tenant::Channel(channel.clone());
    let (all, none) = (KeyScope::ALL, &[]);
    Seed {
        org: key(db, org(), Mode::Test, all).await,
        channel: key(db, ch(), Mode::Test, all).await,
        org_live: key(db, org(), Mode::Live, all).await,
        channel_live: key(db, ch(), Mode::Live, all).await,
        collecting: key(db, Tenant::Channel(collecting), Mode::Test, all).await,
        other_org: key(db, Tenant::Organization(other), Mode::Test, all).await,
        other_channel: key(db, Tenant::Channel(stranger), Mode::Test, all).await,
        org_reader: key(db, org(), Mode::Test, none).await,
        channel_reader: key(db, ch(), Mode::Test, none).await,
        organization_id: own,
        channel_id: channel,
    }
}

/// The number of a card that pays.
pub const GOOD_CARD: &str = "4242424242424242";

/// The body of a payment by card.
pub fn card(number: &str) -> Value {
    json!({"payment_method": {"type": "card", "card": {
        "number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}}})
}

impl TestApp {
    /// A draft with a venue and a start.
    pub async fn draft(&self, capacity: Value) -> String {
        let body = json!({"title": "Opening Night", "venue": "Sala Apolo",
            "start_date": "2090-12-31T22:00:00Z", "capacity": capacity});
        let made = self.post(&self.seed.org, "/v1/events", body).await;
        made.data(201)["_id"].as_str().unwrap().to_owned()
    }

    /// A rate of an event.
    pub async fn rate(&self, event: &str, fields: Value) -> String {
        let mut body = json!({"event_id": event, "name": "General admission",
            "prices": [{"price": 20, "fee_type": "percentage", "fee_quantity": 3}]});
        let all = body.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        let made = self.post(&self.seed.org, "/v1/ticket-rates", body).await;
        made.data(201)["_id"].as_str().unwrap().to_owned()
    }

    /// A published event with one rate of 20.00 EUR and 3 % fee: `(event, rate)`.
    pub async fn on_sale(&self, fields: Value) -> (String, String) {
        let event = self.draft(Value::Null).await;
        let rate = self.rate(&event, fields).await;
        let path = format!("/v1/events/{event}/publish");
        self.post(&self.seed.org, &path, json!({})).await.data(200);
        (event, rate)
    }

    /// A pending payment of the channel.
    pub async fn pending(&self, rate: &str, quantity: i64) -> String {
        let body = json!({"rate_id": rate, "quantity": quantity,
            "buyer": {"name": "Ana Lopez", "email": "ana@example.com"}});
        let made = self.post(&self.seed.channel, "/v1/payments", body).await;
        made.data(201)["_id"].as_str().unwrap().to_owned()
    }

    /// A paid payment of the channel.
    pub async fn paid(&self, rate: &str, quantity: i64) -> Value {
        let id = self.pending(rate, quantity).await;
        let path = format!("/v1/payments/{id}/pay");
        self.post(&self.seed.channel, &path, card(GOOD_CARD)).await.data(200).clone()
    }

    /// What is left of a rate, as the organization sees it.
    pub async fn availability(&self, rate: &str) -> Value {
        let read = self.get(&self.seed.org, &format!("/v1/ticket-rates/{rate}")).await;
        read.data(200)["availability"].clone()
    }

    /// Everything in the feed of a key's tenant, from the start.
    pub async fn changes(&self, key: &str) -> Vec<Value> {
        self.changes_after(key, None).await
    }

    /// The changes of a side's feed after a place.
    pub async fn changes_after(&self, key: &str, place: Option<&str>) -> Vec<Value> {
        let mut all = Vec::new();
        let mut after = place.map(|place| format!("&after={place}")).unwrap_or_default();
        loop {
            let page = self.get(key, &format!("/v1/changes?limit=20{after}")).await;
            let rows = page.data(200).as_array().unwrap().clone();
            let next = page.body["pagination"]["next_cursor"].as_str().unwrap();
            after = format!("&after={next}");
            all.extend(rows);
            if !page.body["pagination"]["has_more"].as_bool().unwrap() {
                return all;
            }
        }
    }
}
