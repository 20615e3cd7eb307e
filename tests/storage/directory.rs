//! Storage of accounts and users.

use domain::email::Email;
use domain::portal::Portal;
use domain::role::{Role, RoleSet};
use domain::user::{LastSignIn, SignInMethod, User, UserStatus};
use domain::username::{Username, normalized};
use storage::accounts::AccountFilter;
use storage::users::{ListedUser, SharedEmail, UserFilter};
use storage::{Page, Paged, StorageError, Unique, accounts, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{account, at, label, stored_account, tenant, user};

fn username(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// Proves A1: an account is found by id and by name, and a changed name takes effect.
#[both_engines]
async fn an_account_reads_back_and_may_be_renamed(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let stored = stored_account(&mut tx, "a-1").await;
    assert_eq!(accounts::by_id(&mut tx, stored.id).await.unwrap().unwrap(), stored);
    assert_eq!(accounts::by_name(&mut tx, &stored.name).await.unwrap().unwrap(), stored);
    let renamed = domain::account::Account { updated_at: at(2), ..account("b-2") };
    let renamed = domain::account::Account { id: stored.id, created_at: stored.created_at, ..renamed };
    accounts::update(&mut tx, &renamed, stored.updated_at).await.unwrap();
    assert!(accounts::by_name(&mut tx, &stored.name).await.unwrap().is_none());
    assert_eq!(accounts::by_name(&mut tx, &renamed.name).await.unwrap().unwrap(), renamed);
}

/// Proves A1: names are unique, at creation and at renaming.
#[both_engines]
async fn an_account_name_is_taken_once(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let first = stored_account(&mut tx, "taken").await;
    let second = stored_account(&mut tx, "free").await;
    let again = accounts::insert(&mut tx, &account("TAKEN")).await;
    assert!(matches!(again, Err(StorageError::Conflict(Unique::AccountName))), "{again:?}");
    let renamed = domain::account::Account { name: first.name.clone(), ..second.clone() };
    let update = accounts::update(&mut tx, &renamed, second.updated_at).await;
    assert!(matches!(update, Err(StorageError::Conflict(Unique::AccountName))), "{update:?}");
    let stale = accounts::update(&mut tx, &second, at(7)).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");
}

/// Proves that a list is cut into pages without a gap or a repetition, and that a search takes every character
/// literally and no case into account.
#[both_engines]
async fn accounts_are_listed_page_by_page_and_searched(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let mut stored = vec![];
    for name in ["one", "two", "three"] {
        stored.push(stored_account(&mut tx, name).await);
    }
    let all = AccountFilter::default();
    let first = accounts::list(&mut tx, &all, &Page::first(2)).await.unwrap();
    assert_eq!((first.items.as_slice(), first.next), (&stored[..2], Some(stored[1].id.as_uuid())));
    let rest = accounts::list(&mut tx, &all, &Page { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&stored[2..], None));
    let exact = accounts::list(&mut tx, &all, &Page::first(3)).await.unwrap();
    assert_eq!((exact.items.len(), exact.next), (3, None));
    for (search, expected) in [("TWO", 1), ("ågren", 3), ("%", 0), ("t_o", 0), ("!", 0), ("\0", 0)] {
        let filter = AccountFilter { search: Some(search.to_owned()) };
        let found = accounts::list(&mut tx, &filter, &Page::first(9)).await.unwrap();
        assert_eq!(found.items.len(), expected, "{search:?}");
    }
}

/// Proves that a user reads back, with nothing that is optional and with all of it.
#[both_engines]
async fn a_user_reads_back_as_spelled(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let bare = user(account.id, "Bo Ek");
    let full = User {
        email: Some(Email::parse("Åsa.Ö+x@Example.COM").unwrap()),
        display_name: Some(label("Åsa 🦀")),
        status: UserStatus::Inactive,
        last_sign_in: Some(LastSignIn { at: at(5), method: SignInMethod::Saml }),
        portal: Portal::SelfService,
        ..user(account.id, &"Ö".repeat(254))
    };
    for stored in [bare, full] {
        users::insert(&mut tx, &stored).await.unwrap();
        let read = users::by_id(&mut tx, account.id, stored.id).await.unwrap().unwrap();
        assert_eq!(read, stored);
        assert_eq!(read.username.as_str(), stored.username.as_str());
        assert_eq!(read.email.as_ref().map(Email::as_str), stored.email.as_ref().map(Email::as_str));
    }
}

/// Proves A2: usernames are unique per account and portal without regard to case, at creation and at renaming.
#[both_engines]
async fn a_username_is_taken_once_per_portal(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let other = stored_account(&mut tx, "other").await;
    users::insert(&mut tx, &user(account.id, "åsa")).await.unwrap();
    let again = users::insert(&mut tx, &user(account.id, "ÅSA")).await;
    assert!(matches!(again, Err(StorageError::Conflict(Unique::Username))), "{again:?}");
    let elsewhere = User { portal: Portal::SelfService, ..user(account.id, "ÅSA") };
    users::insert(&mut tx, &elsewhere).await.unwrap();
    users::insert(&mut tx, &user(other.id, "ÅSA")).await.unwrap();
    let bo = user(account.id, "bo");
    users::insert(&mut tx, &bo).await.unwrap();
    let renamed = User { username: username("Åsa"), ..bo.clone() };
    let update = users::update(&mut tx, &renamed, &bo).await;
    assert!(matches!(update, Err(StorageError::Conflict(Unique::Username))), "{update:?}");
    let respelled = User { username: username("BO"), ..bo.clone() };
    users::update(&mut tx, &respelled, &bo).await.unwrap();
}

/// Proves E1: many users are added at once, more than one statement holds, but for those whose username is taken.
#[both_engines]
async fn users_are_added_many_at_once(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    users::insert(&mut tx, &user(account.id, "TAKEN")).await.unwrap();
    let names = (0..600).map(|number| if number == 300 { "taken".to_owned() } else { format!("åsa {number}") });
    let many: Vec<User> = names.map(|name| user(account.id, &name)).collect();
    let added = users::insert_all(&mut tx, &many).await.unwrap();
    assert_eq!(added.len(), 599);
    for (number, user) in many.iter().enumerate() {
        assert_eq!(added.contains(&user.id), number != 300);
    }
    let last = users::by_id(&mut tx, account.id, many[599].id).await.unwrap();
    assert_eq!(last.as_ref(), many.last());
    assert!(users::insert_all(&mut tx, &[]).await.unwrap().is_empty());
}

/// Proves that an update writes what may change, leaves the last sign-in alone, and is refused when it comes late.
#[both_engines]
async fn a_user_is_updated_if_nobody_did_so_before(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let before = user(account.id, "bo");
    users::insert(&mut tx, &before).await.unwrap();
    let after = User {
        username: username("Bo@acme.example"),
        email: Some(Email::parse("Bo@acme.example").unwrap()),
        display_name: Some(label("Bo")),
        status: UserStatus::Inactive,
        last_sign_in: Some(LastSignIn { at: at(9), method: SignInMethod::Saml }),
        updated_at: at(2),
        ..before.clone()
    };
    users::update(&mut tx, &after, &before).await.unwrap();
    let read = users::by_id(&mut tx, account.id, before.id).await.unwrap().unwrap();
    assert_eq!(read, User { last_sign_in: None, ..after.clone() });
    let late = users::update(&mut tx, &after, &before).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
}

/// Proves D2: a user who has an identity as username or email is found, once, in the compared form.
#[both_engines]
async fn candidates_have_the_identity_as_username_or_email(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let email = Email::parse("Åsa@x.example").unwrap();
    let by_name = user(account.id, "åsa@X.example");
    let by_email = User { email: Some(email.clone()), ..user(account.id, "asa") };
    let by_both = User { portal: Portal::SelfService, ..user(account.id, "åsa@x.example") };
    let by_both = User { email: Some(email.clone()), ..by_both };
    for stored in [&by_name, &by_email, &by_both, &user(account.id, "bo")] {
        users::insert(&mut tx, stored).await.unwrap();
    }
    let identity = normalized(email.as_str());
    let admin = users::candidates(&mut tx, account.id, Portal::Admin, &identity).await.unwrap();
    assert_eq!(admin, [by_name, by_email]);
    let self_service = users::candidates(&mut tx, account.id, Portal::SelfService, &identity).await.unwrap();
    assert_eq!(self_service, [by_both]);
    assert!(users::candidates(&mut tx, account.id, Portal::Admin, "\0").await.unwrap().is_empty());
}

/// Proves A2, C3: rows of the time before domains were compared in their ASCII form are brought into it by the
/// migration; one whose username another user has in that form is found by both, so that neither is picked.
#[both_engines]
async fn identities_of_an_older_version_are_compared_in_todays_form(db: TestDatabase) {
    let account = tenant(&db.store, "acme").await.account.id;
    let mut tx = db.store.begin().await.unwrap();
    let email = |text: &str| Some(Email::parse(text).unwrap());
    let old = User { email: email("asa@räk.se"), ..user(account, "Åsa@räk.se") };
    let holder = user(account, "bo@xn--rk-via.se");
    for stored in [&old, &holder] {
        users::insert(&mut tx, stored).await.unwrap();
    }
    tx.commit().await.unwrap();
    db.tamper(
        "UPDATE users SET username_normalized = 'åsa@räk.se', email_normalized = 'asa@räk.se'
            WHERE username = 'Åsa@räk.se'; INSERT INTO pending_rewrites (name) VALUES ('identities')",
    )
    .await;
    db.tamper("UPDATE users SET username = 'bo@räk.se', username_normalized = 'bo@räk.se' WHERE username = 'somebody@acme.example'").await;
    db.store.migrate().await.unwrap();
    let mut tx = db.store.begin().await.unwrap();
    for identity in ["åsa@xn--rk-via.se", "asa@xn--rk-via.se"] {
        assert_eq!(
            users::candidates(&mut tx, account, Portal::Admin, identity).await.unwrap(),
            std::slice::from_ref(&old)
        );
    }
    let both = users::candidates(&mut tx, account, Portal::Admin, "bo@xn--rk-via.se").await.unwrap();
    assert_eq!(both.len(), 2);
}

/// Proves H1, C4: each filter of the list of users, the role from either source.
#[both_engines]
async fn users_are_listed_by_portal_status_role_and_search(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let mut owner = user(account.id, "owner");
    owner.roles.saml = RoleSet::from([Role::OrganizationOwner]);
    let invited = User { status: UserStatus::Invited, ..user(account.id, "b") };
    let invited = User { display_name: Some(label("Ny 100%")), ..invited };
    let end_user = User { portal: Portal::SelfService, ..user(account.id, "c") };
    for stored in [&owner, &invited, &end_user] {
        users::insert(&mut tx, stored).await.unwrap();
    }
    let none = UserFilter::default();
    let cases = [
        (none.clone(), vec![owner.id, invited.id, end_user.id]),
        (UserFilter { portal: Some(Portal::Admin), ..none.clone() }, vec![owner.id, invited.id]),
        (UserFilter { status: Some(UserStatus::Invited), ..none.clone() }, vec![invited.id]),
        (UserFilter { role: Some(Role::OrganizationOwner), ..none.clone() }, vec![owner.id]),
        (UserFilter { role: Some(Role::OrganizationMember), ..none.clone() }, vec![owner.id, invited.id, end_user.id]),
        (UserFilter { role: Some(Role::OrganizationContextManager), ..none.clone() }, vec![]),
        (UserFilter { search: Some("NY 100%".to_owned()), ..none.clone() }, vec![invited.id]),
        (UserFilter { search: Some("0_".to_owned()), ..none.clone() }, vec![]),
    ];
    for (filter, expected) in cases {
        let found = users::list(&mut tx, account.id, &filter, &Page::first(9)).await.unwrap();
        let found: Vec<_> = found.items.iter().map(|listed| listed.user.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let first = users::list(&mut tx, account.id, &none, &Page::first(1)).await.unwrap();
    let second = users::list(&mut tx, account.id, &none, &Page { after: first.next, limit: 9 }).await.unwrap();
    let users = |page: Paged<ListedUser>| page.items.into_iter().map(|listed| listed.user).collect::<Vec<_>>();
    assert_eq!((users(first), users(second)), (vec![owner], vec![invited, end_user]));
}

/// Proves A3: a sign-in is recorded of an active user alone, and changes no property that a caller set.
#[both_engines]
async fn a_sign_in_is_recorded_of_active_users_alone(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let active = user(account.id, "a");
    users::insert(&mut tx, &active).await.unwrap();
    let sign_in = LastSignIn { at: at(50), method: SignInMethod::Saml };
    users::record_sign_in(&mut tx, account.id, active.id, sign_in, active.credential_epoch).await.unwrap();
    let read = users::by_id(&mut tx, account.id, active.id).await.unwrap();
    assert_eq!(read, Some(User { last_sign_in: Some(sign_in), ..active }));
    for status in [UserStatus::Invited, UserStatus::Inactive] {
        let other = User { status, ..user(account.id, status.as_str()) };
        users::insert(&mut tx, &other).await.unwrap();
        let epoch = other.credential_epoch;
        let refused = users::record_sign_in(&mut tx, account.id, other.id, sign_in, epoch).await;
        assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
    }
}

/// Proves A7: an epoch is raised once from where it was, and with it nothing goes on that was read before.
#[both_engines]
async fn an_epoch_is_raised_once_and_guards_what_was_read_before(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let before = user(account.id, "ann");
    users::insert(&mut tx, &before).await.unwrap();
    let (id, first) = (before.id, before.credential_epoch);
    assert!(users::hold_epoch(&mut tx, account.id, id, first).await.unwrap());
    assert_eq!(users::raise_epoch(&mut tx, &before).await.unwrap(), first.next());
    assert_eq!(users::epoch(&mut tx, account.id, id).await.unwrap(), Some(first.next()));
    let again = users::raise_epoch(&mut tx, &before).await;
    assert!(matches!(again, Err(StorageError::Stale)), "{again:?}");
    let late = users::update(&mut tx, &User { updated_at: at(2), ..before.clone() }, &before).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
    let sign_in = LastSignIn { at: at(50), method: SignInMethod::Password };
    let late = users::record_sign_in(&mut tx, account.id, id, sign_in, first).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
    assert!(!users::hold_epoch(&mut tx, account.id, id, first).await.unwrap());
    users::record_sign_in(&mut tx, account.id, id, sign_in, first.next()).await.unwrap();
    let raised = User { credential_epoch: first.next(), ..before };
    let after = User { credential_epoch: first.next().next(), updated_at: at(2), ..raised.clone() };
    users::update(&mut tx, &after, &raised).await.unwrap();
    assert_eq!(users::epoch(&mut tx, account.id, id).await.unwrap(), Some(after.credential_epoch));
}

/// Proves A2: an email counts as shared among active users of one portal, whatever its case.
#[both_engines]
async fn emails_shared_by_active_users_are_found(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let with = |name: &str, email: &str| {
        let email = Some(Email::parse(email).unwrap());
        User { email, ..user(account.id, name) }
    };
    let rows = [
        with("one", "a@x.example"),
        with("Two", "A@X.example"),
        with("lone", "b@x.example"),
        User { status: UserStatus::Inactive, ..with("gone", "b@x.example") },
        User { portal: Portal::SelfService, ..with("end", "b@x.example") },
        user(account.id, "none"),
        user(account.id, "none either"),
    ];
    for row in &rows {
        users::insert(&mut tx, row).await.unwrap();
    }
    let shared = users::shared_emails(&mut tx, account.id, Portal::Admin).await.unwrap();
    let usernames = vec!["one".to_owned(), "Two".to_owned()];
    assert_eq!(shared, [SharedEmail { email: "a@x.example".to_owned(), usernames }]);
}
