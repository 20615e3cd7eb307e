//! The plan of going back (F4): what a migration changed is put back, unless it was changed again since.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::UserId;
use crate::email::Email;
use crate::mail::MailKind;
use crate::portal::Portal;
use crate::sso::connection::SsoMode;
use crate::sso_migration::MigrationOptions;
use crate::sso_migration::decision::{Choice, Decisions};
use crate::sso_migration::plan::{Blocker, ConnectionFacts, Counts, Person, Plan};
use crate::sso_migration::row::{Action, ConflictKind, KeepReason, Row, Snapshot};
use crate::sso_migration::usernames::{Move, held_up, step_aside};
use crate::user::UserStatus;

/// Changes to a user by the migration that is put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Properties before the migration.
    pub before: Snapshot,
    /// Properties as the migration left them.
    pub after: Snapshot,
}

/// Facts that a plan of going back is made from.
#[derive(Debug, Clone, Copy)]
pub struct BackFacts<'a> {
    /// Portal that the plan is for.
    pub portal: Portal,
    /// Users of the portal, archived ones too, by id.
    pub people: &'a [Person],
    /// Changes by the migration that are put back.
    pub done: &'a BTreeMap<UserId, Done>,
    /// The portal's connection; none where there is none.
    pub connection: Option<ConnectionFacts>,
    /// Options that the plan is made with.
    pub options: MigrationOptions,
    /// Decisions about single users.
    pub decisions: &'a Decisions,
}

/// Plans what going back does.
pub fn plan_back(facts: &BackFacts<'_>) -> Plan {
    let mut intents: Vec<Intent<'_>> = facts.people.iter().map(|person| Intent::of(facts, person)).collect();
    yield_emails(&mut intents);
    let moves: Vec<Move> = intents.iter().filter_map(Intent::wanted).collect();
    let holders = held_up(&moves);
    let free: Vec<Move> = moves.into_iter().filter(|one| !holders.contains_key(&one.user)).collect();
    let aside = step_aside(&free);
    let row = |intent: &Intent<'_>| intent.row(facts, &aside, holders.get(&intent.person.user.id).copied());
    let rows: Vec<Row> = intents.iter().map(row).collect();
    let counts = Counts::of(&rows);
    let blockers = blockers(facts, &rows, &counts);
    Plan { rows, counts, blockers }
}

fn blockers(facts: &BackFacts<'_>, rows: &[Row], counts: &Counts) -> Vec<Blocker> {
    let mut found = vec![];
    if counts.conflicts() > 0 {
        found.push(Blocker::UndecidedConflicts);
    }
    match facts.connection {
        Some(connection) if connection.mode == SsoMode::Required => {
            if !connection.has_page && rows.iter().any(|row| row.mail.is_some()) {
                found.push(Blocker::PageNotConfigured);
            }
        }
        _ => found.push(Blocker::WrongMode),
    }
    found
}

/// Intended outcome for a user, before it is known whether their username is free.
struct Intent<'a> {
    person: &'a Person,
    now: Snapshot,
    after: Snapshot,
    reason: KeepReason,
    choices: Vec<Choice>,
}

impl<'a> Intent<'a> {
    fn of(facts: &BackFacts<'_>, person: &'a Person) -> Self {
        let now = Snapshot::of(&person.user);
        let choice = facts.decisions.get(&person.user.id).map(|decision| decision.choice);
        let unchanged = |reason| Self { person, now: now.clone(), after: now.clone(), reason, choices: vec![] };
        let Some(done) = facts.done.get(&person.user.id) else {
            let reason = if person.is_archived() { KeepReason::StaysArchived } else { KeepReason::Unchanged };
            return unchanged(reason);
        };
        if person.is_archived() {
            let restores = match choice {
                Some(Choice::Restore) => true,
                Some(Choice::Keep) => false,
                _ => facts.options.restore_duplicates,
            };
            let after = if restores { done.before.clone() } else { now.clone() };
            let (reason, choices) = (KeepReason::StaysArchived, vec![Choice::Restore, Choice::Keep]);
            return Self { person, now, after, reason, choices };
        }
        let keeps_name = choice == Some(Choice::Keep) || !facts.options.restore_usernames;
        let after = put_back(&now, done, keeps_name);
        let reason = match () {
            () if choice == Some(Choice::Keep) => KeepReason::Decided,
            () if done.before == done.after => KeepReason::Unchanged,
            () => KeepReason::ChangedSince,
        };
        let choices = if done.before.username == now.username { vec![] } else { vec![Choice::Keep] };
        Self { person, now, after, reason, choices }
    }

