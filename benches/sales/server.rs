//! `rialto serve`, as a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, get};
use crate::world::World;

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    /// From its start until it was ready.
    pub ready_after: Duration,
}

impl Server {
    /// Starts one over a world's database.
    pub async fn start(world: &World) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        command
            .arg("serve")
            .env("RIALTO_LISTEN", &address)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.env("RIALTO_DATA_DIR", &world.config.data_dir);
        if let Some(url) = &world.config.database.url {
            command.env("DATABASE_URL", secrecy::ExposeSecret::expose_secret(url));
        }
        let begun = Instant::now();
        let child = command.spawn().unwrap();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server does not start");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut client = Client::connect(&address).await;
        let (status, body) = client.send(&get("/health/ready", "none")).await;
        assert_eq!(status, 200, "{body}");
        Self { child, address, ready_after: begun.elapsed() }
    }

    /// Its resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        let status = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(status).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
