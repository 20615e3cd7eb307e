//! Requiring SSO of a portal, and going back (F1 to F5).
//!
//! A migration is a plan that an owner previews, decides upon, signs off and applies: a row for each user, with
//! what becomes of them and why. The plan is a function of the users and of what was decided, so it is made anew
//! wherever its digest is checked: what an owner signed off is what is carried out, or nothing is.

pub mod back;
pub mod decision;
mod digest;
mod duplicates;
pub mod lifecycle;
pub mod plan;
pub mod require;
pub mod row;
#[cfg(test)]
mod tests;
mod usernames;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::portal::Portal;
use crate::text::Label;
use crate::{AccountId, SsoMigrationId, UserId};

pub use decision::{Choice, Decision, Decisions};
pub use digest::{PlanContext, PlanDigest};
pub use plan::{Blocker, Counts, Person, Plan};
pub use row::{Action, ActionName, Row, Snapshot};

named! {
    /// Direction of a migration: to SSO or back.
    Direction, DirectionError, "expected \"require\" or \"revert\"" {
        /// SSO becomes required (F1 to F3).
        Require = "require",
        /// SSO is switched off, and what requiring it changed is put back (F4).
        Revert = "revert",
    }
}

named! {
    /// State of a migration.
    MigrationState, MigrationStateError,
    "expected \"previewed\", \"signed_off\", \"applied\", \"reverted\" or \"superseded\"" {
        /// Its plan can be read and decided upon.
        Previewed = "previewed",
        /// An owner signed its plan off.
        SignedOff = "signed_off",
        /// Carried out, and not put back since.
        Applied = "applied",
        /// Carried out, and put back by another one.
        Reverted = "reverted",
        /// A later one took its place before it was carried out.
        Superseded = "superseded",
    }
}

/// Options of a migration, beside the decisions about single users.
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a form, each with its own meaning")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MigrationOptions {
    /// Requiring: whether the owner who plans keeps their username and form login (F3, G1).
    pub retain_admin: bool,
    /// Requiring: whether the assigned roles of removed duplicates go to the one who stays, where nothing else is
    /// decided. Off by default, because it gives a user more than they had.
    pub unite_roles: bool,
    /// Requiring: whether sessions that began through SSO end too. Those of form logins do.
    pub end_sso_sessions: bool,
    /// Requiring: whether deactivated users are told too (F3).
    pub mail_inactive: bool,
    /// Going back: whether users get back the usernames that they had.
    pub restore_usernames: bool,
    /// Going back: whether removed duplicates come back, where nothing else is decided.
    pub restore_duplicates: bool,
}

impl Default for MigrationOptions {
    fn default() -> Self {
        Self {
            retain_admin: true,
            unite_roles: false,
            end_sso_sessions: false,
            mail_inactive: true,
            restore_usernames: true,
            restore_duplicates: true,
        }
    }
}

/// An owner's signature under a plan (F2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// Owner who signed the plan.
    pub by: UserId,
    /// Time of the signature.
    pub at: Timestamp,
    /// Time from which the signature is not valid any more.
    pub expires_at: Timestamp,
    /// Their word for a connection that no test sign-in has proved.
    pub untested: Option<UntestedOverride>,
}

/// An owner's word that SSO may be required through a connection whose test sign-in is missing (F2). It is for the
/// connection as they saw it: a later change of the connection asks for a test or another signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntestedOverride {
    /// Reason, in the owner's words.
    pub reason: Label,
    /// The version of the connection that they spoke of.
    pub connection_version: Timestamp,
}

/// Record of a plan that was carried out: the time, the owner, and its effects beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Owner who applied the plan.
    pub by: UserId,
    /// Time at which it was applied.
    pub at: Timestamp,
    /// Effects of the plan beside its rows.
    pub effects: Effects,
}

/// Effects of applying a plan that are in none of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// Sessions that ended, also those that had been switched to elsewhere.
    pub sessions_ended: u64,
    /// Number of one-time links that ended.
    pub links_ended: u64,
}

/// State of a migration with its data: what is signed has a signature, what was carried out has a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The plan can be read and decided upon.
    Previewed,
    /// An owner signed the plan off.
    SignedOff(SignOff),
    /// The plan was carried out, and not put back since.
    Applied(SignOff, Applied),
    /// The plan was carried out, and put back by another migration.
    Reverted(SignOff, Applied),
    /// A later migration took its place before it was carried out; it may have been signed.
    Superseded(Option<SignOff>),
}

impl Progress {
    /// The name of the state.
    pub const fn state(&self) -> MigrationState {
        match self {
            Self::Previewed => MigrationState::Previewed,
            Self::SignedOff(_) => MigrationState::SignedOff,
            Self::Applied(..) => MigrationState::Applied,
            Self::Reverted(..) => MigrationState::Reverted,
            Self::Superseded(_) => MigrationState::Superseded,
        }
    }

    /// The signature under the plan, where it was given.
    pub const fn sign_off(&self) -> Option<&SignOff> {
        match self {
            Self::SignedOff(sign_off) | Self::Applied(sign_off, _) | Self::Reverted(sign_off, _) => Some(sign_off),
            Self::Superseded(sign_off) => sign_off.as_ref(),
            Self::Previewed => None,
        }
    }

    /// The record of the application, where the plan was carried out.
    pub const fn applied(&self) -> Option<&Applied> {
        match self {
            Self::Applied(_, applied) | Self::Reverted(_, applied) => Some(applied),
            Self::Previewed | Self::SignedOff(_) | Self::Superseded(_) => None,
        }
    }

    /// An owner's word for an untested connection, where the signature has one.
    pub fn untested(&self) -> Option<&UntestedOverride> {
        self.sign_off().and_then(|sign_off| sign_off.untested.as_ref())
    }
}

/// A plan's head: everything but its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsoMigration {
    /// Identifier of the migration.
    pub id: SsoMigrationId,
    /// Account that the migration belongs to.
    pub account_id: AccountId,
    /// Portal whose users it changes.
    pub portal: Portal,
    /// Direction: to SSO or back.
    pub direction: Direction,
    /// State of the migration now, with what belongs to it.
    pub progress: Progress,
    /// The applied migration that this one puts back.
    pub reverts: Option<SsoMigrationId>,
    /// Options that the plan was made with.
    pub options: MigrationOptions,
    /// Decisions about single users.
    pub decisions: Decisions,
    /// Digest of its plan, which an owner signs.
    pub digest: PlanDigest,
    /// Numbers of users, rows and mails in its plan.
    pub counts: Counts,
    /// Blockers that kept it from being signed off when it was previewed.
    pub blockers: Vec<Blocker>,
    /// Owner who planned it, and the administrator that it retains.
    pub created_by: UserId,
    /// Time at which it was planned.
    pub created_at: Timestamp,
    /// Time of its last change; its `ETag`.
    pub updated_at: Timestamp,
}
