//! The claims of an access token (RFC 9068, section 2.2).

use domain::account::AccountName;
use domain::application::{Application, Lifetimes};
use domain::portal::Portal;
use domain::session::Session;
use domain::sso::role_values::RoleValues;
use domain::user::User;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// Most bytes of an access token: what common proxies let a header have.
pub(crate) const ACCESS_TOKEN_MAX_BYTES: usize = 8 * 1024;

/// Session, user and application that a token is about.
pub(crate) struct Subject<'a> {
    /// The session it belongs to.
    pub session: &'a Session,
    /// User of the session.
    pub user: &'a User,
    /// The name of its account.
    pub account_name: &'a AccountName,
    /// Frontend that the session is of.
    pub application: &'a Application,
    /// The lifetimes that both of them allow.
    pub lifetimes: Lifetimes,
}

/// The claims. `aud` names this service, whose API takes the token, and the application, whose own backend may.
pub(crate) fn access_token(issuer: &str, jti: Uuid, subject: &Subject<'_>, now: Timestamp) -> Value {
    let Subject { session, user, account_name, application, lifetimes } = *subject;
    let lifetime = lifetimes.access_token();
    let expires_at = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX).min(session.expires_at);
    let mut claims = json!({
        "iss": issuer,
        "aud": [issuer, application.id],
        "exp": expires_at.as_second(),
        "iat": now.as_second(),
        "jti": jti,
        "client_id": application.id,
        "sub": user.id,
        "sid": session.id,
        "auth_time": session.auth_time.as_second(),
        "amr": session.method.amr(),
        "account_id": session.account_id,
        "account_name": account_name,
        "portal": session.portal,
        "username": user.username,
        "email": user.email,
    });
    if let Value::Object(claims) = &mut claims {
        match session.portal {
            Portal::Admin => claims.insert("roles".into(), json!(user.roles.counting_in(session.method))),
            Portal::SelfService => {
                claims.insert("external_roles".into(), json!(RoleValues::within_bounds(&session.external_roles).kept))
            }
        };
    }
    claims
}

/// Seconds until a token that is issued now expires.
pub(crate) fn expires_in(subject: &Subject<'_>, now: Timestamp) -> u32 {
    let left = u32::try_from(subject.session.expires_at.duration_since(now).as_secs()).unwrap_or_default();
    subject.lifetimes.access_token_seconds.min(left)
}
