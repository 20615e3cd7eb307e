//! One of everything, with valid values, and the rows that it refers to.

use domain::account::{Account, AccountName};
use domain::account_settings::AccountSettings;
use domain::application::{Application, ApplicationSettings, Lifetimes, Origin, Pages, RedirectUri, RefreshDelivery};
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::credential_epoch::CredentialEpoch;
use domain::email::Email;
use domain::invitation::Invitation;
use domain::language::Language;
use domain::mail::{Mail, MailKind, MailState};
use domain::network::Network;
use domain::one_time_link::{LinkPurpose, OneTimeLink};
use domain::pkce::CodeChallenge;
use domain::portal::Portal;
use domain::role::{Role, RoleAssignments, RoleSet};
use domain::secret::{PresentedSecret, SecretDigest};
use domain::session::{RefreshToken, Session};
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptStage, Outcome, SignInAttempt};
use domain::signing_key::{SigningAlgorithm, SigningKey, SigningKeyState};
use domain::sso::connection::{ConnectionSettings, SamlConnection, SpHash, SsoMode};
use domain::sso::pending_sign_in::{PendingSignIn, Purpose, ReturnTo};
use domain::text::Label;
use domain::user::{SignInMethod, User, UserStatus};
use domain::username::Username;
use domain::{
    AccountId, ApplicationId, AttemptId, ConnectionId, InvitationId, MailId, SessionId, SigningKeyId, UserId,
};
use jiff::Timestamp;
use storage::authorization_codes::Evidence;
use storage::sign_in_attempts::{UnlinkedLimits, UsedAssertion};
use storage::{Store, Tx};
use uuid::Uuid;

/// Time at which everything here was made, in milliseconds since 1970.
pub const THEN: i64 = 1_800_000_000_000;

/// Time that is so many milliseconds after [`THEN`].
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(THEN + millis).unwrap()
}

/// An id later than every one before.
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

