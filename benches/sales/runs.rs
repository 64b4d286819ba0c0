//! What is measured in each setting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deserr::deserialize;
use rialto::config::SalesSettings;
use rialto::db::{Db, Outcome, Tx};
use rialto::kernel::Mode;
use rialto::kernel::ids::Id;
use rialto::kernel::input::Faults;
use rialto::outbox::{Handlers, Worker};
use rialto::payments::input::NewPayment;
use rialto::payments::ops::create::create;
use rialto::web::idempotency::{self, Claim, Name};
use rialto::web::{Answer, Reply};
use serde_json::{Value, json};

use crate::Options;
use crate::bare::{self, Manner, Texts};
use crate::client::{Client, get, post};
use crate::cluster::cluster;
use crate::load::{self, Measured};
use crate::proxy::Proxy;
use crate::report::Row;
use crate::server::Server;
use crate::world::{World, open};

/// The settings, each measured in a process of its own.
pub const SETTINGS: [&str; 5] = [
    "SQLite, as the machine is",
    "SQLite, every flush 2 ms slower",
    "PostgreSQL, as the machine is",
    "PostgreSQL, every flush 2 ms slower",
    "PostgreSQL, every flush 2 ms and every round trip 0.5 ms slower",
];
const CONNECTIONS: usize = 16;
const FILLING: usize = 256;
const ROUND_TRIP: Duration = Duration::from_micros(500);

/// Measures a setting.
pub fn setting(name: &str, options: &Options) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut rows = Vec::new();
    for (kind, hot) in [("one hot rate", true), ("100 events of 10 organizations", false)] {
        let table = format!("{name}: {kind}");
        if !table.to_lowercase().contains(&options.only.to_lowercase()) {
            continue;
        }
        eprintln!("{table}");
        let proxy = name.contains("round trip").then(|| {
            let address = cluster().unwrap().url("postgres");
            let host = address.split("host=").nth(1).expect("a server on a socket");
            Proxy::before(host.split('&').next().unwrap().as_ref(), ROUND_TRIP)
        });
        let url = name.starts_with("PostgreSQL").then(|| address(proxy.as_ref()));
        let mut run = runtime.block_on(Run::new(url, options, hot));
        // One table of each database is enough to see what growth does, and takes long enough.
        runtime.block_on(run.everything(hot && name.ends_with("as the machine is")));
        rows.extend(run.rows.into_iter().map(|row| Row { table: table.clone(), ..row }));
    }
    rows
}

/// A new database.
fn address(proxy: Option<&Proxy>) -> String {
    let cluster = cluster().unwrap();
    let name = cluster.create();
    match proxy {
        Some(proxy) => {
            format!("postgres:///{name}?host={}&user=postgres", proxy.directory().display())
        }
        None => cluster.url(&name),
    }
}

struct Run {
    world: World,
    wanted: Vec<NewPayment>,
    options: Options,
    limits: SalesSettings,
    hot: bool,
    rows: Vec<Row>,
}

/// Makes idempotency keys that nobody had.
fn once() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("once-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn body(rate: &str) -> Value {
    json!({"rate_id": rate, "quantity": 1, "metadata": {"user_id": "u-1"},
        "buyer": {"name": "Ana Lopez", "email": "ana@example.com"}})
}

impl Run {
    async fn new(url: Option<String>, options: &Options, hot: bool) -> Self {
        let world = World::new(url).await;
        let wanted = world.offered.iter().map(|offered| read(body(&offered.rate))).collect();
        let limits = rialto::commands::default_config().unwrap().sales;
        Self { world, wanted, options: options.clone(), limits, hot, rows: Vec::new() }
    }

    fn which(&self, client: usize, count: usize) -> usize {
        if self.hot { 0 } else { (client * 7 + count) % self.world.offered.len() }
    }

    fn rate(&self, client: usize, count: usize) -> &str {
        &self.world.offered[self.which(client, count)].rate
    }

    /// A request, read already.
    fn wanted(&self, client: usize, count: usize) -> NewPayment {
        self.wanted[self.which(client, count)].clone()
    }

    fn add(&mut self, measured: &Measured, name: &str, clients: usize, baseline: Option<f64>) {
        let row = Row { baseline, ..measured.row(name, clients) };
        eprintln!("  {name} {clients}: {:.0}/s p50 {} p99 {}", row.rate, row.p50, row.p99);
        self.rows.push(row);
    }

    fn rate_of(&self, name: &str, clients: usize) -> Option<f64> {
        let row = self.rows.iter().rev().find(|row| row.name == name && row.clients == clients);
        row.map(|row| row.rate)
    }

    async fn everything(&mut self, grows: bool) {
        let texts = Texts { payment: self.sample().await };
        let (seconds, hot) = (self.options.seconds, self.hot);
        for (name, connections, per_commit) in
            [("bare", 1, 1), ("bare", CONNECTIONS, 1), ("bare, 64 to a commit", 1, 64)]
        {
            let manner = Manner { connections, per_commit, seconds, hot };
            let measured = bare::run(&self.world, &texts, manner);
            self.add(&measured, name, connections, None);
        }
        let bare = |run: &Self, clients: usize| run.rate_of("bare", clients.min(CONNECTIONS));
        for clients in self.options.clients.clone() {
            let measured = self.path(clients, self.options.seconds).await;
            self.add(&measured, "path", clients, bare(self, clients));
        }
        let server = Server::start(&self.world).await;
        for clients in self.options.clients.clone() {
            let measured = self.http(&server, clients).await;
            self.add(&measured, "http", clients, bare(self, clients));
        }
        self.reads(&server, "").await;
        let note = &mut self.rows.last_mut().unwrap().note;
        if !note.is_empty() {
            *note += "; ";
        }
        *note += &format!(
            "resident {:.0} MB after the load; ready {:.0} ms after its start",
            server.memory(),
            server.ready_after.as_secs_f64() * 1000.0
        );
        drop(server);
        if self.options.payments > 0 && grows {
            self.grown().await;
        }
    }

