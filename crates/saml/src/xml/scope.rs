//! Namespace declarations in scope (Namespaces in XML 1.0).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{MALFORMED, XmlError, namespace};
use crate::reason::Reason;

/// Index of a namespace name in the document's table.
pub(crate) type NamespaceId = usize;

/// Stands for no namespace.
pub(crate) const NONE: NamespaceId = 0;
const XML: NamespaceId = 1;

/// Most different namespace names in a document. Honest messages have ten, metadata thirty.
const MAX_NAMES: usize = 100;

/// The declarations in scope while a document is read, and every namespace name that it declared.
pub(crate) struct Scope<'a> {
    /// An ordered map, as it has no worst case: long names with one beginning, declared again and again, cost little.
    ids: BTreeMap<Cow<'a, str>, NamespaceId>,
    bindings: Vec<(&'a str, NamespaceId)>,
    limit: usize,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(limit: usize) -> Self {
        let ids = [("", NONE), (namespace::XML, XML)].map(|(name, id)| (Cow::Borrowed(name), id));
        Self { ids: BTreeMap::from(ids), bindings: Vec::new(), limit }
    }

    /// Number of declarations in scope; give it to [`Self::leave`] at the end of the element that comes.
    pub(crate) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn leave(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// Declares a prefix, the empty one for the default namespace. `xml` may be declared as what it always is, and
    /// only so (Namespaces in XML, 3).
    pub(crate) fn declare(&mut self, prefix: &'a str, name: Cow<'a, str>, mark: usize) -> Result<(), XmlError> {
        if prefix == "xml" && name == namespace::XML {
            return self.bind(prefix, XML, mark);
        }
        let reserved = prefix == "xml" || prefix == "xmlns" || name == namespace::XML || name == namespace::XMLNS;
        if reserved || (name.is_empty() && !prefix.is_empty()) {
            return Err(MALFORMED);
        }
        let id = self.intern(name)?;
        self.bind(prefix, id, mark)
    }

    fn bind(&mut self, prefix: &'a str, id: NamespaceId, mark: usize) -> Result<(), XmlError> {
        if self.bindings.iter().skip(mark).any(|(declared, _)| *declared == prefix) {
            return Err(XmlError(Reason::DuplicateAttribute));
        }
        if self.bindings.len() >= self.limit {
            return Err(XmlError(Reason::TooManyNamespaces));
        }
        self.bindings.push((prefix, id));
        Ok(())
    }

    fn intern(&mut self, name: Cow<'a, str>) -> Result<NamespaceId, XmlError> {
        // Honest documents declare the same few names again and again.
        if let Some(known) = self.ids.get(&name) {
            return Ok(*known);
        }
        let next = self.ids.len();
        if next >= MAX_NAMES {
            return Err(XmlError(Reason::TooManyNamespaces));
        }
        self.ids.insert(name, next);
        Ok(next)
    }

    /// The namespace of a prefix, the empty one being the default namespace.
    pub(crate) fn resolve(&self, prefix: &str) -> Result<NamespaceId, XmlError> {
        if prefix == "xml" {
            return Ok(XML);
        }
        match self.bindings.iter().rev().find(|(declared, _)| *declared == prefix) {
            Some((_, id)) => Ok(*id),
            None if prefix.is_empty() => Ok(NONE),
            None => Err(XmlError(Reason::UnboundPrefix)),
        }
    }

    /// The table of names, once the document is read.
    pub(crate) fn into_names(self) -> Vec<Cow<'a, str>> {
        let mut names: Vec<_> = self.ids.into_iter().collect();
        names.sort_unstable_by_key(|(_, id)| *id);
        names.into_iter().map(|(name, _)| name).collect()
    }
}
