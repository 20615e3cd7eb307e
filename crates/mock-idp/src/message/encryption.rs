//! `saml:EncryptedAssertion` (XML Encryption 1.1, SAML core section 2.3.4).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::DigestAlgorithm;
use super::build::BuildError;
use super::oaep::Oaep;
use super::signature::XML_SIGNATURE;
use super::xml::Element;
use crate::certificate::Certificate;

const XML_ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
const ELEMENT_TYPE: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const RSA_OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const RSA_OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const GCM_NONCE_LENGTH: usize = 12;

/// Algorithm that encrypts the assertion's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentAlgorithm {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
}

impl ContentAlgorithm {
    /// Identifier URI of the block encryption algorithm.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            Self::Aes192Cbc => "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            Self::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Aes192Gcm => "http://www.w3.org/2009/xmlenc11#aes192-gcm",
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        }
    }

    fn key_length(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes192Cbc | Self::Aes192Gcm => 24,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }
}

/// Algorithm that encrypts the content key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTransport {
    /// `rsa-oaep-mgf1p`, SHA-1 as digest and in MGF1: what most identity providers send.
    OaepSha1,
    /// `xmlenc11#rsa-oaep`, SHA-256 as digest and in MGF1.
    OaepSha256,
    /// `xmlenc11#rsa-oaep` with the elements that are given; those that are not mean SHA-1 (XML Encryption 1.1, 5.5.2).
    Oaep { digest: Option<DigestAlgorithm>, mask: Option<DigestAlgorithm> },
    /// `rsa-oaep-mgf1p` with a digest, if one is given; the mask's hash is SHA-1.
    OaepMgf1p { digest: Option<DigestAlgorithm> },
}

/// Recipient and algorithms of an encrypted assertion. OAEP draws its own seed, all other values are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub content: ContentAlgorithm,
    pub key_transport: KeyTransport,
    /// The service provider's RSA certificate.
    pub recipient: Certificate,
    /// The content key; shorter ones are its beginning.
    pub content_key: [u8; 32],
    /// The initialization vector; GCM uses its first 12 bytes.
    pub initialization_vector: [u8; 16],
}

impl Encryption {
    /// Encryption as Entra ID does it: AES-256-CBC with RSA-OAEP and SHA-1. `secret` is the content key and the
    /// initialization vector.
    pub fn new(recipient: Certificate, secret: [u8; 48]) -> Self {
        let (mut content_key, mut initialization_vector) = ([0; 32], [0; 16]);
        for (index, byte) in secret.into_iter().enumerate() {
            let slot = match index.checked_sub(content_key.len()) {
                None => content_key.get_mut(index),
                Some(index) => initialization_vector.get_mut(index),
            };
            if let Some(slot) = slot {
                *slot = byte;
            }
        }
        Self {
            content: ContentAlgorithm::Aes256Cbc,
            key_transport: KeyTransport::OaepSha1,
            recipient,
            content_key,
            initialization_vector,
        }
    }

    /// Encrypts an assertion, given as text that needs no outer declarations. `prefix` is that of the assertion
    /// namespace.
    pub(super) fn encrypt(&self, assertion: &str, prefix: &'static str) -> Result<Element, BuildError> {
        let content = self.content_cipher(assertion.as_bytes()).map_err(|_| BuildError::Encryption)?;
        let data = Element::new("xenc", "EncryptedData")
            .declare("xenc", XML_ENCRYPTION)
            .attribute("Type", ELEMENT_TYPE)
            .child(method(self.content.uri()))
            .child(Element::new("ds", "KeyInfo").declare("ds", XML_SIGNATURE).child(self.encrypted_key()?))
            .child(cipher_data(&content));
        Ok(Element::new(prefix, "EncryptedAssertion").declare(prefix, super::response::ASSERTION).child(data))
    }

    fn encrypted_key(&self) -> Result<Element, BuildError> {
        let wrapped = self.wrapped_key().map_err(|_| BuildError::Encryption)?;
        let method = match self.key_transport {
            KeyTransport::OaepSha1 => oaep_method(RSA_OAEP_MGF1P, Some(DigestAlgorithm::Sha1), None),
            KeyTransport::OaepSha256 => {
                oaep_method(RSA_OAEP, Some(DigestAlgorithm::Sha256), Some(DigestAlgorithm::Sha256))
            }
            KeyTransport::Oaep { digest, mask } => oaep_method(RSA_OAEP, digest, mask),
            KeyTransport::OaepMgf1p { digest } => oaep_method(RSA_OAEP_MGF1P, digest, None),
        };
        Ok(Element::new("xenc", "EncryptedKey").child(method).child(cipher_data(&wrapped)))
    }

