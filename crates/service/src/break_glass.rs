//! There is always a break-glass user (A4): what guards every change of an owner, also when two are changed at once.

mod announcement;
pub(crate) mod drill;

use domain::AccountId;
use domain::break_glass::{OtherOwners, becomes_break_glass, can_be_break_glass, decide_user_change, is_owner};
use domain::role::{Permission, permits};
use domain::user::User;
use storage::Tx;

use crate::Service;
use crate::caller::{Caller, Identity};
use crate::error::{Code, Error, Result};

impl Service {
    /// Holds an account's row, so that changes of its owners come one after another, whoever makes them; then looks once
    /// more whether the caller may make one, because the change before may have demoted them. First in its transaction.
    pub(crate) async fn hold_owners(&self, tx: &mut Tx, caller: &Caller, account_id: AccountId) -> Result<()> {
        if !storage::accounts::hold(tx, account_id).await? {
            return Err(Error::new(Code::NotFound));
        }
        let Identity::User(signed_in) = &caller.identity else { return Ok(()) };
        let caller_now = storage::users::by_id(tx, account_id, signed_in.user_id).await?;
        let still = caller_now.is_some_and(|user| permits(&user.roles.effective(), Permission::Administer));
        if still { Ok(()) } else { Err(Error::new(Code::Forbidden)) }
    }

    /// What a user may become: as asked, without the break-glass mark where they cannot carry it any more. Refused where
    /// that leaves the account without a break-glass user, or where `marked` asks to mark somebody who cannot be one.
    pub(crate) async fn guarded_user(
        &self,
        tx: &mut Tx,
        before: &User,
        mut after: User,
        marked: Option<bool>,
    ) -> Result<User> {
        after.break_glass = marked.unwrap_or(before.break_glass);
        if after.break_glass {
            let credential = storage::password_credentials::by_user(tx, after.account_id, after.id).await?;
            after.break_glass = can_be_break_glass(&after, credential.is_some());
            if marked == Some(true) && !after.break_glass {
                let problem = "needs an active user of the admin portal with an assigned owner role and a password";
                return Err(Error::invalid("/break_glass", problem));
            }
        }
        self.guard_owners(tx, before, Some(&after)).await?;
        Ok(after)
    }

    /// Whether somebody who has a password now becomes a break-glass user by that: the first owner does.
    pub(crate) async fn becomes_break_glass(&self, tx: &mut Tx, user: &User) -> Result<bool> {
        Ok(is_owner(user) && becomes_break_glass(user, other_owners(tx, user).await?))
    }

    /// Refuses a change that would leave the account without a break-glass user; `after` is none for a removal.
    pub(crate) async fn guard_owners(&self, tx: &mut Tx, before: &User, after: Option<&User>) -> Result<()> {
        if !is_owner(before) && !before.break_glass {
            return Ok(());
        }
        let others = other_owners(tx, before).await?;
        decide_user_change(before, after, others).map_err(|_| Error::new(Code::BreakGlassRequired))
    }
}

async fn other_owners(tx: &mut Tx, user: &User) -> Result<OtherOwners> {
    let owners = storage::users::owners(tx, user.account_id).await?;
    let others = owners.iter().filter(|owner| owner.id != user.id);
    Ok(others.fold(OtherOwners::default(), |count, owner| OtherOwners {
        owners: count.owners + 1,
        break_glass: count.break_glass + usize::from(owner.break_glass),
    }))
}
