//! bergshamra: parser, canonicalization and signature check in Rust.

use std::fmt;
use std::sync::Arc;

use bergshamra::c14n::{C14nMode, canonicalize_doc};
use bergshamra::dsig::verify::verify_all_document_with_source;
use bergshamra::keys::loader;
use bergshamra::xml::uppsala::{self, Document, NodeId};
use bergshamra::xml::{NodeKind, NodeSet};
use bergshamra::{DsigContext, KeysManager, VerifyResult};

use super::{SignatureEngine, SignedText};
use crate::algorithm::Canonicalization;
use crate::certificate::IdpCertificate;
use crate::guard::SignatureFacts;

/// A certificate's public key, prepared once for this engine.
#[derive(Clone)]
pub(crate) struct VerificationKey {
    context: Arc<DsigContext>,
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerificationKey(..)")
    }
}

impl VerificationKey {
    /// Prepares a DER `SubjectPublicKeyInfo`; `None` if this engine cannot use the key.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = loader::load_spki_der(spki).ok()?;
        key.to_signing_key().ok()??;
        let mut manager = KeysManager::new();
        manager.add_key(key);
        // The context's defaults are the strict ones: trusted keys only, strict positions of references.
        Some(Self { context: Arc::new(DsigContext::new(manager)) })
    }
}

pub(crate) struct Bergshamra;

impl SignatureEngine for Bergshamra {
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
        let document = uppsala::parse(text.xml).ok()?;
        let context = &certificate.verification_key.context;
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
        canonical(&document, facts, covered, signature)
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

/// The bytes that were digested: this engine does not hand them out, so its canonicalization runs once more. The
/// caller compares their hash with the signature's.
fn canonical(document: &Document<'_>, facts: &SignatureFacts, covered: NodeId, signature: NodeId) -> Option<String> {
    let mut nodes = NodeSet::tree_without_comments(covered, document);
    remove_subtree(document, signature, &mut nodes);
    let mode = match facts.canonicalization {
        Canonicalization::Inclusive => C14nMode::Inclusive,
        Canonicalization::Exclusive => C14nMode::Exclusive,
    };
    let bytes = canonicalize_doc(document, mode, Some(&nodes), &facts.inclusive_prefixes).ok()?;
    String::from_utf8(bytes).ok()
}

// A signature's depth is fixed by the guard, but for its KeyInfo, whose depth the guard bounds.
fn remove_subtree(document: &Document<'_>, node: NodeId, nodes: &mut NodeSet) {
    nodes.remove_id(node);
    if matches!(document.node_kind(node), Some(NodeKind::Element(_))) {
        for child in document.children(node) {
            remove_subtree(document, child, nodes);
        }
    }
}
