//! XML signature wrapping: the signature stays valid for the original, and a forged copy stands where a careless reader
//! looks. The eight variants of Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (2012).

use super::{Case, Scene, forge, insert_extensions};
use crate::message::xml::{Element, Node};
use crate::message::{BuildError, SignedParts};

const FORGED_ID: &str = "_forged-id";
/// ID of the assertion in a forged Response.
const FORGED_ASSERTION_ID: &str = "_forged-assertion-id";

pub(super) const CASES: &[Case] = &[
    ("xsw1_response_inside_signature", "the signed Response moves into the Signature of a forged one", xsw1),
    ("xsw2_response_before_signature", "the signed Response moves in front of the Signature of a forged one", xsw2),
    ("xsw3_forged_assertion_first", "a forged Assertion stands before the signed one", xsw3),
    ("xsw4_signed_assertion_inside_forged", "a forged Assertion holds the signed one", xsw4),
    ("xsw5_signature_moves_to_forged", "a forged Assertion holds the Signature, the original follows bare", xsw5),
    ("xsw6_original_inside_signature", "a forged Assertion's Signature holds the bare original", xsw6),
    ("xsw7_forged_in_extensions", "a forged Assertion hides in the Response's Extensions", xsw7),
    ("xsw8_original_in_object", "a forged Assertion's Signature holds the original in an Object", xsw8),
    ("wrapped_in_advice", "a forged Assertion holds the signed one in its Advice", wrapped_in_advice),
    ("wrapped_in_status_detail", "the signed Assertion hides in StatusDetail", wrapped_in_status_detail),
    ("wrapped_with_same_id", "a forged Assertion has the ID of the signed one", wrapped_with_same_id),
    ("forged_assertion_last", "a forged Assertion follows the signed one", forged_last),
    ("response_inside_response", "a forged Response holds the signed one as a child", response_inside_response),
    ("encrypted_beside_forged", "an EncryptedAssertion without content stands beside a forged one", encrypted_beside),
];

/// A response whose assertion was signed, taken apart.
struct Parts {
    /// The honest Response without its assertion.
    response: Element,
    /// The honest assertion with its signature.
    signed: Element,
    /// The honest assertion without its signature.
    bare: Element,
    signature: Element,
    /// Assertion that claims to be another user, and has an ID of its own and no signature.
    forged: Element,
}

fn parts(scene: &Scene<'_>) -> Result<Parts, BuildError> {
    let mut response = scene.tree(SignedParts::Assertion)?;
    let signed = taken(&mut response, "Assertion");
    let mut bare = signed.clone();
    let signature = taken(&mut bare, "Signature");
    Ok(Parts { response, signed, signature, forged: forged(&bare), bare })
}

/// Takes a child out that was just built; an empty element stands for one that is not there.
fn taken(parent: &mut Element, local: &'static str) -> Element {
    parent.take(local).unwrap_or_else(|| Element::new("", local))
}

fn forged(original: &Element) -> Element {
    let mut forged = original.clone();
    forge(&mut forged);
    forged.set("ID", FORGED_ID);
    for node in &mut forged.children {
        if let Node::Element(child) = node
            && child.local == "Assertion"
        {
            child.set("ID", FORGED_ASSERTION_ID);
        }
    }
    forged
}

/// A signed response taken apart: the bare original, its signature, and a forged one without.
fn response_parts(scene: &Scene<'_>) -> Result<(Element, Element, Element), BuildError> {
    let mut original = scene.tree(SignedParts::Response)?;
    let signature = taken(&mut original, "Signature");
    let forged = forged(&original);
    Ok((original, signature, forged))
}

fn insert_after_issuer(element: &mut Element, children: Vec<Element>) {
    let position = element.position("Issuer").map_or(0, |issuer| issuer + 1);
    let nodes = children.into_iter().map(Node::Element);
    element.children.splice(position..position, nodes);
}

fn written(scene: &Scene<'_>, mut response: Element, assertions: Vec<Element>) -> Vec<u8> {
    response.children.extend(assertions.into_iter().map(Node::Element));
    scene.write(&response)
}

fn xsw1(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let (original, signature, mut forged) = response_parts(scene)?;
    insert_after_issuer(&mut forged, vec![signature.child(original)]);
    Ok(scene.write(&forged))
}

fn xsw2(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let (original, signature, mut forged) = response_parts(scene)?;
    insert_after_issuer(&mut forged, vec![original, signature]);
    Ok(scene.write(&forged))
}

fn xsw3(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let parts = parts(scene)?;
    Ok(written(scene, parts.response, vec![parts.forged, parts.signed]))
}

fn xsw4(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let parts = parts(scene)?;
    Ok(written(scene, parts.response, vec![parts.forged.child(parts.signed)]))
}

fn xsw5(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    insert_after_issuer(&mut parts.forged, vec![parts.signature]);
    Ok(written(scene, parts.response, vec![parts.forged, parts.bare]))
}

fn xsw6(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    insert_after_issuer(&mut parts.forged, vec![parts.signature.child(parts.bare)]);
    Ok(written(scene, parts.response, vec![parts.forged]))
}

fn xsw7(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    insert_extensions(&mut parts.response, vec![Node::Element(parts.forged)]);
    Ok(written(scene, parts.response, vec![parts.signed]))
}

fn xsw8(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    let object = Element::new(parts.signature.prefix.clone(), "Object").child(parts.bare);
    insert_after_issuer(&mut parts.forged, vec![parts.signature.child(object)]);
    Ok(written(scene, parts.response, vec![parts.forged]))
}

fn wrapped_in_advice(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let parts = parts(scene)?;
    let advice = Element::new(parts.forged.prefix.clone(), "Advice").child(parts.signed);
    Ok(written(scene, parts.response, vec![parts.forged.child(advice)]))
}

fn wrapped_in_status_detail(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    let detail = Element::new(parts.response.prefix.clone(), "StatusDetail").child(parts.signed);
    if let Some(status) = parts.response.find_mut("Status") {
        status.children.push(Node::Element(detail));
    }
    Ok(written(scene, parts.response, vec![parts.forged]))
}

fn wrapped_with_same_id(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut parts = parts(scene)?;
    let id = parts.signed.value("ID").unwrap_or_default().to_owned();
    parts.forged.set("ID", id);
    Ok(written(scene, parts.response, vec![parts.signed, parts.forged]))
}

fn forged_last(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let parts = parts(scene)?;
    Ok(written(scene, parts.response, vec![parts.signed, parts.forged]))
}

fn response_inside_response(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let signed = scene.tree(SignedParts::Response)?;
    let mut bare = signed.clone();
    taken(&mut bare, "Signature");
    Ok(scene.write(&forged(&bare).child(signed)))
}

fn encrypted_beside(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let parts = parts(scene)?;
    let (prefix, declarations) = (parts.signed.prefix.clone(), parts.signed.declarations.clone());
    let mut encrypted = Element::new(prefix, "EncryptedAssertion");
    encrypted.declarations = declarations;
    Ok(written(scene, parts.response, vec![encrypted, parts.signed, parts.forged]))
}
