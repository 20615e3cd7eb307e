//! Which of several users who go by one email stays (F1).
//!
//! The order: a break-glass user and the owner who plans are never removed; then active before inactive before invited; then
//! the later sign-in; then more roles; then the older user. What an owner decides comes before all of it. Where it may be
//! a mailbox of several people, nothing is removed unless an owner says so.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::UserId;
use crate::sso_migration::decision::Choice;
use crate::sso_migration::plan::Person;
use crate::sso_migration::row::{ConflictKind, DuplicateRule, Evidence};
use crate::text::Label;
use crate::user::UserStatus;

/// One of several users who go by one email.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// Who.
    pub person: &'a Person,
    /// What was decided.
    pub choice: Option<Choice>,
    /// Whether they are the owner who plans.
    pub is_acting: bool,
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The one who stands for the person.
    Stays,
    /// They keep form login; whoever stays has the email.
    Separate,
    /// They are removed.
    Removed {
        /// Which member stays, by position.
        stays: usize,
        /// Why that one.
        rule: DuplicateRule,
    },
    /// An owner must decide.
    Undecided(ConflictKind),
}

impl Member<'_> {
    /// Never removed.
    pub fn is_protected(&self) -> bool {
        self.person.user.break_glass || self.is_acting
    }

    fn is_separate(&self) -> bool {
        self.choice == Some(Choice::Exempt) || (self.person.user.exempt && self.choice.is_none())
    }

    /// The lowest stays.
    fn rank(&self) -> (bool, bool, u8, Reverse<Option<Timestamp>>, Reverse<usize>, Timestamp, UserId) {
        let user = &self.person.user;
        let status = match user.status {
            UserStatus::Active => 0,
            UserStatus::Inactive => 1,
            UserStatus::Invited => 2,
            UserStatus::Archived => 3,
        };
        let last_sign_in = Reverse(user.last_sign_in.map(|last| last.at));
        let roles = Reverse(user.roles.effective().len());
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

/// What is known of a user, for whoever reads the plan.
pub(super) fn evidence(person: &Person) -> Evidence {
    let user = &person.user;
    Evidence {
        status: user.status,
        last_sign_in_at: user.last_sign_in.map(|last| last.at),
        roles: user.roles.effective(),
        created_at: user.created_at,
    }
}

/// Decides what becomes of the users who go by one email, in their order.
pub(super) fn resolve(members: &[Member<'_>]) -> Vec<Fate> {
    if let [only] = members {
        // Alone, nobody is a duplicate; who is exempt keeps their email too.
        return vec![if only.choice == Some(Choice::Exempt) { Fate::Separate } else { Fate::Stays }];
    }
    let together: Vec<usize> = positions(members, |member| !member.is_separate());
    let left: Vec<usize> = together.iter().copied().filter(|at| !is_removed(members, *at)).collect();
    let outcome = keeper(members, &together, &left);
    let fate = |(at, member): (usize, &Member<'_>)| match outcome {
        _ if member.is_separate() => Fate::Separate,
        Err(kind) => Fate::Undecided(kind),
        Ok(Some((stays, _))) if stays == at => Fate::Stays,
        Ok(Some((stays, true))) => Fate::Removed { stays, rule: DuplicateRule::Decided },
        Ok(Some((stays, false))) => Fate::Removed { stays, rule: rule(members, stays, at) },
        Ok(None) => Fate::Stays,
    };
    members.iter().enumerate().map(fate).collect()
}

fn positions<'a>(members: &[Member<'a>], wanted: impl Fn(&Member<'a>) -> bool) -> Vec<usize> {
    members.iter().enumerate().filter(|(_, member)| wanted(member)).map(|(at, _)| at).collect()
}

fn is_removed(members: &[Member<'_>], at: usize) -> bool {
    members.get(at).is_some_and(|member| member.choice == Some(Choice::Remove) && !member.is_protected())
}

fn rule(members: &[Member<'_>], stays: usize, gone: usize) -> DuplicateRule {
    match (members.get(stays), members.get(gone)) {
        (Some(kept), Some(gone)) => kept.rule_over(gone),
        _ => DuplicateRule::Decided,
    }
}

/// Who stays of those who are together, and whether an owner decided so; none where nobody is together with anybody.
fn keeper(members: &[Member<'_>], together: &[usize], left: &[usize]) -> Result<Option<(usize, bool)>, ConflictKind> {
    let member = |at: &usize| members.get(*at);
    let of = |wanted: &dyn Fn(&Member<'_>) -> bool| -> Vec<usize> {
        left.iter().copied().filter(|at| member(at).is_some_and(wanted)).collect()
    };
    let chosen = of(&|member| member.choice == Some(Choice::Stay));
    let protected = of(&|member| member.is_protected());
    match (left, chosen.as_slice()) {
        ([], _) if together.is_empty() => Ok(None),
        ([], _) | (_, [_, _, ..]) => Err(ConflictKind::Undecidable),
        ([only], _) => Ok(Some((*only, together.len() > 1))),
        (_, [stays]) if protected.iter().all(|at| at == stays) => Ok(Some((*stays, true))),
        _ if of(&|member| member.person.user.break_glass).is_empty() && protected.len() < 2 => {
            if may_be_several_people(left.iter().filter_map(member)) {
                return Err(ConflictKind::SharedMailbox);
            }
            let best = left.iter().copied().min_by_key(|at| members.get(*at).map(Member::rank));
            Ok(best.map(|stays| (stays, false)))
        }
        _ => Err(ConflictKind::BreakGlassDuplicate),
    }
}

/// Whether users with one email who may sign in have different names: they may be several people with one mailbox.
fn may_be_several_people<'a>(members: impl Iterator<Item = &'a Member<'a>>) -> bool {
    let welcome = members.map(|member| &member.person.user).filter(|user| user.status.is_welcome());
    let mut names = welcome.filter_map(|user| user.display_name.as_ref()).map(normalized_name);
    let Some(first) = names.next() else { return false };
    names.any(|name| name != first)
}

fn normalized_name(name: &Label) -> String {
    crate::username::normalized(name.as_str().trim())
}
