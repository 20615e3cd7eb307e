//! Settings of the operator about HTTP.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use ipnet::IpNet;

use crate::metrics::MetricsSettings;

/// Settings of the HTTP server.
#[derive(Clone)]
pub struct ApiSettings {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Number of threads that serve; as many as processors where it is not set.
    pub workers: Option<NonZeroUsize>,
    /// Time that requests may go on after a stop; then they are cut off.
    pub shutdown_timeout: Duration,
    /// The networks of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits of requests that need no credentials.
    pub limits: RateLimits,
    /// Metrics for Prometheus, if they are served.
    pub metrics: Option<MetricsSettings>,
}

/// Requests per minute and client address, at endpoints that need no credentials.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Login options, SSO discovery and SAML login URLs.
    pub discovery_per_minute: NonZeroU32,
    /// SAML responses at the ACS.
    pub acs_per_minute: NonZeroU32,
    /// Code exchanges, refreshes and revocations.
    pub token_per_minute: NonZeroU32,
}
