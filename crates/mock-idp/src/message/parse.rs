//! Reads XML into the tree. For requests and metadata of a service provider, which are small: everything is bounded.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::xml::{Attribute, Element, Node};

/// Larger documents are refused: an `AuthnRequest` with a signature and a certificate takes 6 kB.
pub const MAX_LENGTH: usize = 64 * 1024;
/// Deeper documents are refused: a signed `AuthnRequest` is 7 elements deep.
pub const MAX_DEPTH: usize = 16;

/// Text that is not a document which this crate reads.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error("the document is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("document type declarations and entities are refused")]
    Entity,
    #[error("the document is not well-formed: {0}")]
    Malformed(String),
}

impl ParseError {
    fn malformed(cause: impl std::fmt::Display) -> Self {
        Self::Malformed(cause.to_string())
    }
}

/// Reads one document, at most [`MAX_LENGTH`] bytes long and [`MAX_DEPTH`] deep.
pub fn parse(xml: &str) -> Result<Element, ParseError> {
    if xml.len() > MAX_LENGTH {
        return Err(ParseError::TooLong);
    }
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let finished = match reader.read_event().map_err(ParseError::malformed)? {
            Event::Start(start) => {
                open.push(element(&start)?);
                None
            }
            Event::Empty(start) => Some(element(&start)?),
            Event::End(_) => open.pop(),
            Event::DocType(_) => return Err(ParseError::Entity),
            Event::Eof => return Err(ParseError::malformed("the root element does not end")),
            other => {
                append(&mut open, content(other)?);
                None
            }
        };
        if open.len() > MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        if let Some(finished) = finished {
            match open.last_mut() {
                Some(parent) => parent.children.push(Node::Element(finished)),
                None => return Ok(finished),
            }
        }
    }
}

fn append(open: &mut [Element], node: Option<Node>) {
    if let (Some(parent), Some(node)) = (open.last_mut(), node) {
        parent.children.push(node);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, ParseError> {
    let (prefix, local) = split(start.name().as_ref());
    let mut element = Element::new(prefix, local);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(ParseError::malformed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(ParseError::malformed)?.into_owned();
        match split(attribute.key.as_ref()) {
            (prefix, local) if prefix.is_empty() && local == "xmlns" => {
                element.declarations.push(("".into(), value.into()));
            }
            (prefix, local) if prefix == "xmlns" => element.declarations.push((local.into(), value.into())),
            (prefix, local) => {
                element.attributes.push(Attribute { prefix: prefix.into(), local: local.into(), value: value.into() });
            }
        }
    }
    Ok(element)
}

fn split(name: &str) -> (String, String) {
    match name.split_once(':') {
        Some((prefix, local)) => (prefix.to_owned(), local.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

fn content(event: Event<'_>) -> Result<Option<Node>, ParseError> {
    let node = match event {
        Event::Text(text) => Node::Text(text.xml10_content().into_owned().into()),
        Event::CData(text) => Node::CData(text.xml10_content().into_owned().into()),
        Event::GeneralRef(reference) => {
            let character = match reference.resolve_char_ref().map_err(ParseError::malformed)? {
                Some(character) => character,
                None => predefined(&reference)?,
            };
            Node::Text(character.to_string().into())
        }
        _ => return Ok(None),
    };
    Ok(Some(node))
}

/// The five entities of XML itself; there are no others without a document type declaration.
fn predefined(name: &str) -> Result<char, ParseError> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(ParseError::Entity),
    }
}
