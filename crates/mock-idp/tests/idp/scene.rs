//! A running identity provider and a service provider's request.

use std::io::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use mock_idp::identity::SigningIdentity;
use mock_idp::message::parse::parse;
use mock_idp::message::xml::Element;
use mock_idp::{MockIdp, RunningIdp};

pub const ACS: &str = "http://127.0.0.1:8080/saml/0a1b2c";
pub const REQUEST_ID: &str = "_request-1";

static KEY: LazyLock<SigningIdentity> =
    LazyLock::new(|| SigningIdentity::generate_rsa("Mock IdP").expect("a key pair"));

pub fn builder() -> MockIdp {
    let identity = SigningIdentity::from_pem(KEY.private_key_pem(), KEY.certificate_pem()).expect("the key pair");
    MockIdp::builder().identity(identity)
}

pub async fn start() -> RunningIdp {
    builder().start().await.expect("a running identity provider")
}

/// The XML of a request from the service provider at [`ACS`].
pub fn request(attributes: &str) -> String {
    format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{REQUEST_ID}\" Version=\"2.0\" \
         IssueInstant=\"2026-11-22T05:00:00Z\" AssertionConsumerServiceURL=\"{ACS}\" {attributes}>\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ACS}</saml:Issuer></samlp:AuthnRequest>"
    )
}

/// The `SAMLRequest` of the redirect binding.
pub fn deflated(xml: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(xml.as_bytes()).expect("deflated bytes");
    BASE64.encode(encoder.finish().expect("deflated bytes"))
}

/// The URL that the service provider redirects to.
pub fn redirect(idp: &RunningIdp, xml: &str, relay_state: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLRequest", &deflated(xml))
        .append_pair("RelayState", relay_state)
        .finish();
    format!("{}?{query}", idp.sso_url())
}

/// The decoded XML of a form value.
pub fn decode(saml_response: &str) -> String {
    String::from_utf8(BASE64.decode(saml_response).expect("base64")).expect("UTF-8")
}

/// The tree of a form value.
pub fn tree(saml_response: &str) -> Element {
    parse(&decode(saml_response)).expect("XML")
}

/// The values of an attribute.
pub fn values(response: &Element, name: &str) -> Vec<String> {
    let statement = response.find("AttributeStatement").expect("an attribute statement");
    statement
        .elements()
        .filter(|attribute| attribute.value("Name") == Some(name))
        .flat_map(Element::elements)
        .map(Element::text_content)
        .collect()
}
