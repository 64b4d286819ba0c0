//! Many clients for some seconds.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::runtime::Handle;

use crate::report::Row;

/// Not counted: connections open, caches fill.
const WARM_UP: Duration = Duration::from_millis(500);

/// Latencies of what ended within the measured time.
pub struct Measured {
    micros: Vec<u32>,
    elapsed: Duration,
}

impl Measured {
    /// Puts the figures of several clients together.
    pub fn of(clients: Vec<Vec<u32>>, elapsed: Duration) -> Self {
        let mut micros = clients.concat();
        micros.sort_unstable();
        Self { micros, elapsed }
    }

    /// As a row.
    pub fn row(&self, name: &str, clients: usize) -> Row {
        let at = |share: f64| {
            let index = (self.micros.len() as f64 * share) as usize;
            self.micros.get(index.min(self.micros.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        Row {
            name: name.to_owned(),
            clients,
            rate: self.micros.len() as f64 / self.elapsed.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            ..Row::default()
        }
    }
}

/// A stopwatch of one client.
pub struct Watch {
    begin: Instant,
    end: Instant,
    micros: Vec<u32>,
}

impl Watch {
    /// Starts with a warm-up.
    pub fn new(seconds: f64) -> Self {
        let begin = Instant::now() + WARM_UP;
        Self { begin, end: begin + Duration::from_secs_f64(seconds), micros: Vec::new() }
    }

    /// Whether there is time for another one.
    pub fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    /// One more, begun then.
    pub fn record(&mut self, begun: Instant) {
        let now = Instant::now();
        if begun >= self.begin && now <= self.end {
            self.micros.push(u32::try_from((now - begun).as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// What was seen.
    pub fn micros(self) -> Vec<u32> {
        self.micros
    }
}

/// Runs clients, each doing one thing after the other, on as many threads as there are cores.
pub async fn run<F, Fut>(clients: usize, seconds: f64, client: F) -> Measured
where
    F: Fn(usize, Watch) -> Fut + Sync,
    Fut: Future<Output = Watch>,
{
    let runtime = Handle::current();
    let threads = thread::available_parallelism().unwrap().get().min(clients);
    let seen = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let (runtime, client) = (&runtime, &client);
                scope.spawn(move || {
                    let mine = (thread..clients).step_by(threads);
                    let all = mine.map(|index| client(index, Watch::new(seconds)));
                    runtime.block_on(join_all(all))
                })
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).map(Watch::micros).collect()
    });
    Measured::of(seen, Duration::from_secs_f64(seconds))
}
