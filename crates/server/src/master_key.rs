//! Whether the configured master key is the one that this installation was made with.
//!
//! The first start seals a known word and keeps it. A later start with another key would run, and fail at the first
//! signature in the middle of the night; it is refused instead.

use anyhow::{Context as _, bail};
use service::ports::Sealer;
use storage::{Store, installation};

/// The row of the installation's facts that holds the sealed word.
const KEY: &str = "master_key_canary";
/// The place that the word is sealed for.
const PLACE: &str = "installation/master_key_canary";
const WORD: &[u8] = b"vestibule";

/// Result of a look at the sealed word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The configured key opens it.
    Matches,
    /// The word was sealed with another key.
    Differs,
    /// Nothing was sealed yet: the installation is new.
    New,
}

/// Looks, and changes nothing.
pub async fn look(store: &Store, sealer: &dyn Sealer) -> storage::Result<Finding> {
    let mut tx = store.read().await?;
    let canary = installation::get(&mut tx, KEY).await?;
    Ok(match canary.map(|canary| sealer.open(PLACE, &canary)) {
        None => Finding::New,
        Some(Ok(word)) if word.as_slice() == WORD => Finding::Matches,
        Some(_) => Finding::Differs,
    })
}

/// Refuses another key than the installation's; the first key that ever comes becomes it.
pub async fn verify(store: &Store, sealer: &dyn Sealer) -> anyhow::Result<()> {
    let unreadable = "the database does not tell which master key it was made with";
    if look(store, sealer).await.context(unreadable)? == Finding::New {
        adopt(store, sealer).await.context("the master key cannot be noted in the database")?;
    }
    // Looked at again: another replica may have been first, with another key.
    match look(store, sealer).await.context(unreadable)? {
        Finding::Matches => Ok(()),
        Finding::New | Finding::Differs => bail!(
            "the master key is not the one that this database was made with. Configure that one; without it the \
             signing keys and the service provider's keys in the database cannot be read"
        ),
    }
}

async fn adopt(store: &Store, sealer: &dyn Sealer) -> storage::Result<()> {
    let mut tx = store.begin().await?;
    installation::put_if_absent(&mut tx, KEY, &sealer.seal(PLACE, WORD)).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::{AesGcmSealer, MASTER_KEY_BYTES};
    use storage::{DatabaseSettings, Synchronous};

    async fn new_store() -> Store {
        let settings = DatabaseSettings {
            url: "sqlite::memory:".into(),
            max_connections: 1,
            sqlite_synchronous: Synchronous::Normal,
        };
        let store = Store::open(&settings).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// Proves that the first master key stays the installation's, and that any other is refused with words.
    #[tokio::test]
    async fn the_first_master_key_stays_the_only_one() {
        let store = new_store().await;
        let (first, other) = (AesGcmSealer::new(&[1; MASTER_KEY_BYTES]), AesGcmSealer::new(&[2; MASTER_KEY_BYTES]));
        assert_eq!(look(&store, &first).await.unwrap(), Finding::New);
        verify(&store, &first).await.unwrap();
        verify(&store, &first).await.unwrap();
        assert_eq!(look(&store, &first).await.unwrap(), Finding::Matches);
        assert_eq!(look(&store, &other).await.unwrap(), Finding::Differs);
        let refusal = verify(&store, &other).await.unwrap_err().to_string();
        assert!(refusal.contains("not the one that this database was made with"), "{refusal}");
    }
}
