//! Reads a whole database through the functions of `storage`, and counts the rows of each table that came.

use std::collections::BTreeMap;

use domain::account::{Account, AccountName};
use domain::secret::{PresentedSecret, SecretDigest};
use domain::throttle::{Pace, ThrottleKey};
use domain::user::UserStatus;
use domain::{AccountId, AttemptId, ConnectionId, MailBatchId};
use jiff::{SignedDuration, Timestamp};
use storage::account_pairs::PairFilter;
use storage::accounts::AccountFilter;
use storage::applications::ApplicationFilter;
use storage::audit_events::AuditFilter;
use storage::invitations::InvitationFilter;
use storage::outbox::MailFilter;
use storage::sessions::SessionFilter;
use storage::sign_in_attempts::AttemptFilter;
use storage::sso_migrations::MigrationFilter;
use storage::users::UserFilter;
use storage::{
    Page, StorageError, Tx, Unique, account_links, account_pairs, accounts, api_keys, applications, audit_events,
    authorization_codes, branding, break_glass, connections, direct_sign_ins, idempotency, installation, invitations,
    known_logins, mfa_codes, one_time_links, operator_keys, outbox, password_credentials, pending_sign_ins,
    refresh_tokens, sessions, sign_in_attempts, signing_keys, sp_keys, sso_migration_rows, sso_migrations,
    test_sign_ins, throttles, users,
};
use tests::databases::TestDatabase;
use uuid::Uuid;

use super::rows;
use crate::samples;

/// Number of rows that were read, by table.
type Read = BTreeMap<&'static str, usize>;

/// Lists are short enough for one page.
const ALL: Page = Page::first(1_000);
/// A pace that lets a stored throttle stand as it is.
const PACE: Pace = Pace { burst: 10_000, period: SignedDuration::from_secs(1) };

/// Reads every row of every table.
pub async fn everything(db: &TestDatabase) -> Read {
    let names = account_names(db).await;
    let tx = db.store.begin().await.unwrap();
    let mut reading = Reading { db, tx, read: Read::from([("account_names", names), ("pending_rewrites", 0)]) };
    reading.installation().await;
    reading.logs().await;
    reading.mails().await;
    reading.secrets().await;
    reading.throttles().await;
    reading.steps().await;
    reading.tests().await;
    let accounts = accounts::list(&mut reading.tx, &AccountFilter::default(), &ALL).await.unwrap().items;
    reading.found("accounts", accounts.len());
    for account in &accounts {
        reading.settings(account.id).await;
        reading.people(account.id).await;
        reading.sign_ins(account.id).await;
        reading.migrations(account.id).await;
    }
    reading.read
}

/// Counts the names that no other account gets, which is how they are read.
async fn account_names(db: &TestDatabase) -> usize {
    let mut taken = 0;
    for (name, released_at) in rows::<(String, Option<i64>)>(db, "SELECT name, released_at FROM account_names").await {
        let created_at = released_at.map_or_else(|| samples::at(0), time);
        let mut tx = db.store.begin().await.unwrap();
        let another = Account { created_at, ..samples::account("another") };
        let another = Account { name: AccountName::parse(&name).unwrap(), ..another };
        let refused = accounts::insert(&mut tx, &another).await;
        taken += usize::from(matches!(refused, Err(StorageError::Conflict(Unique::AccountName))));
    }
    taken
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn array(bytes: Vec<u8>) -> [u8; 32] {
    bytes.try_into().unwrap()
}

fn presented((row, digest): (Uuid, Vec<u8>)) -> PresentedSecret {
    PresentedSecret { row, digest: SecretDigest::from_bytes(array(digest)) }
}

struct Reading<'a> {
    db: &'a TestDatabase,
    tx: Tx,
    read: Read,
}

