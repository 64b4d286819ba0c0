//! What the API document says everywhere: its head, the error body, the error responses.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

/// The head of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rialto",
        description = include_str!("../../openapi/introduction.md"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1",
    ),
    modifiers(&Security),
    components(schemas(ErrorBody, ErrorDetail, FieldFault)),
    tags(
        (name = "auth", description = "Who you are: signing up, logging in, tokens."),
        (name = "api keys", description = "Credentials of programs."),
        (name = "partnerships", description = "Who sells for whom, and on which terms."),
        (name = "members", description = "Who else belongs to the tenant, and as what."),
        (name = "locations", description = "Where events take place."),
        (name = "events", description = "What is sold. Organizations write; their partner channels \
            read what is published."),
        (name = "ticket rates", description = "Kinds of ticket of an event and their prices."),
        (name = "payments", description = "Purchases: their items, their hold on stock, their \
            money, their state."),
        (name = "refunds", description = "Money given back."),
        (name = "customers", description = "The buyers a tenant knows."),
        (name = "tickets", description = "Admissions, and the door."),
        (name = "attendees", description = "The people on tickets."),
        (name = "deliveries", description = "What was mailed to whom, and what became of it."),
        (name = "changes", description = "What happened, in order."),
        (name = "service", description = "Health and measurements; no credential needed."),
    )
)]
pub struct Head;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = ApiKeyValue::with_description(
            "X-Api-Key",
            "A secret key, `sk_live_...` or \
            `sk_test_...`. Its mode fixes the mode of the request.",
        );
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic);
        let schemes = [
            ("api_key", SecurityScheme::ApiKey(ApiKey::Header(key))),
            (
                "bearer",
                SecurityScheme::Http(
                    bearer
                        .description(Some(
                            "The same secret key, or a session's access token, as a bearer token. \
                             With an access token `Rialto-Mode: live|test` says the mode (live).",
                        ))
                        .build(),
                ),
            ),
            (
                "basic",
                SecurityScheme::Http(
                    basic
                        .description(Some("The same secret key as user name, no password."))
                        .build(),
                ),
            ),
            (
                "session",
                SecurityScheme::Http(
                    HttpBuilder::new()
                        .scheme(HttpAuthScheme::Bearer)
                        .bearer_format("JWT")
                        .description(Some(
                            "A session's access token: a member, with the role that is named. \
                             Keys are refused with 403 `wrong_principal`.",
                        ))
                        .build(),
                ),
            ),
        ];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// Every error answers this.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    /// Always `false`.
    pub success: bool,
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong. Some codes add documented members (`current_status`, `allowed_actions`,
/// `decline_code`, `required_scope`, `payment_id`, `left` ...).
#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    /// The family: `invalid_request_error`, `idempotency_error`, `authentication_error`,
    /// `permission_error`, `card_error`, `rate_limit_error` or `api_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The stable code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The first of `errors`; null when no field is at fault.
    pub details: Option<FieldFault>,
    /// Every field at fault.
    pub errors: Vec<FieldFault>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The request, as in `X-Request-Id`.
    pub request_id: String,
    /// Where the codes are explained.
    pub doc_url: String,
}

/// A field at fault.
#[derive(Serialize, ToSchema)]
pub struct FieldFault {
    /// Its path, `tickets[0].email`; empty for the body as a whole.
    pub field: String,
    /// What is wrong there.
    pub reason: String,
}

fn refusals(list: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response = |description: &str| -> RefOr<Response> {
        let content = Content::new(Some(Ref::from_schema_name("ErrorBody")));
        ResponseBuilder::new()
            .description(description)
            .content("application/json", content)
            .build()
            .into()
    };
    list.iter().map(|(status, text)| ((*status).to_owned(), response(text))).collect()
}

const BAD_REQUEST: (&str, &str) = (
    "400",
    "`validation_error`: a parameter or field does not have \
    the documented shape; all faults at once. `mode_mismatch`: the key's mode contradicts \
    `Rialto-Mode`. `body_incomplete`, `body_too_slow`: the body did not arrive.",
);
const UNAUTHORIZED: (&str, &str) = ("401", "`unauthorized`: no valid credential.");
const FORBIDDEN: (&str, &str) = (
    "403",
    "`missing_scope`: the credential lacks `required_scope`. \
    `missing_role`: the member has none of `required_roles`. \
    `wrong_principal`: visible to you, but not yours to do. \
    `email_unconfirmed`: the tenant works in test mode until an owner has confirmed their e-mail.",
);
const NOT_FOUND: (&str, &str) = ("404", "`not_found`: not there, or not yours.");
const CONFLICT: (&str, &str) = (
    "409",
    "The state does not allow it (`current_status` and \
    `allowed_actions` say what does), or `in_flight`: a request with this Idempotency-Key is \
    still running.",
);
const TOO_LARGE: (&str, &str) = ("413", "`body_too_large`: more than 64 KiB.");
const MEDIA: (&str, &str) = ("415", "`unsupported_media_type`: not application/json.");
const RULE: (&str, &str) = (
    "422",
    "A business rule refuses it, or `key_reused`: the \
    Idempotency-Key was used for another request.",
);
const UNAVAILABLE: (&str, &str) = (
    "503",
    "`unavailable`: too busy; try again after `Retry-After` \
    seconds.",
);

const LIMITED: (&str, &str) =
    ("429", "`rate_limited`: too many attempts; not before `Retry-After` seconds.");

/// Errors of calls that need no credential.
pub struct PublicErrors;

impl IntoResponses for PublicErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[BAD_REQUEST, TOO_LARGE, MEDIA, LIMITED, UNAVAILABLE])
    }
}

/// Errors of every read.
pub struct ReadErrors;

impl IntoResponses for ReadErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, UNAVAILABLE])
    }
}

/// Errors of every write.
pub struct WriteErrors;

impl IntoResponses for WriteErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            BAD_REQUEST,
            UNAUTHORIZED,
            FORBIDDEN,
            NOT_FOUND,
            CONFLICT,
            TOO_LARGE,
            MEDIA,
            RULE,
            UNAVAILABLE,
        ])
    }
}
