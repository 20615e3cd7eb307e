//! The `saml` roles that a sign-in leaves (C4).

use std::collections::BTreeMap;

use crate::role::RoleSet;

/// The roles that a sign-in grants, and what was not understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedRoles {
    /// The new `saml` roles.
    pub roles: RoleSet,
    /// Values that no mapping knows; they grant nothing.
    pub unknown: Vec<String>,
}

/// Maps the values of the role attribute.
///
/// Without the attribute the default mapping applies. With it, the custom mappings replace the default altogether, also
/// where every value is unknown or there is none.
pub fn map_roles(values: Option<&[String]>, mappings: &BTreeMap<String, RoleSet>, default: &RoleSet) -> MappedRoles {
    let Some(values) = values else {
        return MappedRoles { roles: default.clone(), unknown: vec![] };
    };
    values.iter().fold(MappedRoles::default(), |mut mapped, value| {
        match mappings.get(value) {
            Some(roles) => mapped.roles.extend(roles),
            None => mapped.unknown.push(value.clone()),
        }
        mapped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role::{
        OrganizationContextManager as Manager, OrganizationMember as Member, OrganizationOwner as Owner,
    };

    /// Proves C4.
    #[test]
    fn mappings_replace_the_default_unite_and_never_fall_back() {
        let mappings = BTreeMap::from([
            ("nac-team-lead".to_owned(), RoleSet::from([Owner, Manager])),
            ("staff".to_owned(), RoleSet::from([Member])),
        ]);
        let default = RoleSet::from([Member]);
        let map = |values: Option<&[&str]>| {
            let values: Option<Vec<String>> =
                values.map(|values| values.iter().map(|value| (*value).to_owned()).collect());
            map_roles(values.as_deref(), &mappings, &default)
        };
        assert_eq!(map(None).roles, default);
        assert_eq!(map(Some(&["nac-team-lead"])).roles, RoleSet::from([Owner, Manager]));
        assert_eq!(map(Some(&["nac-team-lead", "staff"])).roles, RoleSet::from([Owner, Manager, Member]));
        assert_eq!(map(Some(&[])).roles, RoleSet::new());
        let partly = map(Some(&["staff", "NAC-team-lead"]));
        assert_eq!((partly.roles, partly.unknown), (RoleSet::from([Member]), vec!["NAC-team-lead".to_owned()]));
        assert_eq!(map(Some(&["nobody"])).roles, RoleSet::new());
    }
}
