//! The calls into libxmlsec1 and libxml2: keys and contexts that free themselves, and safe functions around
//! what they are used for.
#![expect(unsafe_code, reason = "libxmlsec1, libxml2 and OpenSSL are C")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull, null, null_mut};
use std::sync::OnceLock;

use libxml::tree::{Document, Node};

use self::generated::{_xmlSecDSigReferenceCtx, xmlSecDSigStatus, xmlSecKeyDataFormat};

mod at_exit;

#[allow(warnings, clippy::all, clippy::pedantic, reason = "generated from the headers of libxmlsec1")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/libxmlsec.rs"));
}

/// A public key. It belongs to no thread.
pub(super) struct Key(NonNull<generated::_xmlSecKey>);

// SAFETY: nothing in an xmlSecKey belongs to a thread. What its duplicates share with it is OpenSSL's EVP_PKEY, whose
// references are counted atomically and whose use from several threads OpenSSL allows. It is not Sync: one thread
// at a time duplicates it.
unsafe impl Send for Key {}

impl Key {
    /// Loads a DER `SubjectPublicKeyInfo`; `None` if it is no key that OpenSSL knows.
    pub(super) fn load(spki: &[u8]) -> Option<Self> {
        if !initialized() {
            return None;
        }
        let (data, length) = (spki.as_ptr(), spki.len().try_into().ok()?);
        let format = xmlSecKeyDataFormat::xmlSecKeyDataFormatDer;
        // SAFETY: the bytes are read during the call alone; no password is asked for.
        let key =
            unsafe { generated::xmlSecOpenSSLAppKeyLoadMemory(data, length, format, null(), null_mut(), null_mut()) };
        NonNull::new(key).map(Self)
    }

    /// The same key, for another owner.
    pub(super) fn duplicate(&self) -> Option<Self> {
        // SAFETY: the key is alive, and duplicating does not change it.
        NonNull::new(unsafe { generated::xmlSecKeyDuplicate(self.0.as_ptr()) }).map(Self)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the key is this one's own, and nobody uses it afterwards.
        unsafe { generated::xmlSecKeyDestroy(self.0.as_ptr()) };
    }
}

/// The verification of one signature.
pub(super) struct Context(NonNull<generated::_xmlSecDSigCtx>);

impl Context {
    /// Creates a context for this key alone: while a context has one, it does not look at `KeyInfo`. It keeps what
    /// is digested, and refers to nothing outside of the document.
    pub(super) fn new(key: Key) -> Option<Self> {
        // SAFETY: without a manager of keys, a context looks for none.
        let context = Self(NonNull::new(unsafe { generated::xmlSecDSigCtxCreate(null_mut()) })?);
        let key = std::mem::ManuallyDrop::new(key);
        // SAFETY: the context is alive and this one's own; it frees the key that it is given.
        unsafe {
            let context = context.0.as_ptr();
            (*context).signKey = key.0.as_ptr();
            (*context).flags |= generated::XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
            (*context).enabledReferenceUris = generated::xmlSecTransformUriTypeSameDocument;
        }
        Some(context)
    }

    /// Lets the signature itself use this algorithm; once one is named, no other is allowed.
    pub(super) fn allow_in_signature(&mut self, uri: &str) -> Option<()> {
        let id = transform(uri)?;
        // SAFETY: the context is alive; ids of transforms live as long as the library.
        let done = unsafe { generated::xmlSecDSigCtxEnableSignatureTransform(self.0.as_ptr(), id) };
        (done >= 0).then_some(())
    }

    /// The same for its references.
    pub(super) fn allow_in_reference(&mut self, uri: &str) -> Option<()> {
        let id = transform(uri)?;
        // SAFETY: as above.
        let done = unsafe { generated::xmlSecDSigCtxEnableReferenceTransform(self.0.as_ptr(), id) };
        (done >= 0).then_some(())
    }

    /// Whether the signature verifies. Once for each context.
    pub(super) fn verify(&mut self, signature: &Node) -> bool {
        // SAFETY: the context and the node with its document are alive, and this thread alone uses them.
        unsafe {
            let done = generated::xmlSecDSigCtxVerify(self.0.as_ptr(), signature.node_ptr().cast());
            done >= 0 && (*self.0.as_ptr()).status == xmlSecDSigStatus::xmlSecDSigStatusSucceeded
        }
    }

