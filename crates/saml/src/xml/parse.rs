//! One pass from text to tree. quick-xml splits the text into events; every event is then checked to the letter.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::scope::{NONE, Scope};
use super::tree::{Attribute, Document, Node, NodeKind, Source};
use super::{Bounds, MALFORMED, XmlError, character, tag};
use crate::reason::Reason;

/// Reads a document, or says why not.
pub(crate) fn parse<'a>(text: &'a str, bounds: &Bounds) -> Result<Document<'a>, XmlError> {
    if text.len() > bounds.length {
        return Err(XmlError(Reason::XmlTooLong));
    }
    // Each takes some work; in character data each is a node besides.
    if text.bytes().filter(|byte| *byte == b'&').count() > bounds.nodes {
        return Err(XmlError(Reason::TooManyNodes));
    }
    if !character::all_legal(text) {
        return Err(XmlError(Reason::IllegalCharacter));
    }
    let mut parser = Parser::new(text, bounds);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut start = 0;
    loop {
        let event = reader.read_event().map_err(|_| MALFORMED)?;
        let end = usize::try_from(reader.buffer_position()).map_err(|_| MALFORMED)?;
        if matches!(event, Event::Eof) {
            return parser.finish();
        }
        parser.event(&event, text.get(start..end).ok_or(MALFORMED)?, start..end)?;
        start = end;
    }
}

struct Parser<'a> {
    bounds: Bounds,
    document: Document<'a>,
    scope: Scope<'a>,
    open: Vec<OpenElement>,
    attribute_count: usize,
    namespace_lookups: usize,
    root_closed: bool,
}

