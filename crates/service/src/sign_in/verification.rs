//! The response is verified: off the async threads, a bounded number at once (saml.md, steps 1 to 6).

use std::sync::Arc;
use std::time::Duration;

use domain::sso::connection::SamlConnection;
use saml::{Expected, Rejection, Trust, VerifiedResponse, decode_post_binding, masked_message, verify_response};

use crate::Service;
use crate::error::{Code, Error, RETRY_AFTER_SECONDS, Result};

/// How many responses may wait for each that is being verified; beyond that the service says that it is busy.
pub(crate) const WAITING_PER_PERMIT: usize = 64;

/// A response that was refused, with its text for diagnostics.
pub(super) struct RefusedResponse {
    /// Which check failed.
    pub rejection: Rejection,
    /// The decoded message, masked, where it could be decoded.
    pub message: Option<String>,
}

impl Service {
    /// Bounds, guard, both engines, decryption, protocol checks: a pure function of the message, the connection and now.
    pub(super) async fn verify(
        &self,
        connection: &SamlConnection,
        form_value: String,
    ) -> Result<Result<VerifiedResponse, RefusedResponse>> {
        let busy = || Error::new(Code::Unavailable).with_retry_after(RETRY_AFTER_SECONDS);
        let _place = self.verification_queue.try_acquire().map_err(|_| busy())?;
        let trust = self.prepared_trust(connection).await?;
        let permit = Arc::clone(&self.verification).acquire_owned().await.map_err(Error::internal)?;
        let (settings, engines) = (connection.settings.clone(), self.settings.engines);
        let issuer = settings.idp_entity_id.clone();
        let idp_entity_id = issuer.ok_or_else(|| Error::internal("a connection in use has no idp_entity_id"))?;
        let (acs_url, now) = (self.acs_url(&connection.sp_hash), self.now());
        let work = move || {
            let _permit = permit;
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