    fn wrapped_key(&self) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let algorithm: &'static OaepAlgorithm = match self.key_transport {
            KeyTransport::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            KeyTransport::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
            KeyTransport::Oaep { digest, mask } => return self.wrapped_by_hashes(digest, mask),
            KeyTransport::OaepMgf1p { digest } => return self.wrapped_by_hashes(digest, None),
        };
        let key = PublicEncryptingKey::from_der(self.recipient.public_key_info())?;
        let key = OaepPublicEncryptingKey::new(key)?;
        let mut wrapped = vec![0; key.ciphertext_size()];
        let length = key.encrypt(algorithm, self.key(), &mut wrapped, None)?.len();
        wrapped.truncate(length);
        Ok(wrapped)
    }

    fn wrapped_by_hashes(
        &self,
        digest: Option<DigestAlgorithm>,
        mask: Option<DigestAlgorithm>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let [digest, mask] = [digest, mask].map(|hash| hash.unwrap_or(DigestAlgorithm::Sha1));
        Ok(Oaep { digest, mask }.encrypt(self.recipient.public_key(), self.key(), &self.content_key)?)
    }

    fn content_cipher(&self, plain: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        match self.content {
            ContentAlgorithm::Aes128Cbc => self.cbc(&cipher::AES_128, plain),
            ContentAlgorithm::Aes192Cbc => self.cbc(&cipher::AES_192, plain),
            ContentAlgorithm::Aes256Cbc => self.cbc(&cipher::AES_256, plain),
            ContentAlgorithm::Aes128Gcm => self.gcm(&aead::AES_128_GCM, plain),
            ContentAlgorithm::Aes192Gcm => self.gcm(&aead::AES_192_GCM, plain),
            ContentAlgorithm::Aes256Gcm => self.gcm(&aead::AES_256_GCM, plain),
        }
    }

    /// PKCS#7 padding is one of those that XML Encryption section 5.2.1 allows.
    fn cbc(
        &self,
        algorithm: &'static cipher::Algorithm,
        plain: &[u8],
    ) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, self.key())?)?;
        let mut text = plain.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(&self.initialization_vector));
        key.less_safe_encrypt(&mut text, context)?;
        Ok([self.initialization_vector.as_slice(), &text].concat())
    }

    fn gcm(&self, algorithm: &'static aead::Algorithm, plain: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, self.key())?);
        let nonce = self.initialization_vector.get(..GCM_NONCE_LENGTH).unwrap_or_default();
        let mut text = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::try_assume_unique_for_key(nonce)?, Aad::empty(), &mut text)?;
        Ok([nonce, &text].concat())
    }

    fn key(&self) -> &[u8] {
        self.content_key.get(..self.content.key_length()).unwrap_or_default()
    }
}

fn oaep_method(uri: &'static str, digest: Option<DigestAlgorithm>, mask: Option<DigestAlgorithm>) -> Element {
    let digest = digest
        .map(|hash| Element::new("ds", "DigestMethod").declare("ds", XML_SIGNATURE).attribute("Algorithm", hash.uri()));
    let mask = mask.map(|hash| {
        let uri = match hash {
            DigestAlgorithm::Sha1 => "http://www.w3.org/2009/xmlenc11#mgf1sha1",
            DigestAlgorithm::Sha256 => "http://www.w3.org/2009/xmlenc11#mgf1sha256",
            DigestAlgorithm::Sha384 => "http://www.w3.org/2009/xmlenc11#mgf1sha384",
            DigestAlgorithm::Sha512 => "http://www.w3.org/2009/xmlenc11#mgf1sha512",
        };
        Element::new("xenc11", "MGF").declare("xenc11", "http://www.w3.org/2009/xmlenc11#").attribute("Algorithm", uri)
    });
    method(uri).child_if(digest).child_if(mask)
}

fn method(uri: &'static str) -> Element {
    Element::new("xenc", "EncryptionMethod").attribute("Algorithm", uri)
}

fn cipher_data(bytes: &[u8]) -> Element {
    let value = Element::new("xenc", "CipherValue").text(BASE64.encode(bytes));
    Element::new("xenc", "CipherData").child(value)
}
