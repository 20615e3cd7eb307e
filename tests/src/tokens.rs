//! Access tokens as any JOSE library sees them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::{SecretDigest, SecretKind};
use domain::session::RefreshToken;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::Value;

use crate::app::TestApp;

/// Claims of a JWT, whose signature is not verified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The token, verified against a published key set for this audience; times are as the library checks them.
pub fn verify(token: &str, jwks: &Value, audience: &str) -> jsonwebtoken::errors::Result<TokenData<Value>> {
    let set: JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    let kid = decode_header(token)?.kid.unwrap();
    let key = set.find(&kid).expect("the token's key is published");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    decode(token, &DecodingKey::from_jwk(key)?, &validation)
}

impl TestApp {
    /// A refresh token as it is kept.
    pub async fn kept_refresh_token(&self, token: &str) -> RefreshToken {
        let digest = SecretDigest::of_presented(SecretKind::RefreshToken, token).unwrap();
        let mut tx = self.database.store.read().await.unwrap();
        storage::refresh_tokens::family_of(&mut tx, digest).await.unwrap().unwrap().token
    }
}
