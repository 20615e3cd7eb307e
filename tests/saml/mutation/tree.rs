//! Changes to a message as a tree: what an attacker does who knows SAML. Elements are named by their place in document
//! order, wrapped around.

use mock_idp::message::xml::{Element, Node};
use mock_idp::tamper::FORGED_IDENTITY;
use proptest::prelude::*;
use proptest::sample::select;

const NAMES: [&str; 16] = [
    "Response",
    "Assertion",
    "EncryptedAssertion",
    "Signature",
    "SignedInfo",
    "Object",
    "Advice",
    "Extensions",
    "StatusDetail",
    "Subject",
    "NameID",
    "AttributeStatement",
    "Attribute",
    "AttributeValue",
    "Issuer",
    "KeyInfo",
];
const ATTRIBUTES: [&str; 12] = [
    "ID",
    "Id",
    "id",
    "AssertionID",
    "URI",
    "Algorithm",
    "Destination",
    "InResponseTo",
    "Recipient",
    "NotOnOrAfter",
    "Version",
    "Name",
];
const PREFIXES: [&str; 8] = ["", "saml", "saml2", "samlp", "ds", "xml", "xmlns", "x"];
const NAMESPACES: [&str; 5] = [
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "http://www.w3.org/2000/09/xmldsig#",
    "urn:example:x",
    "",
];

#[derive(Clone, Debug)]
pub enum Change {
    Delete(usize),
    Copy {
        element: usize,
        into: usize,
        at: usize,
    },
    Move {
        element: usize,
        into: usize,
        at: usize,
    },
    /// A copy of an element that claims another identity, with another ID.
    CopyForged {
        element: usize,
        into: usize,
        at: usize,
    },
    /// An element of the attacker's own message.
    Graft {
        element: usize,
        into: usize,
        at: usize,
    },
    /// An element takes the place of another, and holds it.
    Wrap {
        element: usize,
        name: &'static str,
    },
    Rename {
        element: usize,
        name: &'static str,
    },
    SetPrefix {
        element: usize,
        prefix: &'static str,
    },
    Declare {
        element: usize,
        prefix: &'static str,
        namespace: &'static str,
    },
    /// An attribute gets the value of that attribute of another element, or of its `ID`.
    CopyAttribute {
        element: usize,
        name: &'static str,
        from: usize,
    },
    RemoveAttribute {
        element: usize,
        name: &'static str,
    },
    SetText {
        element: usize,
        text: String,
    },
    InsertNode {
        element: usize,
        at: usize,
        node: Node,
    },
}

pub fn change() -> impl Strategy<Value = Change> {
    let place = || 0..120_usize;
    let at = || 0..6_usize;
    let name = || select(NAMES.as_slice());
    let attribute = || select(ATTRIBUTES.as_slice());
    let prefix = || select(PREFIXES.as_slice());
    prop_oneof![
        place().prop_map(Change::Delete),
        (place(), place(), at()).prop_map(|(element, into, at)| Change::Copy { element, into, at }),
        (place(), place(), at()).prop_map(|(element, into, at)| Change::Move { element, into, at }),
        (place(), place(), at()).prop_map(|(element, into, at)| Change::CopyForged { element, into, at }),
        (place(), place(), at()).prop_map(|(element, into, at)| Change::Graft { element, into, at }),
        (place(), name()).prop_map(|(element, name)| Change::Wrap { element, name }),
        (place(), name()).prop_map(|(element, name)| Change::Rename { element, name }),
        (place(), prefix()).prop_map(|(element, prefix)| Change::SetPrefix { element, prefix }),
        (place(), prefix(), select(NAMESPACES.as_slice())).prop_map(|(element, prefix, namespace)| Change::Declare {
            element,
            prefix,
            namespace
        }),
        (place(), attribute(), place()).prop_map(|(element, name, from)| Change::CopyAttribute { element, name, from }),
        (place(), attribute()).prop_map(|(element, name)| Change::RemoveAttribute { element, name }),
        (place(), text()).prop_map(|(element, text)| Change::SetText { element, text }),
        (place(), at(), node()).prop_map(|(element, at, node)| Change::InsertNode { element, at, node }),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(FORGED_IDENTITY.to_owned()), Just(String::new()), "[a-z@. \r\n\u{200b}é]{0,12}"]
}

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![
        text().prop_map(|text| Node::Comment(text.into())),
        text().prop_map(|text| Node::CData(text.into())),
        text().prop_map(|text| Node::Text(text.into())),
        Just(Node::ProcessingInstruction("x y".into())),
        Just(Node::Raw("&#x20;&amp;".into())),
        Just(Node::Raw("<!---->".into())),
    ]
}

