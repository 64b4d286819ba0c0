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
    refused: u32,
    elapsed: Duration,
}

impl Measured {
    /// Puts the figures of several clients together.
    pub fn of(clients: Vec<Watch>, elapsed: Duration) -> Self {
        let refused = clients.iter().map(|watch| watch.refused).sum();
        let mut micros: Vec<u32> = clients.into_iter().flat_map(|watch| watch.micros).collect();
        micros.sort_unstable();
        Self { micros, refused, elapsed }
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
            note: match self.refused {
                0 => String::new(),
                refused => format!("{refused} refused as too many"),
            },
            ..Row::default()
        }
    }
}

/// A stopwatch of one client.
pub struct Watch {
    begin: Instant,
    end: Instant,
    micros: Vec<u32>,
    refused: u32,
}

impl Watch {
    /// Starts with a warm-up.
    pub fn new(seconds: f64) -> Self {
        let begin = Instant::now() + WARM_UP;
        Self {
            begin,
            end: begin + Duration::from_secs_f64(seconds),
            micros: Vec::new(),
            refused: 0,
        }
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

    /// An answer that came: counted among the others, or as refused when the server had no time
    /// for it, which the row then says.
    pub fn answered(&mut self, begun: Instant, (status, body): (u16, &str), good: u16) {
        if status == 503 {
            self.refused += 1;
        } else {
            assert_eq!(status, good, "{body}");
            self.record(begun);
        }
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
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    Measured::of(seen, Duration::from_secs_f64(seconds))
}
