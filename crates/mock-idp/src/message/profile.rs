//! Style of each identity provider's XML library in writing a response, as data.

use super::shape::Shape;
use super::styled::{EmptyElement, Style};

/// Place of the assertion namespace's declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// Declared on the Response, and again on the Assertion.
    OnRoot,
    /// Declared on each element that needs it: the Response's Issuer and Status, and the Assertion.
    Locally,
}

/// Place of the declarations of `xs` and `xsi`, for `xsi:type` on attribute values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaPrefixes {
    /// Values carry no `xsi:type`.
    Unused,
    OnAssertion,
    OnEachValue,
}

/// Line breaks inside base64 text: characters per line and the break, or none.
pub(super) type Wrapping = Option<(usize, &'static str)>;

/// The writing habits of one identity provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub style: Style,
    pub protocol_prefix: &'static str,
    /// Empty for a default namespace.
    pub assertion_prefix: &'static str,
    /// Empty for a default namespace.
    pub signature_prefix: &'static str,
    pub declared: Declared,
    pub schema_prefixes: SchemaPrefixes,
    /// `xsi:type` of attribute values where they have one.
    pub value_type: &'static str,
    pub attribute_name_format: Option<&'static str>,
    pub issuer_format: Option<&'static str>,
    pub consent: Option<&'static str>,
    pub authn_context: &'static str,
    /// Fraction digits of times, 0 to 9.
    pub fraction_digits: usize,
    /// Pretty-printed with this indentation.
    pub indent: Option<&'static str>,
    /// Each value of an attribute becomes an `Attribute` element of its own.
    pub repeats_attributes: bool,
    /// `AttributeStatement` comes before `AuthnStatement`.
    pub attributes_first: bool,
    pub base64_lines: Wrapping,
}

const BASIC: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:basic");
const URI: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
const UNSPECIFIED: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified");
const ENTITY: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:entity");
const CONSENT_UNSPECIFIED: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:consent:unspecified");
const PASSWORD_PROTECTED: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
const UNSPECIFIED_CONTEXT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
const XML_DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
const XML_DECLARATION_LINE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const SHORT: Style = Style { empty: EmptyElement::Short, ..Style::PLAIN };
/// .NET's habit: attributes, then namespaces, and a space before the closing slash.
const DOT_NET: Style = Style { empty: EmptyElement::ShortSpaced, declarations_first: false, ..Style::PLAIN };

