//! Signature engines behind one small interface: a guarded text and one certificate in, the signed bytes out.
//!
//! An engine parses the text for itself, checks every signature in it, and answers with the canonical form of the
//! outermost signed element. None is asked before a certificate's key has verified every `SignedInfo` ([`gate`]),
//! so that a stranger's message costs no canonicalization and no digest. To add one: a file here, a key in
//! [`VerificationKeys`], a line in `all`, and a variant of [`Engines`].

mod bergshamra;
mod gate;
mod libxmlsec;

use std::fmt;

use crate::algorithm::{Canonicalization, Hash, SignatureAlgorithm};
use crate::certificate::{IdpCertificate, KeyKind};
use crate::guard::{Guarded, SignatureFacts, SignedInfo};
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::response::verify::{Engines, SignedElement};
use crate::work::{self, Step};

/// A text whose every signature is to be verified; the guard has accepted it and found at least one.
pub(crate) struct SignedText<'a> {
    pub(crate) xml: &'a str,
    pub(crate) signatures: &'a [SignatureFacts],
    /// The signature whose bytes are read: the response's if there is one, as it covers the assertion too.
    pub(crate) read: &'a SignatureFacts,
}

impl<'a> SignedText<'a> {
    /// `None` if the text has no signature.
    pub(crate) fn new(xml: &'a str, guarded: &'a Guarded<'_>) -> Option<Self> {
        let signatures = guarded.signatures();
        let outer = signatures.iter().find(|facts| facts.element == SignedElement::Response);
        Some(Self { xml, signatures, read: outer.or_else(|| signatures.first())? })
    }
}

/// A certificate's public key, prepared once for the gate and for each engine.
#[derive(Clone)]
pub(crate) struct VerificationKeys {
    gate: gate::VerificationKey,
    bergshamra: bergshamra::VerificationKey,
    libxmlsec: libxmlsec::VerificationKey,
}

impl fmt::Debug for VerificationKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerificationKeys(..)")
    }
}

impl VerificationKeys {
    /// Prepares a DER `SubjectPublicKeyInfo`; `None` if an engine cannot use the key.
    pub(crate) fn from_spki(spki: &[u8], kind: KeyKind) -> Option<Self> {
        let gate = gate::VerificationKey::from_spki(spki, kind)?;
        let bergshamra = bergshamra::VerificationKey::from_spki(spki)?;
        Some(Self { gate, bergshamra, libxmlsec: libxmlsec::VerificationKey::from_spki(spki)? })
    }
}

/// One implementation of XML Signature.
pub(crate) trait SignatureEngine {
    /// The canonical bytes that `text.read` covers, if every signature in the text verifies with the certificate's key.
    fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String>;
}

fn all(engines: Engines) -> &'static [&'static dyn SignatureEngine] {
    // The cheaper one first: the other one does not see what it refuses, unless to find out whether they differ.
    match engines {
        Engines::Both => &[&bergshamra::Bergshamra, &libxmlsec::Libxmlsec],
        Engines::Libxmlsec => &[&libxmlsec::Libxmlsec],
        Engines::Bergshamra => &[&bergshamra::Bergshamra],
    }
}

/// The signed bytes, and which of the certificates verified them. All engines must agree about the bytes.
///
/// The engines see one certificate, the one whose key the gate let through: another one with the same key would make
/// them do the same work again, and one with another key would be refused.
pub(crate) fn verify<'c>(
    engines: Engines,
    text: &SignedText<'_>,
    certificates: &[&'c IdpCertificate],
) -> Result<(String, &'c IdpCertificate), Rejection> {
    let certificate = gate::signer(text, certificates).ok_or_else(invalid)?;
    agreed(all(engines), text, certificate).map(|bytes| (bytes, certificate))
}

fn agreed(
    engines: &[&dyn SignatureEngine],
    text: &SignedText<'_>,
    certificate: &IdpCertificate,
) -> Result<String, Rejection> {
    let (first, others) = engines.split_first().ok_or_else(invalid)?;
    let asked = |engine: &&dyn SignatureEngine| {
        work::done(Step::Engine);
        engine.verify(text, certificate)
    };
    // What the first one refuses is refused; the others only tell a disagreement from a bad digest.
    let Some(bytes) = asked(first) else {
        return Err(if others.iter().any(|other| asked(other).is_some()) { disagreement() } else { invalid() });
    };
    if others.iter().any(|other| asked(other).as_ref() != Some(&bytes)) {
        return Err(disagreement());
    }
    covered(bytes, text.read)
}

/// Binds the bytes to the signature once more, by a hash that neither engine computed.
fn covered(bytes: String, facts: &SignatureFacts) -> Result<String, Rejection> {
    if facts.digest.digest(bytes.as_bytes()).as_ref() == facts.digest_value { Ok(bytes) } else { Err(disagreement()) }
}

fn invalid() -> Rejection {
    Rejection::new(Check::Signature, Reason::SignatureInvalid).wanted("a signature by a certificate of the connection")
}

fn disagreement() -> Rejection {
    Rejection::new(Check::Signature, Reason::EnginesDisagree)
        .wanted("the same signed bytes from every signature engine")
}

/// Verifies a guarded text with one certificate: for measuring, and for comparing engines.
#[doc(hidden)]
pub fn verify_with(
    engines: Engines,
    xml: &str,
    guarded: &Guarded<'_>,
    certificate: &IdpCertificate,
) -> Result<String, Rejection> {
    let text =
        SignedText::new(xml, guarded).ok_or_else(|| Rejection::new(Check::Signature, Reason::SignatureMissing))?;
    verify(engines, &text, &[certificate]).map(|(bytes, _)| bytes)
}

