//! The identity provider's metadata (SAML metadata section 2.4).

use super::state::State;
use crate::message::signature::XML_SIGNATURE;
use crate::message::styled::Style;
use crate::message::xml::Element;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const BINDINGS: [&str; 2] =
    ["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"];

/// The identity provider's metadata document, as XML.
pub(super) fn document(state: &State) -> String {
    let wants_signed = state.request_certificate().is_some();
    let mut role = Element::new("md", "IDPSSODescriptor")
        .attribute("WantAuthnRequestsSigned", if wants_signed { "true" } else { "false" })
        .attribute("protocolSupportEnumeration", PROTOCOL)
        .child(signing_key(state));
    for binding in BINDINGS {
        role = role.child(
            Element::new("md", "SingleSignOnService")
                .attribute("Binding", binding)
                .attribute("Location", state.sso_url()),
        );
    }
    let descriptor = Element::new("md", "EntityDescriptor")
        .declare("md", METADATA)
        .attribute("entityID", state.entity_id.clone())
        .child(role);
    let style = Style { prolog: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", ..Style::PLAIN };
    style.document(&descriptor)
}

fn signing_key(state: &State) -> Element {
    let certificate = Element::new("ds", "X509Certificate").text(state.identity.certificate().base64());
    let key_info = Element::new("ds", "KeyInfo")
        .declare("ds", XML_SIGNATURE)
        .child(Element::new("ds", "X509Data").child(certificate));
    Element::new("md", "KeyDescriptor").attribute("use", "signing").child(key_info)
}
