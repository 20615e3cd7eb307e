//! Identity providers' metadata, good and bad.

use crate::support::*;
use saml::{Binding, IdpMetadata, MetadataError, MetadataOptions, Mistaken, parse_idp_metadata};

const SSO: &str = "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example/sso\"/>";

fn key(usage: &str, pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<md:KeyDescriptor{usage}><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\n{body}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn entity(id: &str, attributes: &str, inside: &str) -> String {
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{id}\"{attributes}><md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol\">{inside}</md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

fn usual() -> String {
    entity(IDP, "", &format!("{}{SSO}", key(" use=\"signing\"", fixture!("idp.crt"))))
}

fn parse(xml: &str) -> Result<IdpMetadata, MetadataError> {
    parse_idp_metadata(xml, now(), &MetadataOptions::default())
}

/// Proves C5 and C7: what a connection needs is read, and what is left out is explained.
#[test]
fn metadata_of_one_identity_provider_is_read() {
    let inside = [
        key(" use=\"signing\"", fixture!("idp.crt")),
        key(" use=\"encryption\"", fixture!("other.crt")),
        key("", fixture!("idp.crt")),
        key("", fixture!("ec.crt")),
        key("", fixture!("weak.crt")),
        "<md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://idp.example/slo\"/>".into(),
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>".into(),
        SSO.into(),
        SSO.replace("https", "http"),
        SSO.replace("HTTP-Redirect", "SOAP"),
        SSO.replace("HTTP-Redirect", "HTTP-POST"),
    ]
    .concat();
    let metadata = parse(&entity(IDP, " validUntil=\"2027-01-01T00:00:00Z\"", &inside)).unwrap();
    assert_eq!(metadata.entity_id, IDP);
    let bindings: Vec<_> = metadata.sso.iter().map(|endpoint| endpoint.binding).collect();
    assert_eq!(bindings, [Binding::Redirect, Binding::Post]);
    assert_eq!(metadata.slo[0].location.as_str(), "https://idp.example/slo");
    let mut wanted = IDP_CERTIFICATES.clone();
    wanted.extend(certificates(fixture!("ec.crt")));
    assert_eq!(metadata.certificates, wanted);
    assert!(metadata.want_authn_requests_signed);
    assert_eq!(metadata.name_id_formats, ["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"]);
    assert_eq!(metadata.valid_until.unwrap().to_string(), "2027-01-01T00:00:00Z");
    assert_eq!(metadata.ignored.len(), 2, "{:?}", metadata.ignored);
}

/// Proves C5: a list is accepted if one of its entities is an identity provider, and otherwise names the choice.
#[test]
fn a_list_must_have_one_identity_provider() {
    let list = |inside: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inside}</md:EntitiesDescriptor>"
        )
    };
    let sp = "<md:EntityDescriptor entityID=\"https://sp\"><md:SPSSODescriptor/></md:EntityDescriptor>";
    assert_eq!(parse(&list(&format!("{sp}{}", usual()))).unwrap().entity_id, IDP);
    assert_eq!(parse(&list(sp)), Err(MetadataError::NoIdentityProvider));
    let other = usual().replace(IDP, "https://other.example");
    let both = list(&format!("{}{other}", usual()));
    let entity_ids = vec![IDP.to_owned(), "https://other.example".to_owned()];
    let several = MetadataError::SeveralIdentityProviders { entity_ids: entity_ids.clone(), count: 2 };
    assert_eq!(parse(&both), Err(several));
    let choose = |xml: &str, entity_id: &str| {
        let options = MetadataOptions { allow_http: false, entity_id: Some(entity_id.to_owned()) };
        parse_idp_metadata(xml, now(), &options)
    };
    assert_eq!(choose(&both, "https://other.example").unwrap().entity_id, "https://other.example");
    assert_eq!(choose(&both, "https://OTHER.example"), Err(MetadataError::NotAmongThem { entity_ids, count: 2 }));
    assert!(matches!(choose(&usual(), "https://other.example"), Err(MetadataError::NotAmongThem { count: 1, .. })));
    let twice = list(&format!("{}{}", usual(), usual()));
    assert_eq!(choose(&twice, IDP), Err(MetadataError::Repeated { entity_id: IDP.to_owned() }));
    let many: String = (0..50).map(|n| usual().replace(IDP, &format!("https://{n}.example"))).collect();
    let refused = parse(&list(&many)).unwrap_err().to_string();
    assert!(refused.contains("https://19.example and 30 more") && !refused.contains("https://20."), "{refused}");
}

