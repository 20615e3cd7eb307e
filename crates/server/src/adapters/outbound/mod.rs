//! Outgoing HTTP, all of it behind one guard: to addresses that were checked, without redirects, proxies or
//! credentials, within bounds of time.

mod guard;
mod idp_probe;
mod metadata_source;
mod own_address;
#[cfg(test)]
mod scripted_server;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

pub use guard::{Forbidden, Reach};
pub use idp_probe::{HttpIdpProbe, UnaskedIdp};
pub use metadata_source::HttpMetadataSource;
pub use own_address::{Answer, OwnAddress};

/// Time to find the name and to connect: a server that needs longer will not serve people either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time to find the name alone, so that a name server that says nothing is told from a server that does not answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Name of this service in the logs of other servers.
const USER_AGENT: &str = concat!("vestibule/", env!("CARGO_PKG_VERSION"));

/// Reason that a request got no answer.
#[derive(Debug, PartialEq, Eq)]
enum RequestFailure {
    /// The guard forbids to ask.
    Forbidden,
    /// The name does not resolve here, or not in time.
    Unresolved,
    /// No connection to an allowed address, because it was refused or took too long.
    NoConnection,
    /// The server has a certificate that is not trusted here, or wants a handshake that is not spoken here.
    Untrusted(String),
    /// Connected, but the answer took too long.
    Timeout,
    /// Connected, but what came is no answer.
    NoAnswer(String),
}

/// A name does not resolve here.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
struct Unresolved;

/// A client that goes through the guard.
struct GuardedClient {
    #[expect(clippy::disallowed_types, reason = "this is where outgoing HTTP belongs")]
    client: reqwest::Client,
    reach: Reach,
}

/// The outgoing client cannot be set up, mostly because no root certificates are installed.
#[derive(Debug, thiserror::Error)]
#[error("outgoing https cannot be set up; install the system's root certificates (Debian: ca-certificates)")]
pub struct OutboundError(#[source] reqwest::Error);

impl GuardedClient {
    /// `total` bounds a request from its first look-up to the last byte of the answer.
    fn new(reach: Reach, total: Duration) -> Result<Self, OutboundError> {
        #[expect(clippy::disallowed_types, reason = "this is where outgoing HTTP belongs")]
        let builder = reqwest::Client::builder();
        let client = builder
            .dns_resolver(GuardedResolver(reach))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(total)
            // A kept connection would answer for a server that takes no new ones.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(OutboundError)?;
        Ok(Self { client, reach })
    }

    async fn get(&self, url: &Url) -> Result<reqwest::Response, RequestFailure> {
        check_url(url, self.reach).map_err(|_| RequestFailure::Forbidden)?;
        self.client.get(url.clone()).send().await.map_err(|error| failure(&error))
    }
}

/// Checks the parts of a URL that need no look-up. Addresses that are written in the URL never reach the resolver.
fn check_url(url: &Url, reach: Reach) -> Result<(), String> {
    let https_needed = reach == Reach::Public;
    if !(url.scheme() == "https" || url.scheme() == "http" && !https_needed) {
        return Err("only https URLs are connected to".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name or password is not connected to".into());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err("the URL names no host".into()),
    };
    guard::judge(address, reach).map_err(|forbidden| forbidden.to_string())
}

/// Resolves names and hands on nothing but addresses that passed, so that the checked address is the one connected to.
struct GuardedResolver(Reach);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let looked_up = tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((name.as_str(), 0))).await;
            let found = looked_up.map_err(|_| Unresolved)?.map_err(|_| Unresolved)?;
            let addresses: Vec<SocketAddr> = found.collect();
            // One bad address spoils the name: an honest public name has none.
            addresses.iter().try_for_each(|address| guard::judge(address.ip(), reach))?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn failure(error: &reqwest::Error) -> RequestFailure {
    let of = |is: fn(&(dyn Error + 'static)) -> bool| causes(error).any(is);
    if of(<dyn Error>::is::<Forbidden>) {
        RequestFailure::Forbidden
    } else if of(<dyn Error>::is::<Unresolved>) {
        RequestFailure::Unresolved
    } else if let Some(tls) = causes(error).find_map(<dyn Error>::downcast_ref) {
        if is_trust(tls) {
            RequestFailure::Untrusted(tls.to_string())
        } else {
            RequestFailure::NoAnswer(tls.to_string())
        }
    } else if error.is_connect() && !of(is_cut_off) {
        RequestFailure::NoConnection
    } else if error.is_timeout() {
        RequestFailure::Timeout
    } else {
        RequestFailure::NoAnswer(innermost(error))
    }
}

/// Whether a server that speaks TLS is there, and only this machine and it do not come together.
fn is_trust(failure: &rustls::Error) -> bool {
    use rustls::Error as Tls;
    matches!(
        failure,
        Tls::InvalidCertificate(_)
            | Tls::NoCertificatesPresented
            | Tls::UnsupportedNameType
            | Tls::AlertReceived(_)
            | Tls::PeerIncompatible(_)
            | Tls::InvalidCertRevocationList(_)
    )
}

/// Whether a server took the connection and then went away.
fn is_cut_off(cause: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    kind.is_some_and(|kind| matches!(kind, ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// All that led to an error. `io::Error` leaves what it was made of out of the chain.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| cause.source())
    })
}

/// Innermost cause of an error, without the layers around it.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves D3 and C5: the guard judges what an address means, not how it is written, and asks for https.
    #[test]
    fn a_url_is_judged_by_what_it_means() {
        let refused = [
            ("http://idp.example.com/", "only https"),
            ("ftp://idp.example.com/", "only https"),
            ("file:///etc/passwd", "only https"),
            ("https://user:secret@idp.example.com/", "user name"),
            ("https://127.0.0.1/", "loopback"),
            ("https://2130706433/", "loopback"),
            ("https://0x7f.1/", "loopback"),
            ("https://017700000001/", "loopback"),
            ("https://[::ffff:10.0.0.1]/", "embedded"),
            ("https://169.254.169.254/latest", "link-local"),
        ];
        for (url, why) in refused {
            let answer = check_url(&Url::parse(url).unwrap(), Reach::Public);
            assert!(answer.as_ref().is_err_and(|message| message.contains(why)), "{url}: {answer:?}");
        }
        assert_eq!(check_url(&Url::parse("https://idp.example.com/sso").unwrap(), Reach::Public), Ok(()));
        let loopback = Url::parse("http://127.0.0.1:9000/").unwrap();
        assert_eq!(check_url(&loopback, Reach::PublicAndLoopback), Ok(()));
    }

    /// Proves D3: a name that resolves to a forbidden address is not connected to.
    #[tokio::test]
    async fn a_name_is_judged_by_the_addresses_that_it_has() {
        let client = GuardedClient::new(Reach::Public, Duration::from_secs(2)).unwrap();
        let answer = client.get(&Url::parse("https://localhost/").unwrap()).await;
        assert_eq!(answer.unwrap_err(), RequestFailure::Forbidden);
    }
}
