//! The migrations, embedded; one folder per engine, the same steps in both.

use sqlx::migrate::{Migrate, Migrator};

use crate::error::Result;

/// Migrations of SQLite, embedded in the binary.
pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
/// Migrations of PostgreSQL, embedded in the binary.
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The steps that a database still lacks, as `0001 what`. Writes nothing, so a server may ask at every readiness probe.
pub(crate) async fn pending(
    migrator: &Migrator,
    connection: &mut impl Migrate,
    has_history: bool,
) -> Result<Vec<String>> {
    let applied = if has_history { connection.list_applied_migrations(&migrator.table_name).await? } else { vec![] };
    let lacks = |version| applied.iter().all(|done| done.version != version);
    let pending = migrator.iter().filter(|step| lacks(step.version));
    Ok(pending.map(|step| format!("{:04} {}", step.version, step.description)).collect())
}
