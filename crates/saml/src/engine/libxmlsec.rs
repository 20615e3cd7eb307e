//! libxmlsec1 with libxml2 and OpenSSL, in C.
//!
//! The binding gives keys, contexts and verification; what it lacks (which identifiers there are, what a signature may
//! use, the bytes that were digested) is called here, and all of this crate's `unsafe` with it.

use std::ffi::{CStr, CString, c_int, c_void};
use std::fmt;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex, Once, PoisonError};

use libxml::parser::{Parser, ParserOptions};
use libxml::tree::{Document, Node};
use xmlsec::bindings::{
    XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES, xmlSecAddIDs, xmlSecBufferGetData, xmlSecBufferGetSize,
    xmlSecDSigCtxEnableReferenceTransform, xmlSecDSigCtxEnableSignatureTransform, xmlSecDSigReferenceCtx,
    xmlSecDSigReferenceCtxGetPreDigestBuffer, xmlSecDSigStatus_xmlSecDSigStatusSucceeded, xmlSecPtrListGetItem,
    xmlSecPtrListGetSize, xmlSecTransformIdListFindByHref, xmlSecTransformIdsGet, xmlSecTransformUriTypeSameDocument,
    xmlSecTransformUsageAny,
};
use xmlsec::{XmlSecKey, XmlSecKeyFormat, XmlSecSignatureContext};

use super::{SignatureEngine, SignedText};
use crate::algorithm::{Canonicalization, ENVELOPED_SIGNATURE};
use crate::certificate::IdpCertificate;
use crate::guard::SignatureFacts;
use crate::xml::namespace;

/// A certificate's public key, prepared once for this engine: OpenSSL 3.0 takes longer to load one than to verify with it.
#[derive(Clone)]
pub(super) struct VerificationKey {
    key: Arc<Mutex<Loaded>>,
}

struct Loaded(XmlSecKey);

// SAFETY: an xmlSecKey belongs to no thread, and the mutex hands it to one at a time. What its duplicates share with it is
// OpenSSL's EVP_PKEY, whose references are counted atomically and whose use from several threads OpenSSL allows.
#[expect(unsafe_code, reason = "the binding's key is a pointer")]
unsafe impl Send for Loaded {}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerificationKey(..)")
    }
}

impl VerificationKey {
    pub(super) fn from_spki(spki: &[u8]) -> Option<Self> {
        initialize();
        let key = XmlSecKey::from_memory(spki, XmlSecKeyFormat::Der, None).ok()?;
        Some(Self { key: Arc::new(Mutex::new(Loaded(key))) })
    }

