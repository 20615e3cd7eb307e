//! SAML connections (C1 to C9): made, changed, imported, enabled; their keys, the probe of the identity provider, and
//! readiness.
//!
//! Uses: `core`.

pub(crate) mod enable;
pub(crate) mod metadata;
mod patch;
pub(crate) mod probe;
pub(crate) mod readiness;
mod sp_keys;
pub(crate) mod trust;

use std::sync::Arc;

use domain::audit::AuditAction;
use domain::portal::Portal;
use domain::role::Permission;
use domain::sso::connection::{ConnectionSettings, PinnedCertificate, SamlConnection, SpHash, SsoMode};
use domain::text::Label;
use domain::{AccountId, ConnectionId};
use jiff::{SignedDuration, Timestamp};
use moka::future::Cache;
use serde_json::{Value, json};
use storage::Tx;
use url::Url;

use crate::CACHE_ENTRIES;
use crate::core::Core;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::core::merge::MergePatch;
use crate::core::ports::ProbeResult;
use crate::core::version::Versioned;
use probe::PROBE_CACHE;
use trust::{PreparedTrust, TRUST_CACHE, TrustKey};

/// Trust between portals and their identity providers.
pub struct Connections {
    core: Arc<Core>,
    trust: Cache<TrustKey, Arc<PreparedTrust>>,
    probes: Cache<Url, ProbeResult>,
}

impl Connections {
    /// Puts the connections over the core.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let trust = Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(TRUST_CACHE).build();
        let probes = Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(PROBE_CACHE).build();
        Self { core, trust, probes }
    }
}

/// Time before its end from which on an expiring certificate is warned about (C5).
const EXPIRY_WARNING: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Text of the login button until an owner sets another one (C8).
const DEFAULT_BUTTON_TEXT: &str = "Sign in with SSO";

/// Properties of a new connection.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Portal that the connection is of.
    pub portal: Portal,
    /// Settings that are set from the start.
    pub settings: MergePatch<ConnectionSettings>,
}

/// A connection with what an administrator pastes at the identity provider, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// The connection as stored.
    pub connection: SamlConnection,
    /// Entity id and ACS URL: the same (C1).
    pub acs_url: String,
    /// URL that starts a sign-in from a plain link (C8).
    pub login_url: String,
    /// Settings that are missing before it can be enabled.
    pub missing: Vec<String>,
    /// Certificates that have expired or soon will.
    pub certificate_warnings: Vec<CertificateWarning>,
}

/// A certificate that has expired or soon will (C5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateWarning {
    /// Fingerprint of the certificate.
    pub sha256_fingerprint: String,
    /// End of its validity.
    pub not_after: Timestamp,
    /// Advice on what to do about it.
    pub detail: String,
}

type Apply<'a> = dyn FnOnce(&mut SamlConnection) -> Result<()> + Send + 'a;

/// A change of a connection, and how the audit log names it.
pub(crate) struct Change<'a> {
    /// Action of the audit log.
    pub action: AuditAction,
    /// Change that is made, or refused.
    pub apply: Box<Apply<'a>>,
}