struct OpenElement {
    node: usize,
    last_child: Option<usize>,
    scope_mark: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, bounds: &Bounds) -> Self {
        Self {
            bounds: *bounds,
            document: Document { text, nodes: Vec::new(), attributes: Vec::new(), namespaces: Vec::new() },
            scope: Scope::new(bounds.namespaces_in_scope),
            open: Vec::new(),
            attribute_count: 0,
            namespace_lookups: 0,
            root_closed: false,
        }
    }

    fn finish(mut self) -> Result<Document<'a>, XmlError> {
        if !self.root_closed {
            return Err(MALFORMED);
        }
        self.document.namespaces = self.scope.into_names();
        Ok(self.document)
    }

    fn event(&mut self, event: &Event<'_>, raw: &'a str, place: Range<usize>) -> Result<(), XmlError> {
        match event {
            Event::Start(_) => self.start(inside(raw, "<", ">")?, place),
            Event::Empty(_) => {
                let end = place.end;
                self.start(inside(raw, "<", "/>")?, place)?;
                self.end(end)
            }
            Event::End(_) => self.end(place.end),
            Event::Text(_) => self.text(raw),
            Event::GeneralRef(_) => self.reference(inside(raw, "&", ";")?),
            Event::CData(_) => self.character_data(character::normalize_line_ends(inside(raw, "<![CDATA[", "]]>")?)),
            Event::Comment(_) => self.ignorable(NodeKind::Comment),
            Event::PI(_) => self.instruction(inside(raw, "<?", "?>")?),
            Event::Decl(_) if place.start == 0 => declaration(inside(raw, "<?xml", "?>")?),
            Event::DocType(_) => Err(XmlError(Reason::DoctypeRefused)),
            Event::Decl(_) | Event::Eof => Err(MALFORMED),
        }
    }

    fn start(&mut self, inside: &'a str, place: Range<usize>) -> Result<(), XmlError> {
        if self.root_closed {
            return Err(XmlError(Reason::ContentOutsideRoot));
        }
        if self.open.len() >= self.bounds.depth {
            return Err(XmlError(Reason::TooDeep));
        }
        let scope_mark = self.scope.mark();
        let (name, raw_attributes) = tag::open(inside)?;
        let attributes = self.attributes(raw_attributes, scope_mark)?;
        if name.prefix == "xmlns" {
            return Err(MALFORMED);
        }
        let namespace = self.scope.resolve(name.prefix)?;
        self.namespace_lookups = self.namespace_lookups.saturating_add(self.scope.mark());
        if self.namespace_lookups > self.bounds.namespace_lookups {
            return Err(XmlError(Reason::TooManyNamespaces));
        }
        let source = Source { start: place.start, start_tag_end: place.end, end: place.end };
        let node = self.push(NodeKind::Element { namespace, local: name.local, attributes, source })?;
        self.open.push(OpenElement { node, last_child: None, scope_mark });
        Ok(())
    }

    /// Reads declarations first, as an attribute's prefix may be declared after it; then the attributes.
    fn attributes(&mut self, mut raw: tag::Attributes<'a>, scope_mark: usize) -> Result<Range<usize>, XmlError> {
        // Where prefixes are to be resolved; most attributes have none, and an empty list allocates nothing.
        let mut prefixed: Vec<(usize, &'a str)> = Vec::new();
        let first = self.document.attributes.len();
        let mut count: usize = 0;
        while let Some(attribute) = raw.next()? {
            count = count.saturating_add(1);
            if count > self.bounds.attributes_per_element {
                return Err(XmlError(Reason::TooManyAttributes));
            }
            match (attribute.name.prefix, attribute.name.local) {
                ("", "xmlns") => self.scope.declare("", attribute.value, scope_mark)?,
                ("xmlns", prefix) => self.scope.declare(prefix, attribute.value, scope_mark)?,
                (prefix, local) => {
                    if !prefix.is_empty() {
                        prefixed.push((self.document.attributes.len(), prefix));
                    }
                    self.document.attributes.push(Attribute { namespace: NONE, local, value: attribute.value });
                }
            }
        }
        self.attribute_count = self.attribute_count.saturating_add(count);
        if self.attribute_count > self.bounds.attributes {
            return Err(XmlError(Reason::TooManyAttributes));
        }
        self.resolve_attributes(first, &prefixed)?;
        Ok(first..self.document.attributes.len())
    }

    fn resolve_attributes(&mut self, first: usize, prefixed: &[(usize, &str)]) -> Result<(), XmlError> {
        for (index, prefix) in prefixed {
            let attribute = self.document.attributes.get_mut(*index).ok_or(MALFORMED)?;
            attribute.namespace = self.scope.resolve(prefix)?;
        }
        let attributes = self.document.attributes.get(first..).unwrap_or_default();
        if attributes.len() < 2 {
            return Ok(());
        }
        // By expanded name (Namespaces in XML, 6.3).
        let mut names: Vec<_> = attributes.iter().map(|attribute| (attribute.namespace, attribute.local)).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(XmlError(Reason::DuplicateAttribute));
        }
        Ok(())
    }

    fn end(&mut self, place: usize) -> Result<(), XmlError> {
        let closed = self.open.pop().ok_or(MALFORMED)?;
        if let Some(NodeKind::Element { source, .. }) =
            self.document.nodes.get_mut(closed.node).map(|node| &mut node.kind)
        {
            source.end = place;
        }
        self.scope.leave(closed.scope_mark);
        self.root_closed = self.open.is_empty();
        Ok(())
    }

    fn text(&mut self, raw: &'a str) -> Result<(), XmlError> {
        if self.open.is_empty() {
            return if character::is_blank(raw) { Ok(()) } else { Err(XmlError(Reason::ContentOutsideRoot)) };
        }
        // Production 14: this sequence ends a CDATA section and nothing else.
        if raw.contains("]]>") {
            return Err(MALFORMED);
        }
        self.character_data(character::normalize_line_ends(raw))
    }

    fn reference(&mut self, name: &str) -> Result<(), XmlError> {
        let character = character::reference(name)?;
        self.character_data(Cow::Owned(character.to_string()))
    }

    fn character_data(&mut self, text: Cow<'a, str>) -> Result<(), XmlError> {
        if self.open.is_empty() {
            return Err(XmlError(Reason::ContentOutsideRoot));
        }
        self.push(NodeKind::Text(text)).map(drop)
    }

    fn instruction(&mut self, inside: &str) -> Result<(), XmlError> {
        let target = inside.split(|character: char| character.is_ascii_whitespace()).next().unwrap_or_default();
        if !character::is_ncname(target) || target.eq_ignore_ascii_case("xml") {
            return Err(MALFORMED);
        }
        self.ignorable(NodeKind::Instruction)
    }

    /// Comments and instructions are remembered inside the root, and of no interest around it.
    fn ignorable(&mut self, kind: NodeKind<'a>) -> Result<(), XmlError> {
        if self.open.is_empty() { Ok(()) } else { self.push(kind).map(drop) }
    }

    fn push(&mut self, kind: NodeKind<'a>) -> Result<usize, XmlError> {
        let index = self.document.nodes.len();
        if index >= self.bounds.nodes {
            return Err(XmlError(Reason::TooManyNodes));
        }
        self.document.nodes.push(Node { kind, first_child: None, next_sibling: None });
        if let Some(parent) = self.open.last_mut() {
            let previous = parent.last_child.replace(index);
            let before = self.document.nodes.get_mut(previous.unwrap_or(parent.node)).ok_or(MALFORMED)?;
            if previous.is_some() {
                before.next_sibling = Some(index);
            } else {
                before.first_child = Some(index);
            }
        }
        Ok(index)
    }
}

fn inside<'a>(raw: &'a str, before: &str, after: &str) -> Result<&'a str, XmlError> {
    raw.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).ok_or(MALFORMED)
}

/// `<?xml ... ?>`: version 1.0 and, if any, encoding UTF-8 (2.8, 4.3.3). The text already is UTF-8.
fn declaration(inside: &str) -> Result<(), XmlError> {
    let mut attributes = tag::attributes(inside);
    let mut seen = 0;
    while let Some(attribute) = attributes.next()? {
        let (position, accepted, reason) = match (attribute.name.prefix, attribute.name.local) {
            ("", "version") => (1, attribute.value == "1.0", Reason::XmlVersionRefused),
            ("", "encoding") => (2, attribute.value.eq_ignore_ascii_case("utf-8"), Reason::XmlEncodingRefused),
            ("", "standalone") => (3, matches!(attribute.value.as_ref(), "yes" | "no"), MALFORMED.0),
            _ => return Err(MALFORMED),
        };
        if !accepted {
            return Err(XmlError(reason));
        }
        if position <= seen || (seen == 0 && position != 1) {
            return Err(MALFORMED);
        }
        seen = position;
    }
    if seen == 0 { Err(MALFORMED) } else { Ok(()) }
}
