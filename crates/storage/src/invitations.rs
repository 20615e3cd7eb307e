//! Invitations. What an invitation names may be removed before it; a removed user's one stays as a record.

use domain::email::Email;
use domain::invitation::{Invitation, InvitationEnd, InvitationMail, InvitationState};
use domain::portal::Portal;
use domain::user::SignInMethod;
use domain::username::lower_case;
use domain::{AccountId, InvitationBatchId, InvitationId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{containing, millis, parsed, stored, text, time};
use crate::error::{Result, StorageError, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, execute_rows, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! invitation_columns {
    () => {
        "invitations.id AS invitation_id, invitations.account_id AS invitation_account_id,
        invitations.portal AS invitation_portal, invitations.user_id AS invitation_user_id,
        invitations.batch_id AS invitation_batch_id, invitations.username AS invitation_username,
        invitations.email AS invitation_email, invitations.invited_by AS invitation_invited_by,
        invitations.invited_at AS invitation_invited_at, invitations.mailed_at AS invitation_mailed_at,
        invitations.expires_at AS invitation_expires_at, invitations.sends AS invitation_sends,
        invitations.accepted_at AS invitation_accepted_at, invitations.accepted_method AS invitation_accepted_method,
        invitations.revoked_at AS invitation_revoked_at, invitations.first_owner AS invitation_first_owner"
    };
}

queries! {
    INSERT = "INSERT INTO invitations (id, account_id, portal, user_id, batch_id, username, email, search_text,
            invited_by, invited_at, mailed_at, expires_at, sends, accepted_at, accepted_method, revoked_at, first_owner)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    BY_ID = concat!("SELECT ", invitation_columns!(), " FROM invitations WHERE account_id = $1 AND id = $2");
    BY_USER = concat!("SELECT ", invitation_columns!(), " FROM invitations WHERE account_id = $1 AND user_id = $2");
    BY_BATCH = concat!("SELECT ", invitation_columns!(), " FROM invitations
        WHERE account_id = $1 AND batch_id = $2 ORDER BY id");
    LIST = concat!("SELECT ", invitation_columns!(), " FROM invitations
        WHERE account_id = $1 AND id < $2 AND (portal = $3 OR $3 IS NULL)
        AND (CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
            WHEN expires_at <= $4 THEN 'expired' ELSE 'pending' END = $5 OR $5 IS NULL)
        AND ((mailed_at IS NULL) = $6 OR $6 IS NULL) AND (batch_id = $7 OR $7 IS NULL)
        AND (search_text LIKE $8 ESCAPE '!' OR $8 IS NULL)
        ORDER BY id DESC LIMIT $9");
    MAIL = "UPDATE invitations SET email = $4, mailed_at = $5, expires_at = $6, sends = $7
        WHERE account_id = $1 AND id = $2 AND sends = $3 AND accepted_at IS NULL AND revoked_at IS NULL";
    FIRST_OWNERS = concat!("SELECT ", invitation_columns!(), " FROM invitations
        WHERE account_id = $1 AND first_owner ORDER BY id");
    // A sandbox is served by the applications of its account, so their pages serve its first owner too.
    WAITING_OWNERS = concat!("SELECT ", invitation_columns!(), " FROM invitations
        WHERE first_owner AND mailed_at IS NULL AND accepted_at IS NULL AND revoked_at IS NULL AND id > $1
        AND (account_id = $2 OR $2 IS NULL OR account_id IN (SELECT other_account_id FROM account_links
            WHERE account_links.account_id = $2 AND relation = 'sandbox'))
        AND NOT EXISTS (SELECT 1 FROM users WHERE users.account_id = invitations.account_id AND users.break_glass)
        ORDER BY id LIMIT $3");
    ACCEPT_OF_USER = "UPDATE invitations SET accepted_at = $3, accepted_method = $4
        WHERE account_id = $1 AND user_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL";
    REVOKE_OF_USER = "UPDATE invitations SET revoked_at = $3,
            revoked_username = (SELECT username_normalized FROM users WHERE account_id = $1 AND id = $2),
            revoked_email = (SELECT email_normalized FROM users WHERE account_id = $1 AND id = $2)
        WHERE account_id = $1 AND user_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL";
    IS_REVOKED = "SELECT id FROM invitations
        WHERE account_id = $1 AND portal = $2 AND (revoked_username = $3 OR revoked_email = $3) LIMIT 1";
}

/// Narrows the list of an account's invitations.
#[derive(Debug, Clone, Default)]
pub struct InvitationFilter {
    /// Lists the invitations into this portal alone.
    pub portal: Option<Portal>,
    /// Lists the invitations in this state alone, as of the time of the call.
    pub state: Option<InvitationState>,
    /// Lists the invitations that never had a mail (`true`), or that had one (`false`).
    pub staged: Option<bool>,
    /// Lists the invitations of this batch alone.
    pub batch_id: Option<InvitationBatchId>,
    /// A part of the username, email or display name, without regard to case.
    pub search: Option<String>,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
pub(crate) struct InvitationRow {
    invitation_id: Uuid,
    invitation_account_id: Uuid,
    invitation_portal: String,
    invitation_user_id: Uuid,
    invitation_batch_id: Option<Uuid>,
    invitation_username: String,
    invitation_email: Option<String>,
    invitation_invited_by: Option<Uuid>,
    invitation_invited_at: i64,
    invitation_mailed_at: Option<i64>,
    invitation_expires_at: Option<i64>,
    invitation_sends: i64,
    invitation_accepted_at: Option<i64>,
    invitation_accepted_method: Option<String>,
    invitation_revoked_at: Option<i64>,
    invitation_first_owner: bool,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StorageError;

    fn try_from(row: InvitationRow) -> Result<Self> {
        let (mail, end) = (read_mail(&row)?, read_end(&row)?);
        let email = row.invitation_email;
        Ok(Self {
            id: InvitationId::from_uuid(row.invitation_id),
            account_id: AccountId::from_uuid(row.invitation_account_id),
            portal: parsed("invitations.portal", &row.invitation_portal)?,
            user_id: UserId::from_uuid(row.invitation_user_id),
            batch_id: row.invitation_batch_id.map(InvitationBatchId::from_uuid),
            username: stored("invitations.username", row.invitation_username)?,
            email: email.map(|email| stored("invitations.email", email)).transpose()?,
            first_owner: row.invitation_first_owner,
            invited_by: row.invitation_invited_by.map(UserId::from_uuid),
            invited_at: time("invitations.invited_at", row.invitation_invited_at)?,
            mail,
            end,
        })
    }
}

fn read_mail(row: &InvitationRow) -> Result<Option<InvitationMail>> {
    let Some((mailed_at, expires_at)) = row.invitation_mailed_at.zip(row.invitation_expires_at) else {
        return Ok(None);
    };
    let sends = u32::try_from(row.invitation_sends);
    Ok(Some(InvitationMail {
        mailed_at: time("invitations.mailed_at", mailed_at)?,
        expires_at: time("invitations.expires_at", expires_at)?,
        sends: sends.map_err(|error| StorageError::corrupt("invitations.sends", error))?,
    }))
}

fn read_end(row: &InvitationRow) -> Result<Option<InvitationEnd>> {
    if let Some((at, method)) = row.invitation_accepted_at.zip(row.invitation_accepted_method.as_deref()) {
        let at = time("invitations.accepted_at", at)?;
        return Ok(Some(InvitationEnd::Accepted(at, parsed("invitations.accepted_method", method)?)));
    }
    let revoked_at = row.invitation_revoked_at.map(|at| time("invitations.revoked_at", at)).transpose()?;
    Ok(revoked_at.map(InvitationEnd::Revoked))
}

/// An invitation, and what its user is searched by.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// The invitation itself, as stored.
    pub invitation: Invitation,
    /// Display name of its user.
    pub display_name: Option<domain::text::Label>,
}

impl NewInvitation {
    fn search_text(&self) -> String {
        let email = self.invitation.email.as_ref().map_or("", Email::as_str);
        let name = self.display_name.as_ref().map_or("", domain::text::Label::as_str);
        lower_case(&format!("{}\n{email}\n{name}", self.invitation.username.as_str()))
    }

    fn end(&self) -> (Option<(Timestamp, SignInMethod)>, Option<Timestamp>) {
        match self.invitation.end {
            Some(InvitationEnd::Accepted(at, method)) => (Some((at, method)), None),
            Some(InvitationEnd::Revoked(at)) => (None, Some(at)),
            None => (None, None),
        }
    }
}

/// Adds invitations, many rows to a statement.
pub async fn insert_all(tx: &mut Tx, rows: &[NewInvitation]) -> Result<()> {
    execute_rows!(tx, INSERT, rows, |row| {
        id: row.invitation.id.as_uuid(),
        account_id: row.invitation.account_id.as_uuid(),
        portal: row.invitation.portal.as_str(),
        user_id: row.invitation.user_id.as_uuid(),
        batch_id: row.invitation.batch_id.map(InvitationBatchId::as_uuid),
        username: row.invitation.username.as_str(),
        email: row.invitation.email.as_ref().map(Email::as_str),
        search_text: row.search_text(),
        invited_by: row.invitation.invited_by.map(UserId::as_uuid),
        invited_at: millis(row.invitation.invited_at),
        mailed_at: row.invitation.mail.map(|mail| millis(mail.mailed_at)),
        expires_at: row.invitation.mail.map(|mail| millis(mail.expires_at)),
        sends: row.invitation.mail.map_or(0, |mail| i64::from(mail.sends)),
        accepted_at: row.end().0.map(|(at, _)| millis(at)),
        accepted_method: row.end().0.map(|(_, method)| method.as_str()),
        revoked_at: row.end().1.map(millis),
        first_owner: row.invitation.first_owner,
    })?;
    Ok(())
}

/// The invitation of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: InvitationId) -> Result<Option<Invitation>> {
    let row: Option<InvitationRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(Invitation::try_from).transpose()
}

/// Finds the invitation of this user; users that an identity provider created have none.
pub async fn by_user(tx: &mut Tx, account_id: AccountId, user_id: UserId) -> Result<Option<Invitation>> {
    let row: Option<InvitationRow> = fetch_optional!(tx, BY_USER, account_id.as_uuid(), user_id.as_uuid())?;
    row.map(Invitation::try_from).transpose()
}

/// The invitations of the account's first owner, the oldest first: mostly one.
pub async fn first_owners(tx: &mut Tx, account_id: AccountId) -> Result<Vec<Invitation>> {
    let rows: Vec<InvitationRow> = fetch_all!(tx, FIRST_OWNERS, account_id.as_uuid())?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// The invitations of first owners whose mail waits, in the order of their ids: of this account and its sandboxes,
/// or, for what the installation does by itself, of all. Accounts that have a break-glass user meanwhile are left
/// out.
pub async fn waiting_owners(
    tx: &mut Tx,
    of: Option<AccountId>,
    after: Option<InvitationId>,
    limit: u16,
) -> Result<Vec<Invitation>> {
    let after = after.map_or(Uuid::nil(), InvitationId::as_uuid);
    let rows: Vec<InvitationRow> = fetch_all!(tx, WAITING_OWNERS, after, of.map(AccountId::as_uuid), i64::from(limit))?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// All invitations of a batch, in order.
pub async fn by_batch(tx: &mut Tx, account_id: AccountId, batch_id: InvitationBatchId) -> Result<Vec<Invitation>> {
    let rows: Vec<InvitationRow> = fetch_all!(tx, BY_BATCH, account_id.as_uuid(), batch_id.as_uuid())?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// Invitations of an account as they stand at this time, the newest first.
pub async fn list(
    tx: &mut Tx,
    account_id: AccountId,
    filter: &InvitationFilter,
    now: Timestamp,
    page: &Page,
) -> Result<Paged<Invitation>> {
    let rows: Vec<InvitationRow> = fetch_all!(tx, LIST, {
        account_id: account_id.as_uuid(),
        below_id: page.below(),
        portal: filter.portal.map(Portal::as_str),
        past_expires_at: millis(now),
        state: filter.state.map(InvitationState::as_str),
        staged: filter.staged,
        batch_id: filter.batch_id.map(InvitationBatchId::as_uuid),
        search_text: filter.search.as_deref().map(containing),
        limit: page.rows(),
    })?;
    let invitations = rows.into_iter().map(Invitation::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(invitations, page, |invitation: &Invitation| invitation.id.as_uuid()))
}

/// Writes that an invitation was mailed once more, to the address it now has; `Stale` if another mail came first, or it
/// has ended.
pub async fn mail(tx: &mut Tx, invitation: &Invitation, mail: InvitationMail) -> Result<()> {
    let rows = execute!(
        tx,
        MAIL,
        invitation.account_id.as_uuid(),
        invitation.id.as_uuid(),
        invitation.mail.map_or(0, |mail| i64::from(mail.sends)),
        invitation.email.as_ref().map(Email::as_str),
        millis(mail.mailed_at),
        millis(mail.expires_at),
        i64::from(mail.sends),
    )?;
    written(rows, StorageError::Stale)
}

/// Writes that a user accepted their invitation this way; `false` if they have none that is open.
pub async fn accept_of_user(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    at: Timestamp,
    method: SignInMethod,
) -> Result<bool> {
    let (account_id, user_id) = (account_id.as_uuid(), user_id.as_uuid());
    Ok(execute!(tx, ACCEPT_OF_USER, account_id, user_id, millis(at), method.as_str())? > 0)
}

/// Writes that a user's invitation was taken back, and what they went by; `false` if they have none that is open.
/// Before the user is removed.
pub async fn revoke_of_user(tx: &mut Tx, account_id: AccountId, user_id: UserId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, REVOKE_OF_USER, account_id.as_uuid(), user_id.as_uuid(), millis(at))? > 0)
}

/// Whether an invitation of a user with this identity, in its compared form, was revoked (C3).
pub async fn is_revoked(tx: &mut Tx, account_id: AccountId, portal: Portal, identity: &str) -> Result<bool> {
    let identity = text(identity);
    let row: Option<(Uuid,)> = fetch_optional!(tx, IS_REVOKED, account_id.as_uuid(), portal.as_str(), identity)?;
    Ok(row.is_some())
}