pub fn digest() -> SecretDigest {
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(one.as_bytes());
    bytes[16..].copy_from_slice(two.as_bytes());
    SecretDigest::from_bytes(bytes)
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// An account with a user, an application and a connection, as most rows need.
pub struct Tenant {
    pub account: Account,
    pub user: User,
    pub application: Application,
    pub connection: SamlConnection,
}

/// Stores a new [`Tenant`] of this name.
pub async fn tenant(store: &Store, name: &str) -> Tenant {
    let account = account(name);
    let tenant = Tenant {
        user: user(account.id, &format!("somebody@{name}.example")),
        application: application(Some(account.id)),
        connection: connection(account.id, Portal::Admin),
        account,
    };
    let mut tx = store.begin().await.unwrap();
    storage::accounts::insert(&mut tx, &tenant.account).await.unwrap();
    storage::users::insert(&mut tx, &tenant.user).await.unwrap();
    storage::applications::insert(&mut tx, &tenant.application).await.unwrap();
    storage::connections::insert(&mut tx, &tenant.connection).await.unwrap();
    tx.commit().await.unwrap();
    tenant
}

/// Stores a new [`account`] of this name.
pub async fn stored_account(tx: &mut Tx, name: &str) -> Account {
    let account = account(name);
    storage::accounts::insert(tx, &account).await.unwrap();
    account
}

pub fn account(name: &str) -> Account {
    Account {
        id: AccountId::from_uuid(fresh()),
        name: AccountName::parse(name).unwrap(),
        display_name: label("Ågren & Söner 株式会社"),
        settings: settings(),
        created_at: at(0),
        updated_at: at(1),
    }
}

fn settings() -> AccountSettings {
    AccountSettings {
        require_email_mfa: true,
        allowed_networks: vec![Network::parse("2001:db8::/32").unwrap()],
        max_idle_seconds: Some(600),
        languages: vec![Language::Swedish, Language::English],
        ..AccountSettings::default()
    }
}

pub fn user(account_id: AccountId, username: &str) -> User {
    User {
        id: UserId::from_uuid(fresh()),
        account_id,
        portal: Portal::Admin,
        username: Username::parse(username).unwrap(),
        email: None,
        display_name: None,
        status: UserStatus::Active,
        roles: RoleAssignments { assigned: RoleSet::from([Role::OrganizationMember]), saml: RoleSet::new() },
        recovery_email: None,
        break_glass: false,
        require_email_mfa: false,
        exempt: false,
        credential_epoch: CredentialEpoch::FIRST,
        last_sign_in: None,
        created_at: at(0),
        updated_at: at(1),
    }
}

pub fn application(account_id: Option<AccountId>) -> Application {
    Application {
        id: ApplicationId::from_uuid(fresh()),
        account_id,
        portal: Portal::Admin,
        name: label("Console"),
        settings: ApplicationSettings {
            redirect_uris: vec![redirect_uri()],
            allowed_origins: vec![],
            initiate_login_uri: None,
            lifetimes: Lifetimes::default(),
            refresh_delivery: RefreshDelivery::Json,
            pages: Pages::default(),
        },
        is_default: false,
        created_at: at(0),
        updated_at: at(1),
    }
}

pub fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

pub fn redirect_uri() -> RedirectUri {
    RedirectUri::parse("https://app.example.com/callback?x=å").unwrap()
}

pub fn mail(account_id: Option<AccountId>, kind: MailKind) -> Mail {
    Mail {
        id: MailId::from_uuid(fresh()),
        account_id,
        kind,
        language: Language::Swedish,
        recipient: Email::parse("åsa@example.com").unwrap(),
        message_id: "mail_1@login.example.com".to_owned(),
        sealed_message: Some(vec![0, 255, 1]),
        batch_id: None,
        user_id: None,
        credential_epoch: None,
        state: MailState::Queued,
        attempts: 0,
        due_at: Some(at(0)),
        last_error: None,
        expires_at: Some(at(600_000)),
        settled_at: None,
        created_at: at(0),
    }
}

pub fn connection(account_id: AccountId, portal: Portal) -> SamlConnection {
    SamlConnection {
        id: ConnectionId::from_uuid(fresh()),
        account_id,
        portal,
        sp_hash: SpHash::of(account_id, portal),
        mode: SsoMode::Off,
        settings: ConnectionSettings::initial(portal, label("Logga in")),
        created_at: at(0),
        updated_at: at(1),
    }
}

/// The outcome of an attempt that was refused, for no particular reason.
pub fn refused_outcome() -> Outcome {
    let text = str::to_owned;
    let (code, reason, check) = (text("no_role"), text("no_role"), text("provisioning"));
    Outcome::Refused(AttemptFailure { code, reason, check, wanted: None, got: None })
}

pub fn attempt(tenant: &Tenant) -> SignInAttempt {
    SignInAttempt {
        id: AttemptId::from_uuid(fresh()),
        account_id: tenant.account.id,
        portal: Portal::Admin,
        connection_id: Some(tenant.connection.id),
        application_id: Some(tenant.application.id),
        kind: AttemptKind::SpInitiated,
        stage: AttemptStage::SentToIdp,
        outcome: Outcome::Pending,
        entered_email: None,
        user_id: None,
        warnings: vec![],
        saml_message: None,
        client_address: "192.0.2.1".to_owned(),
        started_at: at(0),
        updated_at: at(0),
    }
}

pub fn pending(tenant: &Tenant) -> PendingSignIn {
    PendingSignIn {
        attempt_id: AttemptId::from_uuid(fresh()),
        account_id: tenant.account.id,
        portal: Portal::Admin,
        connection_id: tenant.connection.id,
        request_id: format!("_{}", fresh().simple()),
        relay_state: digest(),
        entered_email: None,
        purpose: Purpose::SignIn(return_to(tenant)),
        created_at: at(0),
        expires_at: at(900_000),
        answered: false,
    }
}

/// A frontend that waits.
pub fn return_to(tenant: &Tenant) -> ReturnTo {
    ReturnTo {
        application_id: tenant.application.id,
        redirect_uri: redirect_uri(),
        state: None,
        code_challenge: challenge(),
    }
}

/// Limits that nothing exceeds.
pub fn no_limits() -> UnlinkedLimits {
    UnlinkedLimits { of_address: (at(0), u32::MAX), of_connection: (at(0), u32::MAX) }
}

/// Stores a [`pending`] sign-in.
pub async fn waiting(tx: &mut Tx, tenant: &Tenant, pending: PendingSignIn) -> PendingSignIn {
    let attempt = SignInAttempt {
        id: pending.attempt_id,
        application_id: pending.purpose.return_to().map(|return_to| return_to.application_id),
        kind: pending.purpose.kind(),
        entered_email: pending.entered_email.clone(),
        ..attempt(tenant)
    };
    assert!(storage::sign_in_attempts::insert_pending(tx, &attempt, &pending, &no_limits()).await.unwrap());
    pending
}

/// Stores a [`code`] with the sign-in that led to it.
pub async fn issued(tx: &mut Tx, tenant: &Tenant, code: AuthorizationCode) -> AuthorizationCode {
    waiting(tx, tenant, PendingSignIn { attempt_id: code.attempt_id, ..pending(tenant) }).await;
    let evidence = Evidence { assertion: None, warnings: &[] };
    storage::authorization_codes::issue(tx, &code, evidence).await.unwrap();
    code
}

/// A code as its frontend presents it.
pub fn presented(code: &AuthorizationCode) -> PresentedSecret {
    PresentedSecret { row: code.attempt_id.as_uuid(), digest: code.digest }
}

fn challenge() -> CodeChallenge {
    CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap()
}

pub fn code(tenant: &Tenant) -> AuthorizationCode {
    AuthorizationCode {
        digest: digest(),
        account_id: tenant.account.id,
        application_id: tenant.application.id,
        redirect_uri: redirect_uri(),
        code_challenge: challenge(),
        attempt_id: AttemptId::from_uuid(fresh()),
        grant: SessionGrant {
            user_id: tenant.user.id,
            portal: Portal::Admin,
            method: SignInMethod::Saml,
            auth_time: at(0),
            credential_epoch: CredentialEpoch::FIRST,
            external_roles: vec![],
            home: None,
            session_not_on_or_after: None,
        },
        issued_at: at(10),
        session_id: None,
    }
}

pub fn session(tenant: &Tenant) -> Session {
    Session {
        id: SessionId::from_uuid(fresh()),
        account_id: tenant.account.id,
        user_id: tenant.user.id,
        application_id: tenant.application.id,
        portal: Portal::Admin,
        method: SignInMethod::Saml,
        auth_time: at(0),
        credential_epoch: CredentialEpoch::FIRST,
        home: None,
        external_roles: vec![],
        created_at: at(20),
        refreshed_at: at(20),
        expires_at: at(43_200_000),
        ended: None,
    }
}

/// An assertion of this id.
pub fn used(id: &str) -> UsedAssertion<'_> {
    UsedAssertion { id, issued_at: at(9) }
}

