//! HTML forms, read by the rules of the HTML standard and without a tree: forms do not nest.

use std::convert::Infallible;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use reqwest::Method;
use url::Url;

/// A form and what it would send.
#[derive(Debug, Clone)]
pub struct Form {
    /// HTTP method by which it is sent.
    pub method: Method,
    /// Absolute URL that it is sent to.
    pub action: Url,
    /// Names and values, in the order of the page.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// A form that sends these fields by POST: what a login page makes of an answer of the API.
    pub fn post(action: &str, fields: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { method: Method::POST, action: action.parse().unwrap(), fields: fields.into_iter().collect() }
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// Whether it is the protocol's own form (SAML bindings, section 3.5.4), which asks a person nothing.
    pub fn carries_a_message(&self) -> bool {
        self.has("SAMLResponse") || self.has("SAMLRequest")
    }

    /// The value of a field.
    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| field == name);
        &found.unwrap_or_else(|| panic!("no field {name} in {self:?}")).1
    }

    /// The form with a field filled in.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let found = self.fields.iter_mut().find(|(field, _)| field == name);
        let Some(field) = found else { panic!("no field {name} in {}", self.action) };
        value.clone_into(&mut field.1);
        self
    }
}

/// The forms of a page at this address.
pub fn read(html: &str, page: &Url) -> Vec<Form> {
    let mut emitter = DefaultEmitter::default();
    // The content of a script or a style is not markup.
    emitter.naively_switch_states(true);
    let mut reader = Reader { page, forms: vec![], open: false, select: None };
    for token in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Ok(Token::StartTag(tag)) => reader.start(&tag),
            Ok(Token::EndTag(tag)) => reader.end(&tag.name),
            Ok(_) => {}
            Err(error) => match error as Infallible {},
        }
    }
    reader.forms
}

struct Reader<'a> {
    page: &'a Url,
    forms: Vec<Form>,
    open: bool,
    /// The name of the list under way, and whether one of its options was taken.
    select: Option<(String, bool)>,
}

impl Reader<'_> {
    fn start(&mut self, tag: &StartTag<()>) {
        match tag.name.as_slice() {
            b"form" if !self.open => self.begin(tag),
            b"input" => self.input(tag),
            b"select" => self.select = attribute(tag, b"name").map(|name| (name, false)),
            b"option" => self.option(tag),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"form" => self.open = false,
            b"select" => self.select = None,
            _ => {}
        }
    }

    fn begin(&mut self, tag: &StartTag<()>) {
        let post = attribute(tag, b"method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let action = self.page.join(&attribute(tag, b"action").unwrap_or_default()).unwrap();
        self.forms.push(Form { method: if post { Method::POST } else { Method::GET }, action, fields: vec![] });
        self.open = true;
    }

    /// Reads an `input` element. Buttons send their value only when they are pressed by name, and boxes only when
    /// they are ticked; no test does either.
    fn input(&mut self, tag: &StartTag<()>) {
        let kind = attribute(tag, b"type").unwrap_or_default().to_ascii_lowercase();
        let silent = matches!(kind.as_str(), "submit" | "button" | "reset" | "image" | "file")
            || (matches!(kind.as_str(), "checkbox" | "radio") && attribute(tag, b"checked").is_none())
            || attribute(tag, b"disabled").is_some();
        if let Some(name) = attribute(tag, b"name").filter(|_| !silent) {
            self.field(name, attribute(tag, b"value").unwrap_or_default());
        }
    }

    /// The first option counts, unless a later one is marked.
    fn option(&mut self, tag: &StartTag<()>) {
        let Some((name, taken)) = self.select.clone() else { return };
        let value = attribute(tag, b"value").unwrap_or_default();
        if !taken {
            self.select = Some((name.clone(), true));
            self.field(name, value);
        } else if attribute(tag, b"selected").is_some()
            && let Some(field) = self.forms.last_mut().and_then(|form| form.fields.last_mut())
        {
            field.1 = value;
        }
    }

    fn field(&mut self, name: String, value: String) {
        if let Some(form) = self.forms.last_mut().filter(|_| self.open) {
            form.fields.push((name, value));
        }
    }
}

/// An attribute's value with its character references decoded.
fn attribute(tag: &StartTag<()>, name: &[u8]) -> Option<String> {
    let (_, value) = tag.attributes.iter().find(|(key, _)| key.as_slice() == name)?;
    Some(String::from_utf8_lossy(&value.value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that forms are read as a browser reads them: references decoded, scripts skipped, untouched controls as
    /// they stand, addresses resolved.
    #[test]
    fn a_form_is_read_as_a_browser_reads_it() {
        let html = r#"<script>"<form action=/evil>"</script><input name=outside value=x>
            <FORM Method=POST action="?next=1&amp;b=2"><input type=hidden name="SAMLResponse" value="a&#43;b&#10;&quot;">
            <input name=username><input type=submit name=go value=Go><input type=checkbox name=stay value=1>
            <select name=fault><option value="">none<option value=1 selected>one</select><input name=off disabled>
            </form><form action="/search"><input name=q value="&amp;"></form>"#;
        let forms = read(html, &"http://127.0.0.1/idp/login?old=1".parse().unwrap());
        assert_eq!(forms.len(), 2);
        assert_eq!(
            (forms[0].method.as_str(), forms[0].action.as_str()),
            ("POST", "http://127.0.0.1/idp/login?next=1&b=2")
        );
        let fields = [("SAMLResponse", "a+b\n\""), ("username", ""), ("fault", "1")];
        assert_eq!(forms[0].fields, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((forms[1].method.as_str(), forms[1].value("q")), ("GET", "&"));
    }
}
