//! Attributes of an assertion's subject.

/// A `saml:Attribute` with its values in document order (core 2.7.3.1).
///
/// Elements that repeat a name are one attribute with all the values: Keycloak sends one element per role. An empty
/// value stays an empty string, and an attribute without values stays in the list: absent and empty differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `Name`, compared exactly.
    pub name: String,
    /// `NameFormat` of the first element of that name.
    pub name_format: Option<String>,
    /// `FriendlyName`, for people only: never a key.
    pub friendly_name: Option<String>,
    /// Values, neither trimmed nor normalized.
    pub values: Vec<String>,
}

/// The subject's `saml:NameID` (core 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameId {
    /// The identifier, neither trimmed nor normalized.
    pub value: String,
    /// `Format`; absent means unspecified.
    pub format: Option<String>,
    /// `NameQualifier`, usually the identity provider's entity id.
    pub name_qualifier: Option<String>,
    /// `SPNameQualifier`, usually ours.
    pub sp_name_qualifier: Option<String>,
}
