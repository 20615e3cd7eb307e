//! The strict parser through which everything is read, and the writer through which everything is sent.
//!
//! The parser accepts less than XML 1.0: no document type, no entities but the five, UTF-8 only, and everything in
//! bounds. What it accepts, both engines must understand in the same way, or the message is refused.

pub(crate) mod character;
pub(crate) mod namespace;
pub(crate) mod parse;
pub(crate) mod scope;
pub(crate) mod tag;
pub(crate) mod tree;
pub(crate) mod write;

pub(crate) use tree::{Document, Element};

use crate::reason::Reason;

/// Refusal of a text that is not accepted as XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XmlError(pub(crate) Reason);

pub(crate) const MALFORMED: XmlError = XmlError(Reason::MalformedXml);

/// Bounds of everything in a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Length of the text in bytes.
    pub(crate) length: usize,
    /// Depth of elements within elements.
    pub(crate) depth: usize,
    /// Elements, texts, comments and instructions.
    pub(crate) nodes: usize,
    /// Attributes and namespace declarations in the document.
    pub(crate) attributes: usize,
    /// Attributes and namespace declarations on one element. Canonicalization sorts them for every element.
    pub(crate) attributes_per_element: usize,
    /// Namespace declarations in scope at once.
    pub(crate) namespaces_in_scope: usize,
    /// The sum over all elements of the declarations in scope: inclusive canonicalization looks at each of these.
    pub(crate) namespace_lookups: usize,
}
