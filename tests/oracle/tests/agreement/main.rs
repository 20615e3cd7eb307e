//! Agreement with samael: what Vestibule accepts, samael accepts with the same `NameID` and attributes; what
//! Vestibule writes, samael reads. `mutation` asks the same of changed messages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod mutation;

use ::samael::metadata::EntityDescriptor;
use ::samael::schema::AuthnRequest as ReadRequest;
use jiff::Timestamp;
use mock_idp::certificate::Certificate;
use mock_idp::message::{ContentAlgorithm, Encryption, KeyTransport, Shape, SignedParts};
use oracle::{ACS, IDP, attacker, samael, sp_certificate, sp_key, spec, trusted, vestibule};
use saml::{AuthnRequest, SpMetadata, decode_redirect_binding};

const SIGNED: [SignedParts; 3] = [SignedParts::Assertion, SignedParts::Response, SignedParts::Both];
const CONTENT: [ContentAlgorithm; 4] = [
    ContentAlgorithm::Aes128Cbc,
    ContentAlgorithm::Aes256Cbc,
    ContentAlgorithm::Aes128Gcm,
    ContentAlgorithm::Aes256Gcm,
];

/// Messages that Vestibule accepts and samael does not, by a part of their name, with the reason.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("Shibboleth", "samael reads no element within an attribute value, such as the NameID of eduPersonTargetedID"),
    ("Aes256", "samael decrypts no AES-256"),
    ("identity_split_by_comment", "samael refuses a text that a comment interrupts; Vestibule reads all of it"),
    ("identity_split_by_cdata", "the same of a CDATA section"),
];

/// Traits of a message for which samael may refuse what Vestibule accepts, with the reason.
const STRICTER: [(fn(&str) -> bool, &str); 3] = [
    (has_empty_id, "samael wants an NCName of every ID; Vestibule of those of the response and the assertion"),
    (has_interrupted_text, "samael refuses a text that a comment interrupts, also that of a cipher or a certificate"),
    (has_no_visible_signature, "samael looks for a signature before it decrypts; Vestibule takes the one inside"),
];

fn has_empty_id(xml: &str) -> bool {
    xml.contains(" ID=\"\"")
}

/// Whether there is text on both sides of a comment.
fn has_interrupted_text(xml: &str) -> bool {
    xml.match_indices("<!--").any(|(at, _)| {
        let after = xml[at..].split_once("-->").map_or("", |(_, after)| after);
        !xml[..at].ends_with('>') && !after.starts_with('<')
    })
}

/// Whether a message has lost its outer signature, so that only its encrypted assertion is signed.
fn has_no_visible_signature(xml: &str) -> bool {
    !xml.contains("SignatureValue>")
}

/// Verdict of the two readers together on one message; disagreement panics.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// Vestibule refuses it, so nothing is asked of samael.
    Refused,
    /// samael refuses it, as an exception says.
    Excepted,
    /// Both accept it, with the same `NameID` and attributes.
    ReadAlike,
}

/// Compares both readings of a message: what Vestibule accepts, samael reads alike, or refuses as an exception.
fn agree(xml: &str, what: &str) -> Agreement {
    let Ok(ours) = vestibule(xml) else { return Agreement::Refused };
    let is_exception = EXCEPTIONS.iter().any(|(part, _)| what.contains(part));
    match samael(xml) {
        Ok(theirs) if !is_exception => {
            assert_eq!(ours, theirs, "{what}\n{xml}");
            Agreement::ReadAlike
        }
        Err(_) if is_exception || STRICTER.iter().any(|(has_trait, _)| has_trait(xml)) => Agreement::Excepted,
        theirs => panic!("{what}: Vestibule accepts {ours:?}, samael says {theirs:?}\n{xml}"),
    }
}

/// Encryption for the service provider, in a way that samael can undo where the content's algorithm allows it.
fn encryption(content: ContentAlgorithm) -> Encryption {
    let recipient = Certificate::from_der(sp_certificate()).unwrap();
    Encryption { content, key_transport: KeyTransport::OaepSha1, ..Encryption::new(recipient, [42; 48]) }
}

