//! Guards that keep a break-glass user in every account (A4): for every change of an owner, also when two are
//! changed at once.

mod announcement;

use domain::account::Account;
use domain::account_settings::AccountSettings;
use domain::break_glass::{
    OtherOwners, Standing, becomes_break_glass, can_be_break_glass, decide_user_change, gets_in, is_owner,
};
use domain::role::{Permission, permits};
use domain::user::User;
use domain::{AccountId, UserId};
use storage::Tx;
use storage::break_glass::Owner;

use crate::core::account;
use crate::core::caller::{Caller, Identity};
use crate::core::error::{Code, Error, Result};
use crate::people::People;
use crate::people::credential_epochs::check_stands;

impl People {
    /// Holds an account's row, so that changes of its owners come one after another; then looks once more whether
    /// the caller may make one, because the change before may have demoted them. First in its transaction.
    pub(crate) async fn hold_owners(&self, tx: &mut Tx, caller: &Caller, account_id: AccountId) -> Result<()> {
        if !storage::accounts::hold(tx, account_id).await? {
            return Err(Error::new(Code::NotFound));
        }
        let Identity::User(signed_in) = &caller.identity else { return Ok(()) };
        let caller_now = storage::users::by_id(tx, account_id, signed_in.user_id).await?;
        let caller_now = caller_now.ok_or_else(|| Error::new(Code::SessionExpired))?;
        check_stands(&caller_now, signed_in)?;
        let still = permits(&caller_now.roles.counting_in(signed_in.method), Permission::Administer);
        if still { Ok(()) } else { Err(Error::new(Code::Forbidden)) }
    }

    /// Decides what a user may become: as asked, without the break-glass mark where they cannot carry it any more.
    /// Refused where that leaves the account without a break-glass user, or where `marked` asks to mark a user who
    /// cannot be one.
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
            // A marked user keeps the mark with a temporary password: without it they would be no nearer to getting in.
            let keeps = before.break_glass && credential.is_some();
            let has_own_password = keeps || credential.is_some_and(|credential| credential.is_own(self.core.now()));
            after.break_glass = can_be_break_glass(&after, has_own_password);
            if marked == Some(true) && !after.break_glass {
                let problem = "needs an active user of the admin portal with an assigned owner role and a password of their \
                               own, not a temporary one";
                return Err(Error::invalid("/break_glass", problem));
            }
        }
        self.guard_owners(tx, before, Some(&after)).await?;
        Ok(after)
    }

    /// Whether an invited owner becomes a break-glass user by the link of their invitation, which sets a password.
    pub(crate) async fn becomes_break_glass(&self, tx: &mut Tx, user: &User, first_owner: bool) -> Result<bool> {
        if !is_owner(user) {
            return Ok(false);
        }
        let settings = account(tx, user.account_id).await?.settings;
        let others = others(&self.owners(tx, user.account_id).await?, user.id, &settings);
        Ok(becomes_break_glass(user, first_owner, others))
    }

    /// Refuses a change that would leave the account without a break-glass user who gets in; `after` is none for a
    /// removal.
    pub(crate) async fn guard_owners(&self, tx: &mut Tx, before: &User, after: Option<&User>) -> Result<()> {
        if !is_owner(before) && !before.break_glass {
            return Ok(());
        }
        let settings = account(tx, before.account_id).await?.settings;
        let owners = self.owners(tx, before.account_id).await?;
        let has_own_password = owners.iter().any(|owner| owner.user.id == before.id && owner.has_own_password);
        let standing = |user| Standing { user, gets_in: gets_in(user, has_own_password, &settings) };
        let others = others(&owners, before.id, &settings);
        decide_user_change(standing(before), after.map(standing), others).map_err(|_| required())
    }

    /// Refuses settings under which no break-glass user would get in who does now: a code that could reach none of
    /// them.
    pub(crate) async fn guard_settings(&self, tx: &mut Tx, before: &Account, after: &AccountSettings) -> Result<()> {
        let owners = self.owners(tx, before.id).await?;
        let somebody = |settings| owners.iter().any(|owner| gets_in(&owner.user, owner.has_own_password, settings));
        if somebody(&before.settings) && !somebody(after) {
            let detail = "No break-glass user has an email or recovery_email that the code could go to";
            return Err(required().with_detail(detail));
        }
        Ok(())
    }

    /// Refuses to go on where no user gets in by form login, whatever happens to SSO.
    pub(crate) async fn require_break_glass(&self, tx: &mut Tx, account_id: AccountId) -> Result<()> {
        let settings = account(tx, account_id).await?.settings;
        let owners = self.owners(tx, account_id).await?;
        let somebody = owners.iter().any(|owner| gets_in(&owner.user, owner.has_own_password, &settings));
        if somebody { Ok(()) } else { Err(required()) }
    }

    async fn owners(&self, tx: &mut Tx, account_id: AccountId) -> Result<Vec<Owner>> {
        Ok(storage::break_glass::owners(tx, account_id, self.core.now()).await?)
    }
}

fn required() -> Error {
    Error::new(Code::BreakGlassRequired)
}

/// The other owners than this one.
fn others(owners: &[Owner], than: UserId, settings: &AccountSettings) -> OtherOwners {
    let others = owners.iter().filter(|owner| owner.user.id != than);
    others.fold(OtherOwners::default(), |count, owner| OtherOwners {
        owners: count.owners + 1,
        break_glass: count.break_glass + usize::from(gets_in(&owner.user, owner.has_own_password, settings)),
    })
}
