//! Test sign-ins (C9): what a response that was really sent would have done, told check by check.

use serde::{Deserialize, Serialize};

use crate::UserId;
use crate::named::named;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::sign_in_attempt::VALUE_MAX_CHARS;
use crate::sso::connection::SamlConnection;
use crate::sso::provisioning::{ProvisioningDecision, ProvisioningFacts, Subject};
use crate::sso::role_values::RoleValues;

/// Most role values, and most attributes, that findings name: some identity providers send thousands of groups.
pub const FINDINGS_MAX: usize = 100;

named! {
    /// Result of a check of a test sign-in.
    CheckState, CheckStateError, "expected \"passed\", \"failed\" or \"not_reached\"" {
        /// The wanted value came.
        Passed = "passed",
        /// The check refused the response.
        Failed = "failed",
        /// Another one refused before it.
        NotReached = "not_reached",
    }
}

named! {
    /// Fate of the user that a response names.
    TestedSubject, TestedSubjectError, "expected \"created\", \"bound\" or \"refused\"" {
        /// A user would be created.
        Created = "created",
        /// A user who is there already.
        Bound = "bound",
        /// The sign-in would be refused; the failure says why.
        Refused = "refused",
    }
}

named! {
    /// Origins of the roles that a user would hold.
    RoleOrigin, RoleOriginError, "not the origin of a role" {
        /// Assigned already, by an owner or an invitation.
        Assigned = "assigned",
        /// No role attribute came, so the connection's default roles apply.
        DefaultRoles = "default_roles",
        /// One of the connection's role mappings knows the value that came.
        RoleMappings = "role_mappings",
        /// No role mapping knows the value, so it grants nothing.
        Nothing = "nothing",
        /// The value goes into the token of a `self_service` session.
        Token = "token",
        /// The value would go into the token, and is beyond what a token holds.
        LeftOut = "left_out",
    }
}

/// A check of a test sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedCheck {
    /// Name of the check, as in a failed attempt.
    pub check: String,
    /// Result of the check.
    pub state: CheckState,
    /// Value that passes, where that is one.
    pub wanted: Option<String>,
    /// Value that came, where the response said so and a signature covers it, or where it was refused.
    pub got: Option<String>,
}

/// An attribute that came. Its values are personal, so there is only their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedAttribute {
    /// `Name` of the attribute.
    pub name: String,
    /// Number of its values.
    pub values: usize,
}

/// User that a response names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedUser {
    /// Fate of the user.
    pub subject: TestedSubject,
    /// The username that came.
    pub username: String,
    /// The user who would be bound.
    pub user_id: Option<UserId>,
}

/// Roles that a user would hold, with their origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedRoles {
    /// Origin of these roles.
    pub origin: RoleOrigin,
    /// The value of the role attribute that led to them.
    pub value: Option<String>,
    /// Roles of this origin; may be none.
    pub roles: RoleSet,
}

/// Findings of a test sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestFindings {
    /// Every check, in the order in which they are made.
    pub checks: Vec<TestedCheck>,
    /// Whether the subject has a `NameID`.
    pub name_id: bool,
    /// The attributes that came, at most [`FINDINGS_MAX`].
    pub attributes: Vec<ReceivedAttribute>,
    /// User that it names; none where it did not get so far.
    pub user: Option<TestedUser>,
    /// The roles that they would hold, at most [`FINDINGS_MAX`] entries.
    pub roles: Vec<TestedRoles>,
}

/// Decides about the user that a response names, as a sign-in does; none where it is refused.
pub fn tested_user(
    facts: &ProvisioningFacts<'_>,
    decision: Option<&ProvisioningDecision>,
) -> (TestedUser, Vec<TestedRoles>) {
    let (subject, user_id) = match decision.map(|decision| &decision.subject) {
        Some(Subject::New { .. }) => (TestedSubject::Created, None),
        Some(Subject::Known(id)) => (TestedSubject::Bound, Some(*id)),
        None => (TestedSubject::Refused, None),
    };
    let known = facts.known.candidates.iter().find(|user| Some(user.id) == user_id);
    let assigned = known.map(|user| user.roles.assigned.clone()).unwrap_or_default();
    let roles = tested_roles(facts.connection, facts.identity.role_values.as_deref(), &assigned);
    (TestedUser { subject, username: facts.identity.username.as_str().to_owned(), user_id }, roles)
}

