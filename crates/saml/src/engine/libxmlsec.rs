//! libxmlsec1 with libxml2 and OpenSSL, in C, through samael's binding.
//!
//! Only `PreDigest` mode is used: it is the one that neither leaks memory nor edits the document, and it returns the
//! very bytes that were hashed. One certificate per call, because samael gives up at the first key of another type.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::Once;

use samael::crypto::{AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider, ReduceMode};

use super::{SignatureEngine, SignedText};
use crate::algorithm::Hash;
use crate::certificate::IdpCertificate;

/// What samael may accept, again: the guard has enforced the same list.
const ALLOWED: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

pub(crate) struct Libxmlsec;

impl SignatureEngine for Libxmlsec {
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
        initialize();
        silence_parser();
        let certificates = [CertificateDer::from(certificate.der.clone())];
        // samael's list has no name for SHA-1: where the connection allows it, the guard's list alone decides.
        let sha1 = text.signatures.iter().any(|facts| facts.algorithm.hash == Hash::Sha1 || facts.digest == Hash::Sha1);
        let allowed = if sha1 { None } else { Some(ALLOWED.as_slice()) };
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(text.xml, &certificates, ReduceMode::PreDigest, allowed)
            .ok()
    }
}

/// Initializes libxml2 before threads do so at once, and keeps libxmlsec1 from printing attackers' input to stderr.
#[expect(unsafe_code, reason = "two C functions that samael does not expose")]
fn initialize() {
    static INITIALIZED: Once = Once::new();
    unsafe extern "C" {
        fn xmlInitParser();
        fn xmlSecErrorsDefaultCallbackEnableOutput(enabled: c_int);
    }
    INITIALIZED.call_once(|| {
        // SAFETY: both are documented parts of the libraries that samael links, take no pointers, and only set global
        // state, here once and before any other use of it.
        unsafe {
            xmlInitParser();
            xmlSecErrorsDefaultCallbackEnableOutput(0);
        }
    });
}

/// Keeps libxml2 from printing attackers' input to stderr, which it would once a document is parsed and turns out to be
/// beyond canonicalization. The setting belongs to the thread.
#[expect(unsafe_code, reason = "a C function that samael does not expose")]
fn silence_parser() {
    type Handler = extern "C" fn(context: *mut c_void, error: *mut c_void);
    unsafe extern "C" {
        fn xmlSetStructuredErrorFunc(context: *mut c_void, handler: Handler);
    }
    extern "C" fn ignore(_: *mut c_void, _: *mut c_void) {}
    // SAFETY: a documented part of a library that samael links. The handler has the signature that it wants, touches
    // neither pointer, and lives as long as the program.
    unsafe { xmlSetStructuredErrorFunc(null_mut(), ignore) };
}
