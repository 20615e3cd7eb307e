//! The use-cases of Vestibule: load, decide, apply, commit.
//!
//! What it is for: everything that a caller can ask of Vestibule is one function of a family. Each checks who asks, loads
//! facts, lets a pure function of `domain` decide, and writes the outcome with its audit event in one transaction.
//! XML work, signing and network calls happen before or after that transaction, never inside.
//!
//! What it does not know: HTTP (statuses, headers, cookies), SQL, which clock, which network. The world is behind
//! the traits of [`ports`].
//!
//! # The families
//!
//! Each is a folder and a type, owns its caches and queues, and says in its first lines which others it uses. There are
//! no circles; `tests/architecture` holds that.
//!
//! ```text
//! core           store, ports, settings, clock, ids, audit events
//! mail           the outbox and its look               connections    trust, keys, metadata, readiness
//! people         users, invitations, passwords, links  sessions       tokens, signing keys, who calls
//! sign_in        SAML, form login, mailed links        accounts       settings, applications, keys, links
//! migrations     requiring SSO, and going back         delivery       sends what the outbox holds
//! installation   operator keys, the work of every minute
//! ```
//!
//! How to add one more: a file in the folder of its family with an `impl` block of the family's type, a line in
//! `api/routes`. Refusals that a caller may meet get a [`Code`].

mod accounts;
mod connections;
mod core;
mod delivery;
mod installation;
mod mail;
mod migrations;
mod people;
mod sessions;
mod sign_in;

use std::sync::Arc;

use jiff::Timestamp;
use storage::Store;

use crate::core::Core;

pub use accounts::Accounts;
pub use connections::Connections;
pub use delivery::{MailDelivery, MailSettings};
pub use installation::Installation;
pub use mail::Outbox;
pub use migrations::Migrations;
pub use people::People;
pub use sessions::Sessions;
pub use sign_in::SignIn;

pub use accounts::api_keys::{MadeApiKey, NewApiKey};
pub use accounts::applications::{ApplicationPatch, NewApplication};
pub use accounts::links::AccountLinkView;
pub use accounts::pairs::AccountPairView;
pub use accounts::pairs::pairing::Pairing;
pub use accounts::sandboxes::NewSandbox;
pub use accounts::switches::{SwitchAccount, SwitchableAccount, switch_code};
pub use accounts::{AccountPatch, CreatedAccount, NewAccount};
pub use connections::enable::{EnableReport, SharedEmailReport};
pub use connections::metadata::{ImportReport, MetadataImport, MetadataInput};
pub use connections::readiness::{FindingView, SsoReadiness};
pub use connections::{CertificateWarning, ConnectionView, NewConnection};
pub use core::caller::{ApiKeyCaller, Caller, Identity, SignedInUser};
pub use core::error::{Code, Error, RETRY_AFTER_SECONDS, Result, Violation};
pub use core::idempotency::{Created, IdempotencyKey};
pub use core::merge::{MergePatch, Settings as MergedSettings};
pub use core::pointer::{pointer, read_value};
pub use core::ports;
pub use core::ports::Ports;
pub use core::reason::{Check, Reason};
pub use core::settings::{AttemptLimits, SandboxPolicy, Settings};
pub use core::version::Versioned;
pub use delivery::dispatch::Dispatched;
pub use delivery::templates::{MailTemplates, TEMPLATE_MAX_BYTES, TemplateError};
pub use installation::operator_keys::NewOperatorKey;
pub use mail::outbox::TestMail;
pub use migrations::decide::UserDecision;
pub use migrations::{BlockerWords, NewSsoMigration, RowFilter, blocker_words};
pub use people::invitations::accept::{AcceptedInvitation, OpenInvitation};
pub use people::invitations::batch::{BATCH_MAX, BatchResult, InvitationBatch, InviteBatch};
pub use people::invitations::invite::{Invite, InviteOptions, Invitee};
pub use people::invitations::mailing::MailWishes;
pub use people::invitations::{InvitationView, InvitationsQuery};
pub use people::password_resets::{OpenPasswordReset, RequestPasswordReset};
pub use people::passwords::PasswordChange;
pub use people::second_factor::SecondFactorChange;
pub use people::user_import::{IMPORT_MAX, ImportedUser};
pub use people::users::{NewUser, UserPatch, UserView};
pub use saml::Engines;
pub use sessions::Me;
pub use sessions::authentication::Credentials;
pub use sessions::tokens::{CodeGrant, IssuedTokens, PresentedToken, TokenError, TokenRefusal};
pub use sign_in::authorization_request::AuthorizationRequest;
pub use sign_in::break_glass_drill::{BreakGlassView, DrillStep, Drilled};
pub use sign_in::form_login::{PendingToken, ReplaceTemporaryPassword, SignInStep, StartFormLogin};
pub use sign_in::magic_link::RequestMagicLink;
pub use sign_in::magic_link::complete::{CompleteMagicLink, OpenMagicLink};
pub use sign_in::saml::acs::{AcsAnswer, Arrival, PostedResponse};
pub use sign_in::saml::discovery::{LoginMethod, LoginOptions, LoginOptionsQuery};
pub use sign_in::saml::start::{IdpHandoff, StartSignIn, StartedSignIn};
pub use sign_in::saml::test_sign_in::{StartTestSignIn, TestSignIn};
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

