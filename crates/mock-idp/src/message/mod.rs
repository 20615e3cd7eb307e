//! Builds SAML responses: fast and pure, with times, IDs and keys given by the caller.
//!
//! ```
//! use mock_idp::identity::SigningIdentity;
//! use mock_idp::message::{NAME_ID_EMAIL, Parties, ResponseSpec, Shape, form_value};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = SigningIdentity::generate_p256("idp.example.test")?;
//! let parties = Parties {
//!     issuer: "https://idp.example.test/metadata",
//!     audience: "https://sp.example.test/saml/1234",
//!     acs: "https://sp.example.test/saml/1234",
//! };
//! let now = "2026-11-22T05:00:00Z".parse()?;
//! let spec = ResponseSpec::new(parties, now, "0001")
//!     .to_request("_request-1")
//!     .named("alice@example.test", NAME_ID_EMAIL)
//!     .attribute("role", ["nac-team-lead"])
//!     .as_sent_by(Shape::Okta, "0001");
//! let saml_response = form_value(spec.build(&identity)?);
//! # assert!(!saml_response.is_empty());
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod build;
pub mod canonical;
mod encryption;
mod oaep;
pub mod parse;
mod profile;
mod response;
mod shape;
pub(crate) mod signature;
mod spec;
pub mod styled;
pub mod xml;

pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use build::{BuildError, Edits, form_value};
pub use canonical::Canonicalization;
pub use encryption::{ContentAlgorithm, Encryption, KeyTransport};
pub use shape::Shape;
pub use spec::{
    AttributeSpec, BEARER, DEFAULT_ASSERTION_LIFETIME, DateTime, KeyInfo, NAME_ID_EMAIL, NAME_ID_PERSISTENT,
    NAME_ID_TRANSIENT, NAME_ID_UNSPECIFIED, NameId, Parties, ResponseSpec, STATUS_SUCCESS, ShownCertificate,
    SignedParts, Signing, Status,
};