impl Change {
    pub fn apply(&self, tree: &mut Element, forged: &Element) {
        match self {
            Self::Delete(element) => drop(take(tree, *element)),
            Self::Copy { element, into, at } => insert(tree, *into, *at, nth(tree, *element).clone()),
            Self::CopyForged { element, into, at } => insert(tree, *into, *at, forge(nth(tree, *element).clone())),
            Self::Graft { element, into, at } => insert(tree, *into, *at, nth(forged, *element).clone()),
            Self::Move { element, into, at } => {
                if let Some(taken) = take(tree, *element) {
                    insert(tree, *into, *at, taken);
                }
            }
            Self::Wrap { element, name } => {
                let element = nth_mut(tree, *element);
                let outer = Element::new(element.prefix.clone(), *name);
                let inner = std::mem::replace(element, outer);
                element.children.push(Node::Element(inner));
            }
            Self::InsertNode { element, at, node } => {
                let children = &mut nth_mut(tree, *element).children;
                children.insert(at % (children.len() + 1), node.clone());
            }
            other => other.apply_inside(tree),
        }
    }

    /// Changes to an element's own name, attributes and text.
    fn apply_inside(&self, tree: &mut Element) {
        match self {
            Self::Rename { element, name } => nth_mut(tree, *element).local = (*name).into(),
            Self::SetPrefix { element, prefix } => nth_mut(tree, *element).prefix = (*prefix).into(),
            Self::Declare { element, prefix, namespace } => {
                nth_mut(tree, *element).declarations.push(((*prefix).into(), (*namespace).into()));
            }
            Self::CopyAttribute { element, name, from } => {
                let from = nth(tree, *from);
                let value = from.value(name).or(from.value("ID")).unwrap_or_default().to_owned();
                nth_mut(tree, *element).set(name, value);
            }
            Self::RemoveAttribute { element, name } => {
                nth_mut(tree, *element).attributes.retain(|attribute| attribute.local != *name);
            }
            Self::SetText { element, text } => nth_mut(tree, *element).set_text(text.clone()),
            _ => {}
        }
    }
}

fn forge(mut element: Element) -> Element {
    if element.value("ID").is_some() {
        element.set("ID", "_forged");
    }
    rename_people(&mut element);
    element
}

fn rename_people(element: &mut Element) {
    if element.text_content().contains('@') {
        element.set_text(FORGED_IDENTITY);
    }
    for node in &mut element.children {
        if let Node::Element(child) = node {
            rename_people(child);
        }
    }
}

fn count(element: &Element) -> usize {
    1 + element.elements().map(count).sum::<usize>()
}

fn nth(tree: &Element, place: usize) -> &Element {
    fn find<'a>(element: &'a Element, left: &mut usize) -> Option<&'a Element> {
        if *left == 0 {
            return Some(element);
        }
        *left -= 1;
        element.elements().find_map(|child| find(child, left))
    }
    find(tree, &mut (place % count(tree))).unwrap()
}

fn nth_mut(tree: &mut Element, place: usize) -> &mut Element {
    fn find<'a>(element: &'a mut Element, left: &mut usize) -> Option<&'a mut Element> {
        if *left == 0 {
            return Some(element);
        }
        *left -= 1;
        element.children.iter_mut().find_map(|node| match node {
            Node::Element(child) => find(child, left),
            _ => None,
        })
    }
    let mut left = place % count(tree);
    find(tree, &mut left).unwrap()
}

/// Takes an element out; the root stays.
fn take(tree: &mut Element, place: usize) -> Option<Element> {
    fn find(element: &mut Element, left: &mut usize) -> Option<Element> {
        for index in 0..element.children.len() {
            let Node::Element(child) = &mut element.children[index] else { continue };
            *left -= 1;
            if *left == 0 {
                let Node::Element(taken) = element.children.remove(index) else { return None };
                return Some(taken);
            }
            if let Some(taken) = find(child, left) {
                return Some(taken);
            }
        }
        None
    }
    let mut left = place % count(tree);
    if left == 0 { None } else { find(tree, &mut left) }
}

fn insert(tree: &mut Element, into: usize, at: usize, element: Element) {
    let children = &mut nth_mut(tree, into).children;
    children.insert(at % (children.len() + 1), Node::Element(element));
}
