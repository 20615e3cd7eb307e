//! One-time links: asked for by a person who claims to be a user, made for a mail, found by the token that comes
//! back.

use std::net::IpAddr;
use std::sync::Arc;

use domain::ApplicationId;
use domain::account::AccountName;
use domain::application::{Application, Page, RedirectUri};
use domain::network::enclosing;
use domain::one_time_link::{LinkPurpose, LinkRefusal, OneTimeLink};
use domain::portal::Portal;
use domain::secret::{Secret, SecretDigest};
use domain::throttle::{Pace, ThrottleKey, retry_after};
use domain::user::User;
use jiff::{SignedDuration, Timestamp};
use storage::Tx;

use crate::core::error::{Code, Error, Result};
use crate::mail::page_of_application;
use crate::people::People;

/// Requests for a link that are worked off at the same time; further ones are told to come back.
pub(crate) const LINK_REQUESTS_AT_ONCE: u32 = 64;

/// Pace of one client's requests for links to users of one account: an office whose people forgot their passwords
/// over the summer asks no more often.
const LINK_REQUESTS: Pace = Pace { burst: 20, period: SignedDuration::from_secs(15) };

impl People {
    /// Counts a request for a link to a user of this account, whether there is one or not, or says how long to wait.
    pub(crate) async fn count_link_request(&self, account_name: &AccountName, address: IpAddr) -> Result<()> {
        let (mut tx, now) = (self.core.store.begin().await?, self.core.now());
        let mut longest = None;
        for (breadth, network) in enclosing(address) {
            let pace = LINK_REQUESTS.of_network(breadth);
            let key = ThrottleKey::of("link_request", &[account_name.as_str(), &network.to_string()]);
            longest = longest.max(pace.wait(storage::throttles::count(&mut tx, key, pace, now).await?, now));
        }
        match longest {
            Some(wait) => Err(Error::new(Code::RateLimited).with_retry_after(retry_after(wait))),
            None => Ok(tx.commit().await?),
        }
    }

    /// Works a request for a link off after its answer, so that neither the answer nor its time says who is known.
    pub(crate) fn work_off(&self, request: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        let busy = |_| Error::new(Code::Unavailable).with_retry_after(1);
        let permit = Arc::clone(&self.link_requests).try_acquire_owned().map_err(busy)?;
        tokio::spawn(async move {
            if let Err(error) = request.await {
                tracing::error!(error = &error as &dyn std::error::Error, "a link was not mailed");
            }
            drop(permit);
        });
        Ok(())
    }

    /// Waits until every request for a link that was taken is worked off: before the process ends, and before a test
    /// looks.
    pub async fn link_requests_settled(&self) {
        drop(self.link_requests.acquire_many(LINK_REQUESTS_AT_ONCE).await);
    }

    /// A new link, and the token that goes into its mail alone.
    pub(crate) fn new_link(&self, purpose: LinkPurpose, user: &User, expires_at: Timestamp) -> (Secret, OneTimeLink) {
        let token = Secret::from_random(purpose.secret_kind(), self.core.random());
        let link = OneTimeLink {
            digest: token.digest(),
            account_id: user.account_id,
            user_id: user.id,
            purpose,
            credential_epoch: user.credential_epoch,
            created_at: self.core.now(),
            expires_at,
            ended: None,
        };
        (token, link)
    }
}

/// The page that a link leads to, of a frontend of this portal.
pub(crate) async fn page_of(
    tx: &mut Tx,
    client_id: ApplicationId,
    portal: Portal,
    page: Page,
) -> Result<(Application, RedirectUri)> {
    let application = storage::applications::by_client_id(tx, client_id).await?;
    let application = application.filter(|application| application.portal == portal);
    let application = application.ok_or_else(|| Error::new(Code::ApplicationRefused))?;
    let url = page_of_application(&application, page)?;
    Ok((application, url))
}

/// The link of this token, whatever became of it.
pub(crate) async fn link(tx: &mut Tx, purpose: LinkPurpose, token: &str) -> Result<OneTimeLink> {
    let invalid = || Error::new(Code::LinkInvalid);
    let digest = SecretDigest::of_presented(purpose.secret_kind(), token).ok_or_else(invalid)?;
    storage::one_time_links::by_digest(tx, digest).await?.ok_or_else(invalid)
}

/// The refusal that the holder of a link is told. One that was withdrawn (A7) counts as replaced, because the way
/// on is the same: a newer link.
pub(crate) fn link_refused(refusal: LinkRefusal) -> Error {
    match refusal {
        LinkRefusal::Used => Error::new(Code::LinkUsed),
        LinkRefusal::Replaced => Error::new(Code::LinkReplaced),
        LinkRefusal::Withdrawn => Error::new(Code::LinkReplaced)
            .with_detail("The user's password, an address or their roles were changed since this link was mailed"),
        LinkRefusal::Expired => Error::new(Code::LinkExpired),
    }
}

/// The refusal of a link whose user came into another epoch while it was being used (A7).
pub(crate) fn withdrawn_meanwhile(error: Error) -> Error {
    if error.code == Code::PreconditionFailed { link_refused(LinkRefusal::Withdrawn) } else { error }
}
