//! From credentials to a caller: operator keys, API keys and access tokens.

use std::net::IpAddr;

use domain::api_key::ApiKey;
use domain::portal::Portal;
use domain::secret::{SecretDigest, SecretKind};
use domain::user::UserStatus;
use domain::{AccountId, SessionId};
use serde::Deserialize;
use storage::Tx;

use crate::Service;
use crate::caller::{ApiKeyCaller, Caller, Identity, SignedInUser};
use crate::error::{Code, Error, Result};

/// What a request presents as `Authorization: Bearer`.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The token or key, of any kind.
    pub bearer: &'a str,
    /// Where the request comes from.
    pub address: IpAddr,
}

/// The claims of an access token that are looked at here; see `tokens/claims.rs` for all of them.
#[derive(Deserialize)]
pub(crate) struct PresentedClaims {
    iss: String,
    aud: Vec<String>,
    exp: i64,
    pub sid: SessionId,
    pub account_id: AccountId,
}

impl Service {
    /// Finds out who presents these credentials.
    pub async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Caller> {
        let identity = match SecretDigest::of_presented(SecretKind::OperatorKey, credentials.bearer) {
            Some(digest) => self.operator(digest).await?,
            None => match SecretDigest::of_presented(SecretKind::ApiKey, credentials.bearer) {
                Some(digest) => self.api_key(digest, credentials.address).await?,
                None => self.signed_in_user(credentials.bearer).await?,
            },
        };
        Ok(Caller { identity, address: Some(credentials.address) })
    }

    async fn operator(&self, digest: SecretDigest) -> Result<Identity> {
        let mut tx = self.store.read().await?;
        match storage::operator_keys::by_digest(&mut tx, digest).await? {
            Some(key) if key.revoked_at.is_none() => Ok(Identity::Operator(key.id)),
            _ => Err(Error::new(Code::Unauthenticated)),
        }
    }

    /// A key works until it expires or is revoked, and from the networks that its account allows: nobody else would
    /// notice one that was taken elsewhere.
    async fn api_key(&self, digest: SecretDigest, address: IpAddr) -> Result<Identity> {
        let mut reading = self.store.read().await?;
        let found = storage::api_keys::by_digest(&mut reading, digest).await?;
        drop(reading);
        let now = self.now();
        let live = found.filter(|(key, _)| key.is_live(now));
        let (key, settings) = live.ok_or_else(|| Error::new(Code::Unauthenticated))?;
        if !settings.admits(Portal::Admin, address) {
            return Err(Error::new(Code::NetworkNotAllowed));
        }
        if key.use_is_news(now) {
            let mut tx = self.store.write_once().await?;
            storage::api_keys::record_use(&mut tx, key.account_id, key.id, now).await?;
        }
        let ApiKey { id, account_id, scopes, .. } = key;
        Ok(Identity::ApiKey(ApiKeyCaller { id, account_id, scopes }))
    }

    /// An access token is good while its signature and times are, and its session and user still live: what was ended or
    /// deactivated is refused here at once, not when the token expires.
    async fn signed_in_user(&self, token: &str) -> Result<Identity> {
        let claims = self.own_claims(token).await?.ok_or_else(|| Error::new(Code::Unauthenticated))?;
        let (expired, now) = (|| Error::new(Code::SessionExpired), self.now());
        if claims.exp <= now.as_second() {
            return Err(expired());
        }
        let mut tx = self.store.read().await?;
        live_user(&mut tx, claims.account_id, claims.sid, now).await?.map(Identity::User).ok_or_else(expired)
    }

    /// The claims of an access token that was issued here, to be presented here; its time may be over.
    pub(crate) async fn own_claims(&self, token: &str) -> Result<Option<PresentedClaims>> {
        let claims = self.verified_claims(token).await?;
        let claims = claims.and_then(|claims| serde_json::from_value::<PresentedClaims>(claims).ok());
        let issuer = self.settings.issuer();
        Ok(claims.filter(|claims| claims.iss == issuer && claims.aud.iter().any(|aud| aud == issuer)))
    }
}

async fn live_user(
    tx: &mut Tx,
    account_id: AccountId,
    session_id: SessionId,
    now: jiff::Timestamp,
) -> Result<Option<SignedInUser>> {
    let Some(session) = storage::sessions::by_id(tx, account_id, session_id).await? else { return Ok(None) };
    if !session.is_live(now) {
        return Ok(None);
    }
    let user = storage::users::by_id(tx, account_id, session.user_id).await?;
    Ok(user.filter(|user| user.status == UserStatus::Active).map(|user| SignedInUser {
        user_id: user.id,
        account_id,
        portal: session.portal,
        session_id,
        application_id: session.application_id,
        roles: if session.portal == Portal::Admin { user.roles.effective() } else { domain::role::RoleSet::new() },
    }))
}
