//! Sign-ins: the attempt, what waits for the identity provider, and what answers it.

use domain::portal::Portal;
use domain::secret::PresentedSecret;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptOutcome, AttemptStage, Outcome, SignInAttempt};
use domain::sso::pending_sign_in::{PendingSignIn, Purpose, ReturnTo};
use domain::{AttemptId, ConnectionId, UserId};
use storage::authorization_codes::Evidence;
use storage::pending_sign_ins::{by_relay_state, by_request_id, of_any_connection};
use storage::sign_in_attempts::{AttemptFilter, UnlinkedLimits};
use storage::{Page, StorageError, Unique, authorization_codes, sign_in_attempts};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, attempt, code, digest, fresh, pending, return_to, tenant, used, waiting};

fn refused(tenant: &Tenant) -> SignInAttempt {
    SignInAttempt {
        kind: AttemptKind::IdpInitiated,
        stage: AttemptStage::ResponseReceived,
        outcome: Outcome::Refused(AttemptFailure {
            code: "login_incorrect_credentials".to_owned(),
            reason: "audience_mismatch".to_owned(),
            check: "audience".to_owned(),
            wanted: Some("https://vestibule.example/saml/å".to_owned()),
            got: None,
        }),
        entered_email: Some("Åsa@x.example".to_owned()),
        user_id: Some(UserId::from_uuid(fresh())),
        warnings: vec!["certificate expired".to_owned(), "\"skew\"".to_owned()],
        saml_message: Some("<Response/>".repeat(10_000)),
        ..attempt(tenant)
    }
}

/// Proves H1: an attempt reads back, bare and with everything, and says how it stands after an update.
#[both_engines]
async fn an_attempt_reads_back(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let bare = SignInAttempt { connection_id: None, application_id: None, ..attempt(&tenant) };
    let full = refused(&tenant);
    for stored in [&bare, &full] {
        sign_in_attempts::insert(&mut tx, stored).await.unwrap();
        let read = sign_in_attempts::by_id(&mut tx, tenant.account.id, stored.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(stored));
    }
    let SignInAttempt { outcome, saml_message, .. } = full;
    let (stage, updated_at) = (AttemptStage::ResponseReceived, at(9));
    let after = SignInAttempt { stage, outcome, saml_message, updated_at, ..bare.clone() };
    assert!(sign_in_attempts::refuse(&mut tx, &after).await.unwrap());
    assert_eq!(sign_in_attempts::by_id(&mut tx, tenant.account.id, bare.id).await.unwrap(), Some(after.clone()));
    let unknown = SignInAttempt { id: AttemptId::from_uuid(fresh()), ..after };
    assert!(!sign_in_attempts::refuse(&mut tx, &unknown).await.unwrap());
}

/// Proves that whatever a stranger sends can be recorded, also what one engine has no room for.
#[both_engines]
async fn an_attempt_is_recorded_whatever_it_holds(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut hostile = SignInAttempt { client_address: "\0".to_owned(), ..refused(&tenant) };
    hostile.entered_email = Some("a\0b".to_owned());
    hostile.warnings = vec!["\0".to_owned()];
    hostile.saml_message = Some("\0".to_owned());
    let failure = hostile.outcome.failure().unwrap().clone();
    let got = Some("x\0' OR 1=1 --\u{1F980}".to_owned());
    hostile.outcome = Outcome::Refused(AttemptFailure { got, ..failure });
    let mut tx = db.store.begin().await.unwrap();
    sign_in_attempts::insert(&mut tx, &hostile).await.unwrap();
    assert!(sign_in_attempts::refuse(&mut tx, &hostile).await.unwrap());
    let read = sign_in_attempts::by_id(&mut tx, tenant.account.id, hostile.id).await.unwrap().unwrap();
    assert_eq!(read.entered_email.as_deref(), Some("a\u{FFFD}b"));
    assert_eq!(read.outcome.failure().unwrap().got.as_deref(), Some("x\u{FFFD}' OR 1=1 --\u{1F980}"));
}

