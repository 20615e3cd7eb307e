//! Characters and names that XML 1.0 (fifth edition) allows, and the meaning of references.

use std::borrow::Cow;
use std::num::IntErrorKind;

use super::{MALFORMED, XmlError};
use crate::reason::Reason;

/// Whether all characters are `Char` (2.2). Rust strings have no surrogates, so few are left to find.
pub(crate) fn all_legal(text: &str) -> bool {
    // Counted, not searched: without an early exit the loop is vectorized, and honest text has no exit anyway.
    let controls = text.bytes().filter(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')).count();
    // The first byte of U+FFFE and U+FFFF, which few texts have.
    let candidates = text.bytes().filter(|byte| *byte == 0xef).count();
    controls == 0 && (candidates == 0 || !text.contains(['\u{fffe}', '\u{ffff}']))
}

fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether the text is an `NCName` (Namespaces in XML, 3).
pub(crate) fn is_ncname(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

fn is_name_start(character: char) -> bool {
    matches!(character, 'a'..='z' | 'A'..='Z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether all characters are white space (2.3).
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The character of a reference, given without `&` and `;` (4.1, 4.6).
pub(crate) fn reference(name: &str) -> Result<char, XmlError> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => name.strip_prefix('#').ok_or(XmlError(Reason::EntityRefused)).and_then(character_reference),
    }
}

fn character_reference(digits: &str) -> Result<char, XmlError> {
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (digits, 10),
    };
    // `from_str_radix` would allow a sign.
    if digits.starts_with(['+', '-']) {
        return Err(MALFORMED);
    }
    let code = u32::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow => XmlError(Reason::IllegalCharacter),
        _ => MALFORMED,
    });
    code.map(char::from_u32)?.filter(|character| is_legal(*character)).ok_or(XmlError(Reason::IllegalCharacter))
}

/// Character data with line ends normalized (2.11).
pub(crate) fn normalize_line_ends(raw: &str) -> Cow<'_, str> {
    if raw.contains('\r') { Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(raw) }
}

/// An attribute's value, given without its quotes (3.3.3, for attributes that no DTD declares).
pub(crate) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    // Counted, not searched, as above.
    if raw.bytes().filter(|byte| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r')).count() == 0 {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.contains('<') {
        return Err(MALFORMED);
    }
    let mut spaced = Cow::Borrowed(raw);
    if raw.contains(['\t', '\n', '\r']) {
        spaced = Cow::Owned(raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " "));
    }
    let mut value = String::with_capacity(spaced.len());
    let mut rest = spaced.as_ref();
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').ok_or(MALFORMED)?;
        value.push_str(before);
        value.push(reference(name)?);
        rest = after;
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}
