//! Facts about this installation that are written once, such as what proves that the master key is the right one.

use crate::error::Result;
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    GET = "SELECT value FROM installation WHERE key = $1";
    PUT_IF_ABSENT = "INSERT INTO installation (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
}

/// The value under this key.
pub async fn get(tx: &mut Tx, key: &str) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> = fetch_optional!(tx, GET, key)?;
    Ok(row.map(|(value,)| value))
}

/// Writes a value unless the key has one; whether it was written.
pub async fn put_if_absent(tx: &mut Tx, key: &str, value: &[u8]) -> Result<bool> {
    Ok(execute!(tx, PUT_IF_ABSENT, key, value)? > 0)
}
