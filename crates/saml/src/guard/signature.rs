//! Form that a `ds:Signature` must have before an engine works on it (core 5.4, XML Signature 4).
//!
//! Engines follow transforms, references and key hints wherever they lead. Here all of it has exactly one form: the
//! enveloped signature over the element that holds it, with algorithms from the list.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refusal;
use super::signed_info::{self, SignedInfo};
use super::structure::{children, no_text};
use crate::algorithm::{Canonicalization, ENVELOPED_SIGNATURE, Hash, SignatureAlgorithm};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::response::verify::SignedElement;
use crate::xml::tree::NodeKind;
use crate::xml::{Element, namespace};

/// Most prefixes in a `PrefixList`. Honest ones name one or two; each is looked up at every element.
const MAX_PREFIXES: usize = 16;

/// Longest `SignatureValue`, in bytes of text. The longest RSA key takes 1,368, and line breaks some more.
const MAX_SIGNATURE_VALUE: usize = 4096;

/// Claims of one signature. Verified by the engines, not here.
#[derive(Debug, Clone)]
pub(crate) struct SignatureFacts {
    /// The element that holds the signature and that it covers.
    pub(crate) element: SignedElement,
    /// `ID` attribute of that element.
    pub(crate) id: String,
    /// `SignedInfo` that the signature value is over.
    pub(crate) signed_info: SignedInfo,
    /// `SignatureValue` as text: base64 with white space.
    pub(crate) value: String,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) digest: Hash,
    pub(crate) digest_value: Vec<u8>,
    /// Canonicalization of the covered element.
    pub(crate) canonicalization: Canonicalization,
    /// `PrefixList` of that canonicalization.
    pub(crate) inclusive_prefixes: Vec<String>,
}

/// The facts of the root's signature and of its assertion's.
pub(super) fn facts(root: Element<'_, '_>) -> Result<Vec<SignatureFacts>, Rejection> {
    let mut facts = Vec::new();
    let mut holders = Vec::new();
    for holder in [Some(root), root.child(namespace::ASSERTION, "Assertion")].into_iter().flatten() {
        holders.push(holder);
        if let Some(signature) = holder.child(namespace::SIGNATURE, "Signature") {
            let ancestors: Vec<_> = holders.iter().copied().chain([signature]).collect();
            facts.push(signature_facts(&holder, &signature, &ancestors)?);
        }
    }
    Ok(facts)
}

/// Facts of a signature; `ancestors` are those of its `SignedInfo`, the root first.
fn signature_facts(
    holder: &Element<'_, '_>,
    signature: &Element<'_, '_>,
    ancestors: &[Element<'_, '_>],
) -> Result<SignatureFacts, Rejection> {
    let parts = sequence(signature, &["SignedInfo", "SignatureValue", "KeyInfo"], 2)?;
    let [info, value, ..] = parts.as_slice() else { return Err(refusal(Reason::SignatureStructure)) };
    undisturbed(info)?;
    undisturbed(value)?;
    let value = signature_value(value)?;
    let document = signed_info::document(info, ancestors)?;
    let info = sequence(info, &["CanonicalizationMethod", "SignatureMethod", "Reference"], 3)?;
    let [c14n, method, reference] = info.as_slice() else { return Err(refusal(Reason::SignatureStructure)) };
    let (canonicalization, inclusive_prefixes) = canonicalized(c14n)?;
    let signed_info = SignedInfo { document, canonicalization, inclusive_prefixes };
    leaf(method)?;
    let algorithm = SignatureAlgorithm::from_uri(algorithm_uri(method))
        .ok_or_else(|| refusal(Reason::SignatureAlgorithmRefused).got(algorithm_uri(method)))?;
    let id = holder.attribute("ID").unwrap_or_default();
    let reference_uri = reference.attribute("URI").unwrap_or_default();
    if reference_uri.strip_prefix('#') != Some(id) {
        return Err(refusal(Reason::ReferenceMismatch).wanted(format!("#{id}")).got(reference_uri));
    }
    let reference = sequence(reference, &["Transforms", "DigestMethod", "DigestValue"], 3)?;
    let [transforms, digest, digest_value] = reference.as_slice() else {
        return Err(refusal(Reason::SignatureStructure));
    };
    let (canonicalization, inclusive_prefixes) = transformed(transforms)?;
    leaf(digest)?;
    Ok(SignatureFacts {
        element: if holder.local() == "Response" { SignedElement::Response } else { SignedElement::Assertion },
        id: id.to_owned(),
        signed_info,
        value,
        algorithm,
        digest: Hash::from_digest_uri(algorithm_uri(digest))
            .ok_or_else(|| refusal(Reason::DigestAlgorithmRefused).got(algorithm_uri(digest)))?,
        digest_value: base64_text(digest_value)?,
        canonicalization,
        inclusive_prefixes,
    })
}

