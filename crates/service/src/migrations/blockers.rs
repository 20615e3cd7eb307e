//! Blockers that keep a plan from being signed or carried out, in words that say what to do.

use domain::sso_migration::lifecycle::MigrationRefusal;
use domain::sso_migration::{Blocker, MigrationState};

use crate::core::error::{Code, Error, Violation};

/// A blocker in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockerWords {
    /// Description of what is wrong.
    pub detail: &'static str,
    /// Advice on what to do about it.
    pub fix: &'static str,
}

/// Describes a blocker, for a page that shows it.
pub const fn blocker_words(blocker: Blocker) -> BlockerWords {
    let (detail, fix) = match blocker {
        Blocker::UndecidedConflicts => {
            ("rows of action conflict wait for a decision", "Decide each of them by one of its choices.")
        }
        Blocker::BreakGlassRequired => (
            "an active owner with a password must be marked break_glass first",
            "Give an owner a password of their own, and set break_glass on them.",
        ),
        Blocker::ConnectionNotReady => (
            "the portal's SAML connection must be complete and enabled first",
            "Set what its property missing lists, and enable it.",
        ),
        Blocker::WrongMode => (
            "SSO is required already, or, for going back, is not required",
            "Preview the other direction, if that is what you want.",
        ),
        Blocker::PageNotConfigured => (
            "the portal's default application needs an initiate_login_uri, and for going back pages.login",
            "Set it on the application.",
        ),
        Blocker::ConnectionUntested => (
            "no test sign-in has passed through the SAML connection as it is now: if its certificate or a URL is wrong, nobody \
             gets in by SSO",
            "Do a test sign-in of the connection until it succeeds, then sign; or sign with an override_reason, which stays \
             on record.",
        ),
    };
    BlockerWords { detail, fix }
}

/// Translates a refusal for an owner who wants to change a migration.
pub(super) fn refused(refusal: MigrationRefusal) -> Error {
    match refusal {
        MigrationRefusal::Over(state) => Error::new(Code::MigrationOver).with_detail(over(state)),
        MigrationRefusal::NotSignedOff | MigrationRefusal::Expired => Error::new(Code::MigrationNotSignedOff),
        MigrationRefusal::Outdated => Error::new(Code::MigrationOutdated),
        MigrationRefusal::Blocked(blockers) => {
            let is_break_glass = blockers.contains(&Blocker::BreakGlassRequired);
            let code = if is_break_glass { Code::BreakGlassRequired } else { Code::MigrationBlocked };
            Error::new(code).with_violations(blockers.into_iter().map(violation).collect())
        }
    }
}

const fn over(state: MigrationState) -> &'static str {
    match state {
        MigrationState::Applied => "This migration was applied",
        MigrationState::Reverted => "This migration was applied and put back",
        MigrationState::Superseded => "A later migration took this one's place",
        MigrationState::Previewed | MigrationState::SignedOff => "This migration is not over",
    }
}

fn violation(blocker: Blocker) -> Violation {
    let BlockerWords { detail, fix } = blocker_words(blocker);
    Violation { field: format!("/blockers/{}", blocker.as_str()), detail: format!("{detail}. {fix}") }
}
