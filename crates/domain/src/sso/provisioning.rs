//! Outcome of a verified identity: which user, new or known, with which roles, or which refusal (C3, C4, D2).

use crate::UserId;
use crate::email::Email;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::sso::connection::{Provisioning, SamlConnection};
use crate::sso::discovery::{Known, Match, matching_user};
use crate::sso::identity::AssertedIdentity;
use crate::sso::role_mapping::{MappedRoles, map_roles};
use crate::sso::role_values::RoleValues;
use crate::user::User;
use crate::username::normalized;

/// Facts that a sign-in is decided by, once the response is genuine.
#[derive(Debug, Clone, Copy)]
pub struct ProvisioningFacts<'a> {
    /// The connection that the response came through.
    pub connection: &'a SamlConnection,
    /// Identity that it names.
    pub identity: &'a AssertedIdentity,
    /// The email that was entered on the login page, if one was.
    pub entered_email: Option<&'a str>,
    /// Users who go by the asserted username.
    pub known: Known<'a>,
    /// Whether a newer assertion of the same user was used before: what that one said of roles stands.
    pub superseded: bool,
}

/// Changes that a sign-in writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningDecision {
    /// User who signs in.
    pub subject: Subject,
    /// Their `saml` roles from now on; empty for `self_service`.
    pub saml_roles: RoleSet,
    /// Role values that no mapping knows.
    pub unknown_roles: Vec<String>,
    /// Role values that go into the token of a `self_service` session.
    pub external_roles: Vec<String>,
    /// Role values that would, beyond what a token holds.
    pub left_out_roles: Vec<String>,
}

/// User who signs in, known or new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user who is there already; an invited one becomes active.
    Known(UserId),
    /// A new user, with this email if the username is one.
    New {
        /// The address that mail goes to.
        email: Option<Email>,
    },
}

/// Reasons for which a genuine response lets no user in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisioningRefusal {
    /// The response names another user than was entered.
    NotTheEnteredEmail,
    /// Outside the domains that the connection speaks for.
    DomainNotListed {
        /// Domain that was asserted; none where the username is not an email.
        got: Option<String>,
    },
    /// Several users who may sign in go by it.
    MultipleUsernames,
    /// Unknown, and an invitation of theirs was revoked: only an owner lets them in again (C3).
    InvitationRevoked,
    /// The user is unknown, and the connection creates none.
    NotInvited,
    /// Deactivated by an owner.
    Inactive,
    /// The response names a break-glass user, which no assertion binds (A4).
    BreakGlass,
    /// Holds no role, so may not enter the `admin` portal.
    NoRole {
        /// The user, whose `saml` roles are none from now on; none where the sign-in would have created them.
        user: Option<UserId>,
        /// Role values that no mapping knows.
        unknown: Vec<String>,
    },
}

/// The user whose `saml` roles a decision sets anew, and differently: a refusal for holding none does so too (C4).
pub fn reroled<'a>(
    facts: &ProvisioningFacts<'a>,
    decision: &Result<ProvisioningDecision, ProvisioningRefusal>,
) -> Option<&'a User> {
    let none = RoleSet::new();
    let (id, roles) = match decision {
        Ok(ProvisioningDecision { subject: Subject::Known(id), saml_roles, .. }) => (*id, saml_roles),
        Err(ProvisioningRefusal::NoRole { user: Some(id), .. }) => (*id, &none),
        _ => return None,
    };
    facts.known.candidates.iter().find(|user| user.id == id && user.roles.saml != *roles)
}

/// Decides who signs in and with what.
pub fn decide_provisioning(facts: &ProvisioningFacts<'_>) -> Result<ProvisioningDecision, ProvisioningRefusal> {
    let ProvisioningFacts { connection, identity, entered_email, known: there, .. } = *facts;
    let asserted = identity.username.as_str();
    if entered_email.is_some_and(|entered| normalized(entered) != normalized(asserted)) {
        return Err(ProvisioningRefusal::NotTheEnteredEmail);
    }
    let email = Email::parse(asserted).ok();
    check_domain(connection, email.as_ref())?;
    let (subject, known) = match matching_user(asserted, there.candidates) {
        Match::Several => return Err(ProvisioningRefusal::MultipleUsernames),
        Match::One(user) if !user.status.is_welcome() => {
            return Err(ProvisioningRefusal::Inactive);
        }
        Match::One(user) if user.break_glass => return Err(ProvisioningRefusal::BreakGlass),
        Match::One(user) => (Subject::Known(user.id), Some(user)),
        Match::None if connection.settings.provisioning == Provisioning::InvitedOnly => {
            return Err(ProvisioningRefusal::NotInvited);
        }
        Match::None if there.is_revoked => return Err(ProvisioningRefusal::InvitationRevoked),
        Match::None => (Subject::New { email }, None),
    };
    grant(facts, subject, known)
}

