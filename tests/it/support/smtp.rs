//! A real SMTP listener that keeps what it is sent.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use mailin_embedded::{Handler, Response, Server, SslConfig, response};

/// A mail as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub to: Vec<String>,
    pub data: String,
}

/// A listener.
#[derive(Clone)]
pub struct Smtp {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

#[derive(Clone)]
struct Keeper {
    current: Received,
    bytes: Vec<u8>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Handler for Keeper {
    fn rcpt(&mut self, to: &str) -> Response {
        self.current.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let mut mail = std::mem::take(&mut self.current);
        mail.data = String::from_utf8_lossy(&std::mem::take(&mut self.bytes)).into_owned();
        self.received.lock().unwrap().push(mail);
        response::OK
    }
}

impl Smtp {
    /// Listens on a free port for the rest of the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let keeper =
            Keeper { current: Received::default(), bytes: Vec::new(), received: received.clone() };
        let mut server = Server::new(keeper);
        server.with_name("mail.test").with_ssl(SslConfig::None).unwrap();
        server.with_tcp_listener(listener);
        std::thread::spawn(move || server.serve().map_err(|error| error.to_string()));
        Self { url, received }
    }

    /// What has arrived.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}
