//! The production application, built as `main` builds it, with a movable clock.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Method;
use rialto::app::{Application, Stopper, checks};
use rialto::config::Config;
use rialto::db::{Backend, DatabaseUrl, Db, Scope, audit, migrate};
use rialto::kernel::Clock;
use rialto::outbox::Worker;
use serde_json::Value;

use super::cluster::cluster;
use super::seed::{self, Seed};

/// What a test wants different.
#[derive(Default, Clone)]
pub struct Options {
    /// Run the worker in the background instead of by hand.
    pub worker: bool,
    /// A mail server.
    pub smtp_url: Option<String>,
    /// Changes to the configuration.
    pub configure: Option<fn(&mut Config)>,
}

/// An application under test.
pub struct TestApp {
    /// `http://127.0.0.1:port`.
    pub base: String,
    /// Which database it is on.
    pub backend: Backend,
    /// Two organizations, two channels, their keys.
    pub seed: Seed,
    pub clock: Clock,
    pub config: Config,
    db: Db,
    worker: Worker,
    client: reqwest::Client,
    stopper: Stopper,
    running: actix_web::rt::task::JoinHandle<anyhow::Result<()>>,
    database: Option<String>,
    data: tempfile::TempDir,
    finished: std::cell::Cell<bool>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Reply {
    /// The error code.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    /// The object of a success.
    #[track_caller]
    pub fn data(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        &self.body["data"]
    }

    /// Expects an error.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        &self.body["error"]
    }

    /// The fields at fault, in order.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["error"]["errors"].as_array();
        errors.into_iter().flatten().filter_map(|fault| fault["field"].as_str()).collect()
    }
}

/// A migrated SQLite file to copy.
fn sqlite_template() -> &'static PathBuf {
    static TEMPLATE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, file) = TEMPLATE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("template.sqlite3");
        migrate(&DatabaseUrl::Sqlite(file.clone())).unwrap();
        (directory, file)
    });
    file
}

impl TestApp {
    /// Builds and starts one.
    pub async fn spawn(backend: Backend, options: Options) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = rialto::commands::default_config().unwrap();
        config.data_dir = data.path().to_owned();
        config.http.listen = "127.0.0.1:0".parse().unwrap();
        config.http.http_threads = Some(2);
        config.http.drain_seconds = 2;
        config.worker = options.worker;
        config.mail.smtp_url = options.smtp_url.map(Into::into);
        config.log.log = std::env::var("RIALTO_LOG").unwrap_or("off".to_owned());
        config.log.install().unwrap();
        let mut database = None;
        config.database.url = match backend {
            Backend::Sqlite => {
                std::fs::copy(sqlite_template(), data.path().join("rialto.sqlite3")).unwrap();
                None
            }
            Backend::Postgres => {
                let cluster = cluster().unwrap();
                let name = cluster.create();
                let url = cluster.url(&name);
                database = Some(name);
                Some(url.into())
            }
        };
        if let Some(configure) = options.configure {
            configure(&mut config);
        }
        let clock = Clock::default();
        let application =
            Application::build_with(config.clone(), clock.clone()).await.expect("must start");
        let (db, worker) = (application.db().clone(), application.worker());
        let (stopper, base) = (application.stopper(), format!("http://{}", application.address()));
        let running = actix_web::rt::spawn(application.run());
        let seed = seed::seed(&db).await;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let finished = std::cell::Cell::new(false);
        Self {
            base,
            backend,
            seed,
            clock,
            config,
            db,
            worker,
            client,
            stopper,
            running,
            database,
            data,
            finished,
        }
    }

    /// Its database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// A raw request builder for a path.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.execute(request.build().unwrap()).await
    }

    /// Sends a built request and reads the answer.
    pub async fn execute(&self, request: reqwest::Request) -> Reply {
        let response = self.client.execute(request).await.expect("no answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("no body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        assert!(status < 500 || status == 503, "{status}: {text}");
        assert!(headers.contains_key("x-request-id"), "every response carries its id");
        Reply { status, body, text, headers }
    }

    /// GET with a key.
    pub async fn get(&self, key: &str, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).header("X-Api-Key", key)).await
    }

    /// POST with a key.
    pub async fn post(&self, key: &str, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).header("X-Api-Key", key).json(&body)).await
    }

    /// PATCH with a key.
    pub async fn patch(&self, key: &str, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).header("X-Api-Key", key).json(&body)).await
    }

    /// POST with a key and an idempotency key.
    pub async fn post_once(&self, key: &str, once: &str, path: &str, body: Value) -> Reply {
        let request = self.request(Method::POST, path).header("X-Api-Key", key);
        self.send(request.header("Idempotency-Key", once).json(&body)).await
    }

    /// Does all work that is due at the current clock.
    pub async fn drain(&self) {
        self.worker.run_until_idle().await.expect("the worker failed");
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u32) {
        self.clock.advance_millis(seconds * 1000);
    }

    /// The invariants that are broken.
    pub async fn audit(&self) -> Vec<audit::Broken> {
        let scope = Scope::platform("the tests' audit");
        self.db.read(&scope, |tx| audit::run(tx, &checks())).await.unwrap()
    }

    /// Captured mails, in no order.
    pub fn captured(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data.path().join("mail")).into_iter().flatten();
        files.flatten().map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
    }

    /// Stops the server; the database stays.
    pub async fn stop(&self) {
        self.stopper.clone().stop().await;
    }

    /// Drains, audits, stops and removes it.
    pub async fn finish(self) {
        self.drain().await;
        assert_eq!(self.audit().await, Vec::new());
        self.finished.set(true);
        self.stopper.clone().stop().await;
        let Self { running, database, db, worker, .. } = &self;
        let _ = (db, worker, running);
        if let Some(name) = database.clone() {
            cluster().unwrap().remove(&name);
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !self.finished.get() && !std::thread::panicking() {
            panic!("a test must end with finish()");
        }
    }
}
