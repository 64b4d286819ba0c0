//! How many connections there may be; whoever keeps one without using it is sent away.
//!
//! actix-web limits how long the first head of a connection may take, and how long a connection may
//! be silent between two requests; a second head that comes a byte at a time is limited by neither.
//! So each connection is looked at now and then: one on which no request has been going on for
//! longer than a silent one is kept is shut.

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::web::Bytes;

/// A connection without a request is shut after so long.
pub const UNUSED_MAX: Duration = Duration::from_secs(11);
/// Connections of an HTTP thread.
const OF_A_THREAD_MAX: usize = 2000;
/// Files a connection has open: it is held by actix and by who watches it.
const FILES_OF_EACH: usize = 2;
/// Files left to everything else: the database, letters, webhooks, the provider.
const FILES_SPARED: usize = 128;
/// A connection is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many connections each of so many threads may keep; further ones wait to be accepted.
///
/// Lets the process open as many files as it may ask for, since a soft limit of 1,024 is usual, and
/// keeps connections from taking the files that the database needs.
pub fn max_of_each(threads: usize) -> std::io::Result<usize> {
    let files = rlimit::increase_nofile_limit(u64::MAX)?;
    let files = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(FILES_SPARED);
    let max = (files / FILES_OF_EACH / threads).clamp(1, OF_A_THREAD_MAX);
    if max < OF_A_THREAD_MAX {
        tracing::warn!(connections = max * threads, "few files may be open (ulimit -n)");
    }
    Ok(max)
}

/// A connection of this server; it lives as long as actix keeps it.
struct Connection {
    socket: TcpStream,
    requests: Cell<u32>,
    unused_since: Cell<Instant>,
}

/// A request that is going on; until it is dropped its connection is in use.
pub struct InUse(Option<Rc<Connection>>);

/// Watches a new connection; to be handed to `HttpServer::on_connect`.
pub fn watch(io: &dyn Any, data: &mut Extensions) {
    let Some(stream) = io.downcast_ref::<actix_web::rt::net::TcpStream>() else {
        return;
    };
    // Without another handle it is not watched: no reason to refuse it.
    let Ok(socket) = stream.as_fd().try_clone_to_owned().map(TcpStream::from) else {
        return;
    };
    let (requests, unused_since) = (Cell::new(0), Cell::new(Instant::now()));
    let connection = Rc::new(Connection { socket, requests, unused_since });
    actix_web::rt::spawn(shut_when_unused(Rc::downgrade(&connection)));
    data.insert(connection);
}

async fn shut_when_unused(connection: Weak<Connection>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(connection) = connection.upgrade() else {
            return;
        };
        let unused = connection.requests.get() == 0;
        if unused && connection.unused_since.get().elapsed() > UNUSED_MAX {
            // It may be gone already.
            let _gone = connection.socket.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// A body during which its connection is in use: whoever reads slowly is no slow sender.
pub struct Guarded {
    body: BoxBody,
    _in_use: InUse,
}

impl Guarded {
    /// A body and what keeps its connection.
    pub fn new(body: BoxBody, in_use: InUse) -> Self {
        Self { body, _in_use: in_use }
    }
}

impl MessageBody for Guarded {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Notes that a request is going on.
pub fn in_use(request: &ServiceRequest) -> InUse {
    let connection = request.request().conn_data::<Rc<Connection>>().cloned();
    if let Some(connection) = &connection {
        connection.requests.set(connection.requests.get() + 1);
    }
    InUse(connection)
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.requests.set(connection.requests.get().saturating_sub(1));
            connection.unused_since.set(Instant::now());
        }
    }
}
