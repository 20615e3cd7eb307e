//! Secrets that we hand out: opaque tokens, kept only as their digest.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Random bytes of a token: 256 bits, so that a plain digest is enough to keep it by.
pub const SECRET_BYTES: usize = 32;
/// Longest text that is looked at as a token: prefix, underscore and the 64 characters of an addressed one fit well. As
/// much as a `RelayState` may have (SAML bindings, section 3.4.3).
const SECRET_MAX_CHARS: usize = 80;

/// Characters of a token that are shown where people choose among several: the prefix and four more.
const HINT_CHARS: usize = 8;

/// Purpose of a token; its prefix makes a leaked one recognizable to secret scanners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// An operator's API key.
    OperatorKey,
    /// An API key of an account.
    ApiKey,
    /// A refresh token of a session.
    RefreshToken,
    /// An authorization code of OAuth 2.1.
    AuthorizationCode,
    /// A `RelayState`: the handle of a pending sign-in.
    RelayState,
    /// A token that leads on to the next step of a sign-in.
    PendingToken,
    /// The token of a link that accepts an invitation.
    InvitationLink,
    /// The token of a link that sets a new password.
    PasswordResetLink,
    /// The token of a link that signs in.
    MagicLink,
    /// A token that completes a pairing of users of two accounts.
    AccountPairing,
    /// A token that leads on in a break-glass drill.
    BreakGlassDrill,
}

impl SecretKind {
    /// Prefix of the token's text, before the underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::OperatorKey => "vop",
            Self::ApiKey => "vak",
            Self::RefreshToken => "vrt",
            Self::AuthorizationCode => "vac",
            Self::RelayState => "vrs",
            Self::PendingToken => "vps",
            Self::InvitationLink => "vil",
            Self::PasswordResetLink => "vpl",
            Self::MagicLink => "vml",
            Self::AccountPairing => "vpr",
            Self::BreakGlassDrill => "vbd",
        }
    }
}

/// An opaque token in clear: shown once to the person or client that it is for, never stored, never logged.
pub struct Secret(String);

impl Secret {
    /// Makes a token of these random bytes.
    pub fn from_random(kind: SecretKind, bytes: [u8; SECRET_BYTES]) -> Self {
        Self(format!("{}_{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Makes a token that also says which row it opens, so that no index of digests is needed to find it.
    pub fn addressed(kind: SecretKind, row: Uuid, bytes: [u8; SECRET_BYTES]) -> Self {
        Self(format!("{}_{}", kind.prefix(), URL_SAFE_NO_PAD.encode([row.as_bytes().as_slice(), &bytes].concat())))
    }

    /// A token that was kept sealed, in clear again; `None` for what is none of this kind.
    pub fn unsealed(kind: SecretKind, bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        SecretDigest::of_presented(kind, text).map(|_| Self(text.to_owned()))
    }

    /// First characters of the token: enough to recognize it by, and far too few to guess it.
    pub fn hint(&self) -> String {
        self.0.chars().take(HINT_CHARS).collect()
    }

    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Digest that is stored instead of the token.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 digest of a token; what a look-up goes by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The digest of a text that came from outside, if it has the form of such a token.
    pub fn of_presented(kind: SecretKind, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(kind.prefix())?.strip_prefix('_')?;
        (text.len() <= SECRET_MAX_CHARS && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
            .then(|| Self::of(text))
    }

    /// A digest as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// An addressed token that came from outside: which row it claims to open, and what that row must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedSecret {
    /// Identifier of the row that the token claims to open.
    pub row: Uuid,
    /// The digest of the whole token.
    pub digest: SecretDigest,
}

impl PresentedSecret {
    /// Reads a text, if it has the form of such a token.
    pub fn parse(kind: SecretKind, text: &str) -> Option<Self> {
        let digest = SecretDigest::of_presented(kind, text)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.get(kind.prefix().len() + 1..)?).ok()?;
        let (row, random) = bytes.split_first_chunk()?;
        (random.len() == SECRET_BYTES).then_some(Self { row: Uuid::from_bytes(*row), digest })
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves I2: a token is found by its digest, and one of another kind is not even looked up.
    #[test]
    fn a_token_is_known_by_its_digest_alone() {
        let token = Secret::from_random(SecretKind::RefreshToken, [7; SECRET_BYTES]);
        assert_eq!(SecretDigest::of_presented(SecretKind::RefreshToken, token.expose()), Some(token.digest()));
        assert_eq!(SecretDigest::of_presented(SecretKind::AuthorizationCode, token.expose()), None);
        assert_eq!(SecretDigest::of_presented(SecretKind::RefreshToken, "vrt_ü"), None);
        assert_eq!(SecretDigest::of_presented(SecretKind::RefreshToken, &format!("vrt_{}", "a".repeat(100))), None);
        assert!(!format!("{token:?}").contains(token.expose()));
        let unsealed = |kind, text: &[u8]| Secret::unsealed(kind, text).map(|secret| secret.expose().to_owned());
        let text = token.expose().as_bytes();
        assert_eq!(unsealed(SecretKind::RefreshToken, text), Some(token.expose().to_owned()));
        assert_eq!(unsealed(SecretKind::ApiKey, text), None);
        assert_eq!(unsealed(SecretKind::RefreshToken, b"vrt_\xff"), None);
    }

    /// Proves D4: an addressed token names its row, and only the whole of it opens that.
    #[test]
    fn an_addressed_token_names_its_row() {
        let row = Uuid::from_u128(5);
        let token = Secret::addressed(SecretKind::AuthorizationCode, row, [7; SECRET_BYTES]);
        let presented = PresentedSecret { row, digest: token.digest() };
        assert_eq!(PresentedSecret::parse(SecretKind::AuthorizationCode, token.expose()), Some(presented));
        let forged = Secret::addressed(SecretKind::AuthorizationCode, row, [8; SECRET_BYTES]);
        let forged = PresentedSecret::parse(SecretKind::AuthorizationCode, forged.expose()).unwrap();
        assert_eq!(forged.row, row);
        assert_ne!(forged.digest, token.digest());
        let bare = Secret::from_random(SecretKind::AuthorizationCode, [7; SECRET_BYTES]);
        assert_eq!(PresentedSecret::parse(SecretKind::AuthorizationCode, bare.expose()), None);
        assert_eq!(PresentedSecret::parse(SecretKind::RelayState, token.expose()), None);
        assert_eq!(PresentedSecret::parse(SecretKind::AuthorizationCode, "vac_"), None);
    }
}
