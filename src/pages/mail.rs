//! Captured mail, to look at: `/dev/mail`.
//!
//! Letters open doors (a reset, an invitation), so this is for the machine itself only: it exists
//! only where no mail server is configured, the server listens on a loopback address, is known by
//! no other (`RIALTO_BASE_URL`) and has no proxy in front; and it answers only to a loopback name,
//! so that no page from elsewhere can read it through a browser here. Everywhere else it is a 404
//! as any other.

use std::path::PathBuf;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::config::Config;
use crate::kernel::{Error, Result};
use crate::mail::{captured, render};

/// Where captured mail is, on a server that shows it.
#[derive(Clone)]
pub struct CapturedMail(Option<PathBuf>);

/// Nothing runs, and nothing is fetched.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox allow-top-navigation";

impl CapturedMail {
    /// Whether this server shows it, and from where.
    pub fn of(config: &Config) -> Self {
        let here = config.mail.smtp_url.is_none()
            && config.http.listen.ip().is_loopback()
            && config.http.trusted_proxies == 0;
        let base = config.http.base_url.as_ref().and_then(|url| url.host_str());
        let known_elsewhere = base.is_some_and(|host| !is_loopback_name(host));
        Self((here && !known_elsewhere).then(|| config.captured_mail_dir()))
    }
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    bare.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Mounts the page.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/dev/mail", web::get().to(list))
        .route("/dev/mail/{id}", web::get().to(read))
        .route("/dev/mail/{id}/source", web::get().to(source));
}

fn directory(request: &HttpRequest) -> Result<PathBuf> {
    let shown = request.app_data::<web::Data<CapturedMail>>().and_then(|mail| mail.0.clone());
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    // Whoever came through a proxy may have come from anywhere.
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"];
    let direct = forwarded.iter().all(|name| header(name).is_none());
    let head = header("host").unwrap_or_default();
    let host = match head.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => head,
    };
    shown.filter(|_| direct && is_loopback_name(host)).ok_or_else(Error::not_found)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    web::block(work).await.map_err(Error::internal)
}

fn html(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body)
}

async fn list(request: HttpRequest) -> Result<HttpResponse> {
    let directory = directory(&request)?;
    let messages = blocking(move || captured::list(&directory)).await?;
    Ok(html(render("captured.html", serde_json::json!({"messages": messages}))?))
}

async fn read(request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse> {
    let directory = directory(&request)?;
    let found = blocking(move || captured::read(&directory, &id)).await?;
    Ok(html(found.ok_or_else(Error::not_found)?.page))
}

async fn source(request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse> {
    let directory = directory(&request)?;
    let found = blocking(move || captured::source(&directory, &id)).await?;
    let bytes = found.ok_or_else(Error::not_found)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(bytes))
}
