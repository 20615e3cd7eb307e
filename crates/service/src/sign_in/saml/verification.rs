//! The response is verified: off the async threads, a bounded number at once (saml.md, steps 1 to 6).

use std::net::IpAddr;
use std::time::Duration;

use domain::sso::connection::SamlConnection;
use domain::throttle::ThrottleKey;
use saml::{
    Expected, Rejection, Trust, VerifiedResponse, decode_post_binding, decode_redirect_binding, masked_message,
    verify_response,
};

use crate::core::error::{Code, Error, RETRY_AFTER_SECONDS, Result};
use crate::core::fair_semaphore::{Claim, Permit};
use crate::sign_in::SignIn;

/// Responses that may wait for each that is being verified; beyond that the service says that it is busy.
pub(crate) const WAITING_PER_PERMIT: usize = 64;
/// Time that a response waits: long, because a browser cannot post it again.
pub(crate) const TURN_WAIT: Duration = Duration::from_secs(10);

/// A response that was refused, with its text for diagnostics.
pub(super) struct RefusedResponse {
    /// Check that failed, with its reason.
    pub rejection: Rejection,
    /// The decoded message, masked, where it could be decoded.
    pub message: Option<String>,
}

impl SignIn {
    /// Decodes and masks, for diagnostics, a response that came in a query, where that is possible: it is read no
    /// further.
    pub(super) async fn masked_query(
        &self,
        connection: &SamlConnection,
        value: String,
        address: IpAddr,
    ) -> Result<Option<String>> {
        let turn = self.verification_permit(connection, address).await?;
        let work = move || {
            let _turn = turn;
            decode_redirect_binding(&value).ok().map(|xml| masked_message(&xml))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    async fn verification_permit(&self, connection: &SamlConnection, address: IpAddr) -> Result<Permit> {
        let account = ThrottleKey::of("account", &[&connection.account_id.to_string()]);
        let claim = Claim { address: Some(address), account, is_known: false };
        let busy = |_| Error::new(Code::Unavailable).with_retry_after(RETRY_AFTER_SECONDS);
        self.verification_permits.take(claim).await.map_err(busy)
    }

    /// Verifies a response: bounds, guard, both engines, decryption, protocol checks. A pure function of the
    /// message, the connection and now.
    pub(super) async fn verify(
        &self,
        connection: &SamlConnection,
        form_value: String,
        address: IpAddr,
    ) -> Result<Result<VerifiedResponse, RefusedResponse>> {
        let trust = self.connections.prepared_trust(connection).await?;
        let turn = self.verification_permit(connection, address).await?;
        let (settings, engines) = (connection.settings.clone(), self.core.settings.engines);
        let issuer = settings.idp_entity_id.clone();
        let idp_entity_id = issuer.ok_or_else(|| Error::internal("a connection in use has no idp_entity_id"))?;
        let (acs_url, now) = (self.connections.acs_url(&connection.sp_hash), self.core.now());
        let work = move || {
            let _turn = turn;
            let expected = Expected {
                acs_url: &acs_url,
                sp_entity_id: &acs_url,
                idp_entity_id: &idp_entity_id,
                now,
                clock_skew: Duration::from_secs(settings.clock_skew_seconds.into()),
            };
            let trust = Trust {
                certificates: &trust.certificates,
                allow_sha1: settings.allow_sha1,
                refuse_expired_certificates: settings.refuse_expired_certificates,
                decryption_keys: &trust.keys,
                engines,
            };
            let xml =
                decode_post_binding(&form_value).map_err(|rejection| RefusedResponse { rejection, message: None })?;
            verify_response(&xml, &expected, &trust)
                .map_err(|rejection| RefusedResponse { rejection, message: Some(masked_message(&xml)) })
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}