    /// The username that they are to have; none for who stays archived, whose name is free.
    fn wanted(&self) -> Option<Move> {
        if self.after.status == UserStatus::Archived {
            return None;
        }
        let to = self.after.username.normalized();
        // Nobody is called by an id: whoever comes back from the archive leaves no name behind.
        let from =
            if self.person.is_archived() { self.person.user.id.to_string() } else { self.now.username.normalized() };
        let email = self.after.email.as_ref().map(Email::normalized);
        Some(Move { user: self.person.user.id, from, to, email })
    }

    fn row(&self, facts: &BackFacts<'_>, aside: &HashSet<UserId>, holder: Option<UserId>) -> Row {
        let action = match holder {
            Some(holder) => Action::Conflict { kind: ConflictKind::UsernameTaken, with: vec![holder] },
            None => self.action(),
        };
        let after = (holder.is_none() && self.after != self.now).then(|| self.after.clone());
        let outcome = after.as_ref().unwrap_or(&self.now);
        Row {
            user_id: self.person.user.id,
            version: self.person.user.updated_at,
            mail: if holder.is_none() { mail(facts.portal, self.person, outcome) } else { None },
            choices: self.choices.clone(),
            steps_aside: aside.contains(&self.person.user.id),
            before: self.now.clone(),
            action,
            after,
        }
    }

    fn action(&self) -> Action {
        if self.person.is_archived() && self.after.status != UserStatus::Archived {
            Action::Restore { from_archive: true }
        } else if self.after.username != self.now.username {
            Action::Rename { from: self.now.username.clone(), to: self.after.username.clone() }
        } else if self.after != self.now {
            Action::Restore { from_archive: false }
        } else if self.person.user.break_glass {
            Action::Keep { reason: KeepReason::BreakGlass }
        } else {
            Action::Keep { reason: self.reason }
        }
    }
}

/// Turns emails that would come back into recovery emails, where another user has them as username by now (A2).
fn yield_emails(intents: &mut [Intent<'_>]) {
    let there = intents.iter().filter(|intent| intent.after.status != UserStatus::Archived);
    let holders: HashMap<String, UserId> =
        there.map(|intent| (intent.after.username.normalized(), intent.person.user.id)).collect();
    for Intent { person, now, after, .. } in intents {
        let comes_back = person.is_archived() || after.email != now.email;
        let holder = after.email.as_ref().and_then(|email| holders.get(&email.normalized()));
        if comes_back && after.status != UserStatus::Archived && holder.is_some_and(|holder| *holder != person.user.id)
        {
            let email = after.email.take();
            after.recovery_email = after.recovery_email.take().or(email);
        }
    }
}

/// Restores each property as it was before, unless it was changed since: an owner's later word counts more.
fn put_back(now: &Snapshot, done: &Done, keeps_name: bool) -> Snapshot {
    let Done { before, after } = done;
    let mut back = now.clone();
    if now.username == after.username && !keeps_name {
        back.username = before.username.clone();
    }
    if now.assigned_roles == after.assigned_roles {
        back.assigned_roles.clone_from(&before.assigned_roles);
    }
    if now.exempt == after.exempt {
        back.exempt = before.exempt;
    }
    if (&now.email, &now.recovery_email) == (&after.email, &after.recovery_email) {
        back.email.clone_from(&before.email);
        back.recovery_email.clone_from(&before.recovery_email);
    }
    back
}

/// Chooses the mail to a user: one without a password gets a temporary one, any other is told. A break-glass user's
/// way in was there all along, and a deactivated user has none.
fn mail(portal: Portal, person: &Person, outcome: &Snapshot) -> Option<MailKind> {
    outcome.email.as_ref()?;
    match outcome.status {
        UserStatus::Inactive | UserStatus::Archived => None,
        _ if person.user.break_glass => None,
        _ if portal == Portal::SelfService || person.has_password => Some(MailKind::SsoEnded),
        UserStatus::Active | UserStatus::Invited => Some(MailKind::TemporaryPassword),
    }
}

/// Collects, by user, the changes that a migration made, from its rows.
pub fn done(rows: impl IntoIterator<Item = Row>) -> BTreeMap<UserId, Done> {
    let changed = rows.into_iter().filter_map(|row| {
        let Row { user_id, before, after, .. } = row;
        after.map(|after| (user_id, Done { before, after }))
    });
    changed.collect()
}
