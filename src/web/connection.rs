//! Sends away whoever keeps a connection without using it.
//!
//! actix-web limits how long the first head of a connection may take, and how long a connection may
//! be silent between two requests. It limits neither a second head that comes a byte at a time nor
//! an answer that nobody reads. So each connection is looked at now and then. One on which no
//! request has been going on for longer than a silent one is kept is shut, and so is one that takes
//! nothing of its answer.

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::web::Bytes;

/// A connection without a request is shut after so long.
pub const UNUSED_MAX: Duration = Duration::from_secs(11);
/// A client that takes nothing of its answer for so long is not reading it (as with nginx, whose
/// `send_timeout` is longer).
const UNREAD_MAX: Duration = Duration::from_secs(30);
/// Bodies are handed out in pieces of so many bytes: what one connection can have waiting.
pub const PIECE: usize = 32 * 1024;
/// A connection is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A connection of this server; it lives as long as actix keeps it.
struct Connection {
    socket: TcpStream,
    requests: Cell<u32>,
    unused_since: Cell<Instant>,
    /// Since when the answer that is being sent has not got on.
    stuck_since: Cell<Option<Instant>>,
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
    let stuck_since = Cell::new(None);
    let connection = Rc::new(Connection { socket, requests, unused_since, stuck_since });
    actix_web::rt::spawn(shut_when_abused(Rc::downgrade(&connection)));
    data.insert(connection);
}

async fn shut_when_abused(connection: Weak<Connection>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(connection) = connection.upgrade() else {
            return;
        };
        let unused =
            connection.requests.get() == 0 && connection.unused_since.get().elapsed() > UNUSED_MAX;
        let unread = connection.stuck_since.get().is_some_and(|at| at.elapsed() > UNREAD_MAX);
        if unused || unread {
            // It may be gone already.
            let _gone = connection.socket.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// A body during which its connection is in use, handed out piece by piece.
pub struct Guarded {
    body: BoxBody,
    rest: Bytes,
    in_use: InUse,
}

impl Guarded {
    /// A body and what keeps its connection.
    pub fn new(body: BoxBody, in_use: InUse) -> Self {
        in_use.gets_on();
        Self { body, rest: Bytes::new(), in_use }
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
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        self.in_use.gets_on();
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(self.rest.split_to(piece))))
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

impl InUse {
    /// Notes that an answer is being sent and gets on.
    fn gets_on(&self) {
        if let Some(connection) = &self.0 {
            connection.stuck_since.set(Some(Instant::now()));
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.requests.set(connection.requests.get().saturating_sub(1));
            connection.unused_since.set(Instant::now());
            connection.stuck_since.set(None);
        }
    }
}
