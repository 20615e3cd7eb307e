//! Enveloped XML signatures (XML Signature 1.1, SAML core section 5.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::build::BuildError;
use super::canonical::{Canonicalization, canonicalize};
use super::profile::Wrapping;
use super::spec::{KeyInfo, ShownCertificate, Signing};
use super::xml::{Element, Node, Text};
use crate::certificate::{Certificate, KeyKind};
use crate::identity::{SigningIdentity, rsa_public_numbers};

pub(crate) const XML_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const XML_SIGNATURE_11: &str = "http://www.w3.org/2009/xmldsig11#";

/// Signs elements in one way.
pub(super) struct Signer<'a> {
    pub identity: &'a SigningIdentity,
    pub signing: &'a Signing,
    /// Prefix of the signature's elements, empty for a default namespace.
    pub prefix: &'static str,
    pub wrapping: Wrapping,
    /// Changes `SignedInfo` after the digest was taken and before it is signed.
    pub edit_signed_info: &'a dyn Fn(&mut Element),
}

impl Signer<'_> {
    /// Signs `target` by its ID and puts the signature after its `Issuer`, or first.
    /// `scope` holds the declarations of its ancestors.
    pub fn sign(&self, target: &mut Element, scope: &[(Text, Text)]) -> Result<(), BuildError> {
        let mut inner_scope = scope.to_vec();
        inner_scope.extend(target.declarations.iter().cloned());
        let signature = self.signature(target, scope, inner_scope)?;
        let position = target.position("Issuer").map_or(0, |issuer| issuer + 1);
        target.children.insert(position, Node::Element(signature));
        Ok(())
    }

    fn signature(
        &self,
        target: &Element,
        scope: &[(Text, Text)],
        mut inner_scope: Vec<(Text, Text)>,
    ) -> Result<Element, BuildError> {
        let id = target.value("ID").unwrap_or_default();
        let canonical = canonicalize(target, scope, &self.signing.canonicalization);
        let mut signed_info = self.signed_info(id, canonical.as_bytes());
        (self.edit_signed_info)(&mut signed_info);
        inner_scope.push((self.prefix.into(), XML_SIGNATURE.into()));
        let canonical = canonicalize(&signed_info, &inner_scope, &self.signed_info_method());
        let value = self.identity.sign(self.algorithm(), canonical.as_bytes())?;
        let value = self.element("SignatureValue").text(wrap(&BASE64.encode(value), self.wrapping));
        let signature = self.element("Signature").declare(self.prefix, XML_SIGNATURE).child(signed_info).child(value);
        Ok(signature.child_if(self.key_info()?))
    }

    fn signed_info(&self, id: &str, canonical: &[u8]) -> Element {
        let digest = BASE64.encode(self.signing.digest.digest(canonical));
        let transforms = self
            .element("Transforms")
            .child(self.algorithm_element("Transform", ENVELOPED_SIGNATURE))
            .child(self.canonicalization_transform());
        let reference = self
            .element("Reference")
            .attribute("URI", format!("#{id}"))
            .child(transforms)
            .child(self.algorithm_element("DigestMethod", self.signing.digest.uri()))
            .child(self.element("DigestValue").text(digest));
        self.element("SignedInfo")
            .child(self.algorithm_element("CanonicalizationMethod", self.signing.canonicalization.uri()))
            .child(self.algorithm_element("SignatureMethod", self.algorithm().uri()))
            .child(reference)
    }

    fn canonicalization_transform(&self) -> Element {
        let transform = self.algorithm_element("Transform", self.signing.canonicalization.uri());
        match &self.signing.canonicalization {
            Canonicalization::Exclusive { prefix_list } if !prefix_list.is_empty() => {
                let prefixes = Element::new("ec", "InclusiveNamespaces")
                    .declare("ec", Canonicalization::EXCLUSIVE.uri())
                    .attribute("PrefixList", prefix_list.join(" "));
                transform.child(prefixes)
            }
            _ => transform,
        }
    }

    fn signed_info_method(&self) -> Canonicalization {
        match self.signing.canonicalization {
            Canonicalization::Exclusive { .. } | Canonicalization::ExclusiveWithComments => Canonicalization::EXCLUSIVE,
            Canonicalization::Inclusive => Canonicalization::Inclusive,
        }
    }

    fn algorithm(&self) -> super::SignatureAlgorithm {
        self.signing.algorithm.unwrap_or_else(|| self.identity.default_algorithm())
    }

    fn key_info(&self) -> Result<Option<Element>, BuildError> {
        let shown = &self.signing.key_info;
        if *shown == KeyInfo::NONE {
            return Ok(None);
        }
        let certificate = self.identity.certificate();
        let mut key_info = self.element("KeyInfo");
        if shown.key_name {
            key_info = key_info.child(self.element("KeyName").text(certificate.subject().to_owned()));
        }
        key_info = key_info.child_if(self.x509_data(certificate));
        if shown.key_value {
            key_info = key_info.child(self.key_value(certificate)?);
        }
        Ok(Some(key_info))
    }

    fn x509_data(&self, certificate: &Certificate) -> Option<Element> {
        let shown = &self.signing.key_info;
        let base64 = match &shown.certificate {
            ShownCertificate::None => return None,
            ShownCertificate::Own => certificate.base64(),
            ShownCertificate::Other(base64) => base64.clone(),
        };
        let subject_name =
            shown.subject_name.then(|| self.element("X509SubjectName").text(certificate.subject().to_owned()));
        let certificate = self.element("X509Certificate").text(wrap(&base64, self.wrapping));
        Some(self.element("X509Data").child_if(subject_name).child(certificate))
    }

    fn key_value(&self, certificate: &Certificate) -> Result<Element, BuildError> {
        let curve = match certificate.kind() {
            KeyKind::Rsa => return self.rsa_key_value(certificate),
            KeyKind::P256 => "urn:oid:1.2.840.10045.3.1.7",
            KeyKind::P384 => "urn:oid:1.3.132.0.34",
        };
        let point = BASE64.encode(certificate.public_key());
        let key = Element::new("dsig11", "ECKeyValue")
            .declare("dsig11", XML_SIGNATURE_11)
            .child(Element::new("dsig11", "NamedCurve").attribute("URI", curve))
            .child(Element::new("dsig11", "PublicKey").text(point));
        Ok(self.element("KeyValue").child(key))
    }

    fn rsa_key_value(&self, certificate: &Certificate) -> Result<Element, BuildError> {
        let (modulus, exponent) = rsa_public_numbers(certificate.public_key()).map_err(|_| BuildError::PublicKey)?;
        let modulus = wrap(&BASE64.encode(modulus), self.wrapping);
        let key = self
            .element("RSAKeyValue")
            .child(self.element("Modulus").text(modulus))
            .child(self.element("Exponent").text(BASE64.encode(exponent)));
        Ok(self.element("KeyValue").child(key))
    }

    fn element(&self, local: &'static str) -> Element {
        Element::new(self.prefix, local)
    }

    fn algorithm_element(&self, local: &'static str, uri: &'static str) -> Element {
        self.element(local).attribute("Algorithm", uri)
    }
}

/// Breaks base64 text into lines.
fn wrap(base64: &str, wrapping: Wrapping) -> String {
    let Some((width, line_break)) = wrapping else {
        return base64.to_owned();
    };
    let mut wrapped = String::with_capacity(base64.len() + base64.len() / width * 2);
    for (index, character) in base64.chars().enumerate() {
        if index > 0 && index % width == 0 {
            wrapped.push_str(line_break);
        }
        wrapped.push(character);
    }
    wrapped
}
