//! Users, and which of their roles came from where.

use std::collections::{BTreeMap, BTreeSet};

use domain::credential_epoch::CredentialEpoch;
use domain::directory::{Directory, Names};
use domain::email::Email;
use domain::invitation::InvitationSummary;
use domain::portal::Portal;
use domain::role::{Role, RoleAssignments, RoleSet};
use domain::text::Label;
use domain::user::{LastSignIn, User, UserStatus};
use domain::username::{former_form, lower_case, normalized};
use domain::{AccountId, InvitationId, UserId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{containing, millis, optional_time, parsed, stored, text, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, execute_rows, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

/// The columns of a [`UserRow`], under names that a join with other tables leaves apart.
macro_rules! user_columns {
    () => {
        "users.id AS user_id, users.account_id AS user_account_id, users.portal AS user_portal,
        users.username AS user_username, users.email AS user_email, users.display_name AS user_display_name,
        users.recovery_email AS user_recovery_email, users.break_glass AS user_break_glass,
        users.require_email_mfa AS user_require_email_mfa, users.exempt AS user_exempt,
        users.credential_epoch AS user_credential_epoch, users.status AS user_status, users.assigned_roles AS user_assigned_roles, users.saml_roles AS user_saml_roles,
        users.last_sign_in_at AS user_last_sign_in_at, users.last_sign_in_method AS user_last_sign_in_method,
        users.created_at AS user_created_at, users.updated_at AS user_updated_at"
    };
}
pub(crate) use user_columns;

queries! {
    INSERT = "INSERT INTO users (id, account_id, portal, username, username_normalized, email, email_normalized,
            display_name, search_text, status, assigned_roles, saml_roles, last_sign_in_at, last_sign_in_method,
            created_at, updated_at, recovery_email, break_glass, require_email_mfa, exempt, credential_epoch)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT DO NOTHING";
    IDS_BETWEEN = "SELECT id FROM users WHERE account_id = $1 AND id >= $2 AND id <= $3";
    BY_ID = concat!("SELECT ", user_columns!(), " FROM users WHERE account_id = $1 AND id = $2");
    CANDIDATES = concat!("SELECT ", user_columns!(), " FROM users WHERE id IN (
            SELECT id FROM users WHERE account_id = $1 AND portal = $2 AND username_normalized IN ($3, $4)
            UNION
            SELECT id FROM users WHERE account_id = $1 AND portal = $2 AND email_normalized = $3)
        ORDER BY id");
    // The set of roles is closed and its names hold no quotes, so the quoted name is found in the array's text alone.
    LIST = concat!("SELECT ", user_columns!(), ", invitations.id AS invitation_id,
            invitations.invited_at AS invitation_invited_at, invitations.mailed_at AS invitation_mailed_at,
            invitations.expires_at AS invitation_expires_at, invitations.accepted_at AS invitation_accepted_at,
            invitations.revoked_at AS invitation_revoked_at
        FROM users
        LEFT JOIN invitations ON invitations.account_id = users.account_id AND invitations.user_id = users.id
        WHERE users.account_id = $1 AND users.id > $2 AND (users.portal = $3 OR $3 IS NULL)
        AND (users.status = $4 OR $4 IS NULL AND users.status <> 'archived')
        AND (CAST(users.assigned_roles AS TEXT) LIKE $5 OR CAST(users.saml_roles AS TEXT) LIKE $5 OR $5 IS NULL)
        AND (users.search_text LIKE $6 ESCAPE '!' OR $6 IS NULL)
        ORDER BY users.id LIMIT $7");
    UPDATE = "UPDATE users SET username = $5, username_normalized = $6, email = $7, email_normalized = $8,
            display_name = $9, search_text = $10, status = $11, assigned_roles = $12, saml_roles = $13, updated_at = $14,
            recovery_email = $15, break_glass = $16, require_email_mfa = $17, exempt = $18, credential_epoch = $19
        WHERE account_id = $1 AND id = $2 AND updated_at = $3 AND credential_epoch = $20 AND NOT EXISTS (SELECT 1 FROM users
            WHERE account_id = $1 AND portal = $4 AND username_normalized = $6 AND id <> $2)";
    DIRECTORY = "SELECT id, username, email, status FROM users
        WHERE account_id = $1 AND portal = $2 AND status <> 'archived'";
    HOLDER = "SELECT id FROM users WHERE account_id = $1 AND portal = $2 AND username_normalized = $3";
    RECORD_SIGN_IN = "UPDATE users SET last_sign_in_at = $3, last_sign_in_method = $4
        WHERE account_id = $1 AND id = $2 AND status = 'active' AND credential_epoch = $5";
    RAISE_EPOCH = "UPDATE users SET credential_epoch = $4 WHERE account_id = $1 AND id = $2 AND credential_epoch = $3";
    EPOCH = "SELECT credential_epoch FROM users WHERE account_id = $1 AND id = $2";
    HOLD_EPOCH = "UPDATE users SET credential_epoch = $3 WHERE account_id = $1 AND id = $2 AND credential_epoch = $3";
    DELETE = "DELETE FROM users WHERE account_id = $1 AND id = $2";
    SHARED_EMAILS = "SELECT email_normalized, username FROM users
        WHERE account_id = $1 AND portal = $2 AND status = 'active' AND email_normalized IN (
            SELECT email_normalized FROM users
            WHERE account_id = $1 AND portal = $2 AND status = 'active' AND email_normalized IS NOT NULL
            GROUP BY email_normalized HAVING count(*) > 1)
        ORDER BY id";
}

/// Narrows the list of an account's users.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Lists the users of this portal alone.
    pub portal: Option<Portal>,
    /// Lists the users with this status alone; if it is not given, archived users are left out.
    pub status: Option<UserStatus>,
    /// Lists the users who hold this role, from either source.
    pub role: Option<Role>,
    /// A part of the username, email or display name, without regard to case.
    pub search: Option<String>,
}

/// An email that several active users of a portal have (A2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedEmail {
    /// The email in its compared form.
    pub email: String,
    /// The usernames, the oldest user's first.
    pub usernames: Vec<String>,
}

