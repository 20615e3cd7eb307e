//! Whether an entered email may start an SSO sign-in (D1, D2).

use crate::email::Email;
use crate::sso::connection::{Provisioning, SamlConnection};
use crate::user::User;

/// Reasons for which discovery gives no way to an identity provider. Each is a code of the error catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscoveryRefusal {
    /// The account is unknown, or its portal has no enabled connection.
    AccountNotConfigured,
    /// The email is unknown or deactivated, and the connection would not create it.
    EmailNotConfigured,
    /// Several active users go by this email.
    MultipleUsernames,
}

/// Users of a portal who go by an identity.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The users who have it as username or email.
    pub candidates: &'a [User],
    /// Whether an invitation of a user who went by it was revoked.
    pub is_revoked: bool,
}

/// Decides what an entered email is told.
pub fn decide_discovery(connection: &SamlConnection, email: &Email, known: Known<'_>) -> Result<(), DiscoveryRefusal> {
    let settings = &connection.settings;
    if !settings.email_domains.is_empty() && !settings.email_domains.contains(&email.domain()) {
        return Err(DiscoveryRefusal::EmailNotConfigured);
    }
    match matching_user(email.as_str(), known.candidates) {
        Match::Several => Err(DiscoveryRefusal::MultipleUsernames),
        Match::One(user) if !user.status.is_welcome() => Err(DiscoveryRefusal::EmailNotConfigured),
        Match::One(_) => Ok(()),
        Match::None if settings.provisioning == Provisioning::JustInTime && !known.is_revoked => Ok(()),
        Match::None => Err(DiscoveryRefusal::EmailNotConfigured),
    }
}

/// User that an identity stands for, among those who have it as username or email.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// The identity stands for no user.
    None,
    /// The identity stands for exactly this user.
    One(&'a User),
    /// Several active users go by the identity, and none may be picked (A2).
    Several,
}

