//! Verification of a guarded message, which gives the claims that a trusted signature covers. The rest is dropped.

use jiff::Timestamp;

use super::parse::{self, AssertionClaims, ResponseClaims};
use super::verify::{Expected, SignedElement, Trust, Warning};
use crate::algorithm::Hash;
use crate::certificate::IdpCertificate;
use crate::decrypt::{self, Recipient};
use crate::engine::{self, SignedText};
use crate::guard::{self, Guarded, SignatureFacts};
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};

/// Claims from signed bytes, and who signed them.
#[derive(Debug)]
pub(super) struct Verified<'t> {
    pub(super) signed: SignedElement,
    pub(super) encrypted: bool,
    /// The response's claims, if its own signature covers them.
    pub(super) response: Option<ResponseClaims>,
    pub(super) assertion: AssertionClaims,
    pub(super) certificate: &'t IdpCertificate,
    pub(super) warnings: Vec<Warning>,
}

/// Verifies every signature, decrypts if need be, and reads the assertion from what was verified.
pub(super) fn read<'t>(
    xml: &str,
    guarded: &Guarded<'_>,
    expected: &Expected<'_>,
    trust: &Trust<'t>,
) -> Result<Verified<'t>, Rejection> {
    let recipient = Recipient { entity_id: expected.sp_entity_id, keys: trust.decryption_keys };
    let verifier = Verifier { now: expected.now, trust, recipient };
    match guarded.encrypted_assertion() {
        Some(_) if guarded.signatures().is_empty() => verifier.signed_inside(guarded),
        _ => verifier.signed_outside(xml, guarded),
    }
}

struct Verifier<'v, 't> {
    now: Timestamp,
    trust: &'v Trust<'t>,
    recipient: Recipient<'v>,
}

