//! Advice about messages that were refused by themselves (H1), in words that name the setting here or at the identity
//! provider (IdP).

use saml::Reason as Refused;

/// The advice for administrators about a message that was refused for this reason.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each remedy")]
pub(super) const fn advice(reason: Refused) -> &'static str {
    match reason {
        Refused::MessageMissing | Refused::Base64Invalid | Refused::DeflateInvalid | Refused::NotUtf8 => {
            "The IdP did not send a base64-encoded SAML response. Set its response binding for our Reply URL (ACS) \
             to HTTP-POST."
        }
        Refused::MessageTooLong | Refused::XmlTooLong => {
            "The response is too large. At the IdP, send fewer attributes or groups: filter the group claim to the \
             groups that role_mappings names."
        }
        Refused::DoctypeRefused
        | Refused::EntityRefused
        | Refused::IllegalCharacter
        | Refused::MalformedXml
        | Refused::UnboundPrefix
        | Refused::XmlEncodingRefused
        | Refused::XmlVersionRefused
        | Refused::ContentOutsideRoot => {
            "The response is not plain XML 1.0 in UTF-8 without DTD. Look for a proxy or plug-in that alters \
             responses on their way from the IdP; if the IdP itself writes it like this, update the IdP."
        }
        Refused::TooDeep
        | Refused::TooManyAttributes
        | Refused::TooManyNamespaces
        | Refused::TooManyNodes
        | Refused::TooManyAssertions => {
            "The response has more parts than a sign-in needs. At the IdP, send one assertion and fewer attributes."
        }
        Refused::DuplicateAttribute
        | Refused::DuplicateId
        | Refused::IdInvalid
        | Refused::UnexpectedElement
        | Refused::UnexpectedText
        | Refused::TextExpected => {
            "The response does not have the shape that SAML prescribes. It was altered on its way, or the IdP is \
             faulty: update the IdP, and do not enable this by hand."
        }
        Refused::SignatureMissing => {
            "Neither the response nor its assertion is signed. At the IdP, switch on signing of the assertion (or \
             of response and assertion)."
        }
        Refused::SignatureInvalid | Refused::KeyTypeMismatch => {
            "The signature was not made by one of the connection's certificates, or the response was altered. If \
             the IdP changed its signing certificate, import its metadata again or add the new certificate to \
             certificates."
        }
        Refused::CertificateMissing => {
            "The connection has no certificate of the IdP. Import its metadata or add the certificate to \
             certificates."
        }
        Refused::CertificateExpired => {
            "The certificate that verifies the signature has expired, and refuse_expired_certificates is set. Add \
             the IdP's current certificate to certificates."
        }
        Refused::SignatureAlgorithmRefused | Refused::DigestAlgorithmRefused | Refused::Sha1NotAllowed => {
            "The IdP signs with an algorithm that is not accepted. Set its signature algorithm to RSA-SHA256; \
             allow_sha1 is the last resort for an IdP that cannot."
        }
        Refused::CanonicalizationRefused | Refused::TransformRefused => {
            "The signature uses transforms that are not accepted. At the IdP, choose exclusive canonicalization \
             (xml-exc-c14n) with the enveloped-signature transform, which are the defaults."
        }
        Refused::SignatureStructure
        | Refused::SignatureMisplaced
        | Refused::SignatureComment
        | Refused::ReferenceMismatch => {
            "The signature does not stand where it covers what is read. Treat this as an attempt to forge a \
             response unless you have just changed the IdP; then set it to sign the assertion as a whole."
        }
        Refused::EnginesDisagree => {
            "Two independent verifiers read this signature differently, which a forged response can cause. Tell the \
             operator, with the attempt id."
        }
        Refused::DecryptionFailed => {
            "The encrypted assertion does not open. Where the attempt names an algorithm, choose AES (128, 192 or \
             256) with RSA-OAEP at the IdP instead. Else give the IdP the current SP certificate (sp-certificate) \
             as its encryption certificate, or switch encryption off there."
        }
        Refused::AudienceMismatch | Refused::AudienceMissing | Refused::AudienceUnknown => {
            "The assertion names another audience. At the IdP, set Identifier (Entity ID, Audience URI) to this \
             connection's entity_id, character for character; each portal of each account has an identifier of its \
             own."
        }
        Refused::DestinationMismatch
        | Refused::DestinationMissing
        | Refused::RecipientMismatch
        | Refused::RecipientMissing => {
            "The response is addressed elsewhere. At the IdP, set Reply URL (ACS URL, Single sign-on URL) to this \
             connection's acs_url, character for character: another case or a slash at its end is another address, \
             and each portal of each account has an address of its own."
        }
        Refused::ResponseIssuerMismatch | Refused::AssertionIssuerMismatch => {
            "Another issuer sent the response. Set idp_entity_id to the IdP's entity id as it came in the response, \
             if that is your IdP; several tenants of one IdP have different ones."
        }
        Refused::ResponseIssuerMissing | Refused::AssertionIssuerMissing => {
            "The response does not say who issued it. At the IdP, set its entity id (Issuer) and let it send it."
        }
        Refused::AssertionNotYetValid
        | Refused::ConfirmationNotYetValid
        | Refused::IssueInstantInFuture
        | Refused::AuthnInstantInFuture => {
            "The IdP's clock is ahead. Synchronize it by NTP; clock_skew_seconds bridges up to 300 seconds."
        }
        Refused::AssertionExpired | Refused::ConfirmationExpired => {
            "The response arrived after its time. Synchronize the IdP's clock by NTP, or raise the assertion's \
             lifetime there; clock_skew_seconds bridges up to 300 seconds. A page that was reloaded gives this too: \
             start anew."
        }
        Refused::ConfirmationEndMissing => {
            "The subject confirmation has no NotOnOrAfter. At the IdP, set a lifetime for assertions."
        }
        Refused::IdpSessionEnded => {
            "The IdP says that its session (SessionNotOnOrAfter) has ended already, by our clock. Sign in there \
             anew, raise the session lifetime at the IdP, or set force_authn; if it has only begun there, \
             synchronize the IdP's clock by NTP."
        }
        Refused::TimeInvalid => "A time in the response is not an xs:dateTime in UTC. Update the IdP.",
        Refused::StatusNotSuccess => {
            "The IdP refused the sign-in; what came names its reason. Often the person is not assigned to the \
             application at the IdP, or name_id_format or requested_authn_context asks for what the IdP does not \
             offer."
        }
        Refused::StatusMissing
        | Refused::ResponseMissing
        | Refused::NotAResponse
        | Refused::NotAnAssertion
        | Refused::AssertionMissing
        | Refused::VersionRefused => {
            "What came is not a SAML 2.0 response with an assertion. At the IdP, choose SAML 2.0 (not 1.1 or \
             WS-Federation) for this application."
        }
        Refused::AuthnStatementMissing => {
            "The assertion does not state an authentication. At the IdP, send an authentication assertion \
             (AuthnStatement), not attributes alone."
        }
        Refused::BearerConfirmationMissing | Refused::ConfirmationDataRepeated | Refused::InResponseToMismatch => {
            "The subject is not confirmed for this sign-in. At the IdP, use the Web Browser SSO profile with bearer \
             confirmation; a response from an earlier sign-in gives this too: start anew."
        }
        Refused::ConditionUnknown => {
            "The assertion carries a condition that is not known here. At the IdP, remove custom conditions from \
             the assertion."
        }
        Refused::EncryptedAttributeUnsupported | Refused::EncryptedIdUnsupported => {
            "Single attributes or the NameID are encrypted. At the IdP, encrypt the assertion as a whole instead, \
             or not at all."
        }
        Refused::AttributeInvalid | Refused::AttributeValueMixed | Refused::NameIdRepeated => {
            "An attribute or the NameID is not plain text. At the IdP, send the username and role attributes as \
             strings, once each."
        }
    }
}
