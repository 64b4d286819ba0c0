//! `rialto admin ...`: tenants, partnerships and keys, by the operator of the server.
//!
//! Prints JSON. The secret of a key is printed once and kept nowhere.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::accounts::ops::invitations;
use crate::app;
use crate::config::Config;
use crate::db::{Db, Outcome, Scope, Tenant, Tx};
use crate::kernel::ids::{ApiKeyId, Id};
use crate::kernel::{Clock, Currency, Error, Mode, Money, Percent, Result};
use crate::parties::ops::{self, NewChannel, NewKey, NewOrganization};
use crate::parties::{
    Collects, Commission, CommissionType, KeyKind, KeySecret, PartnershipStatus, Terms,
};
use crate::web::KeyScope;
use crate::web::permission::{Preset, Role};

/// Tenants, partnerships and keys.
#[derive(Args, Debug)]
pub struct Admin {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug, Clone)]
enum What {
    /// Create an organization.
    CreateOrganization {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Its slug, unique per installation.
        #[arg(long, value_parser = slug)]
        slug: String,
        /// The currency new events get.
        #[arg(long, value_parser = currency)]
        currency: Option<Currency>,
        /// The IANA time zone new events get.
        #[arg(long)]
        timezone: Option<chrono_tz::Tz>,
    },
    /// Create a channel.
    CreateChannel {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Its slug, unique per installation.
        #[arg(long, value_parser = slug)]
        slug: String,
    },
    /// Let a channel sell for an organization.
    CreatePartnership(NewPartnership),
    /// Suspend, resume or end a partnership.
    SetPartnership {
        /// The organization's slug.
        #[arg(long)]
        organization: String,
        /// The channel's slug.
        #[arg(long)]
        channel: String,
        /// Where it shall stand.
        #[arg(long, value_parser = partnership_status)]
        status: PartnershipStatus,
    },
    /// Create a secret key and print it, this once.
    CreateKey(NewKeyArgs),
    /// Invite somebody to be a member of a tenant: the first owner, above all.
    Invite(InviteArgs),
    /// Revoke a key, at once.
    RevokeKey {
        /// Its id (`key_...`).
        #[arg(long, value_parser = key_id)]
        id: ApiKeyId,
    },
}

#[derive(Args, Debug, Clone)]
struct InviteArgs {
    /// The organization's slug.
    #[arg(long, required_unless_present = "channel", conflicts_with = "channel")]
    organization: Option<String>,
    /// The channel's slug.
    #[arg(long)]
    channel: Option<String>,
    /// Who is invited.
    #[arg(long)]
    email: lettre::message::Mailbox,
    /// As what: owner, admin, box_office, scanner or viewer.
    #[arg(long, default_value = "owner", value_parser = role)]
    role: Role,
}

#[derive(Args, Debug, Clone)]
struct NewPartnership {
    /// The organization's slug.
    #[arg(long)]
    organization: String,
    /// The channel's slug.
    #[arg(long)]
    channel: String,
    /// Who takes the buyers' money: platform, channel or organization.
    #[arg(long, default_value = "platform", value_parser = collects)]
    collects: Collects,
    /// The channel's commission: percent of the price (5), or an amount (1.50EUR).
    #[arg(long, default_value = "0", value_parser = commission)]
    commission: Commission,
}

#[derive(Args, Debug, Clone)]
struct NewKeyArgs {
    /// The organization's slug.
    #[arg(long, conflicts_with = "channel", required_unless_present = "channel")]
    organization: Option<String>,
    /// The channel's slug.
    #[arg(long)]
    channel: Option<String>,
    /// live or test.
    #[arg(long, default_value = "test", value_parser = mode)]
    mode: Mode,
    /// What people call it.
    #[arg(long, default_value = "operator")]
    name: String,
    /// Scopes besides read, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<KeyScope>,
    /// A set of scopes instead.
    #[arg(long, conflicts_with = "scopes", value_parser = preset)]
    preset: Option<Preset>,
}

macro_rules! parser {
    ($name:ident, $kind:ty, $parse:expr, $hint:expr) => {
        fn $name(text: &str) -> std::result::Result<$kind, String> {
            let parse: fn(&str) -> Option<$kind> = $parse;
            parse(text).ok_or_else(|| $hint.to_string())
        }
    };
}

parser!(currency, Currency, Currency::parse, "an ISO 4217 code, like EUR");
parser!(mode, Mode, Mode::parse, "live or test");
parser!(scope, KeyScope, KeyScope::parse, format!("one of {}", KeyScope::NAMES.join(", ")));
parser!(collects, Collects, Collects::parse, "platform, channel or organization");
parser!(preset, Preset, Preset::parse, format!("one of {}", Preset::NAMES.join(", ")));
parser!(role, Role, Role::parse, format!("one of {}", Role::NAMES.join(", ")));
parser!(key_id, ApiKeyId, <ApiKeyId as Id>::parse, "a key's id, like key_...");
parser!(
    partnership_status,
    PartnershipStatus,
    PartnershipStatus::parse,
    "invited, active, suspended or ended"
);
parser!(
    slug,
    String,
    |text| {
        let sound = (1..=80).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        sound.then(|| text.to_owned())
    },
    "lower-case letters, digits and hyphens"
);
parser!(
    commission,
    Commission,
    |text| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (amount, code) = text.split_at(digits.len());
        let amount = amount.parse().ok()?;
        if code.is_empty() {
            let quantity = Percent::from_decimal(amount)?.e4();
            return Some(Commission { kind: CommissionType::Percentage, quantity });
        }
        let quantity = Money::from_decimal(amount, Currency::parse(code)?)?.minor;
        (quantity >= 0).then_some(Commission { kind: CommissionType::Fixed, quantity })
    },
    "a percentage, like 5, or an amount, like 1.50EUR"
);

