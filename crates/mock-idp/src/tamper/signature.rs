//! Attacks on the signature itself: missing, moved, made with another key or algorithm, or asking for too much.

use super::{Case, Scene, forge, insert_extensions};
use crate::message::xml::{Element, Node};
use crate::message::{BuildError, DigestAlgorithm, Edits, KeyInfo, ShownCertificate, SignatureAlgorithm, SignedParts};

const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const XSLT: &str = "http://www.w3.org/TR/1999/REC-xslt-19991116";
const BASE64_TRANSFORM: &str = "http://www.w3.org/2000/09/xmldsig#base64";

pub(super) const CASES: &[Case] = &[
    ("signature_stripped", "forged, without any signature", |scene| {
        Ok(scene.forged_spec(SignedParts::None).build(scene.trusted)?.into_bytes())
    }),
    ("signature_missing", "honest, without any signature", |scene| {
        Ok(scene.spec(SignedParts::None).build(scene.trusted)?.into_bytes())
    }),
    ("signed_by_attacker", "forged, signed by the attacker, whose certificate KeyInfo shows", |scene| {
        attacker_signed(scene, KeyInfo::CERTIFICATE)
    }),
    ("signed_by_attacker_with_key_value", "forged, signed by the attacker, whose bare key KeyInfo shows", |scene| {
        let key_value = true;
        attacker_signed(scene, KeyInfo { key_value, ..KeyInfo::NONE })
    }),
    (
        "signed_by_attacker_showing_trusted",
        "forged, signed by the attacker, showing the trusted certificate",
        |scene| {
            let certificate = ShownCertificate::Other(scene.trusted.certificate().base64());
            attacker_signed(scene, KeyInfo { certificate, ..KeyInfo::NONE })
        },
    ),
    ("key_by_retrieval_method", "forged, signed by the attacker, whose key is to be fetched", retrieval_method),
    ("hmac_with_certificate", "forged, with an HMAC keyed by the trusted certificate", hmac),
    ("hmac_of_one_bit", "forged, with an HMAC truncated to one bit", truncated_hmac),
    ("rsa_sha1", "honest, signed with RSA and SHA-1", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.signing.algorithm = Some(SignatureAlgorithm::RsaSha1);
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("digest_sha1", "honest, digested with SHA-1", |scene| {
        let mut spec = scene.spec(SignedParts::Assertion);
        spec.signing.digest = DigestAlgorithm::Sha1;
        Ok(spec.build(scene.trusted)?.into_bytes())
    }),
    ("unknown_signature_method", "the signature method is one that does not exist", |scene| {
        signed_info(scene, |info| set_algorithm(info, "SignatureMethod", "urn:example:none"))
    }),
    ("unknown_digest_method", "the digest method is one that does not exist", |scene| {
        signed_info(scene, |info| set_algorithm(info, "DigestMethod", "urn:example:none"))
    }),
    ("reference_uri_empty", "signed by the trusted key, the Reference names the whole document", |scene| {
        signed_response_info(scene, |info| set_reference(info, ""))
    }),
    ("reference_uri_missing", "signed by the trusted key, the Reference has no URI", |scene| {
        signed_response_info(scene, |info| {
            if let Some(reference) = info.find_mut("Reference") {
                reference.attributes.clear();
            }
        })
    }),
    ("reference_by_xpointer", "signed by the trusted key, the Reference is an XPointer", |scene| {
        signed_response_info(scene, |info| set_reference(info, "#xpointer(/)"))
    }),
    ("reference_to_file", "signed by the trusted key, the Reference is a file", |scene| {
        signed_info(scene, |info| set_reference(info, "file:///etc/hostname"))
    }),
    ("reference_to_http", "signed by the trusted key, the Reference is to be fetched", |scene| {
        signed_info(scene, |info| set_reference(info, "http://127.0.0.1:9/secret"))
    }),
    ("two_references", "signed by the trusted key, SignedInfo has its Reference twice", |scene| {
        signed_info(scene, |info| {
            if let Some(reference) = info.element("Reference").cloned() {
                info.children.push(Node::Element(reference));
            }
        })
    }),
    ("no_reference", "signed by the trusted key, SignedInfo has no Reference", |scene| {
        let without = |info: &mut Element| {
            info.take("Reference");
        };
        Ok(forged_after(scene, signed_info_tree(scene, SignedParts::Assertion, &without)?))
    }),
    ("transform_xpath", "signed by the trusted key, with an XPath transform", |scene| transform(scene, &xpath())),
    ("transform_xslt", "signed by the trusted key, with an XSLT transform", |scene| transform(scene, &xslt())),
    ("transform_base64", "signed by the trusted key, with a base64 transform", |scene| {
        transform(scene, &Element::new("", "Transform").attribute("Algorithm", BASE64_TRANSFORM))
    }),
    ("transforms_by_the_thousand", "signed by the trusted key, with a thousand transforms", many_transforms),
    ("instruction_in_signed_info", "signed by the trusted key, SignedInfo holds a processing instruction", |scene| {
        signed_info(scene, |info| info.children.push(Node::ProcessingInstruction("x y".into())))
    }),
    ("comment_in_signed_info", "SignedInfo holds a comment", |scene| {
        scene.changed(|response| push(response, "SignedInfo", Node::Comment("x".into())))
    }),
    ("comment_in_digest_value", "forged, the right digest of the forgery stands in a comment", comment_in_digest),
    ("second_signed_info", "forged, a second SignedInfo has the forgery's digest", second_signed_info),
    ("object_in_signature", "the Signature holds an Object", |scene| {
        scene.changed(|response| {
            let prefix = response.find("Signature").map(|signature| signature.prefix.clone());
            push(response, "Signature", Node::Element(Element::new(prefix.unwrap_or_default(), "Object")));
        })
    }),
    ("signature_in_response", "the Assertion's Signature moves up to the Response", |scene| {
        moved_signature(scene, insert_after_issuer)
    }),
    ("signature_in_extensions", "the Assertion's Signature moves to Extensions", |scene| {
        moved_signature(scene, |response, signature| insert_extensions(response, vec![Node::Element(signature)]))
    }),
    ("signature_in_subject", "the Assertion's Signature moves to its Subject", |scene| {
        moved_signature(scene, |response, signature| push(response, "Subject", Node::Element(signature)))
    }),
    ("signature_twice", "the Assertion has its Signature twice", |scene| {
        scene.changed(|response| {
            if let Some(signature) = response.find("Signature").cloned() {
                push(response, "Assertion", Node::Element(signature));
            }
        })
    }),
    ("signature_value_empty", "the SignatureValue is empty", |scene| set_text(scene, "SignatureValue", "")),
    ("signature_value_no_base64", "the SignatureValue is not base64", |scene| set_text(scene, "SignatureValue", "*&%")),
    ("signature_value_of_one_byte", "the SignatureValue is one byte", |scene| {
        set_text(scene, "SignatureValue", "AA==")
    }),
    ("signature_value_huge", "the SignatureValue is 300,000 characters long", |scene| {
        scene.changed(|response| {
            if let Some(value) = response.find_mut("SignatureValue") {
                value.set_text("A".repeat(300_000));
            }
        })
    }),
    ("digest_value_empty", "the DigestValue is empty", |scene| set_text(scene, "DigestValue", "")),
    ("signed_response_forged_assertion", "the assertion is forged inside a signed Response", |scene| {
        Ok(forged_after(scene, scene.tree(SignedParts::Response)?))
    }),
    ("both_signed_response_broken", "both are signed, but the Response's signature is not valid", |scene| {
        let mut response = scene.tree(SignedParts::Both)?;
        response.set("IssueInstant", "2001-01-01T00:00:00Z");
        Ok(scene.write(&response))
    }),
];

fn attacker_signed(scene: &Scene<'_>, key_info: KeyInfo) -> Result<Vec<u8>, BuildError> {
    let mut spec = scene.forged_spec(SignedParts::Both);
    spec.signing.key_info = key_info;
    Ok(spec.build(scene.attacker)?.into_bytes())
}

fn retrieval_method(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let spec = scene.forged_spec(SignedParts::Assertion);
    let mut response = spec.build_tree(scene.attacker, Edits::default())?;
    if let Some(signature) = response.find_mut("Signature") {
        signature.take("KeyInfo");
        let method = Element::new(signature.prefix.clone(), "RetrievalMethod")
            .attribute("URI", "http://127.0.0.1:9/key")
            .attribute("Type", "http://www.w3.org/2000/09/xmldsig#rawX509Certificate");
        let key_info = Element::new(signature.prefix.clone(), "KeyInfo").child(method);
        signature.children.push(Node::Element(key_info));
    }
    Ok(scene.write(&response))
}

fn hmac(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut spec = scene.forged_spec(SignedParts::Assertion);
    spec.signing.algorithm = Some(SignatureAlgorithm::HmacSha256WithCertificate);
    Ok(spec.build(scene.trusted)?.into_bytes())
}

fn truncated_hmac(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let mut spec = scene.forged_spec(SignedParts::Assertion);
    spec.signing.algorithm = Some(SignatureAlgorithm::HmacSha256WithCertificate);
    let shorten = |info: &mut Element| {
        let prefix = info.prefix.clone();
        push(info, "SignatureMethod", Node::Element(Element::new(prefix, "HMACOutputLength").text("1")));
    };
    let edits = Edits { signed_info: &shorten, ..Edits::default() };
    let mut response = spec.build_tree(scene.trusted, edits)?;
    if let Some(value) = response.find_mut("SignatureValue") {
        value.set_text("gA==");
    }
    Ok(scene.write(&response))
}

/// The honest response, its assertion signed by the trusted key over an edited `SignedInfo`.
fn signed_info(scene: &Scene<'_>, edit: impl Fn(&mut Element)) -> Result<Vec<u8>, BuildError> {
    Ok(scene.write(&signed_info_tree(scene, SignedParts::Assertion, &edit)?))
}

/// The same with the Response signed.
fn signed_response_info(scene: &Scene<'_>, edit: impl Fn(&mut Element)) -> Result<Vec<u8>, BuildError> {
    Ok(scene.write(&signed_info_tree(scene, SignedParts::Response, &edit)?))
}

fn signed_info_tree(scene: &Scene<'_>, parts: SignedParts, edit: &dyn Fn(&mut Element)) -> Result<Element, BuildError> {
    let edits = Edits { signed_info: edit, ..Edits::default() };
    scene.spec(parts).build_tree(scene.trusted, edits)
}

fn forged_after(scene: &Scene<'_>, mut response: Element) -> Vec<u8> {
    forge(&mut response);
    scene.write(&response)
}

fn transform(scene: &Scene<'_>, transform: &Element) -> Result<Vec<u8>, BuildError> {
    signed_info(scene, |info| {
        if let Some(transforms) = info.find_mut("Transforms") {
            let mut transform = transform.clone();
            transform.prefix.clone_from(&transforms.prefix);
            transforms.children.insert(1, Node::Element(transform));
        }
    })
}

fn xpath() -> Element {
    let expression = Element::new("x", "XPath")
        .declare("x", "http://www.w3.org/2000/09/xmldsig#")
        .text("not(ancestor-or-self::*[local-name()='Subject'])");
    Element::new("", "Transform").attribute("Algorithm", XPATH).child(expression)
}

fn xslt() -> Element {
    let copy = Element::new("xsl", "copy-of").attribute("select", "document('http://127.0.0.1:9/xslt')");
    let template = Element::new("xsl", "template").attribute("match", "/").child(copy);
    let stylesheet = Element::new("xsl", "stylesheet")
        .declare("xsl", "http://www.w3.org/1999/XSL/Transform")
        .attribute("version", "1.0")
        .child(template);
    Element::new("", "Transform").attribute("Algorithm", XSLT).child(stylesheet)
}

fn many_transforms(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    signed_info(scene, |info| {
        if let Some(transforms) = info.find_mut("Transforms")
            && let Some(last) = transforms.children.last().cloned()
        {
            transforms.children.extend(std::iter::repeat_n(last, 1000));
        }
    })
}

/// The digest that the forged assertion would have, which anyone can compute.
fn forged_digest(scene: &Scene<'_>) -> Result<String, BuildError> {
    let forged = scene.forged_spec(SignedParts::Assertion);
    let response = forged.build_tree(scene.attacker, Edits::default())?;
    Ok(response.find("DigestValue").map(Element::text_content).unwrap_or_default())
}

fn comment_in_digest(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let forged = forged_digest(scene)?;
    let mut response = scene.tree(SignedParts::Assertion)?;
    if let Some(value) = response.find_mut("DigestValue") {
        value.children.insert(0, Node::Comment(forged.into()));
    }
    Ok(forged_after(scene, response))
}

fn second_signed_info(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let forged = forged_digest(scene)?;
    let mut response = scene.tree(SignedParts::Assertion)?;
    if let Some(signature) = response.find_mut("Signature")
        && let Some(mut second) = signature.element("SignedInfo").cloned()
    {
        if let Some(value) = second.find_mut("DigestValue") {
            value.set_text(forged);
        }
        signature.children.insert(1, Node::Element(second));
    }
    Ok(forged_after(scene, response))
}

fn moved_signature(scene: &Scene<'_>, place: fn(&mut Element, Element)) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| {
        let signature = response.find_mut("Assertion").and_then(|assertion| assertion.take("Signature"));
        if let Some(signature) = signature {
            place(response, signature);
        }
    })
}

fn insert_after_issuer(response: &mut Element, signature: Element) {
    let position = response.position("Issuer").map_or(0, |issuer| issuer + 1);
    response.children.insert(position, Node::Element(signature));
}

fn set_text(scene: &Scene<'_>, local: &str, text: &'static str) -> Result<Vec<u8>, BuildError> {
    scene.changed(|response| {
        if let Some(element) = response.find_mut(local) {
            element.set_text(text);
        }
    })
}

fn set_algorithm(info: &mut Element, local: &str, uri: &'static str) {
    if let Some(element) = info.find_mut(local) {
        element.set("Algorithm", uri);
    }
}

fn set_reference(info: &mut Element, uri: &'static str) {
    if let Some(reference) = info.find_mut("Reference") {
        reference.set("URI", uri);
    }
}

fn push(tree: &mut Element, local: &str, node: Node) {
    if let Some(element) = tree.find_mut(local) {
        element.children.push(node);
    }
}
