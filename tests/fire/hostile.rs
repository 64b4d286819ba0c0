//! Hostile clients (R14): slow, silent, many, large and deep. They are sent away, and nobody else
//! notices.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::play::{play_servers, scaled};
use crate::server::Server;
use crate::support::ground::Ground;
use crate::support::{Backend, Options};

/// Whoever says nothing sensible is sent away within this.
const PATIENCE: Duration = Duration::from_secs(15);
/// And the slack of a busy machine.
const SLACK: Duration = Duration::from_secs(2);
/// What the server may need more for all of them together, in megabytes.
const MEMORY_MAX_MB: f64 = 100.0;
/// Rounds in which the figures may settle: the machine is others' too.
const ROUNDS: usize = 3;

/// Clients that connect in the same moment; an on-sale brings them.
const STORM: usize = 400;

/// Files of a server that may not open many, and how many of them connections must leave.
const FILES: u32 = 256;
const FILES_LEFT_MIN: u32 = 64;
/// Connections that would take more than all of them.
const MORE_THAN_FILES: usize = 120;
/// Who reads nothing of an answer is sent away within this.
const READING_PATIENCE: Duration = Duration::from_secs(35);

const HEAD: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hostile {
    /// Sends its head a byte at a time.
    SlowHead,
    /// Sends its body a byte at a time.
    SlowBody,
    /// Sends a good request, then the next one a byte at a time.
    SlowSecond,
    /// Connects, and is silent.
    Idle,
    /// Sends a good request, and is silent.
    IdleSecond,
    /// Sends ten megabytes.
    Large,
}

const ALL: [Hostile; 6] = [
    Hostile::SlowHead,
    Hostile::SlowBody,
    Hostile::SlowSecond,
    Hostile::Idle,
    Hostile::IdleSecond,
    Hostile::Large,
];

impl Hostile {
    /// What it says at once, and what it goes on saying.
    fn opening(self) -> (String, Option<&'static str>) {
        let post = "POST /v1/auth/log-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        match self {
            Self::SlowHead => (HEAD.to_owned(), Some("X")),
            Self::SlowBody => (format!("{post}Content-Length: 5000\r\n\r\n{{"), Some(" ")),
            Self::SlowSecond => (format!("{HEAD}\r\n{HEAD}"), Some("X")),
            Self::Idle => (String::new(), None),
            Self::IdleSecond => (format!("{HEAD}\r\n"), None),
            Self::Large => (format!("{post}Content-Length: 10000000\r\n\r\n"), None),
        }
    }

    /// How long until the server has hung up; `None` when it never does.
    async fn lasts(self, address: &str) -> Option<Duration> {
        let begun = Instant::now();
        let stream = TcpStream::connect(address).await.expect("turned away");
        let (mut reading, mut writing) = stream.into_split();
        let (opening, drop_by_drop) = self.opening();
        let talk = async {
            let _sent = writing.write_all(opening.as_bytes()).await;
            if self == Self::Large {
                let _sent = writing.write_all(&vec![b' '; 10_000_000]).await;
            }
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                if let Some(drop) = drop_by_drop {
                    let _sent = writing.write_all(drop.as_bytes()).await;
                }
            }
        };
        let hear = async {
            let mut buffer = [0; 4096];
            while matches!(reading.read(&mut buffer).await, Ok(1..)) {}
            begun.elapsed()
        };
        tokio::select! {
            lasted = hear => Some(lasted),
            () = talk => None,
            () = tokio::time::sleep(PATIENCE + SLACK) => None,
        }
    }
}

/// The 99th percentile of a good client's requests for some seconds.
async fn good(base: &str, seconds: u64) -> Duration {
    let client = reqwest::Client::new();
    let (begun, mut samples) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let asked = Instant::now();
        let answer = client.get(format!("{base}/v1/auth")).send().await.expect("an answer");
        assert_eq!(answer.status(), 401);
        samples.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    samples.sort();
    samples[(samples.len() - 1) * 99 / 100]
}