impl Connections {
    /// Makes the connection of a portal, with its own key pair. It is off until it is enabled (C9).
    pub async fn create_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewConnection,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<ConnectionView>> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.read().await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(self.view(connection(&mut tx, account_id, id).await?)));
        }
        drop(tx);
        let made = self.new_connection(account_id, new)?;
        let sp_key = self.make_sp_key(&made).await?;
        let mut tx = self.core.store.begin().await?;
        account(&mut tx, account_id).await?;
        storage::connections::insert(&mut tx, &made).await?;
        storage::sp_keys::insert(&mut tx, &sp_key).await?;
        let entry = entry(AuditAction::SamlConnectionCreated, &made, Value::Null, audited(&made));
        self.core.record(&mut tx, caller, entry).await?;
        self.core.remember(&mut tx, caller, key, made.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(self.view(made)))
    }

    fn new_connection(&self, account_id: AccountId, new: NewConnection) -> Result<SamlConnection> {
        let button_text = Label::parse(DEFAULT_BUTTON_TEXT).map_err(Error::internal)?;
        let now = self.core.now();
        let initial = ConnectionSettings::initial(new.portal, button_text);
        Ok(SamlConnection {
            id: ConnectionId::from_uuid(self.core.uuid()),
            account_id,
            portal: new.portal,
            sp_hash: SpHash::of(account_id, new.portal),
            mode: SsoMode::Off,
            settings: self.patched(&initial, new.settings)?,
            created_at: now,
            updated_at: now,
        })
    }

    /// Lists the connections of an account: one per portal at most.
    pub async fn list_connections(&self, caller: &Caller, account_id: AccountId) -> Result<Vec<ConnectionView>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let found = storage::connections::list(&mut tx, account_id).await?;
        Ok(found.into_iter().map(|connection| self.view(connection)).collect())
    }

    /// Reads a connection with its addresses and warnings.
    pub async fn get_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: ConnectionId,
    ) -> Result<ConnectionView> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(self.view(connection(&mut tx, account_id, id).await?))
    }

    /// Changes a connection. An enabled one cannot be made incomplete.
    pub async fn update_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
        patch: MergePatch<ConnectionSettings>,
    ) -> Result<ConnectionView> {
        let apply = |connection: &mut SamlConnection| {
            connection.settings = self.patched(&connection.settings, patch)?;
            if connection.mode.is_enabled() { self.check_complete(connection) } else { Ok(()) }
        };
        let change = Change { action: AuditAction::SamlConnectionUpdated, apply: Box::new(apply) };
        self.change_connection(caller, account_id, target, change).await
    }

    /// Removes a connection that is off.
    pub async fn delete_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
    ) -> Result<()> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let gone = connection(&mut tx, account_id, target.id).await?;
        target.expect(gone.updated_at)?;
        if gone.mode.is_enabled() {
            return Err(Error::new(Code::ConnectionEnabled));
        }
        storage::connections::delete(&mut tx, account_id, target.id).await?;
        let entry = entry(AuditAction::SamlConnectionDeleted, &gone, audited(&gone), Value::Null);
        self.core.record(&mut tx, caller, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Loads, lets `change` decide, and writes with the audit event: what every change of a connection has in common.
    pub(crate) async fn change_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
        change: Change<'_>,
    ) -> Result<ConnectionView> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let before = connection(&mut tx, account_id, target.id).await?;
        let expected = target.expect(before.updated_at)?;
        let mut after = before.clone();
        (change.apply)(&mut after)?;
        after.updated_at = self.core.next_version(before.updated_at);
        storage::connections::update(&mut tx, &after, expected).await?;
        if after.settings == before.settings {
            storage::test_sign_ins::carry_success(&mut tx, &after, before.updated_at).await?;
        }
        self.core.record(&mut tx, caller, entry(change.action, &after, audited(&before), audited(&after))).await?;
        tx.commit().await?;
        Ok(self.view(after))
    }

    pub(crate) fn view(&self, connection: SamlConnection) -> ConnectionView {
        let now = self.core.now();
        ConnectionView {
            acs_url: self.acs_url(&connection.sp_hash),
            login_url: self.saml_login_url(&connection.sp_hash),
            missing: connection.settings.missing(now).iter().map(ToString::to_string).collect(),
            certificate_warnings: certificate_warnings(&connection.settings.certificates, now),
            connection,
        }
    }

    /// Entity id and ACS URL of a portal (C1).
    pub(crate) fn acs_url(&self, hash: &SpHash) -> String {
        self.core.settings.url(&format!("/saml/{hash}"))
    }

    /// The public SAML login URL of a portal (C8).
    pub(crate) fn saml_login_url(&self, hash: &SpHash) -> String {
        self.core.settings.url(&format!("/saml/{hash}/login"))
    }
}

fn certificate_warnings(certificates: &[PinnedCertificate], now: Timestamp) -> Vec<CertificateWarning> {
    let warned = certificates.iter().filter(|pinned| pinned.not_after.duration_since(now) <= EXPIRY_WARNING);
    warned
        .map(|pinned| CertificateWarning {
            sha256_fingerprint: pinned.sha256_fingerprint.clone(),
            not_after: pinned.not_after,
            detail: format!(
                "The certificate of {} {} on {}. Add the identity provider's next certificate beside it.",
                pinned.subject,
                if pinned.not_after <= now { "expired" } else { "expires" },
                pinned.not_after.strftime("%Y-%m-%d"),
            ),
        })
        .collect()
}

/// The connection, or "not found".
pub(crate) async fn connection(tx: &mut Tx, account_id: AccountId, id: ConnectionId) -> Result<SamlConnection> {
    storage::connections::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

/// The connection of a portal, whatever its mode.
pub(crate) async fn portal_connection(
    tx: &mut Tx,
    account_id: AccountId,
    portal: Portal,
) -> Result<Option<SamlConnection>> {
    let connections = storage::connections::list(tx, account_id).await?;
    Ok(connections.into_iter().find(|connection| connection.portal == portal))
}

/// The SSO mode of a portal.
pub(crate) async fn sso_mode(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<SsoMode> {
    let connection = portal_connection(tx, account_id, portal).await?;
    Ok(connection.map_or(SsoMode::Off, |connection| connection.mode))
}

pub(crate) fn entry(action: AuditAction, connection: &SamlConnection, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(connection.account_id), action, target: connection.id.to_string(), before, after }
}

/// Properties of a connection that the audit log keeps: certificates by their fingerprints.
fn audited(connection: &SamlConnection) -> Value {
    let mut settings = json!(connection.settings);
    let fingerprints: Vec<&String> =
        connection.settings.certificates.iter().map(|pinned| &pinned.sha256_fingerprint).collect();
    if let Value::Object(settings) = &mut settings {
        settings.insert("certificates".into(), json!(fingerprints));
    }
    json!({ "portal": connection.portal, "mode": connection.mode, "settings": settings })
}
