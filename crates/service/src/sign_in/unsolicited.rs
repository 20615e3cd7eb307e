//! A response that nobody asked for never makes a session (C10): at most it leads to a sign-in that somebody did ask for.

use std::net::IpAddr;

use domain::AttemptId;
use domain::sign_in_attempt::{AttemptKind, AttemptOutcome, AttemptStage};
use domain::sso::connection::SamlConnection;
use saml::VerifiedResponse;

use crate::Service;
use crate::error::{Code, Result};
use crate::sign_in::acs::{AcsAnswer, NotAdmitted};
use crate::sign_in::refusal::{NewAttempt, Refusal};

impl Service {
    /// Answers a verified unsolicited response with the redirect of the public login URL, where the connection allows
    /// it: the browser comes back through an ordinary, bound sign-in.
    pub(super) async fn admit_unsolicited(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        address: IpAddr,
    ) -> Result<Result<AcsAnswer, NotAdmitted>> {
        let refused = |reason, wanted| {
            let refusal = Refusal::of_state(Code::SamlResponseRefused, reason, wanted, None);
            Ok(Err(NotAdmitted { refusal, pending: None }))
        };
        if !connection.settings.allow_idp_initiated {
            return refused("unsolicited_response", "InResponseTo, or allow_idp_initiated on the connection");
        }
        let url = self.initiate_login_url(connection).await?;
        let new = NewAttempt {
            connection,
            application_id: None,
            kind: AttemptKind::IdpInitiated,
            entered_email: None,
            address,
        };
        let mut tx = self.store.begin().await?;
        if !self.remember_assertion(&mut tx, connection, verified).await? {
            return refused("response_replayed", "a response that was not used before");
        }
        let mut row = self.attempt_row(&new, AttemptId::from_uuid(self.uuid()), AttemptStage::ResponseVerified);
        row.outcome = AttemptOutcome::Succeeded;
        storage::sign_in_attempts::insert(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(Ok(AcsAnswer::Redirect(url)))
    }
}
