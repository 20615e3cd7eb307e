//! Users that SSO of a portal would leave outside, counted by the database: of each kind the number, and a few to
//! name.

use domain::portal::Portal;
use domain::sso::connection::SamlConnection;
use domain::sso_readiness::{FindingCode, PeopleFound, USERS_NAMED};
use domain::{AccountId, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{fetch_all, queries};
use crate::tx::Tx;

macro_rules! of_portal {
    ($status:literal, $condition:expr) => {
        concat!(
            "SELECT id, COUNT(*) OVER () AS total FROM users WHERE account_id = $1 AND portal = $2 AND status ",
            $status,
            " AND ",
            $condition
        )
    };
}

/// The identity that SSO tells a user by: the email, or a username that is one.
macro_rules! identity {
    () => {
        "COALESCE(users.email_normalized, users.username_normalized)"
    };
}

/// Query for the users that SSO has to let in.
macro_rules! on_sso {
    ($condition:expr) => {
        of_portal!(
            "IN ('invited', 'active')",
            concat!("NOT break_glass AND NOT exempt AND ", $condition, " ORDER BY id LIMIT $3")
        )
    };
}

queries! {
    EMAIL_SHARED = of_portal!("= 'active'", concat!("(
            EXISTS (SELECT 1 FROM users AS other WHERE other.account_id = $1 AND other.portal = $2 AND other.status = 'active'
                AND other.id <> users.id AND other.email_normalized = ", identity!(), ")
            OR EXISTS (SELECT 1 FROM users AS other WHERE other.account_id = $1 AND other.portal = $2
                AND other.status = 'active' AND other.id <> users.id AND other.email_normalized IS NULL
                AND other.username_normalized = users.email_normalized))
        ORDER BY id LIMIT $3"));
    EMAIL_MISSING = on_sso!("email_normalized IS NULL AND username_normalized NOT LIKE '%_@_%'");
    // What remains of the identity when everything up to its `@` is taken away is its domain.
    DOMAIN_NOT_LISTED = on_sso!(concat!(identity!(), " LIKE '%_@_%' AND $4 NOT LIKE '%,' || replace(", identity!(),
            ", rtrim(", identity!(), ", replace(", identity!(), ", '@', '')), '') || ',%'"));
    ROLE_MISSING = on_sso!("CAST(assigned_roles AS TEXT) = '[]' AND CAST(saml_roles AS TEXT) = '[]'");
    EXEMPT = of_portal!("IN ('invited', 'active')", "exempt AND NOT break_glass ORDER BY id LIMIT $3");
}

/// Counts the users that SSO would leave outside, or need not let in; kinds without users are left out.
pub async fn people(
    tx: &mut Tx,
    account_id: AccountId,
    portal: Portal,
    connection: Option<&SamlConnection>,
) -> Result<Vec<PeopleFound>> {
    let (account, portal_name, named) =
        (account_id.as_uuid(), portal.as_str(), i64::try_from(USERS_NAMED).unwrap_or(1));
    let mut found: Vec<(FindingCode, Vec<(Uuid, i64)>)> = vec![
        (FindingCode::EmailShared, fetch_all!(tx, EMAIL_SHARED, account, portal_name, named)?),
        (FindingCode::EmailMissing, fetch_all!(tx, EMAIL_MISSING, account, portal_name, named)?),
    ];
    let listed = connection.map(|connection| &connection.settings.email_domains).filter(|listed| !listed.is_empty());
    if let Some(listed) = listed {
        let listed = listed.iter().fold(String::from(","), |listed, domain| listed + domain.as_str() + ",");
        let outside = fetch_all!(tx, DOMAIN_NOT_LISTED, account, portal_name, named, listed)?;
        found.push((FindingCode::DomainNotListed, outside));
    }
    let has_default = connection.is_some_and(|connection| !connection.settings.default_roles.is_empty());
    if portal == Portal::Admin && !has_default {
        found.push((FindingCode::RoleMissing, fetch_all!(tx, ROLE_MISSING, account, portal_name, named)?));
    }
    found.push((FindingCode::UsersExempt, fetch_all!(tx, EXEMPT, account, portal_name, named)?));
    Ok(found.into_iter().filter_map(|(code, rows)| counted(code, &rows)).collect())
}

fn counted(code: FindingCode, rows: &[(Uuid, i64)]) -> Option<PeopleFound> {
    let (_, total) = rows.first()?;
    let users = rows.iter().map(|(id, _)| UserId::from_uuid(*id)).collect();
    Some(PeopleFound { code, users, count: usize::try_from(*total).unwrap_or(usize::MAX) })
}
