//! Records of links that do not work, for diagnostics (H1).

use domain::AttemptId;
use domain::one_time_link::OneTimeLink;
use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptStart, Outcome, SignInAttempt};

use super::complete::CompleteMagicLink;
use crate::core::error::{Code, Error};
use crate::core::reason::{Check, Reason};
use crate::sign_in::SignIn;

/// Reason that is written down, for refusals that say something about the link or its user; the others are about the
/// caller, or are faults of ours.
const fn reason(code: Code) -> Option<Reason> {
    match code {
        Code::LinkUsed => Some(Reason::LinkUsed),
        Code::LinkReplaced => Some(Reason::LinkReplaced),
        Code::LinkExpired => Some(Reason::LinkExpired),
        Code::LinkInvalid => Some(Reason::LinkInvalid),
        Code::InvitationExpired => Some(Reason::InvitationExpired),
        Code::InvitationRevoked => Some(Reason::InvitationRevoked),
        Code::MagicLinkUnsupported => Some(Reason::MagicLinkUnsupported),
        _ => None,
    }
}

impl SignIn {
    /// Writes a refusal down, and names the attempt in it.
    pub(super) async fn refuse_magic_link(
        &self,
        link: &OneTimeLink,
        complete: &CompleteMagicLink,
        refusal: Error,
    ) -> Error {
        let Some(reason) = reason(refusal.code) else { return refusal };
        metrics::counter!("vestibule_sign_ins_refused_total", "reason" => reason.as_str()).increment(1);
        let failure = AttemptFailure { code: refusal.code.as_str().to_owned(), ..reason.failure(Check::MagicLink) };
        match self.record_refused_sign_in(self.refused_attempt(link, complete, failure)).await {
            Ok(attempt_id) => refusal.with_attempt(attempt_id),
            Err(error) => error,
        }
    }

    fn refused_attempt(
        &self,
        link: &OneTimeLink,
        complete: &CompleteMagicLink,
        failure: AttemptFailure,
    ) -> SignInAttempt {
        let now = self.core.now();
        SignInAttempt {
            application_id: Some(complete.authorization.client_id),
            outcome: Outcome::Refused(AttemptFailure {
                wanted: Some(format!("the newest link of {}, unused, before {}", link.user_id, link.expires_at)),
                got: Some(format!("a link of {} at {now}", link.created_at)),
                ..failure
            }),
            ..SignInAttempt::new(AttemptStart {
                id: AttemptId::from_uuid(self.core.uuid()),
                account_id: link.account_id,
                portal: Portal::SelfService,
                kind: AttemptKind::MagicLink,
                client_address: complete.address,
                at: now,
            })
        }
    }
}
