//! Sessions and the rotation of their refresh tokens (OAuth 2.1, section 4.3).

use jiff::{SignedDuration, Timestamp};

use crate::account_switch::HomeUser;
use crate::application::Lifetimes;
use crate::credential_epoch::{CredentialEpoch, Epochs};
use crate::named::named;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::secret::SecretDigest;
use crate::user::{SignInMethod, UserStatus};
use crate::{AccountId, ApplicationId, SessionId, UserId};

/// Grace period in which a refresh token that was just rotated still gives the same client the same successor: for
/// two tabs that refresh at once, or an answer that got lost (I2).
pub const REUSE_GRACE: SignedDuration = SignedDuration::from_secs(10);

named! {
    /// Reasons for which a session ends before its time.
    SessionEnd, SessionEndError, "not a reason for which a session ends" {
        /// The user signed out or ended it from a list.
        EndedByUser = "ended_by_user",
        /// An owner or operator ended it.
        EndedByAdministrator = "ended_by_administrator",
        /// The user was deactivated or removed.
        UserDeactivated = "user_deactivated",
        /// The user's password was changed.
        PasswordChanged = "password_changed",
        /// The user's username, email or recovery email was changed.
        AddressChanged = "address_changed",
        /// The user became an owner.
        OwnerGained = "owner_gained",
        /// An old refresh token was used again: it was stolen, or its thief used it first.
        RefreshTokenReused = "refresh_token_reused",
        /// SSO became required, and this session did not begin through it (F3).
        SsoRequired = "sso_required",
        /// SSO, through which it began, is not used any more (F4).
        SsoEnded = "sso_ended",
        /// The link between accounts that it came over was ended (G1).
        LinkEnded = "link_ended",
        /// The pair of users that it came over was ended (G1).
        PairEnded = "pair_ended",
        /// The authorization code it came from was presented twice.
        CodeReused = "code_reused",
    }
}

/// A signed-in user in one frontend: the family of refresh tokens that descend from one authorization code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identifier of the session; the `sid` claim.
    pub id: SessionId,
    /// Account that it is of.
    pub account_id: AccountId,
    /// User who is signed in.
    pub user_id: UserId,
    /// Application that holds it.
    pub application_id: ApplicationId,
    /// Portal that it is for.
    pub portal: Portal,
    /// Way in which the user signed in.
    pub method: SignInMethod,
    /// Time at which they proved who they are.
    pub auth_time: Timestamp,
    /// The user's epoch in which it was issued (A7).
    pub credential_epoch: CredentialEpoch,
    /// User at home, if they switched from another account (G1).
    pub home: Option<HomeUser>,
    /// The role values that the identity provider sent for a `self_service` user, for the frontend's own
    /// permissions (C4).
    pub external_roles: Vec<String>,
    /// Time at which it began.
    pub created_at: Timestamp,
    /// Time at which tokens were last issued for it.
    pub refreshed_at: Timestamp,
    /// Time at which it ends, whatever is refreshed (C12).
    pub expires_at: Timestamp,
    /// Time and reason of an earlier end.
    pub ended: Option<(Timestamp, SessionEnd)>,
}

impl Session {
    /// Whether it may still be used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires_at
    }

    /// Whether it began with a code that its own account mailed: a switch from another account brings none (A4).
    pub fn by_mailed_code(&self) -> bool {
        self.method == SignInMethod::PasswordAndCode && self.home.is_none()
    }

    /// The epochs that it rests on (A7).
    pub fn epochs(&self) -> Epochs {
        Epochs { user: self.credential_epoch, home: self.home.map(|home| home.credential_epoch) }
    }

    /// The same under the lifetimes of today: where they became tighter since it began, it ends sooner (I3).
    #[must_use]
    pub fn held_to(mut self, lifetimes: Lifetimes) -> Self {
        self.expires_at = expiry(self.created_at, lifetimes, Some(self.expires_at));
        self
    }
}

