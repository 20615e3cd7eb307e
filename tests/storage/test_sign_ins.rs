//! Test sign-ins: what they found, and that nothing comes of them.

use domain::role::{Role, RoleSet};
use domain::sign_in_attempt::{AttemptStage, Outcome, SignInAttempt};
use domain::sso::connection::SamlConnection;
use domain::sso::pending_sign_in::{PendingSignIn, Purpose};
use domain::sso::test_sign_in::{
    CheckState, ReceivedAttribute, RoleOrigin, TestFindings, TestedCheck, TestedRoles, TestedSubject, TestedUser,
};
use domain::{AccountId, ConnectionId};
use storage::authorization_codes::{Evidence, issue};
use storage::sign_in_attempts;
use storage::test_sign_ins::{self, LastSuccess, by_id, conclude};
use storage::{StorageError, Tx, Unique};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, code, fresh, pending, refused_outcome, tenant, used, waiting};

fn findings(tenant: &Tenant) -> TestFindings {
    let check = TestedCheck {
        check: "audience".to_owned(),
        state: CheckState::Passed,
        wanted: Some("https://vestibule.example/saml/å".to_owned()),
        got: None,
    };
    let roles = TestedRoles {
        origin: RoleOrigin::RoleMappings,
        value: Some("\"lead\"".to_owned()),
        roles: RoleSet::from([Role::OrganizationOwner]),
    };
    let username = "åsa@x.example".to_owned();
    TestFindings {
        checks: vec![check],
        name_id: true,
        attributes: vec![ReceivedAttribute { name: "urn:x".to_owned(), values: 3 }],
        user: Some(TestedUser { subject: TestedSubject::Bound, username, user_id: Some(tenant.user.id) }),
        roles: vec![roles],
    }
}

/// Stores a test that waits; gives its attempt as a success would leave it.
async fn started(tx: &mut Tx, tenant: &Tenant) -> SignInAttempt {
    let stored = waiting(tx, tenant, PendingSignIn { purpose: Purpose::Test, ..pending(tenant) }).await;
    let attempt = sign_in_attempts::by_id(tx, tenant.account.id, stored.attempt_id).await.unwrap().unwrap();
    let (stage, outcome) = (AttemptStage::UserResolved, Outcome::Succeeded);
    SignInAttempt { stage, outcome, warnings: vec!["skew".to_owned()], updated_at: at(9), ..attempt }
}

/// Proves C9: a test reads back with what it found, for its own connection alone.
#[both_engines]
async fn a_test_reads_back(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let (account, connection) = (tenant.account.id, tenant.connection.id);
    let test = started(&mut tx, &tenant).await;
    assert_eq!(by_id(&mut tx, account, connection, test.id).await.unwrap().unwrap().1, None);
    conclude(&mut tx, &test, &findings(&tenant), Some("_assertion")).await.unwrap();
    let read = by_id(&mut tx, account, connection, test.id).await.unwrap();
    assert_eq!(read, Some((test.clone(), Some(findings(&tenant)))));
    let (other, elsewhere) = (AccountId::from_uuid(fresh()), ConnectionId::from_uuid(fresh()));
    assert_eq!(by_id(&mut tx, other, connection, test.id).await.unwrap(), None);
    assert_eq!(by_id(&mut tx, account, elsewhere, test.id).await.unwrap(), None);
    let real = waiting(&mut tx, &tenant, pending(&tenant)).await;
    assert_eq!(by_id(&mut tx, account, connection, real.attempt_id).await.unwrap(), None);
}

/// Proves C9, C10: a test is concluded once with success, and uses its assertion up for every sign-in.
#[both_engines]
async fn a_success_uses_test_and_assertion_up(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let test = started(&mut tx, &tenant).await;
    let moved = SignInAttempt { account_id: AccountId::from_uuid(fresh()), ..test.clone() };
    assert!(conclude(&mut tx, &moved, &findings(&tenant), Some("_one")).await.is_err());
    let refused = SignInAttempt { outcome: refused_outcome(), ..test.clone() };
    conclude(&mut tx, &refused, &TestFindings::default(), None).await.unwrap();
    conclude(&mut tx, &test, &findings(&tenant), Some("_one")).await.unwrap();
    let again = conclude(&mut tx, &refused, &TestFindings::default(), None).await;
    assert!(matches!(again, Err(StorageError::Conflict(Unique::Answer))));
    let other = started(&mut tx, &tenant).await;
    let replayed = conclude(&mut tx, &other, &findings(&tenant), Some("_one")).await;
    assert!(matches!(replayed, Err(StorageError::Conflict(Unique::Answer))));
    let code = code(&tenant);
    waiting(&mut tx, &tenant, PendingSignIn { attempt_id: code.attempt_id, ..pending(&tenant) }).await;
    let evidence = Evidence { assertion: Some(used("_one")), warnings: &[] };
    assert!(matches!(issue(&mut tx, &code, evidence).await, Err(StorageError::Conflict(Unique::Answer))));
}

/// Proves C9: the database itself refuses a code of a test, whatever asks for one.
#[both_engines]
async fn the_database_refuses_a_code_of_a_test(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let test = started(&mut tx, &tenant).await;
    let mut code = code(&tenant);
    code.attempt_id = test.id;
    let evidence = Evidence { assertion: Some(used("_one")), warnings: &[] };
    assert!(issue(&mut tx, &code, evidence).await.is_err());
}

/// Proves C9, H2: the last success is kept with the connection, and is of an older version once that changes.
#[both_engines]
async fn the_last_success_is_kept(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (account, connection) = (tenant.account.id, &tenant.connection);
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(test_sign_ins::last_success(&mut tx, account, connection.id).await.unwrap(), None);
    test_sign_ins::record_success(&mut tx, connection, at(50)).await.unwrap();
    let last = test_sign_ins::last_success(&mut tx, account, connection.id).await.unwrap();
    assert_eq!(last, Some(LastSuccess { at: at(50), is_current: true }));
    let enabled = SamlConnection { updated_at: at(55), ..connection.clone() };
    storage::connections::update(&mut tx, &enabled, connection.updated_at).await.unwrap();
    test_sign_ins::carry_success(&mut tx, &enabled, connection.updated_at).await.unwrap();
    let last = test_sign_ins::last_success(&mut tx, account, connection.id).await.unwrap();
    assert_eq!(last, Some(LastSuccess { at: at(50), is_current: true }), "carried over a change of the mode");
    let changed = SamlConnection { updated_at: at(60), ..connection.clone() };
    storage::connections::update(&mut tx, &changed, enabled.updated_at).await.unwrap();
    test_sign_ins::carry_success(&mut tx, &changed, connection.updated_at).await.unwrap();
    let last = test_sign_ins::last_success(&mut tx, account, connection.id).await.unwrap();
    assert_eq!(last, Some(LastSuccess { at: at(50), is_current: false }));
    let other = AccountId::from_uuid(fresh());
    assert_eq!(test_sign_ins::last_success(&mut tx, other, connection.id).await.unwrap(), None);
    let moved = SamlConnection { account_id: other, ..connection.clone() };
    assert!(test_sign_ins::record_success(&mut tx, &moved, at(70)).await.is_err());
}
