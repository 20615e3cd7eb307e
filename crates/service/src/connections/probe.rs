//! Probe of an identity provider's login URL: whether it answers, believed for a moment (D3).

use std::time::Duration;

use domain::sso::connection::SamlConnection;

use crate::connections::Connections;
use crate::core::ports::ProbeResult;

/// Time for which a probe's finding is believed (D3): long enough for a morning's rush, short enough to notice a
/// recovery.
pub(crate) const PROBE_CACHE: Duration = Duration::from_secs(30);

impl Connections {
    /// Whether the identity provider does not answer (D3). Only a positive failure says so.
    pub(crate) async fn idp_is_unreachable(&self, connection: &SamlConnection) -> bool {
        self.probed(connection).await == Some(ProbeResult::Unreachable)
    }

    /// Finding of a probe of the identity provider's login URL, now or a moment ago; none where it is not to be
    /// asked.
    pub(crate) async fn probed(&self, connection: &SamlConnection) -> Option<ProbeResult> {
        let url = connection.settings.login_url.as_ref().filter(|_| connection.settings.probe_login_url)?;
        let probe = async { self.core.ports.idp_probe.probe(url).await };
        Some(self.probes.get_with(url.clone(), probe).await)
    }
}
