//! bergshamra: parser, canonicalization and signature check in Rust.

use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use bergshamra::c14n::{C14nMode, canonicalize_doc};
use bergshamra::dsig::verify::verify_all_document_with_source;
use bergshamra::keys::loader;
use bergshamra::xml::NodeSet;
use bergshamra::xml::uppsala::{self, Document, NodeId};
use bergshamra::{DsigContext, KeysManager, VerifyResult};
use kryptering::{HashAlgorithm, SignatureAlgorithm, Verifier};

use super::{SignatureEngine, SignedText};
use crate::algorithm::{self, Canonicalization};
use crate::certificate::IdpCertificate;
use crate::guard::{SignatureFacts, SignedInfo};

/// A certificate's public key, prepared once for this engine.
#[derive(Clone)]
pub(super) struct VerificationKey {
    /// Context for signatures by any algorithm that fits the key, which is parsed again for each.
    any: Arc<DsigContext>,
    /// Context for RSA with SHA-256, which nearly every identity provider signs with: parsed once.
    rsa_sha256: Option<Arc<DsigContext>>,
}

impl VerificationKey {
    pub(super) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = loader::load_spki_der(spki).ok()?;
        key.to_signing_key().ok()??;
        let mut manager = KeysManager::new();
        manager.add_key(key);
        // A context's defaults are the strict ones: trusted keys only, strict positions of references.
        let any = Arc::new(DsigContext::new(manager));
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki).ok();
        let rsa_sha256 = parsed
            .map(|key| Arc::new(DsigContext::new(KeysManager::new()).with_hsm_verifier(Box::new(RsaSha256(key)))));
        Some(Self { any, rsa_sha256 })
    }

    fn context(&self, signatures: &[SignatureFacts]) -> &DsigContext {
        let prepared = self.rsa_sha256.as_ref();
        let fits = signatures.iter().all(|facts| facts.algorithm == algorithm::SignatureAlgorithm::RSA_SHA256);
        prepared.filter(|_| fits).unwrap_or(&self.any)
    }
}

/// Verifies in place of the engine's own keys; which algorithm the signature names is still for the engine to compare.
struct RsaSha256(ParsedPublicKey);

impl Verifier for RsaSha256 {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaPkcs1v15(HashAlgorithm::Sha256)
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> kryptering::Result<bool> {
        Ok(self.0.verify_sig(data, signature).is_ok())
    }
}

pub(super) struct Bergshamra;

impl SignatureEngine for Bergshamra {
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
        let document = uppsala::parse(text.xml).ok()?;
        let context = certificate.verification_keys.bergshamra.context(text.signatures);
        let results = verify_all_document_with_source(context, &document, Some(text.xml)).ok()?;
        if results.len() != text.signatures.len() {
            return None;
        }
        let mut verified = results.iter().map(|result| verified_reference(result, text.signatures));
        if !verified.all(|reference| reference.is_some()) {
            return None;
        }
        let read = results.iter().filter_map(|result| verified_reference(result, text.signatures));
        let (facts, covered, signature) = read.into_iter().find(|(facts, ..)| facts.id == text.read.id)?;
        canonical(document, facts, covered, signature)
    }
}

/// The facts of the one signature that this result is about, the node that it covers, and its own node.
fn verified_reference<'s>(
    result: &VerifyResult,
    signatures: &'s [SignatureFacts],
) -> Option<(&'s SignatureFacts, NodeId, NodeId)> {
    let VerifyResult::Valid { signature_node, references, .. } = result else { return None };
    let [reference] = references.as_slice() else { return None };
    let id = reference.uri.strip_prefix('#').filter(|_| reference.digest_verified)?;
    let facts = signatures.iter().find(|facts| facts.id == id)?;
    Some((facts, reference.resolved_node?, *signature_node))
}

/// The bytes that were digested: this engine does not hand them out, so its canonicalization runs once more, over a
/// document that has lost the signature. The caller compares their hash with the signature's.
fn canonical(mut document: Document<'_>, facts: &SignatureFacts, covered: NodeId, signature: NodeId) -> Option<String> {
    document.detach(signature);
    let is_all = document.children_count(document.root()) == 1 && document.document_element() == Some(covered);
    let part = (!is_all).then(|| NodeSet::tree_without_comments(covered, &document));
    let mode = mode(facts.canonicalization);
    let bytes = canonicalize_doc(&document, mode, part.as_ref(), &facts.inclusive_prefixes).ok()?;
    String::from_utf8(bytes).ok()
}

/// Comments are never in what is canonicalized here, so they are not asked for either.
const fn mode(canonicalization: Canonicalization) -> C14nMode {
    match canonicalization {
        Canonicalization::Inclusive => C14nMode::Inclusive,
        Canonicalization::Exclusive | Canonicalization::ExclusiveWithComments => C14nMode::Exclusive,
    }
}

/// The canonical form of a `SignedInfo`, as this engine makes it of the whole message.
pub(super) fn canonical_signed_info(info: &SignedInfo) -> Option<Vec<u8>> {
    let document = uppsala::parse(&info.document).ok()?;
    let element = document.first_child(document.document_element()?)?;
    let part = NodeSet::tree_without_comments(element, &document);
    canonicalize_doc(&document, mode(info.canonicalization), Some(&part), &info.inclusive_prefixes).ok()
}
