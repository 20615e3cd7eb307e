//! `samlp:AuthnRequest` (core 3.4.1), sent by HTTP-Redirect or HTTP-POST (bindings 3.4, 3.5).

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use url::{Url, form_urlencoded};

use crate::algorithm::SignatureAlgorithm;
use crate::hexadecimal::hexadecimal;
use crate::instant;
use crate::metadata::Binding;
use crate::signing::enveloped;
use crate::sp_key::{SpKey, SpKeyError};
use crate::xml::namespace;
use crate::xml::write::Writer;

/// Longest RelayState, in bytes (bindings 3.4.3).
pub const MAX_RELAY_STATE: usize = 80;

/// The content of an authentication request. `id` comes from [`request_id`].
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

/// A form for the browser to post to the identity provider. The caller that renders it escapes all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// The identity provider's URL to post to.
    pub action: String,
    /// The form field `SAMLRequest`, in base64.
    pub saml_request: String,
    /// The form field `RelayState`, unescaped.
    pub relay_state: String,
}

/// Reasons why a request could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The destination is no absolute http or https URL.
    #[error("the identity provider's login URL is not an absolute http or https URL")]
    Destination,
    /// RelayState is longer than bindings 3.4.3 allows.
    #[error("RelayState is longer than 80 bytes")]
    RelayState,
    /// The request could not be compressed.
    #[error("the request could not be encoded")]
    Encoding,
    /// The signature could not be made.
    #[error("the request could not be signed")]
    Signing(#[from] SpKeyError),
}

impl AuthnRequest<'_> {
    /// The URL to send the browser to (bindings 3.4.4.1): DEFLATE, base64, and an RSA-SHA256 signature over the query.
    pub fn redirect_url(&self, relay_state: &str, signing: Option<&SpKey>) -> Result<String, RequestError> {
        let mut url = self.destination_url()?;
        check_relay_state(relay_state)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("SAMLRequest", &deflated(&self.write().into_text())?);
        if !relay_state.is_empty() {
            query.append_pair("RelayState", relay_state);
        }
        let query = match signing {
            Some(key) => signed_query(query, key)?,
            None => query.finish(),
        };
        // What stands in the destination's query stays, outside the signature.
        let query = match url.query().filter(|own| !own.is_empty()) {
            Some(own) => format!("{own}&{query}"),
            None => query,
        };
        url.set_query(Some(&query));
        url.set_fragment(None);
        Ok(url.into())
    }

    /// The form to post (bindings 3.5.4), with an enveloped signature when there is a key.
    pub fn post_form(&self, relay_state: &str, signing: Option<&SpKey>) -> Result<PostForm, RequestError> {
        let action = self.destination_url()?.into();
        check_relay_state(relay_state)?;
        let document = self.write();
        let xml = match signing {
            Some(key) => enveloped(document, self.id, key)?,
            None => document.into_text(),
        };
        Ok(PostForm { action, saml_request: STANDARD.encode(xml), relay_state: relay_state.to_owned() })
    }

    fn destination_url(&self) -> Result<Url, RequestError> {
        let url = Url::parse(self.destination).map_err(|_| RequestError::Destination)?;
        let usable = matches!(url.scheme(), "https" | "http") && url.has_host();
        if usable { Ok(url) } else { Err(RequestError::Destination) }
    }

    fn write(&self) -> Writer {
        let instant = instant::format(self.issue_instant);
        let force_authn = self.force_authn.then_some(("ForceAuthn", "true"));
        let before = [
            ("xmlns:samlp", namespace::PROTOCOL),
            ("AssertionConsumerServiceURL", self.acs_url),
            ("Destination", self.destination),
        ];
        let after = [
            ("ID", self.id),
            ("IssueInstant", instant.as_str()),
            ("ProtocolBinding", Binding::Post.uri()),
            ("Version", "2.0"),
        ];
        let attributes: Vec<_> = before.into_iter().chain(force_authn).chain(after).collect();
        let mut writer = Writer::new();
        writer.element("samlp:AuthnRequest", &attributes, |writer| {
            writer.leaf("saml:Issuer", &[("xmlns:saml", namespace::ASSERTION)], self.issuer);
            writer.signature_place();
            self.write_wishes(writer);
        });
        writer
    }

    fn write_wishes(&self, writer: &mut Writer) {
        if let Some(format) = self.name_id_format {
            writer.empty("samlp:NameIDPolicy", &[("AllowCreate", "true"), ("Format", format)]);
        }
        if let Some(class) = self.requested_authn_context {
            writer.element("samlp:RequestedAuthnContext", &[("Comparison", "exact")], |writer| {
                writer.leaf("saml:AuthnContextClassRef", &[("xmlns:saml", namespace::ASSERTION)], class);
            });
        }
    }
}

fn check_relay_state(relay_state: &str) -> Result<(), RequestError> {
    if relay_state.len() <= MAX_RELAY_STATE { Ok(()) } else { Err(RequestError::RelayState) }
}

fn deflated(xml: &str) -> Result<String, RequestError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(xml.as_bytes()).map_err(|_| RequestError::Encoding)?;
    encoder.finish().map(|bytes| STANDARD.encode(bytes)).map_err(|_| RequestError::Encoding)
}

/// Signs the query as it will be sent, in the order that bindings 3.4.4.1 fixes.
fn signed_query(mut query: form_urlencoded::Serializer<'_, String>, key: &SpKey) -> Result<String, RequestError> {
    query.append_pair("SigAlg", SignatureAlgorithm::RSA_SHA256_URI);
    let signed = query.finish();
    let signature = STANDARD.encode(key.sign_rsa_sha256(signed.as_bytes())?);
    Ok(form_urlencoded::Serializer::new(signed).append_pair("Signature", &signature).finish())
}

/// A request id of these bytes, of which 16 at least must be random (core 1.3.4); an `xs:ID` must not start with a
/// digit.
pub fn request_id(bytes: &[u8]) -> String {
    format!("_{}", hexadecimal(bytes))
}
