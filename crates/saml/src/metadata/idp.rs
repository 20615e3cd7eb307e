//! An identity provider's metadata, as pasted, uploaded or fetched: hostile until read through the guard.

use jiff::Timestamp;
use url::Url;

use super::Binding;
use crate::certificate::IdpCertificate;

/// A service at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// How to talk to it.
    pub binding: Binding,
    /// Where it is.
    pub location: Url,
}

/// What a connection needs from an identity provider's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpMetadata {
    /// `entityID`, exactly.
    pub entity_id: String,
    /// Single sign-on services, in document order.
    pub sso: Vec<Endpoint>,
    /// Single logout services, in document order.
    pub slo: Vec<Endpoint>,
    /// Signing certificates, at least one of them valid now.
    pub certificates: Vec<IdpCertificate>,
    /// `WantAuthnRequestsSigned`.
    pub want_authn_requests_signed: bool,
    /// `NameIDFormat`s, in document order.
    pub name_id_formats: Vec<String>,
    /// The earliest `validUntil` that applies.
    pub valid_until: Option<Timestamp>,
    /// What was left out and why, for the administrator to read.
    pub ignored: Vec<String>,
}

/// How to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct MetadataOptions {
    /// Whether http locations are accepted too: for development alone.
    pub allow_http: bool,
}

/// Why metadata cannot be used; each message says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not well-formed, or not safe to parse; with the guard's code.
    #[error("the metadata is not acceptable XML ({code}): download it again from the identity provider")]
    Xml {
        /// The guard's code.
        code: &'static str,
    },
    /// Some other document.
    #[error("this is not SAML metadata: the root must be EntityDescriptor or EntitiesDescriptor")]
    NotMetadata,
    /// No identity provider inside.
    #[error(
        "the metadata describes no identity provider: use the identity provider's metadata, not a service provider's"
    )]
    NoIdentityProvider,
    /// Several of them.
    #[error("the metadata describes several identity providers ({}): use the metadata of one", .entity_ids.join(", "))]
    SeveralIdentityProviders {
        /// The first few.
        entity_ids: Vec<String>,
    },
    /// An absent or malformed `entityID`.
    #[error("the metadata has no usable entityID")]
    EntityId,
    /// `validUntil` has passed.
    #[error("the metadata expired at {valid_until}: download it again from the identity provider")]
    Expired {
        /// When.
        valid_until: Timestamp,
    },
    /// No location that can be used.
    #[error("the metadata has no single sign-on service with HTTP-Redirect or HTTP-POST at an https location")]
    NoSingleSignOn,
    /// No certificate that can be used now.
    #[error("the metadata has no signing certificate that is valid now{}", list(.ignored))]
    NoCertificate {
        /// Why the ones there were left out.
        ignored: Vec<String>,
    },
}

fn list(reasons: &[String]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    format!(": {}", reasons.join("; "))
}

/// Reads metadata of exactly one identity provider. A signature on it is ignored: the trust is in how it came.
pub fn parse_idp_metadata(
    _xml: &str,
    _now: Timestamp,
    _options: MetadataOptions,
) -> Result<IdpMetadata, MetadataError> {
    Err(MetadataError::NotMetadata)
}
