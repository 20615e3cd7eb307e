//! Enveloped signatures on what we send (XML Signature 6.6.4), with exclusive canonicalization.
//!
//! [`Writer`] writes canonical form, so the bytes to hash are the bytes at hand: no canonicalization is needed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::algorithm::{Canonicalization, ENVELOPED_SIGNATURE, Hash, SignatureAlgorithm};
use crate::sp_key::{SpKey, SpKeyError};
use crate::xml::namespace;
use crate::xml::write::Writer;

const XMLNS: (&str, &str) = ("xmlns:ds", namespace::SIGNATURE);

/// The document with a signature at its marked place; `id` is the `ID` of its root.
pub(crate) fn enveloped(document: Writer, id: &str, key: &SpKey) -> Result<String, SpKeyError> {
    let (before, after) = document.finish();
    let digest = Hash::Sha256.digest([before.as_str(), after.as_str()].concat().as_bytes());
    let info = signed_info(id, &STANDARD.encode(digest));
    let value = STANDARD.encode(key.sign_rsa_sha256(info.as_bytes())?);
    let mut signature = Writer::new();
    signature.element("ds:Signature", &[XMLNS], |writer| {
        writer.raw(&info);
        writer.leaf("ds:SignatureValue", &[], &value);
        writer.element("ds:KeyInfo", &[], |writer| {
            writer.element("ds:X509Data", &[], |writer| {
                writer.leaf("ds:X509Certificate", &[], &key.certificate_base64());
            });
        });
    });
    Ok([before, signature.into_text(), after].concat())
}

/// `SignedInfo`, declaring its namespace although its parent does too: so it is canonical by itself.
fn signed_info(id: &str, digest: &str) -> String {
    let mut info = Writer::new();
    info.element("ds:SignedInfo", &[XMLNS], |writer| {
        writer.empty("ds:CanonicalizationMethod", &[("Algorithm", Canonicalization::EXCLUSIVE_URI)]);
        writer.empty("ds:SignatureMethod", &[("Algorithm", SignatureAlgorithm::RSA_SHA256_URI)]);
        writer.element("ds:Reference", &[("URI", &format!("#{id}"))], |writer| {
            writer.element("ds:Transforms", &[], |writer| {
                writer.empty("ds:Transform", &[("Algorithm", ENVELOPED_SIGNATURE)]);
                writer.empty("ds:Transform", &[("Algorithm", Canonicalization::EXCLUSIVE_URI)]);
            });
            writer.empty("ds:DigestMethod", &[("Algorithm", Hash::Sha256.digest_uri())]);
            writer.leaf("ds:DigestValue", &[], digest);
        });
    });
    info.into_text()
}
