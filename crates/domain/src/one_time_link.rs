//! Links in mails that work once: to accept an invitation (E2), to set a new password (B4), to sign in (B6).
//!
//! Mail scanners fetch links before people do, so a link leads to a page of the frontend, and only what that page posts
//! uses it up.

use jiff::{SignedDuration, Timestamp};

use crate::credential_epoch::CredentialEpoch;
use crate::named::named;
use crate::secret::{SecretDigest, SecretKind};
use crate::{AccountId, UserId};

/// Retention of a link after it expires, so that a user who finds an old mail is told what became of it.
pub const LINK_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

named! {
    /// Purpose of a one-time link.
    LinkPurpose, LinkPurposeError, "not a purpose of a one-time link" {
        /// Accepts an invitation of a user.
        Invitation = "invitation",
        /// Sets a new password for the user.
        PasswordReset = "password_reset",
        /// Signs in to the `self_service` portal.
        MagicLink = "magic_link",
        /// Pairs a user with one of another account (G1); not mailed, but kept by the client meanwhile.
        AccountPairing = "account_pairing",
    }
}

impl LinkPurpose {
    /// The kind of its token.
    pub const fn secret_kind(self) -> SecretKind {
        match self {
            Self::Invitation => SecretKind::InvitationLink,
            Self::PasswordReset => SecretKind::PasswordResetLink,
            Self::MagicLink => SecretKind::MagicLink,
            Self::AccountPairing => SecretKind::AccountPairing,
        }
    }
}

named! {
    /// Reasons for which a link ends before it expires.
    LinkEnd, LinkEndError, "not a reason for which a one-time link ends" {
        /// The link was used for its purpose.
        Used = "used",
        /// A newer one took its place, or what it was for is over.
        Replaced = "replaced",
    }
}

/// A link as it is kept: the token itself is in the mail alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeLink {
    /// Digest of the token by which the link is found.
    pub digest: SecretDigest,
    /// Account that the user belongs to.
    pub account_id: AccountId,
    /// User that the link was made for.
    pub user_id: UserId,
    /// Purpose that the link serves.
    pub purpose: LinkPurpose,
    /// The epoch of that user in which it was made (A7).
    pub credential_epoch: CredentialEpoch,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time from which it does not work any more.
    pub expires_at: Timestamp,
    /// Time and reason of its end, where it ended before it expired.
    pub ended: Option<(Timestamp, LinkEnd)>,
}

/// Reasons for which a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// The link was used already.
    #[error("the link was used")]
    Used,
    /// A newer link took its place.
    #[error("a newer link took its place")]
    Replaced,
    /// The password, an address or the roles that it was mailed for have changed since (A7).
    #[error("the password, an address or the roles were changed since the link was mailed")]
    Withdrawn,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
}

/// Decides whether a link of a user who is in this epoch may be used.
pub fn decide_use(link: &OneTimeLink, epoch: CredentialEpoch, now: Timestamp) -> Result<(), LinkRefusal> {
    match link.ended {
        Some((_, LinkEnd::Used)) => Err(LinkRefusal::Used),
        Some((_, LinkEnd::Replaced)) => Err(LinkRefusal::Replaced),
        None if link.credential_epoch != epoch => Err(LinkRefusal::Withdrawn),
        None if now >= link.expires_at => Err(LinkRefusal::Expired),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// Proves A7, B4, B6, E3: a link works until it is used, replaced, withdrawn or over, and says which.
    #[test]
    fn a_link_works_once_and_within_its_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let link = OneTimeLink {
            digest: SecretDigest::from_bytes([0; 32]),
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            user_id: UserId::from_uuid(Uuid::from_u128(2)),
            purpose: LinkPurpose::PasswordReset,
            credential_epoch: CredentialEpoch::FIRST,
            created_at: at(0),
            expires_at: at(10),
            ended: None,
        };
        let ended = |reason| OneTimeLink { ended: Some((at(1), reason)), ..link };
        let first = CredentialEpoch::FIRST;
        assert_eq!(decide_use(&link, first, at(9)), Ok(()));
        assert_eq!(decide_use(&link, first.next(), at(20)), Err(LinkRefusal::Withdrawn));
        assert_eq!(decide_use(&link, first, at(10)), Err(LinkRefusal::Expired));
        assert_eq!(decide_use(&ended(LinkEnd::Used), first, at(20)), Err(LinkRefusal::Used));
        assert_eq!(decide_use(&ended(LinkEnd::Replaced), first.next(), at(2)), Err(LinkRefusal::Replaced));
    }
}