/// End of a session that begins now: the limit of its application and account, or the identity provider's if that
/// is sooner (C12).
pub fn expiry(now: Timestamp, lifetimes: Lifetimes, session_not_on_or_after: Option<Timestamp>) -> Timestamp {
    let own = now.saturating_add(lifetimes.session()).unwrap_or(Timestamp::MAX);
    session_not_on_or_after.map_or(own, |idp| own.min(idp))
}

/// A refresh token as it is kept. A session has one that was not rotated yet, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Digest that it is found by.
    pub digest: SecretDigest,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Time at which it was handed out.
    pub issued_at: Timestamp,
    /// Its exchange for the next one.
    pub rotation: Option<Rotation>,
}

/// The exchange of a refresh token for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Time of the rotation.
    pub at: Timestamp,
    /// The next token, sealed, for a client that presents the old one again; erased as soon as that one is rotated on,
    /// and when the grace is over.
    pub sealed_successor: Option<Vec<u8>>,
}

impl Rotation {
    /// The successor, while the token that it took the place of still gives it. A clock that went back meanwhile
    /// does not make an old token good again.
    fn repeatable(&self, now: Timestamp) -> Option<&[u8]> {
        let within_grace = now.duration_since(self.at).abs() <= REUSE_GRACE;
        self.sealed_successor.as_deref().filter(|_| within_grace)
    }
}

/// Facts that a refresh is decided by.
#[derive(Debug, Clone, Copy)]
pub struct RefreshFacts<'a> {
    /// The token that was presented.
    pub token: &'a RefreshToken,
    /// Session of the token.
    pub session: &'a Session,
    /// The lifetimes that the session's application and account allow.
    pub lifetimes: Lifetimes,
    /// The client that presents it.
    pub client: ApplicationId,
    /// The epochs of its users now (A7).
    pub epochs: Epochs,
    /// Status of its user now.
    pub user_status: UserStatus,
    /// Roles of its user now.
    pub roles: &'a RoleSet,
    /// Whether the account allows sign-ins from where it is presented.
    pub network_allowed: bool,
    /// Whether its user may sign in as this session began, where SSO is required (B3).
    pub method_allowed: bool,
}

/// Decision about a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshDecision<'a> {
    /// A new token takes its place.
    Rotate,
    /// The token that took its place, as it was sealed, is handed out once more.
    Repeat(&'a [u8]),
    /// An old token came back: the whole session ends.
    EndFamily,
    /// Refused, and nothing changes.
    Refuse(RefreshRefusal),
}

/// Reasons for which a refresh is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    /// The token is of another client.
    #[error("the refresh token was issued to another client")]
    OtherClient,
    /// The session ended or expired, or the token was idle too long.
    #[error("the session has expired or was ended")]
    Expired,
    /// The user was deactivated, or holds no role any more.
    #[error("the user may not sign in any more")]
    UserRefused,
    /// Presented from a network that the account does not allow (A6).
    #[error("the account does not allow sign-ins from this network")]
    NetworkRefused,
    /// SSO is required by now, and the session did not begin through it (B3).
    #[error("SSO is required of this user")]
    SsoRequired,
}

