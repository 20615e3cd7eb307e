//! Plans of requiring SSO: heads, rows, and what they do.

use domain::email::Email;
use domain::mail::MailKind;
use domain::portal::Portal;
use domain::sso_migration::row::KeepReason;
use domain::sso_migration::{
    Action, ActionName, Applied, Choice, Counts, Decisions, Direction, Effects, MigrationOptions, PlanDigest, Progress,
    Row, SignOff, Snapshot, SsoMigration, UntestedOverride,
};
use domain::text::Label;
use domain::user::{User, UserStatus};
use domain::username::Username;
use domain::{MailId, SsoMigrationId};
use storage::sso_migration_rows::NewRow;
use storage::sso_migrations::MigrationFilter;
use storage::{Page, StorageError, Tx, sso_migration_effects, sso_migration_rows, sso_migrations, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, fresh, tenant, user};

fn migration(tenant: &Tenant) -> SsoMigration {
    SsoMigration {
        id: SsoMigrationId::from_uuid(fresh()),
        account_id: tenant.account.id,
        portal: Portal::Admin,
        direction: Direction::Require,
        progress: Progress::Previewed,
        reverts: None,
        options: MigrationOptions::default(),
        decisions: Decisions::new(),
        digest: "0".repeat(64).parse::<PlanDigest>().unwrap(),
        counts: Counts::default(),
        blockers: vec![],
        created_by: tenant.user.id,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn row(user: &User, after: Option<Snapshot>) -> NewRow {
    let row = Row {
        user_id: user.id,
        before: Snapshot::of(user),
        version: user.updated_at,
        action: Action::Keep { reason: KeepReason::Decided },
        after,
        steps_aside: false,
        choices: vec![Choice::Keep],
        mail: Some(MailKind::SsoRequired),
    };
    let id = MailId::from_uuid(fresh());
    NewRow { row, mail: Some((id, format!("{id}@login.example.com"))) }
}

fn renamed(user: &User, username: &str) -> Snapshot {
    Snapshot { username: Username::parse(username).unwrap(), ..Snapshot::of(user) }
}

async fn stored(tx: &mut Tx, tenant: &Tenant, username: &str, email: &str) -> User {
    let user = User { email: Some(Email::parse(email).unwrap()), ..user(tenant.account.id, username) };
    users::insert(tx, &user).await.unwrap();
    user
}

/// Proves F5: a migration reads back, bare and signed off and applied; and so do its rows, in pages and by action.
#[both_engines]
async fn a_migration_reads_back(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (account, mut tx) = (tenant.account.id, db.store.begin().await.unwrap());
    let tx = &mut tx;
    let bare = migration(&tenant);
    sso_migrations::insert(tx, &bare).await.unwrap();
    assert_eq!(sso_migrations::by_id(tx, account, bare.id).await.unwrap().as_ref(), Some(&bare));
    let word = UntestedOverride { reason: Label::parse("known good").unwrap(), connection_version: at(1) };
    let signed = SignOff { by: tenant.user.id, at: at(1), expires_at: at(9), untested: Some(word) };
    let applied = SsoMigration {
        progress: Progress::Applied(
            signed,
            Applied { by: tenant.user.id, at: at(2), effects: Effects { sessions_ended: 3, links_ended: 1 } },
        ),
        updated_at: at(2),
        ..bare.clone()
    };
    sso_migrations::update(tx, &applied, &bare).await.unwrap();
    assert!(matches!(sso_migrations::update(tx, &applied, &bare).await, Err(StorageError::Stale)), "once");
    assert_eq!(sso_migrations::last_applied(tx, account, Portal::Admin).await.unwrap(), Some(applied));
    let (one, two) = (stored(tx, &tenant, "one", "one@x.se").await, stored(tx, &tenant, "two", "two@x.se").await);
    let rows = [row(&one, Some(renamed(&one, "one@x.se"))), row(&two, None)];
    sso_migration_rows::insert_all(tx, account, bare.id, &rows).await.unwrap();
    let page = sso_migration_rows::list(tx, account, bare.id, None, &Page::first(1)).await.unwrap();
    assert_eq!((page.items.as_slice(), page.next), ([rows[0].row.clone()].as_slice(), Some(one.id.as_uuid())));
    let none = sso_migration_rows::list(tx, account, bare.id, Some(ActionName::Rename), &Page::first(9)).await;
    assert!(none.unwrap().items.is_empty());
    assert_eq!(sso_migration_rows::changed(tx, account, bare.id).await.unwrap(), [rows[0].row.clone()]);
    sso_migrations::mark_reverted(tx, account, bare.id, at(3)).await.unwrap();
    assert!(sso_migrations::mark_reverted(tx, account, bare.id, at(3)).await.is_err());
}

/// Proves F3: users change places, an archived one is found by no name, and one who was changed since stops all of
/// it.
#[both_engines]
async fn rows_are_carried_out_at_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (account, mut tx) = (tenant.account.id, db.store.begin().await.unwrap());
    let tx = &mut tx;
    let one = stored(tx, &tenant, "two@x.se", "one@x.se").await;
    let two = stored(tx, &tenant, "one@x.se", "two@x.se").await;
    let gone = stored(tx, &tenant, "gone", "one@x.se").await;
    let archived = Snapshot { status: UserStatus::Archived, ..Snapshot::of(&gone) };
    let aside = |mut new: NewRow| {
        new.row.steps_aside = true;
        new
    };
    let rows = [
        aside(row(&one, Some(renamed(&one, "one@x.se")))),
        aside(row(&two, Some(renamed(&two, "two@x.se")))),
        row(&gone, Some(archived)),
    ];
    let plan = migration(&tenant);
    sso_migrations::insert(tx, &plan).await.unwrap();
    sso_migration_rows::insert_all(tx, account, plan.id, &rows).await.unwrap();
    sso_migration_effects::change_users(tx, account, plan.id, 3, at(7)).await.unwrap();
    let named = async |tx: &mut Tx, name: &str| users::candidates(tx, account, Portal::Admin, name).await.unwrap();
    let found = named(tx, "one@x.se").await;
    assert_eq!((found.len(), found[0].id, found[0].updated_at), (1, one.id, at(7)));
    assert!(named(tx, "gone").await.is_empty());
    assert_eq!(users::by_id(tx, account, gone.id).await.unwrap().unwrap().status, UserStatus::Archived);
    let everybody = sso_migration_effects::people(tx, account, Portal::Admin, at(0)).await.unwrap();
    assert_eq!(everybody.len(), 4);
    let again = sso_migration_effects::change_users(tx, account, plan.id, 3, at(8)).await;
    assert!(matches!(again, Err(StorageError::Stale)));
}

/// Proves A5: with another account's id no plan is read, and none does anything.
#[both_engines]
async fn plans_are_of_one_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await.account.id);
    let (plan, mut tx) = (migration(&own), db.store.begin().await.unwrap());
    let tx = &mut tx;
    sso_migrations::insert(tx, &plan).await.unwrap();
    let rows = [row(&own.user, Some(renamed(&own.user, "x")))];
    sso_migration_rows::insert_all(tx, own.account.id, plan.id, &rows).await.unwrap();
    assert!(sso_migrations::by_id(tx, other, plan.id).await.unwrap().is_none());
    let listed = sso_migrations::list(tx, other, &MigrationFilter::default(), &Page::first(9)).await.unwrap();
    assert!(listed.items.is_empty());
    assert!(sso_migrations::last_applied(tx, other, Portal::Admin).await.unwrap().is_none());
    let listed = sso_migration_rows::list(tx, other, plan.id, None, &Page::first(9)).await.unwrap();
    assert!(listed.items.is_empty());
    assert_eq!(sso_migration_rows::delete(tx, other, plan.id).await.unwrap(), 0);
    assert_eq!(sso_migration_rows::delete_drafts(tx, other, Portal::Admin).await.unwrap(), 0);
    assert_eq!(sso_migrations::supersede(tx, other, Portal::Admin, at(1)).await.unwrap(), 0);
    sso_migration_effects::change_users(tx, other, plan.id, 0, at(1)).await.unwrap();
    assert_eq!(users::by_id(tx, own.account.id, own.user.id).await.unwrap(), Some(own.user.clone()));
    let theirs = sso_migration_effects::people(tx, other, Portal::Admin, at(0)).await.unwrap();
    assert!(theirs.iter().all(|person| person.user.account_id == other));
}
