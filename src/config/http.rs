//! Where to listen, and how to stop.

use std::net::SocketAddr;

use clap::Args;

/// HTTP settings.
#[derive(Args, Clone, Debug)]
pub struct HttpSettings {
    /// Address to listen on.
    #[arg(long, env = "RIALTO_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The public address of this server, as the API document names it.
    #[arg(long, env = "RIALTO_BASE_URL")]
    pub base_url: Option<url::Url>,
    /// HTTP threads; unset: one per core.
    #[arg(long, env = "RIALTO_HTTP_THREADS")]
    pub http_threads: Option<usize>,
    /// Seconds to answer "not ready" before closing the door, so that load balancers notice.
    #[arg(long, env = "RIALTO_STOP_DELAY_SECONDS", default_value_t = 0)]
    pub stop_delay_seconds: u64,
    /// Seconds that requests in progress have to finish when stopping.
    #[arg(long, env = "RIALTO_DRAIN_SECONDS", default_value_t = 25)]
    pub drain_seconds: u64,
}