/// Proves C10: honest messages of every product, whichever parts are signed, mean the same to an independent reader.
#[test]
fn honest_messages_mean_the_same_to_an_independent_reader() {
    let mut accepted = 0;
    for shape in Shape::ALL {
        for parts in SIGNED {
            let xml = spec(shape).signed(parts).build(&trusted()).unwrap();
            accepted += usize::from(agree(&xml, &format!("{shape:?}, {parts:?}")) != Agreement::Refused);
        }
    }
    assert_eq!(accepted, Shape::ALL.len() * SIGNED.len());
}

/// Proves C10: the same for encrypted assertions.
#[test]
fn encrypted_messages_mean_the_same_to_an_independent_reader() {
    let mut accepted = 0;
    for shape in Shape::ALL {
        for content in CONTENT {
            let xml = spec(shape).signed(SignedParts::Both).encrypted(encryption(content)).build(&trusted()).unwrap();
            accepted += usize::from(agree(&xml, &format!("{shape:?}, {content:?}")) != Agreement::Refused);
        }
    }
    assert_eq!(accepted, Shape::ALL.len() * CONTENT.len());
}

/// Proves C10: of hostile messages, what Vestibule lets through at all, as the trusted provider's own word, reads
/// the same.
#[test]
fn hostile_messages_that_are_read_mean_the_same() {
    let mut tried = 0;
    for shape in [Shape::Plain, Shape::Okta, Shape::EntraId] {
        for case in mock_idp::tamper::all(&spec(shape), &trusted(), &attacker()).unwrap() {
            if let Ok(xml) = std::str::from_utf8(&case.xml) {
                agree(xml, &format!("{shape:?}, {}", case.name));
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

fn request() -> AuthnRequest<'static> {
    AuthnRequest {
        id: "_0123456789abcdef",
        issue_instant: Timestamp::now(),
        destination: "https://idp.example.test/sso?tenant=1",
        issuer: ACS,
        acs_url: ACS,
        name_id_format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        force_authn: true,
        requested_authn_context: None,
    }
}

fn assert_read(xml: &str) {
    let read: ReadRequest = xml.parse().unwrap_or_else(|error| panic!("{error:?}\n{xml}"));
    let wanted = request();
    assert_eq!(read.id, wanted.id);
    assert_eq!(read.destination.as_deref(), Some(wanted.destination));
    assert_eq!(read.assertion_consumer_service_url.as_deref(), Some(ACS));
    assert_eq!(read.issuer.and_then(|issuer| issuer.value).as_deref(), Some(ACS));
    assert_eq!(read.force_authn, Some(true));
}

/// Proves C7: an independent reader understands the request, by redirect and by POST, signed or not.
#[test]
fn requests_are_read_by_an_independent_reader() {
    let key = sp_key();
    for signing in [None, Some(&key)] {
        let url = request().redirect_url("handle", signing).unwrap();
        let url = url::Url::parse(&url).unwrap();
        let value = url.query_pairs().find(|(name, _)| name == "SAMLRequest").unwrap().1;
        assert_read(&decode_redirect_binding(&value).unwrap());
        let form = request().post_form("handle", signing).unwrap();
        assert_read(&saml::decode_post_binding(&form.saml_request).unwrap());
    }
}

/// Proves C1: an independent reader understands the metadata, signed or not.
#[test]
fn metadata_is_read_by_an_independent_reader() {
    let (key, keys) = (sp_key(), [sp_key()]);
    for signing in [None, Some(&key)] {
        let metadata = SpMetadata {
            entity_id: ACS,
            acs_url: ACS,
            slo_url: None,
            keys: &keys,
            authn_requests_signed: true,
            name_id_format: None,
            valid_until: None,
        };
        let xml = metadata.to_xml(signing, "_metadata").unwrap();
        let read: EntityDescriptor = xml.parse().unwrap_or_else(|error| panic!("{error:?}\n{xml}"));
        assert_eq!(read.entity_id.as_deref(), Some(ACS));
        let role = read.sp_sso_descriptors.unwrap().remove(0);
        assert_eq!(role.assertion_consumer_services[0].location, ACS);
        assert_eq!(role.key_descriptors.map(|keys| keys.len()), Some(2));
        assert_ne!(read.entity_id.as_deref(), Some(IDP));
    }
}
