//! Elements that a message may have, and their places (core 2.3.3, 3.2.2, 3.3.3).

use super::refusal;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::xml::tree::NodeKind;
use crate::xml::{Document, Element, character, namespace};

/// Names of attributes that some parser or other takes for an `ID`, in lower case. Two elements with one such value
/// are how a signature over the one comes to vouch for the other.
const ID_LIKE: [&str; 4] = ["id", "assertionid", "responseid", "requestid"];

/// Most such attributes. Honest messages have a handful; they are sorted.
const MAX_IDS: usize = 256;

const ONCE: usize = 1;
const MANY: usize = usize::MAX;

/// A `samlp:Response` with at most one of each child.
pub(super) fn response(response: Element<'_, '_>) -> Result<(), Rejection> {
    if !response.is(namespace::PROTOCOL, "Response") {
        return Err(refusal(Reason::NotAResponse).wanted("samlp:Response").got(response.local()));
    }
    identified(&response)?;
    children(&response, |child| match (child.namespace(), child.local()) {
        (namespace::ASSERTION, "Issuer" | "Assertion" | "EncryptedAssertion")
        | (namespace::SIGNATURE, "Signature")
        | (namespace::PROTOCOL, "Extensions" | "Status") => ONCE,
        _ => 0,
    })?;
    if response.child(namespace::PROTOCOL, "Status").is_none() {
        return Err(refusal(Reason::StatusMissing));
    }
    response.child(namespace::ASSERTION, "Assertion").map_or(Ok(()), assertion)
}

/// A `saml:Assertion` with the children that its schema names.
pub(super) fn assertion(assertion: Element<'_, '_>) -> Result<(), Rejection> {
    if !assertion.is(namespace::ASSERTION, "Assertion") {
        return Err(refusal(Reason::NotAnAssertion).wanted("saml:Assertion").got(assertion.local()));
    }
    identified(&assertion)?;
    children(&assertion, |child| match (child.namespace(), child.local()) {
        (namespace::ASSERTION, "Issuer" | "Subject" | "Conditions" | "Advice")
        | (namespace::SIGNATURE, "Signature") => ONCE,
        (namespace::ASSERTION, "AuthnStatement" | "AttributeStatement" | "AuthzDecisionStatement") => MANY,
        _ => 0,
    })
}

/// Rules for the document as a whole, whatever the namespaces: one assertion, no stray signature, no repeated id.
pub(super) fn whole(document: &Document<'_>) -> Result<(), Rejection> {
    let mut assertions: usize = 0;
    let mut signatures: usize = 0;
    let mut ids: Vec<&str> = Vec::new();
    for element in document.elements() {
        match element.local() {
            "Assertion" | "EncryptedAssertion" => assertions = assertions.saturating_add(1),
            "Signature" => signatures = signatures.saturating_add(1),
            _ => {}
        }
        ids.extend(element.attribute_values().filter(|(name, _)| is_id_like(name)).map(|(_, value)| value));
    }
    if assertions > 1 {
        return Err(refusal(Reason::TooManyAssertions).wanted("one assertion").got(assertions.to_string()));
    }
    if signatures > placed_signatures(document) {
        return Err(refusal(Reason::SignatureMisplaced));
    }
    if ids.len() > MAX_IDS {
        return Err(refusal(Reason::TooManyAttributes)
            .wanted(format!("at most {MAX_IDS} IDs"))
            .got(ids.len().to_string()));
    }
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(refusal(Reason::DuplicateId).got(pair.first().copied().unwrap_or_default())),
        None => Ok(()),
    }
}

fn is_id_like(name: &str) -> bool {
    ID_LIKE.iter().any(|id_like| name.eq_ignore_ascii_case(id_like))
}

/// Signatures that are children of the root or of its assertion.
fn placed_signatures(document: &Document<'_>) -> usize {
    let Some(root) = document.root() else { return 0 };
    let of = |element: Element<'_, '_>| element.children_named(namespace::SIGNATURE, "Signature").count();
    let in_assertion = root.child(namespace::ASSERTION, "Assertion").map_or(0, of);
    of(root).saturating_add(in_assertion)
}

/// `ID` and `Version`, which both elements require. libxml2 only knows ids that are names.
fn identified(element: &Element<'_, '_>) -> Result<(), Rejection> {
    let id = element.attribute("ID").unwrap_or_default();
    if !character::is_ncname(id) {
        return Err(refusal(Reason::IdInvalid).got(id));
    }
    match element.attribute("Version") {
        Some("2.0") => Ok(()),
        other => Err(refusal(Reason::VersionRefused).wanted("2.0").got(other.unwrap_or_default())),
    }
}

/// Every child must be allowed by `limit`, which says how often it may come; between them only blanks.
pub(super) fn children(parent: &Element<'_, '_>, limit: impl Fn(&Element<'_, '_>) -> usize) -> Result<(), Rejection> {
    no_text(parent)?;
    for child in parent.children() {
        let limit = limit(&child);
        let beyond =
            limit == 0 || limit == ONCE && parent.children_named(child.namespace(), child.local()).nth(ONCE).is_some();
        if beyond {
            return Err(refusal(Reason::UnexpectedElement).got(format!("{} in {}", child.local(), parent.local())));
        }
    }
    Ok(())
}

/// No text but blanks directly inside an element that has element content.
pub(super) fn no_text(element: &Element<'_, '_>) -> Result<(), Rejection> {
    let stray = |text: &str| !character::is_blank(text);
    if element.nodes().any(|node| matches!(&node.kind, NodeKind::Text(text) if stray(text))) {
        return Err(refusal(Reason::UnexpectedText).got(format!("text in {}", element.local())));
    }
    Ok(())
}