/// Whether libxmlsec1 verifies what this service signs, with the `ID` of its root: for testing it as others read it.
#[doc(hidden)]
pub fn libxmlsec_verifies_own(xml: &str, id: &str, certificate: &IdpCertificate) -> bool {
    let facts = SignatureFacts {
        element: SignedElement::Response,
        id: id.to_owned(),
        signed_info: SignedInfo {
            document: String::new(),
            canonicalization: Canonicalization::Exclusive,
            inclusive_prefixes: Vec::new(),
        },
        value: String::new(),
        algorithm: SignatureAlgorithm::RSA_SHA256,
        digest: Hash::Sha256,
        digest_value: Vec::new(),
        canonicalization: Canonicalization::Exclusive,
        inclusive_prefixes: Vec::new(),
    };
    let text = SignedText { xml, signatures: std::slice::from_ref(&facts), read: &facts };
    libxmlsec::Libxmlsec.verify(&text, certificate).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::parse_pem_certificates;
    use crate::guard;

    const MESSAGE: &str = include_str!("../../tests/fixtures/signed-rsa-sha256.xml");
    const CERTIFICATE: &str = include_str!("../../tests/fixtures/idp.crt");

    /// An engine that always answers the same.
    struct Constant(Option<&'static str>);

    impl SignatureEngine for Constant {
        fn verify(&self, _: &SignedText<'_>, _: &IdpCertificate) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    /// An engine that answers rightly, but for one byte.
    struct OneByteOff;

    impl SignatureEngine for OneByteOff {
        fn verify(&self, text: &SignedText<'_>, certificate: &IdpCertificate) -> Option<String> {
            bergshamra::Bergshamra.verify(text, certificate).map(|bytes| bytes.replacen("anna", "Anna", 1))
        }
    }

    fn outcome(engines: &[&dyn SignatureEngine]) -> Option<Reason> {
        let guarded = guard::check(MESSAGE).unwrap();
        let text = SignedText::new(MESSAGE, &guarded).unwrap();
        let certificate = parse_pem_certificates(CERTIFICATE).unwrap().remove(0);
        agreed(engines, &text, &certificate).err().map(|refused| refused.reason)
    }

    /// Proves C10: no user gets in unless all engines accept and return the same bytes.
    #[test]
    fn engines_must_agree_on_every_byte() {
        let honest = &bergshamra::Bergshamra;
        assert_eq!(outcome(&[honest, &libxmlsec::Libxmlsec]), None);
        assert_eq!(outcome(&[honest, &Constant(None)]), Some(Reason::EnginesDisagree));
        assert_eq!(outcome(&[&Constant(None), honest]), Some(Reason::EnginesDisagree));
        assert_eq!(outcome(&[honest, &OneByteOff]), Some(Reason::EnginesDisagree));
        assert_eq!(outcome(&[&Constant(None), &Constant(None)]), Some(Reason::SignatureInvalid));
        assert_eq!(outcome(&[]), Some(Reason::SignatureInvalid));
    }

    /// Proves C10: an engine reads no signature by other rules than the guard did, whatever it finds in the text.
    #[test]
    fn an_engine_does_nothing_that_the_guard_has_not_seen() {
        let guarded = guard::check(MESSAGE).unwrap();
        let certificate = parse_pem_certificates(CERTIFICATE).unwrap().remove(0);
        let refused = |engine: &dyn SignatureEngine, change: &dyn Fn(&mut SignatureFacts)| {
            let mut signatures = guarded.signatures().to_vec();
            signatures.iter_mut().for_each(change);
            let text = SignedText { xml: MESSAGE, signatures: &signatures, read: signatures.first().unwrap() };
            engine.verify(&text, &certificate).is_none()
        };
        let other_algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
        for engine in all(Engines::Libxmlsec) {
            assert!(!refused(*engine, &|_| {}));
            assert!(refused(*engine, &|facts| facts.id.push('x')));
            assert!(refused(*engine, &|facts| facts.algorithm = SignatureAlgorithm::from_uri(other_algorithm).unwrap()));
            assert!(refused(*engine, &|facts| facts.digest = Hash::Sha512));
            assert!(refused(*engine, &|facts| facts.canonicalization = Canonicalization::Inclusive));
        }
        for engine in all(Engines::Both) {
            let none = SignedText { xml: MESSAGE, signatures: &[], read: guarded.signatures().first().unwrap() };
            assert_eq!(engine.verify(&none, &certificate), None, "a signature that the guard has not seen");
        }
    }

    /// Proves that a certificate's prepared keys serve many threads at once, as sign-ins of one connection do.
    #[test]
    fn threads_share_a_certificate() {
        let certificate = parse_pem_certificates(CERTIFICATE).unwrap().remove(0);
        let guarded = guard::check(MESSAGE).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert!(verify_with(Engines::Both, MESSAGE, &guarded, &certificate).is_ok());
                    }
                });
            }
        });
    }

    /// Proves C10: bytes whose hash is not the signature's are refused even if all engines returned them.
    #[test]
    fn bytes_must_have_the_hash_that_was_signed() {
        let other = Constant(Some("<saml:Assertion/>"));
        assert_eq!(outcome(&[&other, &other]), Some(Reason::EnginesDisagree));
        assert_eq!(outcome(&[&OneByteOff]), Some(Reason::EnginesDisagree));
    }
}
