//! Every shape, signed and encrypted in every way: accepted, and read alike by both engines.

use mock_idp::message::{
    Canonicalization, ContentAlgorithm, DigestAlgorithm, KeyTransport, ResponseSpec, Shape, SignatureAlgorithm,
    SignedParts,
};
use saml::{SignedElement, VerifiedResponse};

use crate::scene::{
    EMAIL_CLAIM, IDP, P256, P384, Provider, REQUEST, ROLE_ATTRIBUTE, ROLES, RSA, USER, accepted, encryption, spec,
    values, verify,
};

const SIGNED: [SignedParts; 3] = [SignedParts::Assertion, SignedParts::Response, SignedParts::Both];
const CONTENT: [ContentAlgorithm; 6] = [
    ContentAlgorithm::Aes128Cbc,
    ContentAlgorithm::Aes192Cbc,
    ContentAlgorithm::Aes256Cbc,
    ContentAlgorithm::Aes128Gcm,
    ContentAlgorithm::Aes192Gcm,
    ContentAlgorithm::Aes256Gcm,
];

/// Every shape with every choice of signed parts, changed by the test.
fn each(change: impl Fn(ResponseSpec) -> ResponseSpec, provider: &Provider) {
    for shape in Shape::ALL {
        for parts in SIGNED {
            check(&change(spec(shape).signed(parts)), provider);
        }
    }
}

/// Accepted by each engine, and read as it was specified.
fn check(spec: &ResponseSpec, provider: &Provider) {
    let what = format!("{:?}, {:?}", spec.shape, spec.signing);
    let xml = spec.build(&provider.identity).unwrap();
    let read = accepted(&xml, &provider.certificates, &what);
    assert_eq!(read.in_response_to.as_deref(), Some(REQUEST), "{what}");
    assert_eq!(read.assertion_id, spec.assertion_id, "{what}");
    assert_eq!(read.issuer, IDP, "{what}");
    assert_eq!(read.session_index, spec.session_index, "{what}");
    assert_eq!(read.certificate_sha256, provider.certificates[0].sha256_fingerprint, "{what}");
    assert_eq!(read.warnings, [], "{what}");
    assert_eq!(read.encrypted, spec.encryption.is_some(), "{what}");
    let outer = spec.signing.parts != SignedParts::Assertion;
    assert_eq!(read.signed, if outer { SignedElement::Response } else { SignedElement::Assertion }, "{what}");
    check_identity(spec, &read, &what);
}

fn check_identity(spec: &ResponseSpec, read: &VerifiedResponse, what: &str) {
    let name_id = read.name_id.as_ref().map(|name_id| (name_id.value.as_str(), name_id.format.as_deref()));
    let wanted = spec.name_id.as_ref().map(|name_id| (name_id.value.as_str(), name_id.format.as_deref()));
    assert_eq!(name_id, wanted, "{what}");
    assert_eq!(values(read, EMAIL_CLAIM), Some([USER.to_owned()].as_slice()), "{what}");
    assert_eq!(values(read, ROLE_ATTRIBUTE), Some(ROLES.map(str::to_owned).as_slice()), "{what}");
}

/// Proves C10: honest messages of every provider are accepted, whichever parts are signed, with RSA keys.
#[test]
fn every_shape_is_accepted_with_an_rsa_key() {
    each(|spec| spec, &RSA);
}

/// Proves C10 for elliptic curves.
#[test]
fn every_shape_is_accepted_with_a_p256_key() {
    each(|spec| spec, &P256);
}

/// Proves C10 for elliptic curves.
#[test]
fn every_shape_is_accepted_with_a_p384_key() {
    each(|spec| spec, &P384);
}

/// Proves C10: whatever canonicalization is used, both engines arrive at the same bytes.
#[test]
fn every_shape_is_accepted_with_inclusive_canonicalization() {
    each(|spec| canonicalized(spec, Canonicalization::Inclusive), &RSA);
}

/// Proves C10 for exclusive canonicalization under its name with comments, which a reference by ID leaves out.
#[test]
fn every_shape_is_accepted_with_canonicalization_that_keeps_comments() {
    each(|spec| canonicalized(spec, Canonicalization::ExclusiveWithComments), &RSA);
    for shape in Shape::ALL {
        for parts in SIGNED {
            let spec = canonicalized(spec(shape).signed(parts), Canonicalization::ExclusiveWithComments);
            let xml = spec.build(&RSA.identity).unwrap();
            let plain = accepted(&xml, &RSA.certificates, "plain");
            let commented = xml.replace(USER, "<!-- a -->alice<!-- b -->@example.test<!-- c -->");
            assert_ne!(commented, xml);
            assert_eq!(accepted(&commented, &RSA.certificates, "commented"), plain, "{shape:?}");
        }
    }
}

