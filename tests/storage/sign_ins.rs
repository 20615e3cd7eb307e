//! Attempts, pending sign-ins, consumed assertions.

use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptOutcome, AttemptStage, SignInAttempt};
use domain::sso::pending_sign_in::PendingSignIn;
use domain::{AttemptId, ConnectionId, UserId};
use jiff::Timestamp;
use storage::sign_in_attempts::AttemptFilter;
use storage::{Page, StorageError, consumed_assertions, pending_sign_ins, sign_in_attempts};
use tests::both_engines;

use crate::samples::{Tenant, at, attempt, digest, fresh, pending, tenant};

fn refused(tenant: &Tenant) -> SignInAttempt {
    SignInAttempt {
        kind: AttemptKind::IdpInitiated,
        stage: AttemptStage::ResponseReceived,
        outcome: AttemptOutcome::Refused,
        failure: Some(AttemptFailure {
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

both_engines! {
    /// Proves H1: an attempt reads back, bare and with everything, and says how it stands after an update.
    async fn an_attempt_reads_back(db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut tx = db.store.begin().await.unwrap();
        let bare = SignInAttempt { connection_id: None, application_id: None, ..attempt(&tenant) };
        let full = refused(&tenant);
        for stored in [&bare, &full] {
            sign_in_attempts::insert(&mut tx, stored).await.unwrap();
            let read = sign_in_attempts::by_id(&mut tx, tenant.account.id, stored.id).await.unwrap();
            assert_eq!(read.as_ref(), Some(stored));
        }
        let after = SignInAttempt { id: bare.id, updated_at: at(9), ..full };
        sign_in_attempts::update(&mut tx, &after).await.unwrap();
        assert_eq!(sign_in_attempts::by_id(&mut tx, tenant.account.id, bare.id).await.unwrap(), Some(after.clone()));
        let unknown = SignInAttempt { id: AttemptId::from_uuid(fresh()), ..after };
        let update = sign_in_attempts::update(&mut tx, &unknown).await;
        assert!(matches!(update, Err(StorageError::Stale)), "{update:?}");
    }

    /// Proves that whatever a stranger sends can be recorded, also what one engine has no room for.
    async fn an_attempt_is_recorded_whatever_it_holds(db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut hostile = SignInAttempt { client_address: "\0".to_owned(), ..refused(&tenant) };
        hostile.entered_email = Some("a\0b".to_owned());
        hostile.warnings = vec!["\0".to_owned()];
        hostile.saml_message = Some("\0".to_owned());
        hostile.failure.as_mut().unwrap().got = Some("x\0' OR 1=1 --\u{1F980}".to_owned());
        let mut tx = db.store.begin().await.unwrap();
        sign_in_attempts::insert(&mut tx, &hostile).await.unwrap();
        sign_in_attempts::update(&mut tx, &hostile).await.unwrap();
        let read = sign_in_attempts::by_id(&mut tx, tenant.account.id, hostile.id).await.unwrap().unwrap();
        assert_eq!(read.entered_email.as_deref(), Some("a\u{FFFD}b"));
        assert_eq!(read.failure.unwrap().got.as_deref(), Some("x\u{FFFD}' OR 1=1 --\u{1F980}"));
    }

    /// Proves H1: attempts are listed newest first, by each filter.
    async fn attempts_are_listed_newest_first_by_each_filter(db) {
        let tenant = tenant(&db.store, "acme").await;
        let user_id = Some(UserId::from_uuid(fresh()));
        let connection_id = Some(ConnectionId::from_uuid(fresh()));
        let rows = [
            attempt(&tenant),
            SignInAttempt { outcome: AttemptOutcome::Succeeded, user_id, started_at: at(1), ..attempt(&tenant) },
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

    /// Proves that what anyone may cause is counted by connection, address and time, and what led to a user is not.
    async fn attempts_that_are_linked_to_no_user_are_counted(db) {
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
        let id = tenant.connection.id;
        for (since, here, everywhere) in [(0, 2, 3), (5, 1, 2), (6, 0, 0)] {
            let counted = sign_in_attempts::count_unlinked(&mut tx, id, "192.0.2.1", at(since)).await.unwrap();
            let of_connection = sign_in_attempts::count_unlinked_of_connection(&mut tx, id, at(since)).await.unwrap();
            assert_eq!((counted, of_connection), (here, everywhere), "{since}");
        }
    }

    /// Proves C10: a pending sign-in is found by either handle, of its own connection alone, and is consumed once.
    async fn a_pending_sign_in_reads_back_and_is_consumed_once(db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut tx = db.store.begin().await.unwrap();
        let mut full = PendingSignIn { entered_email: Some("å@x.example".to_owned()), ..pending(&tenant) };
        full.return_to.state = Some("stäte&=".to_owned());
        let id = tenant.connection.id;
        for stored in [pending(&tenant), full.clone()] {
            pending_sign_ins::insert(&mut tx, &stored).await.unwrap();
            let by_state = pending_sign_ins::by_relay_state(&mut tx, id, stored.relay_state).await.unwrap();
            assert_eq!(by_state.as_ref(), Some(&stored));
            let by_request = pending_sign_ins::by_request_id(&mut tx, id, &stored.request_id).await.unwrap();
            assert_eq!(by_request, Some(stored));
        }
        assert!(pending_sign_ins::by_relay_state(&mut tx, id, digest()).await.unwrap().is_none());
        assert!(pending_sign_ins::by_request_id(&mut tx, id, "\0").await.unwrap().is_none());
        let other = ConnectionId::from_uuid(fresh());
        assert!(pending_sign_ins::consume(&mut tx, other, &full.request_id, at(1)).await.unwrap().is_none());
        let taken = pending_sign_ins::consume(&mut tx, id, &full.request_id, at(1)).await.unwrap().unwrap();
        assert_eq!(taken.consumed_at, Some(at(1)));
        assert!(pending_sign_ins::consume(&mut tx, id, &full.request_id, at(2)).await.unwrap().is_none());
        let read = pending_sign_ins::by_request_id(&mut tx, id, &full.request_id).await.unwrap().unwrap();
        assert_eq!(read.consumed_at, Some(at(1)));
    }

    /// Proves C10: an assertion is new once per connection, however long its id.
    async fn an_assertion_is_consumed_once(db) {
        let (one, two) = (tenant(&db.store, "one").await, tenant(&db.store, "two").await);
        let mut tx = db.store.begin().await.unwrap();
        let long = "å\0".repeat(50_000);
        for (tenant, id, expected) in
            [(&one, "_a", true), (&one, "_a", false), (&one, "_A", true), (&two, "_a", true), (&one, &long, true)]
        {
            let (connection, account) = (tenant.connection.id, tenant.account.id);
            let new = consumed_assertions::insert(&mut tx, connection, account, id, Timestamp::MAX).await.unwrap();
            assert_eq!(new, expected);
        }
    }

    /// Proves that a connection takes what waits for it along, and leaves the attempts.
    async fn deleting_a_connection_leaves_its_attempts(db) {
        let tenant = tenant(&db.store, "acme").await;
        let (attempt, waiting) = (attempt(&tenant), pending(&tenant));
        let (account, connection) = (tenant.account.id, tenant.connection.id);
        let mut tx = db.store.begin().await.unwrap();
        sign_in_attempts::insert(&mut tx, &attempt).await.unwrap();
        pending_sign_ins::insert(&mut tx, &waiting).await.unwrap();
        consumed_assertions::insert(&mut tx, connection, account, "_a", at(1)).await.unwrap();
        storage::connections::delete(&mut tx, account, connection).await.unwrap();
        assert!(pending_sign_ins::by_request_id(&mut tx, connection, &waiting.request_id).await.unwrap().is_none());
        assert_eq!(sign_in_attempts::by_id(&mut tx, account, attempt.id).await.unwrap(), Some(attempt));
        let orphan = pending_sign_ins::insert(&mut tx, &pending(&tenant)).await;
        assert!(matches!(orphan, Err(StorageError::Stale)), "{orphan:?}");
    }
}
