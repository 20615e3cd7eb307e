//! Our own metadata, one document per connection.

use jiff::Timestamp;

use super::Binding;
use crate::decrypt;
use crate::instant;
use crate::signing::enveloped;
use crate::sp_key::{SpKey, SpKeyError};
use crate::xml::namespace;
use crate::xml::write::Writer;

/// Our metadata, as an identity provider needs it.
#[derive(Debug, Clone)]
pub struct SpMetadata<'a> {
    /// `entityID`, the ACS location, and in this product the same URL.
    pub entity_id: &'a str,
    /// Location of the assertion consumer service (HTTP-POST).
    pub acs_url: &'a str,
    /// Location of the single logout service (HTTP-Redirect and HTTP-POST), if there is one.
    pub slo_url: Option<&'a str>,
    /// Keys, current one first. All are published for signing, so that a rotation overlaps; the current one alone for
    /// encryption, so that it ends.
    pub keys: &'a [SpKey],
    /// `AuthnRequestsSigned`.
    pub authn_requests_signed: bool,
    /// `NameIDFormat`, the one preferred.
    pub name_id_format: Option<&'a str>,
    /// `validUntil`, if the document shall expire.
    pub valid_until: Option<Timestamp>,
}

impl SpMetadata<'_> {
    /// The document, signed when there is a key. `id` must be an `xs:ID`, see [`crate::request::request_id`].
    pub fn to_xml(&self, signing: Option<&SpKey>, id: &str) -> Result<String, SpKeyError> {
        let valid_until = self.valid_until.map(instant::format);
        let attributes: Vec<_> = [("xmlns:md", namespace::METADATA), ("ID", id), ("entityID", self.entity_id)]
            .into_iter()
            .chain(valid_until.as_deref().map(|until| ("validUntil", until)))
            .collect();
        let mut writer = Writer::new();
        writer.element("md:EntityDescriptor", &attributes, |writer| {
            writer.signature_place();
            self.write_role(writer);
        });
        match signing {
            Some(key) => enveloped(writer, id, key),
            None => Ok(writer.into_text()),
        }
    }

    fn write_role(&self, writer: &mut Writer) {
        let attributes = [
            ("AuthnRequestsSigned", if self.authn_requests_signed { "true" } else { "false" }),
            ("WantAssertionsSigned", "true"),
            ("protocolSupportEnumeration", namespace::PROTOCOL),
        ];
        writer.element("md:SPSSODescriptor", &attributes, |writer| {
            self.write_keys(writer);
            for binding in self.slo_url.iter().flat_map(|_| [Binding::Redirect, Binding::Post]) {
                let location = self.slo_url.unwrap_or_default();
                writer.empty("md:SingleLogoutService", &[("Binding", binding.uri()), ("Location", location)]);
            }
            if let Some(format) = self.name_id_format {
                writer.leaf("md:NameIDFormat", &[], format);
            }
            writer.empty(
                "md:AssertionConsumerService",
                &[("Binding", Binding::Post.uri()), ("Location", self.acs_url), ("index", "0"), ("isDefault", "true")],
            );
        });
    }

    fn write_keys(&self, writer: &mut Writer) {
        for key in self.keys {
            write_key(writer, key, "signing", &[]);
        }
        if let Some(current) = self.keys.first() {
            let ciphers = decrypt::CIPHERS.into_iter().map(|(uri, _)| uri);
            let methods: Vec<_> = ciphers.chain([decrypt::RSA_OAEP_MGF1P]).collect();
            write_key(writer, current, "encryption", &methods);
        }
    }
}

fn write_key(writer: &mut Writer, key: &SpKey, usage: &str, methods: &[&str]) {
    writer.element("md:KeyDescriptor", &[("use", usage)], |writer| {
        writer.element("ds:KeyInfo", &[("xmlns:ds", namespace::SIGNATURE)], |writer| {
            writer.element("ds:X509Data", &[], |writer| {
                writer.leaf("ds:X509Certificate", &[], &key.certificate_base64());
            });
        });
        for method in methods {
            writer.empty("md:EncryptionMethod", &[("Algorithm", method)]);
        }
    });
}