/// A user as lists show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's row, as stored.
    pub user: User,
    /// Invitation of the user; none for a user that an identity provider created.
    pub invitation: Option<InvitationSummary>,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    user: UserRow,
    invitation_id: Option<Uuid>,
    invitation_invited_at: Option<i64>,
    invitation_mailed_at: Option<i64>,
    invitation_expires_at: Option<i64>,
    invitation_accepted_at: Option<i64>,
    invitation_revoked_at: Option<i64>,
}

impl TryFrom<ListedRow> for ListedUser {
    type Error = StorageError;

    fn try_from(row: ListedRow) -> Result<Self> {
        let invitation = row.invitation_id.zip(row.invitation_invited_at).map(|(id, invited_at)| {
            Ok::<_, StorageError>(InvitationSummary {
                id: InvitationId::from_uuid(id),
                invited_at: time("invitations.invited_at", invited_at)?,
                mailed_at: optional_time("invitations.mailed_at", row.invitation_mailed_at)?,
                expires_at: optional_time("invitations.expires_at", row.invitation_expires_at)?,
                accepted_at: optional_time("invitations.accepted_at", row.invitation_accepted_at)?,
                revoked_at: optional_time("invitations.revoked_at", row.invitation_revoked_at)?,
            })
        });
        Ok(Self { user: row.user.try_into()?, invitation: invitation.transpose()? })
    }
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
pub(crate) struct UserRow {
    user_id: Uuid,
    user_account_id: Uuid,
    user_portal: String,
    user_username: String,
    user_email: Option<String>,
    user_display_name: Option<String>,
    user_recovery_email: Option<String>,
    user_break_glass: bool,
    user_require_email_mfa: bool,
    user_exempt: bool,
    user_credential_epoch: i64,
    user_status: String,
    user_assigned_roles: Json<RoleSet>,
    user_saml_roles: Json<RoleSet>,
    user_last_sign_in_at: Option<i64>,
    user_last_sign_in_method: Option<String>,
    user_created_at: i64,
    user_updated_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = StorageError;

