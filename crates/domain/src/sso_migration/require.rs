//! The plan of requiring SSO (F1).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::UserId;
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

/// What a plan of requiring SSO is made of.
#[derive(Debug, Clone, Copy)]
pub struct RequireFacts<'a> {
    /// Of which portal.
    pub portal: Portal,
    /// The owner who plans.
    pub acting: UserId,
    /// Everybody in the portal, by id.
    pub people: &'a [Person],
    /// The portal's connection; none where there is none.
    pub connection: Option<ConnectionFacts>,
    /// How it is to be done.
    pub options: MigrationOptions,
    /// What was decided.
    pub decisions: &'a Decisions,
}

/// The plan in the making: what becomes of each user, by position.
struct Draft<'a> {
    facts: &'a RequireFacts<'a>,
    people: Vec<&'a Person>,
    /// Who goes by the same email, as positions.
    groups: Vec<Vec<usize>>,
    fates: Vec<Fate>,
    /// Of which group each is; none without an email.
    group_of: Vec<Option<usize>>,
    /// Whose username somebody would get.
    holders: HashMap<usize, usize>,
    steps_aside: BTreeSet<usize>,
}

/// Plans what requiring SSO does. Archived users are no part of it.
pub fn plan_require(facts: &RequireFacts<'_>) -> Plan {
    let draft = Draft::new(facts);
    let gains = draft.united_roles();
    let rows: Vec<Row> = (0..draft.people.len()).filter_map(|at| draft.row(at, &gains)).collect();
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
        }
        _ => found.push(Blocker::ConnectionNotReady),
    }
    found
}

fn is_break_glass(person: &Person) -> bool {
    person.user.break_glass && person.user.status == UserStatus::Active && person.has_password
}

impl<'a> Draft<'a> {
    fn new(facts: &'a RequireFacts<'a>) -> Self {
        let people: Vec<&Person> = facts.people.iter().filter(|person| !person.is_archived()).collect();
        let (groups, group_of) = grouped(&people);
        let fates = vec![Fate::Stays; people.len()];
        let (holders, steps_aside) = (HashMap::new(), BTreeSet::new());
        let mut draft = Self { facts, people, groups, fates, group_of, holders, steps_aside };
        draft.decide_groups();
        draft.decide_usernames();
        draft
    }

    fn person(&self, at: usize) -> Option<&'a Person> {
        self.people.get(at).copied()
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

    fn decide_groups(&mut self) {
        for group in &self.groups {
            let people = group.iter().filter_map(|at| self.person(*at));
            let members: Vec<Member<'_>> = people
                .map(|person| Member { person, choice: self.choice(person), is_acting: self.is_acting(person) })
                .collect();
            for (at, fate) in group.iter().zip(resolve(&members)) {
                let fate = match fate {
                    Fate::Removed { stays, rule } => {
                        Fate::Removed { stays: group.get(stays).copied().unwrap_or_default(), rule }
                    }
                    other => other,
                };
                if let Some(slot) = self.fates.get_mut(*at) {
                    *slot = fate;
                }
            }
        }
        for (at, person) in self.people.iter().enumerate() {
            if self.group_of.get(at) == Some(&None) && !self.is_retained(person) {
                let fate = match self.choice(person) {
                    Some(Choice::Exempt) => Fate::Separate,
                    Some(Choice::Keep) => Fate::Stays,
                    _ if person.user.status == UserStatus::Inactive => Fate::Stays,
                    _ => Fate::Undecided(ConflictKind::NoEmail),
                };
                if let Some(slot) = self.fates.get_mut(at) {
                    *slot = fate;
                }
            }
        }
    }

    fn decide_usernames(&mut self) {
        let moves: Vec<Move> = (0..self.people.len()).filter_map(|at| self.wanted(at)).collect();
        self.holders = held_up(&moves);
        let free: Vec<Move> = moves.into_iter().filter(|one| !self.holders.contains_key(&one.index)).collect();
        self.steps_aside = step_aside(&free);
    }

    /// The username that somebody who stays is to have; none for who is removed.
    fn wanted(&self, at: usize) -> Option<Move> {
        let person = self.person(at)?;
        let from = person.user.username.normalized();
        let to = match self.fates.get(at)? {
            Fate::Removed { .. } => return None,
            Fate::Stays if !self.is_retained(person) => {
                person.sso_username().map_or_else(|| from.clone(), |username| username.normalized())
            }
            Fate::Stays | Fate::Separate | Fate::Undecided(_) => from.clone(),
        };
        Some(Move { index: at, from, to })
    }

    /// The others who go by somebody's email and are not removed.
    fn others(&self, at: usize) -> Vec<usize> {
        let group = self.group_of.get(at).copied().flatten().and_then(|group| self.groups.get(group));
        let stays = |other: &usize| !matches!(self.fates.get(*other), Some(Fate::Removed { .. }));
        group.into_iter().flatten().copied().filter(|other| *other != at).filter(stays).collect()
    }

