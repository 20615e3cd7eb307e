//! Unsolicited responses, which never make a session (C10): at most they lead to a sign-in that the user asks for.

use std::net::IpAddr;

use domain::AttemptId;
use domain::sign_in_attempt::{AttemptKind, AttemptStage, Outcome};
use domain::sso::connection::SamlConnection;
use saml::VerifiedResponse;

use crate::core::reason::Reason;
use crate::sign_in::SignIn;
use crate::sign_in::saml::acs::AcsAnswer;
use crate::sign_in::saml::refusal::{AcsError, NewAttempt, Refusal};

impl SignIn {
    /// Answers a verified unsolicited response with the redirect of the public login URL, where the connection allows
    /// it: the browser comes back through an ordinary, bound sign-in.
    pub(super) async fn admit_unsolicited(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        address: IpAddr,
    ) -> Result<AcsAnswer, AcsError> {
        if !connection.settings.allow_idp_initiated || !connection.mode.is_enabled() {
            let wanted = "InResponseTo, or allow_idp_initiated on the connection";
            return Err(Refusal::of_state(Reason::UnsolicitedResponse, wanted, None).into());
        }
        let url = self.initiate_login_url(connection).await?;
        let kind = AttemptKind::IdpInitiated;
        let new = NewAttempt { connection, application_id: None, kind, entered_email: None, address };
        let mut row = self.attempt_row(&new, AttemptId::from_uuid(self.core.uuid()), AttemptStage::ResponseVerified);
        row.outcome = Outcome::Succeeded;
        let mut tx = self.core.store.write_once().await?;
        storage::sign_in_attempts::insert_unsolicited(&mut tx, &row, &verified.assertion_id).await?;
        Ok(AcsAnswer::Redirect(url))
    }
}
