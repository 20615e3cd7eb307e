//! Writes a tree the way one identity provider writes it. None of these choices changes the canonical form.

use super::xml::{Attribute, Element, Node};

/// Notation of an element without children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyElement {
    /// `<a></a>`, as canonical XML has it.
    Pair,
    /// `<a/>`
    Short,
    /// `<a />`, as .NET writes it.
    ShortSpaced,
}

/// The writing habits of an XML library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Text before the root element, such as the XML declaration.
    pub prolog: &'static str,
    pub empty: EmptyElement,
    /// Namespace declarations come before the other attributes.
    pub declarations_first: bool,
    /// A carriage return inside text: `&#13;` or `&#xD;`.
    pub carriage_return: &'static str,
}

impl Style {
    /// The style in which canonical input stays byte for byte canonical.
    pub const PLAIN: Self =
        Self { prolog: "", empty: EmptyElement::Pair, declarations_first: true, carriage_return: "&#xD;" };

    /// The whole document as text.
    pub fn document(&self, root: &Element) -> String {
        let mut writer = Writer { out: String::with_capacity(8192), style: *self };
        writer.out.push_str(self.prolog);
        writer.element(root);
        writer.out
    }
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn element(&mut self, element: &Element) {
        self.out.push('<');
        self.name(&element.prefix, &element.local);
        if self.style.declarations_first {
            self.declarations(element);
        }
        for attribute in &element.attributes {
            self.attribute(attribute);
        }
        if !self.style.declarations_first {
            self.declarations(element);
        }
        if element.children.is_empty() {
            return self.close_empty(element);
        }
        self.out.push('>');
        for child in &element.children {
            self.node(child);
        }
        self.close(element);
    }

    fn close_empty(&mut self, element: &Element) {
        match self.style.empty {
            EmptyElement::Pair => {
                self.out.push('>');
                self.close(element);
            }
            EmptyElement::Short => self.out.push_str("/>"),
            EmptyElement::ShortSpaced => self.out.push_str(" />"),
        }
    }

    fn close(&mut self, element: &Element) {
        self.out.push_str("</");
        self.name(&element.prefix, &element.local);
        self.out.push('>');
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Element(element) => self.element(element),
            Node::Text(text) => self.text(text),
            Node::CData(text) => self.enclosed("<![CDATA[", text, "]]>"),
            Node::Comment(text) => self.enclosed("<!--", text, "-->"),
            Node::ProcessingInstruction(content) => self.enclosed("<?", content, "?>"),
            Node::Raw(markup) => self.out.push_str(markup),
        }
    }

    fn enclosed(&mut self, open: &str, content: &str, close: &str) {
        self.out.push_str(open);
        self.out.push_str(content);
        self.out.push_str(close);
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    fn declarations(&mut self, element: &Element) {
        for (prefix, uri) in &element.declarations {
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.value(uri);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.out.push(' ');
        self.name(&attribute.prefix, &attribute.local);
        self.value(&attribute.value);
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        for character in value.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#x9;"),
                '\n' => self.out.push_str("&#xA;"),
                '\r' => self.out.push_str("&#xD;"),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str(self.style.carriage_return),
                other => self.out.push(other),
            }
        }
    }
}
