//! The digest of a plan: what an owner signs (F2).
//!
//! SHA-256 over everything that is carried out and that it rests on, in one canonical form: each user's version and
//! properties, what becomes of them, what was decided, and how. The last sign-ins, which are evidence, are not part
//! of it: where one changes which duplicate stays, the row changes, and the digest with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::email::Email;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::sso_migration::plan::Plan;
use crate::sso_migration::row::{Action, Row, Snapshot};
use crate::sso_migration::{Decisions, Direction, MigrationOptions};
use crate::{SsoMigrationId, UserId};

/// Changes when what is hashed does, so that no plan of an older version is carried out by a newer one.
const VERSION: &str = "vestibule-sso-migration-1";
/// Hexadecimal digits of a digest.
const DIGITS: usize = 64;

/// Digest that names a plan and everything it rests on: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanDigest(String);

/// Error of a text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {DIGITS} hexadecimal digits in lower case")]
pub struct PlanDigestError;

/// Context of a plan, beside its rows.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'a> {
    /// Portal that the plan is for.
    pub portal: Portal,
    /// Direction: to SSO or back.
    pub direction: Direction,
    /// The owner who plans.
    pub acting: UserId,
    /// The migration that it puts back.
    pub reverts: Option<SsoMigrationId>,
    /// Options that the plan is made with.
    pub options: MigrationOptions,
    /// Decisions about single users.
    pub decisions: &'a Decisions,
}

impl PlanDigest {
    /// The digest of a plan.
    pub fn of(plan: &Plan, context: &PlanContext<'_>) -> Self {
        let mut canon = Canon(Sha256::new());
        canon.text(VERSION);
        canon.context(context);
        canon.number(plan.rows.len());
        for row in &plan.rows {
            canon.row(row);
        }
        for blocker in plan.blockers.iter().filter(|blocker| blocker.is_of_the_plan()) {
            canon.text(blocker.as_str());
        }
        let digest = canon.0.finalize();
        Self(digest.iter().fold(String::with_capacity(DIGITS), |text, byte| text + &format!("{byte:02x}")))
    }

    /// Text of the digest, as hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanDigest {
    type Err = PlanDigestError;

    fn from_str(text: &str) -> Result<Self, PlanDigestError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == DIGITS && text.bytes().all(hex)).then(|| Self(text.to_owned())).ok_or(PlanDigestError)
    }
}

impl TryFrom<String> for PlanDigest {
    type Error = PlanDigestError;

    fn try_from(text: String) -> Result<Self, PlanDigestError> {
        text.parse()
    }
}

impl From<PlanDigest> for String {
    fn from(digest: PlanDigest) -> Self {
        digest.0
    }
}

/// Fields one after another, each with its length before it, so that no two plans read the same.
struct Canon(Sha256);

impl Canon {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn number(&mut self, number: usize) {
        self.0.update(u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.update([u8::from(flag)]);
    }

    fn email(&mut self, email: Option<&Email>) {
        self.flag(email.is_some());
        self.text(email.map_or("", Email::as_str));
    }

    fn roles(&mut self, roles: &RoleSet) {
        self.number(roles.len());
        for role in roles {
            self.text(role.as_str());
        }
    }

    fn context(&mut self, context: &PlanContext<'_>) {
        let PlanContext { portal, direction, acting, reverts, options, decisions } = context;
        self.text(portal.as_str());
        self.text(direction.as_str());
        self.bytes(acting.as_uuid().as_bytes());
        self.bytes(reverts.map(|id| *id.as_uuid().as_bytes()).unwrap_or_default().as_slice());
        let MigrationOptions {
            retain_admin,
            unite_roles,
            end_sso_sessions,
            mail_inactive,
            restore_usernames,
            restore_duplicates,
        } = *options;
        for option in
            [retain_admin, unite_roles, end_sso_sessions, mail_inactive, restore_usernames, restore_duplicates]
        {
            self.flag(option);
        }
        self.number(decisions.len());
        for (user, decision) in *decisions {
            self.bytes(user.as_uuid().as_bytes());
            self.text(decision.choice.as_str());
            self.text(decision.unite_roles.map_or("", |unite| if unite { "unite" } else { "drop" }));
        }
    }

    fn row(&mut self, row: &Row) {
        self.bytes(row.user_id.as_uuid().as_bytes());
        self.bytes(&row.version.as_millisecond().to_be_bytes());
        self.snapshot(&row.before);
        self.action(&row.action);
        self.flag(row.after.is_some());
        if let Some(after) = &row.after {
            self.snapshot(after);
        }
        self.flag(row.steps_aside);
        self.text(row.mail.map_or("", |kind| kind.as_str()));
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        let Snapshot { username, email, recovery_email, status, assigned_roles, exempt } = snapshot;
        self.text(username.as_str());
        self.email(email.as_ref());
        self.email(recovery_email.as_ref());
        self.text(status.as_str());
        self.roles(assigned_roles);
        self.flag(*exempt);
    }

    fn action(&mut self, action: &Action) {
        self.text(action.name().as_str());
        match action {
            Action::Keep { reason } => self.text(reason.as_str()),
            Action::RemoveDuplicate { stays, rule, roles, roles_united, .. } => {
                self.bytes(stays.as_uuid().as_bytes());
                self.text(rule.as_str());
                self.roles(roles);
                self.flag(*roles_united);
            }
            Action::Conflict { kind, .. } => self.text(kind.as_str()),
            // What these say beside their name is in the two snapshots.
            Action::Rename { .. } | Action::Exempt { .. } | Action::RetainedAdmin { .. } | Action::Restore { .. } => {}
        }
    }
}