impl Admin {
    /// Does it and prints what was made.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let printed = super::block_on(async move {
            let open = move || app::open(&self.config, Clock::default());
            let db = tokio::task::spawn_blocking(open).await??;
            Ok(perform(&db, self.what).await?)
        })?;
        println!("{printed:#}");
        Ok(ExitCode::SUCCESS)
    }
}

async fn perform(db: &Db, what: What) -> Result<Value> {
    // Made outside: the operation may run twice and must make the same key.
    let new_secret = match &what {
        What::CreateKey(args) => Some(KeySecret::generate(args.mode)),
        _ => None,
    };
    let scope = Scope::platform("the operator's command line");
    let write = move |tx: &mut Tx<'_>| perform_in(tx, &what, new_secret.as_ref());
    Ok(db.write(&scope, write).await?.into_inner())
}

fn perform_in(tx: &mut Tx<'_>, what: &What, secret: Option<&KeySecret>) -> Result<Outcome<Value>> {
    let made = match what {
        What::CreateOrganization { name, slug, currency, timezone } => {
            let new = NewOrganization {
                name: name.clone(),
                slug: slug.clone(),
                currency: *currency,
                timezone: *timezone,
                confirmed: true,
            };
            let made = ops::create_organization(tx, &new)?;
            json!({"organization": {"_id": made.id, "name": made.name, "slug": made.slug,
                "currency": made.currency, "timezone": made.timezone}})
        }
        What::CreateChannel { name, slug } => {
            let new = NewChannel { name: name.clone(), slug: slug.clone(), confirmed: true };
            let made = ops::create_channel(tx, &new)?;
            json!({"channel": {"_id": made.id, "name": made.name, "slug": made.slug}})
        }
        What::CreatePartnership(new) => {
            let organization = ops::organization_by_slug(tx, &new.organization)?;
            let channel = ops::channel_by_slug(tx, &new.channel)?;
            let terms =
                Terms { collects: new.collects, commission: new.commission, on_account: false };
            let made = ops::create_partnership(tx, &organization.id, &channel.id, terms)?;
            json!({"partnership": {"_id": made.id, "organization_id": made.organization_id,
                "channel_id": made.channel_id, "status": made.status,
                "collects": made.terms.collects}})
        }
        What::SetPartnership { organization, channel, status } => {
            let organization = ops::organization_by_slug(tx, organization)?;
            let channel = ops::channel_by_slug(tx, channel)?;
            ops::set_partnership_status(tx, &organization.id, &channel.id, *status)?;
            json!({"partnership": {"organization_id": organization.id,
                "channel_id": channel.id, "status": status}})
        }
        What::CreateKey(args) => create_key(tx, args, secret)?,
        What::Invite(args) => {
            let tenant = tenant(tx, args.organization.as_deref(), args.channel.as_deref())?;
            let email = args.email.email.to_string().to_lowercase();
            let (made, token) = invitations::invite_as_operator(tx, tenant, &email, args.role)?;
            json!({"invitation": {"_id": made.id, "email": made.email, "role": made.role,
                "expires_at": made.expires_at, "token": token}})
        }
        What::RevokeKey { id } => {
            ops::revoke_key(tx, id)?;
            json!({"key": {"_id": id, "revoked": true}})
        }
    };
    Ok(Outcome::Done(made))
}

/// The tenant of two arguments, of which clap has seen to one.
fn tenant(tx: &mut Tx<'_>, organization: Option<&str>, channel: Option<&str>) -> Result<Tenant> {
    match (organization, channel) {
        (Some(slug), _) => Ok(Tenant::Organization(ops::organization_by_slug(tx, slug)?.id)),
        (None, Some(slug)) => Ok(Tenant::Channel(ops::channel_by_slug(tx, slug)?.id)),
        (None, None) => Err(Error::internal("a tenant is needed")),
    }
}

fn create_key(tx: &mut Tx<'_>, args: &NewKeyArgs, secret: Option<&KeySecret>) -> Result<Value> {
    let secret = secret.ok_or_else(|| Error::internal("no secret was made"))?;
    let tenant = tenant(tx, args.organization.as_deref(), args.channel.as_deref())?;
    let new = NewKey {
        tenant,
        mode: args.mode,
        name: args.name.clone(),
        kind: KeyKind::Secret,
        scopes: args.preset.map_or_else(|| args.scopes.clone(), |preset| preset.scopes().to_vec()),
        expires_at: None,
    };
    let made = ops::create_key(tx, &new, secret);
    Ok(json!({"key": {"_id": made.id, "tenant_id": new.tenant.as_str(), "mode": made.mode,
        "name": made.name, "scopes": made.scopes, "key": secret.expose()}}))
}
