//! Values of the form field `SAMLResponse` that are broken before they are XML.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE};

/// A form value that a service provider must refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostileFormValue {
    /// A stable name, in snake case.
    pub name: &'static str,
    pub value: String,
}

/// Broken encodings of an honest document.
pub fn form_values(xml: &str) -> Vec<HostileFormValue> {
    let honest = BASE64.encode(xml);
    let (head, tail) = honest.split_at(honest.len() / 2);
    let cases = [
        ("empty", String::new()),
        ("not_base64", "%%%not base64%%%".to_owned()),
        ("not_encoded", xml.to_owned()),
        ("character_inside", format!("{head}*{tail}")),
        ("padding_inside", format!("{head}===={tail}")),
        ("padding_too_long", format!("{honest}====")),
        ("one_character_over", format!("{honest}A")),
        ("null_inside", format!("{head}\0{tail}")),
        ("url_safe_alphabet", URL_SAFE.encode([0xFB, 0xFF, 0xFE])),
        ("encoded_twice", BASE64.encode(&honest)),
        ("non_ascii_inside", format!("{head}é{tail}")),
    ];
    cases.into_iter().map(|(name, value)| HostileFormValue { name, value }).collect()
}
