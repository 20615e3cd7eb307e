//! How often anyone may ask without credentials, per client address (D5).

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use service::{Code, Error};

use super::ClientAddress;
use crate::problem::Problem;
use crate::settings::RateLimits;

/// After how many checks addresses that have been quiet are forgotten.
const CHECKS_PER_SWEEP: u32 = 4_096;
/// From how many addresses on, further ones share a count with their neighbours: the table stays small, whoever sends.
const ADDRESSES_MAX: usize = 100_000;

struct Limiter {
    counts: DefaultKeyedRateLimiter<IpAddr>,
    checks: AtomicU32,
}

impl Limiter {
    fn new(per_minute: NonZeroU32) -> Self {
        Self { counts: RateLimiter::keyed(Quota::per_minute(per_minute)), checks: AtomicU32::new(0) }
    }

    /// Counts a request, or says after how many seconds the next one is taken.
    fn check(&self, address: IpAddr) -> Result<(), u32> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.counts.retain_recent();
        }
        let network = network(address, self.counts.len() > ADDRESSES_MAX);
        self.counts.check_key(&network).map_err(|refused| {
            let seconds = refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            u32::try_from(seconds).unwrap_or(u32::MAX)
        })
    }
}

/// What is counted as one client: an IPv4 address, or an IPv6 network of 64 bits, which is what one subscriber has.
fn network(address: IpAddr, coarse: bool) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = if coarse { 0xffff_0000 } else { u32::MAX };
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let kept = if coarse { 32 } else { 64 };
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - kept))))
        }
    }
}

/// The counts of every limited kind of endpoint; one for the process.
pub struct RateLimiters {
    discovery: Limiter,
    acs: Limiter,
    token: Limiter,
}

impl RateLimiters {
    /// Starts to count.
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
    /// SAML responses.
    Acs => acs;
    /// The OAuth endpoints.
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

    /// Proves D5: neighbours in one IPv6 network of 64 bits are one client.
    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        let of = |text: &str, coarse| network(text.parse().unwrap(), coarse).to_string();
        assert_eq!(of("198.51.100.7", false), "198.51.100.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", false), "2001:db8:1:2::");
        assert_eq!(of("198.51.100.7", true), "198.51.0.0");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", true), "2001:db8::");
    }

    /// Proves D5.
    #[test]
    fn whoever_asks_too_often_is_told_how_long_to_wait() {
        let limiter = Limiter::new(NonZeroU32::MIN);
        let (one, other) = ("198.51.100.7".parse().unwrap(), "198.51.100.8".parse().unwrap());
        assert_eq!(limiter.check(one), Ok(()));
        assert!(limiter.check(one).is_err_and(|seconds| (1..=60).contains(&seconds)));
        assert_eq!(limiter.check(other), Ok(()));
    }
}