    /// The same key, for a context to own.
    fn duplicate(&self) -> XmlSecKey {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

pub(super) struct Libxmlsec;

impl SignatureEngine for Libxmlsec {
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
        initialize();
        silence_parser();
        let options = ParserOptions { recover: false, no_net: true, ..ParserOptions::default() };
        let document = Parser::default().parse_string_with_options(text.xml, options).ok()?;
        let root = document.get_root_element()?;
        register_ids(&document, &root);
        let signatures = signatures(&root);
        if signatures.len() != text.signatures.len() {
            return None;
        }
        let mut read = None;
        for facts in text.signatures {
            let covers = |signature: &&Node| holder_id(signature).is_some_and(|id| id == facts.id);
            let signature = signatures.iter().find(covers)?;
            let bytes = verified(signature, facts, &certificate.verification_keys.libxmlsec)?;
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

/// The bytes that this signature covers, if it verifies with the key, by the algorithms that the guard has seen.
fn verified(signature: &Node, facts: &SignatureFacts, key: &VerificationKey) -> Option<String> {
    let mut context = XmlSecSignatureContext::new();
    // While there is a key, `KeyInfo` is not looked at.
    context.insert_key(key.duplicate());
    restrict(&context, facts)?;
    if !context.verify_node(signature).ok()? {
        return None;
    }
    digested(&context, facts)
}

/// Registers the `ID` attributes, so that references are found.
#[expect(unsafe_code, reason = "the binding does this by XPath alone")]
fn register_ids(document: &Document, root: &Node) {
    let mut names = [c"ID".as_ptr().cast(), null()];
    // SAFETY: the document and its root are alive, and the list of names ends with a null pointer; the function keeps
    // neither the list nor the names.
    unsafe { xmlSecAddIDs(document.doc_ptr().cast(), root.node_ptr().cast(), names.as_mut_ptr()) };
}

/// Lets a signature use nothing but what the guard has seen it use, refer to nothing outside its document, and keep what
/// it digests.
#[expect(unsafe_code, reason = "the binding does not expose these fields")]
fn restrict(context: &XmlSecSignatureContext, facts: &SignatureFacts) -> Option<()> {
    let of_signature = [Canonicalization::INCLUSIVE_URI, Canonicalization::EXCLUSIVE_URI, facts.algorithm.uri()?];
    let of_reference = [ENVELOPED_SIGNATURE, facts.canonicalization.uri(), facts.digest.digest_uri()];
    let found = |uri: &str| {
        let uri = CString::new(uri).ok()?;
        // SAFETY: the list is libxmlsec's own, filled once when it was initialized; the name lives through the call.
        let id = unsafe {
            xmlSecTransformIdListFindByHref(xmlSecTransformIdsGet(), uri.as_ptr().cast(), xmlSecTransformUsageAny)
        };
        (!id.is_null()).then_some(id)
    };
    // SAFETY: the context is alive and used by this thread alone; transform ids are static.
    unsafe {
        let context = context.as_ptr();
        (*context).flags |= XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
        (*context).enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
        let mut enabled = true;
        for uri in of_signature {
            enabled &= xmlSecDSigCtxEnableSignatureTransform(context, found(uri)?) >= 0;
        }
        for uri in of_reference {
            enabled &= xmlSecDSigCtxEnableReferenceTransform(context, found(uri)?) >= 0;
        }
        enabled.then_some(())
    }
}

/// What the one reference of a signature that has verified digested, if it refers to what the guard says.
#[expect(unsafe_code, reason = "the binding does not expose references")]
fn digested(context: &XmlSecSignatureContext, facts: &SignatureFacts) -> Option<String> {
    // SAFETY: the context is alive and used by this thread alone. It owns its references, with their names and buffers,
    // until it is dropped; all of them are copied here. Every pointer is checked before it is read.
    unsafe {
        let references = &raw mut (*context.as_ptr()).signedInfoReferences;
        if xmlSecPtrListGetSize(references) != 1 {
            return None;
        }
        let reference: *mut xmlSecDSigReferenceCtx = xmlSecPtrListGetItem(references, 0).cast();
        let verified = reference.as_ref()?.status == xmlSecDSigStatus_xmlSecDSigStatusSucceeded;
        let uri = reference.as_ref()?.uri;
        if !verified
            || uri.is_null()
            || CStr::from_ptr(uri.cast()).to_bytes().strip_prefix(b"#")? != facts.id.as_bytes()
        {
            return None;
        }
        let buffer = xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
        let data = if buffer.is_null() { null_mut() } else { xmlSecBufferGetData(buffer) };
        if data.is_null() {
            return None;
        }
        let length = usize::try_from(xmlSecBufferGetSize(buffer)).ok()?;
        String::from_utf8(std::slice::from_raw_parts(data, length).to_vec()).ok()
    }
}

/// Initializes libxml2 before threads do so at once, and keeps libxmlsec1 from printing attackers' input to stderr.
#[expect(unsafe_code, reason = "two C functions that the binding does not expose")]
fn initialize() {
    static INITIALIZED: Once = Once::new();
    unsafe extern "C" {
        fn xmlInitParser();
        fn xmlSecErrorsDefaultCallbackEnableOutput(enabled: c_int);
    }
    INITIALIZED.call_once(|| {
        // SAFETY: both are documented parts of the libraries that the binding links, take no pointers, and only set
        // global state, here once and before any other use of it.
        unsafe {
            xmlInitParser();
            xmlSecErrorsDefaultCallbackEnableOutput(0);
        }
    });
}

/// Keeps libxml2 from printing attackers' input to stderr, which it would once a document is parsed and turns out to be
/// beyond canonicalization. The setting belongs to the thread.
#[expect(unsafe_code, reason = "a C function that the binding does not expose")]
fn silence_parser() {
    type Handler = extern "C" fn(context: *mut c_void, error: *mut c_void);
    unsafe extern "C" {
        fn xmlSetStructuredErrorFunc(context: *mut c_void, handler: Handler);
    }
    extern "C" fn ignore(_: *mut c_void, _: *mut c_void) {}
    // SAFETY: a documented part of a library that the binding links. The handler has the signature that it wants, touches
    // neither pointer, and lives as long as the program.
    unsafe { xmlSetStructuredErrorFunc(null_mut(), ignore) };
}