/// Proves H1: attempts are listed newest first, by each filter.
#[both_engines]
async fn attempts_are_listed_newest_first_by_each_filter(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let user_id = Some(UserId::from_uuid(fresh()));
    let connection_id = Some(ConnectionId::from_uuid(fresh()));
    let rows = [
        attempt(&tenant),
        SignInAttempt { outcome: Outcome::Succeeded, user_id, started_at: at(1), ..attempt(&tenant) },
        SignInAttempt { portal: Portal::SelfService, connection_id, started_at: at(2), ..attempt(&tenant) },
    ];
    let mut tx = db.store.begin().await.unwrap();
    for row in &rows {
        sign_in_attempts::insert(&mut tx, row).await.unwrap();
    }
    let none = AttemptFilter::default();
    let cases = [
        (none.clone(), vec![2, 1, 0]),
        (AttemptFilter { portal: Some(Portal::Admin), ..none.clone() }, vec![1, 0]),
        (AttemptFilter { outcome: Some(AttemptOutcome::Succeeded), ..none.clone() }, vec![1]),
        (AttemptFilter { user_id, ..none.clone() }, vec![1]),
        (AttemptFilter { connection_id, ..none.clone() }, vec![2]),
        (AttemptFilter { since: Some(at(1)), ..none.clone() }, vec![2, 1]),
        (AttemptFilter { until: Some(at(1)), ..none.clone() }, vec![0]),
    ];
    for (filter, expected) in cases {
        let found = sign_in_attempts::list(&mut tx, tenant.account.id, &filter, &Page::first(9)).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|i: usize| rows[i].clone()).collect();
        assert_eq!(found.items, expected, "{filter:?}");
    }
    let first = sign_in_attempts::list(&mut tx, tenant.account.id, &none, &Page::first(2)).await.unwrap();
    let next = Page { after: first.next, limit: 2 };
    let rest = sign_in_attempts::list(&mut tx, tenant.account.id, &none, &next).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![rows[0].clone()], None));
}

/// Proves that what anyone may cause is capped by connection, address and time, and what led to a user is not counted.
#[both_engines]
async fn attempts_that_are_linked_to_no_user_are_capped(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let rows = [
        attempt(&tenant),
        SignInAttempt { started_at: at(5), ..attempt(&tenant) },
        SignInAttempt { started_at: at(5), client_address: "2001:db8::1".to_owned(), ..attempt(&tenant) },
        SignInAttempt { started_at: at(5), user_id: Some(tenant.user.id), ..attempt(&tenant) },
        SignInAttempt { started_at: at(5), connection_id: None, ..attempt(&tenant) },
    ];
    let mut tx = db.store.begin().await.unwrap();
    for row in &rows {
        sign_in_attempts::insert(&mut tx, row).await.unwrap();
    }
    // Since when, how many there are from this address, and how many altogether.
    for (since, here, everywhere) in [(0, 2, 3), (5, 1, 2), (6, 0, 0)] {
        let limits = |address, connection| UnlinkedLimits {
            of_address: (at(since), address),
            of_connection: (at(since), connection),
        };
        for limits in [limits(here, u32::MAX), limits(u32::MAX, everywhere)] {
            let late = SignInAttempt { started_at: at(0), ..attempt(&tenant) };
            assert!(!sign_in_attempts::insert_within(&mut tx, &late, &limits).await.unwrap(), "{limits:?}");
            let waits = PendingSignIn { attempt_id: late.id, ..pending(&tenant) };
            assert!(!sign_in_attempts::insert_pending(&mut tx, &late, &waits, &limits).await.unwrap());
        }
    }
    let room = UnlinkedLimits { of_address: (at(0), 3), of_connection: (at(0), 4) };
    assert!(sign_in_attempts::insert_within(&mut tx, &attempt(&tenant), &room).await.unwrap());
    assert!(!sign_in_attempts::insert_within(&mut tx, &attempt(&tenant), &room).await.unwrap());
}

