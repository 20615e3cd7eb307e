//! Steps that a migration leaves to code, because SQL cannot say them: rows are rewritten once, after the
//! migrations, in one transaction with the mark that it is done.

use domain::username::{lower_case, normalized};
use domain::{AccountId, InvitationId, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;

queries! {
    TAKE = "DELETE FROM pending_rewrites WHERE name = $1";
    USERS = "SELECT id, account_id, username, email, display_name, username_normalized, email_normalized FROM users
        WHERE id > $1 AND status <> 'archived' ORDER BY id LIMIT $2";
    REWRITE_USER = "UPDATE users SET email_normalized = $3, search_text = $4 WHERE account_id = $1 AND id = $2";
    REWRITE_USERNAME = "UPDATE users SET username_normalized = $3
        WHERE account_id = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM users AS others
            WHERE others.account_id = $1 AND others.username_normalized = $3 AND others.id <> $2
            AND others.portal = (SELECT portal FROM users WHERE account_id = $1 AND id = $2))";
    REVOKED = "SELECT id, account_id, username, email FROM invitations
        WHERE id > $1 AND revoked_at IS NOT NULL AND revoked_username IS NULL ORDER BY id LIMIT $2";
    REWRITE_REVOKED = "UPDATE invitations SET revoked_username = $3, revoked_email = $4 WHERE account_id = $1 AND id = $2";
}

/// Rows that are read at once.
const ROWS: i64 = 5_000;

#[derive(sqlx::FromRow)]
struct UserTexts {
    id: Uuid,
    account_id: Uuid,
    username: String,
    email: Option<String>,
    display_name: Option<String>,
    username_normalized: String,
    email_normalized: Option<String>,
}

#[derive(sqlx::FromRow)]
struct RevokedTexts {
    id: Uuid,
    account_id: Uuid,
    username: String,
    email: Option<String>,
}

/// Writes the compared forms of identities anew, if a migration left it to be done; other processes wait for it. A
/// username that another user has in its new form stays as it was: [`crate::users::candidates`] finds it all the same,
/// so that a sign-in as either is refused as ambiguous.
pub(crate) async fn identities(tx: &mut Tx) -> Result<()> {
    if execute!(tx, TAKE, "identities")? == 0 {
        return Ok(());
    }
    let mut after = Uuid::nil();
    loop {
        let users: Vec<UserTexts> = fetch_all!(tx, USERS, after, ROWS)?;
        let Some(last) = users.last() else { break };
        after = last.id;
        for user in &users {
            rewrite_user(tx, user).await?;
        }
    }
    revoked_invitations(tx).await
}

async fn rewrite_user(tx: &mut Tx, user: &UserTexts) -> Result<()> {
    let (account_id, id) = (AccountId::from_uuid(user.account_id), UserId::from_uuid(user.id));
    let (username, email) = (normalized(&user.username), user.email.as_deref().map(normalized));
    if username == user.username_normalized && email == user.email_normalized {
        return Ok(());
    }
    let texts = (user.email.as_deref().unwrap_or_default(), user.display_name.as_deref().unwrap_or_default());
    let search_text = format!("{username}\n{}", lower_case(&format!("{}\n{}", texts.0, texts.1)));
    execute!(tx, REWRITE_USER, account_id.as_uuid(), id.as_uuid(), email, search_text)?;
    execute!(tx, REWRITE_USERNAME, account_id.as_uuid(), id.as_uuid(), username)?;
    Ok(())
}

async fn revoked_invitations(tx: &mut Tx) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let invitations: Vec<RevokedTexts> = fetch_all!(tx, REVOKED, after, ROWS)?;
        let Some(last) = invitations.last() else { return Ok(()) };
        after = last.id;
        for invitation in &invitations {
            let (account_id, id) =
                (AccountId::from_uuid(invitation.account_id), InvitationId::from_uuid(invitation.id));
            let (username, email) = (normalized(&invitation.username), invitation.email.as_deref().map(normalized));
            execute!(tx, REWRITE_REVOKED, account_id.as_uuid(), id.as_uuid(), username, email)?;
        }
    }
}