/// Decides what a presented refresh token is worth (I2).
pub fn decide_refresh<'a>(facts: &RefreshFacts<'a>, now: Timestamp) -> RefreshDecision<'a> {
    use RefreshDecision::{EndFamily, Refuse, Repeat, Rotate};
    let RefreshFacts { token, session, lifetimes, client, user_status, roles, network_allowed, method_allowed, .. } =
        *facts;
    if client != session.application_id {
        return Refuse(RefreshRefusal::OtherClient);
    }
    if !session.is_live(now) || session.epochs() != facts.epochs {
        return Refuse(RefreshRefusal::Expired);
    }
    let granted = match &token.rotation {
        None if now.duration_since(token.issued_at) >= lifetimes.idle() => return Refuse(RefreshRefusal::Expired),
        None => Rotate,
        Some(rotation) => match rotation.repeatable(now) {
            Some(successor) => Repeat(successor),
            None => return EndFamily,
        },
    };
    if user_status != UserStatus::Active || (session.portal == Portal::Admin && roles.is_empty()) {
        return Refuse(RefreshRefusal::UserRefused);
    }
    if !network_allowed {
        return Refuse(RefreshRefusal::NetworkRefused);
    }
    if !method_allowed {
        return Refuse(RefreshRefusal::SsoRequired);
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;
    use std::sync::LazyLock;
    use uuid::Uuid;

    static MEMBER: LazyLock<RoleSet> = LazyLock::new(|| RoleSet::from([Role::OrganizationMember]));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn session() -> Session {
        Session {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            account_id: AccountId::from_uuid(Uuid::from_u128(2)),
            user_id: UserId::from_uuid(Uuid::from_u128(3)),
            application_id: ApplicationId::from_uuid(Uuid::from_u128(4)),
            portal: Portal::Admin,
            method: SignInMethod::Saml,
            auth_time: at(0),
            credential_epoch: CredentialEpoch::FIRST,
            home: None,
            external_roles: vec![],
            created_at: at(0),
            refreshed_at: at(0),
            expires_at: at(43_200),
            ended: None,
        }
    }

    fn token(rotation: Option<Rotation>) -> RefreshToken {
        RefreshToken { digest: SecretDigest::from_bytes([0; 32]), session_id: session().id, issued_at: at(0), rotation }
    }

    fn rotated(seconds: i64, successor: Option<&[u8]>) -> RefreshToken {
        token(Some(Rotation { at: at(seconds), sealed_successor: successor.map(<[u8]>::to_vec) }))
    }

    fn decide<'a>(
        session: &'a Session,
        token: &'a RefreshToken,
        status: UserStatus,
        now: Timestamp,
    ) -> RefreshDecision<'a> {
        let facts = RefreshFacts {
            token,
            session,
            lifetimes: Lifetimes::default(),
            client: session.application_id,
            epochs: session.epochs(),
            user_status: status,
            roles: &MEMBER,
            network_allowed: true,
            method_allowed: true,
        };
        decide_refresh(&facts, now)
    }

    /// Proves I2: rotation, the same successor for ten seconds, and the end of the family after them.
    #[test]
    fn a_rotated_token_gives_its_successor_for_ten_seconds_and_then_ends_the_family() {
        let (live, active) = (session(), UserStatus::Active);
        assert_eq!(decide(&live, &token(None), active, at(60)), RefreshDecision::Rotate);
        let successor = b"sealed".as_slice();
        let old = rotated(60, Some(successor));
        assert_eq!(decide(&live, &old, active, at(60)), RefreshDecision::Repeat(successor));
        assert_eq!(decide(&live, &old, active, at(70)), RefreshDecision::Repeat(successor));
        let late = at(70).saturating_add(SignedDuration::from_millis(1)).unwrap();
        assert_eq!(decide(&live, &old, active, late), RefreshDecision::EndFamily);
        assert_eq!(decide(&live, &old, active, at(49)), RefreshDecision::EndFamily);
    }

    /// Proves I2: once its successor was rotated on, an old token ends the family at any time.
    #[test]
    fn a_token_whose_successor_was_rotated_on_ends_the_family_within_the_grace_too() {
        let live = session();
        assert_eq!(decide(&live, &rotated(60, None), UserStatus::Active, at(61)), RefreshDecision::EndFamily);
    }

    /// Proves I2, A3: what refuses a token refuses the repetition too, and idleness counts from the successor on.
    #[test]
    fn a_repetition_is_refused_as_a_rotation_would_be() {
        let (live, old) = (session(), rotated(7_199, Some(b"sealed")));
        let refused = RefreshDecision::Refuse(RefreshRefusal::UserRefused);
        assert_eq!(decide(&live, &old, UserStatus::Inactive, at(7_205)), refused);
        assert_eq!(decide(&live, &old, UserStatus::Active, at(7_205)), RefreshDecision::Repeat(b"sealed"));
    }

    /// Proves A3, A6, I2.
    #[test]
    fn refresh_is_refused_by_name_for_each_reason() {
        let refused = |reason| RefreshDecision::Refuse(reason);
        let (live, active) = (session(), UserStatus::Active);
        assert_eq!(decide(&live, &token(None), UserStatus::Inactive, at(1)), refused(RefreshRefusal::UserRefused));
        assert_eq!(decide(&live, &token(None), active, at(7_200)), refused(RefreshRefusal::Expired));
        let ended = Session { ended: Some((at(1), SessionEnd::EndedByUser)), ..session() };
        assert_eq!(decide(&ended, &token(None), active, at(2)), refused(RefreshRefusal::Expired));
        let over = Session { expires_at: at(5), ..session() };
        assert_eq!(decide(&over, &token(None), active, at(5)), refused(RefreshRefusal::Expired));
        let no_roles = RoleSet::new();
        let mut facts = RefreshFacts {
            token: &token(None),
            session: &live,
            lifetimes: Lifetimes::default(),
            client: live.application_id,
            epochs: live.epochs(),
            user_status: active,
            roles: &no_roles,
            network_allowed: true,
            method_allowed: true,
        };
        assert_eq!(decide_refresh(&facts, at(1)), refused(RefreshRefusal::UserRefused));
        let member = RoleSet::from([Role::OrganizationMember]);
        (facts.roles, facts.network_allowed) = (&member, false);
        assert_eq!(decide_refresh(&facts, at(1)), refused(RefreshRefusal::NetworkRefused));
        (facts.network_allowed, facts.method_allowed) = (true, false);
        assert_eq!(decide_refresh(&facts, at(1)), refused(RefreshRefusal::SsoRequired));
        facts.client = ApplicationId::from_uuid(Uuid::from_u128(9));
        assert_eq!(decide_refresh(&facts, at(1)), refused(RefreshRefusal::OtherClient));
    }

    /// Proves A7: a session of an earlier epoch is over, of its user as of the user whom it was switched from.
    #[test]
    fn a_session_of_another_epoch_is_over() {
        let next = CredentialEpoch::FIRST.next();
        let home = |credential_epoch| {
            let (account_id, user_id) = (session().account_id, session().user_id);
            Some(HomeUser { account_id, user_id, credential_epoch })
        };
        let switched = Session { home: home(CredentialEpoch::FIRST), ..session() };
        let current = Epochs { user: CredentialEpoch::FIRST, home: None };
        let table = [
            (session(), current, true),
            (session(), Epochs { user: next, ..current }, false),
            (switched.clone(), Epochs { home: Some(CredentialEpoch::FIRST), ..current }, true),
            (switched.clone(), Epochs { home: Some(next), ..current }, false),
            (switched, current, false),
        ];
        let member = RoleSet::from([Role::OrganizationMember]);
        for (session, epochs, is_good) in table {
            let facts = RefreshFacts {
                token: &token(None),
                session: &session,
                lifetimes: Lifetimes::default(),
                client: session.application_id,
                epochs,
                user_status: UserStatus::Active,
                roles: &member,
                network_allowed: true,
                method_allowed: true,
            };
            let wanted =
                if is_good { RefreshDecision::Rotate } else { RefreshDecision::Refuse(RefreshRefusal::Expired) };
            assert_eq!(decide_refresh(&facts, at(1)), wanted, "{epochs:?}");
        }
    }

    /// Proves I3: a tighter lifetime holds for sessions that began before it, and a looser one gives nothing back.
    #[test]
    fn a_session_is_held_to_the_lifetimes_of_today() {
        let within = |session_seconds| Lifetimes { session_seconds, ..Lifetimes::default() };
        assert_eq!(session().held_to(within(300)).expires_at, at(300));
        assert_eq!(session().held_to(within(90_000)), session());
    }

    /// Proves C12.
    #[test]
    fn the_identity_provider_may_shorten_a_session_and_never_lengthen_it() {
        let lifetimes = Lifetimes::default();
        assert_eq!(expiry(at(0), lifetimes, None), at(43_200));
        assert_eq!(expiry(at(0), lifetimes, Some(at(60))), at(60));
        assert_eq!(expiry(at(0), lifetimes, Some(at(90_000))), at(43_200));
    }
}
