//! Decoding of a metadata document's bytes to its text: any encoding that XML allows (XML 1.0, 4.3.3 and appendix F).
//!
//! The guard reads UTF-8 alone, so a declaration's encoding, which speaks of bytes that are gone, is taken out of the
//! text: nothing after this step can read the document in a second way.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::idp::MetadataError;

/// Bytes of a document within which its declaration must end: it has three short attributes.
const DECLARATION_MAX: usize = 256;

/// Text that a byte-order mark in UTF-8 becomes if it was read as windows-1252 before it was copied.
const MISREAD_MARK: &str = "\u{ef}\u{bb}\u{bf}";

/// The text of a document as it was uploaded or fetched. The byte-order mark says in which encoding it is; without one,
/// the declaration; without that, `charset`, which is HTTP's; and without all of them it is UTF-8.
pub fn decode_metadata(bytes: &[u8], charset: Option<&str>) -> Result<String, MetadataError> {
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(MetadataError::Encoding { name: "UTF-32".to_owned() });
    }
    let (encoding, start) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, length),
        None => (declared_encoding(bytes, charset)?, 0),
    };
    let body = bytes.get(start..).unwrap_or_default();
    let text = encoding.decode_without_bom_handling_and_without_replacement(body);
    let text = text.ok_or_else(|| MetadataError::Encoding { name: encoding.name().to_owned() })?;
    Ok(pasted_metadata(&text))
}

/// The text of a document that arrived as characters: what surrounds it by accident and the encoding that its
/// declaration names are left out.
pub fn pasted_metadata(text: &str) -> String {
    let is_padding = |character: char| character.is_whitespace() || matches!(character, '\u{feff}' | '\0');
    let text = text.trim_matches(is_padding);
    let text = text.strip_prefix(MISREAD_MARK).map_or(text, |rest| rest.trim_start_matches(is_padding));
    let Some((declaration, rest)) = declaration(text) else { return text.to_owned() };
    match encoding_attribute(declaration) {
        Some((before, _, after)) => format!("{}{after}{rest}", before.trim_end()),
        None => text.to_owned(),
    }
}

/// The encoding of bytes without a byte-order mark.
fn declared_encoding(bytes: &[u8], charset: Option<&str>) -> Result<&'static Encoding, MetadataError> {
    // A document begins with a character of one byte in UTF-8; beside a zero it has two.
    match bytes {
        [0, second, ..] if *second != 0 => return Ok(UTF_16BE),
        [first, 0, ..] if *first != 0 => return Ok(UTF_16LE),
        _ => {}
    }
    let head: String = bytes.iter().take(DECLARATION_MAX).map(|byte| char::from(*byte)).collect();
    let named = declaration(head.trim_start()).and_then(|(declaration, _)| encoding_attribute(declaration));
    let Some(name) = named.map(|(_, name, _)| name).or(charset) else { return Ok(UTF_8) };
    let unknown = || MetadataError::Encoding { name: name.chars().take(40).collect() };
    let encoding = Encoding::for_label(name.as_bytes()).filter(|known| *known != REPLACEMENT).ok_or_else(unknown)?;
    // Programs that write into a string declare UTF-16, whatever the file is written in later; these bytes are not.
    Ok(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

/// The XML declaration at the start of a text, and what comes after it.
fn declaration(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("<?xml").filter(|rest| rest.starts_with(|next: char| next.is_ascii_whitespace()))?;
    let end = inside.find("?>").filter(|end| *end <= DECLARATION_MAX)?;
    text.split_at_checked("<?xml".len() + end)
}

/// Splits a declaration into the text before its encoding's value, the value, and the text after it.
fn encoding_attribute(declaration: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (name, after) = value.get(1..)?.split_once(quote)?;
    before.ends_with(|last: char| last.is_ascii_whitespace()).then_some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "<a n=\"\u{e4}\u{f6}\"/>";

    fn utf_16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    fn latin(text: &str) -> Vec<u8> {
        text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
    }

    /// Proves C5: by byte-order mark, then declaration, then HTTP's charset, then UTF-8.
    #[test]
    fn every_encoding_that_xml_allows_is_read() {
        let declared = |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\" standalone='yes'?>{BODY}");
        let plain = format!("<?xml version=\"1.0\" standalone='yes'?>{BODY}");
        let table = [
            (BODY.as_bytes().to_vec(), None, BODY),
            (format!("\u{feff}{BODY}").into_bytes(), Some("iso-8859-1"), BODY),
            (format!("\r\n\n {}", declared("UTF-8")).into_bytes(), None, plain.as_str()),
            (utf_16(&format!("\u{feff}{}", declared("utf-16")), true), None, &plain),
            (utf_16(&format!("\u{feff}{BODY}"), false), None, BODY),
            (utf_16(&declared("UTF-16"), true), None, &plain),
            (utf_16(&declared("UTF-16BE"), false), None, &plain),
            (utf_16(BODY, false), Some("utf-8"), BODY),
            (declared("utf-16").into_bytes(), None, &plain),
            (latin(&declared("ISO-8859-1")), Some("utf-8"), &plain),
            (latin(&declared("windows-1252")), None, &plain),
            (latin(BODY), Some("windows-1252"), BODY),
        ];
        for (bytes, charset, wanted) in table {
            assert_eq!(decode_metadata(&bytes, charset).as_deref(), Ok(wanted), "{charset:?} {bytes:?}");
        }
    }

    /// Proves C5: what is in no encoding that is read here is refused by its name.
    #[test]
    fn an_encoding_that_is_not_read_is_named() {
        let table: [(&[u8], &str); 5] = [
            (b"<a n='\xe4'/>", "UTF-8"),
            (b"<?xml version='1.0' encoding='x-klingon'?><a/>", "x-klingon"),
            (b"<?xml version='1.0' encoding='utf-7'?><a/>", "utf-7"),
            (b"<?xml version='1.0' encoding='iso-2022-kr'?><a/>", "iso-2022-kr"),
            (&[0xff, 0xfe, 0, 0, b'<', 0, 0, 0], "UTF-32"),
        ];
        for (bytes, name) in table {
            assert_eq!(decode_metadata(bytes, None), Err(MetadataError::Encoding { name: name.to_owned() }), "{name}");
        }
    }

    /// Proves C5: pasted text is characters, whatever its declaration says, and may bring what surrounded it.
    #[test]
    fn pasted_text_is_taken_without_what_surrounds_it() {
        for text in ["\u{feff}<a/>", "\n\n <a/>\n", "\u{ef}\u{bb}\u{bf}<a/>", "<a/>\0"] {
            assert_eq!(pasted_metadata(text), "<a/>");
        }
        assert_eq!(pasted_metadata("\n<?xml version='1.0' encoding = 'utf-16'?><a/>"), "<?xml version='1.0'?><a/>");
        // What only looks like a declaration is left to the guard.
        for text in ["<?xml-stylesheet encoding='x'?><a/>", "<?xml version='1.0' encoding='x", "<a encoding='x'/>"] {
            assert_eq!(pasted_metadata(text), text);
        }
    }
}
