//! Reasons for which a message is refused: a closed list, each with its stable name and its title.

/// Declares the reasons, each by its name, which is stored and published, and its title, which is its documentation too.
macro_rules! reasons {
    ($($variant:ident = $name:literal, $title:literal;)*) => {
        /// Reason for which a message is refused. Its name is stored with attempts and never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $(#[doc = $title] $variant,)* }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that is stored and published, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Title in plain English: what is wrong with the message.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

reasons! {
    // What arrived is not a SAML message that can be read.
    MessageMissing = "message_missing", "No SAML message came";
    MessageTooLong = "message_too_long", "The message is longer than is accepted";
    Base64Invalid = "base64_invalid", "The message is not base64";
    DeflateInvalid = "deflate_invalid", "The message is not DEFLATE-compressed";
    NotUtf8 = "not_utf8", "The message is not UTF-8";

    // The XML is not what an identity provider has reason to send.
    XmlTooLong = "xml_too_long", "The XML is longer than is accepted";
    MalformedXml = "malformed_xml", "The XML is not well-formed";
    DoctypeRefused = "doctype_refused", "The XML has a document type declaration";
    EntityRefused = "entity_refused", "The XML has an entity that is not one of the five predefined ones";
    IllegalCharacter = "illegal_character", "The XML has a character that XML 1.0 does not allow";
    UnboundPrefix = "unbound_prefix", "A namespace prefix is not declared";
    XmlEncodingRefused = "xml_encoding_refused", "The XML declares another encoding than UTF-8";
    XmlVersionRefused = "xml_version_refused", "The XML declares another version than 1.0";
    ContentOutsideRoot = "content_outside_root", "There is content outside of the root element";
    TooDeep = "too_deep", "The elements are nested too deeply";
    TooManyNodes = "too_many_nodes", "There are more elements and texts than are accepted";
    TooManyAttributes = "too_many_attributes", "There are more XML attributes than are accepted";
    TooManyNamespaces = "too_many_namespaces", "There are more namespace declarations than are accepted";
    DuplicateAttribute = "duplicate_attribute", "An element has the same attribute twice";
    DuplicateId = "duplicate_id", "Two elements have the same ID";
    IdInvalid = "id_invalid", "An ID is missing, too long or not a name";
    UnexpectedElement = "unexpected_element", "An element stands where the schema allows none of its name";
    UnexpectedText = "unexpected_text", "Text stands where the schema allows elements alone";
    TextExpected = "text_expected", "An element has elements within, where text is expected";

    // The message is not a response with one assertion.
    NotAResponse = "not_a_response", "The message is not a SAML response";
    NotAnAssertion = "not_an_assertion", "The encrypted content is not a SAML assertion";
    VersionRefused = "version_refused", "The SAML version is not 2.0";
    StatusMissing = "status_missing", "The response has no status";
    StatusNotSuccess = "status_not_success", "The identity provider refused the sign-in";
    ResponseMissing = "response_missing", "There is no response around the assertion";
    AssertionMissing = "assertion_missing", "There is no assertion that the signature covers";
    TooManyAssertions = "too_many_assertions", "There is more than one assertion";

    // The signature does not cover what is read, or does not come from a trusted key.
    SignatureMissing = "signature_missing", "Neither the response nor the assertion is signed";
    SignatureInvalid = "signature_invalid", "No certificate of the connection made the signature";
    SignatureStructure = "signature_structure", "The signature is not built as is accepted";
    SignatureMisplaced = "signature_misplaced", "A signature stands where it covers neither response nor assertion";
    SignatureComment = "signature_comment", "The signature holds a comment or a processing instruction";
    SignatureAlgorithmRefused = "signature_algorithm_refused", "The signature algorithm is not accepted";
    DigestAlgorithmRefused = "digest_algorithm_refused", "The digest algorithm is not accepted";
    Sha1NotAllowed = "sha1_not_allowed", "The signature uses SHA-1, which the connection does not allow";
    CanonicalizationRefused = "canonicalization_refused", "The canonicalization algorithm is not accepted";
    TransformRefused = "transform_refused", "The signature has a transform that is not accepted";
    ReferenceMismatch = "reference_mismatch", "The signature refers to another element than the one that holds it";
    CertificateMissing = "certificate_missing", "The connection has no certificate";
    CertificateExpired = "certificate_expired", "The certificate that verifies the signature has expired";
    KeyTypeMismatch = "key_type_mismatch", "No certificate of the connection has a key of the signature's type";
    EnginesDisagree = "engines_disagree", "Two independent verifiers read the signature differently";
    DecryptionFailed = "decryption_failed", "The encrypted assertion cannot be decrypted";

    // The response is addressed to, or issued by, another party.
    DestinationMissing = "destination_missing", "The signed response has no Destination";
    DestinationMismatch = "destination_mismatch", "The response's Destination is another address";
    RecipientMissing = "recipient_missing", "The subject confirmation has no Recipient";
    RecipientMismatch = "recipient_mismatch", "The subject confirmation's Recipient is another address";
    AudienceMissing = "audience_missing", "The assertion names no audience";
    AudienceMismatch = "audience_mismatch", "The assertion is meant for another audience";
    AudienceUnknown = "audience_unknown", "The audience restriction holds an element that is not known";
    ResponseIssuerMissing = "response_issuer_missing", "The response does not name its issuer";
    ResponseIssuerMismatch = "response_issuer_mismatch", "Another issuer sent the response";
    AssertionIssuerMissing = "assertion_issuer_missing", "The assertion does not name its issuer";
    AssertionIssuerMismatch = "assertion_issuer_mismatch", "Another issuer made the assertion";

    // The moment is too early or too late.
    TimeInvalid = "time_invalid", "A time is not an xs:dateTime in UTC";
    IssueInstantInFuture = "issue_instant_in_future", "The response was issued in the future";
    AuthnInstantInFuture = "authn_instant_in_future", "The authentication took place in the future";
    AssertionNotYetValid = "assertion_not_yet_valid", "The assertion is not valid yet";
    AssertionExpired = "assertion_expired", "The assertion has expired";
    ConfirmationNotYetValid = "confirmation_not_yet_valid", "The subject confirmation is not valid yet";
    ConfirmationExpired = "confirmation_expired", "The subject confirmation has expired";
    ConfirmationEndMissing = "confirmation_end_missing", "The subject confirmation has no end";
    IdpSessionEnded = "idp_session_ended", "The session at the identity provider has ended";

    // The assertion does not hold what a sign-in needs.
    ConditionUnknown = "condition_unknown", "The assertion has a condition that is not known";
    BearerConfirmationMissing = "bearer_confirmation_missing", "The subject has no bearer confirmation";
    ConfirmationDataRepeated = "confirmation_data_repeated", "A subject confirmation has its data twice";
    InResponseToMismatch = "in_response_to_mismatch", "The response and its assertion answer different requests";
    AuthnStatementMissing = "authn_statement_missing", "The assertion does not state an authentication";
    NameIdRepeated = "name_id_repeated", "The subject has more than one NameID";
    EncryptedIdUnsupported = "encrypted_id_unsupported", "The NameID is encrypted";
    EncryptedAttributeUnsupported = "encrypted_attribute_unsupported", "An attribute is encrypted";
    AttributeInvalid = "attribute_invalid", "An attribute has no name, or a part that is not a value";
    AttributeValueMixed = "attribute_value_mixed", "An attribute value mixes text and elements";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
