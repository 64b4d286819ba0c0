//! What every handler can reach.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use metrics_exporter_prometheus::PrometheusHandle;

use super::auth::Authenticate;
use crate::config::{HttpSettings, SalesSettings};
use crate::db::Db;

/// Shared by all handlers of a server.
pub struct Shared {
    /// The database.
    pub db: Db,
    /// Who can tell whose a credential is, asked in order.
    pub authenticators: Vec<Box<dyn Authenticate>>,
    /// Limits of selling.
    pub sales: SalesSettings,
    /// Where this server is reached, and through what.
    pub http: HttpSettings,
    /// Whether this server wants more requests.
    pub ready: Arc<AtomicBool>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// Shared by all handlers of a server.
pub type State = actix_web::web::Data<Shared>;