impl Reading<'_> {
    fn found(&mut self, table: &'static str, rows: usize) {
        *self.read.entry(table).or_default() += rows;
    }

    async fn installation(&mut self) {
        let found = signing_keys::list_published(&mut self.tx).await.unwrap().len();
        self.found("signing_keys", found);
        let found = operator_keys::list(&mut self.tx).await.unwrap().len();
        self.found("operator_keys", found);
        for (key,) in rows::<(String,)>(self.db, "SELECT key FROM installation").await {
            let found = installation::get(&mut self.tx, &key).await.unwrap();
            self.found("installation", found.iter().len());
        }
        let shared = applications::list(&mut self.tx, None::<AccountId>, &ApplicationFilter::default(), &ALL).await;
        self.found("applications", shared.unwrap().items.len());
        for (origin,) in rows::<(String,)>(self.db, "SELECT origin FROM application_origins").await {
            let is_found = applications::origin_is_registered(&mut self.tx, &origin).await.unwrap();
            self.found("application_origins", usize::from(is_found));
        }
    }

    async fn logs(&mut self) {
        let found = audit_events::list_of_installation(&mut self.tx, &AuditFilter::default(), &ALL).await.unwrap();
        self.found("audit_events", found.items.len());
        for (caller, key) in rows::<(String, String)>(self.db, "SELECT caller, key FROM idempotency_records").await {
            let found = idempotency::find(&mut self.tx, &caller, &key).await.unwrap();
            self.found("idempotency_records", found.iter().len());
        }
    }

    async fn mails(&mut self) {
        let found = outbox::list(&mut self.tx, &MailFilter::default(), &ALL).await.unwrap();
        self.found("outbox", found.items.len());
        for (id,) in rows::<(Uuid,)>(self.db, "SELECT id FROM outbox_batches").await {
            let found = outbox::batch_message(&mut self.tx, MailBatchId::from_uuid(id)).await.unwrap();
            self.found("outbox_batches", found.iter().len());
        }
    }

    /// Reads what is found by the digest of a secret.
    async fn secrets(&mut self) {
        for (digest,) in rows::<(Vec<u8>,)>(self.db, "SELECT digest FROM one_time_links").await {
            let digest = SecretDigest::from_bytes(array(digest));
            let found = one_time_links::by_digest(&mut self.tx, digest).await.unwrap();
            self.found("one_time_links", found.iter().len());
        }
        for (digest,) in rows::<(Vec<u8>,)>(self.db, "SELECT digest FROM refresh_tokens").await {
            let digest = SecretDigest::from_bytes(array(digest));
            let found = refresh_tokens::family_of(&mut self.tx, digest).await.unwrap();
            self.found("refresh_tokens", found.iter().len());
        }
    }

    async fn throttles(&mut self) {
        for (digest, clear_at) in rows::<(Vec<u8>, i64)>(self.db, "SELECT digest, clear_at FROM throttles").await {
            let (key, clear_at) = (ThrottleKey::from_bytes(array(digest)), time(clear_at));
            let counted = throttles::count(&mut self.tx, key, PACE, samples::at(0)).await.unwrap();
            self.found("throttles", usize::from(counted == clear_at + PACE.period));
        }
        let found = known_logins::newest(&mut self.tx, Timestamp::MIN, u32::MAX).await.unwrap().len();
        self.found("known_logins", found);
    }

    /// Reads attempts that wait for their next step, each as that step reads it.
    async fn steps(&mut self) {
        let (db, tx) = (self.db, &mut self.tx);
        let sql = "SELECT id, code_digest FROM sign_in_attempts WHERE code_digest IS NOT NULL";
        for code in rows(db, sql).await {
            assert!(authorization_codes::exchange_of(tx, presented(code)).await.unwrap().is_some());
        }
        let sql = "SELECT id, handle_digest FROM sign_in_attempts WHERE request_id IS NOT NULL";
        for handle in rows(db, sql).await {
            assert!(pending_sign_ins::of_any_connection(tx, presented(handle)).await.unwrap().is_some());
        }
        let sql = "SELECT id, handle_digest FROM sign_in_attempts WHERE awaits IS NOT NULL";
        for handle in rows(db, sql).await {
            assert!(direct_sign_ins::by_handle(tx, presented(handle)).await.unwrap().is_some());
        }
        for (account, attempt) in rows::<(Uuid, Uuid)>(db, "SELECT account_id, attempt_id FROM mfa_codes").await {
            let (account, attempt) = (AccountId::from_uuid(account), AttemptId::from_uuid(attempt));
            let found = mfa_codes::count_try(&mut self.tx, account, attempt).await.unwrap();
            self.found("mfa_codes", found.iter().len());
        }
    }

    async fn tests(&mut self) {
        let sql = "SELECT account_id, connection_id, id FROM sign_in_attempts WHERE findings IS NOT NULL";
        for (account, connection, id) in rows::<(Uuid, Uuid, Uuid)>(self.db, sql).await {
            let (account, connection) = (AccountId::from_uuid(account), ConnectionId::from_uuid(connection));
            let id = AttemptId::from_uuid(id);
            let (_, findings) = test_sign_ins::by_id(&mut self.tx, account, connection, id).await.unwrap().unwrap();
            assert!(findings.is_some());
        }
    }

    async fn settings(&mut self, account: AccountId) {
        let found = branding::by_account(&mut self.tx, account).await.unwrap();
        self.found("account_branding", found.iter().len());
        let found = api_keys::list(&mut self.tx, account).await.unwrap().len();
        self.found("api_keys", found);
        let found = account_links::list(&mut self.tx, account).await.unwrap().len();
        self.found("account_links", found);
        let own = applications::list(&mut self.tx, account, &ApplicationFilter::default(), &ALL).await.unwrap();
        self.found("applications", own.items.len());
        let own = connections::list(&mut self.tx, account).await.unwrap();
        self.found("saml_connections", own.len());
        for connection in own {
            let found = sp_keys::list(&mut self.tx, account, connection.id).await.unwrap().len();
            self.found("sp_keys", found);
            test_sign_ins::last_success(&mut self.tx, account, connection.id).await.unwrap();
        }
    }

    async fn people(&mut self, account: AccountId) {
        let archived = UserFilter { status: Some(UserStatus::Archived), ..UserFilter::default() };
        for filter in [UserFilter::default(), archived] {
            let listed = users::list(&mut self.tx, account, &filter, &ALL).await.unwrap().items;
            self.found("users", listed.len());
            for user in listed.iter().map(|listed| listed.user.id) {
                let found = password_credentials::by_user(&mut self.tx, account, user).await.unwrap();
                self.found("password_credentials", found.iter().len());
            }
        }
        break_glass::list(&mut self.tx, account).await.unwrap();
        let (filter, now) = (InvitationFilter::default(), samples::at(0));
        let found = invitations::list(&mut self.tx, account, &filter, now, &ALL).await.unwrap();
        self.found("invitations", found.items.len());
        let found = account_pairs::list(&mut self.tx, account, &PairFilter::default(), &ALL).await.unwrap();
        self.found("account_pairs", found.items.len());
    }

    async fn sign_ins(&mut self, account: AccountId) {
        let found = sign_in_attempts::list(&mut self.tx, account, &AttemptFilter::default(), &ALL).await.unwrap();
        self.found("sign_in_attempts", found.items.len());
        let found = sessions::list(&mut self.tx, account, &SessionFilter::default(), &ALL).await.unwrap();
        self.found("sessions", found.items.len());
        let found = audit_events::list(&mut self.tx, account, &AuditFilter::default(), &ALL).await.unwrap();
        self.found("audit_events", found.items.len());
    }

    async fn migrations(&mut self, account: AccountId) {
        let found = sso_migrations::list(&mut self.tx, account, &MigrationFilter::default(), &ALL).await.unwrap();
        self.found("sso_migrations", found.items.len());
        for migration in found.items {
            let found = sso_migration_rows::list(&mut self.tx, account, migration.id, None, &ALL).await.unwrap();
            self.found("sso_migration_rows", found.items.len());
        }
    }
}