/// Most entries of each cache; an entry of the largest kind, a prepared connection, takes some 10 kB.
const CACHE_ENTRIES: u64 = 1_000;

/// The use-cases, family by family.
pub struct Service {
    core: Arc<Core>,
    /// Accounts, their settings, applications and keys, and the links between them.
    pub accounts: Arc<Accounts>,
    /// Trust between portals and their identity providers.
    pub connections: Arc<Connections>,
    /// Delivery of the outbox's mails.
    pub delivery: Arc<MailDelivery>,
    /// The installation as a whole.
    pub installation: Arc<Installation>,
    /// Outbox of mails, and how an account's mails look.
    pub mail: Arc<Outbox>,
    /// Migrations of portals to required SSO, and back.
    pub migrations: Arc<Migrations>,
    /// People of all accounts, with their credentials.
    pub people: Arc<People>,
    /// Sessions, the tokens that prove them, and the keys that sign these.
    pub sessions: Arc<Sessions>,
    /// Ways to sign in.
    pub sign_in: Arc<SignIn>,
}

impl Service {
    /// Puts the use-cases over a store and the world.
    pub fn new(store: Store, ports: Ports, settings: Settings, mail_settings: MailSettings) -> Self {
        let core = Arc::new(Core::new(store, ports, settings));
        let of_core = || Arc::clone(&core);
        let mail = Arc::new(Outbox::new(of_core()));
        let connections = Arc::new(Connections::new(of_core()));
        let people = Arc::new(People::new(of_core(), Arc::clone(&mail), Arc::clone(&connections)));
        let sessions = Arc::new(Sessions::new(of_core()));
        let (of_mail, of_people) = (|| Arc::clone(&mail), || Arc::clone(&people));
        let (of_sessions, of_connections) = (|| Arc::clone(&sessions), || Arc::clone(&connections));
        let sign_in = Arc::new(SignIn::new(of_core(), of_mail(), of_connections(), of_people()));
        let of_sign_in = || Arc::clone(&sign_in);
        Self {
            accounts: Arc::new(Accounts::new(of_core(), of_mail(), of_people(), of_sessions(), of_sign_in())),
            delivery: Arc::new(MailDelivery::new(of_core(), of_mail(), of_people(), mail_settings)),
            installation: Arc::new(Installation::new(of_core(), of_mail(), of_people(), of_sessions(), of_sign_in())),
            migrations: Arc::new(Migrations::new(of_core(), of_mail(), of_connections(), of_people())),
            core: of_core(),
            connections: of_connections(),
            mail: of_mail(),
            people: of_people(),
            sessions: of_sessions(),
            sign_in: of_sign_in(),
        }
    }

    /// Settings that the operator configured.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// The time, as the rest of Vestibule sees it.
    pub fn now(&self) -> Timestamp {
        self.core.now()
    }

    /// A new name for a request, in logs and in problems: in order of time, so that a log can be searched from it.
    pub fn request_id(&self) -> String {
        format!("req_{}", self.core.uuid().simple())
    }
}
