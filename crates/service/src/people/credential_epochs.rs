//! Voiding what was issued to a user (A7). The epoch in the user's row is what counts, wherever something is used; the
//! sessions are ended besides, so that lists show them as what they are.

use domain::SessionId;
use domain::credential_epoch::{carried_on, told_of_change, voided_by};
use domain::mail::MailMessage;
use domain::session::SessionEnd;
use domain::user::User;
use storage::Tx;
use storage::sessions::Ending;

use crate::core::caller::SignedInUser;
use crate::core::error::{Code, Error, Result};
use crate::people::People;

impl People {
    /// Writes a user as changed, and voids what was issued to them before where the change calls for that; returns
    /// them as they are now. `kept` is the session that made a change of one's own.
    pub(crate) async fn write_user(
        &self,
        tx: &mut Tx,
        before: &User,
        after: User,
        kept: Option<SessionId>,
    ) -> Result<User> {
        let after = carried_on(before, after);
        storage::users::update(tx, &after, before).await?;
        if let Some(reason) = voided_by(before, &after) {
            self.void(tx, &after, reason, kept).await?;
        }
        self.tell_former_addresses(tx, before, &after).await?;
        Ok(after)
    }

    /// Voids what was issued to a user while they had another password, or none; returns them as they are now.
    /// `Stale` where something else did so since they were read.
    pub(crate) async fn void_by_password(&self, tx: &mut Tx, user: &User, kept: Option<SessionId>) -> Result<User> {
        let credential_epoch = storage::users::raise_epoch(tx, user).await?;
        let user = User { credential_epoch, ..user.clone() };
        self.void(tx, &user, SessionEnd::PasswordChanged, kept).await?;
        Ok(user)
    }

    /// Tells the addresses that were a user's that they are not any more, so that a user who did not change them
    /// can act.
    async fn tell_former_addresses(&self, tx: &mut Tx, before: &User, after: &User) -> Result<()> {
        for to in told_of_change(before, after) {
            let (username, changed_at) = (before.username.as_str().to_owned(), self.core.now());
            let message = MailMessage::AddressChanged { username, changed_at };
            self.mail.enqueue_mail_of(tx, before.account_id, to.clone(), message).await?;
        }
        Ok(())
    }

    /// Removes a user. Nothing is left that was issued to them, also not where they had switched to.
    pub(crate) async fn remove_user(&self, tx: &mut Tx, user: &User) -> Result<()> {
        self.void(tx, user, SessionEnd::UserDeactivated, None).await?;
        storage::users::delete(tx, user.account_id, user.id).await?;
        Ok(())
    }

    /// Ends the sessions of a user who is in a new epoch, but takes the kept one along into it, and with it the
    /// pairs of the user (G1): the change was their own. Where a user is active no longer, none is kept.
    async fn void(&self, tx: &mut Tx, user: &User, reason: SessionEnd, kept: Option<SessionId>) -> Result<()> {
        let kept = kept.filter(|_| reason != SessionEnd::UserDeactivated);
        let ending = Ending { at: self.core.now(), reason, kept };
        storage::sessions::end_for_user(tx, user.account_id, user.id, ending).await?;
        if let Some(kept) = kept {
            storage::sessions::carry_on(tx, user, kept).await?;
            storage::account_pairs::carry_on(tx, user).await?;
        }
        Ok(())
    }
}

/// Refuses a caller whose session was voided since they were authenticated, a moment ago; `user` is their state
/// now.
pub(crate) fn check_stands(user: &User, caller: &SignedInUser) -> Result<()> {
    if user.credential_epoch == caller.credential_epoch { Ok(()) } else { Err(Error::new(Code::SessionExpired)) }
}

/// The refusal of a caller whose own change met another one that voided their session.
pub(crate) fn voided_meanwhile(error: Error) -> Error {
    if error.code == Code::PreconditionFailed { Error::new(Code::SessionExpired) } else { error }
}
