//! Identity of the subject of an assertion (C2): the username and the role values, read by the connection's rules.

use std::collections::BTreeSet;

use crate::sso::connection::{ConnectionSettings, UsernameSource};
use crate::username::{Username, normalized};

/// An attribute of a verified assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertedAttribute {
    /// `Name` of the attribute.
    pub name: String,
    /// Its values; may be none.
    pub values: Vec<String>,
}

/// The `NameID` of a verified assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertedNameId {
    /// Value of the `NameID`.
    pub value: String,
    /// Its `Format`, if it has one.
    pub format: Option<String>,
}

/// Format of a `NameID` that is another one each time (SAML core, section 8.3.8).
pub const NAME_ID_TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// Statements of a verified assertion about its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// `NameID` of the subject.
    pub name_id: Option<AssertedNameId>,
    /// Attributes of the assertion.
    pub attributes: Vec<AssertedAttribute>,
}

/// The platform's own attribute names (C2, C4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformAttributes {
    /// Attribute that holds the username.
    pub username: String,
    /// Attribute that holds the roles.
    pub role: String,
}

impl PlatformAttributes {
    /// The names with this prefix.
    pub fn with_prefix(prefix: &str) -> Self {
        Self { username: format!("{prefix}username"), role: format!("{prefix}role") }
    }
}

/// The subject, in our terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertedIdentity {
    /// Username that it names.
    pub username: Username,
    /// The values of the role attribute; `None` where the assertion carries no such attribute.
    pub role_values: Option<Vec<String>>,
}

/// Reasons for which an assertion names no user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityRefusal {
    /// None of these attributes is there with a value.
    UsernameMissing {
        /// The names that were looked for.
        wanted: Vec<String>,
        /// The names that came.
        got: Vec<String>,
    },
    /// The attributes have several values that are not the same identity.
    UsernameAmbiguous {
        /// The names that disagree.
        attributes: Vec<String>,
        /// Number of different values.
        values: usize,
    },
    /// The connection reads the `NameID` and there is none.
    NameIdMissing,
    /// The connection reads the `NameID`, and it is another one at each sign-in.
    NameIdTransient,
    /// The value cannot be a username.
    UsernameInvalid {
        /// Problem of the value.
        problem: String,
    },
}

/// Reads who the subject is.
///
/// The configured attribute and the platform's own are equals: whichever is present counts, and where both are, they
/// must agree. Equal values count once, however often they come. An attribute without a value, or with an empty one, is
/// not present.
pub fn read_identity(
    settings: &ConnectionSettings,
    platform: &PlatformAttributes,
    assertion: &Assertion,
) -> Result<AssertedIdentity, IdentityRefusal> {
    let username = match settings.username_source {
        UsernameSource::NameId => lasting_name_id(assertion)?,
        UsernameSource::Attribute => username_attribute(settings, platform, assertion)?,
    };
    let username = Username::asserted(&username)
        .map_err(|error| IdentityRefusal::UsernameInvalid { problem: error.to_string() })?;
    Ok(AssertedIdentity { username, role_values: values_of(assertion, &platform.role) })
}

/// Reads the `NameID`, unless it is a new one at each sign-in: its subject would be a new user each time.
fn lasting_name_id(assertion: &Assertion) -> Result<String, IdentityRefusal> {
    let given = assertion.name_id.as_ref().filter(|name_id| !name_id.value.is_empty());
    let name_id = given.ok_or(IdentityRefusal::NameIdMissing)?;
    if name_id.format.as_deref().is_some_and(|format| format.trim() == NAME_ID_TRANSIENT) {
        return Err(IdentityRefusal::NameIdTransient);
    }
    Ok(name_id.value.clone())
}

fn username_attribute(
    settings: &ConnectionSettings,
    platform: &PlatformAttributes,
    assertion: &Assertion,
) -> Result<String, IdentityRefusal> {
    let configured = settings.username_attributes.iter().find(|name| !present_values(assertion, name).is_empty());
    let names: Vec<&String> = configured.into_iter().chain([&platform.username]).collect();
    let values: Vec<String> = names.iter().flat_map(|name| present_values(assertion, name)).collect();
    let Some(first) = values.first() else {
        return Err(IdentityRefusal::UsernameMissing {
            wanted: settings.username_attributes.iter().chain([&platform.username]).cloned().collect(),
            got: assertion.attributes.iter().map(|attribute| attribute.name.clone()).collect(),
        });
    };
    let identities: BTreeSet<String> = values.iter().map(|value| normalized(value)).collect();
    if identities.len() > 1 {
        let attributes =
            names.into_iter().filter(|name| !present_values(assertion, name).is_empty()).cloned().collect();
        return Err(IdentityRefusal::UsernameAmbiguous { attributes, values: identities.len() });
    }
    Ok(first.clone())
}

/// The values of an attribute, over all elements of that name; `None` where there is no such element.
fn values_of(assertion: &Assertion, name: &str) -> Option<Vec<String>> {
    let mut elements = assertion.attributes.iter().filter(|attribute| attribute.name == name).peekable();
    elements.peek()?;
    Some(elements.flat_map(|attribute| attribute.values.clone()).collect())
}

