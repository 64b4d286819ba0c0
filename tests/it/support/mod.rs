//! What every test stands on: the production application on a port and a database of its own.

pub mod app;
pub mod cluster;
pub mod ground;
pub mod people;
pub mod seed;
pub mod smtp;

pub use app::{Options, Reply, TestApp};
pub use rialto::db::Backend;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes `name::sqlite` and `name::postgres` of one body.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: &TestApp) $body:block)*) => { $(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(#[$meta])*
            async fn body($app: &$crate::support::TestApp) $body
            #[test]
            fn sqlite() {
                $crate::support::run($crate::support::Backend::Sqlite, Default::default(),
                    |app| Box::pin(body(app)));
            }
            #[test]
            fn postgres() {
                $crate::support::run($crate::support::Backend::Postgres, Default::default(),
                    |app| Box::pin(body(app)));
            }
        }
    )* };
}

/// A test's body.
pub type Body<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Whether a backend can be tested here. Without PostgreSQL: a loud line, or a failure in CI.
pub fn available(backend: Backend) -> bool {
    static MISSING: AtomicUsize = AtomicUsize::new(0);
    if backend == Backend::Sqlite {
        return true;
    }
    match cluster::cluster() {
        Ok(_) => true,
        Err(reason) => {
            let count = MISSING.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is missing: {reason}");
            eprintln!("!!! NOT TESTED ON POSTGRESQL ({count} so far): {reason}");
            false
        }
    }
}

/// Runs a body against a fresh application, then drains, audits and removes it.
pub fn run(backend: Backend, options: Options, body: impl FnOnce(&TestApp) -> Body<'_>) {
    if !available(backend) {
        return;
    }
    actix_web::rt::System::new().block_on(async {
        let app = TestApp::spawn(backend, options).await;
        body(&app).await;
        app.finish().await;
    });
}
