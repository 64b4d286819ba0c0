//! The refresh token of a browser: a cookie that no script reads and no other site sends.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use super::super::model::SESSION_SECONDS;
use crate::kernel::{Error, Kind, Result};
use crate::web::State;

const NAME: &str = "rialto_refresh";
/// The only paths it is sent to.
const PATH: &str = "/v1/auth";

fn cookie(state: &State, value: String, seconds: i64) -> Cookie<'static> {
    let secure = state.http.base_url.as_ref().is_some_and(|base| base.scheme() == "https");
    Cookie::build(NAME, value)
        .path(PATH)
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Strict)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// The cookie with a refresh token.
pub(super) fn of(state: &State, token: String) -> Cookie<'static> {
    cookie(state, token, SESSION_SECONDS)
}

/// The cookie's end.
pub(super) fn none(state: &State) -> Cookie<'static> {
    cookie(state, String::new(), 0)
}

/// The refresh token in a request's cookie. 403 `cross_site` when another site has made the
/// browser send it.
pub(super) fn token(request: &HttpRequest) -> Result<Option<String>> {
    let Some(cookie) = request.cookie(NAME) else {
        return Ok(None);
    };
    if !is_same_origin(request) {
        let message = "A request with the session's cookie must come from this site.";
        return Err(Error::new(Kind::Forbidden, "cross_site", message));
    }
    Ok(Some(cookie.value().to_owned()))
}

/// What browsers say of a request's origin; they let no script change it.
fn is_same_origin(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let (Some(origin), Some(host)) = (text("origin"), text(header::HOST.as_str())) else {
        return false;
    };
    origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
}
