//! Every rule of the guard, one message each: an honest message with one thing changed.

use crate::support::*;

/// An honest message after one replacement, which must have had something to replace.
fn changed(from: &str, to: &str) -> String {
    let xml = Message::default().assertion_signed();
    assert!(xml.contains(from), "nothing to replace: {from}");
    xml.replacen(from, to, 1)
}

/// Proves C10: each construct which parsers read differently is refused by name.
#[test]
fn each_dangerous_construct_is_refused() {
    let root = "<samlp:Response ";
    let many_attributes: String = (0..40).map(|n| format!("a{n}=\"\" ")).collect();
    let many_namespaces: String = (0..40).map(|n| format!("xmlns:n{n}=\"urn:{n}\" ")).collect();
    let deep = format!("<saml:AttributeValue>{}{}", "<x>".repeat(40), "</x>".repeat(40));
    let wide = format!("<saml:AttributeValue>{}", "<x/>".repeat(50_001));
    let value = "<saml:AttributeValue>";
    let declarations = |level: usize| (0..20).map(|n| format!(" xmlns:n{level}x{n}=\"urn:{n}\"")).collect::<String>();
    let nested_namespaces: String = (0..4).map(|level| format!("<x{}>", declarations(level))).collect();
    let wide_namespaces = format!("{value}<y{}>{}", declarations(0), "<x/>".repeat(8_000));
    let nested_namespaces = format!("{value}{nested_namespaces}");
    let name_id = "anna@example.com</saml:NameID>";
    let cases = [
        (changed(root, "<!DOCTYPE x><samlp:Response "), "doctype_refused"),
        (changed(root, "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><samlp:Response "), "doctype_refused"),
        (changed(name_id, "&e;</saml:NameID>"), "entity_refused"),
        (changed(name_id, "&#0;</saml:NameID>"), "illegal_character"),
        (changed(name_id, "&#xFFFF;</saml:NameID>"), "illegal_character"),
        (changed(name_id, "&#x+41;</saml:NameID>"), "malformed_xml"),
        (changed(name_id, "\u{1}</saml:NameID>"), "illegal_character"),
        (changed(name_id, "]]></saml:NameID>"), "malformed_xml"),
        (changed(root, "<?xml version=\"1.1\"?><samlp:Response "), "xml_version_refused"),
        (changed(root, "<?xml version=\"1.0\" encoding=\"utf-16\"?><samlp:Response "), "xml_encoding_refused"),
        (changed(root, " <?xml version=\"1.0\"?><samlp:Response "), "malformed_xml"),
        (changed(root, "<samlp:Response ID=\"_r1\" "), "duplicate_attribute"),
        (
            changed(root, "<samlp:Response xmlns:a=\"urn:a\" xmlns:b=\"urn:a\" a:x=\"\" b:x=\"\" "),
            "duplicate_attribute",
        ),
        (changed(root, "<samlp:Response xmlns:a=\"urn:a\" xmlns:a=\"urn:b\" "), "duplicate_attribute"),
        (changed(root, "<samlp:Response a:x=\"\" "), "unbound_prefix"),
        (changed(value, "<saml:AttributeValue><a:x/>"), "unbound_prefix"),
        (changed(root, "<samlp:Response xmlns:xml=\"urn:a\" "), "malformed_xml"),
        (changed(root, "<samlp:Response xmlns:a=\"\" "), "malformed_xml"),
        (changed(root, "<samlp:Response a=\"<\" "), "malformed_xml"),
        (changed(root, "<samlp:Response a=\"\"b=\"\" "), "malformed_xml"),
        (changed(root, "x<samlp:Response "), "content_outside_root"),
        (changed("</samlp:Response>", "</samlp:Response>x"), "content_outside_root"),
        (changed("</samlp:Response>", "</samlp:Response><x/>"), "content_outside_root"),
        (changed("</samlp:Response>", ""), "malformed_xml"),
        (changed(value, &deep), "too_deep"),
        (changed(value, &wide), "too_many_nodes"),
        (changed(root, &format!("<samlp:Response {many_attributes}")), "too_many_attributes"),
        (changed(root, &format!("<samlp:Response {many_namespaces}")), "too_many_namespaces"),
        (changed(value, &nested_namespaces), "too_many_namespaces"),
        (changed(value, &wide_namespaces), "too_many_namespaces"),
        (changed(value, "<saml:AttributeValue><x xmlns=\"urn:x\"><Assertion/></x>"), "too_many_assertions"),
        (changed(value, "<saml:AttributeValue><Signature/>"), "signature_misplaced"),
        (changed(value, "<saml:AttributeValue id=\"_a1\">"), "duplicate_id"),
        (changed(value, "<saml:AttributeValue xmlns:w=\"urn:w\" w:Id=\"_r1\">"), "duplicate_id"),
        (changed("ID=\"_r1\"", "ID=\"1\""), "id_invalid"),
        (changed("Version=\"2.0\"", "Version=\"1.1\""), "version_refused"),
        (changed("<samlp:Status>", "<samlp:Other/><samlp:Status>"), "unexpected_element"),
        (changed("<samlp:Status>", "<samlp:Status/><samlp:Status>"), "unexpected_element"),
        (changed("<samlp:Status>", "text<samlp:Status>"), "unexpected_text"),
        (changed("<saml:Subject>", "<saml:Other/><saml:Subject>"), "unexpected_element"),
        (changed("<saml:Subject>", "<saml:Subject/><saml:Subject>"), "unexpected_element"),
        ("<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>".into(), "not_a_response"),
        ("<Response ID=\"_1\" Version=\"2.0\"/>".into(), "not_a_response"),
        (String::new(), "malformed_xml"),
    ];
    for (index, (xml, code)) in cases.iter().enumerate() {
        assert_eq!(
            saml::guard::check(xml).map_or_else(|refused| refused.reason.as_str(), |_| "accepted"),
            *code,
            "case {index}"
        );
        assert_eq!(refusal(xml), *code, "case {index}");
    }
}

