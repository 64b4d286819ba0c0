//! The demo's marketplace: who the walk is about.

use crate::db::{Db, Outcome, Scope, Tenant, Tx};
use crate::kernel::{Currency, Mode, Result};
use crate::parties::ops::{self, NewChannel, NewKey, NewOrganization};
use crate::parties::{Collects, Commission, CommissionType, KeySecret, Terms};
use crate::web::KeyScope;

/// Who the walk is about.
pub struct Seed {
    /// The organization's test key.
    pub organization_key: String,
    /// The channel's test key.
    pub channel_key: String,
}

/// Makes an organization and a channel that are partners, with a key each.
pub async fn marketplace(db: &Db) -> Result<Seed> {
    let (organization, channel) =
        (KeySecret::generate(Mode::Test), KeySecret::generate(Mode::Test));
    let seed = Seed {
        organization_key: organization.expose().to_owned(),
        channel_key: channel.expose().to_owned(),
    };
    // A demo can be run again over the same data: its tenants are new ones each time.
    let tail: String = organization.hash().chars().take(6).collect();
    let write = move |tx: &mut Tx<'_>| make(tx, &tail, (&organization, &channel));
    db.write(&Scope::platform("seeding the demo"), write).await?;
    Ok(seed)
}

fn make(
    tx: &mut Tx<'_>,
    tail: &str,
    (organization_key, channel_key): (&KeySecret, &KeySecret),
) -> Result<Outcome<()>> {
    let organization = ops::create_organization(
        tx,
        &NewOrganization {
            name: "Sala Apolo".to_owned(),
            slug: format!("sala-apolo-{tail}"),
            currency: Currency::parse("EUR"),
            timezone: Some(chrono_tz::Europe::Madrid),
            confirmed: true,
        },
    )?;
    let channel = ops::create_channel(
        tx,
        &NewChannel {
            name: "Night Guide".to_owned(),
            slug: format!("night-guide-{tail}"),
            confirmed: true,
        },
    )?;
    let commission = Commission { kind: CommissionType::Percentage, quantity: 50_000 };
    let terms = Terms { collects: Collects::Platform, commission, on_account: false };
    ops::create_partnership(tx, &organization.id, &channel.id, terms)?;
    let key = |tenant: Tenant, name: &str, scopes: &[KeyScope]| NewKey {
        tenant,
        mode: Mode::Test,
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        expires_at: None,
    };
    let owner = Tenant::Organization(organization.id);
    ops::create_key(tx, &key(owner, "demo", KeyScope::ALL), organization_key);
    let reseller = Tenant::Channel(channel.id);
    ops::create_key(tx, &key(reseller, "demo", &[KeyScope::WritePayments]), channel_key);
    Ok(Outcome::Done(()))
}
