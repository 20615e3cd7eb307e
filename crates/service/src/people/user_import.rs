//! Importing many users at once (A2): from another directory, or ahead of SSO.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::AccountId;
use domain::audit::AuditAction;
use domain::role::Permission;
use domain::user::User;
use serde_json::Value;
use storage::Tx;

use crate::core::caller::Caller;
use crate::core::error::{Error, Result};
use crate::people::People;
use crate::people::directory::{Claims, Naming};
use crate::people::users::{NewUser, audited_user, check_roles, entry};

/// Most users of one import: one transaction holds them, and sign-ins of other accounts wait for it on SQLite.
pub const IMPORT_MAX: usize = 500;

/// Result of one row of an import.
#[derive(Debug)]
pub enum ImportedUser {
    /// The user was created.
    Created(Box<User>),
    /// The row was refused, and why.
    Refused(Box<Error>),
}

impl People {
    /// Creates these users in one transaction and says of each what became of it. A row with a name that another
    /// user has, also of a row before it, is refused alone; a fault leaves nothing.
    pub async fn import_users(
        &self,
        caller: &Caller,
        account_id: AccountId,
        rows: Vec<NewUser>,
    ) -> Result<Vec<ImportedUser>> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        if rows.is_empty() || rows.len() > IMPORT_MAX {
            return Err(Error::invalid("/users", format!("must have 1 to {IMPORT_MAX} entries")));
        }
        for row in &rows {
            check_roles(row.portal, &row.roles)?;
        }
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        let (mut claims, mut results) = (BTreeMap::new(), Vec::with_capacity(rows.len()));
        for row in rows {
            let user = self.invited_user(account_id, row);
            caller.authorize_making(&user)?;
            let claims = match claims.entry(user.portal) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Claims::of_portal(&mut tx, account_id, user.portal).await?),
            };
            results.push(match claims.take(Naming { caller, by_invitation: false }, &user) {
                Ok(()) => {
                    self.write_imported(&mut tx, caller, &user).await?;
                    ImportedUser::Created(Box::new(user))
                }
                Err(refusal) => ImportedUser::Refused(Box::new(refusal)),
            });
        }
        tx.commit().await?;
        Ok(results)
    }

    async fn write_imported(&self, tx: &mut Tx, caller: &Caller, user: &User) -> Result<()> {
        storage::users::insert(tx, user).await?;
        self.stage_invitation(tx, caller, user).await?;
        self.core.record(tx, caller, entry(AuditAction::UserCreated, user, Value::Null, audited_user(user))).await
    }
}
