//! Signing out by revoking a refresh token (RFC 7009).

use domain::application::RefreshDelivery;
use domain::audit::AuditActor;
use domain::secret::{SecretDigest, SecretKind};
use domain::session::SessionEnd;

use storage::refresh_tokens::Family;

use crate::Service;
use crate::sessions::Ending;
use crate::tokens::{RefreshGrant, TokenRefusal, check_origin, client_id};

impl Service {
    /// Ends the session of a refresh token. An unknown token is no error (section 2.2).
    pub async fn revoke(&self, grant: RefreshGrant<'_>) -> Result<(), TokenRefusal> {
        let client = client_id(grant.client_id)?;
        let Some(digest) = SecretDigest::of_presented(SecretKind::RefreshToken, grant.refresh_token) else {
            return Ok(());
        };
        let mut tx = self.store.begin().await?;
        let Some(family) = storage::refresh_tokens::family_of(&mut tx, digest).await? else { return Ok(()) };
        let Family { session, application, .. } = family;
        if session.application_id != client {
            return Err(TokenRefusal::grant("the refresh token was issued to another client"));
        }
        if grant.delivery == RefreshDelivery::Cookie {
            check_origin(&application, grant.origin)?;
        }
        let ending = Ending {
            account_id: session.account_id,
            user_id: session.user_id,
            session_id: session.id,
            reason: SessionEnd::EndedByUser,
            actor: AuditActor::User(session.user_id),
            client_address: Some(grant.address.to_string()),
        };
        self.end_session_as(&mut tx, ending).await?;
        Ok(tx.commit().await?)
    }
}
