//! Ten organizations with ten events each, one channel that sells for all of them.

use std::sync::Arc;

use deserr::deserialize;
use rialto::app;
use rialto::catalog::input::event::NewEvent;
use rialto::catalog::input::rate::NewRate;
use rialto::catalog::ops::{events, rates};
use rialto::config::Config;
use rialto::db::{Db, Outcome, Scope, Tenant, Tx};
use rialto::kernel::ids::{ChannelId, Id, OrganizationId, RateId};
use rialto::kernel::input::Faults;
use rialto::kernel::{Clock, Currency, Mode, Result};
use rialto::parties::ops::{self as parties, NewChannel, NewKey, NewOrganization};
use rialto::parties::{Collects, Commission, CommissionType, KeyKind, KeySecret, Terms};
use rialto::web::KeyScope;
use serde_json::{Value, json};

const ORGANIZATIONS: usize = 10;
const EVENTS_EACH: usize = 10;

/// A rate and what it belongs to.
#[derive(Clone)]
pub struct Offered {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its event's id.
    pub event: String,
    /// Its id.
    pub rate: String,
    /// Its tier's id.
    pub price: String,
}

/// What is sold, and by whom.
pub struct World {
    /// How its database is opened.
    pub config: Config,
    /// The channel's secret key.
    pub key: String,
    /// The channel.
    pub channel: ChannelId,
    /// One rate per event.
    pub offered: Arc<Vec<Offered>>,
    _data: tempfile::TempDir,
}

fn made<T: serde::Serialize>(view: T) -> Value {
    serde_json::to_value(view).unwrap()
}

fn id(value: &Value) -> String {
    value["_id"].as_str().unwrap().to_owned()
}

fn event(tx: &mut Tx<'_>, number: usize) -> Result<(String, Value)> {
    let body = json!({"title": format!("Event {number}"), "venue": "Sala Apolo",
        "start_date": "2090-12-31T22:00:00Z", "capacity": 9_000_000});
    let new = deserialize::<NewEvent, _, Faults>(body).unwrap();
    let event = id(&made(events::create(tx, &new.0)?));
    Ok((
        event.clone(),
        json!({"event_id": event, "name": "General admission",
        "capacity": 9_000_000, "prices": [{"price": 20, "fee_type": "percentage",
        "fee_quantity": 3}]}),
    ))
}

impl World {
    /// Opens a database and fills it.
    pub async fn new(url: Option<String>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = rialto::commands::default_config().unwrap();
        config.data_dir = data.path().to_owned();
        config.database.url = url.map(Into::into);
        let db = open(&config).await;
        let platform = Scope::platform("a benchmark");
        let secret = KeySecret::generate(Mode::Test);
        let key = secret.expose().to_owned();
        let write = move |tx: &mut Tx<'_>| {
            let channel = parties::create_channel(
                tx,
                &NewChannel { name: "Bench".into(), slug: "bench".into(), confirmed: true },
            )?
            .id;
            let new = NewKey {
                tenant: Tenant::Channel(channel.clone()),
                mode: Mode::Test,
                name: "bench".to_owned(),
                kind: KeyKind::Secret,
                scopes: KeyScope::ALL.to_vec(),
                expires_at: None,
            };
            parties::create_key(tx, &new, &secret);
            Ok(Outcome::Done(channel))
        };
        let channel = db.write(&platform, write).await.unwrap().into_inner();
        let mut offered = Vec::new();
        for number in 0..ORGANIZATIONS {
            offered.extend(organization(&db, &channel, number).await);
        }
        Self { config, key, channel, offered: Arc::new(offered), _data: data }
    }

    /// The channel's scope.
    pub fn scope(&self) -> Scope {
        Scope::issue(Tenant::Channel(self.channel.clone()), Mode::Test)
    }
}

/// Opens a database as a server does.
pub async fn open(config: &Config) -> Db {
    let config = config.clone();
    tokio::task::spawn_blocking(move || app::open(&config, Clock::default()))
        .await
        .unwrap()
        .unwrap()
}

async fn organization(db: &Db, channel: &ChannelId, number: usize) -> Vec<Offered> {
    let (platform, channel) = (Scope::platform("a benchmark"), channel.clone());
    let write = move |tx: &mut Tx<'_>| {
        let new = NewOrganization {
            name: format!("Organization {number}"),
            slug: format!("organization-{number}"),
            currency: Currency::parse("EUR"),
            timezone: Some(chrono_tz::Europe::Madrid),
            confirmed: true,
        };
        let id = parties::create_organization(tx, &new)?.id;
        Ok(Outcome::Done(id))
    };
    let organization = db.write(&platform, write).await.unwrap().into_inner();
    let owner = organization.clone();
    let partner = move |tx: &mut Tx<'_>| {
        let commission = Commission { kind: CommissionType::Percentage, quantity: 50_000 };
        let terms = Terms { collects: Collects::Platform, commission, on_account: false };
        parties::create_partnership(tx, &owner, &channel, terms).map(Outcome::Done)
    };
    db.write(&platform, partner).await.unwrap();
    let scope = Scope::issue(Tenant::Organization(organization.clone()), Mode::Test);
    let mut offered = Vec::new();
    for number in 0..EVENTS_EACH {
        let draft = db.write(&scope, move |tx| event(tx, number).map(Outcome::Done)).await;
        let (event, body) = draft.unwrap().into_inner();
        let rate = move |tx: &mut Tx<'_>| {
            let new = deserialize::<NewRate, _, Faults>(body.clone()).unwrap();
            Ok(Outcome::Done(made(rates::create(tx, &new.0)?)))
        };
        let rate = db.write(&scope, rate).await.unwrap().into_inner();
        let published = event.clone();
        let publish = move |tx: &mut Tx<'_>| events::publish(tx, &published).map(Outcome::Done);
        db.write(&scope, publish).await.unwrap();
        let price = id(&rate["prices"][0]);
        let rate = RateId::parse(&id(&rate)).unwrap().to_string();
        offered.push(Offered { organization: organization.clone(), event, rate, price });
    }
    offered
}
