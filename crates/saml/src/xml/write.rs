//! Writes XML that already is in canonical form: what is signed are the very bytes that are sent.
//!
//! Elements always have a start and an end tag, attributes are given in canonical order by the caller (namespace
//! declarations first, then by name), and every value is escaped as exclusive canonicalization escapes it.

/// A document under construction.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    signature_place: Option<usize>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Writes an element with whatever `content` writes inside.
    pub(crate) fn element(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes {
            self.text.push(' ');
            self.text.push_str(attribute);
            self.text.push_str("=\"");
            escape_attribute(value, &mut self.text);
            self.text.push('"');
        }
        self.text.push('>');
        content(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Writes an element without content.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.element(name, attributes, |_| {});
    }

    /// Writes an element with text.
    pub(crate) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |writer| writer.text(text));
    }

    /// Writes character data, escaped.
    pub(crate) fn text(&mut self, text: &str) {
        escape_text(text, &mut self.text);
    }

    /// Writes what already is XML.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.text.push_str(xml);
    }

    /// Marks where an enveloped signature goes.
    pub(crate) fn signature_place(&mut self) {
        self.signature_place = Some(self.text.len());
    }

    /// The text, in two parts if there is a place for a signature between them.
    pub(crate) fn finish(mut self) -> (String, String) {
        let place = self.signature_place.unwrap_or(self.text.len());
        let after = self.text.split_off(place);
        (self.text, after)
    }

    /// The written text alone, without the rest of the writer.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

fn escape_text(text: &str, output: &mut String) {
    for character in text.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '\r' => output.push_str("&#xD;"),
            other => output.push(other),
        }
    }
}

/// Appends an attribute's value as canonicalization escapes it.
pub(crate) fn escape_attribute(value: &str, output: &mut String) {
    for character in value.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '"' => output.push_str("&quot;"),
            '\t' => output.push_str("&#x9;"),
            '\n' => output.push_str("&#xA;"),
            '\r' => output.push_str("&#xD;"),
            other => output.push(other),
        }
    }
}