    /// `URI` of the one reference of a verified signature, and the text that it digested.
    pub(super) fn digested(&self) -> Option<(String, String)> {
        // SAFETY: the context owns its references with their names and buffers while it is alive; all of them are
        // copied here, and every pointer is checked before it is read.
        unsafe {
            let references = &raw mut (*self.0.as_ptr()).signedInfoReferences;
            if generated::xmlSecPtrListGetSize(references) != 1 {
                return None;
            }
            let reference: *mut _xmlSecDSigReferenceCtx = generated::xmlSecPtrListGetItem(references, 0).cast();
            let uri = reference.as_ref()?.uri;
            if uri.is_null() || reference.as_ref()?.status != xmlSecDSigStatus::xmlSecDSigStatusSucceeded {
                return None;
            }
            let uri = CStr::from_ptr(uri.cast()).to_str().ok()?.to_owned();
            let buffer = generated::xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
            let data = if buffer.is_null() { null_mut() } else { generated::xmlSecBufferGetData(buffer) };
            if data.is_null() {
                return None;
            }
            let length = generated::xmlSecBufferGetSize(buffer).try_into().ok()?;
            let bytes = ptr::slice_from_raw_parts(data.cast_const(), length);
            Some((uri, String::from_utf8((*bytes).to_vec()).ok()?))
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is this one's own, and nobody uses it afterwards.
        unsafe { generated::xmlSecDSigCtxDestroy(self.0.as_ptr()) };
    }
}

fn transform(uri: &str) -> Option<generated::xmlSecTransformId> {
    let uri = CString::new(uri).ok()?;
    // SAFETY: the list is the library's own, filled when it was initialized; the name lives through the call.
    let id = unsafe {
        let all = generated::xmlSecTransformIdsGet();
        generated::xmlSecTransformIdListFindByHref(all, uri.as_ptr().cast(), generated::xmlSecTransformUsageAny)
    };
    (!id.is_null()).then_some(id)
}

/// Registers the `ID` attributes of an element and of those in it, so that references are found.
pub(super) fn register_ids(document: &Document, element: &Node) {
    let mut names = [c"ID".as_ptr().cast(), null()];
    // SAFETY: the document and its element are alive, and the list of names ends with a null pointer; the function
    // keeps neither the list nor the names.
    unsafe { generated::xmlSecAddIDs(document.doc_ptr().cast(), element.node_ptr().cast(), names.as_mut_ptr()) };
}

/// Initializes the libraries before threads do so at once, and keeps libxmlsec1 from printing attackers' input to
/// stderr; whether that worked. Without it there is no key, and without a key no context.
///
/// A process may end while its threads verify: nothing that the libraries would do at its exit may be left to do.
fn initialized() -> bool {
    static INITIALIZED: OnceLock<bool> = OnceLock::new();
    unsafe extern "C" {
        fn xmlInitParser();
    }
    *INITIALIZED.get_or_init(|| {
        // SAFETY: called once, before anything else of these libraries; none of them keeps a pointer.
        unsafe {
            let kept = at_exit::keep_openssl() && at_exit::keep_libxml();
            xmlInitParser();
            generated::xmlSecErrorsDefaultCallbackEnableOutput(0);
            kept && generated::xmlSecInit() >= 0
                && generated::xmlSecOpenSSLAppInit(null()) >= 0
                && generated::xmlSecOpenSSLInit() >= 0
        }
    })
}

/// Keeps libxml2 from printing attackers' input to stderr, which it would once a document is parsed and turns out to be
/// beyond canonicalization. The setting belongs to the thread.
pub(super) fn silence_parser() {
    type Handler = extern "C" fn(context: *mut c_void, error: *mut c_void);
    unsafe extern "C" {
        fn xmlSetStructuredErrorFunc(context: *mut c_void, handler: Handler);
    }
    extern "C" fn ignore(_: *mut c_void, _: *mut c_void) {}
    // SAFETY: the handler has the signature that libxml2 wants, touches neither pointer, and lives as long as the
    // program.
    unsafe { xmlSetStructuredErrorFunc(null_mut(), ignore) };
}