/// The children, which must be the named ones of XML Signature in that order, the last ones after `required` being
/// optional.
fn sequence<'d, 'a>(
    parent: &Element<'d, 'a>,
    names: &[&str],
    required: usize,
) -> Result<Vec<Element<'d, 'a>>, Rejection> {
    no_text(parent)?;
    let parts: Vec<_> = parent.children().collect();
    let in_order = parts.iter().zip(names).all(|(part, name)| part.is(namespace::SIGNATURE, name));
    if !in_order || parts.len() < required || parts.len() > names.len() {
        return Err(refusal(Reason::SignatureStructure).got(format!("children of {}", parent.local())));
    }
    Ok(parts)
}

/// Exactly the enveloped-signature transform, then one canonicalization.
fn transformed(transforms: &Element<'_, '_>) -> Result<(Canonicalization, Vec<String>), Rejection> {
    let steps = sequence(transforms, &["Transform", "Transform"], 2).map_err(|_| refusal(Reason::TransformRefused))?;
    let [enveloped, c14n] = steps.as_slice() else { return Err(refusal(Reason::TransformRefused)) };
    leaf(enveloped)?;
    if algorithm_uri(enveloped) != ENVELOPED_SIGNATURE {
        return Err(refusal(Reason::TransformRefused).wanted(ENVELOPED_SIGNATURE).got(algorithm_uri(enveloped)));
    }
    canonicalized(c14n)
}

/// A canonicalization method or transform, with its `InclusiveNamespaces` if it is exclusive.
fn canonicalized(method: &Element<'_, '_>) -> Result<(Canonicalization, Vec<String>), Rejection> {
    let algorithm = Canonicalization::from_uri(algorithm_uri(method))
        .ok_or_else(|| refusal(Reason::CanonicalizationRefused).got(algorithm_uri(method)))?;
    children(method, |child| {
        let inclusive = child.is(namespace::EXCLUSIVE_C14N, "InclusiveNamespaces");
        usize::from(inclusive && algorithm.is_exclusive())
    })?;
    let Some(inclusive) = method.child(namespace::EXCLUSIVE_C14N, "InclusiveNamespaces") else {
        return Ok((algorithm, Vec::new()));
    };
    leaf(&inclusive)?;
    let list = inclusive.attribute("PrefixList").unwrap_or_default();
    let prefixes: Vec<_> = list.split_ascii_whitespace().map(str::to_owned).collect();
    if prefixes.len() > MAX_PREFIXES {
        let wanted = format!("a PrefixList of at most {MAX_PREFIXES} prefixes");
        return Err(refusal(Reason::CanonicalizationRefused)
            .wanted(wanted)
            .got(format!("{} prefixes", prefixes.len())));
    }
    Ok((algorithm, prefixes))
}

fn algorithm_uri<'d>(method: &Element<'d, '_>) -> &'d str {
    method.attribute("Algorithm").unwrap_or_default()
}

/// An element without children: parameters such as `HMACOutputLength` are how algorithms get weakened.
fn leaf(element: &Element<'_, '_>) -> Result<(), Rejection> {
    children(element, |_| 0)
        .map_err(|_| refusal(Reason::SignatureStructure).got(format!("children of {}", element.local())))
}

/// No comments and no instructions, at any depth: engines differ in what they make of them.
fn undisturbed(element: &Element<'_, '_>) -> Result<(), Rejection> {
    for node in element.nodes() {
        if matches!(node.kind, NodeKind::Comment | NodeKind::Instruction) {
            return Err(refusal(Reason::SignatureComment));
        }
    }
    element.children().try_for_each(|child| undisturbed(&child))
}

/// Text alone, and no more of it than a signature takes: engines differ about elements inside.
fn signature_value(element: &Element<'_, '_>) -> Result<String, Rejection> {
    let text = element.text()?;
    if text.len() > MAX_SIGNATURE_VALUE {
        return Err(refusal(Reason::SignatureStructure).got("a long SignatureValue"));
    }
    Ok(text.into_owned())
}

fn base64_text(element: &Element<'_, '_>) -> Result<Vec<u8>, Rejection> {
    let text: Vec<u8> = element.text()?.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| refusal(Reason::SignatureStructure).got(format!("base64 of {}", element.local())))
}
