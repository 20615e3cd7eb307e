//! Whether an entered email may start an SSO sign-in (D1, D2).

use crate::email::Email;
use crate::sso::connection::{Provisioning, SamlConnection};
use crate::user::{User, UserStatus};

/// Why discovery gives no way to an identity provider. Each is a code of the error catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscoveryRefusal {
    /// No such account, or its portal has no enabled connection.
    AccountNotConfigured,
    /// The email is unknown or deactivated, and the connection would not create it.
    EmailNotConfigured,
    /// Several active users go by this email.
    MultipleUsernames,
}

/// Decides what an entered email is told. `candidates` are the portal's users whose username or email it is.
pub fn decide_discovery(
    connection: &SamlConnection,
    email: &Email,
    candidates: &[User],
) -> Result<(), DiscoveryRefusal> {
    let settings = &connection.settings;
    if !settings.email_domains.is_empty() && !settings.email_domains.contains(&email.domain()) {
        return Err(DiscoveryRefusal::EmailNotConfigured);
    }
    match matching_user(email.as_str(), candidates) {
        Match::Several => Err(DiscoveryRefusal::MultipleUsernames),
        Match::One(user) if !user.status.is_welcome() => Err(DiscoveryRefusal::EmailNotConfigured),
        Match::One(_) => Ok(()),
        Match::None if settings.provisioning == Provisioning::JustInTime => Ok(()),
        Match::None => Err(DiscoveryRefusal::EmailNotConfigured),
    }
}

/// Whom an identity stands for among the users who have it as username or email.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// Nobody.
    None,
    /// Exactly this one.
    One(&'a User),
    /// More than one active user: nobody may pick (A2).
    Several,
}

/// Finds the one user that an identity stands for: the bearer of the username, or else of the email. Two active users
/// that share it are nobody, whatever else matches (A2). A deactivated user is found too, so that nobody else is made
/// in their place (A3).
pub fn matching_user<'a>(identity: &str, candidates: &'a [User]) -> Match<'a> {
    let identity = crate::username::normalized(identity);
    let by_username = |user: &&User| user.username.normalized() == identity;
    let by_email = |user: &&User| user.email.as_ref().is_some_and(|email| email.normalized() == identity);
    let is_usable = |user: &&User| user.status != UserStatus::Inactive;
    let active = candidates.iter().filter(|user| user.status == UserStatus::Active);
    if active.filter(|user| by_username(user) || by_email(user)).count() > 1 {
        return Match::Several;
    }
    if let Some(user) = candidates.iter().find(by_username) {
        return Match::One(user);
    }
    let mut usable = candidates.iter().filter(by_email).filter(is_usable);
    match (usable.next(), usable.next()) {
        (Some(user), None) => Match::One(user),
        (Some(_), Some(_)) => Match::Several,
        (None, _) => candidates.iter().find(by_email).map_or(Match::None, Match::One),
    }
}

/// Whether somebody else who may sign in goes by a user's email, among the users who have it as username or email. Where
/// SSO is required, that must not come about: neither could sign in (A2).
pub fn email_is_shared(user: &User, candidates: &[User]) -> bool {
    let somebody_else = |other: &User| other.id != user.id && other.status.is_welcome();
    user.status.is_welcome() && candidates.iter().any(somebody_else)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::portal::Portal;
    use crate::role::RoleAssignments;
    use crate::sso::connection::{ConnectionSettings, SpHash, SsoMode};
    use crate::text::Label;
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

    /// Proves A2: an email is one person's among those who may sign in.
    #[test]
    fn an_email_is_shared_with_somebody_else_who_may_sign_in() {
        let ann = user(1, "ann", Some("a@b.se"), UserStatus::Active);
        let other = |status| user(2, "a@b.se", None, status);
        assert!(!email_is_shared(&ann, &[ann.clone(), other(UserStatus::Inactive)]));
        assert!(email_is_shared(&ann, &[ann.clone(), other(UserStatus::Invited)]));
        assert!(!email_is_shared(&User { status: UserStatus::Inactive, ..ann }, &[other(UserStatus::Active)]));
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
            decide_discovery(connection, &Email::parse(email).unwrap(), users)
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
        assert_eq!(decide(&invited_only, "new@b.se", &[]), Err(EmailNotConfigured));
        assert_eq!(decide(&listed, "new@B.SE", &[]), Ok(()));
        assert_eq!(decide(&listed, "new@evil.b.se", &[]), Err(EmailNotConfigured));
    }
}
