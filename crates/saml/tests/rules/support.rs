//! A small identity provider for tests: writes responses in canonical form, so that what it hashes is what it sends.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use saml::{Engines, Expected, IdpCertificate, Rejection, SpKey, Trust, VerifiedResponse, parse_pem_certificates};

pub const ACS: &str = "https://sp.example/saml/x1";
pub const IDP: &str = "https://idp.example/entity";
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const PLACE: &str = "<!--signature-->";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name))
    };
}
pub(crate) use fixture;

pub fn now() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

pub fn certificates(pem: &str) -> Vec<IdpCertificate> {
    parse_pem_certificates(pem).unwrap()
}

pub fn pem_body(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

pub static IDP_CERTIFICATES: LazyLock<Vec<IdpCertificate>> = LazyLock::new(|| certificates(fixture!("idp.crt")));
pub static OTHER_CERTIFICATES: LazyLock<Vec<IdpCertificate>> = LazyLock::new(|| certificates(fixture!("other.crt")));
pub static SP_KEYS: LazyLock<Vec<SpKey>> = LazyLock::new(|| {
    vec![SpKey::from_pkcs8_der(&pem_body(fixture!("sp.key")), &pem_body(fixture!("sp.crt"))).unwrap()]
});
pub static IDP_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_pkcs8(&pem_body(fixture!("idp.key"))).unwrap());
pub static OTHER_KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::from_pkcs8(&pem_body(fixture!("other.key"))).unwrap());

pub fn expected() -> Expected<'static> {
    Expected { acs_url: ACS, sp_entity_id: ACS, idp_entity_id: IDP, now: now(), clock_skew: Duration::from_mins(2) }
}

pub fn trust() -> Trust<'static> {
    Trust {
        certificates: &IDP_CERTIFICATES,
        allow_sha1: false,
        refuse_expired_certificates: false,
        decryption_keys: &SP_KEYS,
        engines: Engines::Both,
    }
}

pub fn verify(xml: &str) -> Result<VerifiedResponse, Rejection> {
    saml::verify_response(xml, &expected(), &trust())
}

/// The code with which a message is refused.
pub fn refusal(xml: &str) -> &'static str {
    verify(xml).expect_err("the message should be refused").reason.as_str()
}

/// Parts of a message, honest until a test changes one.
#[derive(Clone)]
pub struct Message {
    pub response_attributes: String,
    pub response_issuer: String,
    pub status: String,
    pub assertion_attributes: String,
    pub assertion_issuer: String,
    pub subject: String,
    pub conditions: String,
    pub authn: String,
    pub attributes: String,
}

impl Default for Message {
    fn default() -> Self {
        Self {
            response_attributes: format!(
                r#"Destination="{ACS}" ID="_r1" InResponseTo="_req1" IssueInstant="2026-12-01T12:00:00Z" Version="2.0""#
            ),
            response_issuer: format!(
                r#"<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{IDP}</saml:Issuer>"#
            ),
            status: status("urn:oasis:names:tc:SAML:2.0:status:Success"),
            assertion_attributes: r#"ID="_a1" IssueInstant="2026-12-01T12:00:00Z" Version="2.0""#.into(),
            assertion_issuer: format!("<saml:Issuer>{IDP}</saml:Issuer>"),
            subject: subject(
                "<saml:NameID>anna@example.com</saml:NameID>",
                &confirmation(
                    r#"InResponseTo="_req1" NotOnOrAfter="2026-12-01T12:05:00Z" Recipient="https://sp.example/saml/x1""#,
                ),
            ),
            conditions: conditions(
                r#"NotBefore="2026-12-01T11:55:00Z" NotOnOrAfter="2026-12-01T12:05:00Z""#,
                &audience(ACS),
            ),
            authn: authn(r#"AuthnInstant="2026-12-01T11:59:00Z" SessionIndex="_s1""#),
            attributes: attributes(
                "<saml:Attribute Name=\"email\"><saml:AttributeValue>anna@example.com</saml:AttributeValue></saml:Attribute>",
            ),
        }
    }
}

/// Attributes with the blank before them that canonical form has, and without where there are none.
fn spaced(attributes: &str) -> String {
    if attributes.is_empty() { String::new() } else { format!(" {attributes}") }
}

pub fn status(code: &str) -> String {
    format!("<samlp:Status><samlp:StatusCode Value=\"{code}\"></samlp:StatusCode></samlp:Status>")
}

pub fn subject(name_id: &str, confirmations: &str) -> String {
    format!("<saml:Subject>{name_id}{confirmations}</saml:Subject>")
}

pub fn confirmation(data: &str) -> String {
    format!(
        "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData {data}></saml:SubjectConfirmationData></saml:SubjectConfirmation>"
    )
}

pub fn conditions(times: &str, inside: &str) -> String {
    format!("<saml:Conditions{}>{inside}</saml:Conditions>", spaced(times))
}

pub fn audience(name: &str) -> String {
    format!("<saml:AudienceRestriction><saml:Audience>{name}</saml:Audience></saml:AudienceRestriction>")
}

pub fn authn(times: &str) -> String {
    format!(
        "<saml:AuthnStatement{}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
        spaced(times)
    )
}

pub fn attributes(inside: &str) -> String {
    format!("<saml:AttributeStatement>{inside}</saml:AttributeStatement>")
}

impl Message {
    /// The assertion with a place for its signature.
    pub fn assertion_template(&self) -> String {
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" {}>{}{PLACE}{}{}{}{}</saml:Assertion>",
            self.assertion_attributes,
            self.assertion_issuer,
            self.subject,
            self.conditions,
            self.authn,
            self.attributes
        )
    }

    /// The response around whatever comes in it, with a place for its signature.
    pub fn response_template(&self, inside: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" {}>{}{PLACE}{}{inside}</samlp:Response>",
            self.response_attributes, self.response_issuer, self.status
        )
    }

    pub fn unsigned(&self) -> String {
        unsigned(&self.response_template(&unsigned(&self.assertion_template())))
    }

    pub fn assertion_signed(&self) -> String {
        unsigned(&self.response_template(&sign(&self.assertion_template(), "_a1", &IDP_KEY)))
    }

    pub fn response_signed(&self) -> String {
        sign(&self.response_template(&unsigned(&self.assertion_template())), "_r1", &IDP_KEY)
    }

    pub fn both_signed(&self) -> String {
        sign(&self.response_template(&sign(&self.assertion_template(), "_a1", &IDP_KEY)), "_r1", &IDP_KEY)
    }
}

pub fn unsigned(template: &str) -> String {
    template.replacen(PLACE, "", 1)
}

/// Puts an enveloped signature at the template's place.
pub fn sign(template: &str, id: &str, key: &KeyPair) -> String {
    template.replacen(PLACE, &signature_over(&unsigned(template), id, key), 1)
}

pub fn signature_over(canonical: &str, id: &str, key: &KeyPair) -> String {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    let value = STANDARD.encode(rsa_sha256(info.as_bytes(), key));
    // A declaration that the parent has too is not canonical, should an outer signature cover this one.
    let info = info.replacen(" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "", 1);
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    )
}

pub fn rsa_sha256(message: &[u8], key: &KeyPair) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}
