//! Authentication of callers by their credentials: operator keys, API keys and access tokens.

use std::net::IpAddr;
use std::time::Duration;

use domain::api_key::ApiKey;
use domain::credential_epoch::Epochs;
use domain::portal::Portal;
use domain::secret::{SecretDigest, SecretKind};
use domain::throttle::{Pace, retry_after};
use domain::user::UserStatus;
use domain::{AccountId, SessionId};
use jiff::SignedDuration;
use serde::Deserialize;
use storage::Tx;

use crate::core::caller::{ApiKeyCaller, Caller, Identity, SignedInUser};
use crate::core::error::{Code, Error, Result};
use crate::sessions::Sessions;

/// Credentials that a request presents as `Authorization: Bearer`.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The token or key, of any kind.
    pub bearer: &'a str,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// Pace of one client's wrong credentials: a program that goes on with a revoked key is told so for a minute.
pub(crate) const FAILED_BEARERS: Pace = Pace { burst: 60, period: SignedDuration::from_secs(1) };

/// A bearer credential that is looked up, as its digest.
enum Key {
    Operator(SecretDigest),
    Api(SecretDigest),
}

impl Key {
    fn of(bearer: &str) -> Option<Self> {
        let operator = SecretDigest::of_presented(SecretKind::OperatorKey, bearer).map(Self::Operator);
        operator.or_else(|| SecretDigest::of_presented(SecretKind::ApiKey, bearer).map(Self::Api))
    }

    const fn digest(&self) -> SecretDigest {
        match self {
            Self::Operator(digest) | Self::Api(digest) => *digest,
        }
    }
}

fn failed_too_often(wait: SignedDuration) -> Error {
    let detail = "Too many requests from this network with credentials that are not valid";
    Error::new(Code::RateLimited).with_detail(detail).with_retry_after(retry_after(wait))
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

/// Time for which a key that was right is let through from a network that sends wrong ones, before it is looked up
/// again.
pub(super) const GOOD_KEYS: Duration = Duration::from_mins(10);

impl Sessions {
    /// Finds out who presents these credentials. Where a network has failed too often, a key that was not right
    /// lately is not looked up; a token proves itself by its signature.
    pub async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Caller> {
        let address = credentials.address;
        let key = Key::of(credentials.bearer);
        let wait = self.failed_bearers.wait(address, self.core.now());
        if let (Some(wait), Some(key)) = (wait, &key)
            && !self.good_keys.contains_key(&key.digest())
        {
            return Err(failed_too_often(wait));
        }
        match self.identify(credentials, key.as_ref()).await {
            Err(error) if error.code == Code::Unauthenticated => {
                if wait.is_none() {
                    self.failed_bearers.count(address, self.core.now());
                }
                Err(wait.map_or(error, failed_too_often))
            }
            Err(error) => Err(error),
            Ok(identity) => {
                if let Some(key) = key {
                    self.good_keys.insert(key.digest(), ()).await;
                }
                Ok(Caller { identity, address: Some(address) })
            }
        }
    }

    async fn identify(&self, credentials: Credentials<'_>, key: Option<&Key>) -> Result<Identity> {
        match key {
            Some(Key::Operator(digest)) => self.operator(*digest).await,
            Some(Key::Api(digest)) => self.api_key(*digest, credentials.address).await,
            None => self.signed_in_user(credentials.bearer).await,
        }
    }

    async fn operator(&self, digest: SecretDigest) -> Result<Identity> {
        let mut tx = self.core.store.read().await?;
        match storage::operator_keys::by_digest(&mut tx, digest).await? {
            Some(key) if key.revoked_at.is_none() => Ok(Identity::Operator(key.id)),
            _ => Err(Error::new(Code::Unauthenticated)),
        }
    }

    /// Identifies the caller of an API key. It works until it expires or is revoked, and from the networks that
    /// its account allows: the use of a stolen key elsewhere would go unnoticed.
    async fn api_key(&self, digest: SecretDigest, address: IpAddr) -> Result<Identity> {
        let mut reading = self.core.store.read().await?;
        let found = storage::api_keys::by_digest(&mut reading, digest).await?;
        drop(reading);
        let now = self.core.now();
        let live = found.filter(|(key, _)| key.is_live(now));
        let (key, settings) = live.ok_or_else(|| Error::new(Code::Unauthenticated))?;
        if !settings.admits(Portal::Admin, address) {
            return Err(Error::new(Code::NetworkNotAllowed));
        }
        if key.use_is_news(now) {
            let mut tx = self.core.store.write_once().await?;
            storage::api_keys::record_use(&mut tx, key.account_id, key.id, now).await?;
        }
        let ApiKey { id, account_id, scopes, .. } = key;
        Ok(Identity::ApiKey(ApiKeyCaller { id, account_id, scopes }))
    }

    /// Identifies the user of an access token. It is good while its signature and times are, and its session and
    /// user still live: what was ended or deactivated is refused here at once, not when the token expires.
    async fn signed_in_user(&self, token: &str) -> Result<Identity> {
        let claims = self.own_claims(token).await?.ok_or_else(|| Error::new(Code::Unauthenticated))?;
        let (expired, now) = (|| Error::new(Code::SessionExpired), self.core.now());
        if claims.exp <= now.as_second() {
            return Err(expired());
        }
        let mut tx = self.core.store.read().await?;
        live_user(&mut tx, claims.account_id, claims.sid, now).await?.map(Identity::User).ok_or_else(expired)
    }

    /// The claims of an access token that was issued here, to be presented here; its time may be over.
    pub(crate) async fn own_claims(&self, token: &str) -> Result<Option<PresentedClaims>> {
        let claims = self.verified_claims(token).await?;
        let claims = claims.and_then(|claims| serde_json::from_value::<PresentedClaims>(claims).ok());
        let issuer = self.core.settings.issuer();
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
    let Some(user) = storage::users::by_id(tx, account_id, session.user_id).await? else { return Ok(None) };
    let home = match session.home {
        Some(home) => storage::users::epoch(tx, home.account_id, home.user_id).await?,
        None => None,
    };
    let is_current = session.epochs() == Epochs { user: user.credential_epoch, home };
    Ok(Some(user).filter(|user| is_current && user.status == UserStatus::Active).map(|user| SignedInUser {
        user_id: user.id,
        account_id,
        portal: session.portal,
        session_id,
        application_id: session.application_id,
        method: session.method,
        credential_epoch: user.credential_epoch,
        roles: if session.portal == Portal::Admin {
            user.roles.counting_in(session.method)
        } else {
            domain::role::RoleSet::new()
        },
    }))
}
