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

/// The one `EncryptedKey` of a message.
fn encrypted_key(xml: &str) -> &str {
    let end = "</xenc:EncryptedKey>";
    &xml[xml.find("<xenc:EncryptedKey>").unwrap()..xml.find(end).unwrap() + end.len()]
}

/// Proves C9: an algorithm that is not accepted is named, as it stands in the message in plain text.
#[test]
fn an_algorithm_that_is_refused_is_named() {
    let gcm = fixture!("encrypted-aes256-gcm.xml");
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    let rsa_15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    let key = encrypted_key(gcm);
    let mask = "<e:MGF xmlns:e=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"urn:mask\"/></xenc:EncryptionMethod>";
    let cases = [
        (fixture!("encrypted-3des.xml").to_owned(), "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
        (gcm.replace(oaep, rsa_15), rsa_15),
        (gcm.replace(oaep, "http://www.w3.org/2001/04/xmlenc#kw-aes256"), "http://www.w3.org/2001/04/xmlenc#kw-aes256"),
        (gcm.replace(sha1, "http://www.w3.org/2001/04/xmldsig-more#md5"), "http://www.w3.org/2001/04/xmldsig-more#md5"),
        (gcm.replace(key, &key.replace("</xenc:EncryptionMethod>", mask)), "urn:mask"),
        (gcm.replace(key, &key.repeat(17)), "more than 16 encrypted keys"),
    ];
    for (xml, named) in cases {
        let refused = refused(&xml);
        assert_eq!((refused.reason.as_str(), refused.got.as_deref()), ("decryption_failed", Some(named)));
    }
}

/// Proves C10: keys for other recipients beside ours are skipped, whatever their algorithm, wherever ours stands.
#[test]
fn keys_for_other_recipients_are_skipped() {
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    let accepted = fixture!("encrypted-aes256-gcm.xml");
    let ours = encrypted_key(accepted);
    let hinted = |base64: &str| {
        let info = "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>";
        let info = format!("{info}{base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><xenc:CipherData>");
        with_text(ours, "xenc:CipherValue", 0, flipped).replace("<xenc:CipherData>", &info)
    };
    let other_certificate: String = fixture!("other.crt").lines().filter(|line| !line.starts_with('-')).collect();
    let our_certificate: String = fixture!("sp.crt").lines().filter(|line| !line.starts_with('-')).collect();
    let others = [
        ours.replace(oaep, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
        ours.replace(oaep, "http://www.w3.org/2001/04/xmlenc#kw-aes128"),
        ours.replace(oaep, "http://www.w3.org/2009/xmlenc11#ECDH-ES"),
        with_text(ours, "xenc:CipherValue", 0, flipped),
        with_text(ours, "xenc:CipherValue", 0, |_| "AAAA".into()),
        with_text(ours, "xenc:CipherValue", 0, |_| "not base64".into()),
        "<xenc:EncryptedKey/>".into(),
        hinted(&other_certificate).repeat(5),
        // A hint may lie: it decides about the order alone.
        hinted(&our_certificate),
        with_text(ours, "xenc:CipherValue", 0, flipped)
            .replace("<xenc:EncryptedKey>", "<xenc:EncryptedKey Recipient=\"https://other.example\">")
            .repeat(5),
    ];
    for other in &others {
        for keys in [format!("{other}{ours}"), format!("{ours}{other}")] {
            let verified = verify(&accepted.replace(ours, &keys));
            assert!(verified.is_ok_and(|verified| verified.encrypted), "{other}");
        }
        let alone = refused(&accepted.replace(ours, other));
        assert_eq!(alone.reason.as_str(), "decryption_failed", "{other}");
    }
    let beside = accepted.replace(ours, "").replace("</xenc:EncryptedData>", &format!("</xenc:EncryptedData>{ours}"));
    assert!(
        verify(
            &beside
                .replace("<xenc:EncryptedKey", "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"")
        )
        .is_ok()
    );
}

/// Proves C10: a sender that encrypts for many recipients makes us try few of our private keys.
#[test]
fn few_private_key_operations_are_made() {
    let accepted = fixture!("encrypted-aes256-gcm.xml");
    let ours = encrypted_key(accepted);
    let wrong = with_text(ours, "xenc:CipherValue", 0, flipped);
    let keys = vec![SP_KEYS[0].clone(); 3];
    let trust = Trust { decryption_keys: &keys, ..trust() };
    let hostile = accepted.replace(ours, &wrong.repeat(16));
    let (refused, work) = saml::work::counted(|| saml::verify_response(&hostile, &expected(), &trust));
    assert_eq!(refused.unwrap_err().reason.as_str(), "decryption_failed");
    assert_eq!((work.private_key, work.public_key, work.engine), (4, 0, 0));
}

/// Proves C10: whatever goes wrong inside, the refusal is the same to the last byte.
#[test]
fn every_failure_of_decryption_looks_the_same() {
    let gcm = fixture!("encrypted-aes256-gcm.xml");
    let cbc = fixture!("encrypted-aes256-cbc.xml");
    let key = "xenc:CipherValue";
    let encrypted_key = encrypted_key(gcm);
    let cases = [
        with_text(gcm, key, 0, flipped),
        with_text(gcm, key, 1, flipped),
        with_text(cbc, key, 1, flipped),
        with_text(gcm, key, 0, |_| String::new()),
        with_text(gcm, key, 1, |_| "AAAA".into()),
        with_text(cbc, key, 1, |_| "AAAAAAAAAAAAAAAAAAAAAA==".into()),
        with_text(cbc, key, 1, |_| "not base64".into()),
        gcm.replace("aes256-gcm", "aes128-gcm"),
        gcm.replace("2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes256-cbc"),
        gcm.replace("xmlenc#Element", "xmlenc#Content"),
        gcm.replace(encrypted_key, ""),
        gcm.replace(
            encrypted_key,
            "<ds:RetrievalMethod URI=\"http://127.0.0.1/\" Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\"/>",
        ),
        gcm.replacen("<xenc:CipherData>", "<xenc:CipherData><xenc:CipherReference URI=\"http://127.0.0.1/\"/>", 2)
            .replace("<xenc:CipherValue>", "<x>")
            .replace("</xenc:CipherValue>", "</x>"),
        fixture!("encrypted-unsigned.xml").into(),
    ];
    let wanted = refused(&cases[0]);
    assert_eq!(wanted.reason.as_str(), "decryption_failed");
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
        saml::verify_response(xml, &expected(), &trust).map(|_| ()).map_err(|rejection| rejection.reason.as_str())
    };
    assert_eq!(with(&[]), Err("decryption_failed"));
    assert_eq!(with(std::slice::from_ref(&other)), Err("decryption_failed"));
    assert_eq!(with(&[other, SP_KEYS[0].clone()]), Ok(()));
}

/// Proves C10: the signature of a response is over the ciphertext, and is checked before anything is decrypted.
#[test]
fn changed_ciphertext_in_a_signed_response_is_refused_by_its_signature() {
    let xml = fixture!("encrypted-in-signed-response.xml");
    assert_eq!(refused(&with_text(xml, "xenc:CipherValue", 1, flipped)).reason.as_str(), "signature_invalid");
}

/// Proves C5: an encrypted assertion signed by someone else is refused.
#[test]
fn a_signature_inside_by_another_key_is_refused() {
    let trust = Trust { certificates: &OTHER_CERTIFICATES, ..trust() };
    let result = saml::verify_response(fixture!("encrypted-aes128-gcm.xml"), &expected(), &trust);
    assert_eq!(result.unwrap_err().reason.as_str(), "decryption_failed");
}
