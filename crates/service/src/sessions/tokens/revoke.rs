//! Signing out by revoking a token (RFC 7009).

use domain::ApplicationId;
use domain::application::RefreshDelivery;
use domain::secret::{SecretDigest, SecretKind};
use domain::session::{Session, SessionEnd};
use storage::Tx;

use crate::core::audit::AuditOrigin;
use crate::sessions::Ending;
use crate::sessions::Sessions;
use crate::sessions::tokens::{PresentedToken, TokenRefusal, check_origin, client_id};

impl Sessions {
    /// Ends the session of a token, a refresh token or an access token, whatever the hint says (section 2.1: the
    /// search is over all kinds). An expired access token ends its session too: signing out works after a pause.
    /// An unknown token is not an error (section 2.2); one of another client is refused.
    pub async fn revoke(&self, presented: PresentedToken<'_>) -> Result<(), TokenRefusal> {
        let client = client_id(presented.client_id)?;
        match SecretDigest::of_presented(SecretKind::RefreshToken, presented.token) {
            Some(digest) => self.revoke_refresh_token(digest, client, &presented).await,
            None => self.revoke_access_token(client, &presented).await,
        }
    }

    async fn revoke_refresh_token(
        &self,
        digest: SecretDigest,
        client: ApplicationId,
        presented: &PresentedToken<'_>,
    ) -> Result<(), TokenRefusal> {
        let mut tx = self.core.store.begin().await?;
        let Some(family) = storage::refresh_tokens::family_of(&mut tx, digest).await? else { return Ok(()) };
        if presented.delivery == RefreshDelivery::Cookie && family.session.application_id == client {
            check_origin(&family.application, presented.origin)?;
        }
        self.sign_out(tx, &family.session, client, presented).await
    }

    async fn revoke_access_token(
        &self,
        client: ApplicationId,
        presented: &PresentedToken<'_>,
    ) -> Result<(), TokenRefusal> {
        let Some(claims) = self.own_claims(presented.token).await? else { return Ok(()) };
        let mut tx = self.core.store.begin().await?;
        let session = storage::sessions::by_id(&mut tx, claims.account_id, claims.sid).await?;
        match session {
            Some(session) => self.sign_out(tx, &session, client, presented).await,
            None => Ok(()),
        }
    }

    async fn sign_out(
        &self,
        mut tx: Tx,
        session: &Session,
        client: ApplicationId,
        presented: &PresentedToken<'_>,
    ) -> Result<(), TokenRefusal> {
        if session.application_id != client {
            return Err(TokenRefusal::grant("the token was issued to another client"));
        }
        let ending = Ending {
            account_id: session.account_id,
            user_id: session.user_id,
            session_id: session.id,
            reason: SessionEnd::EndedByUser,
            origin: AuditOrigin::user(session.user_id, presented.address),
        };
        self.end_session_as(&mut tx, ending).await?;
        Ok(tx.commit().await?)
    }
}
