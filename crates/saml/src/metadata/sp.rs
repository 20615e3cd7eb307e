//! Our own metadata, one document per connection.

use jiff::Timestamp;

use crate::sp_key::{SpKey, SpKeyError};

/// What an identity provider needs to know about us.
#[derive(Debug, Clone)]
pub struct SpMetadata<'a> {
    /// `entityID`, the ACS location, and in this product the same URL.
    pub entity_id: &'a str,
    /// Location of the assertion consumer service (HTTP-POST).
    pub acs_url: &'a str,
    /// Location of the single logout service (HTTP-Redirect and HTTP-POST), if there is one.
    pub slo_url: Option<&'a str>,
    /// Keys, current one first; all are published for signing and encryption, so that a rotation overlaps.
    pub keys: &'a [SpKey],
    /// `AuthnRequestsSigned`.
    pub authn_requests_signed: bool,
    /// `NameIDFormat`, the one preferred.
    pub name_id_format: Option<&'a str>,
    /// `validUntil`, if the document shall expire.
    pub valid_until: Option<Timestamp>,
}

impl SpMetadata<'_> {
    /// The document, signed when there is a key. `id` must be an `xs:ID`, see [`crate::request::request_id`].
    pub fn to_xml(&self, _signing: Option<&SpKey>, _id: &str) -> Result<String, SpKeyError> {
        Err(SpKeyError::Signing)
    }
}
