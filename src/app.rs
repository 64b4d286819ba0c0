//! The whole application, wired: tests build exactly this.

mod server;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;

use crate::config::Config;
use crate::db::audit::Check;
use crate::db::{Db, DbOptions, Environment, Outcome, Scope, statistics};
use crate::kernel::Clock;
use crate::mail::Transport;
use crate::outbox::{Handlers, Listeners, Worker};
use crate::parties::departure::Obligations;
use crate::payments::ops::called_off;
use crate::payments::providers::{Provider, Sandbox};
use crate::web::idempotency::InFlight;
use crate::web::state::Shared;
use crate::{
    accounts, admission, catalog, db, inventory, mail, outbox, parties, payments, tickets,
};

/// Measurements are summed up so often.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// The use of keys is written down so often.
const NOTE_USES_EVERY: Duration = Duration::from_secs(30);

/// A server that is ready to run.
pub struct Application {
    server: Server,
    address: SocketAddr,
    db: Db,
    worker: Worker,
    ready: Arc<AtomicBool>,
    metrics: PrometheusHandle,
    config: Config,
}

/// Stops a running application.
#[derive(Clone)]
pub struct Stopper {
    server: ServerHandle,
    ready: Arc<AtomicBool>,
    delay: Duration,
}

/// What lies outside and tests put something else in place of.
pub struct Outside {
    /// The clock, which somebody else may hold too.
    pub clock: Clock,
    /// Who takes the money.
    pub provider: fn(Db) -> Arc<dyn Provider>,
}

impl Default for Outside {
    fn default() -> Self {
        Self { clock: Clock::default(), provider: |db| Arc::new(Sandbox::new(db)) }
    }
}

/// A database with everything the slices need, without HTTP: what the operator's commands use.
pub fn open(config: &Config, clock: Clock) -> anyhow::Result<Db> {
    config.sales.check()?;
    config.make_data_dir()?;
    let url = config.database_url()?;
    let ran = db::migrate(&url)?;
    if !ran.is_empty() {
        tracing::info!(migrations = ran.join(", "), "the database was migrated");
    }
    let key = db::server_key(config.database.secret_key.as_ref(), &url, &config.data_dir)?;
    let environment = Environment::new(clock, Arc::new(inventory::Counters))
        .with(key)
        .with(InFlight::default())
        .with(parties::Known::default())
        .with(parties::ops::OwnRates(catalog::ops::rates::is_own))
        .with(accounts::Known::default())
        .with(accounts::Throttle::default())
        .with(accounts::Passwords::start(config.http.hash_threads())?)
        .with(catalog::Quotes::default())
        .with(Obligations(vec![
            catalog::ops::events::published_events,
            payments::ops::obligations::open_payments,
            payments::ops::obligations::unrefunded_payments,
            payments::ops::obligations::pending_refunds,
        ]))
        .with(Listeners(vec![
            payments::ops::called_off::on_change,
            mail::on_change,
            mail::called_off::on_change,
        ]));
    let (readers, writers) = (config.database.readers, config.database.writers);
    Db::open(&DbOptions { url, readers, writers }, environment)
}

/// The invariants of all slices.
pub fn checks() -> Vec<Check> {
    [
        parties::checks(),
        accounts::checks(),
        inventory::checks(),
        catalog::checks(),
        tickets::checks(),
        payments::checks(),
        admission::checks(),
        mail::checks(),
        outbox::checks(),
    ]
    .concat()
}

impl Application {
    /// Migrates and opens the database, binds the port, wires everything. Nothing runs yet.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::build_with(config, Outside::default()).await
    }

    /// The same with another outside world.
    pub async fn build_with(config: Config, outside: Outside) -> anyhow::Result<Self> {
        let Outside { clock, provider } = outside;
        let opening = config.clone();
        let db = tokio::task::spawn_blocking(move || open(&opening, clock)).await??;
        let provider = provider(db.clone());
        let transport = Transport::from_config(&config)?;
        let worker = Worker::new(db.clone(), handlers(transport, provider.clone()));
        let ready = Arc::new(AtomicBool::new(true));
        let metrics = recorder();
        let state = web::Data::new(Shared {
            db: db.clone(),
            authenticators: vec![
                Box::new(parties::KeyAuthenticator),
                Box::new(accounts::SessionAuthenticator),
            ],
            sales: config.sales.clone(),
            http: config.http.clone(),
            ready: ready.clone(),
            metrics: metrics.clone(),
        });
        let (server, address) = server::bind(&config, state, web::Data::from(provider))?;
        Ok(Self { server, address, db, worker, ready, metrics, config })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Its worker, to be run by hand where the configuration does not run it.
    pub fn worker(&self) -> Worker {
        self.worker.clone()
    }

    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        let delay = Duration::from_secs(self.config.http.stop_delay_seconds);
        Stopper { server: self.server.handle(), ready: self.ready.clone(), delay }
    }

    /// Runs until stopped. Requests in progress are answered and jobs in hand are finished.
    pub async fn run(self) -> anyhow::Result<()> {
        let (stop, stopped) = watch::channel(false);
        let runs = self.config.worker;
        let worker = self.worker;
        let working = tokio::spawn(async move {
            if runs {
                worker.run(stopped).await;
            }
        });
        let measuring = tokio::spawn(keep_measurements_small(self.metrics));
        let noting = tokio::spawn(note_uses(self.db.clone()));
        let looking = tokio::spawn(statistics::look_first(self.db.clone()));
        tracing::info!(address = %self.address, "listening");
        self.server.await?;
        stop.send_replace(true);
        working.await?;
        measuring.abort();
        noting.abort();
        looking.abort();
        // What the last half minute has seen is told too.
        if let Err(error) = parties::ops::note_uses(&self.db).await {
            tracing::warn!(code = error.code(), "the use of keys could not be noted");
        }
        tracing::info!("stopped");
        Ok(())
    }
}

