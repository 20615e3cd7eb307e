//! Encrypted assertions that must not be read, and how little a refusal tells.

use crate::support::*;
use saml::{Rejection, Trust};

/// Takes one element's text and puts another in its place, the `nth` time that it comes.
fn with_text(xml: &str, element: &str, nth: usize, change: impl Fn(&str) -> String) -> String {
    let open = format!("<{element}>");
    let start = xml.match_indices(&open).nth(nth).unwrap().0 + open.len();
    let end = start + xml[start..].find('<').unwrap();
    format!("{}{}{}", &xml[..start], change(&xml[start..end]), &xml[end..])
}

fn flipped(base64: &str) -> String {
    let at = base64.len() / 2;
    let other = if base64.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &base64[..at], &base64[at + 1..])
}

fn refused(xml: &str) -> Rejection {
    verify(xml).expect_err("the message should be refused")
}

/// Proves C10: whatever goes wrong inside, the refusal is the same to the last byte.
#[test]
fn every_failure_of_decryption_looks_the_same() {
    let gcm = fixture!("encrypted-aes256-gcm.xml");
    let cbc = fixture!("encrypted-aes256-cbc.xml");
    let key = "xenc:CipherValue";
    let rsa_15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    let encrypted_key_start = gcm.find("<xenc:EncryptedKey>").unwrap();
    let encrypted_key_end = gcm.find("</xenc:EncryptedKey>").unwrap() + "</xenc:EncryptedKey>".len();
    let encrypted_key = &gcm[encrypted_key_start..encrypted_key_end];
    let cases = [
        with_text(gcm, key, 0, flipped),
        with_text(gcm, key, 1, flipped),
        with_text(cbc, key, 1, flipped),
        with_text(gcm, key, 0, |_| String::new()),
        with_text(gcm, key, 1, |_| "AAAA".into()),
        with_text(cbc, key, 1, |_| "AAAAAAAAAAAAAAAAAAAAAA==".into()),
        with_text(cbc, key, 1, |_| "not base64".into()),
        gcm.replace(oaep, rsa_15),
        gcm.replace("aes256-gcm", "aes128-gcm"),
        gcm.replace("xmlenc11#aes256-gcm", "xmlenc#aes256-cbc"),
        gcm.replace("xmlenc#Element", "xmlenc#Content"),
        gcm.replace(encrypted_key, ""),
        gcm.replace(encrypted_key, &encrypted_key.repeat(4)),
        gcm.replace(
            encrypted_key,
            "<ds:RetrievalMethod URI=\"http://127.0.0.1/\" Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\"/>",
        ),
        gcm.replacen("<xenc:CipherData>", "<xenc:CipherData><xenc:CipherReference URI=\"http://127.0.0.1/\"/>", 2)
            .replace("<xenc:CipherValue>", "<x>")
            .replace("</xenc:CipherValue>", "</x>"),
        fixture!("encrypted-3des.xml").into(),
        fixture!("encrypted-unsigned.xml").into(),
    ];
    let wanted = refused(&cases[0]);
    assert_eq!(wanted.code, "decryption_failed");
    for (index, xml) in cases.iter().enumerate() {
        assert_eq!(refused(xml), wanted, "case {index}");
    }
}

/// Proves C6: without the right key nothing is read; with an earlier one beside it, it is.
#[test]
fn the_right_key_must_be_among_ours() {
    use saml::SpKey;
    let other = SpKey::from_pkcs8_der(&pem_body(fixture!("other.key")), &pem_body(fixture!("other.crt"))).unwrap();
    let xml = fixture!("encrypted-aes128-gcm.xml");
    let with = |keys: &[SpKey]| {
        let trust = Trust { decryption_keys: keys, ..trust() };
        saml::verify_response(xml, &expected(), &trust).map(|_| ()).map_err(|rejection| rejection.code)
    };
    assert_eq!(with(&[]), Err("decryption_failed"));
    assert_eq!(with(std::slice::from_ref(&other)), Err("decryption_failed"));
    assert_eq!(with(&[other, SP_KEYS[0].clone()]), Ok(()));
}

/// Proves C10: the signature of a response is over the ciphertext, and is checked before anything is decrypted.
#[test]
fn changed_ciphertext_in_a_signed_response_is_refused_by_its_signature() {
    let xml = fixture!("encrypted-in-signed-response.xml");
    assert_eq!(refused(&with_text(xml, "xenc:CipherValue", 1, flipped)).code, "signature_invalid");
}

/// Proves C5: an encrypted assertion signed by someone else is refused.
#[test]
fn a_signature_inside_by_another_key_is_refused() {
    let trust = Trust { certificates: &OTHER_CERTIFICATES, ..trust() };
    let result = saml::verify_response(fixture!("encrypted-aes128-gcm.xml"), &expected(), &trust);
    assert_eq!(result.unwrap_err().code, "decryption_failed");
}
