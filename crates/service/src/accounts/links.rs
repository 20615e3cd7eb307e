//! Links between accounts (G1): an owner of one asks, an owner of the other accepts, an owner of either ends them.

use domain::account::Account;
use domain::account_link::{AccountLink, AccountRelation, LINKS_MAX, LinkState};
use domain::audit::AuditAction;
use domain::role::Permission;
use domain::session::SessionEnd;
use domain::{AccountId, AccountLinkId};
use serde_json::{Value, json};
use storage::Tx;
use storage::sessions::AcrossAccounts;

use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};

/// A link, with what its side may know of the other.
#[derive(Debug, Clone)]
pub struct AccountLinkView {
    /// The link as stored.
    pub link: AccountLink,
    /// The account on the other side; none until it may be known.
    pub other: Option<Account>,
}

impl AccountLinkView {
    pub(crate) fn of(link: AccountLink, other: Account) -> Self {
        Self { other: link.tells_name().then_some(other), link }
    }
}

/// Accounts that a new link joins, as the one that asks sees them.
#[derive(Clone, Copy)]
pub(super) struct LinkedAccounts {
    pub account_id: AccountId,
    pub other_account_id: AccountId,
}

impl Accounts {
    /// Asks for a link with the account of this id, which its owners alone can tell.
    pub async fn request_account_link(
        &self,
        caller: &Caller,
        account_id: AccountId,
        other: AccountId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<AccountLinkView>> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let link = link(&mut tx, account_id, id.parse().map_err(Error::internal)?).await?;
            return Ok(Created::replayed(view(&mut tx, link).await?));
        }
        if other == account_id {
            return Err(Error::invalid("/other_account_id", "must be another account than this one"));
        }
        let other = account(&mut tx, other).await?;
        let of = LinkedAccounts { account_id, other_account_id: other.id };
        let asked = self.new_account_link(of, AccountRelation::Linked, LinkState::Requested);
        self.insert_account_link(&mut tx, &asked).await?;
        self.record_on_both_sides(&mut tx, caller, AuditAction::AccountLinkRequested, &asked).await?;
        self.core.remember(&mut tx, caller, key, asked.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(AccountLinkView::of(asked, other)))
    }

    /// Agrees to a link that the other side asked for. For an owner in person: an operator cannot consent for them.
    pub async fn accept_account_link(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: AccountLinkId,
    ) -> Result<AccountLinkView> {
        caller.authorize(account_id, Permission::Administer)?;
        caller.user()?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        let asked = link(&mut tx, account_id, id).await?;
        match asked.state {
            LinkState::Asked => {}
            LinkState::Accepted => return view(&mut tx, asked).await,
            LinkState::Requested => {
                let detail = "An owner of the other account accepts what was asked here";
                return Err(Error::new(Code::Forbidden).with_detail(detail));
            }
        }
        let now = self.core.now();
        storage::account_links::accept(&mut tx, &asked, now).await?;
        let accepted = AccountLink { state: LinkState::Accepted, accepted_at: Some(now), ..asked };
        self.record_on_both_sides(&mut tx, caller, AuditAction::AccountLinkAccepted, &accepted).await?;
        let view = view(&mut tx, accepted).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Ends a link, or declines it; sessions that came over it end at once, on both sides, and so do those of a
    /// sandbox that its account's applications hold.
    pub async fn end_account_link(&self, caller: &Caller, account_id: AccountId, id: AccountLinkId) -> Result<()> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        let gone = link(&mut tx, account_id, id).await?;
        storage::account_links::delete(&mut tx, &gone).await?;
        let (of, from) = (gone.account_id, gone.other_account_id);
        let sides = [AcrossAccounts { of, from }, AcrossAccounts { of: from, from: of }];
        for side in sides {
            storage::sessions::end_switched(&mut tx, side, self.core.now(), SessionEnd::LinkEnded).await?;
            storage::sessions::end_served_by(&mut tx, side, self.core.now(), SessionEnd::LinkEnded).await?;
        }
        self.record_on_both_sides(&mut tx, caller, AuditAction::AccountLinkEnded, &gone).await?;
        Ok(tx.commit().await?)
    }

    /// Lists the links of an account, all at once: there are at most [`LINKS_MAX`].
    pub async fn list_account_links(&self, caller: &Caller, account_id: AccountId) -> Result<Vec<AccountLinkView>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let links = storage::account_links::list(&mut tx, account_id).await?;
        Ok(links.into_iter().map(|(link, other)| AccountLinkView::of(link, other)).collect())
    }

    /// Reads a link of an account.
    pub async fn get_account_link(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: AccountLinkId,
    ) -> Result<AccountLinkView> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        let link = link(&mut tx, account_id, id).await?;
        view(&mut tx, link).await
    }

    pub(super) fn new_account_link(
        &self,
        of: LinkedAccounts,
        relation: AccountRelation,
        state: LinkState,
    ) -> AccountLink {
        let LinkedAccounts { account_id, other_account_id } = of;
        let (id, now) = (AccountLinkId::from_uuid(self.core.uuid()), self.core.now());
        let accepted_at = (state == LinkState::Accepted).then_some(now);
        AccountLink { id, account_id, other_account_id, relation, state, requested_at: now, accepted_at }
    }

    /// Writes a new link, unless its account has too many. That account's row is held.
    pub(crate) async fn insert_account_link(&self, tx: &mut Tx, link: &AccountLink) -> Result<()> {
        if storage::account_links::list(tx, link.account_id).await?.len() >= LINKS_MAX {
            return Err(Error::new(Code::TooManyAccountLinks));
        }
        Ok(storage::account_links::insert(tx, link).await?)
    }

    /// Both accounts can read what was agreed, and who did it.
    pub(crate) async fn record_on_both_sides(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        action: AuditAction,
        link: &AccountLink,
    ) -> Result<()> {
        for side in [*link, link.seen_by_other()] {
            let after = json!({
                "other_account_id": side.other_account_id, "relation": side.relation, "state": side.state,
            });
            let (before, after) =
                if action == AuditAction::AccountLinkEnded { (after, Value::Null) } else { (Value::Null, after) };
            let target = side.id.to_string();
            self.core
                .record(tx, caller, AuditEntry { account_id: Some(side.account_id), action, target, before, after })
                .await?;
        }
        Ok(())
    }
}

async fn link(tx: &mut Tx, account_id: AccountId, id: AccountLinkId) -> Result<AccountLink> {
    storage::account_links::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

async fn view(tx: &mut Tx, link: AccountLink) -> Result<AccountLinkView> {
    let other = account(tx, link.other_account_id).await?;
    Ok(AccountLinkView::of(link, other))
}
