//! Passwords are hashed by a few threads with a bounded queue.
//!
//! argon2id with 19 MiB and two passes (OWASP's password storage cheat sheet). A hash that was
//! begun is finished even when its caller has gone: no flood of aborted log-ins gets more work
//! done than these threads can do.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use crate::kernel::{Error, Result};

/// Passwords waiting to be hashed; more are answered 503.
const QUEUE_MAX: usize = 256;
/// A password waits so long to be hashed before it is answered 503.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Most memory a stored hash may ask for, in KiB.
const MEMORY_MAX_KIB: u32 = 128 * 1024;

enum Task {
    Hash(oneshot::Sender<Result<String>>),
    Verify(String, oneshot::Sender<Result<bool>>),
}

struct Queued {
    password: SecretString,
    since: Instant,
    task: Task,
}

/// Where passwords are handed in.
pub struct Passwords {
    queue: SyncSender<Queued>,
    /// Verified in place of the hash that an unknown user does not have.
    nobody: String,
}

impl Passwords {
    /// Starts the threads.
    pub fn start(threads: usize) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let waiting = waiting.clone();
            let thread = thread::Builder::new().name(format!("argon2-{number}"));
            thread.spawn(move || serve(&waiting)).context("cannot start hashing passwords")?;
        }
        Ok(Self { queue, nobody: hash(&SecretString::from("nobody"))? })
    }

    /// Hashes a password.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        let (done, answer) = oneshot::channel();
        self.submit(password, Task::Hash(done))?;
        answer.await.map_err(Error::internal)?
    }

    /// Whether a password is the one that was hashed. Without a hash it takes the same time.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let (done, answer) = oneshot::channel();
        self.submit(password, Task::Verify(hash.unwrap_or_else(|| self.nobody.clone()), done))?;
        Ok(answer.await.map_err(Error::internal)?? && known)
    }

    fn submit(&self, password: SecretString, task: Task) -> Result<()> {
        self.queue.try_send(Queued { password, since: Instant::now(), task }).map_err(|error| {
            match error {
                TrySendError::Full(_) => overloaded(),
                TrySendError::Disconnected(_) => Error::internal("nobody hashes passwords"),
            }
        })
    }
}

fn overloaded() -> Error {
    Error::unavailable("Too many people are logging in; please try again.")
}

fn serve(waiting: &Mutex<Receiver<Queued>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Queued { password, since, task }) = next else {
            return;
        };
        let late = since.elapsed() > WAIT_MAX;
        match task {
            Task::Hash(done) if !done.is_closed() => {
                let made = if late { Err(overloaded()) } else { hash(&password) };
                // Nobody may wait any more.
                let _gone = done.send(made);
            }
            Task::Verify(known, done) if !done.is_closed() => {
                let told = if late { Err(overloaded()) } else { verify(&password, &known) };
                let _gone = done.send(told);
            }
            Task::Hash(_) | Task::Verify(..) => {}
        }
    }
}

fn hash(password: &SecretString) -> Result<String> {
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(Error::internal)
}

fn verify(password: &SecretString, known: &str) -> Result<bool> {
    let known = PasswordHash::new(known).map_err(Error::internal)?;
    let memory = known.params.get_decimal("m");
    if memory.is_none_or(|memory| memory > MEMORY_MAX_KIB) {
        return Err(Error::internal("a stored password hash asks for too much memory"));
    }
    Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &known).is_ok())
}
