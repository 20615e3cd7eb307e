//! The plan of requiring SSO (F1).

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::UserId;
use crate::email::Email;
use crate::mail::MailKind;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::sso::connection::SsoMode;
use crate::sso_migration::MigrationOptions;
use crate::sso_migration::decision::{Choice, Decision, Decisions};
use crate::sso_migration::duplicates::{Fate, Member, evidence, resolve};
use crate::sso_migration::plan::{Blocker, ConnectionFacts, Counts, Person, Plan};
use crate::sso_migration::row::{Action, ConflictKind, DuplicateRule, KeepReason, Row, Snapshot};
use crate::sso_migration::usernames::{Move, held_up, step_aside};
use crate::user::UserStatus;

/// Facts that a plan of requiring SSO is made from.
#[derive(Debug, Clone, Copy)]
pub struct RequireFacts<'a> {
    /// Portal that the plan is for.
    pub portal: Portal,
    /// The owner who plans.
    pub acting: UserId,
    /// Users of the portal, by id.
    pub people: &'a [Person],
    /// The portal's connection; none where there is none.
    pub connection: Option<ConnectionFacts>,
    /// Options that the plan is made with.
    pub options: MigrationOptions,
    /// Decisions about single users.
    pub decisions: &'a Decisions,
}

/// The plan in the making.
struct Draft<'a> {
    facts: &'a RequireFacts<'a>,
    people: Vec<Planned<'a>>,
    /// The user who has the username that another one would get.
    holders: HashMap<UserId, UserId>,
    steps_aside: HashSet<UserId>,
}

/// A user, and what becomes of them.
struct Planned<'a> {
    person: &'a Person,
    /// All users who go by the same email, this one too; empty without an email.
    namesakes: Rc<[&'a Person]>,
    fate: Fate<'a>,
}

/// Plans what requiring SSO does. Archived users are no part of it.
pub fn plan_require(facts: &RequireFacts<'_>) -> Plan {
    let draft = Draft::new(facts);
    let (gains, removed) = (draft.united_roles(), draft.removed());
    let rows: Vec<Row> = draft.people.iter().map(|planned| draft.row(planned, &gains, &removed)).collect();
    let counts = Counts::of(&rows);
    let blockers = blockers(facts, &rows, &counts);
    Plan { rows, counts, blockers }
}

fn blockers(facts: &RequireFacts<'_>, rows: &[Row], counts: &Counts) -> Vec<Blocker> {
    let has_break_glass = || facts.people.iter().any(is_break_glass);
    let mut found = vec![];
    if counts.conflicts() > 0 {
        found.push(Blocker::UndecidedConflicts);
    }
    if facts.portal == Portal::Admin && !has_break_glass() {
        found.push(Blocker::BreakGlassRequired);
    }
    match facts.connection {
        Some(connection) if connection.mode == SsoMode::Required => found.push(Blocker::WrongMode),
        Some(connection) if connection.mode.is_enabled() && connection.is_complete => {
            if !connection.has_page && rows.iter().any(|row| row.mail.is_some()) {
                found.push(Blocker::PageNotConfigured);
            }
            if !connection.is_tested {
                found.push(Blocker::ConnectionUntested);
            }
        }
        _ => found.push(Blocker::ConnectionNotReady),
    }
    found
}

fn is_break_glass(person: &Person) -> bool {
    person.user.break_glass && person.user.status == UserStatus::Active && person.has_own_password
}

impl<'a> Draft<'a> {
    fn new(facts: &'a RequireFacts<'a>) -> Self {
        let mut draft = Self { facts, people: vec![], holders: HashMap::new(), steps_aside: HashSet::new() };
        draft.people = draft.planned();
        draft.decide_usernames();
        draft
    }