/// Proves C5: what was handed in by mistake is called what it is.
#[test]
fn what_is_no_metadata_is_called_what_it_is() {
    let message = "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>";
    let pem = fixture!("idp.crt");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for (text, wanted) in [
        ("", Mistaken::Nothing),
        ("https://idp.example/FederationMetadata.xml", Mistaken::Url),
        (pem, Mistaken::Certificate),
        (fixture!("idp.key"), Mistaken::PrivateKey),
        ("<!DOCTYPE html><html><head></head></html>", Mistaken::WebPage),
        ("<html><body/></html>", Mistaken::WebPage),
        ("{\"issuer\": \"https://idp.example\"}", Mistaken::Json),
        (base64.as_str(), Mistaken::Base64),
        ("PK\u{3}\u{4}\u{14}", Mistaken::Binary),
        (message, Mistaken::Message),
        ("<rss/>", Mistaken::OtherXml),
        ("the metadata", Mistaken::Text),
    ] {
        assert_eq!(parse(text), Err(MetadataError::Mistaken(wanted)), "{text}");
    }
}

/// Proves C5: a document that never expires says so by a time that no clock comes to.
#[test]
fn metadata_may_be_valid_for_ever() {
    for forever in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999-14:00", "10000-01-01T00:00:00Z"] {
        let metadata = parse(&usual().replace(" entityID", &format!(" validUntil=\"{forever}\" entityID"))).unwrap();
        assert!(metadata.valid_until.unwrap() > "9999-12-01T00:00:00Z".parse().unwrap(), "{forever}");
    }
    let gone = usual().replace(" entityID", " validUntil=\"0001-01-01T00:00:00Z\" entityID");
    assert!(matches!(parse(&gone), Err(MetadataError::Expired { .. })));
}

/// Proves C5: metadata that cannot be used is refused with its reason.
#[test]
fn unusable_metadata_is_refused() {
    let doctype = format!("<!DOCTYPE x>{}", usual());
    assert_eq!(parse(&doctype), Err(MetadataError::Xml { reason: saml::Reason::DoctypeRefused }));
    assert_eq!(parse("<html/>"), Err(MetadataError::Mistaken(Mistaken::WebPage)));
    assert_eq!(parse(&usual().replace(IDP, "")), Err(MetadataError::EntityId));
    let expired = usual().replace(" entityID", " validUntil=\"2026-11-30T00:00:00Z\" entityID");
    assert!(matches!(parse(&expired), Err(MetadataError::Expired { .. })));
    assert_eq!(parse(&expired.replace("2026-11-30T00:00:00Z", "soon")), Err(MetadataError::ValidUntil));
    assert!(matches!(
        parse(&usual().replace("https://idp.example/sso", "http://idp.example/sso")),
        Err(MetadataError::NoSingleSignOn { .. })
    ));
    assert!(matches!(
        parse(&usual().replace("https://idp.example/sso", "javascript:x")),
        Err(MetadataError::NoSingleSignOn { .. })
    ));
    assert!(matches!(parse(&entity(IDP, "", SSO)), Err(MetadataError::NoCertificate { .. })));
    let later = "2040-01-01T00:00:00Z".parse().unwrap();
    let expired = parse_idp_metadata(&usual(), later, &MetadataOptions::default()).unwrap_err();
    assert!(expired.to_string().contains("expired at"), "{expired}");
}

/// Proves C7: http locations are for development alone.
#[test]
fn http_locations_need_an_option() {
    let xml = usual().replace("https://idp.example/sso", "http://127.0.0.1:8080/sso");
    let development = MetadataOptions { allow_http: true, entity_id: None };
    assert_eq!(
        parse_idp_metadata(&xml, now(), &development).unwrap().sso[0].location.as_str(),
        "http://127.0.0.1:8080/sso"
    );
}