/// Roles that a user with these assigned ones would hold, and the mapping that each comes from: what
/// [`map_roles`](crate::sso::role_mapping::map_roles) decides, told value by value.
fn tested_roles(connection: &SamlConnection, values: Option<&[String]>, assigned: &RoleSet) -> Vec<TestedRoles> {
    let settings = &connection.settings;
    let assigned = TestedRoles { origin: RoleOrigin::Assigned, value: None, roles: assigned.clone() };
    let left_out = RoleValues::within_bounds(values.unwrap_or_default()).left_out;
    let by_value = |value: &String| {
        let (origin, roles) = match (connection.portal, settings.role_mappings.get(value)) {
            (Portal::SelfService, _) if left_out.contains(value) => (RoleOrigin::LeftOut, RoleSet::new()),
            (Portal::SelfService, _) => (RoleOrigin::Token, RoleSet::new()),
            (Portal::Admin, Some(roles)) => (RoleOrigin::RoleMappings, roles.clone()),
            (Portal::Admin, None) => (RoleOrigin::Nothing, RoleSet::new()),
        };
        TestedRoles { origin, value: Some(value.chars().take(VALUE_MAX_CHARS).collect()), roles }
    };
    let from_response = match (values, connection.portal) {
        (Some(values), _) => values.iter().map(by_value).collect(),
        (None, Portal::Admin) => {
            vec![TestedRoles { origin: RoleOrigin::DefaultRoles, value: None, roles: settings.default_roles.clone() }]
        }
        (None, Portal::SelfService) => vec![],
    };
    let has_assigned = !assigned.roles.is_empty();
    has_assigned.then_some(assigned).into_iter().chain(from_response).take(FINDINGS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::role::Role;
    use crate::sso::connection::Provisioning;
    use crate::sso::discovery::tests::connection;
    use crate::sso::role_mapping::map_roles;

    fn roles() -> impl Strategy<Value = RoleSet> {
        btree_set(prop::sample::select(Role::ALL), 0..=2)
    }

    proptest! {
        /// Proves C9: a test tells the very roles that a sign-in would leave, whatever comes and however it is mapped.
        #[test]
        fn a_test_tells_the_roles_that_a_sign_in_would_leave(
            values in option::of(vec("[a-d]", 0..4)), mappings in btree_map("[a-c]", roles(), 0..3),
            (default, assigned) in (roles(), roles()),
        ) {
            let mut connection = connection(Provisioning::JustInTime, &[]);
            connection.settings.role_mappings = mappings.clone();
            connection.settings.default_roles = default.clone();
            let told = tested_roles(&connection, values.as_deref(), &assigned);
            let mapped = map_roles(values.as_deref(), &mappings, &default);
            let united: RoleSet = told.iter().flat_map(|entry| entry.roles.iter().copied()).collect();
            prop_assert_eq!(united, mapped.roles.union(&assigned).copied().collect::<RoleSet>());
            let unknown = told.iter().filter(|entry| entry.origin == RoleOrigin::Nothing);
            let unknown: Vec<String> = unknown.filter_map(|entry| entry.value.clone()).collect();
            prop_assert_eq!(unknown, mapped.unknown);
        }
    }

    /// Proves C4, C9: role values of end users go into the token and grant nothing here.
    #[test]
    fn end_users_values_go_into_the_token() {
        let mut connection = connection(Provisioning::JustInTime, &[]);
        connection.portal = Portal::SelfService;
        connection.settings.default_roles = RoleSet::from([Role::OrganizationOwner]);
        let told = tested_roles(&connection, Some(&["boss".to_owned()]), &RoleSet::new());
        let value = Some("boss".to_owned());
        assert_eq!(told, [TestedRoles { origin: RoleOrigin::Token, value, roles: RoleSet::new() }]);
        assert_eq!(tested_roles(&connection, None, &RoleSet::new()), []);
        let long = ["boss".to_owned(), "x".repeat(3_000)];
        let told = tested_roles(&connection, Some(&long), &RoleSet::new());
        assert_eq!(told.iter().map(|entry| entry.origin).collect::<Vec<_>>(), [RoleOrigin::Token, RoleOrigin::LeftOut]);
    }
}
