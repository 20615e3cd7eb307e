//! Importing many users at once (A2): from another directory, or ahead of SSO.

use domain::AccountId;
use domain::role::Permission;
use domain::user::User;
use serde_json::Value;
use storage::StorageError;

use crate::Service;
use crate::accounts::account;
use crate::caller::Caller;
use crate::error::{Code, Error, Result};
use crate::users::{NewUser, audited_user, check_email, check_roles, deed};

/// Most users of one import: one transaction holds them, and sign-ins of other accounts wait for it on SQLite.
pub const IMPORT_MAX: usize = 500;

/// What became of one row.
#[derive(Debug, Clone)]
pub enum ImportedUser {
    /// The user was created.
    Created(Box<User>),
    /// The row was refused, and why.
    Refused(Code),
}

impl Service {
    /// Creates these users in one transaction and says of each what became of it. A row whose username is taken, or its email
    /// where SSO is required, is refused alone; a fault leaves nothing.
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
        let mut tx = self.store.begin().await?;
        account(&mut tx, account_id).await?;
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let user = self.invited_user(account_id, row);
            caller.authorize_over(&user)?;
            match check_email(&mut tx, &user).await {
                Err(error) if error.code == Code::SsoMultipleUsernames => {
                    results.push(ImportedUser::Refused(error.code));
                    continue;
                }
                checked => checked?,
            }
            match storage::users::insert(&mut tx, &user).await {
                Ok(()) => {
                    self.stage_invitation(&mut tx, caller, &user).await?;
                    self.record(&mut tx, caller, deed("user.created", &user, Value::Null, audited_user(&user))).await?;
                    results.push(ImportedUser::Created(Box::new(user)));
                }
                Err(StorageError::Conflict(_)) => results.push(ImportedUser::Refused(Code::UsernameTaken)),
                Err(error) => return Err(error.into()),
            }
        }
        tx.commit().await?;
        Ok(results)
    }
}