    /// Every user who is not archived, in their order, with what becomes of them.
    fn planned(&self) -> Vec<Planned<'a>> {
        let people = || self.facts.people.iter().filter(|person| !person.is_archived());
        let mut by_identity: HashMap<String, Vec<&'a Person>> = HashMap::new();
        for person in people() {
            if let Some(identity) = person.sso_identity() {
                by_identity.entry(identity).or_default().push(person);
            }
        }
        let mut planned: HashMap<UserId, Planned<'a>> = HashMap::new();
        for namesakes in by_identity.into_values().map(Rc::from) {
            planned.extend(self.resolved(&namesakes));
        }
        let without_email = |person| Planned { person, namesakes: Rc::from([]), fate: self.without_email(person) };
        people().map(|person| planned.remove(&person.user.id).unwrap_or_else(|| without_email(person))).collect()
    }

    fn resolved(&self, namesakes: &Rc<[&'a Person]>) -> Vec<(UserId, Planned<'a>)> {
        let member =
            |person: &&'a Person| Member { person, choice: self.choice(person), is_acting: self.is_acting(person) };
        let members: Vec<Member<'a>> = namesakes.iter().map(member).collect();
        let planned = |(person, fate): (&'a Person, Fate<'a>)| {
            (person.user.id, Planned { person, namesakes: Rc::clone(namesakes), fate })
        };
        resolve(&members).into_iter().map(planned).collect()
    }

    fn without_email(&self, person: &Person) -> Fate<'a> {
        match self.choice(person) {
            _ if self.is_retained(person) => Fate::Stays,
            Some(Choice::Exempt) => Fate::Separate,
            Some(Choice::Keep) => Fate::Stays,
            _ if person.user.status == UserStatus::Inactive => Fate::Stays,
            _ => Fate::Undecided(ConflictKind::NoEmail),
        }
    }

    fn decision(&self, person: &Person) -> Option<Decision> {
        self.facts.decisions.get(&person.user.id).copied()
    }

    fn choice(&self, person: &Person) -> Option<Choice> {
        self.decision(person).map(|decision| decision.choice)
    }

    fn is_acting(&self, person: &Person) -> bool {
        person.user.id == self.facts.acting
    }

    /// Whether they keep their username: nothing renames them.
    fn is_retained(&self, person: &Person) -> bool {
        let user = &person.user;
        user.break_glass || user.exempt || (self.facts.options.retain_admin && self.is_acting(person))
    }

    fn decide_usernames(&mut self) {
        let moves: Vec<Move> = self.people.iter().filter_map(|planned| self.wanted(planned)).collect();
        self.holders = held_up(&moves);
        let free: Vec<Move> = moves.into_iter().filter(|one| !self.holders.contains_key(&one.user)).collect();
        self.steps_aside = step_aside(&free);
    }

    /// The username that a user who stays is to have; none for one who is removed.
    fn wanted(&self, planned: &Planned<'a>) -> Option<Move> {
        let user = &planned.person.user;
        let from = user.username.normalized();
        let to = match planned.fate {
            Fate::Removed { .. } => return None,
            Fate::Stays if !self.is_retained(planned.person) => {
                planned.person.sso_username().map_or_else(|| from.clone(), |username| username.normalized())
            }
            Fate::Stays | Fate::Separate | Fate::Undecided(_) => from.clone(),
        };
        let email = user.email.as_ref().filter(|_| !matches!(planned.fate, Fate::Separate)).map(Email::normalized);
        Some(Move { user: user.id, from, to, email })
    }

    fn removed(&self) -> HashSet<UserId> {
        let is_removed = |planned: &&Planned<'_>| matches!(planned.fate, Fate::Removed { .. });
        self.people.iter().filter(is_removed).map(|planned| planned.person.user.id).collect()
    }

    /// The roles that removed duplicates leave to those who stay.
    fn united_roles(&self) -> HashMap<UserId, RoleSet> {
        let mut gains: HashMap<UserId, RoleSet> = HashMap::new();
        for Planned { person, fate, .. } in &self.people {
            if let Fate::Removed { keeper, .. } = fate
                && self.unites(person)
            {
                gains.entry(keeper.user.id).or_default().extend(&person.user.roles.assigned);
            }
        }
        gains
    }

    fn unites(&self, person: &Person) -> bool {
        let decided = self.decision(person).and_then(|decision| decision.unite_roles);
        decided.unwrap_or(self.facts.options.unite_roles)
    }

    fn row(&self, planned: &Planned<'a>, gains: &HashMap<UserId, RoleSet>, removed: &HashSet<UserId>) -> Row {
        let person = planned.person;
        let before = Snapshot::of(&person.user);
        let others = planned.others(removed);
        let (action, mut after) = match (planned.fate, self.holders.get(&person.user.id)) {
            (_, Some(holder)) => (taken(*holder), before.clone()),
            (Fate::Removed { keeper, rule }, None) => {
                let after = Snapshot { status: UserStatus::Archived, ..before.clone() };
                (self.removal(person, keeper, rule), after)
            }
            (Fate::Separate, None) => separation(person, &others),
            (Fate::Undecided(kind), None) => (Action::Conflict { kind, with: others }, before.clone()),
            (Fate::Stays, None) => self.stay(person),
        };
        if let Some(roles) = gains.get(&person.user.id) {
            after.assigned_roles.extend(roles);
        }
        Row {
            user_id: person.user.id,
            version: person.user.updated_at,
            choices: self.choices(planned, &action),
            mail: self.mail(person, &action),
            action,
            steps_aside: self.steps_aside.contains(&person.user.id),
            after: (after != before).then_some(after),
            before,
        }
    }

    fn removal(&self, person: &Person, keeper: &Person, rule: DuplicateRule) -> Action {
        let roles: RoleSet = person.user.roles.assigned.difference(&keeper.user.roles.assigned).copied().collect();
        Action::RemoveDuplicate {
            stays: keeper.user.id,
            rule,
            removed: evidence(person),
            kept: evidence(keeper),
            roles_united: !roles.is_empty() && self.unites(person),
            roles,
        }
    }

    fn stay(&self, person: &Person) -> (Action, Snapshot) {
        let mut after = Snapshot::of(&person.user);
        let user = &person.user;
        if self.facts.options.retain_admin && self.is_acting(person) {
            let becomes_exempt = !user.exempt && !user.break_glass;
            after.exempt |= becomes_exempt;
            return (Action::RetainedAdmin { becomes_exempt }, after);
        }
        if user.break_glass {
            return (Action::Keep { reason: KeepReason::BreakGlass }, after);
        }
        if user.exempt {
            return (Action::Exempt { email_moved: false }, after);
        }
        if person.awaits_first_owner {
            return (Action::Keep { reason: KeepReason::FirstOwner }, after);
        }
        match person.sso_username() {
            Some(to) if to != user.username => {
                after.username = to.clone();
                (Action::Rename { from: user.username.clone(), to }, after)
            }
            None if user.status == UserStatus::Inactive => (Action::Keep { reason: KeepReason::Inactive }, after),
            None if person.sso_identity().is_none() => (Action::Keep { reason: KeepReason::Decided }, after),
            _ => (Action::Keep { reason: KeepReason::UsernameIsEmail }, after),
        }
    }

    fn choices(&self, planned: &Planned<'a>, action: &Action) -> Vec<Choice> {
        let person = planned.person;
        let is_protected = person.user.break_glass || self.is_acting(person);
        match (action, planned.namesakes.len()) {
            (Action::Conflict { kind: ConflictKind::UsernameTaken, .. }, _) => vec![Choice::Exempt],
            (_, 2..) => {
                let removable = (!is_protected).then_some(Choice::Remove);
                [Some(Choice::Stay), removable, Some(Choice::Exempt)].into_iter().flatten().collect()
            }
            (_, 0) if !self.is_retained(person) => vec![Choice::Exempt, Choice::Keep],
            _ => vec![],
        }
    }

    /// Chooses the mail to a user who signs in with SSO from now on (F3).
    fn mail(&self, person: &Person, action: &Action) -> Option<MailKind> {
        person.user.email.as_ref()?;
        match (action, person.user.status) {
            (Action::Rename { .. } | Action::Keep { reason: KeepReason::UsernameIsEmail }, status) => match status {
                UserStatus::Active => Some(MailKind::SsoRequired),
                UserStatus::Inactive => self.facts.options.mail_inactive.then_some(MailKind::SsoRequired),
                UserStatus::Invited => Some(MailKind::SsoInvitation),
                UserStatus::Archived => None,
            },
            _ => None,
        }
    }
}

impl Planned<'_> {
    /// The others who go by this user's email and are not removed.
    fn others(&self, removed: &HashSet<UserId>) -> Vec<UserId> {
        let ids = self.namesakes.iter().map(|other| other.user.id);
        ids.filter(|id| *id != self.person.user.id && !removed.contains(id)).collect()
    }
}

fn taken(holder: UserId) -> Action {
    Action::Conflict { kind: ConflictKind::UsernameTaken, with: vec![holder] }
}

fn separation(person: &Person, others: &[UserId]) -> (Action, Snapshot) {
    let mut after = Snapshot::of(&person.user);
    let email_moved = after.email.is_some() && !others.is_empty();
    if email_moved {
        let email = after.email.take();
        after.recovery_email = after.recovery_email.or(email);
    }
    after.exempt = after.exempt || !person.user.break_glass;
    (Action::Exempt { email_moved }, after)
}
