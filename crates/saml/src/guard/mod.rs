//! The strict pass over a message before any engine sees it, and again over every text that an engine returned.
//!
//! It knows nothing of keys and believes nothing. What it establishes is that there is only one way to read the
//! message: one assertion at one place, signatures at their places only, each over the element that holds it.

mod signature;
mod signed_info;
mod structure;

pub(crate) use signature::SignatureFacts;
pub(crate) use signed_info::SignedInfo;

use crate::decode::MAX_FORM_VALUE;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::response::verify::SignedElement;
use crate::xml::parse::parse;
use crate::xml::{Bounds, Document, Element, XmlError, namespace};

/// Bounds of a message. A person in 3,000 groups has some 9,000 nodes with as many attributes and declarations; the
/// deepest honest nesting seen is twelve, and generated code declares a dozen namespaces at the root. What it
/// takes to read a message of a stranger, and to canonicalize one under a signature that was taken from elsewhere,
/// grows with each of these: `./dev bench saml` shows how much is left to five milliseconds.
const BOUNDS: Bounds = Bounds {
    length: MAX_FORM_VALUE,
    depth: 32,
    nodes: 14_000,
    attributes: 12_000,
    attributes_per_element: 32,
    namespaces_in_scope: 24,
    namespace_lookups: 100_000,
};

/// A message that has only one reading. Who wrote it is not known.
#[derive(Debug)]
pub struct Guarded<'a> {
    document: Document<'a>,
    signatures: Vec<SignatureFacts>,
}

impl<'a> Guarded<'a> {
    /// `samlp:Response` if that is the root.
    pub(crate) fn response(&self) -> Option<Element<'_, 'a>> {
        self.document.root().filter(|root| root.is(namespace::PROTOCOL, "Response"))
    }

    /// The plain assertion, at its only place.
    pub(crate) fn assertion(&self) -> Option<Element<'_, 'a>> {
        match self.response() {
            Some(response) => response.child(namespace::ASSERTION, "Assertion"),
            None => self.document.root(),
        }
    }

    /// `saml:EncryptedAssertion`, at its only place.
    pub(crate) fn encrypted_assertion(&self) -> Option<Element<'_, 'a>> {
        self.response()?.child(namespace::ASSERTION, "EncryptedAssertion")
    }

    /// Facts of the signatures, in no particular order; at most one for each element.
    pub(crate) fn signatures(&self) -> &[SignatureFacts] {
        &self.signatures
    }
}

/// Accepts a `samlp:Response` document with one reading.
pub fn check(xml: &str) -> Result<Guarded<'_>, Rejection> {
    guard(xml, SignedElement::Response)
}

/// Accepts a `saml:Assertion` document with one reading: what was decrypted, or what an engine returned.
pub(crate) fn check_assertion(xml: &str) -> Result<Guarded<'_>, Rejection> {
    guard(xml, SignedElement::Assertion)
}

fn guard(xml: &str, root: SignedElement) -> Result<Guarded<'_>, Rejection> {
    let document = parse(xml, &BOUNDS).map_err(Rejection::from)?;
    let signatures = {
        let element = document.root().ok_or_else(|| refusal(Reason::MalformedXml))?;
        match root {
            SignedElement::Response => structure::response(element)?,
            SignedElement::Assertion => structure::assertion(element)?,
        }
        structure::whole(&document)?;
        signature::facts(element)?
    };
    Ok(Guarded { document, signatures })
}

fn refusal(reason: Reason) -> Rejection {
    Rejection::new(Check::Guard, reason)
}

impl From<XmlError> for Rejection {
    fn from(error: XmlError) -> Self {
        refusal(error.0)
    }
}
