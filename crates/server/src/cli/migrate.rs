//! `vestibule migrate`

use anyhow::Context as _;

use crate::config::Loaded;
use crate::wire::open_store;

/// Applies what the database lacks and says what that was.
pub async fn run(loaded: &Loaded) -> anyhow::Result<()> {
    let store = open_store(loaded).await?;
    let pending = store.pending_migrations().await.context("the database cannot be read")?;
    store.migrate().await.context("the database cannot be migrated")?;
    store.close().await;
    for step in &pending {
        println!("applied {step}");
    }
    println!("{} is up to date", loaded.shown_database_url());
    Ok(())
}
