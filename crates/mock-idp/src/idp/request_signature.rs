//! Checks the signature of a request: of the query string (SAML bindings section 3.4.4.1) or enveloped in the XML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::certificate::Certificate;
use crate::message::canonical::canonicalize;
use crate::message::signature::{ENVELOPED_SIGNATURE, XML_SIGNATURE};
use crate::message::xml::Element;
use crate::message::{Canonicalization, DigestAlgorithm, SignatureAlgorithm};

/// Reason that a request's signature was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("missing, although a certificate is registered")]
    Missing,
    #[error("{0} is missing or not as it must be")]
    Malformed(&'static str),
    #[error("the digest does not match")]
    Digest,
    #[error("it was not made with the registered certificate's key")]
    WrongKey,
}

/// Checks the signature over the raw query string.
pub(super) fn check_query(query: &str, certificate: &Certificate) -> Result<(), SignatureError> {
    let parameter = |name: &str| query.split('&').find(|pair| pair.split('=').next() == Some(name));
    let decoded = |name: &str| {
        let pair = parameter(name).ok_or(SignatureError::Missing)?;
        let value = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
        value.ok_or(SignatureError::Missing)
    };
    let signature = BASE64.decode(decoded("Signature")?).map_err(|_| SignatureError::Malformed("Signature"))?;
    let algorithm = SignatureAlgorithm::from_uri(&decoded("SigAlg")?).ok_or(SignatureError::Malformed("SigAlg"))?;
    let signed: Vec<&str> = ["SAMLRequest", "RelayState", "SigAlg"].into_iter().filter_map(parameter).collect();
    if certificate.verifies(algorithm, signed.join("&").as_bytes(), &signature) {
        Ok(())
    } else {
        Err(SignatureError::WrongKey)
    }
}

/// Checks the signature that is a child of the request's root.
pub(super) fn check_enveloped(root: &Element, certificate: &Certificate) -> Result<(), SignatureError> {
    let mut unsigned = root.clone();
    let signature = unsigned.take("Signature").ok_or(SignatureError::Missing)?;
    let signed_info = signature.element("SignedInfo").ok_or(SignatureError::Malformed("SignedInfo"))?;
    let reference = signed_info.element("Reference").ok_or(SignatureError::Malformed("Reference"))?;
    let own_reference = root.value("ID").map(|id| format!("#{id}"));
    if reference.value("URI").map(str::to_owned) != own_reference {
        return Err(SignatureError::Malformed("Reference URI"));
    }
    let canonical = canonicalize(&unsigned, &[], &reference_method(reference)?);
    let digest = DigestAlgorithm::from_uri(algorithm(reference, "DigestMethod")?);
    let digest = digest.ok_or(SignatureError::Malformed("DigestMethod"))?.digest(canonical.as_bytes());
    if base64_text(reference, "DigestValue")? != digest.as_ref() {
        return Err(SignatureError::Digest);
    }
    let scope = [&root.declarations[..], &signature.declarations[..]].concat();
    if signature.namespace(&root.declarations) != Some(XML_SIGNATURE) {
        return Err(SignatureError::Malformed("Signature"));
    }
    let canonical = canonicalize(signed_info, &scope, &method(algorithm(signed_info, "CanonicalizationMethod")?)?);
    let value = base64_text(&signature, "SignatureValue")?;
    let algorithm = SignatureAlgorithm::from_uri(algorithm(signed_info, "SignatureMethod")?);
    let algorithm = algorithm.ok_or(SignatureError::Malformed("SignatureMethod"))?;
    if certificate.verifies(algorithm, canonical.as_bytes(), &value) { Ok(()) } else { Err(SignatureError::WrongKey) }
}

/// The reference's transforms: enveloped signature, then one canonicalization.
fn reference_method(reference: &Element) -> Result<Canonicalization, SignatureError> {
    let transforms = reference.element("Transforms").ok_or(SignatureError::Malformed("Transforms"))?;
    let mut transforms = transforms.elements();
    let (enveloped, canonicalization) = (transforms.next(), transforms.next());
    if enveloped.and_then(|transform| transform.value("Algorithm")) != Some(ENVELOPED_SIGNATURE) {
        return Err(SignatureError::Malformed("Transforms"));
    }
    let canonicalization = canonicalization.ok_or(SignatureError::Malformed("Transforms"))?;
    let prefixes = canonicalization.element("InclusiveNamespaces").and_then(|element| element.value("PrefixList"));
    match method(canonicalization.value("Algorithm").unwrap_or_default())? {
        Canonicalization::Exclusive { .. } => Ok(Canonicalization::Exclusive {
            prefix_list: prefixes.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        }),
        other => Ok(other),
    }
}

fn method(uri: &str) -> Result<Canonicalization, SignatureError> {
    [Canonicalization::EXCLUSIVE, Canonicalization::Inclusive]
        .into_iter()
        .find(|method| method.uri() == uri)
        .ok_or(SignatureError::Malformed("CanonicalizationMethod"))
}

fn algorithm<'a>(parent: &'a Element, local: &'static str) -> Result<&'a str, SignatureError> {
    let element = parent.element(local).ok_or(SignatureError::Malformed(local))?;
    element.value("Algorithm").ok_or(SignatureError::Malformed(local))
}

fn base64_text(parent: &Element, local: &'static str) -> Result<Vec<u8>, SignatureError> {
    let text = parent.element(local).ok_or(SignatureError::Malformed(local))?.text_content();
    BASE64.decode(text.split_ascii_whitespace().collect::<String>()).map_err(|_| SignatureError::Malformed(local))
}
