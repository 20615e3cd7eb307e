//! Refused switches: what is to be set up, for the user who would switch and for the owners there (G1, H1).

use domain::AttemptId;
use domain::account_switch::SwitchRefusal;
use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptStart, Outcome, SignInAttempt};

use super::{SwitchAccount, Switching};
use crate::accounts::Accounts;
use crate::core::error::{Code, Error};
use crate::core::reason::{Check, Reason};

impl Accounts {
    /// Records a refusal in the account that the user would have switched to, and returns it.
    pub(super) async fn refuse_switch(
        &self,
        switching: &Switching,
        switch: &SwitchAccount,
        refusal: SwitchRefusal,
    ) -> Error {
        let error = error(refusal);
        // A refusal leaves nothing in an account that has not agreed to a link.
        let Some(reason) = reason(refusal) else { return error };
        metrics::counter!("vestibule_sign_ins_refused_total", "reason" => reason.as_str()).increment(1);
        let username = switching.user.username.as_str();
        let failure = AttemptFailure {
            wanted: Some(refusal.to_string()),
            got: Some(format!("{username} of {}", switching.home.account_id)),
            ..reason.failure(Check::AccountSwitch)
        };
        let attempt = SignInAttempt {
            outcome: Outcome::Refused(failure.bounded()),
            entered_email: Some(username.to_owned()),
            ..SignInAttempt::new(AttemptStart {
                id: AttemptId::from_uuid(self.core.uuid()),
                account_id: switch.account_id,
                portal: Portal::Admin,
                kind: AttemptKind::Switch,
                client_address: switch.address,
                at: self.core.now(),
            })
        };
        match self.sign_in.record_refused_sign_in(attempt).await {
            Ok(attempt_id) => error.with_attempt(attempt_id),
            Err(fault) => fault,
        }
    }
}

/// Names a refusal for diagnostics; none where nothing is recorded.
const fn reason(refusal: SwitchRefusal) -> Option<Reason> {
    match refusal {
        SwitchRefusal::NotLinked => None,
        SwitchRefusal::FromSandbox => Some(Reason::SwitchFromSandbox),
        SwitchRefusal::NotByFormLogin => Some(Reason::SwitchNotByFormLogin),
        SwitchRefusal::UsernameReplaced => Some(Reason::SwitchUsernameReplaced),
        SwitchRefusal::NotServed => Some(Reason::SwitchNotServed),
        SwitchRefusal::NotPaired => Some(Reason::SwitchNotPaired),
        SwitchRefusal::PairVoid => Some(Reason::SwitchPairVoid),
        SwitchRefusal::UserNotReady => Some(Reason::SwitchUserNotReady),
        SwitchRefusal::SsoRequired => Some(Reason::SwitchSsoRequired),
        SwitchRefusal::CodeRequired => Some(Reason::SwitchCodeRequired),
        SwitchRefusal::NetworkNotAllowed => Some(Reason::NetworkNotAllowed),
    }
}

fn error(refusal: SwitchRefusal) -> Error {
    match switch_code(refusal) {
        Code::SwitchNeedsSetup => Error::new(Code::SwitchNeedsSetup).with_detail(refusal.to_string()),
        code => Error::new(code),
    }
}

/// The code of the catalogue that a refusal has.
pub fn switch_code(refusal: SwitchRefusal) -> Code {
    reason(refusal).map_or(Code::NotFound, Reason::code)
}
