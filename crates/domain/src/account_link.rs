//! Links between accounts (G1): both owners agree, and administrators may switch from one to the other. A sandbox is an
//! account that was made with a link.

use jiff::Timestamp;

use crate::named::named;
use crate::{AccountId, AccountLinkId};

/// Most links of an account, its sandboxes among them: a person looks through the list before they switch.
pub const LINKS_MAX: usize = 50;

named! {
    /// Relation of another account to this one.
    AccountRelation, AccountRelationError, "expected \"linked\", \"sandbox\" or \"sandbox_of\"" {
        /// Equal of this one: neither is a sandbox of the other.
        Linked = "linked",
        /// Sandbox of this account.
        Sandbox = "sandbox",
        /// The account whose sandbox this one is.
        SandboxOf = "sandbox_of",
    }
}

named! {
    /// State of a link, as one side sees it.
    LinkState, LinkStateError, "expected \"requested\", \"asked\" or \"accepted\"" {
        /// This side asked, and the other has not answered.
        Requested = "requested",
        /// The other side asked, and an owner of this one may accept.
        Asked = "asked",
        /// Both sides agree to the link.
        Accepted = "accepted",
    }
}

/// A link, as one of its sides sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLink {
    /// Id of the link, the same on both sides.
    pub id: AccountLinkId,
    /// Account that sees the link.
    pub account_id: AccountId,
    /// Account on the other side.
    pub other_account_id: AccountId,
    /// Relation of the other account to this one.
    pub relation: AccountRelation,
    /// State, as this side sees it.
    pub state: LinkState,
    /// Time at which one side asked.
    pub requested_at: Timestamp,
    /// Time at which the other side accepted.
    pub accepted_at: Option<Timestamp>,
}

impl AccountLink {
    /// The same link, as the other side sees it.
    #[must_use]
    pub const fn seen_by_other(self) -> Self {
        let relation = match self.relation {
            AccountRelation::Linked => AccountRelation::Linked,
            AccountRelation::Sandbox => AccountRelation::SandboxOf,
            AccountRelation::SandboxOf => AccountRelation::Sandbox,
        };
        let state = match self.state {
            LinkState::Requested => LinkState::Asked,
            LinkState::Asked => LinkState::Requested,
            LinkState::Accepted => LinkState::Accepted,
        };
        Self { account_id: self.other_account_id, other_account_id: self.account_id, relation, state, ..self }
    }

    /// Whether this side may know the other by name: it agrees to the link, or it asked this side. Until then, a
    /// caller who asks learns nothing about an account by its id (A5).
    pub fn tells_name(&self) -> bool {
        self.state != LinkState::Requested
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// Proves G1: both sides see one link, each from its own end.
    #[test]
    fn a_link_has_two_sides() {
        for (relation, state) in AccountRelation::ALL.iter().flat_map(|r| LinkState::ALL.iter().map(move |s| (*r, *s)))
        {
            let link = AccountLink {
                id: AccountLinkId::from_uuid(Uuid::from_u128(1)),
                account_id: AccountId::from_uuid(Uuid::from_u128(2)),
                other_account_id: AccountId::from_uuid(Uuid::from_u128(3)),
                relation,
                state,
                requested_at: Timestamp::UNIX_EPOCH,
                accepted_at: None,
            };
            let other = link.seen_by_other();
            assert_eq!(other.seen_by_other(), link);
            assert_eq!((other.account_id, other.id), (link.other_account_id, link.id));
            assert_eq!(state == LinkState::Accepted, other.state == LinkState::Accepted);
            assert!(link.tells_name() || other.tells_name());
        }
    }
}
