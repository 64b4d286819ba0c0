//! Where a request comes from, as far as that can be known.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The caller's address, as text to count by. Behind proxies of one's own it is the address that
/// the outermost of them saw; whatever stands before it in `X-Forwarded-For` the caller wrote. Of
/// IPv6 only the network counts: one caller has all of it.
pub fn caller(request: &HttpRequest, proxies: usize) -> String {
    // Some proxies add a line of their own instead of adding to the one that is there.
    let lines = request.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
    let seen: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let forwarded = proxies.checked_sub(1).and_then(|skip| {
        seen.iter().rev().nth(skip).and_then(|address| address.parse::<IpAddr>().ok())
    });
    match forwarded.or_else(|| request.peer_addr().map(|peer| peer.ip())) {
        Some(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let network: Vec<String> =
                address.segments().iter().take(4).map(|part| format!("{part:x}")).collect();
            format!("{}::/64", network.join(":"))
        }
        Some(address) => address.to_canonical().to_string(),
        None => "unknown".to_owned(),
    }
}
