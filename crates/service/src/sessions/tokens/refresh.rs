//! A refresh token becomes the next one (I2).

use domain::application::RefreshDelivery;
use domain::form_login::{method_allowed, network_allowed};
use domain::role::RoleSet;
use domain::secret::{Secret, SecretDigest, SecretKind};
use domain::session::{
    REUSE_GRACE, RefreshDecision, RefreshFacts, RefreshRefusal, Session, SessionEnd, decide_refresh,
};
use domain::{ApplicationId, SessionId};
use jiff::Timestamp;
use storage::Tx;
use storage::refresh_tokens::Family;

use crate::core::error::{Error, Result};
use crate::sessions::Ending;
use crate::sessions::Sessions;
use crate::sessions::tokens::claims::Subject;
use crate::sessions::tokens::{IssuedTokens, PresentedToken, TokenError, TokenRefusal, check_origin, client_id};

/// Most looks at a token: one, and one more where another request rotated it in between. Each look is a
/// transaction of its own: on PostgreSQL the second change of a row in one transaction asks for its user again,
/// and a request that removes that user waits for the row.
const LOOKS: usize = 2;

impl Sessions {
    /// Rotates a refresh token and issues a new access token, with the roles that the user holds now, within the
    /// lifetimes and networks that the account allows now. Of requests that present one token at the same moment,
    /// or within the grace, the first rotates it, and all get the successor that it made.
    pub async fn refresh(&self, presented: PresentedToken<'_>) -> Result<IssuedTokens, TokenRefusal> {
        let client = client_id(presented.client_id)?;
        let digest = SecretDigest::of_presented(SecretKind::RefreshToken, presented.token)
            .ok_or_else(TokenRefusal::session_expired)?;
        for _ in 0..LOOKS {
            let mut tx = self.core.store.begin().await?;
            let family = presented_family(&mut tx, digest, &presented).await?;
            let roles = family.user.roles.counting_in(family.session.method);
            let granted = match self.decide(&family, &roles, client, &presented) {
                RefreshDecision::Rotate => self.rotate(&mut tx, &family).await?,
                RefreshDecision::Repeat(sealed) => Some(self.repeat(&mut tx, &family.session, sealed).await?),
                RefreshDecision::EndFamily => return self.end_family(tx, &family.session).await,
                RefreshDecision::Refuse(RefreshRefusal::Expired) => return Err(TokenRefusal::session_expired()),
                RefreshDecision::Refuse(refusal) => return Err(TokenRefusal::grant(refusal.to_string())),
            };
            if let Some(refresh_token) = granted {
                tx.commit().await?;
                return self.sign(&subject(&family), refresh_token).await;
            }
        }
        Err(TokenRefusal::Fault(Error::internal("a refresh token is rotated and is not")))
    }

    fn decide<'a>(
        &self,
        family: &'a Family,
        roles: &'a RoleSet,
        client: ApplicationId,
        presented: &PresentedToken<'_>,
    ) -> RefreshDecision<'a> {
        let Family { token, session, account_settings, user, sso_mode, epochs, .. } = family;
        let facts = RefreshFacts {
            token,
            session,
            lifetimes: account_settings.bound(family.application.settings.lifetimes),
            client,
            epochs: *epochs,
            user_status: user.status,
            roles,
            network_allowed: network_allowed(account_settings, user, session.by_mailed_code(), presented.address),
            method_allowed: method_allowed(*sso_mode, session.method, user.keeps_form_login()),
        };
        decide_refresh(&facts, self.core.now())
    }

    /// Makes the next token; none where another request did so in this very moment.
    async fn rotate(&self, tx: &mut Tx, family: &Family) -> Result<Option<Secret>> {
        let Family { token, session, .. } = family;
        self.hold_session(tx, session).await?;
        let successor = self.new_refresh_token();
        let sealed = self.core.ports.sealer.seal(&seal_context(session.id), successor.expose().as_bytes());
        if !storage::refresh_tokens::mark_rotated(tx, token.digest, self.core.now(), &sealed).await? {
            return Ok(None);
        }
        storage::refresh_tokens::forget_successors(tx, session.account_id, token).await?;
        self.insert_refresh_token(tx, session, &successor).await?;
        Ok(Some(successor))
    }

    /// Gives the successor of a token once more.
    async fn repeat(&self, tx: &mut Tx, session: &Session, sealed: &[u8]) -> Result<Secret> {
        self.hold_session(tx, session).await?;
        let successor = self.core.ports.sealer.open(&seal_context(session.id), sealed).map_err(Error::internal)?;
        Secret::unsealed(SecretKind::RefreshToken, &successor)
            .ok_or_else(|| Error::internal("a sealed successor is not a refresh token"))
    }

    /// Holds the session, and notes its use: what ends it locks it before its tokens, and two orders would be a
    /// deadlock.
    async fn hold_session(&self, tx: &mut Tx, session: &Session) -> Result<()> {
        Ok(storage::sessions::touch(tx, session.id, self.core.now(), session.expires_at).await?)
    }

    async fn end_family(&self, mut tx: Tx, session: &Session) -> Result<IssuedTokens, TokenRefusal> {
        let (account, id) = (session.account_id, session.id);
        let ending = Ending::by_system(account, session.user_id, id, SessionEnd::RefreshTokenReused);
        self.end_session_as(&mut tx, ending).await?;
        tx.commit().await?;
        tracing::warn!(%account, session = %id, "an old refresh token was used again: its session was ended");
        Err(TokenRefusal::session_expired())
    }

    /// Erases the successors that no client can ask for again, because their grace is over.
    pub(crate) async fn forget_old_successors(&self) -> Result<()> {
        let over = self.core.now().saturating_sub(REUSE_GRACE).unwrap_or(Timestamp::MIN);
        let mut tx = self.core.store.write_once().await?;
        storage::refresh_tokens::forget_old_successors(&mut tx, over).await?;
        Ok(())
    }
}

/// The token that is presented, with its session as the lifetimes of today leave it.
async fn presented_family(
    tx: &mut Tx,
    digest: SecretDigest,
    presented: &PresentedToken<'_>,
) -> Result<Family, TokenRefusal> {
    let found = storage::refresh_tokens::family_of(tx, digest).await?;
    let mut family = found.ok_or_else(TokenRefusal::session_expired)?;
    check_delivery(family.application.settings.refresh_delivery, presented.delivery)?;
    check_origin(&family.application, presented.origin)?;
    let lifetimes = family.account_settings.bound(family.application.settings.lifetimes);
    family.session = family.session.held_to(lifetimes);
    Ok(family)
}

fn subject(family: &Family) -> Subject<'_> {
    let Family { session, account_name, account_settings, user, application, .. } = family;
    let lifetimes = account_settings.bound(application.settings.lifetimes);
    Subject { session, user, account_name, application, lifetimes }
}

fn seal_context(id: SessionId) -> String {
    format!("refresh_token/{id}")
}

/// A token that lives in a cookie is not taken from a body, where a script would have had to read it, nor the other
/// way round.
fn check_delivery(registered: RefreshDelivery, presented: RefreshDelivery) -> Result<(), TokenRefusal> {
    if registered == presented {
        Ok(())
    } else {
        let words = format!("this application's refresh token travels as {}", registered.as_str());
        Err(TokenRefusal::Refused(TokenError::InvalidRequest, words))
    }
}
