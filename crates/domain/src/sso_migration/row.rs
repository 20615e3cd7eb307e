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
    /// Name of a row's action.
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
    /// Reasons for which a user stays as they are.
    KeepReason, KeepReasonError, "not a reason to keep a user as they are" {
        /// The username is the email.
        UsernameIsEmail = "username_is_email",
        /// A break-glass user: nothing touches them (A4).
        BreakGlass = "break_glass",
        /// The account's first owner, who has not set a password yet: the link of their invitation does, whatever
        /// the SSO mode is (A1).
        FirstOwner = "first_owner",
        /// An owner decided so.
        Decided = "decided",
        /// Deactivated and without an email, which they are given when they are made active.
        Inactive = "inactive",
        /// Going back: the migration did not change the user.
        Unchanged = "unchanged",
        /// Going back: the user was changed since, which counts more.
        ChangedSince = "changed_since",
        /// Going back: the removed duplicate stays archived.
        StaysArchived = "stays_archived",
    }
}

named! {
    /// Rules that tell the duplicate that stays from those that go: the first of these in which they differ, in
    /// this order.
    DuplicateRule, DuplicateRuleError, "not a rule about duplicates" {
        /// An owner decided it.
        Decided = "decided",
        /// A break-glass user is never removed (A4).
        BreakGlass = "break_glass",
        /// The owner who plans is never removed.
        ActingOwner = "acting_owner",
        /// Active before inactive before invited.
        Status = "status",
        /// The later last sign-in stays.
        LastSignIn = "last_sign_in",
        /// More roles stay before fewer.
        Roles = "roles",
        /// The older user stays.
        Age = "age",
    }
}

named! {
    /// Conflicts that an owner must decide.
    ConflictKind, ConflictKindError, "not a kind of conflict" {
        /// Users with different names, who may sign in, share an email: a mailbox of several people, or one person
        /// twice.
        SharedMailbox = "shared_mailbox",
        /// A break-glass user, who is not reached by an SSO sign-in, shares their email.
        BreakGlassDuplicate = "break_glass_duplicate",
        /// The decisions leave none of the users who share an email, or several.
        Undecidable = "undecidable",
        /// The user has no email that SSO could recognize them by.
        NoEmail = "no_email",
        /// Another user keeps the username that this one would get.
        UsernameTaken = "username_taken",
    }
}

/// Evidence about one of several users who go by the same email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Status of the user in the directory.
    pub status: UserStatus,
    /// Time of the user's last sign-in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Roles that the user holds, from either source.
    pub roles: RoleSet,
    /// Time at which the user was added.
    pub created_at: Timestamp,
}

/// Action of a plan on a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Leaves the user as they are.
    Keep {
        /// Reason to leave them so.
        reason: KeepReason,
    },
    /// Gives the user another username.
    Rename {
        /// Username that the user has now.
        #[serde(deserialize_with = "stored")]
        from: Username,
        /// Username that the user gets.
        #[serde(deserialize_with = "stored")]
        to: Username,
    },
    /// Archives the user as a duplicate.
    RemoveDuplicate {
        /// User who stays in their place.
        stays: UserId,
        /// Rule by which the one stays and not the other.
        rule: DuplicateRule,
        /// Evidence about the user who is removed.
        removed: Evidence,
        /// Evidence about the user who stays.
        kept: Evidence,
        /// The assigned roles which the one who stays does not hold.
        roles: RoleSet,
        /// Whether they go to the one who stays, or are lost.
        roles_united: bool,
    },
    /// Lets the user keep username and form login.
    Exempt {
        /// Whether the email, which another user goes by, becomes the recovery email.
        email_moved: bool,
    },
    /// The owner who plans keeps username and form login.
    RetainedAdmin {
        /// Whether they become exempt by it; a break-glass user need not.
        becomes_exempt: bool,
    },
    /// An owner must decide.
    Conflict {
        /// Kind of the conflict.
        kind: ConflictKind,
        /// Other users that it is about.
        with: Vec<UserId>,
    },
    /// Going back: what was changed is put back.
    Restore {
        /// Whether they come back from the archive.
        from_archive: bool,
    },
}

impl Action {
    /// Name of the action, without its details.
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
    /// Username that the user signs in with.
    #[serde(deserialize_with = "stored")]
    pub username: Username,
    /// Address that mail goes to.
    #[serde(deserialize_with = "optional_stored")]
    pub email: Option<Email>,
    /// Recovery email, a second address of the user.
    #[serde(deserialize_with = "optional_stored")]
    pub recovery_email: Option<Email>,
    /// Status of the user in the directory.
    pub status: UserStatus,
    /// Roles that an owner, an operator or an invitation gave them.
    pub assigned_roles: RoleSet,
    /// Whether they keep form login where SSO is required.
    pub exempt: bool,
}

impl Snapshot {
    /// Takes a user's properties as they are now.
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

/// Row of a plan, for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// User that the row is about.
    pub user_id: UserId,
    /// Properties of the user as they are.
    pub before: Snapshot,
    /// The version of the user that the plan saw.
    pub version: Timestamp,
    /// Action on the user, and its reason.
    pub action: Action,
    /// Properties of the user as they will be; none where nothing changes.
    pub after: Option<Snapshot>,
    /// Whether their username must be free before others get theirs.
    pub steps_aside: bool,
    /// Choices that an owner has about the user.
    pub choices: Vec<Choice>,
    /// Mail that the user is sent, if any.
    pub mail: Option<MailKind>,
}

impl Row {
    /// Properties of the user once the row is applied.
    pub fn outcome(&self) -> &Snapshot {
        self.after.as_ref().unwrap_or(&self.before)
    }
}
