//! Choice of the user who stays, among several who go by one email (F1).
//!
//! The order: a break-glass user and the owner who plans are never removed; then active before inactive before
//! invited; then the later sign-in; then more roles; then the older user. What an owner decides comes before all of
//! it. Where it may be a mailbox of several people, nothing is removed unless an owner says so.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::UserId;
use crate::sso_migration::decision::Choice;
use crate::sso_migration::plan::Person;
use crate::sso_migration::row::{ConflictKind, DuplicateRule, Evidence};
use crate::text::Label;
use crate::user::UserStatus;

/// Member of a group of users who go by one email.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// The user, and what is known of them.
    pub person: &'a Person,
    /// Choice of an owner about the user.
    pub choice: Option<Choice>,
    /// Whether they are the owner who plans.
    pub is_acting: bool,
}

/// The outcome for a member.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate<'a> {
    /// The user who stands for the person.
    Stays,
    /// Keeps form login; the user who stays has the email.
    Separate,
    /// Archived as a duplicate of another user.
    Removed {
        /// The user who stays.
        keeper: &'a Person,
        /// The reason for that one.
        rule: DuplicateRule,
    },
    /// An owner must decide.
    Undecided(ConflictKind),
}

/// The member who stays, and whether an owner decided so.
#[derive(Debug, Clone, Copy)]
struct Keeper<'m, 'a> {
    member: &'m Member<'a>,
    is_decided: bool,
}

impl Member<'_> {
    /// Whether the user is never removed, as a break-glass user or the owner who plans.
    pub fn is_protected(&self) -> bool {
        self.person.user.break_glass || self.is_acting
    }

    fn is_removed(&self) -> bool {
        self.choice == Some(Choice::Remove) && !self.is_protected()
    }

    fn is_separate(&self) -> bool {
        self.choice == Some(Choice::Exempt) || (self.person.user.exempt && self.choice.is_none())
    }

    /// Rank among the members; the lowest stays.
    fn rank(&self) -> (bool, bool, u8, Reverse<Option<Timestamp>>, Reverse<usize>, Timestamp, UserId) {
        let user = &self.person.user;
        let status = match user.status {
            UserStatus::Active => 0,
            UserStatus::Inactive => 1,
            UserStatus::Invited => 2,
            UserStatus::Archived => 3,
        };
        let last_sign_in = Reverse(user.last_sign_in.map(|last| last.at));
        let roles = Reverse(user.roles.all().len());
        (!user.break_glass, !self.is_acting, status, last_sign_in, roles, user.created_at, user.id)
    }

    fn rule_over(&self, other: &Self) -> DuplicateRule {
        let (kept, gone) = (self.rank(), other.rank());
        if kept.0 != gone.0 {
            DuplicateRule::BreakGlass
        } else if kept.1 != gone.1 {
            DuplicateRule::ActingOwner
        } else if kept.2 != gone.2 {
            DuplicateRule::Status
        } else if kept.3 != gone.3 {
            DuplicateRule::LastSignIn
        } else if kept.4 != gone.4 {
            DuplicateRule::Roles
        } else {
            DuplicateRule::Age
        }
    }
}

/// Evidence about a user, for the readers of the plan.
pub(super) fn evidence(person: &Person) -> Evidence {
    let user = &person.user;
    Evidence {
        status: user.status,
        last_sign_in_at: user.last_sign_in.map(|last| last.at),
        roles: user.roles.all(),
        created_at: user.created_at,
    }
}

/// Decides what becomes of the users who go by one email, in their order.
pub(super) fn resolve<'a>(members: &[Member<'a>]) -> Vec<(&'a Person, Fate<'a>)> {
    if let [only] = members {
        // Alone, nobody is a duplicate; an exempt user keeps their email too.
        let fate = if only.choice == Some(Choice::Exempt) { Fate::Separate } else { Fate::Stays };
        return vec![(only.person, fate)];
    }
    let outcome = keeper(members);
    members.iter().map(|member| (member.person, fate(member, outcome))).collect()
}

fn fate<'a>(member: &Member<'a>, outcome: Result<Option<Keeper<'_, 'a>>, ConflictKind>) -> Fate<'a> {
    match outcome {
        _ if member.is_separate() => Fate::Separate,
        Err(kind) => Fate::Undecided(kind),
        Ok(None) => Fate::Stays,
        Ok(Some(keeper)) if keeper.member.person.user.id == member.person.user.id => Fate::Stays,
        Ok(Some(Keeper { member: kept, is_decided })) => {
            let rule = if is_decided { DuplicateRule::Decided } else { kept.rule_over(member) };
            Fate::Removed { keeper: kept.person, rule }
        }
    }
}

/// Finds the member who stays, among those who are not separate; none where all are.
fn keeper<'m, 'a>(members: &'m [Member<'a>]) -> Result<Option<Keeper<'m, 'a>>, ConflictKind> {
    let together: Vec<&Member<'a>> = members.iter().filter(|member| !member.is_separate()).collect();
    let left: Vec<&Member<'a>> = together.iter().copied().filter(|member| !member.is_removed()).collect();
    let chosen: Vec<&Member<'a>> = left.iter().copied().filter(|member| member.choice == Some(Choice::Stay)).collect();
    let protected: Vec<&Member<'a>> = left.iter().copied().filter(|member| member.is_protected()).collect();
    match (left.as_slice(), chosen.as_slice()) {
        ([], _) if together.is_empty() => Ok(None),
        ([], _) | (_, [_, _, ..]) => Err(ConflictKind::Undecidable),
        ([only], _) => Ok(Some(Keeper { member: only, is_decided: together.len() > 1 })),
        (_, [stays]) if protected.iter().all(|member| member.person.user.id == stays.person.user.id) => {
            Ok(Some(Keeper { member: stays, is_decided: true }))
        }
        _ if protected.len() < 2 && !left.iter().any(|member| member.person.user.break_glass) => {
            if may_be_several_people(left.iter().copied()) {
                return Err(ConflictKind::SharedMailbox);
            }
            let best = left.iter().copied().min_by_key(|member| member.rank());
            Ok(best.map(|member| Keeper { member, is_decided: false }))
        }
        _ => Err(ConflictKind::BreakGlassDuplicate),
    }
}

/// Whether users with one email who may sign in have different names: they may be several people with one mailbox.
fn may_be_several_people<'m, 'a: 'm>(members: impl Iterator<Item = &'m Member<'a>>) -> bool {
    let welcome = members.map(|member| &member.person.user).filter(|user| user.status.is_welcome());
    let mut names = welcome.filter_map(|user| user.display_name.as_ref()).map(normalized_name);
    let Some(first) = names.next() else { return false };
    names.any(|name| name != first)
}

fn normalized_name(name: &Label) -> String {
    crate::username::lower_case(name.as_str().trim())
}
