//! Ports of the use-cases to the world, as object-safe traits. Adapters are in `server`, fakes in the test kit.

use std::sync::Arc;

use async_trait::async_trait;
use domain::email::Email;
use domain::language::Language;
use domain::password::{NewPassword, Password, PasswordHash, PasswordWeakness};
use domain::signing_key::SigningAlgorithm;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

pub use domain::mail::delivery::Delivery;

/// Clock that tells the present time.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// Source of random bytes that cannot be guessed.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// Encrypts what must not lie readable in the database, with the operator's master key.
pub trait Sealer: Send + Sync {
    /// Seals a secret for one place: `context` names it (such as `sp_key/spk_…`) and must be the same to open it.
    fn seal(&self, context: &str, secret: &[u8]) -> Vec<u8>;

    /// Opens what was sealed for this place. Fails where it was sealed with another key, for another place, or altered.
    fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable>;
}

/// A sealed secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open with this master key")]
pub struct Unsealable;

/// A new key pair for access tokens.
pub struct GeneratedSigningKey {
    /// The public half as JSON Web Key, with `kid`, `alg` and `use`.
    pub public_jwk: Value,
    /// The private half, PKCS #8.
    pub private_key: Zeroizing<Vec<u8>>,
}

/// Makes, signs and verifies access tokens (JWS, RFC 7515).
pub trait TokenSigner: Send + Sync {
    /// Makes a key pair for this algorithm and key id.
    fn generate(&self, algorithm: SigningAlgorithm, kid: &str) -> Result<GeneratedSigningKey, SignerError>;

    /// Reads a private key (PKCS #8) once, so that signing with it is fast.
    fn prepare(
        &self,
        algorithm: SigningAlgorithm,
        kid: &str,
        private_key: &[u8],
    ) -> Result<Box<dyn PreparedSigner>, SignerError>;

    /// Returns the claims of a token whose signature one of these JWKs made and whose header says `typ: at+jwt`,
    /// and nothing more: times, issuer and audience are the caller's to check. `None` for any other text.
    fn verified_claims(&self, token: &str, jwks: &[Value]) -> Option<Value>;
}

/// A private key that is ready to sign.
pub trait PreparedSigner: Send + Sync {
    /// Signs these claims as an access token (RFC 9068, `typ: at+jwt`).
    fn sign(&self, claims: &Value) -> Result<String, SignerError>;
}

/// A key cannot be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("signing key: {0}")]
pub struct SignerError(pub String);

/// Bytes of a password's salt (RFC 9106, section 3.1).
pub const PASSWORD_SALT_BYTES: usize = 16;

/// Hashes passwords and compares them with hashes: slow on purpose, so few at once, and few that wait.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Capacity, which turns are given by.
    fn capacity(&self) -> HashingCapacity;

    /// Makes the hash to keep of a password, with the parameters of today.
    async fn hash(
        &self,
        password: &Password,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<PasswordHash, PasswordHasherError>;

    /// Makes the hash to keep of a user's new password, or says why it is not taken: whether it is easy to guess
    /// is looked at where it is hashed, because that takes as long.
    async fn hash_new(
        &self,
        password: NewPassword,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<Result<PasswordHash, PasswordWeakness>, PasswordHasherError>;

    /// Compares a password with what is kept of one. With `None` it does the same work, and finds it wrong: so the
    /// time does not tell that there is no such password.
    async fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordVerdict, PasswordHasherError>;
}

/// Capacity of a password hasher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingCapacity {
    /// Passwords looked at, at once.
    pub threads: usize,
    /// Passwords that may wait for that.
    pub queue: usize,
}

/// Result of a comparison of passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// Password that matches the hash.
    Right,
    /// Password that matches a hash made with other parameters than those of today.
    RightButOutdated,
    /// Password that does not match, or has no hash to match.
    Wrong,
}

/// A password was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHasherError {
    /// Queue that is as long as it may be.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// The stored hash cannot be read, or no hash be made.
    #[error("password hash: {0}")]
    Fault(String),
}

