//! Pairs of users (G1): read, and ended by either user or by an owner of either account. [`pairing`] makes them.

pub(crate) mod pairing;

use domain::account::Account;
use domain::account_link::LINKS_MAX;
use domain::account_pair::{AccountPair, PairState};
use domain::audit::AuditAction;
use domain::role::Permission;
use domain::session::SessionEnd;
use domain::username::Username;
use domain::{AccountId, AccountPairId};
use serde_json::{Value, json};
use storage::account_pairs::{PairFilter, StandingPair};
use storage::{Page, Paged, Tx};

use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};

/// A pair, as people read it on one side.
#[derive(Debug, Clone)]
pub struct AccountPairView {
    /// The pair, seen from that side.
    pub pair: AccountPair,
    /// State by the epochs of now.
    pub state: PairState,
    /// The username on this side.
    pub username: Username,
    /// The account on the other side.
    pub other: Account,
}

impl AccountPairView {
    fn of((standing, other): (StandingPair, Account)) -> Self {
        let StandingPair { pair, state, username } = standing;
        Self { pair, state, username, other }
    }
}

impl Accounts {
    /// Lists the caller's own pairs, all at once: there is one at most with each linked account.
    pub async fn list_my_account_pairs(&self, caller: &Caller) -> Result<Vec<AccountPairView>> {
        let signed_in = caller.user()?;
        let filter = PairFilter { user_id: Some(signed_in.user_id) };
        let all = Page::first(u16::try_from(LINKS_MAX).unwrap_or(u16::MAX));
        let mut tx = self.core.store.read().await?;
        let found = storage::account_pairs::list(&mut tx, signed_in.account_id, &filter, &all).await?;
        Ok(found.items.into_iter().map(AccountPairView::of).collect())
    }

    /// Lists the pairs of an account's users.
    pub async fn list_account_pairs(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &PairFilter,
        page: &Page,
    ) -> Result<Paged<AccountPairView>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let found = storage::account_pairs::list(&mut tx, account_id, filter, page).await?;
        Ok(Paged { items: found.items.into_iter().map(AccountPairView::of).collect(), next: found.next })
    }

    /// Ends one of the caller's own pairs; sessions that came over it end at once, on both sides.
    pub async fn end_my_account_pair(&self, caller: &Caller, id: AccountPairId) -> Result<()> {
        let signed_in = caller.user()?;
        let mut tx = self.core.store.begin().await?;
        let pair = pair(&mut tx, signed_in.account_id, id).await?;
        if pair.user.user_id != signed_in.user_id {
            return Err(Error::new(Code::NotFound));
        }
        self.end_pair(&mut tx, &pair, &caller.origin()).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a pair of a user of the account, for its owners.
    pub async fn end_account_pair(&self, caller: &Caller, account_id: AccountId, id: AccountPairId) -> Result<()> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        let pair = pair(&mut tx, account_id, id).await?;
        self.end_pair(&mut tx, &pair, &caller.origin()).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a pair, and the sessions that came over it in either direction.
    async fn end_pair(&self, tx: &mut Tx, pair: &AccountPair, origin: &AuditOrigin) -> Result<()> {
        storage::account_pairs::delete(tx, pair).await?;
        for side in [pair, &pair.seen_by_other()] {
            storage::sessions::end_over_pair(tx, side, self.core.now(), SessionEnd::PairEnded).await?;
            let entry = pair_entry(AuditAction::AccountPairEnded, side, audited(side), Value::Null);
            self.core.record_as(tx, origin.clone(), entry).await?;
        }
        Ok(())
    }
}

async fn pair(tx: &mut Tx, account_id: AccountId, id: AccountPairId) -> Result<AccountPair> {
    let found = storage::account_pairs::by_id(tx, account_id, id).await?;
    found.map(|standing| standing.pair).ok_or_else(|| Error::new(Code::NotFound))
}

/// An event of a pair, for the log of one side.
fn pair_entry(action: AuditAction, side: &AccountPair, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(side.user.account_id), action, target: side.id.to_string(), before, after }
}

fn audited(side: &AccountPair) -> Value {
    json!({
        "user_id": side.user.user_id,
        "other_account_id": side.other.account_id,
        "other_user_id": side.other.user_id,
    })
}