const PLAIN: Profile = Profile {
    style: Style::PLAIN,
    protocol_prefix: "samlp",
    assertion_prefix: "saml",
    signature_prefix: "ds",
    declared: Declared::Locally,
    schema_prefixes: SchemaPrefixes::Unused,
    value_type: "xs:string",
    attribute_name_format: None,
    issuer_format: None,
    consent: None,
    authn_context: PASSWORD_PROTECTED,
    fraction_digits: 0,
    indent: None,
    repeats_attributes: false,
    attributes_first: false,
    base64_lines: None,
};
const ENTRA_ID: Profile = Profile {
    style: Style { empty: EmptyElement::Short, ..DOT_NET },
    assertion_prefix: "",
    signature_prefix: "",
    authn_context: PASSWORD,
    fraction_digits: 3,
    attributes_first: true,
    ..PLAIN
};
const AD_FS: Profile = Profile {
    style: DOT_NET,
    assertion_prefix: "",
    consent: CONSENT_UNSPECIFIED,
    fraction_digits: 3,
    attributes_first: true,
    ..PLAIN
};
/// The `OpenSAML` library for Java, which several providers are built on.
const OPEN_SAML: Profile = Profile {
    style: Style { prolog: XML_DECLARATION, ..SHORT },
    protocol_prefix: "saml2p",
    assertion_prefix: "saml2",
    schema_prefixes: SchemaPrefixes::OnEachValue,
    fraction_digits: 3,
    ..PLAIN
};
const OKTA: Profile = Profile {
    issuer_format: ENTITY,
    attribute_name_format: UNSPECIFIED,
    schema_prefixes: SchemaPrefixes::OnAssertion,
    base64_lines: Some((76, "\n")),
    ..OPEN_SAML
};
const GOOGLE: Profile = Profile {
    style: Style { carriage_return: "&#13;", declarations_first: true, ..OPEN_SAML.style },
    value_type: "xs:anyType",
    authn_context: UNSPECIFIED_CONTEXT,
    base64_lines: Some((76, "\r\n")),
    ..OPEN_SAML
};
const PING_FEDERATE: Profile = Profile {
    style: Style { declarations_first: false, ..SHORT },
    schema_prefixes: SchemaPrefixes::OnEachValue,
    attribute_name_format: BASIC,
    authn_context: UNSPECIFIED_CONTEXT,
    fraction_digits: 3,
    attributes_first: false,
    base64_lines: Some((76, "\n")),
    ..PLAIN
};
const SHIBBOLETH: Profile = Profile {
    style: Style { prolog: XML_DECLARATION_LINE, ..SHORT },
    attribute_name_format: URI,
    schema_prefixes: SchemaPrefixes::Unused,
    base64_lines: Some((76, "\n")),
    ..OPEN_SAML
};
const KEYCLOAK: Profile = Profile {
    style: SHORT,
    signature_prefix: "dsig",
    declared: Declared::OnRoot,
    schema_prefixes: SchemaPrefixes::OnEachValue,
    attribute_name_format: BASIC,
    authn_context: UNSPECIFIED_CONTEXT,
    fraction_digits: 3,
    repeats_attributes: true,
    ..PLAIN
};
const ONE_LOGIN: Profile = Profile {
    style: SHORT,
    declared: Declared::OnRoot,
    schema_prefixes: SchemaPrefixes::OnAssertion,
    attribute_name_format: BASIC,
    ..PLAIN
};
const AUTH0: Profile = Profile {
    style: SHORT,
    signature_prefix: "",
    schema_prefixes: SchemaPrefixes::OnEachValue,
    value_type: "xs:anyType",
    attribute_name_format: URI,
    authn_context: UNSPECIFIED_CONTEXT,
    fraction_digits: 3,
    ..PLAIN
};
const SIMPLE_SAML_PHP: Profile = Profile {
    style: SHORT,
    declared: Declared::OnRoot,
    schema_prefixes: SchemaPrefixes::OnAssertion,
    attribute_name_format: BASIC,
    ..PLAIN
};
const JUMP_CLOUD: Profile = Profile {
    style: Style { prolog: XML_DECLARATION_LINE, ..SHORT },
    fraction_digits: 6,
    indent: Some("    "),
    attribute_name_format: UNSPECIFIED,
    ..OPEN_SAML
};
const DUO: Profile = Profile {
    style: SHORT,
    declared: Declared::OnRoot,
    schema_prefixes: SchemaPrefixes::OnAssertion,
    attribute_name_format: UNSPECIFIED,
    fraction_digits: 9,
    indent: Some("  "),
    ..PLAIN
};

impl Profile {
    pub(super) fn of(shape: Shape) -> &'static Self {
        match shape {
            Shape::Plain => &PLAIN,
            Shape::EntraId => &ENTRA_ID,
            Shape::AdFs => &AD_FS,
            Shape::Okta => &OKTA,
            Shape::GoogleWorkspace => &GOOGLE,
            Shape::PingFederate => &PING_FEDERATE,
            Shape::Shibboleth => &SHIBBOLETH,
            Shape::Keycloak => &KEYCLOAK,
            Shape::OneLogin => &ONE_LOGIN,
            Shape::Auth0 => &AUTH0,
            Shape::SimpleSamlPhp => &SIMPLE_SAML_PHP,
            Shape::JumpCloud => &JUMP_CLOUD,
            Shape::Duo => &DUO,
        }
    }
}
