//! Where to listen, and how to stop.

use std::net::SocketAddr;

use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser};

/// HTTP settings.
#[derive(Args, Clone, Debug)]
pub struct HttpSettings {
    /// Address to listen on.
    #[arg(long, env = "RIALTO_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The public address of this server, as the API document names it.
    #[arg(long, env = "RIALTO_BASE_URL")]
    pub base_url: Option<url::Url>,
    /// Proxies of one's own in front of this server, each of which adds to `X-Forwarded-For`.
    #[arg(long, env = "RIALTO_TRUSTED_PROXIES", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=9))]
    pub trusted_proxies: u8,
    /// Threads that hash passwords; unset: one for two cores.
    #[arg(long, env = "RIALTO_HASH_THREADS", value_parser = a_few())]
    pub hash_threads: Option<usize>,
    /// HTTP threads; unset: one per core.
    #[arg(long, env = "RIALTO_HTTP_THREADS", value_parser = a_few())]
    pub http_threads: Option<usize>,
    /// Seconds to answer "not ready" before closing the door, so that load balancers notice.
    #[arg(long, env = "RIALTO_STOP_DELAY_SECONDS", default_value_t = 0)]
    pub stop_delay_seconds: u64,
    /// Seconds that requests in progress have to finish when stopping.
    #[arg(long, env = "RIALTO_DRAIN_SECONDS", default_value_t = 25)]
    pub drain_seconds: u64,
}

impl HttpSettings {
    /// Where this server is reached: as configured, else where it listens.
    pub fn base_url(&self) -> anyhow::Result<url::Url> {
        match &self.base_url {
            Some(base) => Ok(base.clone()),
            None => Ok(format!("http://{}/", self.listen).parse()?),
        }
    }

    /// Threads that hash passwords: by default half of the cores, so that the other half sells.
    pub fn hash_threads(&self) -> usize {
        self.hash_threads.unwrap_or(cores() / 2).max(1)
    }

    /// Threads that serve connections.
    pub fn http_threads(&self) -> usize {
        self.http_threads.unwrap_or(cores()).min(THREADS_MAX.into())
    }
}

/// Threads of one kind.
const THREADS_MAX: u16 = 512;

fn a_few() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::new().range(1..=THREADS_MAX.into())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
