//! Settings of the operator, which the use-cases obey.

use domain::signing_key::SigningAlgorithm;
use domain::sso::identity::PlatformAttributes;
use url::Url;

/// The operator's settings that the use-cases need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// URL at which browsers and identity providers reach this service: scheme, host and port, a path at most, no
    /// slash at the end. The `iss` of tokens and the base of every SAML URL.
    pub base_url: Url,
    /// The names of the platform's own SAML attributes (C2, C4).
    pub platform_attributes: PlatformAttributes,
    /// Engines that verify signatures.
    pub engines: saml::Engines,
    /// Algorithm that signs access tokens.
    pub signing_algorithm: SigningAlgorithm,
    /// Most verifications that run at once.
    pub verification_permits: usize,
    /// Limits of the attempts that are written down.
    pub attempt_limits: AttemptLimits,
    /// Bounds on what owners make of their accounts' sandboxes.
    pub sandboxes: SandboxPolicy,
    /// Whether plain http and loopback identity providers are fine: demo and development alone.
    pub development: bool,
}

impl Settings {
    /// An absolute URL of this service, for a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// The issuer identifier (RFC 8414, section 2): the base URL without a slash at its end.
    pub fn issuer(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }
}

/// Bounds on what owners make of their accounts' sandboxes (A1); operators may do more.
#[derive(Debug, Clone, Copy)]
pub struct SandboxPolicy {
    /// Most sandboxes of one account.
    pub per_account: u32,
    /// Whether a sandbox's name is that of its account, a hyphen and more. Otherwise owners take names that others
    /// expect to be their own.
    pub named_after_account: bool,
}

/// Limits of the unfinished sign-in attempts of one hour that are written down; anyone can cause them.
#[derive(Debug, Clone, Copy)]
pub struct AttemptLimits {
    /// Most of one connection from one address: an office behind one address signs in at nine o'clock.
    pub per_address: u32,
    /// Most of one connection: what is started within the time of a sign-in. What is refused takes up half as much
    /// at most.
    pub per_connection: u32,
}
