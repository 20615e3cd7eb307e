//! Parts that every plan has, in either direction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::email::Email;
use crate::mail::MailKind;
use crate::named::named;
use crate::sso::connection::SsoMode;
use crate::sso_migration::row::{ActionName, Row};
use crate::user::{User, UserStatus};
use crate::username::Username;

/// A user, and what a plan must know besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user as they are now.
    pub user: User,
    /// Whether they could sign in by a password of theirs.
    pub has_password: bool,
    /// Whether it is a password that they chose: a temporary one is only good until it is changed or its time is over.
    pub has_own_password: bool,
    /// Whether they are the account's first owner and have not opened the link yet that sets their password (A1).
    pub awaits_first_owner: bool,
}

impl Person {
    /// Identity by which SSO would recognize the user, in its compared form: the email, or a username that is one.
    pub fn sso_identity(&self) -> Option<String> {
        let by_username = || Email::parse(self.user.username.as_str()).ok().map(|email| email.normalized());
        self.user.email.as_ref().map(Email::normalized).or_else(by_username)
    }

    /// The username that SSO will tell them by.
    pub fn sso_username(&self) -> Option<Username> {
        self.user.email.as_ref().and_then(|email| Username::parse(email.as_str()).ok())
    }

    /// Whether they were removed as a duplicate.
    pub fn is_archived(&self) -> bool {
        self.user.status == UserStatus::Archived
    }
}

/// The portal's connection, as far as a plan depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// Mode in which the portal uses SSO.
    pub mode: SsoMode,
    /// Whether nothing is missing in it.
    pub is_complete: bool,
    /// Whether the mails have a page to lead to.
    pub has_page: bool,
    /// Whether a test sign-in passed through it as it is now (C9).
    pub is_tested: bool,
}

named! {
    /// Reasons for which a plan cannot be signed off.
    Blocker, BlockerError, "not a reason for which a plan is blocked" {
        /// A row waits for a decision.
        UndecidedConflicts = "undecided_conflicts",
        /// No user could sign in when SSO does not work (A4).
        BreakGlassRequired = "break_glass_required",
        /// The portal has no connection that is enabled and complete.
        ConnectionNotReady = "connection_not_ready",
        /// SSO is required already, or is not any more.
        WrongMode = "wrong_mode",
        /// The mails would lead nowhere: the portal's default application lacks the page.
        PageNotConfigured = "page_not_configured",
        /// No test sign-in passed through the connection as it is now (F2).
        ConnectionUntested = "connection_untested",
    }
}

impl Blocker {
    /// Whether the plan itself rests on it. A test sign-in changes nothing that is planned, so the plan that was
    /// read can be signed once the test has passed.
    pub fn is_of_the_plan(self) -> bool {
        self != Self::ConnectionUntested
    }
}

/// Numbers of users, rows and mails in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Number of users in the plan.
    pub users: usize,
    /// Number of rows, by action.
    pub actions: BTreeMap<ActionName, usize>,
    /// Number of mails, by kind.
    pub mails: BTreeMap<MailKind, usize>,
}

impl Counts {
    /// Counts these rows, and their mails.
    pub fn of(rows: &[Row]) -> Self {
        let mut counts = Self { users: rows.len(), ..Self::default() };
        for row in rows {
            *counts.actions.entry(row.action.name()).or_default() += 1;
            if let Some(kind) = row.mail {
                *counts.mails.entry(kind).or_default() += 1;
            }
        }
        counts
    }

    /// Number of rows that wait for a decision.
    pub fn conflicts(&self) -> usize {
        self.actions.get(&ActionName::Conflict).copied().unwrap_or_default()
    }
}

/// Plan of a migration, for an owner to read before it is applied (F1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A row for each user, by id.
    pub rows: Vec<Row>,
    /// Numbers of users, rows and mails.
    pub counts: Counts,
    /// Blockers that keep it from being signed off.
    pub blockers: Vec<Blocker>,
}
