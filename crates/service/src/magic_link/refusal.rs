//! Records of links that do not work, for diagnostics (H1).

use domain::AttemptId;
use domain::one_time_link::OneTimeLink;
use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptOutcome, SignInAttempt};

use super::complete::CompleteMagicLink;
use crate::Service;
use crate::error::{Code, Error};

/// Refusals that say something about the link or its user; the others are about the caller, or are faults of ours.
pub(crate) const WRITTEN_DOWN: [Code; 7] = [
    Code::LinkUsed,
    Code::LinkReplaced,
    Code::LinkExpired,
    Code::LinkInvalid,
    Code::InvitationExpired,
    Code::InvitationRevoked,
    Code::MagicLinkUnsupported,
];

impl Service {
    /// Writes a refusal down, and names the attempt in it.
    pub(super) async fn refuse_magic_link(
        &self,
        (link, complete): (&OneTimeLink, &CompleteMagicLink),
        refusal: Error,
    ) -> Error {
        if !WRITTEN_DOWN.contains(&refusal.code) {
            return refusal;
        }
        metrics::counter!("vestibule_sign_ins_refused_total", "reason" => refusal.code.as_str()).increment(1);
        match self.record_refused_sign_in(self.refused_attempt(link, complete, refusal.code)).await {
            Ok(attempt_id) => refusal.with_attempt(attempt_id),
            Err(error) => error,
        }
    }

    fn refused_attempt(&self, link: &OneTimeLink, complete: &CompleteMagicLink, code: Code) -> SignInAttempt {
        let now = self.now();
        let (id, whose) = (AttemptId::from_uuid(self.uuid()), (link.account_id, Portal::SelfService));
        SignInAttempt {
            application_id: Some(complete.authorization.client_id),
            outcome: AttemptOutcome::Refused,
            failure: Some(AttemptFailure {
                code: code.as_str().to_owned(),
                reason: code.as_str().to_owned(),
                check: "magic_link".to_owned(),
                wanted: Some(format!("the newest link of {}, unused, before {}", link.user_id, link.expires_at)),
                got: Some(format!("a link of {} at {now}", link.created_at)),
            }),
            ..SignInAttempt::new(id, whose, AttemptKind::MagicLink, (complete.address, now))
        }
    }
}
