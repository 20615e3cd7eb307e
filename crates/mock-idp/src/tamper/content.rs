//! Changes to what a signature covers, or beside it: values, identifiers, duplicates, text split by markup.

use super::{Case, FORGED_IDENTITY, HostileCase, Scene, forge, insert_extensions};
use crate::message::xml::{Attribute, Element, Node};
use crate::message::{BuildError, Edits, SignedParts, Status};

pub(super) const CASES: &[Case] = &[
    ("altered_identity", "the identity was changed after signing", |scene| scene.changed(forge)),
    ("altered_attribute", "an attribute value was changed after signing", |scene| {
        scene.changed(|response| set_text(response, "AttributeValue", FORGED_IDENTITY))
    }),
    ("altered_audience", "the audience was changed after signing", |scene| {
        scene.changed(|response| set_text(response, "Audience", "https://another-sp.example.test"))
    }),
    ("altered_time", "the assertion's expiry was changed after signing", |scene| {
        scene.changed(|response| {
            if let Some(conditions) = response.find_mut("Conditions") {
                conditions.set("NotOnOrAfter", "2099-01-01T00:00:00Z");
            }
        })
    }),
    ("assertion_twice", "the signed Assertion stands there twice", |scene| {
        scene.changed(|response| {
            if let Some(assertion) = response.element("Assertion").cloned() {
                response.children.push(Node::Element(assertion));
            }
        })
    }),
    ("assertion_missing", "a successful Response without an Assertion, signed", |scene| {
        let mut spec = scene.spec(SignedParts::Response);
        spec.carries_assertion = false;
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("failed_status_with_assertion", "the status is a failure, although there is a signed Assertion", |scene| {
        let mut spec = scene.spec(SignedParts::Both);
        spec.status = Status::responder("AuthnFailed");
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("assertion_in_another_namespace", "an Assertion that is not SAML's stands beside the signed one", |scene| {
        scene.changed(|response| {
            let mut other = Element::new("o", "Assertion").declare("o", "urn:example:other");
            other.set("ID", "_other");
            response.children.push(Node::Element(other));
        })
    }),
    ("same_id_on_response", "Response and signed Assertion have the same ID", |scene| {
        scene.changed(|response| {
            let id = assertion_id(response);
            response.set("ID", id);
        })
    }),
    ("same_id_in_extensions", "another element has the signed Assertion's ID", |scene| same_id(scene, "", "ID")),
    ("same_id_in_lower_case", "another element has it as its id", |scene| same_id(scene, "", "id")),
    ("same_id_in_title_case", "another element has it as its Id", |scene| same_id(scene, "", "Id")),
    ("same_id_as_xml_id", "another element has it as its xml:id", |scene| same_id(scene, "xml", "id")),
    ("signed_element_in_name_id", "signed by the trusted key, the NameID or a value holds an element", |scene| {
        let edit = |response: &mut Element| {
            let local = if response.find("NameID").is_some() { "NameID" } else { "AttributeValue" };
            if let Some(identity) = response.find_mut(local) {
                identity.children.push(Node::Element(Element::new("x", "x").declare("x", "urn:example:x").text("y")));
            }
        };
        signed_after(scene, &edit)
    }),
    ("signed_unknown_condition", "signed by the trusted key, Conditions hold one that nobody knows", |scene| {
        let edit = |response: &mut Element| {
            if let Some(conditions) = response.find_mut("Conditions") {
                let mut condition = Element::new(conditions.prefix.clone(), "Condition")
                    .declare("xsi", "http://www.w3.org/2001/XMLSchema-instance")
                    .declare("x", "urn:example:x");
                condition = condition.prefixed_attribute("xsi", "type", "x:OnlyOnSundays");
                conditions.children.push(Node::Element(condition));
            }
        };
        signed_after(scene, &edit)
    }),
    ("signed_holder_of_key", "signed by the trusted key, the confirmation is not bearer", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key".clone_into(&mut spec.confirmation_method);
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("signed_without_recipient", "signed by the trusted key, the confirmation names no recipient", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.recipient = None;
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("signed_without_expiry", "signed by the trusted key, the confirmation never ends", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.confirmation_not_on_or_after = None;
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("signed_without_audience", "signed by the trusted key, for no audience", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.audiences.clear();
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("signed_second_audience_restriction", "signed by the trusted key, a second restriction excludes us", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.audiences.push(vec!["https://another-sp.example.test".to_owned()]);
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("signed_without_authn_statement", "signed by the trusted key, nobody authenticated", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.authn_instant = None;
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("root_is_the_assertion", "the signed Assertion is the document", |scene| {
        let mut response = scene.tree(SignedParts::Assertion)?;
        let mut assertion = response.take("Assertion").unwrap_or_else(|| response.clone());
        for declaration in response.declarations {
            if !assertion.declarations.contains(&declaration) {
                assertion.declarations.push(declaration);
            }
        }
        Ok(scene.write(&assertion))
    }),
    ("version_1_1", "signed by the trusted key, the assertion is of another SAML version", |scene| {
        let edit = |response: &mut Element| {
            if let Some(assertion) = response.find_mut("Assertion") {
                assertion.set("Version", "1.1");
            }
        };
        signed_after(scene, &edit)
    }),
];

/// Signed identities that a comment, a CDATA section or an instruction splits after signing. The signature stays valid
/// (an instruction breaks it); a careless reader stops at the split and sees the honest user instead of the stranger.
pub(super) fn split_identities(scene: &Scene<'_>) -> Result<Vec<HostileCase>, BuildError> {
    let splits = [
        ("identity_split_by_comment", Node::Comment("".into())),
        ("identity_split_by_cdata", Node::CData("".into())),
        ("identity_split_by_instruction", Node::ProcessingInstruction("x y".into())),
    ];
    let mut cases = Vec::new();
    for (name, split) in splits {
        let stranger = format!("{}{STRANGER_SUFFIX}", honest_identity(scene));
        let extend = |response: &mut Element| for_identities(response, &|text| text.push_str(STRANGER_SUFFIX));
        let edits = Edits { unsigned_response: &extend, ..Edits::default() };
        let mut response = scene.spec(SignedParts::Assertion).build_tree(scene.trusted, edits)?;
        split_identity(&mut response, &split);
        let broken = matches!(split, Node::ProcessingInstruction(_));
        cases.push(HostileCase {
            name,
            attack: "a stranger's name begins with an honest user's, and is split behind it",
            xml: scene.write(&response),
            may_be_accepted_as: (!broken).then_some(stranger),
        });
    }
    Ok(cases)
}

/// Suffix that makes the victim's name an attacker's own name at the same provider.
const STRANGER_SUFFIX: &str = ".attacker.test";

fn honest_identity(scene: &Scene<'_>) -> String {
    let attributes = scene.spec.attributes.iter().flat_map(|attribute| &attribute.values);
    let mut names = attributes.filter(|value| value.contains('@')).cloned();
    let name_id = scene.spec.name_id.as_ref().map(|name_id| name_id.value.clone());
    names.next().or(name_id).unwrap_or_default()
}

/// Changes every text that names a user.
fn for_identities(element: &mut Element, change: &dyn Fn(&mut String)) {
    if is_identity(element) {
        let mut text = element.text_content();
        change(&mut text);
        element.set_text(text);
    }
    for node in &mut element.children {
        if let Node::Element(child) = node {
            for_identities(child, change);
        }
    }
}

fn split_identity(element: &mut Element, split: &Node) {
    if is_identity(element) {
        let text = element.text_content();
        let honest = text.strip_suffix(STRANGER_SUFFIX).unwrap_or(&text).to_owned();
        element.children = vec![Node::Text(honest.into()), split.clone(), Node::Text(STRANGER_SUFFIX.into())];
    }
    for node in &mut element.children {
        if let Node::Element(child) = node {
            split_identity(child, split);
        }
    }
}

fn is_identity(element: &Element) -> bool {
    let names_somebody = element.local == "NameID" || element.local == "AttributeValue";
    names_somebody && element.text_content().contains('@')
}

fn signed_after(scene: &Scene<'_>, edit: &dyn Fn(&mut Element)) -> Result<Vec<u8>, BuildError> {
    let edits = Edits { unsigned_response: edit, ..Edits::default() };
    Ok(scene.spec(SignedParts::Assertion).build_edited(scene.trusted, edits)?.into_bytes())
}

fn set_text(response: &mut Element, local: &str, text: &'static str) {
    if let Some(element) = response.find_mut(local) {
        element.set_text(text);
    }
}

fn assertion_id(response: &Element) -> String {
    let assertion = response.find("Assertion");
    assertion.and_then(|assertion| assertion.value("ID")).unwrap_or_default().to_owned()
}

fn same_id(scene: &Scene<'_>, prefix: &'static str, local: &'static str) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| {
        let mut other = Element::new("x", "x").declare("x", "urn:example:x");
        other.attributes.push(Attribute {
            prefix: prefix.into(),
            local: local.into(),
            value: assertion_id(response).into(),
        });
        insert_extensions(response, vec![Node::Element(other)]);
    })
}
