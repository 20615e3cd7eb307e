//! libxmlsec1 with libxml2 and OpenSSL, in C.

mod binding;

use std::sync::{Arc, Mutex, PoisonError};

use libxml::parser::{Parser, ParserOptions};
use libxml::tree::Node;

use self::binding::{Context, Key};
use super::{SignatureEngine, SignedText};
use crate::algorithm::ENVELOPED_SIGNATURE;
use crate::certificate::IdpCertificate;
use crate::guard::SignatureFacts;
use crate::xml::namespace;

/// A certificate's public key, prepared once for this engine: OpenSSL 3.0 takes longer to load one than to verify
/// with it.
#[derive(Clone)]
pub(super) struct VerificationKey {
    key: Arc<Mutex<Key>>,
}

impl VerificationKey {
    pub(super) fn from_spki(spki: &[u8]) -> Option<Self> {
        Some(Self { key: Arc::new(Mutex::new(Key::load(spki)?)) })
    }

    fn duplicate(&self) -> Option<Key> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).duplicate()
    }
}

pub(super) struct Libxmlsec;

impl SignatureEngine for Libxmlsec {
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
        binding::silence_parser();
        let options = ParserOptions { recover: false, no_net: true, ..ParserOptions::default() };
        let document = Parser::default().parse_string_with_options(text.xml, options).ok()?;
        let root = document.get_root_element()?;
        binding::register_ids(&document, &root);
        let signatures = signatures(&root);
        if signatures.len() != text.signatures.len() {
            return None;
        }
        let mut read = None;
        for facts in text.signatures {
            let covers = |signature: &&Node| holder_id(signature).is_some_and(|id| id == facts.id);
            let signature = signatures.iter().find(covers)?;
            let bytes = verified(signature, facts, certificate.verification_keys.libxmlsec.duplicate()?)?;
            if facts.id == text.read.id {
                read = Some(bytes);
            }
        }
        read
    }
}

/// `ID` of the element that holds a signature.
fn holder_id(signature: &Node) -> Option<String> {
    signature.get_parent()?.get_attribute("ID")
}

/// The signatures of the root and of its assertions.
fn signatures(root: &Node) -> Vec<Node> {
    let assertions = children(root, namespace::ASSERTION, "Assertion");
    let holders = std::iter::once(root.clone()).chain(assertions);
    holders.flat_map(|holder| children(&holder, namespace::SIGNATURE, "Signature")).collect()
}

fn children(parent: &Node, namespace: &str, name: &str) -> Vec<Node> {
    let named =
        |node: &Node| node.get_name() == name && node.get_namespace().is_some_and(|ns| ns.get_href() == namespace);
    parent.get_child_elements().into_iter().filter(named).collect()
}

/// The bytes that this signature covers, if it verifies with the key, covers what the guard says, and uses nothing
/// but the algorithms that the guard has seen.
fn verified(signature: &Node, facts: &SignatureFacts, key: Key) -> Option<String> {
    let mut context = Context::new(key)?;
    for uri in [facts.signed_info.canonicalization.uri(), facts.algorithm.uri()?] {
        context.allow_in_signature(uri)?;
    }
    for uri in [ENVELOPED_SIGNATURE, facts.canonicalization.uri(), facts.digest.digest_uri()] {
        context.allow_in_reference(uri)?;
    }
    if !context.verify(signature) {
        return None;
    }
    let (uri, bytes) = context.digested()?;
    (uri.strip_prefix('#')? == facts.id).then_some(bytes)
}
