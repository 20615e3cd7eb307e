//! Whether an IdP's login URL answers (D3).

use std::time::Duration;

use async_trait::async_trait;
use service::ports::{IdpProbe, ProbeResult};
use url::Url;

use super::{GuardedClient, OutboundError, Reach, RequestFailure};

/// A person waits at a login page meanwhile.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the login URL itself, by GET; any answer proves that a server is there.
pub struct HttpIdpProbe {
    client: GuardedClient,
}

impl HttpIdpProbe {
    /// A probe that reaches this far.
    pub fn new(reach: Reach) -> Result<Self, OutboundError> {
        Self::within(reach, PROBE_TIMEOUT)
    }

    fn within(reach: Reach, total: Duration) -> Result<Self, OutboundError> {
        Ok(Self { client: GuardedClient::new(reach, total)? })
    }
}

#[async_trait]
impl IdpProbe for HttpIdpProbe {
    async fn probe(&self, url: &Url) -> ProbeResult {
        match self.client.get(url).await {
            Ok(_) => ProbeResult::Reachable,
            // A name that does not resolve here may resolve where the browser is, and looks like one that resolves to a
            // forbidden address, so that nobody learns which names there are inside (A5).
            Err(RequestFailure::Forbidden | RequestFailure::Unresolved | RequestFailure::Untrusted(_)) => {
                ProbeResult::Unknown
            }
            Err(RequestFailure::NoConnection | RequestFailure::Timeout | RequestFailure::NoAnswer(_)) => {
                ProbeResult::Unreachable
            }
        }
    }
}

/// Stands in where the operator switched probing off: no server is asked, and every sign-in goes on.
pub struct UnaskedIdp;

#[async_trait]
impl IdpProbe for UnaskedIdp {
    async fn probe(&self, _url: &Url) -> ProbeResult {
        ProbeResult::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted_server::{Script, ScriptedServer};
    use super::*;

    async fn probe(script: Script) -> ProbeResult {
        let server = ScriptedServer::start(script).await;
        development_probe().probe(&server.url).await
    }

    fn development_probe() -> HttpIdpProbe {
        HttpIdpProbe::within(Reach::PublicAndLoopback, Duration::from_millis(300)).unwrap()
    }

    /// Proves D3: any answer at all means that the IdP is there, and a redirect is not followed.
    #[tokio::test]
    async fn whoever_answers_is_reachable() {
        for script in [
            Script::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            Script::Answer(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"),
            Script::Answer(b"HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n"),
            Script::Answer(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
            Script::EndlessBody,
        ] {
            assert_eq!(probe(script).await, ProbeResult::Reachable, "{script:?}");
        }
    }

    /// Proves D3: one that hangs, hangs up or speaks no HTTP is unreachable, within the bound of time.
    #[tokio::test]
    async fn whoever_does_not_answer_in_time_is_unreachable() {
        for script in [Script::Hang, Script::HangUp, Script::Answer(b"SSH-2.0-server\r\n")] {
            assert_eq!(probe(script).await, ProbeResult::Unreachable, "{script:?}");
        }
    }

    /// Proves D3: a refused connection and a server that speaks no TLS are positive failures.
    #[tokio::test]
    async fn a_refused_connection_is_unreachable() {
        let refused = ScriptedServer::refusing_url().await;
        assert_eq!(development_probe().probe(&refused).await, ProbeResult::Unreachable);
        let plain = ScriptedServer::start(Script::Answer(b"HTTP/1.1 200 OK\r\n\r\n")).await;
        let mut tls = plain.url.clone();
        tls.set_scheme("https").unwrap();
        assert_eq!(development_probe().probe(&tls).await, ProbeResult::Unreachable);
    }

    /// Proves D3, A5: a name that is not known here is unknown, as one of a forbidden address is.
    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_unknown() {
        let nowhere = Url::parse("https://idp.invalid/sso").unwrap();
        assert_eq!(HttpIdpProbe::new(Reach::Public).unwrap().probe(&nowhere).await, ProbeResult::Unknown);
    }

    /// Proves D3: a server whose certificate this machine does not know, or that wants another kind of handshake, is
    /// there: its own company's browsers may know it.
    #[tokio::test]
    async fn a_certificate_that_is_not_known_here_is_unknown() {
        let probe = HttpIdpProbe::new(Reach::PublicAndLoopback).unwrap();
        let server = ScriptedServer::start(Script::SelfSigned).await;
        assert_eq!(probe.probe(&server.url).await, ProbeResult::Unknown);
        // handshake_failure (RFC 8446, section 6)
        let alert = ScriptedServer::start(Script::Answer(&[0x15, 3, 3, 0, 2, 2, 40])).await;
        let mut tls = alert.url.clone();
        tls.set_scheme("https").unwrap();
        assert_eq!(probe.probe(&tls).await, ProbeResult::Unknown);
    }

    /// Proves D3: where the guard forbids to look, nothing is known, and nothing was connected to.
    #[tokio::test]
    async fn a_forbidden_address_is_unknown() {
        let server = ScriptedServer::start(Script::Answer(b"HTTP/1.1 200 OK\r\n\r\n")).await;
        let probe = HttpIdpProbe::new(Reach::Public).unwrap();
        let mut tls = server.url.clone();
        tls.set_scheme("https").unwrap();
        for url in [&server.url, &tls] {
            assert_eq!(probe.probe(url).await, ProbeResult::Unknown, "{url}");
        }
        assert_eq!(server.connections(), 0);
    }
}
