//! An independent judge: samael reads what Vestibule accepts and writes, and must agree.
//!
//! It is a workspace of its own and never a part of the product: samael pins an older libxml, loads the certificate
//! anew for every signature, and accepts unsigned responses where metadata has no certificate. ARCHITECTURE.md has
//! the reasons.
//!
//! Time is the machine's here, because samael takes it from there.
#![allow(clippy::expect_used, clippy::missing_panics_doc, clippy::unwrap_used, reason = "a judge of tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mock_idp::identity::SigningIdentity;
use mock_idp::message::{NAME_ID_EMAIL, Parties, ResponseSpec, Shape};
use samael::crypto::{Crypto, CryptoProvider};
use samael::metadata::EntityDescriptor;
use samael::service_provider::{ServiceProvider, ServiceProviderBuilder};
use saml::{Engines, Expected, IdpCertificate, Rejection, SpKey, Trust, VerifiedResponse};

/// The ACS URL and entity id of the service provider.
pub const ACS: &str = "https://sp.example.test/saml/0a1b2c3d";
/// The entity id of the identity provider.
pub const IDP: &str = "https://idp.example.test/metadata";
/// The `ID` of the request that is answered.
pub const REQUEST: &str = "_request-1";
/// The user who signs in.
pub const USER: &str = "alice@example.test";

/// Factor by which samael's patience with old messages (90 seconds) grows, for machines that are slow.
const PATIENCE: i32 = 40;
const SP_CERTIFICATE: &[u8] = include_bytes!("../../fixtures/sp.crt.der");

/// The identity provider that both sides trust.
pub fn trusted() -> SigningIdentity {
    let pem = (include_str!("../../fixtures/idp.key"), include_str!("../../fixtures/idp.crt"));
    SigningIdentity::from_pem(pem.0, pem.1).unwrap()
}

/// An identity provider that neither side trusts.
pub fn attacker() -> SigningIdentity {
    let pem = (include_str!("../../fixtures/attacker.key"), include_str!("../../fixtures/attacker.crt"));
    SigningIdentity::from_pem(pem.0, pem.1).unwrap()
}

/// The service provider's key.
pub fn sp_key() -> SpKey {
    SpKey::from_pkcs8_der(include_bytes!("../../fixtures/sp.key.der"), SP_CERTIFICATE).unwrap()
}

/// The service provider's certificate, as DER.
pub fn sp_certificate() -> &'static [u8] {
    SP_CERTIFICATE
}

/// An honest answer by the habits of one product.
pub fn spec(shape: Shape) -> ResponseSpec {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    ResponseSpec::new(Parties { issuer: IDP, audience: ACS, acs: ACS }, now, "7c0ffee1")
        .to_request(REQUEST)
        .named(USER, NAME_ID_EMAIL)
        .attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", [USER])
        .attribute("https://adminconsole.netsign-in.se/saml/attributes/role", ["nac-team-lead", "Mitarbeiter & Gäste"])
        .as_sent_by(shape, "7c0ffee1")
}

/// Statements of an assertion, as far as a sign-in rests on them.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// Value of the `NameID`, if there is one.
    pub name_id: Option<String>,
    /// The values of each attribute.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// Vestibule's verdict, by both of its engines.
pub fn vestibule(xml: &str) -> Result<Reading, Rejection> {
    let (certificates, keys) = (certificates(), [sp_key()]);
    let expected = Expected {
        acs_url: ACS,
        sp_entity_id: ACS,
        idp_entity_id: IDP,
        now: Timestamp::now(),
        clock_skew: Duration::from_mins(2),
    };
    let trust = Trust {
        certificates: &certificates,
        allow_sha1: false,
        refuse_expired_certificates: false,
        decryption_keys: &keys,
        engines: Engines::Both,
    };
    saml::verify_response(xml, &expected, &trust).map(|verified| reading(&verified))
}

fn certificates() -> Vec<IdpCertificate> {
    saml::parse_pem_certificates(trusted().certificate_pem()).unwrap()
}

fn reading(verified: &VerifiedResponse) -> Reading {
    let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for attribute in &verified.attributes {
        attributes.entry(attribute.name.clone()).or_default().extend(attribute.values.iter().cloned());
    }
    Reading { name_id: verified.name_id.as_ref().map(|name_id| name_id.value.clone()), attributes }
}

/// Verdict of samael on the same message.
pub fn samael(xml: &str) -> Result<Reading, samael::service_provider::Error> {
    let assertion = service_provider().parse_xml_response(xml, Some(&[REQUEST]))?;
    let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for attribute in assertion.attribute_statements.into_iter().flatten().flat_map(|statement| statement.attributes) {
        let values = attribute.values.into_iter().map(|value| value.value.unwrap_or_default());
        attributes.entry(attribute.name.unwrap_or_default()).or_default().extend(values);
    }
    let name_id = assertion.subject.and_then(|subject| subject.name_id).map(|name_id| name_id.value);
    Ok(Reading { name_id, attributes })
}

fn service_provider() -> ServiceProvider {
    let key = include_bytes!("../../fixtures/sp.key.der");
    let mut service_provider = ServiceProviderBuilder::default()
        .entity_id(ACS.to_owned())
        .acs_url(ACS.to_owned())
        .key(<Crypto as CryptoProvider>::PrivateKey::private_key_from_der(key).unwrap())
        .idp_metadata(idp_metadata())
        .build()
        .unwrap();
    service_provider.max_issue_delay = service_provider.max_issue_delay * PATIENCE;
    service_provider
}

fn idp_metadata() -> EntityDescriptor {
    let lines = trusted().certificate_pem().lines().filter(|line| !line.starts_with("---")).collect::<String>();
    let xml = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{IDP}\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{lines}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{IDP}\"/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>"
    );
    xml.parse().unwrap()
}
