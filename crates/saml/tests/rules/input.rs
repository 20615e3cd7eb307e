//! Input from people and browsers: certificates, form values, messages for diagnostics.

use crate::support::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml::{
    CertificateError, Check, KeyKind, SpKey, decode_post_binding, decode_redirect_binding, masked_message,
    parse_pem_certificates,
};

/// Proves C5: certificates come as PEM, several at once, or as bare base64.
#[test]
fn certificates_are_read_as_they_are_pasted() {
    let two = format!("subject=x\n{}\n\nissuer=y\n{}{}", fixture!("idp.crt"), fixture!("ec.crt"), fixture!("idp.crt"));
    let read = parse_pem_certificates(&two).unwrap();
    assert_eq!(read.iter().map(|one| one.key).collect::<Vec<_>>(), [KeyKind::Rsa { bits: 2048 }, KeyKind::EcP256]);
    let bare: String =
        fixture!("idp.crt").lines().filter(|line| !line.starts_with('-')).map(|line| format!(" {line}\r\n")).collect();
    assert_eq!(parse_pem_certificates(&bare).unwrap(), read[..1]);
    assert_eq!(parse_pem_certificates(&read[0].to_pem()).unwrap(), read[..1]);
    assert_eq!(read[0].sha256_fingerprint.len(), 64);
    assert!(read[0].subject.contains("CN=idp"));
    assert!(read[0].is_valid_at(now()));
}

/// Proves C5: what is no usable certificate is refused with what to do about it.
#[test]
fn unusable_certificates_are_refused() {
    let cases = [
        (String::new(), CertificateError::Missing),
        ("-----BEGIN X-----\n-----END X-----".to_owned(), CertificateError::Missing),
        ("hello world!".to_owned(), CertificateError::NotBase64),
        (STANDARD.encode("no certificate"), CertificateError::NotX509),
        (fixture!("idp.key").to_owned(), CertificateError::PrivateKey),
        (fixture!("weak.crt").to_owned(), CertificateError::WeakRsa { bits: 1024 }),
        (fixture!("idp.crt").replace("-----END CERTIFICATE-----", ""), CertificateError::Truncated),
        ("x".repeat(200_000), CertificateError::TooLong),
    ];
    for (text, error) in cases {
        assert_eq!(parse_pem_certificates(&text), Err(error));
        assert!(error.to_string().contains(": "), "what and fix: {error}");
    }
}

/// Proves C6: a key is taken with its own certificate only, and never shown.
#[test]
fn our_key_needs_its_own_certificate() {
    let key = pem_body(fixture!("sp.key"));
    assert!(SpKey::from_pkcs8_der(&key, &pem_body(fixture!("other.crt"))).is_err());
    assert!(SpKey::from_pkcs8_der(&pem_body(fixture!("weak.key")), &pem_body(fixture!("weak.crt"))).is_err());
    assert_eq!(format!("{:?}", SP_KEYS[0]), "SpKey(..)");
    assert_eq!(SP_KEYS[0].certificate_pem(), fixture!("sp.crt"));
}

/// Proves C10: a form value is strict base64 with line breaks, in UTF-8.
#[test]
fn form_values_are_decoded_strictly() {
    let xml = "<x>é</x>";
    let encoded = STANDARD.encode(xml);
    let broken: String =
        encoded.as_bytes().chunks(4).map(|part| format!("{}\r\n", str::from_utf8(part).unwrap())).collect();
    assert_eq!(decode_post_binding(&encoded).unwrap(), xml);
    assert_eq!(decode_post_binding(&broken).unwrap(), xml);
    assert_eq!(decode_post_binding(&STANDARD.encode(format!("\u{feff}{xml}"))).unwrap(), xml);
    let refused =
        |value: &str| decode_post_binding(value).map_err(|rejection| (rejection.check, rejection.reason.as_str()));
    assert_eq!(refused(""), Err((Check::Encoding, "message_missing")));
    assert_eq!(refused("QQ"), Err((Check::Encoding, "base64_invalid")));
    assert_eq!(refused("QQ==QQ=="), Err((Check::Encoding, "base64_invalid")));
    assert_eq!(refused("Q Q="), Err((Check::Encoding, "base64_invalid")));
    assert_eq!(refused("-_-_"), Err((Check::Encoding, "base64_invalid")));
    assert_eq!(refused("/////w=="), Err((Check::Encoding, "not_utf8")));
    assert_eq!(refused(&"A".repeat(1024 * 1024 + 4)), Err((Check::Bounds, "message_too_long")));
}

/// Proves C10: a small query value cannot become a large message.
#[test]
fn inflation_is_bounded() {
    use std::io::Write as _;
    let deflated = |text: &str| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    assert_eq!(decode_redirect_binding(&deflated("<x/>")).unwrap(), "<x/>");
    assert_eq!(
        decode_redirect_binding(&deflated(&" ".repeat(10_000_000))).unwrap_err().reason.as_str(),
        "message_too_long"
    );
    assert_eq!(decode_redirect_binding(&STANDARD.encode([0xff; 9])).unwrap_err().reason.as_str(), "deflate_invalid");
}

/// Proves H1: diagnostics keep the shape of a message and none of its personal values.
#[test]
fn a_masked_message_has_no_personal_values() {
    let mut message = Message::default();
    message.attributes = message.attributes.replace("anna@", "<!-- anna@ --><x id=\"anna@\">anna@</x>");
    message.authn =
        message.authn.replace("<saml:AuthnContext>", "<saml:SubjectLocality Address=\"10.1.2.3\"/><saml:AuthnContext>");
    for xml in [message.both_signed(), message.both_signed().replace("</samlp:Response>", "<&broken")] {
        let masked = masked_message(&xml);
        assert!(!masked.contains("anna@"), "{masked}");
        assert!(!masked.contains("10.1.2.3"), "{masked}");
        assert!(masked.contains("InResponseTo=\"_req1\""), "{masked}");
        assert!(masked.contains("<saml:NameID>***</saml:NameID>"), "{masked}");
        assert!(masked.contains("… (344 characters)</ds:SignatureValue>"), "{masked}");
    }
    assert!(masked_message(&format!("<x>{}</x>", "é".repeat(100_000))).len() < 65 * 1024 + 64);
}
