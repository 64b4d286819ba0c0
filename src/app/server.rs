//! The HTTP server: its limits, and everything mounted.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use utoipa_actix_web::AppExt;

use crate::config::Config;
use crate::pages;
use crate::payments::providers::Provider;
use crate::web::state::Shared;
use crate::web::{connection, request, router};

/// The head of a connection's first request must have arrived after so long.
const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// An idle connection is closed after so long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Connections waiting to be accepted; fewer where the kernel allows fewer.
const BACKLOG: u32 = 1024;
/// Connections of an HTTP thread; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 2000;
/// Files a connection has open: it is held by actix and by who watches it.
const FILES_OF_CONNECTION: usize = 2;
/// Files an HTTP thread has open for itself.
const FILES_OF_THREAD: usize = 4;
/// Files a connection to a database has open.
const FILES_OF_DATABASE: usize = 2;
/// Files of everything else: standard streams, letters, webhooks, the provider.
const FILES_OF_OTHERS: usize = 64;

/// A server that listens and does not run yet, and where.
pub(super) fn bind(
    config: &Config,
    state: web::Data<Shared>,
    provider: web::Data<dyn Provider>,
) -> anyhow::Result<(Server, SocketAddr)> {
    let document = web::Bytes::from(router::served_document(config.http.base_url.as_ref()));
    let mail = web::Data::new(pages::CapturedMail::of(config));
    let app = move || {
        App::new()
            .app_data(mail.clone())
            .app_data(state.clone())
            .app_data(provider.clone())
            .wrap(Compress::default())
            .wrap(from_fn(request::accompany))
            .into_utoipa_app()
            .configure(router::routes)
            .into_app()
            .service(router::document_route(document.clone()))
            .configure(pages::routes)
            .default_service(web::route().to(router::unmatched))
    };
    let listen = config.http.listen;
    // Not a listener of our own making: those of the standard library keep 128 waiting, and who
    // comes next believes itself connected to a server that has never heard of it.
    let server = HttpServer::new(app)
        .on_connect(connection::watch)
        // An answer is written in pieces; its last must not wait until the others are acknowledged.
        .tcp_nodelay(true)
        .backlog(BACKLOG)
        .workers(config.http.http_threads())
        .max_connections(connections_of_each(config)?)
        .client_request_timeout(HEAD_TIME_MAX)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(config.http.drain_seconds)
        .disable_signals()
        .bind(listen)
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = *server.addrs().first().context("no address is bound")?;
    Ok((server.run(), address))
}

/// How many connections each HTTP thread may keep.
///
/// Lets the process open as many files as that takes, since a soft limit of 1,024 is usual.
fn connections_of_each(config: &Config) -> anyhow::Result<usize> {
    let threads = config.http.http_threads();
    let database = usize::try_from(config.database.readers + config.database.writers)?;
    let spared = FILES_OF_OTHERS + threads * FILES_OF_THREAD + database * FILES_OF_DATABASE;
    let wanted = spared + threads * CONNECTIONS_MAX * FILES_OF_CONNECTION;
    // Where it is forbidden to ask, what is allowed has to do.
    let files = rlimit::increase_nofile_limit(u64::try_from(wanted)?)
        .or_else(|_| rlimit::Resource::NOFILE.get_soft())
        .context("how many files may be opened is not known")?;
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let connections = connections_within(files, spared, threads);
    if connections < CONNECTIONS_MAX {
        let connections = connections * threads;
        tracing::warn!(files, connections, "few files may be opened (ulimit -Hn)");
    }
    Ok(connections)
}

/// How many connections each thread may keep without taking the files that others need.
fn connections_within(files: usize, spared: usize, threads: usize) -> usize {
    let most = files.saturating_sub(spared) / FILES_OF_CONNECTION / threads;
    most.clamp(1, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_others() {
        for (files, spared, threads, connections) in [
            (1_000_000_000, 200, 2, CONNECTIONS_MAX),
            (8_200, 200, 2, CONNECTIONS_MAX),
            (8_000, 200, 2, 1_950),
            (1_024, 240, 32, 12),
            (256, 120, 2, 34),
            (64, 120, 2, 1),
        ] {
            assert_eq!(connections_within(files, spared, threads), connections, "{files} files");
        }
    }
}
