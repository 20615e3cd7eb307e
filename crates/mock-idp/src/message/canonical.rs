//! Canonical XML 1.0 and Exclusive XML Canonicalization 1.0, both without comments.

use super::xml::{Element, Node, Text};

/// Canonicalization of a subtree before it is digested or signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canonicalization {
    /// `http://www.w3.org/2001/10/xml-exc-c14n#`, with the prefixes of `InclusiveNamespaces PrefixList`.
    Exclusive { prefix_list: Vec<String> },
    /// `http://www.w3.org/2001/10/xml-exc-c14n#WithComments`: a reference by ID leaves comments out all the same.
    ExclusiveWithComments,
    /// `http://www.w3.org/TR/2001/REC-xml-c14n-20010315`: every namespace in scope is written.
    Inclusive,
}

impl Canonicalization {
    /// Exclusive, with no prefix list: what SAML core section 5.4.3 recommends.
    pub const EXCLUSIVE: Self = Self::Exclusive { prefix_list: Vec::new() };

    /// Identifier URI of the canonicalization algorithm.
    pub fn uri(&self) -> &'static str {
        match self {
            Self::Exclusive { .. } => "http://www.w3.org/2001/10/xml-exc-c14n#",
            Self::ExclusiveWithComments => "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
            Self::Inclusive => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        }
    }
}

/// Writes `element` canonically. `scope` holds its ancestors' namespace declarations, outermost first.
pub fn canonicalize(element: &Element, scope: &[(Text, Text)], method: &Canonicalization) -> String {
    let mut writer = Writer {
        out: String::with_capacity(4096),
        in_scope: scope.iter().map(|(prefix, uri)| (&**prefix, &**uri)).collect(),
        rendered: Vec::new(),
        method,
    };
    writer.element(element);
    writer.out
}

type Binding<'a> = (&'a str, &'a str);

struct Writer<'a> {
    out: String,
    /// Every declaration met on the way down; the last one of a prefix counts.
    in_scope: Vec<Binding<'a>>,
    /// Declarations already written by an output ancestor.
    rendered: Vec<Binding<'a>>,
    method: &'a Canonicalization,
}

impl<'a> Writer<'a> {
    fn element(&mut self, element: &'a Element) {
        let (outer_scope, outer_rendered) = (self.in_scope.len(), self.rendered.len());
        let own = element.declarations.iter().map(|(prefix, uri)| (&**prefix, &**uri));
        self.in_scope.extend(own);
        self.out.push('<');
        self.name(&element.prefix, &element.local);
        self.namespaces(element);
        self.attributes(element);
        self.out.push('>');
        for child in &element.children {
            self.node(child);
        }
        self.out.push_str("</");
        self.name(&element.prefix, &element.local);
        self.out.push('>');
        self.in_scope.truncate(outer_scope);
        self.rendered.truncate(outer_rendered);
    }

    fn node(&mut self, node: &'a Node) {
        match node {
            Node::Element(element) => self.element(element),
            Node::Text(text) | Node::CData(text) => escape_text(&mut self.out, text),
            Node::Comment(_) => {}
            Node::ProcessingInstruction(content) => {
                self.out.push_str("<?");
                self.out.push_str(content);
                self.out.push_str("?>");
            }
            Node::Raw(markup) => self.out.push_str(markup),
        }
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    fn namespaces(&mut self, element: &'a Element) {
        let mut wanted = self.wanted_prefixes(element);
        wanted.sort_unstable();
        wanted.dedup();
        for prefix in wanted {
            let uri = bound(&self.in_scope, prefix).unwrap_or_default();
            let written = bound(&self.rendered, prefix).unwrap_or_default();
            if uri == written || prefix == "xml" {
                continue;
            }
            self.rendered.push((prefix, uri));
            self.out.push_str(" xmlns");
            if !prefix.is_empty() {
                self.out.push(':');
                self.out.push_str(prefix);
            }
            self.out.push_str("=\"");
            escape_attribute(&mut self.out, uri);
            self.out.push('"');
        }
    }

    /// Prefixes that this element must show: those it uses and those of the list, or simply all.
    fn wanted_prefixes(&self, element: &'a Element) -> Vec<&'a str> {
        match self.method {
            Canonicalization::Inclusive => self.in_scope.iter().map(|(prefix, _)| *prefix).collect(),
            Canonicalization::Exclusive { .. } | Canonicalization::ExclusiveWithComments => {
                let prefix_list = match self.method {
                    Canonicalization::Exclusive { prefix_list } => prefix_list.as_slice(),
                    _ => &[],
                };
                let mut wanted = vec![&*element.prefix];
                let used = element.attributes.iter().map(|attribute| &*attribute.prefix);
                wanted.extend(used.filter(|prefix| !prefix.is_empty()));
                let listed = prefix_list.iter().map(String::as_str);
                wanted.extend(listed.filter(|prefix| bound(&self.in_scope, prefix).is_some()));
                wanted
            }
        }
    }

    /// Sorted by namespace name, then local name; those in no namespace come first.
    fn attributes(&mut self, element: &'a Element) {
        let mut sorted: Vec<_> = element
            .attributes
            .iter()
            .map(|attribute| {
                let uri = match &*attribute.prefix {
                    "" => "",
                    prefix => bound(&self.in_scope, prefix).unwrap_or_default(),
                };
                (uri, attribute)
            })
            .collect();
        sorted.sort_by(|(left_uri, left), (right_uri, right)| (left_uri, &left.local).cmp(&(right_uri, &right.local)));
        for (_, attribute) in sorted {
            self.out.push(' ');
            self.name(&attribute.prefix, &attribute.local);
            self.out.push_str("=\"");
            escape_attribute(&mut self.out, &attribute.value);
            self.out.push('"');
        }
    }
}

fn bound<'a>(bindings: &[Binding<'a>], prefix: &str) -> Option<&'a str> {
    let found = bindings.iter().rev().find(|(candidate, _)| *candidate == prefix);
    found.map(|(_, uri)| *uri)
}

fn escape_text(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

fn escape_attribute(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}