/// Proves C10: a pending sign-in is found by its handle or its request, whole, and by its own connection alone.
#[both_engines]
async fn a_pending_sign_in_reads_back(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let mut full = PendingSignIn { entered_email: Some("å@x.example".to_owned()), ..pending(&tenant) };
    full.purpose = Purpose::SignIn(ReturnTo { state: Some("stäte&=".to_owned()), ..return_to(&tenant) });
    let test = PendingSignIn { purpose: Purpose::Test, ..pending(&tenant) };
    let id = tenant.connection.id;
    for stored in [pending(&tenant), full, test] {
        let stored = waiting(&mut tx, &tenant, stored).await;
        let (row, request) = (stored.attempt_id, stored.request_id.as_str());
        let handle = PresentedSecret { row: row.as_uuid(), digest: stored.relay_state };
        assert_eq!(by_relay_state(&mut tx, id, handle).await.unwrap().as_ref(), Some(&stored));
        assert_eq!(by_request_id(&mut tx, id, row, request).await.unwrap().as_ref(), Some(&stored));
        let forged = PresentedSecret { digest: digest(), ..handle };
        assert!(by_relay_state(&mut tx, id, forged).await.unwrap().is_none());
        assert!(by_request_id(&mut tx, id, row, "\0").await.unwrap().is_none());
        let other = ConnectionId::from_uuid(fresh());
        assert!(by_relay_state(&mut tx, other, handle).await.unwrap().is_none());
        assert_eq!(of_any_connection(&mut tx, handle).await.unwrap().as_ref(), Some(&stored));
        assert!(of_any_connection(&mut tx, forged).await.unwrap().is_none());
        assert!(by_request_id(&mut tx, other, row, request).await.unwrap().is_none());
    }
}

/// Proves C10: a sign-in is answered once, and an assertion answers once per connection, however long its id.
#[both_engines]
async fn a_sign_in_is_answered_once_and_an_assertion_answers_once(db: TestDatabase) {
    let (one, two) = (tenant(&db.store, "one").await, tenant(&db.store, "two").await);
    let mut tx = db.store.begin().await.unwrap();
    let long = "å\0".repeat(50_000);
    for (tenant, id, expected) in
        [(&one, "_a", true), (&one, "_a", false), (&one, "_A", true), (&two, "_a", true), (&one, &long, true)]
    {
        let code = code(tenant);
        let waits = PendingSignIn { attempt_id: code.attempt_id, ..pending(tenant) };
        let waits = waiting(&mut tx, tenant, waits).await;
        let evidence = |id| Evidence { assertion: Some(used(id)), warnings: &[] };
        let issued = authorization_codes::issue(&mut tx, &code, evidence(id)).await;
        assert_eq!(issued.is_ok(), expected, "{issued:?}");
        let read =
            by_request_id(&mut tx, tenant.connection.id, waits.attempt_id, &waits.request_id).await.unwrap().unwrap();
        assert_eq!(read.answered, expected);
        let again = authorization_codes::issue(&mut tx, &code, evidence("_new")).await;
        assert_eq!(again.is_err(), expected, "{again:?}");
        let unsolicited = sign_in_attempts::insert_unsolicited(&mut tx, &attempt(tenant), id).await;
        assert!(matches!(unsolicited, Err(StorageError::Conflict(Unique::Answer))), "{unsolicited:?}");
    }
}

/// Proves that a sign-in which succeeded is not turned into a refused one, and that a refusal before is forgotten.
#[both_engines]
async fn a_success_outlasts_refusals(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let code = code(&tenant);
    let refused = SignInAttempt { id: code.attempt_id, user_id: None, ..refused(&tenant) };
    let mut tx = db.store.begin().await.unwrap();
    sign_in_attempts::insert(&mut tx, &refused).await.unwrap();
    let evidence = Evidence { assertion: None, warnings: &["odd".to_owned()] };
    authorization_codes::issue(&mut tx, &code, evidence).await.unwrap();
    assert!(!sign_in_attempts::refuse(&mut tx, &refused).await.unwrap());
    let read = sign_in_attempts::by_id(&mut tx, tenant.account.id, refused.id).await.unwrap().unwrap();
    assert_eq!(read.outcome, Outcome::Pending);
    assert_eq!(read.saml_message, None);
    assert_eq!((read.user_id, read.warnings), (Some(tenant.user.id), vec!["odd".to_owned()]));
}

/// Proves that a connection leaves its attempts behind.
#[both_engines]
async fn deleting_a_connection_leaves_its_attempts(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let attempt = attempt(&tenant);
    let mut tx = db.store.begin().await.unwrap();
    sign_in_attempts::insert(&mut tx, &attempt).await.unwrap();
    storage::connections::delete(&mut tx, tenant.account.id, tenant.connection.id).await.unwrap();
    assert_eq!(sign_in_attempts::by_id(&mut tx, tenant.account.id, attempt.id).await.unwrap(), Some(attempt));
}