/// Proves C10: `xml` may be declared as what it always is, also where everything in scope is canonicalized.
#[test]
fn every_shape_is_accepted_with_xml_declared_as_itself() {
    let declaration = " xmlns:xml=\"http://www.w3.org/XML/1998/namespace\" ";
    for canonicalization in [Canonicalization::EXCLUSIVE, Canonicalization::Inclusive] {
        for shape in Shape::ALL {
            for parts in SIGNED {
                let spec = canonicalized(spec(shape).signed(parts), canonicalization.clone());
                let xml = spec.build(&RSA.identity).unwrap();
                let plain = accepted(&xml, &RSA.certificates, "plain");
                let declared = xml.replace(" Version=", &format!("{declaration}Version="));
                let declared = declared.replace(" Algorithm=", &format!("{declaration}Algorithm="));
                assert_eq!(accepted(&declared, &RSA.certificates, "declared"), plain, "{shape:?}");
            }
        }
    }
}

/// Proves C10 for prefix lists, also with prefixes that nothing uses or declares.
#[test]
fn every_shape_is_accepted_with_a_prefix_list() {
    let prefixes = ["xs", "xsi", "samlp", "saml2p", "saml", "ds", "unknown", "#default"];
    let list = || prefixes.map(str::to_owned).to_vec();
    each(|spec| canonicalized(spec, Canonicalization::Exclusive { prefix_list: list() }), &RSA);
}

fn canonicalized(mut spec: ResponseSpec, canonicalization: Canonicalization) -> ResponseSpec {
    spec.signing.canonicalization = canonicalization;
    spec
}

/// Proves C10 for the longer hashes.
#[test]
fn every_shape_is_accepted_with_longer_hashes() {
    for (algorithm, digest) in [
        (SignatureAlgorithm::RsaSha384, DigestAlgorithm::Sha384),
        (SignatureAlgorithm::RsaSha512, DigestAlgorithm::Sha512),
        (SignatureAlgorithm::RsaSha256, DigestAlgorithm::Sha512),
    ] {
        let hashed = |mut spec: ResponseSpec| {
            spec.signing.algorithm = Some(algorithm);
            spec.signing.digest = digest;
            spec
        };
        each(hashed, &RSA);
    }
}

fn each_encrypted(key_transport: KeyTransport, provider: &Provider) {
    for content in CONTENT {
        each(|spec| spec.encrypted(encryption(content, key_transport)), provider);
    }
}

/// Proves C10 for encrypted assertions, with the key transport that most providers use.
#[test]
fn every_shape_is_accepted_encrypted_with_oaep_sha1() {
    each_encrypted(KeyTransport::OaepSha1, &RSA);
}

/// Proves C10 for encrypted assertions, with the key transport that our metadata prefers.
#[test]
fn every_shape_is_accepted_encrypted_with_oaep_sha256() {
    each_encrypted(KeyTransport::OaepSha256, &RSA);
}

/// Proves C10 for encrypted assertions, with every digest and mask of OAEP chosen for itself, and with those left
/// out that have a default.
#[test]
fn every_digest_and_mask_of_oaep_is_accepted() {
    let hashes = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];
    let hashes = || hashes.into_iter().map(Some).chain([None]);
    let both = hashes().flat_map(|digest| hashes().map(move |mask| KeyTransport::Oaep { digest, mask }));
    for key_transport in both.chain(hashes().map(|digest| KeyTransport::OaepMgf1p { digest })) {
        let encryption = encryption(ContentAlgorithm::Aes256Gcm, key_transport);
        check(&spec(Shape::Shibboleth).signed(SignedParts::Assertion).encrypted(encryption), &RSA);
    }
}

/// Proves C10 for encrypted assertions that an elliptic curve signs.
#[test]
fn every_shape_is_accepted_encrypted_with_a_p256_key() {
    let encryption = || encryption(ContentAlgorithm::Aes256Gcm, KeyTransport::OaepSha256);
    each(|spec| spec.encrypted(encryption()), &P256);
}

/// Proves that the suite can fail: unsigned messages are refused, encrypted or not.
#[test]
fn no_shape_is_accepted_unsigned() {
    for shape in Shape::ALL {
        let plain = spec(shape).signed(SignedParts::None);
        let encrypted = plain.clone().encrypted(encryption(ContentAlgorithm::Aes256Gcm, KeyTransport::OaepSha256));
        let refusal = |spec: ResponseSpec| verify(&spec.build(&RSA.identity).unwrap()).unwrap_err().reason.as_str();
        assert_eq!((refusal(plain), refusal(encrypted)), ("signature_missing", "decryption_failed"), "{shape:?}");
    }
}
