use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::back::{BackFacts, done, plan_back};
use super::decision::decide_choice;
use super::digest::PlanContext;
use super::plan::ConnectionFacts;
use super::require::{RequireFacts, plan_require};
use super::row::{ConflictKind, DuplicateRule, KeepReason};
use super::*;
use crate::email::Email;
use crate::mail::MailKind;
use crate::role::{Role, RoleSet};
use crate::sso::connection::SsoMode;
use crate::sso::discovery::tests::user;
use crate::text::Label;
use crate::user::{LastSignIn, SignInMethod, User, UserStatus};
use crate::username::Username;

/// Change that makes one of two otherwise equal users differ.
type Change = fn(&mut User);

const NONE: &Decisions = &Decisions::new();

fn id(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

fn person(n: u128, username: &str, email: Option<&str>) -> Person {
    let user = user(n, username, email, UserStatus::Active);
    Person { user, has_password: true, has_own_password: true, awaits_first_owner: false }
}

/// The owner who gets in whatever happens, and who plans: user 1.
fn owner() -> Person {
    let mut owner = person(1, "root", Some("root@b.se"));
    owner.user.break_glass = true;
    owner.user.roles.assigned = RoleSet::from([Role::OrganizationOwner]);
    owner
}

fn with(person: Person, change: impl FnOnce(&mut User)) -> Person {
    let mut person = person;
    change(&mut person.user);
    person
}

fn connection(mode: SsoMode) -> ConnectionFacts {
    ConnectionFacts { mode, is_complete: true, has_page: true, is_tested: true }
}

fn require_as(acting: u128, people: &[Person], decisions: &Decisions, options: MigrationOptions) -> Plan {
    let (portal, connection) = (Portal::Admin, Some(connection(SsoMode::Optional)));
    plan_require(&RequireFacts { portal, acting: id(acting), people, connection, options, decisions })
}

fn require(people: &[Person], decisions: &Decisions) -> Plan {
    require_as(1, people, decisions, MigrationOptions::default())
}

fn action(plan: &Plan, n: u128) -> Action {
    plan.rows.iter().find(|row| row.user_id == id(n)).unwrap().action.clone()
}

fn decided(choices: &[(u128, Choice)]) -> Decisions {
    choices.iter().map(|(n, choice)| (id(*n), Decision { choice: *choice, unite_roles: None })).collect()
}

fn conflict(kind: ConflictKind, others: &[u128]) -> Action {
    Action::Conflict { kind, with: others.iter().map(|n| id(*n)).collect() }
}

fn sign_in(seconds: i64) -> LastSignIn {
    LastSignIn { at: Timestamp::from_second(seconds).unwrap(), method: SignInMethod::Password }
}

/// Proves F1: each user's row says what becomes of them, and who is told.
#[test]
fn a_plan_has_a_row_for_each_user() {
    let people = [
        owner(),
        person(2, "ann", Some("Ann@b.se")),
        person(3, "BO@b.se", Some("bo@b.se")),
        with(person(4, "cy", Some("cy@b.se")), |user| user.status = UserStatus::Inactive),
        with(person(5, "di", Some("di@b.se")), |user| user.status = UserStatus::Invited),
        with(person(6, "contractor", Some("ed@c.se")), |user| user.exempt = true),
        person(7, "nobody", None),
        person(8, "fay@b.se", None),
    ];
    let plan = require(&people, NONE);
    assert_eq!(action(&plan, 1), Action::RetainedAdmin { becomes_exempt: false });
    let to = Username::parse("Ann@b.se").unwrap();
    assert_eq!(action(&plan, 2), Action::Rename { from: Username::parse("ann").unwrap(), to });
    assert_eq!(action(&plan, 3), Action::Keep { reason: KeepReason::UsernameIsEmail });
    assert_eq!(action(&plan, 6), Action::Exempt { email_moved: false });
    assert_eq!(action(&plan, 7), conflict(ConflictKind::NoEmail, &[]));
    assert_eq!(action(&plan, 8), Action::Keep { reason: KeepReason::UsernameIsEmail });
    let mails: Vec<_> = plan.rows.iter().map(|row| row.mail).collect();
    let (told, invited) = (Some(MailKind::SsoRequired), Some(MailKind::SsoInvitation));
    assert_eq!(mails, [None, told, told, told, invited, None, None, None]);
    assert_eq!(plan.blockers, [Blocker::UndecidedConflicts]);
    assert_eq!(plan.counts.actions[&ActionName::Rename], 3);
    let decided = require(&people, &decided(&[(7, Choice::Keep)]));
    assert_eq!((action(&decided, 7), decided.blockers), (Action::Keep { reason: KeepReason::Decided }, vec![]));
}

/// Proves F1, F3: the admin's own username login is retained, also where they are no break-glass user, unless the plan
/// says otherwise.
#[test]
fn the_admin_who_plans_is_retained() {
    let people = [owner(), person(2, "admin", Some("admin@b.se"))];
    let plan = require_as(2, &people, NONE, MigrationOptions::default());
    assert_eq!(action(&plan, 2), Action::RetainedAdmin { becomes_exempt: true });
    assert!(plan.rows[1].outcome().exempt);
    let otherwise = MigrationOptions { retain_admin: false, ..MigrationOptions::default() };
    assert_eq!(action(&require_as(2, &people, NONE, otherwise), 2).name(), ActionName::Rename);
}

/// Proves F1: which duplicate stays, by which rule.
#[test]
fn of_duplicates_one_stays_by_a_rule() {
    let one = || person(2, "one", Some("a@b.se"));
    let two = || person(3, "two", Some("A@b.se"));
    let cases: [(Change, Change, u128, DuplicateRule); 5] = [
        (|one| one.status = UserStatus::Inactive, |_| {}, 3, DuplicateRule::Status),
        (|one| one.status = UserStatus::Invited, |two| two.status = UserStatus::Inactive, 3, DuplicateRule::Status),
        (
            |one| one.last_sign_in = Some(sign_in(5)),
            |two| two.last_sign_in = Some(sign_in(9)),
            3,
            DuplicateRule::LastSignIn,
        ),
        (|_| {}, |two| two.roles.saml = RoleSet::from([Role::OrganizationMember]), 3, DuplicateRule::Roles),
        (|_| {}, |two| two.created_at = Timestamp::from_second(1).unwrap(), 2, DuplicateRule::Age),
    ];
    for (change_one, change_two, stays, wanted) in cases {
        let plan = require(&[owner(), with(one(), change_one), with(two(), change_two)], NONE);
        match action(&plan, 5 - stays) {
            Action::RemoveDuplicate { stays: kept, rule, .. } => assert_eq!((kept, rule), (id(stays), wanted)),
            other => panic!("{other:?}"),
        }
        assert_eq!(action(&plan, stays).name(), ActionName::Rename);
    }
    let plan = require(&[owner(), one(), two()], &decided(&[(3, Choice::Stay)]));
    let Action::RemoveDuplicate { rule: DuplicateRule::Decided, .. } = action(&plan, 2) else { panic!("{plan:?}") };
}

/// Proves F1: the roles of a removed duplicate go to the one who stays only where somebody says so, and the row
/// says which.
#[test]
fn roles_of_duplicates_unite_only_if_decided() {
    let older = || with(person(2, "one", Some("a@b.se")), |user| user.last_sign_in = Some(sign_in(9)));
    let manager = || {
        with(person(3, "two", Some("a@b.se")), |user| user.roles.assigned = RoleSet::from([Role::OrganizationOwner]))
    };
    let people = [owner(), older(), manager()];
    let held = |plan: &Plan| plan.rows[1].outcome().assigned_roles.clone();
    let says = |plan: &Plan| match action(plan, 3) {
        Action::RemoveDuplicate { roles, roles_united, .. } => (roles, roles_united),
        other => panic!("{other:?}"),
    };
    let (nothing, owner) = (RoleSet::new(), RoleSet::from([Role::OrganizationOwner]));
    let dropped = require(&people, NONE);
    assert_eq!((held(&dropped), says(&dropped)), (nothing, (owner.clone(), false)));
    let unite = Decisions::from([(id(3), Decision { choice: Choice::Remove, unite_roles: Some(true) })]);
    let united = require(&people, &unite);
    assert_eq!((held(&united), says(&united)), (owner.clone(), (owner, true)));
}

/// Proves F1: two people with one mailbox are nobody's duplicates unless an owner says so; exempting one leaves the
/// email to the other.
#[test]
fn a_shared_mailbox_waits_for_a_decision() {
    let named = |n, username, name: &str| {
        let name = Label::parse(name).unwrap();
        with(person(n, username, Some("info@b.se")), |user| user.display_name = Some(name))
    };
    let people = [owner(), named(2, "ann", "Ann"), named(3, "bo", "Bo")];
    let plan = require(&people, NONE);
    assert_eq!(action(&plan, 2), conflict(ConflictKind::SharedMailbox, &[3]));
    assert_eq!(plan.rows[1].choices, [Choice::Stay, Choice::Remove, Choice::Exempt]);
    assert!(decide_choice(&plan.rows[1], Decision { choice: Choice::Restore, unite_roles: None }).is_err());
    let exempted = require(&people, &decided(&[(3, Choice::Exempt)]));
    assert_eq!(action(&exempted, 3), Action::Exempt { email_moved: true });
    let bo = exempted.rows[2].outcome();
    assert_eq!((bo.email.clone(), bo.exempt), (None, true));
    assert_eq!(bo.recovery_email, Some(Email::parse("info@b.se").unwrap()));
    assert_eq!(action(&exempted, 2).name(), ActionName::Rename);
    let none_left = decided(&[(2, Choice::Remove), (3, Choice::Remove)]);
    assert_eq!(action(&require(&people, &none_left), 2), conflict(ConflictKind::Undecidable, &[3]));
}

/// Proves F1, A4: a break-glass user is never removed nor renamed, and a username that they keep is nobody else's.
#[test]
fn a_break_glass_user_is_not_touched() {
    let double = person(2, "double", Some("root@b.se"));
    let people = [owner(), double.clone()];
    let plan = require(&people, NONE);
    assert_eq!(action(&plan, 2), conflict(ConflictKind::BreakGlassDuplicate, &[1]));
    assert_eq!(plan.rows[0].choices, [Choice::Stay, Choice::Exempt]);
    let stays = require(&people, &decided(&[(1, Choice::Stay)]));
    assert_eq!(action(&stays, 2).name(), ActionName::RemoveDuplicate);
    let separate = require(&people, &decided(&[(1, Choice::Exempt)]));
    assert_eq!(
        (action(&separate, 1), action(&separate, 2).name()),
        (Action::Exempt { email_moved: true }, ActionName::Rename)
    );
    assert!(!separate.rows[0].outcome().exempt, "whoever is a break-glass user need not be exempt");
    let named_so =
        [with(owner(), |user| user.username = Username::parse("x@b.se").unwrap()), person(2, "x", Some("X@b.se"))];
    assert_eq!(action(&require(&named_so, NONE), 2), conflict(ConflictKind::UsernameTaken, &[1]));
    let alone = [with(owner(), |user| user.break_glass = false)];
    assert_eq!(require(&alone, NONE).blockers, [Blocker::BreakGlassRequired]);
}

/// Proves F1: users whose usernames are each other's emails change places.
#[test]
fn usernames_may_change_places() {
    let people = [owner(), person(2, "b@b.se", Some("a@b.se")), person(3, "a@b.se", Some("b@b.se"))];
    let plan = require(&people, NONE);
    assert_eq!(plan.blockers, []);
    assert!(plan.rows[1].steps_aside && plan.rows[2].steps_aside);
    assert!(!plan.rows[0].steps_aside);
}

/// Proves F2: the digest changes with whatever the plan rests on, and with nothing else.
#[test]
fn the_digest_is_of_everything_that_counts() {
    let people = [owner(), person(2, "ann", Some("ann@b.se"))];
    let digest = |people: &[Person], decisions: &Decisions, options: MigrationOptions| {
        let plan = require_as(1, people, decisions, options);
        let (portal, direction) = (Portal::Admin, Direction::Require);
        PlanDigest::of(&plan, &PlanContext { portal, direction, acting: id(1), reverts: None, options, decisions })
    };
    let usual = MigrationOptions::default();
    let first = digest(&people, NONE, usual);
    assert_eq!(first.as_str().parse::<PlanDigest>().unwrap(), first);
    let again = [owner(), with(people[1].clone(), |user| user.last_sign_in = Some(sign_in(7)))];
    assert_eq!(digest(&again, NONE, usual), first, "a sign-in changes nothing");
    let changed = [owner(), with(people[1].clone(), |user| user.updated_at = Timestamp::from_second(7).unwrap())];
    assert_ne!(digest(&changed, NONE, usual), first);
    assert_ne!(digest(&people, &decided(&[(2, Choice::Keep)]), usual), first);
    assert_ne!(digest(&people, NONE, MigrationOptions { end_sso_sessions: true, ..usual }), first);
    let more = [people[0].clone(), people[1].clone(), person(3, "bo", Some("bo@b.se"))];
    assert_ne!(digest(&more, NONE, usual), first);
}

/// Users that are left after a plan was carried out.
fn carried_out(people: &[Person], plan: &Plan) -> Vec<Person> {
    let rows: BTreeMap<UserId, &Row> = plan.rows.iter().map(|row| (row.user_id, row)).collect();
    let after = |person: &Person| {
        let Some(Snapshot { username, email, recovery_email, status, assigned_roles, exempt }) =
            rows.get(&person.user.id).and_then(|row| row.after.clone())
        else {
            return person.clone();
        };
        with(person.clone(), |user| {
            (user.username, user.email, user.recovery_email, user.status) = (username, email, recovery_email, status);
            (user.roles.assigned, user.exempt) = (assigned_roles, exempt);
        })
    };
    people.iter().map(after).collect()
}

fn back(people: &[Person], plan: &Plan) -> Plan {
    let done = done(plan.rows.clone());
    let (portal, connection, options) =
        (Portal::Admin, Some(connection(SsoMode::Required)), MigrationOptions::default());
    plan_back(&BackFacts { portal, people, done: &done, connection, options, decisions: NONE })
}

/// Proves F4: what was changed since counts more, a new user's name is not taken, and who has no password gets one.
#[test]
fn going_back_respects_what_changed_since() {
    let people = [
        owner(),
        person(2, "ann", Some("ann@b.se")),
        person(3, "bo", Some("bo@b.se")),
        person(4, "old", Some("bo@b.se")),
        person(5, "cy", Some("cy@b.se")),
    ];
    let plan = require(&people, NONE);
    let mut now = carried_out(&people, &plan);
    now[1].has_password = false;
    now[2].user.username = Username::parse("robert").unwrap();
    now.push(person(6, "cy", Some("other@b.se")));
    let plan = back(&now, &plan);
    assert_eq!(action(&plan, 1), Action::Keep { reason: KeepReason::BreakGlass });
    assert_eq!((action(&plan, 2).name(), plan.rows[1].mail), (ActionName::Rename, Some(MailKind::TemporaryPassword)));
    assert_eq!(
        (action(&plan, 3), plan.rows[2].mail),
        (Action::Keep { reason: KeepReason::ChangedSince }, Some(MailKind::SsoEnded))
    );
    assert_eq!(action(&plan, 4), Action::Restore { from_archive: true });
    assert_eq!(action(&plan, 5), conflict(ConflictKind::UsernameTaken, &[6]));
    assert_eq!(plan.blockers, [Blocker::UndecidedConflicts]);
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let names = ["a@b.se", "x@b.se", "y@b.se", "ann", "bo", "cy", "di", "ed"];
    let emails = prop::option::weighted(0.9, prop::sample::select(vec!["a@b.se", "B@b.se", "c@b.se", "d@b.se"]));
    let status =
        prop::sample::select(vec![UserStatus::Active, UserStatus::Active, UserStatus::Inactive, UserStatus::Invited]);
    let marks = (prop::bool::weighted(0.15), prop::bool::weighted(0.15), any::<bool>());
    let role = prop::option::of(prop::sample::select(Role::ALL));
    let name = prop::option::of(prop::sample::select(vec!["Ann", "Bo"]));
    prop::collection::vec((emails, status, marks, role, name), names.len()).prop_map(move |drawn| {
        let people = drawn.into_iter().zip(names).zip(2..).map(|((drawn, username), n)| {
            let (email, status, (break_glass, exempt, has_password), role, name) = drawn;
            let person = with(person(n, username, email), |user| {
                user.status = status;
                user.break_glass = break_glass && status == UserStatus::Active;
                user.exempt = exempt;
                user.roles.assigned = role.into_iter().collect();
                user.display_name = name.map(|name| Label::parse(name).unwrap());
            });
            let has_password = has_password || person.user.break_glass;
            Person { has_password, has_own_password: has_password, ..person }
        });
        std::iter::once(owner()).chain(people).collect()
    })
}

/// Decides every conflict, one after another, as the draws say; none where it goes round in circles.
fn decide_all(people: &[Person], draws: &[prop::sample::Index]) -> Option<Plan> {
    let mut decisions = Decisions::new();
    for draw in draws {
        let plan = require(people, &decisions);
        let Some(row) = plan.rows.iter().find(|row| row.action.name() == ActionName::Conflict) else {
            return plan.blockers.is_empty().then_some(plan);
        };
        let choice = *draw.get(&row.choices);
        decisions.insert(row.user_id, Decision { choice, unite_roles: Some(true) });
    }
    None
}

/// Whether no user's username is another user's username or email (A2).
fn is_one_namespace(people: &[Person]) -> bool {
    use crate::directory::{Directory, Names, NewNames};
    let names: Vec<Names> = people.iter().map(|person| Names::of(&person.user)).collect();
    let directory: Directory = names.iter().cloned().collect();
    let there = people.iter().zip(&names).filter(|(person, _)| !person.is_archived());
    there.into_iter().all(|(_, names)| directory.clash(names, NewNames::ALL).is_none())
}

fn distinct(texts: impl Iterator<Item = String>) -> bool {
    let mut seen = BTreeSet::new();
    texts.into_iter().all(|text| seen.insert(text))
}

proptest! {
    /// Proves F1, F3, F4, A4: after requiring SSO no two active users share an email or a username, there is a
    /// break-glass user, and going back restores usernames, statuses and roles exactly.
    #[test]
    fn the_laws_hold(before in people(), draws in prop::collection::vec(any::<prop::sample::Index>(), 24)) {
        let Some(plan) = decide_all(&before, &draws) else { return Ok(()) };
        let after = carried_out(&before, &plan);
        let active = || after.iter().map(|person| &person.user).filter(|user| user.status == UserStatus::Active);
        prop_assert!(distinct(active().filter_map(|user| user.email.as_ref()).map(Email::normalized)));
        let there = after.iter().filter(|person| !person.is_archived());
        prop_assert!(distinct(there.map(|person| person.user.username.normalized())));
        // Where names were one namespace, they stay so; where they were not, what is put back may have to yield.
        if !is_one_namespace(&before) {
            return Ok(());
        }
        prop_assert!(is_one_namespace(&after));
        prop_assert!(active().any(|user| user.break_glass));
        let untouched = |person: &Person| !person.user.break_glass || person.user.username == before[0].user.username
            || before.iter().any(|was| was.user.id == person.user.id && was.user.username == person.user.username);
        prop_assert!(after.iter().all(untouched));

        let back = back(&after, &plan);
        prop_assert_eq!(&back.blockers, &vec![]);
        prop_assert_eq!(carried_out(&after, &back), before);
    }
}
