//! `rialto serve` as a process of its own, to be killed.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::support::ground::Ground;

/// A server that does not answer so long has gone.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A running server.
pub struct Server {
    child: Child,
    base: String,
    client: reqwest::Client,
    /// From its start until it said that it was ready.
    pub ready_after: Duration,
}

/// An answer that came whole; `None` is: whether anything was done is unknown.
pub type Answer = Option<(u16, String)>;

impl Server {
    /// Starts one and waits until it is ready, or has died on the way.
    pub async fn start(ground: &Ground, environment: &[(&str, &str)]) -> Self {
        Self::start_with(ground, environment, Command::new(env!("CARGO_BIN_EXE_rialto"))).await
    }

    /// The same, where it may open so many files at most.
    pub async fn start_with_files(ground: &Ground, files: u32) -> Self {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_rialto"));
        Self::start_with(ground, &[("RIALTO_HTTP_THREADS", "2")], command).await
    }

    async fn start_with(
        ground: &Ground,
        environment: &[(&str, &str)],
        mut command: Command,
    ) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        command
            .arg("serve")
            .env("RIALTO_LISTEN", &address)
            .env("RIALTO_DATA_DIR", &ground.config.data_dir)
            .env("RIALTO_LOG", std::env::var("RIALTO_LOG").unwrap_or("off".to_owned()))
            .envs(environment.iter().copied())
            .stdout(Stdio::null());
        if let Some(url) = &ground.config.database.url {
            command.env("DATABASE_URL", url.expose_secret());
        }
        let begun = Instant::now();
        let child = command.spawn().unwrap();
        // Kept for less long than the server keeps them, or it closes one that is just being used.
        let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(5));
        let client = client.timeout(ANSWER_MAX).build().unwrap();
        let base = format!("http://{address}");
        let mut server = Self { child, base, client, ready_after: Duration::ZERO };
        server.ready_after = server.wait_until_ready(begun).await;
        server
    }

    /// How long after an instant it was ready.
    pub async fn wait_until_ready(&mut self, since: Instant) -> Duration {
        loop {
            let ready = self.client.get(format!("{}/health/ready", self.base)).send().await;
            if ready.is_ok_and(|ready| ready.status() == 200) || self.has_ended().is_some() {
                return since.elapsed();
            }
            assert!(since.elapsed() < Duration::from_secs(20), "the server does not get ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    /// Its resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// How many files it has open.
    pub fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// `kill -9`, while others are still using it.
    pub fn kill(&self) {
        self.signal("KILL");
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Keeps it from doing anything at all.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").arg("-c").arg(script).status().unwrap().success());
    }

    /// POST under an idempotency key.
    pub async fn post_once(&self, key: &str, once: &str, path: &str, body: &Value) -> Answer {
        let request = self.client.request(Method::POST, format!("{}{path}", self.base));
        let request = request.header("X-Api-Key", key).header("Idempotency-Key", once).json(body);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        response.text().await.ok().map(|text| (status, text))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
