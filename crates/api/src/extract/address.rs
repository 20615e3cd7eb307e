//! The network address that a request comes from.

use std::fmt;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use ipnet::IpNet;
use service::{Code, Error, Violation};

use crate::problem::Problem;

/// The one header about a client that counts: `Forwarded` and `X-Real-IP` are not read.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Most trusted proxies that a request may have come through: many more than stand in a row anywhere.
const PROXIES_MAX: usize = 32;

/// The networks of the reverse proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address of the client, as `middleware/locate.rs` found it once for the whole request.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl ClientAddress {
    /// The address that this request comes from.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let located = request.extensions().get::<Self>().copied();
        located.ok_or_else(|| Error::internal("a request was not located").into())
    }
}

/// Error of a trusted proxy's header that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableHop {
    /// The element at this position, counted from the last, is not an address.
    NoAddress(usize),
    /// More trusted proxies than stand in a row anywhere.
    TooMany,
}

impl fmt::Display for UnreadableHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(position) => write!(f, "element {position}, counted from the last, is not an IP address"),
            Self::TooMany => write!(f, "names more than {PROXIES_MAX} trusted proxies in a row"),
        }
    }
}

impl From<UnreadableHop> for Problem {
    fn from(unreadable: UnreadableHop) -> Self {
        let violation = Violation { field: "X-Forwarded-For".to_owned(), detail: unreadable.to_string() };
        Error::new(Code::ProxyHeaderInvalid).with_violations(vec![violation]).into()
    }
}

/// Finds the client: the peer itself, or, where trusted proxies stand in between, the last address that one of them
/// saw and that is not a trusted proxy itself. Any client may have written what stands left of it in
/// `X-Forwarded-For`, so it is not looked at. A proxy that names no client is not one either: its requests have no
/// address, which no network contains but the one of all addresses.
pub fn client_address(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
) -> Result<IpAddr, UnreadableHop> {
    const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else { return Ok(UNKNOWN) };
    if !proxies.contain(peer) {
        return Ok(peer);
    }
    let lines: Vec<&[u8]> = headers.get_all(X_FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut client = UNKNOWN;
    for (position, hop) in (1..).zip(hops) {
        if position > PROXIES_MAX {
            return Err(UnreadableHop::TooMany);
        }
        client = parse_hop(hop.trim_ascii()).ok_or(UnreadableHop::NoAddress(position))?;
        if !proxies.contain(client) {
            break;
        }
    }
    Ok(client)
}

/// Parses an address, also with a port, in brackets, or with the zone of a link-local one, as some proxies write
/// it. Nothing is skipped: `unknown`, an obfuscated identifier (RFC 7239, section 6) or an empty element says that
/// the proxy does not tell its client, and what stands left of it is the client's own word.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop).ok()?;
    let address =
        text.parse().ok().or_else(|| with_port(text)).or_else(|| in_brackets(text)).or_else(|| zoned(text))?;
    Some(address.to_canonical())
}

fn with_port(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>().ok().map(|address| address.ip())
}

fn in_brackets(text: &str) -> Option<IpAddr> {
    let (inside, port) = text.strip_prefix('[')?.rsplit_once(']')?;
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !is_port {
        return None;
    }
    inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6).or_else(|| zoned(inside))
}

