//! Reads `samlp:AuthnRequest` (SAML core section 3.4.1) from either binding. Everything in it is bounded and checked.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::DeflateDecoder;

use super::request_signature::{self, SignatureError};
use crate::certificate::Certificate;
use crate::message::parse::{MAX_LENGTH, ParseError, parse};
use crate::message::xml::Element;

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const POST_BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// A request that this identity provider does not answer, with the reason for the developer of a service provider.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("there is no SAMLRequest")]
    Missing,
    #[error("SAMLRequest is not base64")]
    Base64,
    #[error("SAMLRequest is not DEFLATE data of at most {MAX_LENGTH} bytes")]
    Deflate,
    #[error("SAMLRequest is not UTF-8")]
    Encoding,
    #[error("SAMLRequest cannot be read: {0}")]
    Xml(#[from] ParseError),
    #[error("the message is not a samlp:AuthnRequest of version 2.0")]
    NotAnAuthnRequest,
    #[error("the request has no {0}")]
    Incomplete(&'static str),
    #[error("Destination is {got}, but this is {wanted}")]
    Destination { wanted: String, got: String },
    #[error("ProtocolBinding is {0}, but responses are only posted")]
    Binding(String),
    #[error("the request's signature: {0}")]
    Signature(#[from] SignatureError),
}

/// Binding that carried the request.
#[derive(Clone, Copy, Debug)]
pub enum Binding<'a> {
    /// HTTP-Redirect: the raw query string, which the signature covers as it stands.
    Redirect { query: &'a str },
    /// HTTP-POST: the form value.
    Post,
}

/// Parts of an authentication request that its answer needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthnRequest {
    pub id: String,
    pub issuer: String,
    /// `AssertionConsumerServiceURL`, or the issuer if that is missing.
    pub acs: String,
    pub is_passive: bool,
}

/// Decodes and checks the value of `SAMLRequest`. With a certificate, the request must carry its signature.
pub fn read(
    value: &str,
    binding: Binding<'_>,
    sso_url: &str,
    certificate: Option<&Certificate>,
) -> Result<AuthnRequest, RequestError> {
    let bytes = BASE64.decode(value.split_ascii_whitespace().collect::<String>()).map_err(|_| RequestError::Base64)?;
    let xml = match binding {
        Binding::Redirect { .. } => inflate(&bytes)?,
        Binding::Post => bytes,
    };
    let root = parse(std::str::from_utf8(&xml).map_err(|_| RequestError::Encoding)?)?;
    if let Some(certificate) = certificate {
        match binding {
            Binding::Redirect { query } => request_signature::check_query(query, certificate)?,
            Binding::Post => request_signature::check_enveloped(&root, certificate)?,
        }
    }
    interpret(&root, sso_url)
}

/// Decodes a value whose binding is unknown: what does not look like XML is deflated.
pub fn read_either(value: &str, sso_url: &str) -> Result<AuthnRequest, RequestError> {
    let bytes = BASE64.decode(value).map_err(|_| RequestError::Base64)?;
    let binding = if bytes.first() == Some(&b'<') { Binding::Post } else { Binding::Redirect { query: "" } };
    read(value, binding, sso_url, None)
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, RequestError> {
    let limit = u64::try_from(MAX_LENGTH + 1).map_err(|_| RequestError::Deflate)?;
    let mut xml = Vec::new();
    DeflateDecoder::new(bytes).take(limit).read_to_end(&mut xml).map_err(|_| RequestError::Deflate)?;
    if xml.len() > MAX_LENGTH {
        return Err(RequestError::Deflate);
    }
    Ok(xml)
}

fn interpret(root: &Element, sso_url: &str) -> Result<AuthnRequest, RequestError> {
    let is_request = root.local == "AuthnRequest" && root.namespace(&[]) == Some(PROTOCOL);
    if !is_request || root.value("Version") != Some("2.0") {
        return Err(RequestError::NotAnAuthnRequest);
    }
    let id = root.value("ID").filter(|id| !id.is_empty());
    let id = id.ok_or(RequestError::Incomplete("ID"))?.to_owned();
    let issuer = root.element("Issuer").map(Element::text_content);
    let issuer = issuer.filter(|issuer| !issuer.is_empty()).ok_or(RequestError::Incomplete("Issuer"))?;
    if let Some(got) = root.value("Destination").filter(|destination| *destination != sso_url) {
        return Err(RequestError::Destination { wanted: sso_url.to_owned(), got: got.to_owned() });
    }
    if let Some(binding) = root.value("ProtocolBinding").filter(|binding| *binding != POST_BINDING) {
        return Err(RequestError::Binding(binding.to_owned()));
    }
    Ok(AuthnRequest {
        id,
        acs: root.value("AssertionConsumerServiceURL").unwrap_or(&issuer).to_owned(),
        issuer,
        is_passive: matches!(root.value("IsPassive"), Some("true" | "1")),
    })
}
