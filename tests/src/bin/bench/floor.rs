//! The bare operations without which a response cannot be verified, by aws-lc, with keys that are parsed already.

use std::hint::black_box;

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::digest;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use mock_idp::identity::SigningIdentity;
use mock_idp::message::SignatureAlgorithm;

use crate::responses::SP_KEY;

/// The operations of one response.
pub struct Floor {
    key: ParsedPublicKey,
    /// Bytes of each signature's `SignedInfo`, the signature over them, and the bytes that were digested.
    signatures: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>,
    decryption: Option<Decryption>,
}

impl Floor {
    /// Operations that the plain response needs, plus the decryption of its assertion if it travels encrypted.
    pub fn of(plain: &str, identity: &SigningIdentity, encrypted: bool) -> Self {
        let der = identity.certificate().public_key_info();
        let signed = |info: &str, covered: String| {
            let signature = identity.sign(SignatureAlgorithm::RsaSha256, info.as_bytes()).expect("a signature");
            (info.as_bytes().to_vec(), signature, covered.into_bytes())
        };
        let assertion = between(plain, "Assertion");
        Self {
            key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).expect("an RSA key"),
            signatures: [plain, assertion]
                .into_iter()
                .filter_map(|element| {
                    let (info, covered) = own_signature(element)?;
                    Some(signed(info, covered))
                })
                .collect(),
            decryption: encrypted.then(|| Decryption::of(assertion.as_bytes())),
        }
    }

    /// All of it, once.
    pub fn run(&self) {
        if let Some(decryption) = &self.decryption {
            decryption.run();
        }
        for (info, signature, covered) in &self.signatures {
            self.key.verify_sig(black_box(info), signature).expect("verified");
            black_box(digest::digest(&digest::SHA256, black_box(covered)));
        }
    }
}

/// `SignedInfo` of the signature that is a direct child, and about as many bytes as that signature covers.
fn own_signature(element: &str) -> Option<(&str, String)> {
    let signature = between(element, "Signature");
    let covered = element.replacen(signature, "", 1);
    // In a response that is not signed itself, the first signature is its assertion's.
    let is_inside = element.contains("Response>") && element.find("Assertion ")? < element.find(signature)?;
    (!is_inside).then(|| (between(signature, "SignedInfo"), covered))
}

/// The first element of that local name, from its start tag to its end tag.
fn between<'a>(xml: &'a str, local: &str) -> &'a str {
    let named = |at: &usize| {
        let before = xml[..*at].rfind('<').map_or("", |start| &xml[start + 1..*at]);
        let after = xml[at + local.len()..].starts_with([' ', '>']);
        after && before.trim_end_matches(':').chars().all(char::is_alphanumeric)
    };
    let at = xml.match_indices(local).map(|(at, _)| at).find(named).expect("the element");
    let start = xml[..at].rfind('<').expect("its start tag");
    let end_tag = format!("</{}>", &xml[start + 1..at + local.len()]);
    let end = xml[start..].find(&end_tag).expect("its end tag");
    &xml[start..start + end + end_tag.len()]
}

/// RSA-OAEP with SHA-1, then AES-256-CBC.
struct Decryption {
    rsa: OaepPrivateDecryptingKey,
    wrapped: Vec<u8>,
    initialization_vector: [u8; 16],
    ciphertext: Vec<u8>,
}

/// Any key: what matters is its length.
const CONTENT_KEY: [u8; 32] = [7; 32];

impl Decryption {
    fn of(plain: &[u8]) -> Self {
        let private = PrivateDecryptingKey::from_pkcs8(SP_KEY).expect("a key");
        let public = OaepPublicEncryptingKey::new(private.public_key()).expect("a public key");
        let mut wrapped = vec![0; public.ciphertext_size()];
        public.encrypt(&OAEP_SHA1_MGF1SHA1, &CONTENT_KEY, &mut wrapped, None).expect("encrypted");
        let aes = UnboundCipherKey::new(&AES_256, &CONTENT_KEY).expect("a key");
        let aes = PaddedBlockEncryptingKey::cbc_pkcs7(aes).expect("a key");
        let initialization_vector = [3; 16];
        let mut ciphertext = plain.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(&initialization_vector));
        aes.less_safe_encrypt(&mut ciphertext, context).expect("encrypted");
        let rsa = OaepPrivateDecryptingKey::new(private).expect("a key");
        Self { rsa, wrapped, initialization_vector, ciphertext }
    }

    fn run(&self) {
        let mut output = vec![0; self.rsa.min_output_size()];
        let key = self.rsa.decrypt(&OAEP_SHA1_MGF1SHA1, black_box(&self.wrapped), &mut output, None).expect("a key");
        let aes = UnboundCipherKey::new(&AES_256, key).expect("a key");
        let aes = PaddedBlockDecryptingKey::cbc_pkcs7(aes).expect("a key");
        let context = DecryptionContext::Iv128(FixedLength::from(&self.initialization_vector));
        let mut text = self.ciphertext.clone();
        black_box(aes.decrypt(black_box(&mut text), context).expect("decrypted"));
    }
}