/// A new key pair of the service provider.
pub struct GeneratedSpKey {
    /// RSA 2048, PKCS #8 DER.
    pub private_key: Zeroizing<Vec<u8>>,
    /// Self-signed certificate of the key, as DER.
    pub certificate_der: Vec<u8>,
}

/// Makes key pairs of the service provider. Slow (a fraction of a second): call it off the async threads.
pub trait SpKeyFactory: Send + Sync {
    /// Makes a key pair whose certificate carries this common name and is valid between these times.
    fn generate(
        &self,
        common_name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<GeneratedSpKey, SignerError>;
}

/// Fetches IdP metadata from an administrator's URL.
#[async_trait]
pub trait MetadataSource: Send + Sync {
    /// The document, within bounds of time and size, from an allowed address, without redirects.
    async fn fetch(&self, url: &Url) -> Result<MetadataBytes, FetchError>;
}

/// A metadata document as it came, in whichever encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataBytes {
    /// Bytes of the document as fetched.
    pub bytes: Vec<u8>,
    /// The encoding that HTTP names for it.
    pub charset: Option<String>,
}

/// Reason for which metadata could not be fetched. The text is shown to the administrator and names what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Looks whether an IdP's login URL answers (D3).
#[async_trait]
pub trait IdpProbe: Send + Sync {
    /// Connects, within a bound of time, to an allowed address, without redirects.
    async fn probe(&self, url: &Url) -> ProbeResult;
}

/// Result of a probe of a login URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeResult {
    /// The login URL answered, whatever it said.
    Reachable,
    /// An allowed address refused, timed out or failed in TLS; or the name does not exist.
    Unreachable,
    /// The guard forbids to look: the target may well work for the customer's browsers.
    Unknown,
}

/// A mail as it is sent. Holds secrets (links, codes).
#[derive(Clone)]
pub struct RenderedMail {
    /// `Message-ID` (RFC 5322, section 3.6.4), without angle brackets; the same in every attempt.
    pub message_id: String,
    /// Time of sending, for the header `Date`.
    pub date: Timestamp,
    /// The name beside the operator's sender address.
    pub sender_name: String,
    /// Address that answers go to.
    pub reply_to: Option<Email>,
    /// Address of the recipient.
    pub to: Email,
    /// Language that it is written in.
    pub language: Language,
    /// Subject, on one line.
    pub subject: String,
    /// Part as plain text.
    pub text: String,
    /// Part as HTML text.
    pub html: String,
}

/// Hands mails to a mail server, one at a time.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a mail, within the configured time. A mailer that does not know whether the server took it says
    /// `Deferred`: it is sent again, with the same `Message-ID`.
    async fn send(&self, mail: &RenderedMail) -> Delivery;

    /// Tells the mailer that there is nothing more to send for now: a connection that was kept may go.
    async fn rest(&self);

    /// Whether there is anything that would send a mail.
    fn is_configured(&self) -> bool {
        true
    }
}

/// Keeps what would have been sent, in development.
pub trait Mailbox: Send + Sync {
    /// Lists the mails that are kept, the oldest first.
    fn mails(&self) -> Vec<RenderedMail>;

    /// Forgets all mails that are kept.
    fn clear(&self);
}

/// All ports that the use-cases need.
pub struct Ports {
    /// Port that tells the time.
    pub clock: Box<dyn Clock>,
    /// Port that gives random bytes.
    pub entropy: Box<dyn Entropy>,
    /// Port that seals secrets at rest.
    pub sealer: Box<dyn Sealer>,
    /// Port that signs access tokens.
    pub token_signer: Box<dyn TokenSigner>,
    /// Port that hashes and compares passwords.
    pub password_hasher: Box<dyn PasswordHasher>,
    /// The service provider's keys.
    pub sp_keys: Arc<dyn SpKeyFactory>,
    /// IdP metadata by URL.
    pub metadata_source: Box<dyn MetadataSource>,
    /// Whether an IdP answers.
    pub idp_probe: Box<dyn IdpProbe>,
    /// Port that sends mails.
    pub mailer: Box<dyn Mailer>,
    /// Mails that would have gone out; in development alone.
    pub mailbox: Option<Arc<dyn Mailbox>>,
}
