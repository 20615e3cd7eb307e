//! `samlp:AuthnRequest` (core 3.4.1), sent by HTTP-Redirect or HTTP-POST (bindings 3.4, 3.5).

use jiff::Timestamp;

use crate::sp_key::{SpKey, SpKeyError};

/// What a request says. `id` comes from [`request_id`].
#[derive(Debug, Clone)]
pub struct AuthnRequest<'a> {
    /// `ID`, to be found again as `InResponseTo`.
    pub id: &'a str,
    /// `IssueInstant`.
    pub issue_instant: Timestamp,
    /// The identity provider's login URL for the binding used.
    pub destination: &'a str,
    /// The service provider's entity id.
    pub issuer: &'a str,
    /// `AssertionConsumerServiceURL`.
    pub acs_url: &'a str,
    /// `Format` of the `NameIDPolicy`; without it there is no policy.
    pub name_id_format: Option<&'a str>,
    /// Whether the person must sign in anew.
    pub force_authn: bool,
    /// An `AuthnContextClassRef` to ask for, compared exactly.
    pub requested_authn_context: Option<&'a str>,
}

/// A form for the browser to post to the identity provider. Whoever renders it escapes all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// Where to post.
    pub action: String,
    /// Field `SAMLRequest`, base64.
    pub saml_request: String,
    /// Field `RelayState`.
    pub relay_state: String,
}

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The destination is no absolute http or https URL.
    #[error("the identity provider's login URL is not an absolute http or https URL")]
    Destination,
    /// RelayState is longer than bindings 3.4.3 allows.
    #[error("RelayState is longer than 80 bytes")]
    RelayState,
    /// The signature could not be made.
    #[error("the request could not be signed")]
    Signing(#[from] SpKeyError),
}

impl AuthnRequest<'_> {
    /// The URL to send the browser to (bindings 3.4.4.1): DEFLATE, base64, and an RSA-SHA256 signature over the query.
    pub fn redirect_url(&self, _relay_state: &str, _signing: Option<&SpKey>) -> Result<String, RequestError> {
        Err(RequestError::Destination)
    }

    /// The form to post (bindings 3.5.4), with an enveloped signature when there is a key.
    pub fn post_form(&self, _relay_state: &str, _signing: Option<&SpKey>) -> Result<PostForm, RequestError> {
        Err(RequestError::Destination)
    }
}

/// A request id of 160 random bits; an `xs:ID` must not start with a digit (core 1.3.4 asks for 128 bits at least).
pub fn request_id(random: [u8; 20]) -> String {
    let mut id = String::with_capacity(41);
    id.push('_');
    id.extend(random.iter().map(|byte| format!("{byte:02x}")));
    id
}
