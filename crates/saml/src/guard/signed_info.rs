//! `ds:SignedInfo` cut out of a message: what is signed of it can be found out, and compared with a key, without
//! working through the rest.

use super::refusal;
use crate::algorithm::Canonicalization;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::xml::tag::{self, QualifiedName, RawAttribute};
use crate::xml::{Element, write};

/// Longest `SignedInfo` with all that it inherits, in bytes. Honest ones take one or two thousand; this is hashed for
/// everyone who asks.
const MAX_SIGNED_INFO: usize = 8 * 1024;

/// A `ds:SignedInfo` and how it is canonicalized.
#[derive(Debug, Clone)]
pub(crate) struct SignedInfo {
    /// A document of its own: the element as it came, in another one that has the declarations and `xml:`
    /// attributes which it inherits in the message.
    pub(crate) document: String,
    pub(crate) canonicalization: Canonicalization,
    /// `PrefixList` of that canonicalization.
    pub(crate) inclusive_prefixes: Vec<String>,
}

/// The document of [`SignedInfo`]; `ancestors` are those of the element, the root first.
pub(super) fn document(element: &Element<'_, '_>, ancestors: &[Element<'_, '_>]) -> Result<String, Rejection> {
    let mut inherited: Vec<RawAttribute<'_>> = Vec::new();
    for ancestor in ancestors {
        add_inherited(ancestor, &mut inherited)?;
    }
    let lengths = inherited.iter().flat_map(|one| [one.name.prefix.len(), one.name.local.len(), one.value.len()]);
    if lengths.fold(element.source().len(), usize::saturating_add) > MAX_SIGNED_INFO {
        return Err(refusal(Reason::SignatureStructure).got("a long SignedInfo"));
    }
    let mut text = String::from("<inherited");
    for RawAttribute { name: QualifiedName { prefix, local }, value } in &inherited {
        text.extend([" ", prefix, if prefix.is_empty() { "" } else { ":" }, local, "=\""]);
        write::escape_attribute(value, &mut text);
        text.push('"');
    }
    text.extend([">", element.source(), "</inherited>"]);
    Ok(text)
}

/// Adds what descendants inherit from an element, in place of what they would have inherited from outside of it.
fn add_inherited<'a>(element: &Element<'_, 'a>, inherited: &mut Vec<RawAttribute<'a>>) -> Result<(), Rejection> {
    let inside = element.start_tag().trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let (_, mut attributes) = tag::open(inside)?;
    while let Some(attribute) = attributes.next()? {
        match (attribute.name.prefix, attribute.name.local) {
            // Says what is so anyway, and parsers differ in whether they keep it.
            ("xmlns", "xml") => {}
            ("xmlns" | "xml", _) | ("", "xmlns") => {
                inherited.retain(|other| other.name != attribute.name);
                inherited.push(attribute);
            }
            _ => {}
        }
    }
    Ok(())
}
