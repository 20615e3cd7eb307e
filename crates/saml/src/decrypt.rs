//! `saml:EncryptedAssertion` (core 2.3.4, XML Encryption 1.1): RSA-OAEP for the key, AES for the content.
//!
//! The RSA step is aws-lc's own, with keys that were parsed once; the AES step is bergshamra's. bergshamra's whole
//! decryption is not used: it follows references and key agreements that no assertion needs. aws-lc's OAEP uses one
//! hash for both digest and mask, so a message that mixes them is refused; our metadata asks for what works.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::algorithm::Hash;
use crate::rejection::{Check, Rejection};
use crate::sp_key::SpKey;
use crate::xml::{Element, namespace};

/// Most encrypted keys tried: one for each of our keys during a rotation, and some to spare. Each costs a private key
/// operation for every key of ours, before anyone is authenticated.
const MAX_ENCRYPTED_KEYS: usize = 3;

/// Most of our own keys tried: the current one and one that is being rotated out.
const MAX_OWN_KEYS: usize = 3;

pub(crate) const RSA_OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const RSA_OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// Content encryption, best first, as our metadata lists it; with the length of the key in bytes.
pub(crate) const CIPHERS: [(&str, usize); 4] = [
    ("http://www.w3.org/2009/xmlenc11#aes256-gcm", 32),
    ("http://www.w3.org/2009/xmlenc11#aes128-gcm", 16),
    ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", 32),
    ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", 16),
];

/// The one answer to every failure: CBC and OAEP turn into oracles by what a peer learns from errors.
pub(crate) fn failed() -> Rejection {
    Rejection::new(Check::Decryption, "decryption_failed")
        .wanted("a signed assertion, encrypted for this service provider's certificate with RSA-OAEP and AES")
}

/// The text of the assertion inside, not yet guarded.
pub(crate) fn assertion(encrypted: &Element<'_, '_>, keys: &[SpKey]) -> Result<String, Rejection> {
    decrypt(encrypted, keys).ok_or_else(failed)
}

fn decrypt(encrypted: &Element<'_, '_>, keys: &[SpKey]) -> Option<String> {
    let data = only(encrypted, namespace::ENCRYPTION, "EncryptedData")?;
    if data.attribute("Type").is_some_and(|kind| kind != ELEMENT) {
        return None;
    }
    let method = only(&data, namespace::ENCRYPTION, "EncryptionMethod")?;
    let algorithm = method.attribute("Algorithm")?;
    let (uri, key_length) = CIPHERS.into_iter().find(|(uri, _)| *uri == algorithm)?;
    let ciphertext = cipher_value(&data)?;
    let encrypted_keys = encrypted_keys(encrypted, &data)?;
    let content_key = content_key(&encrypted_keys, keys, key_length)?;
    let cipher = bergshamra::crypto::cipher::from_uri(uri).ok()?;
    String::from_utf8(cipher.decrypt(&content_key, &ciphertext).ok()?).ok()
}

/// An `xenc:EncryptedKey`, its algorithm checked.
struct EncryptedKey {
    oaep: &'static OaepAlgorithm,
    label: Option<Vec<u8>>,
    ciphertext: Vec<u8>,
}

/// The keys inside the data's `KeyInfo` and beside the data (core 2.3.4): by value only, references are not followed.
fn encrypted_keys(encrypted: &Element<'_, '_>, data: &Element<'_, '_>) -> Option<Vec<EncryptedKey>> {
    let inside = data.child(namespace::SIGNATURE, "KeyInfo");
    let elements: Vec<_> = [inside, Some(*encrypted)]
        .into_iter()
        .flatten()
        .flat_map(|parent| parent.children())
        .filter(|child| child.is(namespace::ENCRYPTION, "EncryptedKey"))
        .take(MAX_ENCRYPTED_KEYS.saturating_add(1))
        .collect();
    if elements.len() > MAX_ENCRYPTED_KEYS {
        return None;
    }
    elements.iter().map(encrypted_key).collect()
}

fn encrypted_key(element: &Element<'_, '_>) -> Option<EncryptedKey> {
    let method = only(element, namespace::ENCRYPTION, "EncryptionMethod")?;
    let label = method.child(namespace::ENCRYPTION, "OAEPparams").map(|label| base64_text(&label));
    Some(EncryptedKey {
        oaep: oaep(&method)?,
        label: label.map_or(Some(None), |label| label.map(Some))?,
        ciphertext: cipher_value(element)?,
    })
}

/// The OAEP variant. Digest and mask default to SHA-1 (XML Encryption 5.5.2), the one most identity providers use.
fn oaep(method: &Element<'_, '_>) -> Option<&'static OaepAlgorithm> {
    let algorithm = method.attribute("Algorithm")?;
    let digest = match method.child(namespace::SIGNATURE, "DigestMethod") {
        Some(digest) => Hash::from_digest_uri(digest.attribute("Algorithm")?)?,
        None => Hash::Sha1,
    };
    let mask = match (algorithm, method.child(namespace::ENCRYPTION_11, "MGF")) {
        (RSA_OAEP, Some(mask)) => mask_hash(mask.attribute("Algorithm")?)?,
        (RSA_OAEP | RSA_OAEP_MGF1P, None) => Hash::Sha1,
        _ => return None,
    };
    match (digest, mask) {
        (Hash::Sha1, Hash::Sha1) => Some(&OAEP_SHA1_MGF1SHA1),
        (Hash::Sha256, Hash::Sha256) => Some(&OAEP_SHA256_MGF1SHA256),
        (Hash::Sha384, Hash::Sha384) => Some(&OAEP_SHA384_MGF1SHA384),
        (Hash::Sha512, Hash::Sha512) => Some(&OAEP_SHA512_MGF1SHA512),
        _ => None,
    }
}

fn mask_hash(uri: &str) -> Option<Hash> {
    match uri.strip_prefix(namespace::ENCRYPTION_11)? {
        "mgf1sha1" => Some(Hash::Sha1),
        "mgf1sha256" => Some(Hash::Sha256),
        "mgf1sha384" => Some(Hash::Sha384),
        "mgf1sha512" => Some(Hash::Sha512),
        _ => None,
    }
}

/// The first content key of the right length that one of our keys yields.
fn content_key(encrypted: &[EncryptedKey], own: &[SpKey], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let pairs = encrypted.iter().flat_map(|key| own.iter().take(MAX_OWN_KEYS).map(move |own| (key, own)));
    pairs.into_iter().find_map(|(key, own)| unwrap(key, own)).filter(|key| key.len() == length)
}

fn unwrap(encrypted: &EncryptedKey, own: &SpKey) -> Option<Zeroizing<Vec<u8>>> {
    let key = own.decrypting();
    let mut output = Zeroizing::new(vec![0; key.min_output_size()]);
    let plain = key.decrypt(encrypted.oaep, &encrypted.ciphertext, &mut output, encrypted.label.as_deref()).ok()?;
    Some(Zeroizing::new(plain.to_vec()))
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
