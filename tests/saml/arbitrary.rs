//! Any input whatever: nothing breaks. A search, within a time.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mock_idp::message::styled::Style;
use mock_idp::message::xml::{Attribute, Element, Node};
use proptest::prelude::*;
use proptest::sample::select;
use saml::{IdpCertificate, MetadataOptions};

use crate::duration::search;
use crate::scene::{RSA, now, verify};

const NAMES: [&str; 16] = [
    "Response",
    "Assertion",
    "EncryptedAssertion",
    "EncryptedData",
    "Signature",
    "SignedInfo",
    "Reference",
    "Status",
    "Subject",
    "Conditions",
    "AuthnStatement",
    "AttributeStatement",
    "EntityDescriptor",
    "IDPSSODescriptor",
    "KeyDescriptor",
    "X509Certificate",
];
const ATTRIBUTES: [&str; 10] =
    ["ID", "Version", "IssueInstant", "Algorithm", "URI", "Location", "Binding", "entityID", "use", "validUntil"];
const NAMESPACES: [(&str, &str); 5] = [
    ("samlp", "urn:oasis:names:tc:SAML:2.0:protocol"),
    ("saml", "urn:oasis:names:tc:SAML:2.0:assertion"),
    ("ds", "http://www.w3.org/2000/09/xmldsig#"),
    ("xenc", "http://www.w3.org/2001/04/xmlenc#"),
    ("md", "urn:oasis:names:tc:SAML:2.0:metadata"),
];

/// Gives a text to everything that takes one from outside.
fn give_to_everything(text: &str) {
    let _ = saml::guard::check(text);
    let _ = verify(text);
    let _ = saml::masked_message(text);
    let _ = saml::decode_post_binding(text);
    let _ = saml::decode_redirect_binding(text);
    let _ = saml::parse_idp_metadata(text, now(), &MetadataOptions::default());
    let _ = saml::parse_idp_metadata(text, now(), &MetadataOptions { allow_http: true, entity_id: None });
    let _ = saml::parse_pem_certificates(text);
}

/// Any bytes: as text, and as what base64 and a certificate hold.
fn give_bytes_to_everything(bytes: &[u8]) {
    give_to_everything(&String::from_utf8_lossy(bytes));
    let encoded = BASE64.encode(bytes);
    let _ = saml::decode_post_binding(&encoded);
    let _ = saml::decode_redirect_binding(&encoded);
    let _ = saml::parse_pem_certificates(&encoded);
    let _ = IdpCertificate::from_der(bytes);
}

/// Proves C10: no bytes break anything.
#[test]
fn arbitrary_bytes_never_break_anything() {
    let markup = "[<>&;#/!?\\[\\]\"'=:A-Za-z0-9 \u{0}-\u{ff}]{0,300}".prop_map(String::into_bytes);
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..600), markup];
    search(&bytes, |bytes| {
        give_bytes_to_everything(&bytes);
        Ok(())
    });
}

/// Proves C10: no XML breaks anything, not even one that is made of SAML's own words.
#[test]
fn arbitrary_xml_never_breaks_anything() {
    search(&document(), |tree| {
        give_to_everything(&Style::PLAIN.document(&tree));
        Ok(())
    });
}

/// Proves C5: no damage to a certificate or to metadata breaks anything.
#[test]
fn damaged_certificates_and_metadata_never_break_anything() {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let pem = RSA.identity.certificate_pem();
    let originals = [RSA.certificates[0].der.clone(), pem.as_bytes().to_vec(), metadata().into_bytes()];
    assert!(saml::parse_idp_metadata(&metadata(), now(), &MetadataOptions::default()).is_ok());
    search(&(0..originals.len(), damage, any::<bool>()), |(which, damage, cut)| {
        let mut bytes = originals[which].clone();
        for (index, byte) in &damage {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        if cut {
            let at = damage[0].0.index(bytes.len());
            bytes.truncate(at);
        }
        give_bytes_to_everything(&bytes);
        Ok(())
    });
}

/// Metadata of one identity provider.
fn metadata() -> String {
    let mut services = String::new();
    for binding in ["HTTP-Redirect", "HTTP-POST", "SOAP"] {
        write!(
            services,
            "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{binding}\" \
             Location=\"https://idp.example.test/sso\"/>"
        )
        .unwrap();
    }
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://idp.example.test\" \
         validUntil=\"2030-01-01T00:00:00Z\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\">\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>{services}</md:IDPSSODescriptor>\
         </md:EntityDescriptor>",
        RSA.identity.certificate().base64()
    )
}

/// A tree of such elements, with every prefix declared at its root.
fn document() -> impl Strategy<Value = Element> {
    let leaf =
        (name(), attributes(), text()).prop_map(|(name, attributes, text)| element(name, attributes, vec![text]));
    let tree = leaf.prop_recursive(8, 60, 6, |inner| {
        let child = prop_oneof![4 => inner.prop_map(Node::Element), 1 => text()];
        (name(), attributes(), prop::collection::vec(child, 0..6))
            .prop_map(|(name, attributes, children)| element(name, attributes, children))
    });
    tree.prop_map(|mut root| {
        root.declarations = NAMESPACES.map(|(prefix, namespace)| (prefix.into(), namespace.into())).to_vec();
        root
    })
}

type Name = ((&'static str, &'static str), &'static str);

fn name() -> impl Strategy<Value = Name> {
    (select(NAMESPACES.as_slice()), select(NAMES.as_slice()))
}

fn element(((prefix, _), local): Name, attributes: Vec<Attribute>, children: Vec<Node>) -> Element {
    Element { attributes, children, ..Element::new(prefix, local) }
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let value = prop_oneof![
        Just("_1".to_owned()),
        Just("#_1".to_owned()),
        Just("2.0".to_owned()),
        Just("2027-01-15T09:30:00Z".to_owned()),
        "[ -~\r\n\t\u{e0}-\u{ff}]{0,12}",
    ];
    let attribute = (select(ATTRIBUTES.as_slice()), value).prop_map(|(local, value)| Attribute {
        prefix: "".into(),
        local: local.into(),
        value: value.into(),
    });
    prop::collection::vec(attribute, 0..3)
}

fn text() -> impl Strategy<Value = Node> {
    let text = "[ -~\r\n\u{e0}-\u{ff}]{0,20}";
    prop_oneof![
        text.prop_map(|text| Node::Text(text.into())),
        text.prop_map(|text| Node::CData(text.into())),
        text.prop_map(|text| Node::Comment(text.into())),
        text.prop_map(|text| Node::Raw(text.into())),
    ]
}
