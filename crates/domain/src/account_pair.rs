//! Paired users (G1): two users of two accounts, who are one person. A pair is made once, by a form login in each
//! account, and carries for as long as nobody else changes what either form login rests on.

use jiff::{SignedDuration, Timestamp};

use crate::account_link::{AccountLink, LinkState};
use crate::authorization_code::SessionGrant;
use crate::credential_epoch::CredentialEpoch;
use crate::named::named;
use crate::portal::Portal;
use crate::sign_in_attempt::AttemptKind;
use crate::user::User;
use crate::{AccountId, AccountPairId, UserId};

/// Time for the second form login of a pairing: enough for a mailed code, or a forgotten password.
pub const PAIRING_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

named! {
    /// State of a pair.
    PairState, PairStateError, "expected \"current\" or \"void\"" {
        /// It carries a switch, if all else allows one.
        Current = "current",
        /// Void pair: another actor changed a username, an email or a password since, so it is to be made anew.
        Void = "void",
    }
}

/// One of the two users of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairedUser {
    /// The account on that side.
    pub account_id: AccountId,
    /// The user in that account.
    pub user_id: UserId,
    /// The epoch of that user in which they proved themselves, or to which a change of their own led (A7).
    pub credential_epoch: CredentialEpoch,
}

impl PairedUser {
    /// A user as they have just proved themselves.
    pub const fn of(user: &User) -> Self {
        Self { account_id: user.account_id, user_id: user.id, credential_epoch: user.credential_epoch }
    }
}

/// A pair, as one of its sides sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountPair {
    /// Id of the pair, the same on both sides.
    pub id: AccountPairId,
    /// The user on this side.
    pub user: PairedUser,
    /// The user on the other side.
    pub other: PairedUser,
    /// Time of the second form login.
    pub created_at: Timestamp,
}

impl AccountPair {
    /// The same pair, as the other side sees it.
    #[must_use]
    pub const fn seen_by_other(self) -> Self {
        Self { user: self.other, other: self.user, ..self }
    }

    /// Whether it carries a switch while its users are in these epochs.
    pub fn state(&self, user: CredentialEpoch, other: CredentialEpoch) -> PairState {
        let is_current = (self.user.credential_epoch, self.other.credential_epoch) == (user, other);
        if is_current { PairState::Current } else { PairState::Void }
    }
}

/// Reason for which two sign-ins make no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairRefusal {
    /// The code came of SSO, of a mailed link or of a switch.
    #[error(
        "the code must come of a form login that was made for this: by username and password, and what is asked besides"
    )]
    NotByFormLogin,
    /// Both sign-ins were in one account.
    #[error("both sign-ins were in the same account: sign in to the other one")]
    SameAccount,
    /// The accounts are not linked, or one of them has not agreed.
    #[error("the accounts are not linked: an owner of one asks, and an owner of the other accepts")]
    NotLinked,
}

/// Decides whether a code proves a form login: one that was made, with all that it asks, and not what a session led to.
pub fn check_proof(kind: AttemptKind, grant: &SessionGrant) -> Result<(), PairRefusal> {
    let is_form_login = kind == AttemptKind::Form && grant.method.is_form_login() && grant.portal == Portal::Admin;
    if is_form_login && grant.home.is_none() { Ok(()) } else { Err(PairRefusal::NotByFormLogin) }
}

/// Decides whether two users who proved themselves may be paired, by the link between their accounts.
pub fn decide_pair(first: PairedUser, second: PairedUser, link: Option<&AccountLink>) -> Result<(), PairRefusal> {
    if first.account_id == second.account_id {
        Err(PairRefusal::SameAccount)
    } else if link.is_some_and(|link| link.state == LinkState::Accepted) {
        Ok(())
    } else {
        Err(PairRefusal::NotLinked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountLinkId;
    use crate::account_link::AccountRelation;
    use crate::account_switch::HomeUser;
    use crate::user::SignInMethod;
    use uuid::Uuid;

    fn paired(n: u128) -> PairedUser {
        PairedUser {
            account_id: AccountId::from_uuid(Uuid::from_u128(n)),
            user_id: UserId::from_uuid(Uuid::from_u128(n + 10)),
            credential_epoch: CredentialEpoch::FIRST,
        }
    }

    fn link(state: LinkState) -> AccountLink {
        AccountLink {
            id: AccountLinkId::from_uuid(Uuid::from_u128(1)),
            account_id: paired(1).account_id,
            other_account_id: paired(2).account_id,
            relation: AccountRelation::Linked,
            state,
            requested_at: Timestamp::UNIX_EPOCH,
            accepted_at: None,
        }
    }

    /// Proves G1: a pair is of users of two accounts whose owners both agreed.
    #[test]
    fn a_pair_needs_two_accounts_that_are_linked() {
        let accepted = link(LinkState::Accepted);
        assert_eq!(decide_pair(paired(1), paired(2), Some(&accepted)), Ok(()));
        assert_eq!(decide_pair(paired(1), paired(1), Some(&accepted)), Err(PairRefusal::SameAccount));
        assert_eq!(decide_pair(paired(1), paired(2), None), Err(PairRefusal::NotLinked));
        for state in [LinkState::Requested, LinkState::Asked] {
            assert_eq!(decide_pair(paired(1), paired(2), Some(&link(state))), Err(PairRefusal::NotLinked));
        }
    }

    /// Proves G1: SSO, a mailed link, a switch and the way back from one are no form login, whatever their `amr` says.
    #[test]
    fn only_a_form_login_proves_a_user() {
        let grant = |method| SessionGrant {
            user_id: paired(1).user_id,
            portal: Portal::Admin,
            method,
            auth_time: Timestamp::UNIX_EPOCH,
            credential_epoch: CredentialEpoch::FIRST,
            external_roles: vec![],
            home: None,
            session_not_on_or_after: None,
        };
        for kind in AttemptKind::ALL {
            for method in SignInMethod::ALL {
                let proves = *kind == AttemptKind::Form && method.is_form_login();
                assert_eq!(check_proof(*kind, &grant(*method)).is_ok(), proves, "{kind:?} {method:?}");
            }
        }
        let PairedUser { account_id, user_id, credential_epoch } = paired(2);
        let home = Some(HomeUser { account_id, user_id, credential_epoch });
        let switched = SessionGrant { home, ..grant(SignInMethod::Password) };
        assert_eq!(check_proof(AttemptKind::Form, &switched), Err(PairRefusal::NotByFormLogin));
        let other_portal = SessionGrant { portal: Portal::SelfService, ..grant(SignInMethod::Password) };
        assert_eq!(check_proof(AttemptKind::Form, &other_portal), Err(PairRefusal::NotByFormLogin));
    }

    /// Proves A7, G1: another epoch of either user voids a pair; both sides see one pair.
    #[test]
    fn a_pair_is_void_when_either_user_is_in_another_epoch() {
        let (id, first) = (AccountPairId::from_uuid(Uuid::from_u128(5)), CredentialEpoch::FIRST);
        let pair = AccountPair { id, user: paired(1), other: paired(2), created_at: Timestamp::UNIX_EPOCH };
        assert_eq!(pair.state(first, first), PairState::Current);
        assert_eq!(pair.state(first.next(), first), PairState::Void);
        assert_eq!(pair.state(first, first.next()), PairState::Void);
        assert_eq!(pair.seen_by_other().seen_by_other(), pair);
        assert_eq!(pair.seen_by_other().user, pair.other);
    }
}
