//! One-time links: made for a mail, found by the token that comes back.

use domain::one_time_link::{LinkPurpose, LinkRefusal, OneTimeLink};
use domain::secret::{Secret, SecretDigest};
use domain::{AccountId, UserId};
use jiff::Timestamp;
use storage::Tx;

use crate::Service;
use crate::error::{Code, Error, Result};

impl Service {
    /// A new link, and the token that goes into its mail alone.
    pub(crate) fn new_link(
        &self,
        purpose: LinkPurpose,
        (account_id, user_id): (AccountId, UserId),
        expires_at: Timestamp,
    ) -> (Secret, OneTimeLink) {
        let token = Secret::from_random(purpose.secret_kind(), self.random());
        let created_at = self.now();
        let digest = token.digest();
        (token, OneTimeLink { digest, account_id, user_id, purpose, created_at, expires_at, ended: None })
    }
}

/// The link of this token, whatever became of it.
pub(crate) async fn link(tx: &mut Tx, purpose: LinkPurpose, token: &str) -> Result<OneTimeLink> {
    let invalid = || Error::new(Code::LinkInvalid);
    let digest = SecretDigest::of_presented(purpose.secret_kind(), token).ok_or_else(invalid)?;
    storage::one_time_links::by_digest(tx, digest).await?.ok_or_else(invalid)
}

/// What whoever holds a link is told about one that does not work.
pub(crate) fn link_refused(refusal: LinkRefusal) -> Error {
    Error::new(match refusal {
        LinkRefusal::Used => Code::LinkUsed,
        LinkRefusal::Replaced => Code::LinkReplaced,
        LinkRefusal::Expired => Code::LinkExpired,
    })
}