    fn try_from(row: UserRow) -> Result<Self> {
        let last_sign_in = row.user_last_sign_in_at.zip(row.user_last_sign_in_method);
        Ok(Self {
            id: UserId::from_uuid(row.user_id),
            account_id: AccountId::from_uuid(row.user_account_id),
            portal: parsed("users.portal", &row.user_portal)?,
            username: stored("users.username", row.user_username)?,
            email: row.user_email.map(|email| stored("users.email", email)).transpose()?,
            display_name: row.user_display_name.map(|name| stored("users.display_name", name)).transpose()?,
            recovery_email: row.user_recovery_email.map(|email| stored("users.recovery_email", email)).transpose()?,
            break_glass: row.user_break_glass,
            require_email_mfa: row.user_require_email_mfa,
            exempt: row.user_exempt,
            credential_epoch: CredentialEpoch::from_number(row.user_credential_epoch),
            status: parsed("users.status", &row.user_status)?,
            roles: RoleAssignments { assigned: row.user_assigned_roles.0, saml: row.user_saml_roles.0 },
            last_sign_in: last_sign_in.map(|(at, method)| read_sign_in(at, &method)).transpose()?,
            created_at: time("users.created_at", row.user_created_at)?,
            updated_at: time("users.updated_at", row.user_updated_at)?,
        })
    }
}

fn read_sign_in(at: i64, method: &str) -> Result<LastSignIn> {
    Ok(LastSignIn { at: time("users.last_sign_in_at", at)?, method: parsed("users.last_sign_in_method", method)? })
}

/// Adds a user; `Conflict(Username)` if the portal has one of that name.
pub async fn insert(tx: &mut Tx, user: &User) -> Result<()> {
    written(insert_rows(tx, std::slice::from_ref(user)).await?, StorageError::Conflict(Unique::Username))
}

/// Adds users of one account, whose ids are in order, but for those whose username is taken; the ids of those who were
/// added.
pub async fn insert_all(tx: &mut Tx, users: &[User]) -> Result<BTreeSet<UserId>> {
    let (Some(first), Some(last)) = (users.first(), users.last()) else { return Ok(BTreeSet::new()) };
    let account_id = first.account_id.as_uuid();
    insert_rows(tx, users).await?;
    let rows: Vec<(Uuid,)> = fetch_all!(tx, IDS_BETWEEN, account_id, first.id.as_uuid(), last.id.as_uuid())?;
    let added: BTreeSet<UserId> = rows.into_iter().map(|(id,)| UserId::from_uuid(id)).collect();
    Ok(users.iter().map(|user| user.id).filter(|id| added.contains(id)).collect())
}

async fn insert_rows(tx: &mut Tx, users: &[User]) -> Result<u64> {
    execute_rows!(tx, INSERT, users, |user| {
        id: user.id.as_uuid(),
        account_id: user.account_id.as_uuid(),
        portal: user.portal.as_str(),
        username: user.username.as_str(),
        username_normalized: user.username.normalized(),
        email: user.email.as_ref().map(Email::as_str),
        email_normalized: user.email.as_ref().map(Email::normalized),
        display_name: user.display_name.as_ref().map(Label::as_str),
        search_text: search_text(user),
        status: user.status.as_str(),
        assigned_roles: Json(&user.roles.assigned),
        saml_roles: Json(&user.roles.saml),
        last_sign_in_at: user.last_sign_in.map(|last| millis(last.at)),
        last_sign_in_method: user.last_sign_in.map(|last| last.method.as_str()),
        created_at: millis(user.created_at),
        updated_at: millis(user.updated_at),
        recovery_email: user.recovery_email.as_ref().map(Email::as_str),
        break_glass: user.break_glass,
        require_email_mfa: user.require_email_mfa,
        exempt: user.exempt,
        credential_epoch: user.credential_epoch.number(),
    })
}

/// The user of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: UserId) -> Result<Option<User>> {
    let row: Option<UserRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(User::try_from).transpose()
}

