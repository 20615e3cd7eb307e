//! A plan's row: what becomes of one user, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::UserId;
use crate::email::Email;
use crate::mail::MailKind;
use crate::named::named;
use crate::role::RoleSet;
use crate::sso_migration::decision::Choice;
use crate::text::{optional_stored, stored};
use crate::user::{User, UserStatus};
use crate::username::Username;

named! {
    /// What a row does, by its name.
    ActionName, ActionNameError,
    "expected \"keep\", \"rename\", \"remove_duplicate\", \"exempt\", \"retained_admin\", \"conflict\" or \"restore\"" {
        /// The user stays as they are.
        Keep = "keep",
        /// The username becomes another one.
        Rename = "rename",
        /// The user is archived, because another one stands for the same person.
        RemoveDuplicate = "remove_duplicate",
        /// The user keeps username and form login.
        Exempt = "exempt",
        /// The same for the owner who plans.
        RetainedAdmin = "retained_admin",
        /// An owner must decide.
        Conflict = "conflict",
        /// Going back: what was changed besides a username is put back.
        Restore = "restore",
    }
}

named! {
    /// Why a user stays as they are.
    KeepReason, KeepReasonError, "not a reason to keep a user as they are" {
        /// The username is the email.
        UsernameIsEmail = "username_is_email",
        /// A break-glass user: nothing touches them (A4).
        BreakGlass = "break_glass",
        /// The account's first owner, who has not set a password yet: the link of their invitation does, whatever the SSO mode
        /// is (A1).
        FirstOwner = "first_owner",
        /// An owner decided so.
        Decided = "decided",
        /// Deactivated and without an email: whoever makes them active gives them one.
        Inactive = "inactive",
        /// Going back: the migration did not change them.
        Unchanged = "unchanged",
        /// Going back: somebody changed them since, which counts more.
        ChangedSince = "changed_since",
        /// Going back: the removed duplicate stays archived.
        StaysArchived = "stays_archived",
    }
}

named! {
    /// What tells the duplicate that stays from those that go: the first of these in which they differ, in this order.
    DuplicateRule, DuplicateRuleError, "not a rule about duplicates" {
        /// An owner decided it.
        Decided = "decided",
        /// A break-glass user is never removed (A4).
        BreakGlass = "break_glass",
        /// The owner who plans is never removed.
        ActingOwner = "acting_owner",
        /// Active before inactive before invited.
        Status = "status",
        /// The later sign-in.
        LastSignIn = "last_sign_in",
        /// More roles.
        Roles = "roles",
        /// The older user.
        Age = "age",
    }
}

named! {
    /// What an owner must decide.
    ConflictKind, ConflictKindError, "not a kind of conflict" {
        /// Users with different names, who may sign in, share an email: a mailbox of several people, or one person twice.
        SharedMailbox = "shared_mailbox",
        /// A break-glass user, whom no SSO sign-in reaches, shares their email.
        BreakGlassDuplicate = "break_glass_duplicate",
        /// What was decided leaves none of those who share an email, or several.
        Undecidable = "undecidable",
        /// There is no email that SSO could tell the user by.
        NoEmail = "no_email",
        /// The username that the user would get is that of somebody who keeps it.
        UsernameTaken = "username_taken",
    }
}

/// What is known of one of several users who go by the same email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where they stand.
    pub status: UserStatus,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// What they hold, from either source.
    pub roles: RoleSet,
    /// When they were added.
    pub created_at: Timestamp,
}

/// What becomes of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// They stay as they are.
    Keep {
        /// Why.
        reason: KeepReason,
    },
    /// The username becomes another one.
    Rename {
        /// What it is.
        #[serde(deserialize_with = "stored")]
        from: Username,
        /// What it becomes.
        #[serde(deserialize_with = "stored")]
        to: Username,
    },
    /// They are archived.
    RemoveDuplicate {
        /// Who stays.
        stays: UserId,
        /// Why the one stays and not the other.
        rule: DuplicateRule,
        /// What is known of the one who is removed.
        removed: Evidence,
        /// What is known of the one who stays.
        kept: Evidence,
        /// The assigned roles which the one who stays does not hold.
        roles: RoleSet,
        /// Whether they go to the one who stays, or are lost.
        roles_united: bool,
    },
    /// They keep username and form login.
    Exempt {
        /// Whether the email, which somebody else goes by, becomes the recovery email.
        email_moved: bool,
    },
    /// The owner who plans keeps username and form login.
    RetainedAdmin {
        /// Whether they become exempt by it; a break-glass user need not.
        becomes_exempt: bool,
    },
    /// An owner must decide.
    Conflict {
        /// What about.
        kind: ConflictKind,
        /// Whom it is about besides.
        with: Vec<UserId>,
    },
    /// Going back: what was changed is put back.
    Restore {
        /// Whether they come back from the archive.
        from_archive: bool,
    },
}

impl Action {
    /// Its name.
    pub const fn name(&self) -> ActionName {
        match self {
            Self::Keep { .. } => ActionName::Keep,
            Self::Rename { .. } => ActionName::Rename,
            Self::RemoveDuplicate { .. } => ActionName::RemoveDuplicate,
            Self::Exempt { .. } => ActionName::Exempt,
            Self::RetainedAdmin { .. } => ActionName::RetainedAdmin,
            Self::Conflict { .. } => ActionName::Conflict,
            Self::Restore { .. } => ActionName::Restore,
        }
    }
}

/// Everything of a user that a migration may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What they sign in as.
    #[serde(deserialize_with = "stored")]
    pub username: Username,
    /// Where mail goes.
    #[serde(deserialize_with = "optional_stored")]
    pub email: Option<Email>,
    /// Where mail goes besides.
    #[serde(deserialize_with = "optional_stored")]
    pub recovery_email: Option<Email>,
    /// Where they stand.
    pub status: UserStatus,
    /// What an owner gave them.
    pub assigned_roles: RoleSet,
    /// Whether they keep form login where SSO is required.
    pub exempt: bool,
}

impl Snapshot {
    /// As a user is now.
    pub fn of(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            recovery_email: user.recovery_email.clone(),
            status: user.status,
            assigned_roles: user.roles.assigned.clone(),
            exempt: user.exempt,
        }
    }
}

/// What becomes of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub user_id: UserId,
    /// As they are.
    pub before: Snapshot,
    /// The version of the user that the plan saw.
    pub version: Timestamp,
    /// What becomes of them, and why.
    pub action: Action,
    /// As they will be; none where nothing changes.
    pub after: Option<Snapshot>,
    /// Whether their username must be free before others get theirs.
    pub steps_aside: bool,
    /// What may be decided of them.
    pub choices: Vec<Choice>,
    /// What they are told.
    pub mail: Option<MailKind>,
}

impl Row {
    /// As they will be.
    pub fn outcome(&self) -> &Snapshot {
        self.after.as_ref().unwrap_or(&self.before)
    }
}
