//! Inviting many at once (E1): one transaction for all, and what became of each.
//!
//! What is wrong with one row (its email, a username that is taken) refuses that row alone; a fault leaves nothing
//! of the batch. What can be made ready (ids, tokens, sealed mails) is, before the transaction begins: on SQLite
//! all other writers wait for it.

use std::collections::BTreeMap;

use domain::invitation::Invitation;
use domain::role::Permission;
use domain::{AccountId, InvitationBatchId};
use storage::Tx;

use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::people::People;
use crate::people::directory::{Claims, Naming};
use crate::people::invitations::invite::{InviteOptions, Invitee, Plan, Prepared};

/// Most people of one batch: a large company's whole directory takes a few of them, and its transaction a second
/// or two.
pub const BATCH_MAX: usize = 10_000;

/// Many invitations that were asked for at once.
#[derive(Debug)]
pub struct InvitationBatch {
    /// Names it: lists find its invitations by this.
    pub id: InvitationBatchId,
    /// Row by row, in the order in which they were sent.
    pub results: Vec<BatchResult>,
}

/// Outcome of one row.
#[derive(Debug)]
pub enum BatchResult {
    /// The person is invited.
    Invited(Box<Invitation>),
    /// The row was refused, and why.
    Refused(Box<Error>),
}

/// Invitations of many users, with what is alike for all of them.
#[derive(Debug)]
pub struct InviteBatch {
    /// Portal, inviter and mails.
    pub options: InviteOptions,
    /// Users who are invited; a row that could not be read comes as its error.
    pub rows: Vec<Result<Invitee>>,
}

impl People {
    /// Invites many people. Rows that could not be read come as their error, and are among the results.
    pub async fn create_invitation_batch(
        &self,
        caller: &Caller,
        account_id: AccountId,
        invites: InviteBatch,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<InvitationBatch>> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        let InviteBatch { options, rows } = invites;
        if rows.is_empty() || rows.len() > BATCH_MAX {
            return Err(Error::invalid("/invitations", format!("must have 1 to {BATCH_MAX} entries")));
        }
        let mut tx = self.core.store.read().await?;
        let account = account(&mut tx, account_id).await?;
        let mut plan = self.plan(&mut tx, caller, &account, &options).await?;
        let earlier = self.core.replay(&mut tx, caller, key).await?;
        let id = match &earlier {
            Some(id) => id.parse().map_err(Error::internal)?,
            None => InvitationBatchId::from_uuid(self.core.uuid()),
        };
        plan.batch_id = Some(id);
        let rows = rows.into_iter().map(|row| row.and_then(|invitee| self.prepare(&plan, invitee))).collect();
        if earlier.is_some() {
            let results = replayed_results(&mut tx, account_id, id, rows).await?;
            return Ok(Created::replayed(InvitationBatch { id, results }));
        }
        drop(tx);
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        let results = self.write_batch(&mut tx, &plan, rows).await?;
        self.core.remember(&mut tx, caller, key, id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(InvitationBatch { id, results }))
    }

    async fn write_batch(&self, tx: &mut Tx, plan: &Plan<'_>, rows: Vec<Result<Prepared>>) -> Result<Vec<BatchResult>> {
        let mut claims = Claims::of_portal(tx, plan.account_id, plan.portal).await?;
        let naming = Naming { caller: plan.caller, by_invitation: true };
        let (mut admitted, mut prepared) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows {
            admitted.push(row.and_then(|one| {
                claims.take(naming, &one.user)?;
                prepared.push(one);
                Ok(())
            }));
        }
        let mut written = self.write_invitations(tx, plan.caller, prepared).await?.into_iter();
        let result = |row: Result<()>| match row.map(|()| written.next().flatten()) {
            Ok(Some(invitation)) => BatchResult::Invited(Box::new(invitation)),
            Ok(None) => BatchResult::Refused(Box::new(Error::new(Code::UsernameTaken))),
            Err(error) => BatchResult::Refused(Box::new(error)),
        };
        Ok(admitted.into_iter().map(result).collect())
    }
}

/// Results of an earlier request with the same key: the users of its batch were invited by it.
async fn replayed_results(
    tx: &mut Tx,
    account_id: AccountId,
    id: InvitationBatchId,
    rows: Vec<Result<Prepared>>,
) -> Result<Vec<BatchResult>> {
    let invited = storage::invitations::by_batch(tx, account_id, id).await?;
    let mut invited: BTreeMap<String, Invitation> =
        invited.into_iter().map(|invitation| (invitation.username.normalized(), invitation)).collect();
    let result = |row: Result<Prepared>| match row {
        Err(error) => BatchResult::Refused(Box::new(error)),
        Ok(one) => match invited.remove(&one.user.username.normalized()) {
            Some(invitation) => BatchResult::Invited(Box::new(invitation)),
            None => BatchResult::Refused(Box::new(Error::new(Code::UsernameTaken))),
        },
    };
    Ok(rows.into_iter().map(result).collect())
}