impl<'t> Verifier<'_, 't> {
    /// The response or its plain assertion is signed.
    fn signed_outside(&self, xml: &str, guarded: &Guarded<'_>) -> Result<Verified<'t>, Rejection> {
        let signed = self.verify(xml, guarded)?;
        match signed.element {
            SignedElement::Assertion => {
                let assertion = signed.assertion()?;
                Ok(self.verified(&signed, None, assertion))
            }
            SignedElement::Response => {
                let covered = guard::check(&signed.bytes)?;
                let root = covered.response().ok_or_else(missing)?;
                let response = parse::response(&root)?;
                signed.check_id(&response.id)?;
                let response = Some(response);
                if let Some(plain) = covered.assertion() {
                    let assertion = parse::assertion(&plain)?;
                    return Ok(self.verified(&signed, response, assertion));
                }
                let assertion = self.decrypted(&covered)?;
                Ok(Verified { encrypted: true, ..self.verified(&signed, response, assertion) })
            }
        }
    }

    /// Verifies the signature inside an encrypted assertion, if there is none outside. Every failure looks the
    /// same: an attacker who changes ciphertext must not learn how far it got.
    fn signed_inside(&self, guarded: &Guarded<'_>) -> Result<Verified<'t>, Rejection> {
        let encrypted = guarded.encrypted_assertion().ok_or_else(missing)?;
        let inner = decrypt::assertion(&encrypted, &self.recipient)?;
        let signed = guard::check_assertion(&inner)
            .and_then(|guarded| self.verify(&inner, &guarded))
            .map_err(|_| decrypt::failed())?;
        let assertion = signed.assertion()?;
        Ok(Verified { encrypted: true, ..self.verified(&signed, None, assertion) })
    }

    /// The encrypted assertion of a response whose signature was verified; its own signature, if any, must verify too.
    fn decrypted(&self, covered: &Guarded<'_>) -> Result<AssertionClaims, Rejection> {
        let encrypted = covered.encrypted_assertion().ok_or_else(missing)?;
        let inner = decrypt::assertion(&encrypted, &self.recipient)?;
        let guarded = guard::check_assertion(&inner).map_err(|_| decrypt::failed())?;
        if guarded.signatures().is_empty() {
            return parse::assertion(&guarded.assertion().ok_or_else(missing)?);
        }
        self.verify(&inner, &guarded)?.assertion()
    }

    fn verify(&self, xml: &str, guarded: &Guarded<'_>) -> Result<Signed<'t>, Rejection> {
        let text = SignedText::new(xml, guarded).ok_or_else(|| refusal(Reason::SignatureMissing))?;
        let weak = |facts: &SignatureFacts| facts.algorithm.hash == Hash::Sha1 || facts.digest == Hash::Sha1;
        let sha1 = text.signatures.iter().any(weak);
        if sha1 && !self.trust.allow_sha1 {
            return Err(refusal(Reason::Sha1NotAllowed).wanted("SHA-256 or better").got("SHA-1"));
        }
        let (bytes, certificate) = engine::verify(self.trust.engines, &text, &self.candidates(text.signatures)?)?;
        Ok(Signed { bytes, element: text.read.element, id: text.read.id.clone(), certificate, sha1 })
    }

    /// The certificates whose kind of key fits every signature and whose time, if that matters, has not passed.
    fn candidates(&self, signatures: &[SignatureFacts]) -> Result<Vec<&'t IdpCertificate>, Rejection> {
        let certificates = self.trust.certificates;
        if certificates.is_empty() {
            return Err(refusal(Reason::CertificateMissing));
        }
        let timely = |one: &&IdpCertificate| !self.trust.refuse_expired_certificates || one.is_valid_at(self.now);
        let timely: Vec<_> = certificates.iter().filter(timely).collect();
        if timely.is_empty() {
            return Err(refusal(Reason::CertificateExpired).wanted("a certificate that is valid now"));
        }
        let fits = |one: &&IdpCertificate| signatures.iter().all(|facts| facts.algorithm.fits(one.key));
        let fitting: Vec<_> = timely.iter().copied().filter(fits).collect();
        if fitting.is_empty() {
            let kinds: Vec<_> = timely.iter().map(|one| one.key.to_string()).collect();
            return Err(refusal(Reason::KeyTypeMismatch).wanted(kinds.join(", ")));
        }
        Ok(fitting)
    }

    fn verified(
        &self,
        signed: &Signed<'t>,
        response: Option<ResponseClaims>,
        assertion: AssertionClaims,
    ) -> Verified<'t> {
        let certificate = signed.certificate;
        let mut warnings = Vec::new();
        if signed.sha1 {
            warnings.push(Warning::Sha1);
        }
        if certificate.not_after < self.now {
            warnings.push(Warning::CertificateExpired { not_after: certificate.not_after });
        }
        if certificate.not_before > self.now {
            warnings.push(Warning::CertificateNotYetValid { not_before: certificate.not_before });
        }
        Verified { signed: signed.element, encrypted: false, response, assertion, certificate, warnings }
    }
}

/// Bytes that a trusted signature covers.
struct Signed<'t> {
    bytes: String,
    element: SignedElement,
    /// `ID` of the element as the signature names it.
    id: String,
    certificate: &'t IdpCertificate,
    sha1: bool,
}

impl Signed<'_> {
    /// The assertion, if that is what was signed.
    fn assertion(&self) -> Result<AssertionClaims, Rejection> {
        let covered = guard::check_assertion(&self.bytes)?;
        let claims = parse::assertion(&covered.assertion().ok_or_else(missing)?)?;
        self.check_id(&claims.id)?;
        Ok(claims)
    }

    /// The bytes that came back are those of the element that the signature names.
    fn check_id(&self, id: &str) -> Result<(), Rejection> {
        if id == self.id { Ok(()) } else { Err(refusal(Reason::EnginesDisagree).wanted(&self.id).got(id)) }
    }
}

fn missing() -> Rejection {
    parse::structure(Reason::AssertionMissing)
}

fn refusal(reason: Reason) -> Rejection {
    Rejection::new(Check::Signature, reason)
}
