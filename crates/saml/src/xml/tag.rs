//! The inside of a start tag, read strictly: quick-xml finds where the tag ends, the grammar is checked here.

use super::character::{attribute_value, is_ncname, is_space};
use super::{MALFORMED, XmlError};
use std::borrow::Cow;

/// A qualified name as written; the prefix is empty where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QualifiedName<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
}

/// An attribute or namespace declaration as written, its value normalized.
pub(crate) struct RawAttribute<'a> {
    pub(crate) name: QualifiedName<'a>,
    pub(crate) value: Cow<'a, str>,
}

/// The element's name, and the attributes to go on with, of a tag's text between `<` and `>` or `/>`.
pub(crate) fn open(inside: &str) -> Result<(QualifiedName<'_>, Attributes<'_>), XmlError> {
    let end = inside.bytes().position(is_space).unwrap_or(inside.len());
    let (name, rest) = inside.split_at_checked(end).ok_or(MALFORMED)?;
    Ok((qualified(name)?, Attributes { rest }))
}

fn qualified(name: &str) -> Result<QualifiedName<'_>, XmlError> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_ncname(prefix) => (prefix, local),
        Some(_) => return Err(MALFORMED),
        None => ("", name),
    };
    if is_ncname(local) { Ok(QualifiedName { prefix, local }) } else { Err(MALFORMED) }
}

/// The attributes of a tag, one by one.
pub(crate) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Attributes<'a> {
    /// The next attribute, `None` at the end of the tag.
    pub(crate) fn next(&mut self) -> Result<Option<RawAttribute<'a>>, XmlError> {
        let text = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if text.is_empty() {
            return Ok(None);
        }
        // White space is required before every attribute (production 40).
        if text.len() == self.rest.len() {
            return Err(MALFORMED);
        }
        let (name, after) = text.split_once('=').ok_or(MALFORMED)?;
        let after = after.trim_start_matches([' ', '\t', '\n', '\r']);
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or(MALFORMED)?;
        let (raw, rest) = after.strip_prefix(quote).and_then(|after| after.split_once(quote)).ok_or(MALFORMED)?;
        self.rest = rest;
        let name = qualified(name.trim_end_matches([' ', '\t', '\n', '\r']))?;
        Ok(Some(RawAttribute { name, value: attribute_value(raw)? }))
    }
}

/// The pseudo attributes of an XML declaration, which have a tag's grammar.
pub(crate) fn attributes(text: &str) -> Attributes<'_> {
    Attributes { rest: text }
}