/// Proves C10: a signature has exactly one form, with algorithms from the list.
#[test]
fn each_irregular_signature_is_refused() {
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    let c14n_method = format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"");
    let transforms = "</ds:Transforms>";
    let transform = format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\">");
    let prefixes = |count: usize| {
        let list: String = (0..count).map(|one| format!("p{one} ")).collect();
        format!("<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{list}\"/>")
    };
    let listed = |count: usize| format!("{transform}{}", prefixes(count));
    let cases = [
        (changed(rsa, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "signature_algorithm_refused"),
        (changed(rsa, "http://www.w3.org/2000/09/xmldsig#dsa-sha1"), "signature_algorithm_refused"),
        (changed(rsa, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"), "signature_algorithm_refused"),
        (changed(rsa, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), "signature_algorithm_refused"),
        (changed(sha256, "http://www.w3.org/2001/04/xmldsig-more#md5"), "digest_algorithm_refused"),
        (changed(enveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116"), "transform_refused"),
        (changed(enveloped, "http://www.w3.org/TR/1999/REC-xslt-19991116"), "transform_refused"),
        (changed(transforms, "<ds:Transform Algorithm=\"urn:x\"/></ds:Transforms>"), "transform_refused"),
        (
            changed(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"),
            "canonicalization_refused",
        ),
        (changed(&transform, &listed(17)), "canonicalization_refused"),
        (changed(&format!("{c14n_method}>"), &format!("{c14n_method}>{}", prefixes(17))), "canonicalization_refused"),
        (changed("<ds:SignedInfo>", &format!("<ds:SignedInfo>{}", " ".repeat(16 * 1024))), "signature_structure"),
        (
            changed(&c14n_method, &format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"><x/")),
            "unexpected_element",
        ),
        (changed("URI=\"#_a1\"", "URI=\"#_r1\""), "reference_mismatch"),
        (changed("URI=\"#_a1\"", "URI=\"\""), "reference_mismatch"),
        (changed("URI=\"#_a1\"", ""), "reference_mismatch"),
        (changed("URI=\"#_a1\"", "URI=\"#xpointer(id('_a1'))\""), "reference_mismatch"),
        (changed("URI=\"#_a1\"", "URI=\"http://127.0.0.1/\""), "reference_mismatch"),
        (changed("</ds:Reference>", "</ds:Reference><ds:Reference URI=\"#_a1\"/>"), "signature_structure"),
        (changed("<ds:DigestValue>", "<ds:DigestValue><!-- -->"), "signature_comment"),
        (changed("<ds:DigestValue>", "<ds:DigestValue><?x?>"), "signature_comment"),
        (changed("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"), "signature_comment"),
        (changed("<ds:SignatureValue>", "<ds:SignatureValue><x/>"), "text_expected"),
        (changed("<ds:SignatureValue>", &format!("<ds:SignatureValue>{}", "A".repeat(4096))), "signature_structure"),
        (changed("</ds:SignatureValue>", "</ds:SignatureValue><ds:Object/>"), "signature_structure"),
        (
            changed("</ds:SignatureMethod>", "<ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>"),
            "signature_structure",
        ),
    ];
    for (index, (xml, code)) in cases.iter().enumerate() {
        assert_eq!(refusal(xml), *code, "case {index}");
    }
}

/// Proves C10: comments, CDATA, character references, a declaration and instructions in harmless places are accepted.
#[test]
fn harmless_constructs_are_accepted() {
    let cases = [
        changed("<samlp:Response ", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><?pi?><samlp:Response "),
        changed("<samlp:Status>", "\n  <!-- c --><samlp:Status>"),
        changed("</samlp:Response>", "</samlp:Response>\n"),
        changed("anna@example.com</saml:NameID>", "<![CDATA[anna@example.com]]></saml:NameID>"),
        changed("anna@example.com</saml:NameID>", "anna&#x40;example.com</saml:NameID>"),
        changed("</ds:SignatureValue>", "&#13;\n</ds:SignatureValue>"),
        changed("</ds:SignatureValue>", "</ds:SignatureValue><ds:KeyInfo><ds:KeyName>stale</ds:KeyName></ds:KeyInfo>"),
    ];
    for (index, xml) in cases.iter().enumerate() {
        let verified = verify(xml).unwrap_or_else(|rejection| panic!("case {index}: {rejection:?}"));
        assert_eq!(verified.name_id.unwrap().value, "anna@example.com", "case {index}");
    }
}

/// Proves C10: thousands of groups are accepted, each with its own declarations.
#[test]
fn three_thousand_groups_are_accepted() {
    let groups: String = (0..3000)
        .map(|n| format!("<saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"string\">S-1-5-21-3623811015-3361044348-30300820-{n}</saml:AttributeValue>"))
        .collect();
    let message = Message {
        attributes: attributes(&format!("<saml:Attribute Name=\"groups\">{groups}</saml:Attribute>")),
        ..Message::default()
    };
    assert_eq!(verify(&message.both_signed()).unwrap().attributes[0].values.len(), 3000);
}
