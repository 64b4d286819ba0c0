//! The production application, built as `main` builds it, with a movable clock.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use rialto::app::{Application, Outside, Stopper, checks};
use rialto::config::Config;
use rialto::db::{Backend, Db, audit};
use rialto::kernel::Clock;
use rialto::outbox::Worker;
use rialto::payments::providers::Provider;
use serde_json::Value;

use super::ground::Ground;
use super::seed::{self, Seed};

/// What a test wants different.
#[derive(Clone)]
pub struct Options {
    /// Run the worker in the background instead of by hand.
    pub worker: bool,
    /// A mail server.
    pub smtp_url: Option<String>,
    /// Changes to the configuration.
    pub configure: Option<fn(&mut Config)>,
    /// A clock that others hold too.
    pub clock: Clock,
    /// Who takes the money.
    pub provider: fn(Db) -> Arc<dyn Provider>,
}

impl Default for Options {
    fn default() -> Self {
        let provider = Outside::default().provider;
        let clock = Clock::default();
        Self { worker: false, smtp_url: None, configure: None, clock, provider }
    }
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
    ground: Arc<Ground>,
    db: Db,
    worker: Worker,
    client: reqwest::Client,
    stopper: Stopper,
    _running: actix_web::rt::task::JoinHandle<anyhow::Result<()>>,
    finished: Cell<bool>,
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

impl TestApp {
    /// Builds and starts one on a database of its own.
    pub async fn spawn(backend: Backend, options: Options) -> Self {
        Self::open(Arc::new(Ground::new(backend)), None, options).await
    }

    /// Builds and starts one on a database that may have been used before.
    pub async fn open(ground: Arc<Ground>, seed: Option<Seed>, options: Options) -> Self {
        let mut config = ground.config.clone();
        config.worker = options.worker;
        config.mail.smtp_url = options.smtp_url.map(Into::into);
        if let Some(configure) = options.configure {
            configure(&mut config);
        }
        let clock = options.clock;
        let outside = Outside { clock: clock.clone(), provider: options.provider };
        let application =
            Application::build_with(config.clone(), outside).await.expect("must start");
        let (db, worker) = (application.db().clone(), application.worker());
        let (stopper, base) = (application.stopper(), format!("http://{}", application.address()));
        let running = actix_web::rt::spawn(application.run());
        let seed = match seed {
            Some(seed) => seed,
            None => seed::seed(&db).await,
        };
        // Kept for less long than the server keeps them (10 s, or 5 s before their first request),
        // or it closes one that is just being used.
        let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(3));
        let client = client.timeout(Duration::from_secs(20)).build().unwrap();
        Self {
            base,
            backend: ground.backend,
            seed,
            clock,
            config,
            ground,
            db,
            worker,
            client,
            stopper,
            _running: running,
            finished: Cell::new(false),
        }
    }

    /// What it stands on.
    pub fn ground(&self) -> Arc<Ground> {
        self.ground.clone()
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
        let url = self.config.database_url().unwrap();
        tokio::task::spawn_blocking(move || audit::run(&url, &checks()).unwrap()).await.unwrap()
    }

    /// Captured mails, in no order.
    pub fn captured(&self) -> Vec<String> {
        self.ground.captured()
    }

    /// Stops it without a look at its books, which the test itself has confused.
    pub async fn abandon(self) {
        self.finished.set(true);
        self.stop().await;
    }

    /// Stops the server; the database stays.
    pub async fn stop(&self) {
        self.stopper.clone().stop().await;
    }

    /// Drains, audits and stops it. What it stood on is removed with its last server.
    pub async fn finish(self) {
        self.drain().await;
        assert_eq!(self.audit().await, Vec::new());
        self.finished.set(true);
        self.stop().await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !self.finished.get() && !std::thread::panicking() {
            panic!("a test must end with finish()");
        }
    }
}
