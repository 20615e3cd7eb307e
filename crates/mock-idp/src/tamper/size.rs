//! Documents that cost more to read than to make. Those of ordinary length must be refused by their structure.

use super::{Case, Scene, insert_extensions};
use crate::message::xml::{Element, Node};
use crate::message::{BuildError, Canonicalization, SignedParts};

/// Deeper than any stack holds, if each level is a call.
const DEPTH: usize = 100_000;
/// More than any reader that compares each with all can bear.
const MANY: usize = 100_000;
/// Number of attributes that fit into a form of ordinary size.
const MANY_WITHIN_ORDINARY_SIZE: usize = 50_000;
/// Number of signatures at which both known engines crawl.
const MANY_SIGNATURES: usize = 2_000;
/// Number of signatures, each with a certificate, that fit into a form of ordinary size.
const SIGNATURES_WITHIN_ORDINARY_SIZE: usize = 150;
/// Longer than any form that a service provider should read.
const HUGE_LENGTH: usize = 5_000_000;
/// Inside ordinary size limits.
const LONG_LENGTH: usize = 500_000;

pub(super) const CASES: &[Case] = &[
    ("deeply_nested", "100,000 elements inside each other", |scene| {
        extended(scene, format!("{}{}", "<a>".repeat(DEPTH), "</a>".repeat(DEPTH)))
    }),
    ("deeply_nested_unclosed", "100,000 elements begin inside each other", |_| Ok("<a>".repeat(DEPTH).into_bytes())),
    ("deeply_nested_a_little", "300 elements inside each other", |scene| {
        extended(scene, format!("{}{}", "<a>".repeat(300), "</a>".repeat(300)))
    }),
    ("many_attributes", "100,000 attributes on one element", |scene| attributes(scene, MANY)),
    ("many_attributes_within_size", "50,000 attributes on one element", |scene| {
        attributes(scene, MANY_WITHIN_ORDINARY_SIZE)
    }),
    ("many_declarations", "20,000 namespace declarations on one element", many_declarations),
    ("many_elements", "100,000 elements side by side", |scene| extended(scene, "<a/>".repeat(MANY))),
    ("many_comments", "100,000 comments", |scene| extended(scene, "<!---->".repeat(MANY))),
    ("many_signatures", "2,000 signatures", |scene| signatures(scene, MANY_SIGNATURES)),
    ("many_signatures_within_size", "150 signatures", |scene| signatures(scene, SIGNATURES_WITHIN_ORDINARY_SIZE)),
    ("many_assertions", "200 copies of the signed Assertion", many_assertions),
    ("long_prefix_list", "signed by the attacker, with a prefix list of 20,000", long_prefix_list),
    ("long_attribute_value", "an attribute value of 500,000 characters", |scene| destination(scene, LONG_LENGTH)),
    ("huge_attribute_value", "an attribute value of 5,000,000 characters", |scene| destination(scene, HUGE_LENGTH)),
    ("huge_white_space", "5,000,000 spaces after the document", |scene| {
        scene.rewritten(|text| text + &" ".repeat(HUGE_LENGTH))
    }),
];

/// The honest response, its assertion signed, with markup in its Extensions.
fn extended(scene: &Scene<'_>, markup: String) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| insert_extensions(response, vec![Node::Raw(markup.into())]))
}

fn attributes(scene: &Scene<'_>, count: usize) -> Result<Vec<u8>, BuildError> {
    with_attributes(scene, (0..count).map(|index| format!("a{index:x}=\"\"")))
}

/// Puts attributes on the Response, which no signature covers.
fn with_attributes(scene: &Scene<'_>, attributes: impl Iterator<Item = String>) -> Result<Vec<u8>, BuildError> {
    let attributes = attributes.collect::<Vec<_>>().join(" ");
    scene.rewritten(|text| text.replacen(" Version=", &format!(" {attributes} Version="), 1))
}

fn many_declarations(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    with_attributes(scene, (0..20_000).map(|index| format!("xmlns:n{index:x}=\"u:{index:x}\"")))
}

fn signatures(scene: &Scene<'_>, count: usize) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| {
        if let Some(signature) = response.find("Signature").cloned() {
            let copies = std::iter::repeat_n(Node::Element(signature), count);
            if let Some(assertion) = response.find_mut("Assertion") {
                assertion.children.extend(copies);
            }
        }
    })
}

fn many_assertions(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| {
        if let Some(assertion) = response.element("Assertion").cloned() {
            let copies: Vec<Element> = std::iter::repeat_n(assertion, 200).collect();
            response.children.extend(copies.into_iter().map(Node::Element));
        }
    })
}

fn long_prefix_list(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut spec = scene.forged_spec(SignedParts::Assertion);
    spec.signing.canonicalization =
        Canonicalization::Exclusive { prefix_list: (0..20_000).map(|index| format!("n{index:x}")).collect() };
    Ok(spec.build(scene.attacker)?.into_bytes())
}

fn destination(scene: &Scene<'_>, length: usize) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| response.set("Destination", "x".repeat(length)))
}
