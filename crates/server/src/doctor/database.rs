//! The database and the keys in it.

use std::path::Path;

use domain::signing_key::{SigningKey, SigningKeyState};
use secrecy::ExposeSecret as _;
use storage::{StorageError, Store};

use super::finding::Findings;
use super::mail;
use crate::adapters::AesGcmSealer;
use crate::config::{Loaded, secret_file};
use crate::master_key::{self, Finding};
use crate::wire::open_store;

/// Looks at the database. Gives the ids of the published signing keys, by which our own JWKS is recognized.
pub async fn examine(loaded: &Loaded, findings: &mut Findings) -> Vec<String> {
    let Ok(url) = loaded.database_url() else { return vec![] };
    if let Some(file) = missing_file(url.expose_secret()) {
        findings.failure("database", format!("{file} does not exist yet; run `vestibule migrate`"));
        return vec![];
    }
    if let Some(file) = exposed_file(url.expose_secret()) {
        findings.warning("database", format!("every user of this machine can read {file}; run `chmod 600 {file}*`"));
    }
    let store = match open_store(loaded).await {
        Ok(store) => store,
        Err(error) => {
            findings.failure("database", format!("{error:#}"));
            return vec![];
        }
    };
    let published = examine_open(loaded, &store, findings).await.unwrap_or_else(|error| {
        findings.failure("database", format!("{:#}", anyhow::Error::from(error)));
        vec![]
    });
    store.close().await;
    published
}

/// Opening a SQLite database would create it, and a doctor changes nothing.
fn missing_file(url: &str) -> Option<&str> {
    sqlite_file(url).filter(|path| !Path::new(path).exists())
}

/// The file of a SQLite database that others may read: new ones are made for their owner alone.
fn exposed_file(url: &str) -> Option<&str> {
    sqlite_file(url).filter(|path| secret_file::is_exposed(Path::new(path)))
}

fn sqlite_file(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path).split('?').next()?;
    (path != ":memory:").then_some(path)
}

async fn examine_open(loaded: &Loaded, store: &Store, findings: &mut Findings) -> Result<Vec<String>, StorageError> {
    let pending = store.pending_migrations().await?;
    if !pending.is_empty() {
        findings.failure("database", format!("it lacks {}; run `vestibule migrate`", pending.join(", ")));
        return Ok(vec![]);
    }
    findings.good("database", format!("{} answers and is up to date", store.engine()));
    examine_master_key(loaded, store, findings).await?;
    let mut tx = store.read().await?;
    let keys = storage::signing_keys::list_published(&mut tx).await?;
    examine_signing_keys(&keys, findings);
    mail::examine_outbox(&mut tx, findings).await?;
    Ok(keys.iter().map(|key| key.id.to_string()).collect())
}

async fn examine_master_key(loaded: &Loaded, store: &Store, findings: &mut Findings) -> Result<(), StorageError> {
    let Ok(key) = loaded.master_key() else { return Ok(()) };
    match master_key::look(store, &AesGcmSealer::new(&key)).await? {
        Finding::Matches => findings.good("master key", "it is the one that this database was made with"),
        Finding::Differs => {
            findings.failure("master key", "it is not the one that this database was made with; configure that one");
        }
        Finding::New => findings.note("master key", "the first start will tie the database to it"),
    }
    Ok(())
}

fn examine_signing_keys(keys: &[SigningKey], findings: &mut Findings) {
    match keys.iter().find(|key| key.state == SigningKeyState::Active) {
        Some(key) => findings.good(
            "signing keys",
            format!("{} signs with {} since {}; {} published", key.id, key.algorithm.as_str(), key.since, keys.len()),
        ),
        None => findings.note("signing keys", "there is none; the first start makes one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the doctor does not create the database that it looks for.
    #[test]
    fn a_missing_database_is_told_from_one_that_is_there() {
        assert_eq!(missing_file("sqlite:/nonexistent/v.db"), Some("/nonexistent/v.db"));
        assert_eq!(missing_file("sqlite:///nonexistent/v.db?mode=rwc"), Some("/nonexistent/v.db"));
        assert_eq!(missing_file("sqlite:/dev/null"), None);
        assert_eq!(missing_file("sqlite::memory:"), None);
        assert_eq!(missing_file("postgres://localhost/v"), None);
    }
}
