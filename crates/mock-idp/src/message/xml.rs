//! A small XML tree. It is written twice: canonically for digests ([`super::canonical`]) and in an identity
//! provider's own style for the wire ([`super::styled`]). Both read the same tree, so a style cannot break a signature.

use std::borrow::Cow;

/// A name, prefix, value or text: mostly a constant, sometimes built.
pub type Text = Cow<'static, str>;

/// An attribute that is not a namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Namespace prefix, empty for none.
    pub prefix: Text,
    pub local: Text,
    /// The value before escaping.
    pub value: Text,
}

/// Child nodes that an element may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Element(Element),
    /// Text as it is before escaping.
    Text(Text),
    /// Text written as a CDATA section; canonical form is plain text.
    CData(Text),
    /// Absent from canonical form, as every SAML canonicalization is the one without comments.
    Comment(Text),
    /// Target and data, kept in canonical form.
    ProcessingInstruction(Text),
    /// Written verbatim, also in canonical form: markup that no tree can hold.
    Raw(Text),
}

/// An element with its namespace declarations apart from its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Namespace prefix, empty for none.
    pub prefix: Text,
    pub local: Text,
    /// Prefix (empty for the default namespace) and namespace name, in the order of writing.
    pub declarations: Vec<(Text, Text)>,
    pub attributes: Vec<Attribute>,
    pub children: Vec<Node>,
}

impl Element {
    /// An element without attributes, namespace declarations and children.
    pub fn new(prefix: impl Into<Text>, local: impl Into<Text>) -> Self {
        Self {
            prefix: prefix.into(),
            local: local.into(),
            declarations: Vec::new(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Declares a namespace here; an empty prefix is the default namespace.
    #[must_use]
    pub fn declare(mut self, prefix: impl Into<Text>, namespace: impl Into<Text>) -> Self {
        self.declarations.push((prefix.into(), namespace.into()));
        self
    }

    /// Appends an attribute without a prefix.
    #[must_use]
    pub fn attribute(self, local: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.prefixed_attribute("", local, value)
    }

    /// Appends an attribute with a prefix.
    #[must_use]
    pub fn prefixed_attribute(
        mut self,
        prefix: impl Into<Text>,
        local: impl Into<Text>,
        value: impl Into<Text>,
    ) -> Self {
        self.attributes.push(Attribute { prefix: prefix.into(), local: local.into(), value: value.into() });
        self
    }

    /// Appends an attribute if there is a value.
    #[must_use]
    pub fn attribute_if(self, local: &'static str, value: Option<impl Into<Text>>) -> Self {
        match value {
            Some(value) => self.attribute(local, value),
            None => self,
        }
    }

    /// Appends a text node, not yet escaped.
    #[must_use]
    pub fn text(mut self, text: impl Into<Text>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Appends a child element.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Appends a child element if there is one.
    #[must_use]
    pub fn child_if(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Child elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The first child element of that local name.
    pub fn element(&self, local: &str) -> Option<&Self> {
        self.elements().find(|element| element.local == local)
    }

    /// The first descendant (or self) of that local name, depth first.
    pub fn find(&self, local: &str) -> Option<&Self> {
        if self.local == local {
            return Some(self);
        }
        self.elements().find_map(|element| element.find(local))
    }

    /// Finds an element as [`Element::find`] does, to edit it.
    pub fn find_mut(&mut self, local: &str) -> Option<&mut Self> {
        if self.local == local {
            return Some(self);
        }
        self.children.iter_mut().find_map(|node| match node {
            Node::Element(element) => element.find_mut(local),
            _ => None,
        })
    }

    /// Index in [`Element::children`] of the first child element with that local name.
    pub fn position(&self, local: &str) -> Option<usize> {
        self.children.iter().position(|node| matches!(node, Node::Element(element) if element.local == local))
    }

    /// Takes the first child element of that local name out.
    pub fn take(&mut self, local: &str) -> Option<Self> {
        let position = self.position(local)?;
        match self.children.remove(position) {
            Node::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The value of an attribute without a prefix.
    pub fn value(&self, local: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.prefix.is_empty() && attribute.local == local)
            .map(|attribute| &*attribute.value)
    }

    /// Sets an attribute without a prefix, appending it if it is missing.
    pub fn set(&mut self, local: &'static str, value: impl Into<Text>) {
        let value = value.into();
        let found =
            self.attributes.iter_mut().find(|attribute| attribute.prefix.is_empty() && attribute.local == local);
        match found {
            Some(attribute) => attribute.value = value,
            None => self.attributes.push(Attribute { prefix: "".into(), local: local.into(), value }),
        }
    }

    /// Replaces all children with one text.
    pub fn set_text(&mut self, text: impl Into<Text>) {
        self.children = vec![Node::Text(text.into())];
    }

    /// Text and CDATA children joined.
    pub fn text_content(&self) -> String {
        self.children
            .iter()
            .filter_map(|node| match node {
                Node::Text(text) | Node::CData(text) => Some(&**text),
                _ => None,
            })
            .collect()
    }

    /// The namespace this element is in, as far as `self` and `scope` declare it; `scope` is outermost first.
    pub fn namespace<'a>(&'a self, scope: &'a [(Text, Text)]) -> Option<&'a str> {
        scope
            .iter()
            .chain(&self.declarations)
            .rev()
            .find(|(prefix, _)| *prefix == self.prefix)
            .map(|(_, namespace)| &**namespace)
    }
}