fn check_domain(connection: &SamlConnection, email: Option<&Email>) -> Result<(), ProvisioningRefusal> {
    let listed = &connection.settings.email_domains;
    let domain = email.map(Email::domain);
    if listed.is_empty() || domain.as_ref().is_some_and(|domain| listed.contains(domain)) {
        Ok(())
    } else {
        Err(ProvisioningRefusal::DomainNotListed { got: domain.map(String::from) })
    }
}

fn grant(
    facts: &ProvisioningFacts<'_>,
    subject: Subject,
    known: Option<&User>,
) -> Result<ProvisioningDecision, ProvisioningRefusal> {
    let (settings, values) = (&facts.connection.settings, facts.identity.role_values.as_deref());
    if facts.connection.portal == Portal::SelfService {
        let RoleValues { kept, left_out } = RoleValues::within_bounds(values.unwrap_or_default());
        return Ok(ProvisioningDecision {
            subject,
            saml_roles: RoleSet::new(),
            unknown_roles: vec![],
            external_roles: kept,
            left_out_roles: left_out,
        });
    }
    let MappedRoles { roles, unknown } = map_roles(values, &settings.role_mappings, &settings.default_roles);
    let roles = match known {
        Some(user) if facts.superseded => user.roles.saml.clone(),
        _ => roles,
    };
    if roles.is_empty() && known.is_none_or(|user| user.roles.assigned.is_empty()) {
        return Err(ProvisioningRefusal::NoRole { user: known.map(|user| user.id), unknown });
    }
    Ok(ProvisioningDecision {
        subject,
        saml_roles: roles,
        unknown_roles: unknown,
        external_roles: vec![],
        left_out_roles: vec![],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role::{self, OrganizationMember as Member, OrganizationOwner as Owner};
    use crate::sso::discovery::tests::{connection, user};
    use crate::user::UserStatus;
    use crate::username::Username;

    fn identity(username: &str, roles: Option<&[&str]>) -> AssertedIdentity {
        AssertedIdentity {
            username: Username::parse(username).unwrap(),
            role_values: roles.map(|values| values.iter().map(|value| (*value).to_owned()).collect()),
        }
    }

    fn decide(
        connection: &SamlConnection,
        identity: &AssertedIdentity,
        entered_email: Option<&str>,
        candidates: &[User],
    ) -> Result<ProvisioningDecision, ProvisioningRefusal> {
        let known = Known { candidates, is_revoked: identity.username.as_str().starts_with("revoked") };
        decide_provisioning(&ProvisioningFacts { connection, identity, entered_email, known, superseded: false })
    }

    fn with_default(provisioning: Provisioning, domains: &[&str]) -> SamlConnection {
        let mut made = connection(provisioning, domains);
        made.settings.default_roles = RoleSet::from([Member]);
        made
    }

    /// Proves C3: the same person stays the same user, whichever case or username they had.
    #[test]
    fn a_known_user_is_bound_and_an_unknown_one_created() {
        let jit = with_default(Provisioning::JustInTime, &[]);
        let known = [user(7, "ann", Some("Ann@b.se"), UserStatus::Active)];
        assert_eq!(
            decide(&jit, &identity("ann@B.se", None), None, &known).unwrap().subject,
            Subject::Known(known[0].id)
        );
        let email = Email::parse("new@b.se").unwrap();
        assert_eq!(
            decide(&jit, &identity("new@b.se", None), None, &[]).unwrap().subject,
            Subject::New { email: Some(email) }
        );
        let invited_only = with_default(Provisioning::InvitedOnly, &[]);
        assert_eq!(decide(&invited_only, &identity("new@b.se", None), None, &[]), Err(ProvisioningRefusal::NotInvited));
        let revoked = decide(&jit, &identity("revoked@b.se", None), None, &[]);
        assert_eq!(revoked, Err(ProvisioningRefusal::InvitationRevoked));
    }

    /// Proves D2, A2, A3, A4, C3: each refusal by its name.
    #[test]
    fn refusals_are_told_apart() {
        let jit = with_default(Provisioning::JustInTime, &["b.se"]);
        let shared = [user(1, "x", Some("a@b.se"), UserStatus::Active), user(2, "a@b.se", None, UserStatus::Active)];
        let gone = [user(1, "a@b.se", None, UserStatus::Inactive)];
        let a = identity("a@b.se", None);
        let break_glass = [User { break_glass: true, ..user(1, "x", Some("a@b.se"), UserStatus::Active) }];
        assert_eq!(decide(&jit, &a, None, &break_glass), Err(ProvisioningRefusal::BreakGlass));
        assert_eq!(decide(&jit, &a, Some("b@b.se"), &[]), Err(ProvisioningRefusal::NotTheEnteredEmail));
        assert!(decide(&jit, &a, Some("A@b.SE"), &[]).is_ok());
        assert_eq!(decide(&jit, &a, None, &shared), Err(ProvisioningRefusal::MultipleUsernames));
        assert_eq!(decide(&jit, &a, None, &gone), Err(ProvisioningRefusal::Inactive));
        let outside = decide(&jit, &identity("a@evil.se", None), None, &[]);
        assert_eq!(outside, Err(ProvisioningRefusal::DomainNotListed { got: Some("evil.se".into()) }));
        assert_eq!(
            decide(&jit, &identity("jd", None), None, &[]),
            Err(ProvisioningRefusal::DomainNotListed { got: None })
        );
    }

    /// Proves C4: `saml` roles are set anew, `assigned` ones count beside them, and holding none is a refusal.
    #[test]
    fn roles_come_from_the_mapping_and_holding_none_is_refused_by_name() {
        let bare = connection(Provisioning::JustInTime, &[]);
        let mut owner = user(1, "a@b.se", None, UserStatus::Active);
        owner.roles.assigned = RoleSet::from([Owner]);
        owner.roles.saml = RoleSet::from([Member]);
        let kept = decide(&bare, &identity("a@b.se", None), None, &[owner]).unwrap();
        assert_eq!(kept.saml_roles, RoleSet::new());
        let unknown = vec!["staff".to_owned()];
        assert_eq!(
            decide(&bare, &identity("a@b.se", Some(&["staff"])), None, &[]),
            Err(ProvisioningRefusal::NoRole { user: None, unknown })
        );
    }

    /// Proves C4: an assertion that leaves no role takes the `saml` roles away; one that is older than another that
    /// was used changes nothing.
    #[test]
    fn a_refusal_for_no_role_takes_roles_away_and_an_older_assertion_changes_none() {
        let bare = connection(Provisioning::JustInTime, &[]);
        let with = |roles: &[Role]| {
            let mut ann = user(1, "a@b.se", None, UserStatus::Active);
            ann.roles.saml = roles.iter().copied().collect();
            ann
        };
        let decided = |user: &User, superseded| {
            let (identity, candidates) = (identity("a@b.se", Some(&[])), std::slice::from_ref(user));
            let facts = ProvisioningFacts {
                connection: &bare,
                identity: &identity,
                entered_email: None,
                known: Known { candidates, is_revoked: false },
                superseded,
            };
            let decision = decide_provisioning(&facts);
            (reroled(&facts, &decision).is_some(), decision)
        };
        let (member, none) = (with(&[Member]), with(&[]));
        let refused = Err(ProvisioningRefusal::NoRole { user: Some(member.id), unknown: vec![] });
        assert_eq!(decided(&member, false), (true, refused.clone()));
        assert_eq!(decided(&none, false), (false, refused.clone()));
        assert_eq!(decided(&none, true), (false, refused));
        let (reroled, kept) = decided(&member, true);
        assert_eq!((reroled, kept.unwrap().saml_roles), (false, RoleSet::from([Member])));
    }

    /// Proves C4: self-service sign-ins never grant account roles.
    #[test]
    fn self_service_role_values_go_into_the_token_and_nowhere_else() {
        let mut connection = with_default(Provisioning::JustInTime, &[]);
        connection.portal = Portal::SelfService;
        connection.settings.role_mappings.insert("boss".into(), RoleSet::from([Owner]));
        let decision = decide(&connection, &identity("a@b.se", Some(&["boss"])), None, &[]).unwrap();
        assert_eq!((decision.saml_roles, decision.external_roles), (RoleSet::new(), vec!["boss".to_owned()]));
    }
}