impl Stopper {
    /// Says "not ready", waits for load balancers to notice, closes the door, drains.
    pub async fn stop(self) {
        self.ready.store(false, Ordering::SeqCst);
        tokio::time::sleep(self.delay).await;
        self.server.stop(true).await;
    }
}

/// Who does which job, and what is looked after by the clock.
fn handlers(transport: Transport, provider: Arc<dyn Provider>) -> Handlers {
    let transport = Arc::new(transport);
    let (letters, invitations) = (transport.clone(), transport.clone());
    let offers = transport.clone();
    let (refunding, confirming, waiting) = (provider.clone(), provider.clone(), provider.clone());
    Handlers::default()
        .on(
            mail::FAN_OUT,
            Arc::new(|db, job| Box::pin(async move { mail::ops::fan_out(&db, job).await })),
        )
        .on(
            mail::called_off::CALLED_OFF,
            Arc::new(|db, job| {
                Box::pin(async move { mail::called_off::write_page(&db, job).await })
            }),
        )
        .on(
            mail::DELIVER,
            Arc::new(move |db, job| {
                let transport = transport.clone();
                Box::pin(async move { mail::ops::deliver(&db, &transport, job).await })
            }),
        )
        .on(
            accounts::ops::letters::LETTER,
            Arc::new(move |db, job| {
                let transport = letters.clone();
                Box::pin(async move { mail::accounts::letter(&db, &transport, job).await })
            }),
        )
        .on(
            accounts::ops::letters::INVITATION,
            Arc::new(move |db, job| {
                let transport = invitations.clone();
                Box::pin(async move { mail::accounts::invitation(&db, &transport, job).await })
            }),
        )
        .on(
            parties::ops::OFFERED,
            Arc::new(|db, job| Box::pin(async move { mail::partners::fan_out(&db, job).await })),
        )
        .on(
            mail::partners::TELL,
            Arc::new(move |db, job| {
                let transport = offers.clone();
                Box::pin(async move { mail::partners::tell(&db, &transport, job).await })
            }),
        )
        .on(
            called_off::CANCEL_FOR_EVENT,
            Arc::new(|db, job| {
                Box::pin(async move { called_off::cancel_for_event(&db, &job.payload).await })
            }),
        )
        .on(
            called_off::REFUND_EVENT,
            Arc::new(|db, job| {
                Box::pin(async move { called_off::refund_for_event(&db, &job.payload).await })
            }),
        )
        .on(
            payments::ops::refund::REFUND,
            Arc::new(move |db, job| {
                let provider = refunding.clone();
                let ask = payments::ops::refund::ask;
                Box::pin(async move { ask(&db, provider.as_ref(), &job.payload).await })
            }),
        )
        .sweep(Arc::new(|db| Box::pin(async move { payments::ops::end::sweep(&db).await })))
        .sweep(Arc::new(move |db| {
            let provider = provider.clone();
            Box::pin(
                async move { payments::ops::pay::ask_about_stale(&db, provider.as_ref()).await },
            )
        }))
        .sweep(Arc::new(move |db| {
            let provider = waiting.clone();
            let ask = payments::ops::refund::ask_about_stale;
            Box::pin(async move { ask(&db, provider.as_ref()).await })
        }))
        .sweep(Arc::new(move |db| {
            let provider = confirming.clone();
            Box::pin(
                async move { payments::ops::pay::confirm_unsure(&db, provider.as_ref()).await },
            )
        }))
        .sweep(Arc::new(|db| Box::pin(async move { inventory::ops::fold_sales(&db).await })))
        .sweep(Arc::new(|db| Box::pin(async move { forget_old_keys(&db).await })))
        .sweep(Arc::new(|db| Box::pin(async move { accounts::ops::sweep(&db).await })))
}

/// Idempotency keys past their retention.
async fn forget_old_keys(db: &Db) -> crate::kernel::Result<usize> {
    let scope = Scope::platform("forgetting idempotency keys past their retention");
    let any = db.read(&scope, crate::web::idempotency::any_old).await?;
    if !any {
        return Ok(0);
    }
    let write = db.write(&scope, |tx| Ok(Outcome::Done(crate::web::idempotency::sweep(tx)?)));
    Ok(write.await?.into_inner())
}

/// Which keys are in use, written down now and then: a key's use is worth no write of its own.
async fn note_uses(db: Db) {
    loop {
        tokio::time::sleep(NOTE_USES_EVERY).await;
        if let Err(error) = parties::ops::note_uses(&db).await {
            tracing::warn!(code = error.code(), "the use of keys could not be noted");
        }
    }
}

/// Samples are kept until somebody reads them or sums them up.
async fn keep_measurements_small(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(MEASURE_EVERY).await;
        metrics.run_upkeep();
    }
}

/// The process has one recorder, however many applications it builds.
fn recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Fails only where somebody else's counts, of which there is none.
        let _installed = metrics::set_global_recorder(recorder);
        handle
    };
    HANDLE.get_or_init(install).clone()
}
