//! The identity provider of the tests: a key pair and the responses it signs.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use mock_idp::identity::SigningIdentity;
use mock_idp::message::{Parties, ResponseSpec, form_value};

/// The default username attribute (C2).
pub const EMAIL_CLAIM: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
/// The platform's own username attribute (C2).
pub const USERNAME_ATTRIBUTE: &str = "https://adminconsole.netsign-in.se/saml/attributes/username";
/// The platform's role attribute (C4).
pub const ROLE_ATTRIBUTE: &str = "https://adminconsole.netsign-in.se/saml/attributes/role";

/// An identity provider that a test plays.
pub struct TestIdp {
    /// Entity id, under which a connection knows it.
    pub entity_id: String,
    /// Key pair and certificate that it signs with.
    pub identity: SigningIdentity,
    issued: AtomicU32,
}

impl TestIdp {
    /// The one that tenants trust.
    pub fn trusted() -> Self {
        let pem = (include_str!("../fixtures/idp.key"), include_str!("../fixtures/idp.crt"));
        Self::with_key("https://idp.example.test/metadata", pem)
    }

    /// One with the same name and another key.
    pub fn attacker() -> Self {
        let pem = (include_str!("../fixtures/attacker.key"), include_str!("../fixtures/attacker.crt"));
        Self::with_key("https://idp.example.test/metadata", pem)
    }

    fn with_key(entity_id: &str, (key, certificate): (&str, &str)) -> Self {
        let identity = SigningIdentity::from_pem(key, certificate).unwrap();
        Self { entity_id: entity_id.to_owned(), identity, issued: AtomicU32::new(0) }
    }

    /// A response for an SP, with IDs that were not used before, that does not name a user yet.
    pub fn response(&self, acs_url: &str, now: Timestamp) -> ResponseSpec {
        let unique = format!("{}-{}", now.as_millisecond(), self.issued.fetch_add(1, Ordering::SeqCst));
        ResponseSpec::new(Parties { issuer: &self.entity_id, audience: acs_url, acs: acs_url }, now, &unique)
    }

    /// The `SAMLResponse` form value.
    pub fn sign(&self, spec: &ResponseSpec) -> String {
        form_value(spec.build(&self.identity).unwrap())
    }
}