    /// What the removed duplicates leave to those who stay, by position.
    fn united_roles(&self) -> BTreeMap<usize, RoleSet> {
        let mut gains: BTreeMap<usize, RoleSet> = BTreeMap::new();
        for (person, fate) in self.people.iter().zip(&self.fates) {
            if let Fate::Removed { stays, .. } = fate
                && self.unites(person)
            {
                gains.entry(*stays).or_default().extend(&person.user.roles.assigned);
            }
        }
        gains
    }

    fn unites(&self, person: &Person) -> bool {
        let decided = self.decision(person).and_then(|decision| decision.unite_roles);
        decided.unwrap_or(self.facts.options.unite_roles)
    }

    fn row(&self, at: usize, gains: &BTreeMap<usize, RoleSet>) -> Option<Row> {
        let person = self.person(at)?;
        let fate = self.fates.get(at).copied()?;
        let before = Snapshot::of(&person.user);
        let (action, mut after) = match (fate, self.holders.get(&at)) {
            (_, Some(holder)) => (self.taken(*holder), before.clone()),
            (Fate::Removed { stays, rule }, None) => {
                (self.removal(person, stays, rule)?, Snapshot { status: UserStatus::Archived, ..before.clone() })
            }
            (Fate::Separate, None) => self.separation(at, person),
            (Fate::Undecided(kind), None) => {
                let others = self.others(at).into_iter().filter_map(|at| self.person(at));
                let with = others.map(|other| other.user.id).collect();
                (Action::Conflict { kind, with }, before.clone())
            }
            (Fate::Stays, None) => self.stay(person),
        };
        if let Some(roles) = gains.get(&at) {
            after.assigned_roles.extend(roles);
        }
        Some(Row {
            user_id: person.user.id,
            version: person.user.updated_at,
            choices: self.choices(at, person, &action),
            mail: self.mail(person, &action),
            action,
            steps_aside: self.steps_aside.contains(&at),
            after: (after != before).then_some(after),
            before,
        })
    }

    fn taken(&self, holder: usize) -> Action {
        let with = self.person(holder).map(|other| other.user.id).into_iter().collect();
        Action::Conflict { kind: ConflictKind::UsernameTaken, with }
    }

    fn removal(&self, person: &Person, stays: usize, rule: DuplicateRule) -> Option<Action> {
        let keeper = self.person(stays)?;
        let roles: RoleSet = person.user.roles.assigned.difference(&keeper.user.roles.assigned).copied().collect();
        Some(Action::RemoveDuplicate {
            stays: keeper.user.id,
            rule,
            removed: evidence(person),
            kept: evidence(keeper),
            roles_united: !roles.is_empty() && self.unites(person),
            roles,
        })
    }

    fn separation(&self, at: usize, person: &Person) -> (Action, Snapshot) {
        let mut after = Snapshot::of(&person.user);
        let email_moved = after.email.is_some() && !self.others(at).is_empty();
        if email_moved {
            let email = after.email.take();
            after.recovery_email = after.recovery_email.or(email);
        }
        after.exempt = after.exempt || !person.user.break_glass;
        (Action::Exempt { email_moved }, after)
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

    fn choices(&self, at: usize, person: &Person, action: &Action) -> Vec<Choice> {
        let is_one_of_several = self.group_of.get(at).copied().flatten().and_then(|group| self.groups.get(group));
        let is_protected = person.user.break_glass || self.is_acting(person);
        match action {
            Action::Conflict { kind: ConflictKind::UsernameTaken, .. } => vec![Choice::Exempt],
            _ if is_one_of_several.is_some_and(|group| group.len() > 1) => {
                let removable = (!is_protected).then_some(Choice::Remove);
                [Some(Choice::Stay), removable, Some(Choice::Exempt)].into_iter().flatten().collect()
            }
            _ if self.group_of.get(at) == Some(&None) && !self.is_retained(person) => {
                vec![Choice::Exempt, Choice::Keep]
            }
            _ => vec![],
        }
    }

    /// Who signs in with SSO from now on is told so (F3).
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

/// Who goes by the same email, and of which group each is.
fn grouped(people: &[&Person]) -> (Vec<Vec<usize>>, Vec<Option<usize>>) {
    let (mut groups, mut by_identity): (Vec<Vec<usize>>, HashMap<String, usize>) = (vec![], HashMap::new());
    let mut group_of = Vec::with_capacity(people.len());
    for (at, person) in people.iter().enumerate() {
        let group = person.sso_identity().map(|identity| {
            *by_identity.entry(identity).or_insert_with(|| {
                groups.push(vec![]);
                groups.len() - 1
            })
        });
        if let Some(members) = group.and_then(|group| groups.get_mut(group)) {
            members.push(at);
        }
        group_of.push(group);
    }
    (groups, group_of)
}
