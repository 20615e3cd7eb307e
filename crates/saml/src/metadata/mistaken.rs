//! Documents that administrators give instead of metadata, by name and with what to do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::xml::{Element, namespace};

/// Characters at the start of a text that are looked at to tell its kind.
const LOOKED_AT: usize = 4_096;

/// Kinds of documents that are given instead of an identity provider's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistaken {
    /// The text is empty.
    Nothing,
    /// The address of a document.
    Url,
    /// A certificate in PEM form.
    Certificate,
    /// A private key in PEM form.
    PrivateKey,
    /// A web page, mostly a sign-in page in front of the document.
    WebPage,
    /// JSON, mostly an OpenID Connect discovery document or a key set.
    Json,
    /// Base64, of XML or of a certificate.
    Base64,
    /// An archive, a picture or another file that is no text.
    Binary,
    /// A SAML message or assertion.
    Message,
    /// Metadata of SAML 1, WS-Federation or WS-Trust without a SAML 2.0 role, or any other XML.
    OtherXml,
    /// Text that is none of these.
    Text,
}

impl Mistaken {
    /// Explanation and advice, as the end of a sentence about the metadata.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Nothing => "is empty: give the identity provider's metadata document",
            Self::Url => {
                "is a URL, not the document at it: send it as metadata_url, or open it and paste what it shows"
            }
            Self::Certificate => {
                "is a certificate, not metadata: add it to the connection's certificates, beside idp_entity_id and \
                 login_url, or give the metadata document"
            }
            Self::PrivateKey => {
                "is a private key, not metadata: replace that key where it comes from, because it has been sent, and \
                 give the metadata document"
            }
            Self::WebPage => {
                "is a web page (HTML), not metadata: often a sign-in page stands in front of the document; download the \
                 federation metadata XML in the browser and upload that"
            }
            Self::Json => {
                "is JSON, not metadata: OpenID Connect discovery documents and key sets are not SAML; give the SAML \
                 metadata XML"
            }
            Self::Base64 => {
                "is base64, not XML: decode it and give the XML; if it is a certificate, add it to the connection's \
                 certificates"
            }
            Self::Binary => "is not text: give the metadata XML itself, not an archive, a key store or a document",
            Self::Message => {
                "is a SAML message (a request, a response or an assertion), not metadata: give the identity provider's \
                 metadata document"
            }
            Self::OtherXml => {
                "is XML and no SAML metadata: the root must be EntityDescriptor or EntitiesDescriptor of SAML 2.0"
            }
            Self::Text => "is not XML: give the identity provider's metadata document, from its first < to its last >",
        }
    }

    /// Kind of a text that does not begin as XML does, or begins as a web page.
    pub(super) fn text(text: &str) -> Option<Self> {
        let head: String = text.chars().take(LOOKED_AT).collect();
        let lower = head.to_ascii_lowercase();
        let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
        if head.is_empty() {
            Some(Self::Nothing)
        } else if head.contains("PRIVATE KEY-----") {
            Some(Self::PrivateKey)
        } else if begins(&["-----begin ", "bag attributes"]) {
            Some(Self::Certificate)
        } else if begins(&["<!doctype html", "<html"]) {
            Some(Self::WebPage)
        } else if begins(&["<"]) {
            None
        } else if begins(&["http://", "https://", "www."]) {
            Some(Self::Url)
        } else if begins(&["{", "["]) {
            Some(Self::Json)
        } else if head.chars().any(|character| character.is_control() && !character.is_whitespace()) {
            Some(Self::Binary)
        } else if is_base64(&head) {
            Some(Self::Base64)
        } else {
            Some(Self::Text)
        }
    }

    /// Kind of an XML document whose root is neither of the metadata's.
    pub(super) fn element(root: &Element<'_, '_>) -> Self {
        match (root.namespace(), root.local()) {
            (namespace::PROTOCOL | namespace::ASSERTION, _) => Self::Message,
            (_, "html" | "HTML") => Self::WebPage,
            _ => Self::OtherXml,
        }
    }
}

/// Whether the start of a text, broken into lines or not, is base64 of some length.
fn is_base64(head: &str) -> bool {
    let compact: String = head.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let whole = compact.len() / 4 * 4;
    whole >= 16 && compact.get(..whole).is_some_and(|text| STANDARD.decode(text).is_ok())
}