pub fn token(session: &Session) -> RefreshToken {
    RefreshToken { digest: digest(), session_id: session.id, issued_at: at(20), rotation: None }
}

/// A staged invitation of a user.
pub fn invitation(user: &User) -> Invitation {
    Invitation {
        id: InvitationId::from_uuid(fresh()),
        account_id: user.account_id,
        portal: user.portal,
        user_id: user.id,
        batch_id: None,
        username: user.username.clone(),
        email: None,
        first_owner: false,
        invited_by: None,
        invited_at: at(0),
        mail: None,
        end: None,
    }
}

pub fn link(user: &User, purpose: LinkPurpose) -> OneTimeLink {
    OneTimeLink {
        digest: digest(),
        account_id: user.account_id,
        user_id: user.id,
        purpose,
        credential_epoch: user.credential_epoch,
        created_at: at(0),
        expires_at: at(1_000),
        ended: None,
    }
}

pub fn signing_key(state: SigningKeyState) -> SigningKey {
    SigningKey {
        id: SigningKeyId::from_uuid(fresh()),
        algorithm: SigningAlgorithm::Es256,
        state,
        since: at(1),
        created_at: at(0),
        public_jwk: serde_json::json!({"kty": "EC", "crv": "P-256", "x": "å", "y": null}),
        sealed_private_key: vec![0, 255, 1],
    }
}