#[test]
fn hostile_clients_are_sent_away_and_nobody_notices() {
    play_servers(Backend::Sqlite, || async {
        let ground = Ground::new(Backend::Sqlite);
        let server = Server::start(&ground, &[]).await;
        let address = server.address();
        let base = format!("http://{address}");
        let each = scaled(50, 200);
        let mut ratio = 0.0;
        for _ in 0..ROUNDS {
            let (quiet, before) = (good(&base, 3).await, server.memory());
            let crowd = ALL.iter().flat_map(|kind| std::iter::repeat_n(*kind, each));
            let crowd = crowd.map(|kind| {
                let address = &address;
                async move { (kind, kind.lasts(address).await) }
            });
            let (lasted, busy) = join(join_all(crowd), good(&base, 8)).await;
            let grown = server.memory() - before;
            for kind in ALL {
                let worst = lasted.iter().filter(|(of, _)| *of == kind).map(|(_, l)| *l).max();
                println!("{kind:?}: {worst:?} at worst");
            }
            for (kind, lasted) in lasted {
                assert!(lasted.is_some_and(|l| l < PATIENCE + SLACK), "{kind:?} stays: {lasted:?}");
            }
            assert!(grown < MEMORY_MAX_MB, "{grown} MB more");
            ratio = busy.as_secs_f64() / quiet.as_secs_f64();
            println!("p99 {quiet:?}, in the crowd {busy:?}: {ratio:.2}; {grown:.0} MB more");
            if ratio <= 2.0 {
                return;
            }
        }
        panic!("hostile clients make good ones wait {ratio:.2} times as long");
    });
}

#[test]
fn a_storm_of_connections_waits_at_the_door() {
    play_servers(Backend::Sqlite, || async {
        let ground = Ground::new(Backend::Sqlite);
        let server = Server::start(&ground, &[]).await;
        let address = server.address();
        // Nothing is accepted meanwhile: whoever the kernel does not keep waiting is turned away,
        // or believes itself connected to a server that has never heard of it.
        server.pause();
        let connecting = (0..STORM).map(|_| async {
            let connected = tokio::time::timeout(SLACK, TcpStream::connect(&address)).await;
            connected.expect("no room at the door (net.core.somaxconn?)").expect("turned away")
        });
        let streams = join_all(connecting).await;
        server.resume();
        let answers = streams.into_iter().map(|mut stream| async move {
            stream.write_all(format!("{HEAD}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
            read.expect("an answer").unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
        join_all(answers).await;
    });
}

#[test]
fn connections_leave_files_to_the_database() {
    play_servers(Backend::Sqlite, || async {
        let ground = Ground::new(Backend::Sqlite);
        let server = Server::start_with_files(&ground, FILES).await;
        let address = server.address();
        let silent = join_all((0..MORE_THAN_FILES).map(|_| TcpStream::connect(&address))).await;
        assert!(silent.iter().all(Result::is_ok), "turned away");
        let open = async {
            let (begun, mut most) = (Instant::now(), 0);
            while begun.elapsed() < Duration::from_secs(3) {
                most = most.max(u32::try_from(server.files()).unwrap());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            most
        };
        let (open, waited) = join(open, good(&format!("http://{address}"), 1)).await;
        assert!(open <= FILES - FILES_LEFT_MIN, "{open} files open of {FILES}");
        assert!(waited < PATIENCE, "{waited:?}");
    });
}

/// Asks for a lot and reads none of it.
async fn never_read(address: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.expect("turned away");
    let request = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request.repeat(10).as_bytes()).await.unwrap();
    stream
}

#[test]
fn who_reads_nothing_is_sent_away() {
    play_servers(Backend::Sqlite, || async {
        let ground = Ground::new(Backend::Sqlite);
        let server = Server::start_with_files(&ground, FILES).await;
        let (address, before) = (server.address(), server.memory());
        // They have all connections there may be, so the good one waits until they are gone.
        let _crowd = join_all((0..MORE_THAN_FILES).map(|_| never_read(&address))).await;
        let grown = async {
            tokio::time::sleep(READING_PATIENCE / 2).await;
            server.memory() - before
        };
        let base = format!("http://{address}");
        let waiting = tokio::time::timeout(READING_PATIENCE + SLACK, good(&base, 1));
        let (waited, grown) = join(waiting, grown).await;
        println!("waited {waited:?}, {grown:.0} MB more");
        assert!(waited.is_ok(), "who reads nothing stays");
        assert!(grown < MEMORY_MAX_MB, "{grown} MB more");
    });
}

#[test]
fn a_long_poll_is_no_unused_connection() {
    crate::play::play(Backend::Sqlite, Options::default(), |app| {
        Box::pin(async move {
            let begun = Instant::now();
            let waited = app.get(&app.seed.org, "/v1/changes?wait=15").await;
            assert_eq!(waited.status, 200);
            assert!(begun.elapsed() >= Duration::from_secs(15), "it was asked to wait");
        })
    });
}

#[test]
fn deep_json_is_refused_by_its_depth() {
    play_servers(Backend::Sqlite, || async {
        let ground = Ground::new(Backend::Sqlite);
        let server = Server::start(&ground, &[]).await;
        for depth in [40, 1000, 30_000] {
            let deep = format!("{{\"email\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
            let answer = reqwest::Client::new()
                .post(format!("http://{}/v1/auth/log-in", server.address()))
                .header("Content-Type", "application/json")
                .body(deep)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 400, "{depth} deep");
        }
    });
}
