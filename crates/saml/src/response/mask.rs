//! A message as diagnostics may keep it: without personal values and without bulk.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Longest masked message kept, in bytes.
const MAX_MASKED: usize = 16 * 1024;

/// Characters of a signature, ciphertext or certificate that are shown: enough to compare two by eye.
const SHOWN: usize = 16;

/// Elements whose text identifies a user, and attributes that do.
const PERSONAL: [&str; 3] = ["AttributeValue", "NameID", "BaseID"];
const PERSONAL_ATTRIBUTES: [&str; 2] = ["Address", "DNSName"];

/// Elements with bulky base64 that is of no use to a reader.
const BULKY: [&str; 6] = ["SignatureValue", "CipherValue", "X509Certificate", "Modulus", "X509CRL", "PublicKey"];

const MASK: &str = "***";

/// The decoded message with attribute values and the name identifier masked, and signatures, ciphertext and
/// certificates cut short; at most 16 kB. Also for messages that the guard refused: it ends where it cannot be read.
pub fn masked_message(xml: &str) -> String {
    let mut masking = Masking { output: String::new(), personal: 0, bulky: false };
    let mut reader = Reader::from_str(xml);
    let mut start = 0;
    while let Ok(event) = reader.read_event() {
        let end = usize::try_from(reader.buffer_position()).unwrap_or(start);
        let raw = xml.get(start..end).unwrap_or_default();
        if matches!(event, Event::Eof) || !masking.event(&event, raw) {
            return masking.output;
        }
        start = end;
    }
    masking.output.push_str("<!-- the rest is not well-formed -->");
    masking.output
}

struct Masking {
    output: String,
    /// Number of open elements from the outermost personal one on.
    personal: usize,
    bulky: bool,
}

impl Masking {
    /// Copies or masks one event; false once there is no more room.
    fn event(&mut self, event: &Event<'_>, raw: &str) -> bool {
        match event {
            Event::Start(start) => {
                let name = start.local_name();
                if self.personal > 0 || is_one_of(&PERSONAL, name.as_ref()) {
                    self.personal = self.personal.saturating_add(1);
                }
                self.bulky = is_one_of(&BULKY, name.as_ref());
                self.tag(raw);
            }
            Event::Empty(_) => self.tag(raw),
            Event::End(_) => {
                self.personal = self.personal.saturating_sub(1);
                self.bulky = false;
                self.output.push_str(raw);
            }
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => self.text(raw),
            Event::Decl(_) => self.output.push_str(raw),
            // Could hold anything.
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) => self.output.push_str("<!-- left out -->"),
            Event::Eof => {}
        }
        if self.output.len() <= MAX_MASKED {
            return true;
        }
        let end = (0..=MAX_MASKED).rev().find(|end| self.output.is_char_boundary(*end)).unwrap_or_default();
        self.output.truncate(end);
        self.output.push_str("<!-- cut -->");
        false
    }

    fn text(&mut self, raw: &str) {
        if self.personal > 0 {
            // One mark for any number of texts, references and comments.
            if !raw.trim().is_empty() && !self.output.ends_with(MASK) {
                self.output.push_str(MASK);
            }
        } else if self.bulky && raw.len() > SHOWN {
            self.output.extend(raw.trim_start().chars().take(SHOWN));
            self.output.extend(["… (", &raw.len().to_string(), " characters)"]);
        } else {
            self.output.push_str(raw);
        }
    }

    /// A tag with its personal attributes masked; inside a personal element, all of them.
    fn tag(&mut self, raw: &str) {
        let mut rest = raw;
        while let Some((before, quote, after)) = quoted(rest) {
            let name = before.trim_end().strip_suffix('=').unwrap_or(before).trim_end();
            let name = name.rsplit([' ', '\t', '\r', '\n', ':']).next().unwrap_or_default();
            let nested = self.personal > 1 && !before.contains("xmlns");
            let Some((value, tail)) = after.split_once(quote) else { break };
            self.output.push_str(before);
            self.output.push(quote);
            self.output.push_str(if nested || PERSONAL_ATTRIBUTES.contains(&name) { MASK } else { value });
            self.output.push(quote);
            rest = tail;
        }
        self.output.push_str(rest);
    }
}

fn quoted(text: &str) -> Option<(&str, char, &str)> {
    let at = text.find(['"', '\''])?;
    let (before, from_quote) = text.split_at_checked(at)?;
    let quote = from_quote.chars().next()?;
    Some((before, quote, from_quote.strip_prefix(quote)?))
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}