    /// A payment as it is answered.
    async fn sample(&self) -> String {
        let db = open(&self.world.config).await;
        let (new, limits) = (read(body(self.rate(0, 0))), self.limits.clone());
        let write = move |tx: &mut Tx<'_>| {
            let view = create(tx, &new, &limits)?;
            Ok(Outcome::Done(Answer::created(view)?.body))
        };
        db.write(&self.world.scope(), write).await.unwrap().into_inner()
    }

    /// The write path, as the handler calls it.
    async fn path(&self, clients: usize, seconds: f64) -> Measured {
        let db = open(&self.world.config).await;
        let scope = self.world.scope();
        let (lent, scope) = (&db, &scope);
        let measured = load::run(clients, seconds, |client, mut watch| async move {
            for count in 0.. {
                if !watch.goes_on() {
                    break;
                }
                let new = self.wanted(client, count);
                let begun = Instant::now();
                self.buy(lent, scope, new).await;
                watch.record(begun);
            }
            watch
        })
        .await;
        number(&db).await;
        measured
    }

    async fn buy(&self, db: &Db, scope: &rialto::db::Scope, new: NewPayment) {
        let name =
            Name { tenant: self.world.channel.as_str().to_owned(), mode: Mode::Test, key: once() };
        let claim = Claim { name, fingerprint: "f".repeat(64) };
        let limits = self.limits.clone();
        let write = move |tx: &mut Tx<'_>| {
            idempotency::once(tx, Some(&claim), |tx| {
                let view = create(tx, &new, &limits)?;
                Ok(Outcome::Done(Reply::Good(Answer::created(view)?)))
            })
        };
        db.write_planned(scope, write).await.unwrap();
    }

    async fn http(&self, server: &Server, clients: usize) -> Measured {
        load::run(clients, self.options.seconds, |client, mut watch| async move {
            let mut connection = Client::connect(&server.address).await;
            for count in 0.. {
                if !watch.goes_on() {
                    break;
                }
                let body = body(self.rate(client, count)).to_string();
                let request = post("/v1/payments", &self.world.key, &once(), &body);
                let begun = Instant::now();
                watch.answered(begun, connection.send(&request).await, 201);
            }
            watch
        })
        .await
    }

    async fn reads(&mut self, server: &Server, when: &str) {
        let mut client = Client::connect(&server.address).await;
        let body = body(self.rate(0, 0)).to_string();
        let request = post("/v1/payments", &self.world.key, &once(), &body);
        let (_, answer) = client.send(&request).await;
        let answer: Value = serde_json::from_str(answer).unwrap();
        let payment = format!("/v1/payments/{}", answer["data"]["_id"].as_str().unwrap());
        let reads = [
            ("empty handler", "/health/live"),
            ("GET payment", &payment),
            ("GET 10 events", "/v1/events?limit=10"),
        ];
        for (name, path) in reads {
            for clients in [16, 64] {
                let request = get(path, &self.world.key);
                let measured = repeat(server, clients, self.options.seconds, &request).await;
                let baseline = self.rate_of("empty handler", clients);
                self.add(&measured, &format!("{name}{when}"), clients, baseline);
            }
        }
    }

    /// The same after many more payments, beside what it was before.
    async fn grown(&mut self) {
        let db = open(&self.world.config).await;
        let (scope, target) = (self.world.scope(), self.options.payments);
        let left = AtomicU64::new(target);
        let fill = (0..FILLING).map(|client| {
            let (this, db, scope, left) = (&*self, &db, &scope, &left);
            async move {
                while left.fetch_sub(1, Ordering::Relaxed) as i64 > 0 {
                    let count = left.load(Ordering::Relaxed) as usize;
                    this.buy(db, scope, this.wanted(client, count)).await;
                }
            }
        });
        futures_util::future::join_all(fill).await;
        number(&db).await;
        drop(db);
        let when = format!(", {target} payments");
        let measured = self.path(64, self.options.seconds).await;
        self.add(&measured, &format!("path{when}"), 64, self.rate_of("path", 64));
        let server = Server::start(&self.world).await;
        let measured = self.http(&server, 64).await;
        self.add(&measured, &format!("http{when}"), 64, self.rate_of("http", 64));
        self.reads(&server, &when).await;
    }
}

/// Does what a worker would have done, so that no server does it while it is measured.
async fn number(db: &Db) {
    Worker::new(db.clone(), Handlers::default()).run_until_idle().await.unwrap();
}

async fn repeat(server: &Server, clients: usize, seconds: f64, request: &str) -> Measured {
    load::run(clients, seconds, |_, mut watch| async move {
        let mut connection = Client::connect(&server.address).await;
        while watch.goes_on() {
            let begun = Instant::now();
            watch.answered(begun, connection.send(request).await, 200);
        }
        watch
    })
    .await
}

fn read(body: Value) -> NewPayment {
    deserialize::<NewPayment, _, Faults>(body).unwrap()
}
