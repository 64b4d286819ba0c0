//! What is written about accounts, as it arrives.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use secrecy::SecretString;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::input::{CurrencyCode, Email, Faults, Slug, Text, Zone, string_of};
use crate::web::permission::Role;

/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 8;
/// Most characters of a password.
pub const PASSWORD_MAX: usize = 128;
/// Guesses (as a power of ten) within which a password is too easily found.
const GUESSES_MIN_LOG10: f64 = 6.0;

/// A password: of any characters, and kept as it is.
#[derive(Clone, Debug)]
pub struct Password(pub SecretString);

impl Deserr<Faults> for Password {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let text = string_of(value, location)?;
        if text.chars().count() > PASSWORD_MAX {
            let reason = format!("must have at most {PASSWORD_MAX} characters");
            return Err(Faults::at(location, reason));
        }
        Ok(Self(text.into()))
    }
}

/// A password that is to be set: long enough, and none that is guessed first.
#[derive(Clone, Debug)]
pub struct NewPassword(pub SecretString);

impl Deserr<Faults> for NewPassword {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let text = string_of(value, location)?;
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&text.chars().count()) {
            let reason = format!("must have {PASSWORD_MIN} to {PASSWORD_MAX} characters");
            return Err(Faults::at(location, reason));
        }
        if zxcvbn::zxcvbn(&text, &["rialto"]).guesses_log10() < GUESSES_MIN_LOG10 {
            return Err(Faults::at(location, "is too easily guessed"));
        }
        Ok(Self(text.into()))
    }
}

fn password_schema(least: usize) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(least))
        .max_length(Some(PASSWORD_MAX))
        .into()
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        password_schema(0)
    }
}

impl ToSchema for Password {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Password")
    }
}

impl PartialSchema for NewPassword {
    fn schema() -> RefOr<Schema> {
        password_schema(PASSWORD_MIN)
    }
}

impl ToSchema for NewPassword {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NewPassword")
    }
}

/// A token from a letter, or a refresh token.
pub type Token = Text<1, 2000>;

/// Founding a tenant: exactly one of `organization` and `channel`.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct SignUpBody {
    /// The founder's e-mail; a confirmation is sent there.
    #[schema(inline)]
    pub email: Email,
    /// 8 to 128 characters of any kind, and not one that is guessed first.
    #[schema(inline)]
    pub password: NewPassword,
    /// The founder's name.
    #[schema(inline)]
    pub name: Text<1, 200>,
    /// An organization, which sells its own events.
    #[deserr(default)]
    pub organization: Option<NewOrganizationBody>,
    /// A channel, which resells.
    #[deserr(default)]
    pub channel: Option<NewChannelBody>,
    /// For browsers: the refresh token as a cookie instead of in the answer (false).
    #[deserr(default)]
    pub cookie: Option<bool>,
}

/// A new organization.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewOrganizationBody {
    /// Its name.
    #[schema(inline)]
    pub name: Text<1, 200>,
    /// Its name in addresses; made from the name when absent.
    #[deserr(default)]
    #[schema(inline)]
    pub slug: Option<Slug>,
    /// The currency new events get.
    #[deserr(default)]
    #[schema(inline)]
    pub currency: Option<CurrencyCode>,
    /// The IANA time zone new events get.
    #[deserr(default)]
    #[schema(inline)]
    pub timezone: Option<Zone>,
}

/// A new channel.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewChannelBody {
    /// Its name.
    #[schema(inline)]
    pub name: Text<1, 200>,
    /// Its name in addresses; made from the name when absent.
    #[deserr(default)]
    #[schema(inline)]
    pub slug: Option<Slug>,
}

/// Logging in.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct LogInBody {
    /// The e-mail.
    #[schema(inline)]
    pub email: Email,
    /// The password.
    #[schema(inline)]
    pub password: Password,
    /// The tenant, for a member of several.
    #[deserr(default)]
    #[schema(inline)]
    pub tenant_id: Option<Text<1, 60>>,
    /// The one-time password, where the account asks for one.
    #[deserr(default)]
    #[schema(inline)]
    pub code: Option<Code>,
    /// For browsers: the refresh token as a cookie instead of in the answer (false).
    #[deserr(default)]
    pub cookie: Option<bool>,
}

/// A one-time password as it is typed.
pub type Code = Text<6, 10>;

/// Refreshing a session.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RefreshBody {
    /// The refresh token; absent when the cookie has it.
    #[deserr(default)]
    #[schema(inline)]
    pub refresh_token: Option<Token>,
}

/// Ending a session.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct LogOutBody {
    /// The refresh token; absent when the cookie has it.
    #[deserr(default)]
    #[schema(inline)]
    pub refresh_token: Option<Token>,
    /// Every session of this user, everywhere (false).
    #[deserr(default)]
    pub all: Option<bool>,
}

/// A forgotten password.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ForgotBody {
    /// The e-mail of the account.
    #[schema(inline)]
    pub email: Email,
}

/// A new password by a letter's token.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ResetBody {
    /// The token in the letter.
    #[schema(inline)]
    pub token: Token,
    /// The new password.
    #[schema(inline)]
    pub password: NewPassword,
}

/// A new password by the old one.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ChangePasswordBody {
    /// The password until now.
    #[schema(inline)]
    pub current_password: Password,
    /// The new password.
    #[schema(inline)]
    pub password: NewPassword,
}

/// A confirmation by a letter's token and the password of the sign-up.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ConfirmBody {
    /// The token in the letter.
    #[schema(inline)]
    pub token: Token,
    /// The password of the sign-up.
    #[schema(inline)]
    pub password: Password,
}

/// A password once more.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PasswordBody {
    /// The account's password.
    #[schema(inline)]
    pub password: Password,
}

/// A one-time password.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct CodeBody {
    /// The code of now.
    #[schema(inline)]
    pub code: Code,
}

/// An invitation.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct InviteBody {
    /// Who is invited.
    #[schema(inline)]
    pub email: Email,
    /// As what.
    pub role: Role,
}

/// Another role.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct MemberBody {
    /// The role.
    pub role: Role,
}

/// Accepting an invitation: with `name` and `password`, or in one's own session.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct AcceptBody {
    /// The token in the letter.
    #[schema(inline)]
    pub token: Token,
    /// One's name, when one has no account.
    #[deserr(default)]
    #[schema(inline)]
    pub name: Option<Text<1, 200>>,
    /// One's new password, when one has no account.
    #[deserr(default)]
    #[schema(inline)]
    pub password: Option<NewPassword>,
    /// For browsers: the refresh token as a cookie instead of in the answer (false).
    #[deserr(default)]
    pub cookie: Option<bool>,
}

/// The end of a tenant.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct DepartureBody {
    /// One's own password.
    #[schema(inline)]
    pub password: Password,
    /// The tenant's slug: this one is meant, and no other.
    #[schema(inline)]
    pub slug: Text<1, 200>,
}
