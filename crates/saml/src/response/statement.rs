//! Statements of an assertion: how the subject signed in, and what is said about it (core 2.7).

use std::collections::HashMap;

use jiff::Timestamp;

use super::parse::structure;
use super::window::Window;
use crate::attribute::Attribute;
use crate::instant;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::xml::tree::NodeKind;
use crate::xml::{Element, character, namespace};

/// Claims of a `saml:AuthnStatement` (core 2.7.2).
#[derive(Debug)]
pub(super) struct AuthnStatement {
    pub(super) authn_instant: Timestamp,
    pub(super) session_index: Option<String>,
    pub(super) session_not_on_or_after: Option<Timestamp>,
    pub(super) context_class: Option<String>,
}

impl AuthnStatement {
    pub(super) fn read(statement: &Element<'_, '_>) -> Result<Self, Rejection> {
        let class = statement
            .child(namespace::ASSERTION, "AuthnContext")
            .and_then(|context| context.child(namespace::ASSERTION, "AuthnContextClassRef"));
        Ok(Self {
            authn_instant: instant::required(statement.attribute("AuthnInstant"))?,
            session_index: statement.attribute("SessionIndex").map(str::to_owned),
            session_not_on_or_after: instant::optional(statement.attribute("SessionNotOnOrAfter"))?,
            // A URI, never an identity: pretty-printed metadata tools put line breaks around it.
            context_class: class.map(|class| super::parse::text(&class)).transpose()?.map(|uri| uri.trim().to_owned()),
        })
    }

    /// The sign-in has happened, and its session has not ended.
    pub(super) fn check_times(&self, window: &mut Window) -> Result<(), Rejection> {
        window.begun(self.authn_instant, Reason::AuthnInstantInFuture)?;
        self.session_not_on_or_after.map_or(Ok(()), |end| window.ahead(end, Reason::IdpSessionEnded))
    }
}

/// The attributes of all statements, merged by name.
pub(super) fn attributes(assertion: &Element<'_, '_>) -> Result<Vec<Attribute>, Rejection> {
    let mut merged: Vec<Attribute> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for statement in assertion.children_named(namespace::ASSERTION, "AttributeStatement") {
        for element in statement.children() {
            let attribute = attribute(&element)?;
            let place = *places.entry(attribute.name.clone()).or_insert(merged.len());
            if let Some(known) = merged.get_mut(place) {
                known.values.extend(attribute.values);
            } else {
                merged.push(attribute);
            }
        }
    }
    Ok(merged)
}

fn attribute(element: &Element<'_, '_>) -> Result<Attribute, Rejection> {
    if element.is(namespace::ASSERTION, "EncryptedAttribute") {
        return Err(structure(Reason::EncryptedAttributeUnsupported));
    }
    let name = element.attribute("Name").filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| element.is(namespace::ASSERTION, "Attribute")) else {
        return Err(structure(Reason::AttributeInvalid).got(element.local()));
    };
    Ok(Attribute {
        name: name.to_owned(),
        name_format: element.attribute("NameFormat").map(str::to_owned),
        friendly_name: element.attribute("FriendlyName").map(str::to_owned),
        values: element
            .children_named(namespace::ASSERTION, "AttributeValue")
            .map(|value| attribute_value(&value))
            .collect::<Result<_, _>>()?,
    })
}

/// Text exactly as it stands; or, of a structured value such as Shibboleth's `NameID`, the text inside its elements.
/// A mixture has no single reading.
fn attribute_value(value: &Element<'_, '_>) -> Result<String, Rejection> {
    if value.children().next().is_none() {
        return super::parse::text(value);
    }
    if value.nodes().any(|node| matches!(&node.kind, NodeKind::Text(text) if !character::is_blank(text))) {
        return Err(structure(Reason::AttributeValueMixed));
    }
    Ok(value.children().map(|child| child.deep_text()).collect::<String>().trim().to_owned())
}