/// The portal's users who have this identity, in its compared form, as username or email; the oldest first. A
/// username that could not be brought into that form, because another user had it, is found by the form that it had
/// before.
pub async fn candidates(
    tx: &mut Tx,
    account_id: AccountId,
    portal: Portal,
    normalized_identity: &str,
) -> Result<Vec<User>> {
    let identity = text(normalized_identity);
    let former = former_form(&identity);
    let rows: Vec<UserRow> = fetch_all!(tx, CANDIDATES, account_id.as_uuid(), portal.as_str(), identity, former)?;
    rows.into_iter().map(User::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct NamesRow {
    id: Uuid,
    username: String,
    email: Option<String>,
    status: String,
}

impl TryFrom<NamesRow> for Names {
    type Error = StorageError;

    fn try_from(row: NamesRow) -> Result<Self> {
        Ok(Self {
            id: UserId::from_uuid(row.id),
            username: normalized(&row.username),
            spelled: row.username,
            email: row.email.as_deref().map(normalized),
            status: parsed("users.status", &row.status)?,
        })
    }
}

/// Names of all users of a portal: for requests about many names, which one read answers.
pub async fn directory(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<Directory> {
    let rows: Vec<NamesRow> = fetch_all!(tx, DIRECTORY, account_id.as_uuid(), portal.as_str())?;
    rows.into_iter().map(Names::try_from).collect()
}

/// Users of an account, each with their invitation, the oldest first.
pub async fn list(tx: &mut Tx, account_id: AccountId, filter: &UserFilter, page: &Page) -> Result<Paged<ListedUser>> {
    let rows: Vec<ListedRow> = fetch_all!(
        tx,
        LIST,
        account_id.as_uuid(),
        page.above(),
        filter.portal.map(Portal::as_str),
        filter.status.map(UserStatus::as_str),
        filter.role.map(holding),
        filter.search.as_deref().map(containing),
        page.rows(),
    )?;
    let users = rows.into_iter().map(ListedUser::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(users, page, |listed: &ListedUser| listed.user.id.as_uuid()))
}

/// The pattern that finds a role in an array's text.
pub(crate) fn holding(role: Role) -> String {
    format!("%\"{}\"%", role.as_str())
}

/// Writes what may change (all but account, portal and last sign-in), if the user still is of the version and
/// epoch that `before` has; else `Stale`. `Conflict(Username)` if the new username is taken.
pub async fn update(tx: &mut Tx, user: &User, before: &User) -> Result<()> {
    let rows = execute!(tx, UPDATE, {
        account_id: user.account_id.as_uuid(),
        id: user.id.as_uuid(),
        read_updated_at: millis(before.updated_at),
        portal: user.portal.as_str(),
        username: user.username.as_str(),
        username_normalized: user.username.normalized(),
        email: user.email.as_ref().map(Email::as_str),
        email_normalized: user.email.as_ref().map(Email::normalized),
        display_name: user.display_name.as_ref().map(Label::as_str),
        search_text: search_text(user),
        status: user.status.as_str(),
        assigned_roles: Json(&user.roles.assigned),
        saml_roles: Json(&user.roles.saml),
        updated_at: millis(user.updated_at),
        recovery_email: user.recovery_email.as_ref().map(Email::as_str),
        break_glass: user.break_glass,
        require_email_mfa: user.require_email_mfa,
        exempt: user.exempt,
        credential_epoch: user.credential_epoch.number(),
        read_credential_epoch: before.credential_epoch.number(),
    })?;
    if rows > 0 { Ok(()) } else { Err(refused_update(tx, user).await?) }
}

async fn refused_update(tx: &mut Tx, user: &User) -> Result<StorageError> {
    let (account, portal) = (user.account_id.as_uuid(), user.portal.as_str());
    let holder: Option<(Uuid,)> = fetch_optional!(tx, HOLDER, account, portal, user.username.normalized())?;
    let taken = holder.is_some_and(|(id,)| id != user.id.as_uuid());
    Ok(if taken { StorageError::Conflict(Unique::Username) } else { StorageError::Stale })
}

/// Records that a user signed in; `updated_at` stays, because nothing that anybody set has changed. `Stale` if they are
/// gone or were deactivated meanwhile (A3), or are not in this epoch (A7): their row is held from here on, so that what
/// voids the session comes before or after it.
pub async fn record_sign_in(
    tx: &mut Tx,
    account_id: AccountId,
    id: UserId,
    sign_in: LastSignIn,
    epoch: CredentialEpoch,
) -> Result<()> {
    let (at, method, epoch) = (millis(sign_in.at), sign_in.method.as_str(), epoch.number());
    written(execute!(tx, RECORD_SIGN_IN, account_id.as_uuid(), id.as_uuid(), at, method, epoch)?, StorageError::Stale)
}

/// Leads a user on from the epoch that was read to the next one, and gives that; `Stale` if they are not in it any
/// more.
pub async fn raise_epoch(tx: &mut Tx, user: &User) -> Result<CredentialEpoch> {
    let (from, to) = (user.credential_epoch, user.credential_epoch.next());
    let (account_id, id) = (user.account_id.as_uuid(), user.id.as_uuid());
    written(execute!(tx, RAISE_EPOCH, account_id, id, from.number(), to.number())?, StorageError::Stale)?;
    Ok(to)
}

/// The epoch that a user is in; none if there is no such user.
pub async fn epoch(tx: &mut Tx, account_id: AccountId, id: UserId) -> Result<Option<CredentialEpoch>> {
    let row: Option<(i64,)> = fetch_optional!(tx, EPOCH, account_id.as_uuid(), id.as_uuid())?;
    Ok(row.map(|(epoch,)| CredentialEpoch::from_number(epoch)))
}

/// Holds a user in this epoch until the transaction ends, so that what would void something waits, and finds it;
/// `false` if they are not in it.
pub async fn hold_epoch(tx: &mut Tx, account_id: AccountId, id: UserId, epoch: CredentialEpoch) -> Result<bool> {
    Ok(execute!(tx, HOLD_EPOCH, account_id.as_uuid(), id.as_uuid(), epoch.number())? > 0)
}

/// Removes a user with their sessions; whether there was one. Their codes lead nowhere; attempts and audit events stay.
pub async fn delete(tx: &mut Tx, account_id: AccountId, id: UserId) -> Result<bool> {
    Ok(execute!(tx, DELETE, account_id.as_uuid(), id.as_uuid())? > 0)
}

/// The emails that keep active users from SSO (A2), in alphabetical order.
pub async fn shared_emails(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<Vec<SharedEmail>> {
    let rows: Vec<(String, String)> = fetch_all!(tx, SHARED_EMAILS, account_id.as_uuid(), portal.as_str())?;
    let mut by_email: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (email, username) in rows {
        by_email.entry(email).or_default().push(username);
    }
    Ok(by_email.into_iter().map(|(email, usernames)| SharedEmail { email, usernames }).collect())
}

/// The username comes first, in its compared form: a migration replaces that much of the text.
pub(crate) fn search_text(user: &User) -> String {
    let email = user.email.as_ref().map_or("", Email::as_str);
    let name = user.display_name.as_ref().map_or("", Label::as_str);
    format!("{}\n{}", user.username.normalized(), lower_case(&format!("{email}\n{name}")))
}
