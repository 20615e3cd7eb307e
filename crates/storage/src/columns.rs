//! Conversions between values and database columns.

use std::borrow::Cow;
use std::str::FromStr;

use domain::account_switch::HomeUser;
use domain::credential_epoch::CredentialEpoch;
use domain::text::Stored;
use domain::{AccountId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::{Cause, Result, StorageError};

/// A time as it is stored: milliseconds since the Unix epoch.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time that was stored.
pub(crate) fn time(column: &str, millis: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| StorageError::corrupt(column, error))
}

/// A time that may not have been stored.
pub(crate) fn optional_time(column: &str, millis: Option<i64>) -> Result<Option<Timestamp>> {
    millis.map(|millis| time(column, millis)).transpose()
}

/// A stored name of a closed set, or anything else that is parsed.
pub(crate) fn parsed<T>(column: &str, text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: Into<Cause>,
{
    text.parse().map_err(|error: T::Err| StorageError::corrupt(column, error))
}

/// A stored text that the domain checks.
pub(crate) fn checked<T>(column: &str, text: String) -> Result<T>
where
    T: TryFrom<String>,
    T::Error: Into<Cause>,
{
    text.try_into().map_err(|error: T::Error| StorageError::corrupt(column, error))
}

/// A stored text that was taken by the rule of its time.
pub(crate) fn stored<T>(column: &str, text: String) -> Result<T>
where
    T: Stored,
    T::Error: Into<Cause>,
{
    T::stored(text).map_err(|error: T::Error| StorageError::corrupt(column, error))
}

/// Account and user that proved their identity, if the user switched here from another account.
pub(crate) fn home(account_id: Option<Uuid>, user_id: Option<Uuid>, epoch: Option<i64>) -> Option<HomeUser> {
    let ((account_id, user_id), epoch) = account_id.zip(user_id).zip(epoch)?;
    Some(HomeUser {
        account_id: AccountId::from_uuid(account_id),
        user_id: UserId::from_uuid(user_id),
        credential_epoch: CredentialEpoch::from_number(epoch),
    })
}

/// A stored SHA-256 digest.
pub(crate) fn digest(column: &str, bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|error: std::array::TryFromSliceError| StorageError::corrupt(column, error))
}

/// A text that came from outside, for either engine: PostgreSQL knows no U+0000 in texts, so a visible mark stands
/// for it.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// The pattern of a `LIKE .. ESCAPE '!'` that finds a text anywhere.
pub(crate) fn containing(search: &str) -> String {
    let literal = domain::username::lower_case(&text(search)).replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{literal}%")
}