/// Finds the one user that an identity stands for, as username or as email: the one of them who may sign in. If
/// several may, the answer is [`Match::Several`], whatever else matches, because picking would let one in as
/// another (A2). Where none may, a deactivated user is found, so that no other is made in their place (A3).
pub fn matching_user<'a>(identity: &str, candidates: &'a [User]) -> Match<'a> {
    let identity = crate::username::normalized(identity);
    let goes_by_it = |user: &&User| {
        let email = user.email.as_ref().map(Email::normalized);
        user.username.normalized() == identity || email.as_ref() == Some(&identity)
    };
    let mut welcome = candidates.iter().filter(goes_by_it).filter(|user| user.status.is_welcome());
    match (welcome.next(), welcome.next()) {
        (Some(user), None) => Match::One(user),
        (Some(_), Some(_)) => Match::Several,
        (None, _) => candidates.iter().find(goes_by_it).map_or(Match::None, Match::One),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::credential_epoch::CredentialEpoch;
    use crate::portal::Portal;
    use crate::role::RoleAssignments;
    use crate::sso::connection::{ConnectionSettings, SpHash, SsoMode};
    use crate::text::Label;
    use crate::user::UserStatus;
    use crate::username::Username;
    use crate::{AccountId, ConnectionId, UserId};
    use jiff::Timestamp;
    use uuid::Uuid;

    pub fn user(n: u128, username: &str, email: Option<&str>, status: UserStatus) -> User {
        User {
            id: UserId::from_uuid(Uuid::from_u128(n)),
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            portal: Portal::Admin,
            username: Username::parse(username).unwrap(),
            email: email.map(|text| Email::parse(text).unwrap()),
            display_name: None,
            status,
            recovery_email: None,
            break_glass: false,
            require_email_mfa: false,
            exempt: false,
            roles: RoleAssignments::default(),
            credential_epoch: CredentialEpoch::FIRST,
            last_sign_in: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    pub fn connection(provisioning: Provisioning, domains: &[&str]) -> SamlConnection {
        let account_id = AccountId::from_uuid(Uuid::from_u128(1));
        let mut settings = ConnectionSettings::initial(Portal::Admin, Label::parse("SSO").unwrap());
        settings.provisioning = provisioning;
        settings.email_domains = domains.iter().map(|text| crate::email::EmailDomain::parse(text).unwrap()).collect();
        SamlConnection {
            id: ConnectionId::from_uuid(Uuid::from_u128(2)),
            account_id,
            portal: Portal::Admin,
            sp_hash: SpHash::of(account_id, Portal::Admin),
            mode: SsoMode::Optional,
            settings,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Proves A2: an identity is the one user's who may sign in and goes by it. Where data of an older version
    /// holds several, nobody is picked.
    #[test]
    fn an_identity_stands_for_the_one_user_who_may_sign_in() {
        use UserStatus::{Active, Inactive, Invited};
        let one = |n, username, email, status| user(n, username, email, status);
        let found = |users: &[User]| match matching_user("BO@x.test", users) {
            Match::None => None,
            Match::One(user) => Some(Some(user.id)),
            Match::Several => Some(None),
        };
        let bo = |status| one(1, "bo", Some("bo@x.test"), status);
        let other = |status| one(2, "bo@x.test", Some("other@x.test"), status);
        let (first, second) = (Some(Some(bo(Active).id)), Some(Some(other(Active).id)));
        let table = [
            (bo(Active), other(Active), Some(None)),
            (bo(Active), other(Invited), Some(None)),
            (bo(Invited), other(Active), Some(None)),
            (bo(Invited), other(Invited), Some(None)),
            (bo(Active), other(Inactive), first),
            (bo(Invited), other(Inactive), first),
            (bo(Inactive), other(Active), second),
            (bo(Inactive), other(Inactive), first),
            (bo(Active), one(2, "x", Some("y@x.test"), Active), first),
        ];
        for (left, right, expected) in table {
            assert_eq!(found(&[left.clone(), right.clone()]), expected, "{left:?} {right:?}");
        }
        assert_eq!(found(&[one(2, "x", Some("y@x.test"), Active)]), None);
    }

    /// Proves D2, A2, C3.
    #[test]
    fn discovery_tells_each_refusal_apart() {
        use DiscoveryRefusal::{EmailNotConfigured, MultipleUsernames};
        use UserStatus::{Active, Inactive, Invited};
        let jit = connection(Provisioning::JustInTime, &[]);
        let listed = connection(Provisioning::JustInTime, &["b.se"]);
        let invited_only = connection(Provisioning::InvitedOnly, &[]);
        let decide = |connection: &SamlConnection, email: &str, users: &[User]| {
            let known = Known { candidates: users, is_revoked: email.starts_with("revoked") };
            decide_discovery(connection, &Email::parse(email).unwrap(), known)
        };
        let known = [user(1, "A@b.se", Some("a@b.se"), Active)];
        let by_email = [user(1, "ann", Some("A@B.se"), Invited)];
        let shared = [user(1, "ann", Some("a@b.se"), Active), user(2, "a@b.se", None, Active)];
        let one_left = [user(1, "ann", Some("a@b.se"), Active), user(2, "old", Some("a@b.se"), Inactive)];
        let gone = [user(1, "a@b.se", None, Inactive)];
        assert_eq!(decide(&invited_only, "a@b.se", &known), Ok(()));
        assert_eq!(decide(&invited_only, "a@b.se", &by_email), Ok(()));
        assert_eq!(decide(&invited_only, "a@b.se", &one_left), Ok(()));
        assert_eq!(decide(&jit, "a@b.se", &shared), Err(MultipleUsernames));
        assert_eq!(decide(&jit, "a@b.se", &gone), Err(EmailNotConfigured));
        assert_eq!(decide(&jit, "new@b.se", &[]), Ok(()));
        assert_eq!(decide(&jit, "revoked@b.se", &[]), Err(EmailNotConfigured));
        assert_eq!(decide(&invited_only, "new@b.se", &[]), Err(EmailNotConfigured));
        assert_eq!(decide(&listed, "new@B.SE", &[]), Ok(()));
        assert_eq!(decide(&listed, "new@evil.b.se", &[]), Err(EmailNotConfigured));
    }
}
