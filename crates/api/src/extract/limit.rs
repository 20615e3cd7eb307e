//! Limits of requests without credentials, by network of the client (D5).

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use domain::network::{Breadth, Network, enclosing};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use service::{Code, Error};

use super::ClientAddress;
use crate::problem::Problem;
use crate::settings::RateLimits;

/// Number of checks after which networks that have been quiet are forgotten.
const CHECKS_PER_SWEEP: u32 = 4_096;
/// Number of networks of one breadth above which further ones are counted with the wider ones alone: the table
/// stays small, whatever clients send.
const NETWORKS_MAX: usize = 100_000;

/// Counts of the networks of each breadth.
struct Limiter {
    clients: Counts,
    sites: Counts,
    regions: Counts,
    checks: AtomicU32,
}

type Counts = DefaultKeyedRateLimiter<Network>;

impl Limiter {
    /// Allows so many requests per minute of one client; a wider network has more.
    fn new(per_minute: NonZeroU32) -> Self {
        let counts = |breadth: Breadth| {
            let of_network = per_minute.get().saturating_mul(breadth.halves()) / 2;
            RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(of_network).unwrap_or(per_minute)))
        };
        Self {
            clients: counts(Breadth::Client),
            sites: counts(Breadth::Site),
            regions: counts(Breadth::Region),
            checks: AtomicU32::new(0),
        }
    }

    fn counts(&self, breadth: Breadth) -> &Counts {
        match breadth {
            Breadth::Client => &self.clients,
            Breadth::Site => &self.sites,
            Breadth::Region => &self.regions,
        }
    }

    /// Counts a request, or says after how many seconds the next one is taken. A request that is refused to a
    /// client is not counted with the networks around it.
    fn check(&self, address: IpAddr) -> Result<(), u32> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            [&self.clients, &self.sites, &self.regions].into_iter().for_each(RateLimiter::retain_recent);
        }
        enclosing(address).into_iter().try_for_each(|(breadth, network)| {
            let counts = self.counts(breadth);
            if breadth != Breadth::Region && counts.len() > NETWORKS_MAX {
                return Ok(());
            }
            counts.check_key(&network).map_err(|refused| {
                let seconds = refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
                u32::try_from(seconds).unwrap_or(u32::MAX)
            })
        })
    }
}

/// The counts of every limited kind of endpoint; one for the process.
pub struct RateLimiters {
    discovery: Limiter,
    acs: Limiter,
    token: Limiter,
}

impl RateLimiters {
    /// Starts counting, with these limits for each kind.
    pub fn new(limits: RateLimits) -> Self {
        Self {
            discovery: Limiter::new(limits.discovery_per_minute),
            acs: Limiter::new(limits.acs_per_minute),
            token: Limiter::new(limits.token_per_minute),
        }
    }
}

/// A limited kind of endpoint.
trait Kind {
    fn limiter(limiters: &RateLimiters) -> &Limiter;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $field:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Kind for $name {
            fn limiter(limiters: &RateLimiters) -> &Limiter {
                &limiters.$field
            }
        }
    )*};
}

kinds! {
    /// Login options, discovery, login URLs, SP metadata.
    Discovery => discovery;
    /// The ACS, which takes SAML responses.
    Acs => acs;
    /// The OAuth endpoints for tokens.
    Token => token;
}

/// Proof that the client has not asked too often. The first argument of a handler: nothing is read before.
pub struct Limited<K>(PhantomData<K>);

impl<K: Kind> FromRequest for Limited<K> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let limiters = request.app_data::<web::Data<RateLimiters>>();
        let refused = |seconds| Error::new(Code::RateLimited).with_retry_after(seconds).into();
        let check = |ClientAddress(address)| {
            let checked = limiters.map_or(Ok(()), |limiters| K::limiter(limiters).check(address));
            checked.map(|()| Self(PhantomData)).map_err(refused)
        };
        ready(ClientAddress::of(request).and_then(check))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves D5, B5: the addresses of one network, however many there are, have little more than one of them.
    #[test]
    fn a_network_is_limited_whatever_addresses_it_sends_from() {
        let admitted = |address: fn(u32) -> String| {
            let limiter = Limiter::new(NonZeroU32::new(10).unwrap());
            (0..200).filter(|n| limiter.check(address(n % 256).parse().unwrap()).is_ok()).count()
        };
        assert_eq!(admitted(|n| format!("2001:db8:1:2::{n:x}")), 10);
        assert_eq!(admitted(|n| format!("2001:db8:1:{n:x}::1")), 15);
        assert_eq!(admitted(|n| format!("2001:db8:1:{:x}::1", n * 256)), 20);
        assert_eq!(admitted(|n| format!("198.51.100.{n}")), 20);
        assert_eq!(admitted(|n| format!("198.51.{n}.1")), 200);
    }

    /// Proves D5: a client that asks too often is told the time to wait, and another one is not limited.
    #[test]
    fn whoever_asks_too_often_is_told_how_long_to_wait() {
        let limiter = Limiter::new(NonZeroU32::MIN);
        let (one, other) = ("198.51.100.7".parse().unwrap(), "198.51.100.8".parse().unwrap());
        assert_eq!(limiter.check(one), Ok(()));
        assert!(limiter.check(one).is_err_and(|seconds| (1..=60).contains(&seconds)));
        assert_eq!(limiter.check(other), Ok(()));
    }
}
