//! SAML 2.0, the service provider's side.

mod algorithm;
pub mod attribute;
pub mod certificate;
pub mod decode;
mod decrypt;
pub mod engine;
pub mod guard;
mod instant;
pub mod metadata;
mod public_key;
pub mod rejection;
pub mod request;
pub mod response;
mod signing;
pub mod sp_key;
mod xml;

pub use attribute::{Attribute, NameId};
pub use certificate::{CertificateError, IdpCertificate, KeyKind, parse_pem_certificates};
pub use decode::{decode_post_binding, decode_redirect_binding};
pub use metadata::Binding;
pub use metadata::idp::{Endpoint, IdpMetadata, MetadataError, MetadataOptions, parse_idp_metadata};
pub use metadata::sp::SpMetadata;
pub use rejection::{Check, Rejection};
pub use request::{AuthnRequest, PostForm, RequestError, request_id};
pub use response::mask::masked_message;
pub use response::peek::{UnverifiedResponse, peek};
pub use response::verify::{
    Engines, Expected, MAX_CLOCK_SKEW, SignedElement, Trust, VerifiedResponse, Warning, verify_response,
};
pub use sp_key::{SpKey, SpKeyError};