/// Parses an address with a zone (RFC 4007, section 11), which names a network interface of the proxy's and belongs
/// to link-local addresses alone.
fn zoned(text: &str) -> Option<IpAddr> {
    let (address, zone) = text.split_once('%')?;
    let address: Ipv6Addr = address.parse().ok()?;
    let is_zone = !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
    (address.is_unicast_link_local() && is_zone).then_some(IpAddr::V6(address))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn located(peer: &str, forwarded: &[&[u8]]) -> Result<String, UnreadableHop> {
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 443);
        client_address(Some(peer), &headers, &proxies).map(|address| address.to_string())
    }

    /// Proves D5, A6: a client cannot choose the address that its requests are counted under and its networks
    /// compared by.
    #[test]
    fn only_what_a_trusted_proxy_saw_is_believed() {
        let table: &[(&str, &[&[u8]], &str)] = &[
            ("203.0.113.9", &[], "203.0.113.9"),
            ("203.0.113.9", &[b"198.51.100.1"], "203.0.113.9"),
            ("203.0.113.9", &[b"\xff"], "203.0.113.9"),
            ("10.0.0.1", &[b"198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.2.3.4", b"198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[b"\xff, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"\xff", b"\xff,,198.51.100.1 , 10.0.0.2\t"], "198.51.100.1"),
            ("10.0.0.1", &[b"unknown,198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"198.51.100.1:5000"], "198.51.100.1"),
            ("fd00::1", &[b"[2001:db8::7]:443"], "2001:db8::7"),
            ("fd00::1", &[b"[2001:db8::7]"], "2001:db8::7"),
            ("fd00::1", &[b"2001:db8::7"], "2001:db8::7"),
            ("fd00::1", &[b"fe80::7%eth0"], "fe80::7"),
            ("fd00::1", &[b"[fe80::7%25]:80"], "fe80::7"),
            ("::ffff:10.0.0.1", &[b"::ffff:198.51.100.1"], "198.51.100.1"),
        ];
        for (peer, forwarded, expected) in table {
            assert_eq!(located(peer, forwarded).as_deref(), Ok(*expected), "{peer} {forwarded:?}");
        }
    }

    /// Proves D5, A6: what a trusted proxy sends and cannot be read is not a reason to believe what stands left of
    /// it.
    #[test]
    fn what_a_trusted_proxy_sends_and_cannot_be_read_is_refused() {
        let hops: [&[u8]; 17] = [
            b"",
            b" ",
            b"\xff",
            b"not an address",
            b"unknown",
            b"_hidden",
            b"\"198.51.100.1\"",
            b"198.51.100.1:",
            b"198.51.100.1:99999",
            b"198.51.100.01",
            b"198.51.100",
            b"[2001:db8::7",
            b"[2001:db8::7]x",
            b"[198.51.100.1]",
            b"2001:db8::7%eth0",
            b"fe80::7%",
            b"for=198.51.100.1",
        ];
        for hop in hops {
            assert_eq!(located("10.0.0.1", &[hop]), Err(UnreadableHop::NoAddress(1)), "{hop:?}");
            let behind = [b"203.0.113.9, ", hop, b",10.0.0.2"].concat();
            assert_eq!(located("10.0.0.1", &[&behind]), Err(UnreadableHop::NoAddress(2)), "{hop:?}");
        }
    }

    /// Proves D5: a list is read as far as trusted proxies reach, and those are bounded; what a client wrote may be
    /// long.
    #[test]
    fn a_long_list_is_read_as_far_as_proxies_reach() {
        let of = |hop: &str, times: usize| vec![hop; times].join(",");
        let forged = format!("{},198.51.100.1", of("x", 100_000));
        assert_eq!(located("10.0.0.1", &[forged.as_bytes()]).as_deref(), Ok("198.51.100.1"));
        let proxies = |times| format!("198.51.100.1,{}", of("10.0.0.2", times));
        assert_eq!(located("10.0.0.1", &[proxies(PROXIES_MAX - 1).as_bytes()]).as_deref(), Ok("198.51.100.1"));
        assert_eq!(located("10.0.0.1", &[proxies(PROXIES_MAX).as_bytes()]), Err(UnreadableHop::TooMany));
    }

    /// Proves A6: a trusted proxy that names no client is not taken for the client; a proxy's host is one where the
    /// next proxy saw it.
    #[test]
    fn a_proxy_that_names_nobody_has_no_address() {
        assert_eq!(located("10.0.0.1", &[]).as_deref(), Ok("0.0.0.0"));
        assert_eq!(located("10.0.0.1", &[b"10.0.0.2"]).as_deref(), Ok("10.0.0.2"));
    }
}
