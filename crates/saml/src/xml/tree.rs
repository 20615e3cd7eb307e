//! A parsed document: elements with expanded names, texts with references resolved.

use std::borrow::Cow;
use std::ops::Range;

use super::XmlError;
use super::scope::{NONE, NamespaceId};
use crate::reason::Reason;

/// A document that the strict parser accepted. Borrows from its text wherever that text needed no change.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) namespaces: Vec<Cow<'a, str>>,
}

#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: NodeKind<'a>,
    pub(crate) first_child: Option<usize>,
    pub(crate) next_sibling: Option<usize>,
}

#[derive(Debug)]
pub(crate) enum NodeKind<'a> {
    Element { namespace: NamespaceId, local: &'a str, attributes: Range<usize>, source: Source },
    Text(Cow<'a, str>),
    Comment,
    Instruction,
}

/// Place of an element in the document's text, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    pub(crate) start: usize,
    pub(crate) start_tag_end: usize,
    pub(crate) end: usize,
}

#[derive(Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) namespace: NamespaceId,
    pub(crate) local: &'a str,
    pub(crate) value: Cow<'a, str>,
}

impl<'a> Document<'a> {
    /// The document element, always the first node: the parser keeps nothing before it.
    pub(crate) fn root(&self) -> Option<Element<'_, 'a>> {
        self.nodes.first().and_then(|node| Element::new(self, node))
    }

    /// All elements in document order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Element<'_, 'a>> {
        self.nodes.iter().filter_map(|node| Element::new(self, node))
    }
}

/// An element of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'d, 'a> {
    document: &'d Document<'a>,
    node: &'d Node<'a>,
    namespace: NamespaceId,
    local: &'a str,
}

impl<'d, 'a> Element<'d, 'a> {
    fn new(document: &'d Document<'a>, node: &'d Node<'a>) -> Option<Self> {
        match &node.kind {
            NodeKind::Element { namespace, local, .. } => Some(Self { document, node, namespace: *namespace, local }),
            _ => None,
        }
    }

    pub(crate) fn local(&self) -> &'a str {
        self.local
    }

    pub(crate) fn namespace(&self) -> &'d str {
        self.document.namespaces.get(self.namespace).map_or("", AsRef::as_ref)
    }

    pub(crate) fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace() == namespace
    }

    fn all_attributes(&self) -> &'d [Attribute<'a>] {
        match &self.node.kind {
            NodeKind::Element { attributes, .. } => {
                self.document.attributes.get(attributes.clone()).unwrap_or_default()
            }
            _ => &[],
        }
    }

    fn part(&self, range: impl Fn(&Source) -> Range<usize>) -> &'a str {
        match &self.node.kind {
            NodeKind::Element { source, .. } => self.document.text.get(range(source)).unwrap_or_default(),
            _ => "",
        }
    }

    /// The element as it stands in the document's text, from its start tag to its end tag.
    pub(crate) fn source(&self) -> &'a str {
        self.part(|source| source.start..source.end)
    }

    /// The start tag as it stands in the document's text.
    pub(crate) fn start_tag(&self) -> &'a str {
        self.part(|source| source.start..source.start_tag_end)
    }

    /// The value of the attribute of that name in no namespace.
    pub(crate) fn attribute(&self, local: &str) -> Option<&'d str> {
        self.all_attributes()
            .iter()
            .find(|attribute| attribute.local == local && attribute.namespace == NONE)
            .map(|attribute| attribute.value.as_ref())
    }

    /// All attributes as local name and value, whatever their namespace.
    pub(crate) fn attribute_values(&self) -> impl Iterator<Item = (&'a str, &'d str)> {
        self.all_attributes().iter().map(|attribute| (attribute.local, attribute.value.as_ref()))
    }

    /// All child nodes in document order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &'d Node<'a>> + use<'d, 'a> {
        let document = self.document;
        let mut next = self.node.first_child;
        std::iter::from_fn(move || {
            let node = document.nodes.get(next?)?;
            next = node.next_sibling;
            Some(node)
        })
    }

    /// Child elements in document order.
    pub(crate) fn children(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        let document = self.document;
        self.nodes().filter_map(move |node| Element::new(document, node))
    }

    /// Child elements of one name.
    pub(crate) fn children_named<'n>(
        &self,
        namespace: &'n str,
        local: &'n str,
    ) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a, 'n> {
        self.children().filter(move |child| child.is(namespace, local))
    }

    /// The first child element of that name.
    pub(crate) fn child(&self, namespace: &str, local: &str) -> Option<Element<'d, 'a>> {
        self.children().find(|child| child.is(namespace, local))
    }

    /// The element's text: its text nodes joined across comments, so that a comment cannot cut an identity short.
    /// Child elements and processing instructions are refused.
    pub(crate) fn text(&self) -> Result<Cow<'d, str>, XmlError> {
        let mut text = Cow::Borrowed("");
        for node in self.nodes() {
            match &node.kind {
                NodeKind::Text(part) if text.is_empty() => text = Cow::Borrowed(part.as_ref()),
                NodeKind::Text(part) => text.to_mut().push_str(part),
                NodeKind::Comment => {}
                NodeKind::Element { .. } | NodeKind::Instruction => return Err(XmlError(Reason::TextExpected)),
            }
        }
        Ok(text)
    }

    /// The text of the element and of everything inside, for values whose inner structure does not matter.
    pub(crate) fn deep_text(&self) -> String {
        let mut text = String::new();
        self.append_text(&mut text);
        text
    }

    // The depth is bounded by the parser.
    fn append_text(&self, text: &mut String) {
        for node in self.nodes() {
            match (&node.kind, Element::new(self.document, node)) {
                (NodeKind::Text(part), _) => text.push_str(part),
                (_, Some(child)) => child.append_text(text),
                _ => {}
            }
        }
    }
}