fn present_values(assertion: &Assertion, name: &str) -> Vec<String> {
    values_of(assertion, name).unwrap_or_default().into_iter().filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::Portal;
    use crate::sso::connection::{EMAIL_ADDRESS_CLAIM, PLATFORM_ATTRIBUTE_PREFIX};
    use crate::text::Label;

    fn read(
        source: UsernameSource,
        name_id: Option<&str>,
        attributes: &[(&str, &[&str])],
    ) -> Result<AssertedIdentity, IdentityRefusal> {
        let mut settings = ConnectionSettings::initial(Portal::Admin, Label::parse("SSO").unwrap());
        settings.username_source = source;
        let assertion = Assertion {
            name_id: name_id.map(|value| AssertedNameId { value: value.to_owned(), format: None }),
            attributes: attributes
                .iter()
                .map(|(name, values)| AssertedAttribute {
                    name: (*name).to_owned(),
                    values: values.iter().map(|value| (*value).to_owned()).collect(),
                })
                .collect(),
        };
        read_identity(&settings, &PlatformAttributes::with_prefix(PLATFORM_ATTRIBUTE_PREFIX), &assertion)
    }

    const OWN: &str = "https://adminconsole.netsign-in.se/saml/attributes/username";
    const ROLE: &str = "https://adminconsole.netsign-in.se/saml/attributes/role";

    /// Proves C2.
    #[test]
    fn the_username_is_read_from_whichever_attribute_is_present() {
        let name = |result: Result<AssertedIdentity, _>| result.map(|identity| identity.username.as_str().to_owned());
        let attribute = UsernameSource::Attribute;
        assert_eq!(name(read(attribute, None, &[(EMAIL_ADDRESS_CLAIM, &["a@b.se"])])), Ok("a@b.se".into()));
        assert_eq!(name(read(attribute, Some("x"), &[(OWN, &["a@b.se"])])), Ok("a@b.se".into()));
        assert_eq!(
            name(read(attribute, None, &[(OWN, &["A@b.se"]), (EMAIL_ADDRESS_CLAIM, &["a@b.se"])])),
            Ok("a@b.se".into())
        );
        assert_eq!(
            name(read(attribute, None, &[(OWN, &["a@b.se"]), (EMAIL_ADDRESS_CLAIM, &[""])])),
            Ok("a@b.se".into())
        );
        assert_eq!(name(read(UsernameSource::NameId, Some("jd"), &[(OWN, &["a@b.se"])])), Ok("jd".into()));
    }

    /// Proves C2: values that are one identity count once, in one attribute, in several elements or in both attributes.
    #[test]
    fn equal_values_count_once() {
        let tables: [&[(&str, &[&str])]; 4] = [
            &[(OWN, &["a@b.se", "a@b.se"])],
            &[(OWN, &["a@b.se"]), (OWN, &["A@B.se", ""])],
            &[(OWN, &["a@b.se", "A@b.se"]), (EMAIL_ADDRESS_CLAIM, &["a@B.se", "a@b.se"])],
            &[(EMAIL_ADDRESS_CLAIM, &["a@b.se", "A@B.SE", "a@b.se"])],
        ];
        for attributes in tables {
            let identity = read(UsernameSource::Attribute, None, attributes).unwrap();
            assert_eq!(identity.username.normalized(), "a@b.se", "{attributes:?}");
        }
    }

    /// Proves C2: a NameID that is another one at each sign-in is nobody's username; it hinders no attribute.
    #[test]
    fn a_transient_name_id_is_no_username() {
        let mut settings = ConnectionSettings::initial(Portal::Admin, Label::parse("SSO").unwrap());
        let platform = PlatformAttributes::with_prefix(PLATFORM_ATTRIBUTE_PREFIX);
        let format = Some(format!(" {NAME_ID_TRANSIENT}"));
        let assertion = Assertion {
            name_id: Some(AssertedNameId { value: "_8f2".to_owned(), format }),
            attributes: vec![AssertedAttribute { name: OWN.to_owned(), values: vec!["a@b.se".to_owned()] }],
        };
        assert!(read_identity(&settings, &platform, &assertion).is_ok());
        settings.username_source = UsernameSource::NameId;
        assert_eq!(read_identity(&settings, &platform, &assertion), Err(IdentityRefusal::NameIdTransient));
    }

    /// Proves C2: both and different, or several values, is a refusal and never a pick.
    #[test]
    fn an_ambiguous_or_missing_username_is_refused() {
        let attribute = UsernameSource::Attribute;
        assert!(matches!(
            read(attribute, None, &[(OWN, &["a@b.se"]), (EMAIL_ADDRESS_CLAIM, &["c@b.se"])]),
            Err(IdentityRefusal::UsernameAmbiguous { values: 2, .. })
        ));
        assert!(matches!(
            read(attribute, None, &[(OWN, &["a@b.se", "A@b.se", "c@b.se"])]),
            Err(IdentityRefusal::UsernameAmbiguous { values: 2, .. })
        ));
        assert!(matches!(
            read(attribute, None, &[(OWN, &["a@b.se"]), (OWN, &["c@b.se"])]),
            Err(IdentityRefusal::UsernameAmbiguous { .. })
        ));
        assert!(matches!(
            read(attribute, Some("a@b.se"), &[("x", &["y"])]),
            Err(IdentityRefusal::UsernameMissing { .. })
        ));
        assert_eq!(read(UsernameSource::NameId, None, &[(OWN, &["a@b.se"])]), Err(IdentityRefusal::NameIdMissing));
        assert!(matches!(read(attribute, None, &[(OWN, &[" a@b.se"])]), Err(IdentityRefusal::UsernameInvalid { .. })));
    }

    /// Proves C4: a missing role attribute is not an empty one.
    #[test]
    fn an_absent_role_attribute_is_told_from_an_empty_one() {
        let roles =
            |attributes: &[(&str, &[&str])]| read(UsernameSource::NameId, Some("a"), attributes).unwrap().role_values;
        assert_eq!(roles(&[]), None);
        assert_eq!(roles(&[(ROLE, &[])]), Some(vec![]));
        assert_eq!(roles(&[(ROLE, &["x"]), (ROLE, &["y"])]), Some(vec!["x".into(), "y".into()]));
    }
}
