//! A refresh token becomes the next one (I2).

use domain::application::RefreshDelivery;
use domain::form_login::method_allowed;
use domain::role::RoleSet;
use domain::secret::{SecretDigest, SecretKind};
use domain::session::{RefreshDecision, RefreshFacts, RefreshRefusal, SessionEnd, decide_refresh};

use storage::refresh_tokens::Family;

use crate::Service;
use crate::sessions::Ending;
use crate::tokens::claims::Subject;
use crate::tokens::{IssuedTokens, RefreshGrant, TokenError, TokenRefusal, check_origin, client_id};

impl Service {
    /// Rotates a refresh token and issues a new access token, with the roles that the user
    /// holds now, within the lifetimes and networks that the account allows now.
    pub async fn refresh(&self, grant: RefreshGrant<'_>) -> Result<IssuedTokens, TokenRefusal> {
        let client = client_id(grant.client_id)?;
        let digest = SecretDigest::of_presented(SecretKind::RefreshToken, grant.refresh_token)
            .ok_or_else(TokenRefusal::session_expired)?;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let family = storage::refresh_tokens::family_of(&mut tx, digest).await?;
        let Family { token, session, account_name, account_settings, user, application, sso_mode } =
            family.ok_or_else(TokenRefusal::session_expired)?;
        check_delivery(application.settings.refresh_delivery, grant.delivery)?;
        check_origin(&application, grant.origin)?;
        let lifetimes = account_settings.bound(application.settings.lifetimes);
        let session = session.held_to(lifetimes);
        let roles: RoleSet = user.roles.effective();
        let facts = RefreshFacts {
            token: &token,
            session: &session,
            lifetimes,
            client,
            user_status: user.status,
            roles: &roles,
            network_allowed: account_settings.admits(session.portal, grant.address),
            method_allowed: method_allowed(sso_mode, session.method, user.keeps_form_login()),
        };
        match decide_refresh(&facts, now) {
            RefreshDecision::Rotate => {}
            RefreshDecision::EndFamily => {
                let (account, id) = (session.account_id, session.id);
                let ending = Ending::by_system(account, session.user_id, id, SessionEnd::RefreshTokenReused);
                self.end_session_as(&mut tx, ending).await?;
                tx.commit().await?;
                tracing::warn!(%account, session = %id, "an old refresh token was used again: its session was ended");
                return Err(TokenRefusal::session_expired());
            }
            RefreshDecision::Refuse(RefreshRefusal::Expired) => return Err(TokenRefusal::session_expired()),
            RefreshDecision::Refuse(refusal) => return Err(TokenRefusal::grant(refusal.to_string())),
        }
        // The session first: what ends it locks it before its tokens, and two orders would be a deadlock.
        storage::sessions::touch(&mut tx, session.id, now, session.expires_at).await?;
        if token.rotated_at.is_none() {
            // Where another request rotated it in this very moment, this one is within the grace.
            storage::refresh_tokens::mark_rotated(&mut tx, digest, now).await?;
        }
        let refresh_token = self.insert_refresh_token(&mut tx, &session).await?;
        tx.commit().await?;
        let subject = Subject {
            session: &session,
            user: &user,
            account_name: &account_name,
            application: &application,
            lifetimes,
        };
        self.sign(&subject, refresh_token).await
    }
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
