//! `saml:EncryptedAssertion` (core 2.3.4, XML Encryption 1.1): RSA-OAEP for the key, AES for the content.
//!
//! The RSA step is aws-lc's, with keys that were parsed once; the AES step is bergshamra's. bergshamra's whole
//! decryption is not used: it follows references and key agreements that no assertion needs.

mod encrypted_key;
mod oaep;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use self::encrypted_key::RSA_OAEP_MGF1P;
pub(crate) use self::oaep::DecryptingKey;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::sp_key::SpKey;
use crate::xml::{Element, namespace};

const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// Content encryption, best first, as our metadata lists it; with the length of the key in bytes.
pub(crate) const CIPHERS: [(&str, usize); 6] = [
    ("http://www.w3.org/2009/xmlenc11#aes256-gcm", 32),
    ("http://www.w3.org/2009/xmlenc11#aes192-gcm", 24),
    ("http://www.w3.org/2009/xmlenc11#aes128-gcm", 16),
    ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", 32),
    ("http://www.w3.org/2001/04/xmlenc#aes192-cbc", 24),
    ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", 16),
];

/// Recipient that an assertion is encrypted for: this service provider.
pub(crate) struct Recipient<'a> {
    pub(crate) entity_id: &'a str,
    /// Decryption keys, the current one first.
    pub(crate) keys: &'a [SpKey],
}

/// The one answer to every failure: CBC and OAEP turn into oracles by what a peer learns from errors.
pub(crate) fn failed() -> Rejection {
    Rejection::new(Check::Decryption, Reason::DecryptionFailed)
        .wanted("a signed assertion, encrypted for this service provider's certificate with RSA-OAEP and AES")
}

/// The text of the assertion inside, not yet guarded. A refusal names an algorithm that is not accepted: it stands
/// in plain text in the message, and tells nothing about what is encrypted.
pub(crate) fn assertion(encrypted: &Element<'_, '_>, recipient: &Recipient<'_>) -> Result<String, Rejection> {
    let data = only(encrypted, namespace::ENCRYPTION, "EncryptedData").ok_or_else(failed)?;
    if data.attribute("Type").is_some_and(|kind| kind != ELEMENT) {
        return Err(failed());
    }
    let method = only(&data, namespace::ENCRYPTION, "EncryptionMethod").ok_or_else(failed)?;
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    let cipher = CIPHERS.into_iter().find(|(uri, _)| *uri == algorithm);
    let (uri, key_length) = cipher.ok_or_else(|| failed().got(algorithm))?;
    let encrypted_keys = encrypted_key::usable(encrypted, &data)?;
    let opened = || {
        let ciphertext = cipher_value(&data)?;
        let content_key = encrypted_key::unwrapped(&encrypted_keys, recipient, key_length)?;
        let cipher = bergshamra::crypto::cipher::from_uri(uri).ok()?;
        String::from_utf8(cipher.decrypt(&content_key, &ciphertext).ok()?).ok()
    };
    opened().ok_or_else(failed)
}

/// `CipherData/CipherValue`: a `CipherReference` would fetch the bytes from elsewhere.
fn cipher_value(parent: &Element<'_, '_>) -> Option<Vec<u8>> {
    let data = only(parent, namespace::ENCRYPTION, "CipherData")?;
    base64_text(&only(&data, namespace::ENCRYPTION, "CipherValue")?)
}

fn base64_text(element: &Element<'_, '_>) -> Option<Vec<u8>> {
    let text: Vec<u8> = element.text().ok()?.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// The child of that name, if there is exactly one.
fn only<'d, 'a>(parent: &Element<'d, 'a>, namespace: &str, local: &str) -> Option<Element<'d, 'a>> {
    let mut found = parent.children_named(namespace, local);
    found.next().filter(|_| found.next().is_none())
}
