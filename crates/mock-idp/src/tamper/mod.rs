//! Hostile responses: from an honest specification to every document that a service provider must refuse.
//!
//! A suite loops over [`all`] and asserts that none of them signs anybody in. The honest response of the same
//! specification, built with the trusted key, must be accepted by the same suite, or the refusals prove nothing.
//!
//! Some documents an attacker can make from a captured response, some only with a key of their own, and some only the
//! trusted provider itself, which nevertheless must not be obeyed. Adding one: a function over `Scene` and a line in
//! its module's `CASES`.

mod content;
mod form_values;
mod signature;
mod size;
mod syntax;
mod wrapping;

pub use form_values::{HostileFormValue, form_values};

use crate::identity::SigningIdentity;
use crate::message::xml::{Element, Node};
use crate::message::{BuildError, Edits, ResponseSpec, SignedParts, form_value};

/// User that forged documents claim to be.
pub const FORGED_IDENTITY: &str = "forged-owner@example.test";

/// A document that a service provider must refuse, or at least must not misread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostileCase {
    /// A stable name, in snake case.
    pub name: &'static str,
    /// Attack in a few words.
    pub attack: &'static str,
    /// The document; not always UTF-8, not always XML.
    pub xml: Vec<u8>,
    /// `None`: it must be refused. Otherwise it may be accepted as this identity and no other.
    pub may_be_accepted_as: Option<String>,
}

impl HostileCase {
    /// The value of the form field `SAMLResponse`.
    pub fn form_value(&self) -> String {
        form_value(&self.xml)
    }
}

/// Every hostile document for a specification that is honest: shape, parties, times and request are taken from it,
/// while signed parts and encryption are each attack's own. `trusted` is the key that the service provider trusts,
/// `attacker` one that it does not know.
///
/// # Errors
/// As [`ResponseSpec::build`]; both keys must be RSA, because some attacks are about RSA.
pub fn all(
    spec: &ResponseSpec,
    trusted: &SigningIdentity,
    attacker: &SigningIdentity,
) -> Result<Vec<HostileCase>, BuildError> {
    let scene = Scene { spec, trusted, attacker };
    let tables = [wrapping::CASES, signature::CASES, content::CASES, syntax::CASES, size::CASES];
    let mut cases = Vec::new();
    for (name, attack, build) in tables.into_iter().flatten() {
        cases.push(HostileCase { name, attack, xml: build(&scene)?, may_be_accepted_as: None });
    }
    cases.extend(content::split_identities(&scene)?);
    Ok(cases)
}

/// A name, what is tried, and how it is built.
type Case = (&'static str, &'static str, fn(&Scene<'_>) -> Result<Vec<u8>, BuildError>);

/// Material that attacks are made from.
struct Scene<'a> {
    spec: &'a ResponseSpec,
    trusted: &'a SigningIdentity,
    attacker: &'a SigningIdentity,
}

impl Scene<'_> {
    /// The honest specification with other signed parts, in the clear.
    fn spec(&self, parts: SignedParts) -> ResponseSpec {
        let mut spec = self.spec.clone().signed(parts);
        spec.encryption = None;
        spec
    }

    /// A specification that claims to be another user.
    fn forged_spec(&self, parts: SignedParts) -> ResponseSpec {
        let mut spec = self.spec(parts);
        if let Some(name_id) = &mut spec.name_id {
            FORGED_IDENTITY.clone_into(&mut name_id.value);
        }
        for value in spec.attributes.iter_mut().flat_map(|attribute| &mut attribute.values) {
            if value.contains('@') {
                FORGED_IDENTITY.clone_into(value);
            }
        }
        spec
    }

    /// The honest response as a tree, signed by the trusted key.
    fn tree(&self, parts: SignedParts) -> Result<Element, BuildError> {
        self.spec(parts).build_tree(self.trusted, Edits::default())
    }

    /// The honest response as text, signed by the trusted key, without an XML declaration.
    fn text(&self, parts: SignedParts) -> Result<String, BuildError> {
        let text = self.spec(parts).build(self.trusted)?;
        Ok(match text.split_once("?>") {
            Some((declaration, rest)) if declaration.starts_with("<?xml") => rest.trim_start().to_owned(),
            _ => text,
        })
    }

    /// The honest response with its assertion signed, changed afterwards.
    fn changed(&self, change: impl FnOnce(&mut Element)) -> Result<Vec<u8>, BuildError> {
        let mut response = self.tree(SignedParts::Assertion)?;
        change(&mut response);
        Ok(self.write(&response))
    }

    /// The honest response with its assertion signed, changed as text.
    fn rewritten(&self, change: impl FnOnce(String) -> String) -> Result<Vec<u8>, BuildError> {
        self.text(SignedParts::Assertion).map(|text| change(text).into_bytes())
    }

    fn write(&self, tree: &Element) -> Vec<u8> {
        self.spec.document(tree).into_bytes()
    }
}

/// Makes every text that names a user claim to be [`FORGED_IDENTITY`].
fn forge(element: &mut Element) {
    let names_somebody = element.local == "NameID" || element.local == "AttributeValue";
    if names_somebody && element.text_content().contains('@') {
        element.set_text(FORGED_IDENTITY);
    }
    for node in &mut element.children {
        if let Node::Element(child) = node {
            forge(child);
        }
    }
}

/// Inserts an element after the Issuer and Signature of a response, where the schema has Extensions.
fn insert_extensions(response: &mut Element, content: Vec<Node>) {
    let mut extensions = Element::new(response.prefix.clone(), "Extensions");
    extensions.children = content;
    let position = response.position("Status").unwrap_or_default();
    response.children.insert(position, Node::Element(extensions));
}
