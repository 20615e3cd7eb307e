//! The use-cases of Vestibule: load, decide, apply, commit.
//!
//! What it is for: everything that a caller can ask of Vestibule is one function here. Each checks who asks, loads
//! facts, lets a pure function of `domain` decide, and writes the outcome with its audit event in one transaction.
//! XML work, signing and network calls happen before or after that transaction, never inside.
//!
//! What it does not know: HTTP (statuses, headers, cookies), SQL, which clock, which network. The world is behind
//! the traits of [`ports`].
//!
//! How to add one more: a module by the name of its family, an `impl Service` block with the use-case, a line in
//! `api/routes`. Refusals that a caller may meet get a [`Code`].

mod account_links;
mod account_pairs;
mod account_settings;
mod account_switches;
mod accounts;
mod api_keys;
mod applications;
mod attempts;
mod audit;
mod authentication;
mod authorization_request;
mod branding;
mod break_glass;
mod caller;
mod connections;
mod credential_epochs;
mod directory;
mod error;
mod form_login;
mod housekeeping;
mod idempotency;
mod ids;
mod invitations;
mod magic_link;
mod mail;
mod network_throttle;
mod one_time_links;
mod operator_keys;
mod password_resets;
mod passwords;
pub mod ports;
mod reason;
mod request_id;
mod sandboxes;
mod search;
mod second_factor;
mod sessions;
mod settings;
mod sign_in;
mod signing_keys;
mod sp_keys;
mod sso_migrations;
mod sso_readiness;
mod tokens;
mod turns;
mod user_import;
mod users;
mod version;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::SessionId;
use domain::secret::SecretDigest;
use jiff::Timestamp;
use moka::future::Cache;
use storage::Store;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::network_throttle::NetworkThrottle;
use crate::ports::HashingCapacity;

pub use account_links::AccountLinkView;
pub use account_pairs::AccountPairView;
pub use account_pairs::pairing::Pairing;
pub use account_settings::AccountSettingsPatch;
pub use account_switches::{SwitchAccount, SwitchableAccount, switch_code};
pub use accounts::{AccountPatch, CreatedAccount, NewAccount};
pub use api_keys::{MadeApiKey, NewApiKey};
pub use applications::{ApplicationPatch, NewApplication};
pub use authentication::Credentials;
pub use authorization_request::AuthorizationRequest;
pub use break_glass::drill::{BreakGlassView, DrillStep, Drilled};
pub use caller::{ApiKeyCaller, Caller, Identity, SignedInUser};
pub use connections::enable::{EnableReport, SharedEmailReport};
pub use connections::metadata::{ImportReport, MetadataImport, MetadataInput};
pub use connections::{CertificateWarning, ConnectionPatch, ConnectionView, NewConnection};
pub use error::{Code, Error, RETRY_AFTER_SECONDS, Result, Violation};
pub use form_login::{PendingToken, ReplaceTemporaryPassword, SignInStep, StartFormSignIn};
pub use idempotency::{Created, IdempotencyKey};
pub use invitations::accept::{AcceptedInvitation, OpenInvitation};
pub use invitations::batch::{BATCH_MAX, BatchResult, InvitationBatch};
pub use invitations::invite::{InviteOptions, Invitee};
pub use invitations::mailing::MailWishes;
pub use invitations::{InvitationView, InvitationsQuery};
pub use magic_link::RequestMagicLink;
pub use magic_link::complete::{CompleteMagicLink, OpenMagicLink};
pub use mail::dispatch::Dispatched;
pub use mail::outbox::TestMail;
pub use mail::templates::{MailTemplates, TEMPLATE_MAX_BYTES, TemplateError};
pub use operator_keys::NewOperatorKey;
pub use password_resets::{OpenPasswordReset, RequestPasswordReset};
pub use passwords::PasswordChange;
pub use ports::Ports;
pub use reason::{Check, Reason};
pub use saml::Engines;
pub use sandboxes::NewSandbox;
pub use second_factor::SecondFactorChange;
pub use sessions::Me;
pub use settings::{AttemptLimits, MailSettings, SandboxPolicy, Settings};
pub use sign_in::acs::{AcsAnswer, Arrival, PostedResponse};
pub use sign_in::discovery::{LoginMethod, LoginOptions, LoginOptionsQuery};
pub use sign_in::start::{IdpHandoff, StartSignIn, StartedSignIn};
pub use sign_in::test_sign_in::{StartTestSignIn, TestSignIn};
pub use sso_migrations::decide::UserDecision;
pub use sso_migrations::{BlockerWords, NewSsoMigration, blocker_words};
pub use sso_readiness::{FindingView, SsoReadiness};
pub use storage::account_pairs::PairFilter;
pub use storage::accounts::AccountFilter;
pub use storage::applications::ApplicationFilter;
pub use storage::audit_events::AuditFilter;
pub use storage::outbox::MailFilter;
pub use storage::sessions::SessionFilter;
pub use storage::sign_in_attempts::AttemptFilter;
pub use storage::sso_migrations::MigrationFilter;
pub use storage::users::UserFilter;
pub use storage::{Page, Paged};
pub use tokens::{CodeGrant, IssuedTokens, PresentedToken, TokenError, TokenRefusal};
pub use user_import::{IMPORT_MAX, ImportedUser};
pub use users::{NewUser, UserPatch, UserView};
pub use version::Versioned;

