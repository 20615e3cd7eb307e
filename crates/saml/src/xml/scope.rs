//! Namespace declarations in scope (Namespaces in XML 1.0).

use std::borrow::Cow;

use super::{MALFORMED, XmlError, namespace};

/// Which namespace name: a place in the document's table.
pub(crate) type NamespaceId = usize;

/// No namespace.
pub(crate) const NONE: NamespaceId = 0;
const XML: NamespaceId = 1;

/// Most different namespace names in a document, looked up one by one. Honest messages have ten, metadata thirty.
const MAX_NAMES: usize = 100;

/// The declarations in scope while a document is read, and every namespace name that it declared.
pub(crate) struct Scope<'a> {
    names: Vec<Cow<'a, str>>,
    bindings: Vec<(&'a str, NamespaceId)>,
    limit: usize,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { names: vec![Cow::Borrowed(""), Cow::Borrowed(namespace::XML)], bindings: Vec::new(), limit }
    }

    /// How many declarations are in scope; give it to [`Self::leave`] at the end of the element that comes.
    pub(crate) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn leave(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// Declares a prefix, the empty one for the default namespace.
    pub(crate) fn declare(&mut self, prefix: &'a str, name: Cow<'a, str>, mark: usize) -> Result<(), XmlError> {
        let reserved = prefix == "xml" || prefix == "xmlns" || name == namespace::XML || name == namespace::XMLNS;
        if reserved || (name.is_empty() && !prefix.is_empty()) {
            return Err(MALFORMED);
        }
        if self.bindings.iter().skip(mark).any(|(declared, _)| *declared == prefix) {
            return Err(XmlError("duplicate_attribute"));
        }
        if self.bindings.len() >= self.limit {
            return Err(XmlError("too_many_namespaces"));
        }
        let id = self.intern(name)?;
        self.bindings.push((prefix, id));
        Ok(())
    }

    fn intern(&mut self, name: Cow<'a, str>) -> Result<NamespaceId, XmlError> {
        // Honest documents declare the same few names again and again.
        if let Some(known) = self.names.iter().position(|known| *known == name) {
            return Ok(known);
        }
        if self.names.len() >= MAX_NAMES {
            return Err(XmlError("too_many_namespaces"));
        }
        self.names.push(name);
        Ok(self.names.len().saturating_sub(1))
    }

    /// The namespace of a prefix, the empty one being the default namespace.
    pub(crate) fn resolve(&self, prefix: &str) -> Result<NamespaceId, XmlError> {
        if prefix == "xml" {
            return Ok(XML);
        }
        match self.bindings.iter().rev().find(|(declared, _)| *declared == prefix) {
            Some((_, id)) => Ok(*id),
            None if prefix.is_empty() => Ok(NONE),
            None => Err(XmlError("unbound_prefix")),
        }
    }

    /// The table of names, once the document is read.
    pub(crate) fn into_names(self) -> Vec<Cow<'a, str>> {
        self.names
    }
}
