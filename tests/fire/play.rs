//! How a test is played: which seed, how long, one at a time, on which database.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Backend, Body, Options, TestApp, available};

/// Files a test may have open.
const FILES: u64 = 8192;

/// Whether the long forms are asked for.
pub fn long() -> bool {
    std::env::var("RIALTO_TEST_LONG").is_ok_and(|value| value == "1")
}

/// The short or the long number.
pub fn scaled(short: usize, long_form: usize) -> usize {
    if long() { long_form } else { short }
}

/// As many seeds as asked for, or the one that is to be run again.
pub fn seeds(short: usize, long_form: usize) -> Vec<u64> {
    match std::env::var("RIALTO_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("RIALTO_TEST_SEED is a number")],
        Err(_) => (0..scaled(short, long_form)).map(|_| rand::random_range(0..1 << 32)).collect(),
    }
}

/// The dice of a seed, which is printed: a failed test shows it.
pub fn dice(seed: u64) -> StdRng {
    println!("RIALTO_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// Whether something of this probability happens.
pub fn happens(dice: &mut StdRng, percent: u32) -> bool {
    dice.random_range(0..100) < percent
}

/// The only test that runs.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays a body alone against a fresh application, then drains, audits and removes it.
pub fn play(backend: Backend, options: Options, body: impl FnOnce(&TestApp) -> Body<'_>) {
    let _alone = alone();
    crate::support::run(backend, options, body);
}

/// Plays something that starts its own servers, alone.
pub fn play_servers<F: Future<Output = ()>>(backend: Backend, body: impl FnOnce() -> F) {
    let _alone = alone();
    if available(backend) {
        // Clients are many, and each has a file open.
        rlimit::increase_nofile_limit(FILES).expect("files");
        actix_web::rt::System::new().block_on(body());
    }
}

/// Makes `name::sqlite` and `name::postgres`, played one after the other.
#[macro_export]
macro_rules! on_both_alone {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: &TestApp, $options:expr) $body:block)*)
    => { $(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(#[$meta])*
            async fn body($app: &$crate::support::TestApp) $body
            #[test]
            fn sqlite() {
                $crate::play::play($crate::support::Backend::Sqlite, $options,
                    |app| Box::pin(body(app)));
            }
            #[test]
            fn postgres() {
                $crate::play::play($crate::support::Backend::Postgres, $options,
                    |app| Box::pin(body(app)));
            }
        }
    )* };
}