/// The use-cases, and what they share.
pub struct Service {
    store: Store,
    ports: Ports,
    settings: Settings,
    verification_turns: turns::Turns,
    keyring: signing_keys::KeyringCache,
    trust: Cache<connections::trust::TrustKey, Arc<connections::trust::PreparedTrust>>,
    probes: Cache<url::Url, ports::ProbeResult>,
    origins: Cache<String, bool>,
    ids: ids::IdSequence,
    mail_waits: Arc<Notify>,
    link_requests: Arc<Semaphore>,
    password_turns: turns::Turns,
    known_logins: form_login::KnownLogins,
    failed_bearers: NetworkThrottle,
    good_keys: Cache<SecretDigest, ()>,
    mail_stops: AtomicBool,
}

/// Time for which a probe's finding is believed (D3): long enough for a morning's rush, short enough to notice a
/// recovery.
const PROBE_CACHE: std::time::Duration = std::time::Duration::from_secs(30);
/// Time for which it is believed that a browser origin is registered, or is not.
const ORIGIN_CACHE: std::time::Duration = std::time::Duration::from_secs(15);
/// Time for which a connection stays prepared, so that a retired key of ours is forgotten in time.
const TRUST_CACHE: std::time::Duration = std::time::Duration::from_mins(10);
/// Time for which a key that was right is let through from a network that sends wrong ones, before it is looked up
/// again.
const GOOD_KEYS: std::time::Duration = std::time::Duration::from_mins(10);
/// Most entries of each cache; an entry of the largest kind, a prepared connection, takes some 10 kB.
const CACHE_ENTRIES: u64 = 1_000;

impl Service {
    /// Puts the use-cases over a store and the world.
    pub fn new(store: Store, ports: Ports, settings: Settings) -> Self {
        let permits = settings.verification_permits.max(1);
        let HashingCapacity { threads, queue } = ports.password_hasher.capacity();
        // While one password is looked at, what the next one needs is read.
        let at_once = threads.saturating_add(threads.min(queue));
        Self {
            store,
            password_turns: turns::Turns::new(at_once, queue, passwords::TURN_WAIT),
            known_logins: form_login::KnownLogins::default(),
            failed_bearers: NetworkThrottle::new(authentication::FAILED_BEARERS),
            good_keys: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(GOOD_KEYS).build(),
            ports,
            verification_turns: turns::Turns::new(
                permits,
                permits.saturating_mul(sign_in::WAITING_PER_PERMIT),
                sign_in::TURN_WAIT,
            ),
            settings,
            keyring: signing_keys::KeyringCache::default(),
            trust: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(TRUST_CACHE).build(),
            probes: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(PROBE_CACHE).build(),
            ids: ids::IdSequence::default(),
            mail_waits: Arc::default(),
            link_requests: Arc::new(Semaphore::new(one_time_links::LINK_REQUESTS_AT_ONCE as usize)),
            mail_stops: AtomicBool::new(false),
            origins: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(ORIGIN_CACHE).build(),
        }
    }

    /// Settings that the operator configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// The time, as the rest of Vestibule sees it.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.ports.entropy.fill(&mut bytes);
        bytes
    }

    fn uuid(&self) -> Uuid {
        self.ids.next(self.now(), self.random())
    }

    fn session_id(&self) -> SessionId {
        SessionId::from_uuid(self.uuid())
    }
}
