//! Persistence of everything: SQLite, embedded, for one process, or PostgreSQL for several.
//!
//! Contents: one file per aggregate with its row, the way from the row to the domain's type, and a handful of
//! queries; a [`Store`] that opens either engine, and a [`Tx`] that those queries run in. The same SQL text runs on
//! both.
//!
//! Limits: it does not know the reason for a write. It decides nothing, reads no clock and makes no ids; times and
//! ids come in as arguments. It knows no HTTP and no SAML, and no other crate knows sqlx.
//!
//! Rules that every query keeps:
//! - account data is found by account id, unless the caller holds a secret (the digest of a code or token) or came by
//!   the address of a connection, and then the function's name and comment say so;
//! - uniqueness is the database's: `INSERT .. ON CONFLICT DO NOTHING` and a count of rows, never a look before;
//! - a change of state names the state that it leaves; no row means [`StorageError::Stale`] or `false`;
//! - times are milliseconds from the caller; lists are paged by id, which is in order of time.
//!
//! To add one more aggregate: a table in a new migration in both folders (same number, same name, named
//! constraints, `account_id`), a file here with its `queries!`, a line in [`registry`], and a round trip in
//! `tests/storage`. The conformance suite then prepares every query on both engines.

mod columns;
mod error;
mod lending;
mod migrations;
mod page;
mod sql;
mod store;
mod tx;

pub mod account_links;
pub mod account_pairs;
pub mod accounts;
pub mod api_keys;
pub mod applications;
mod attempts;
pub mod audit_events;
pub mod branding;
pub mod break_glass;
pub mod connections;
pub mod housekeeping;
pub mod idempotency;
pub mod installation;
pub mod invitations;
pub mod known_logins;
pub mod mfa_codes;
pub mod one_time_links;
pub mod operator_keys;
pub mod outbox;
pub mod password_credentials;
pub mod refresh_tokens;
pub mod registry;
mod rewrites;
pub mod sessions;
pub mod signing_keys;
pub mod sp_keys;
pub mod sso_migration_effects;
pub mod sso_migration_rows;
pub mod sso_migrations;
pub mod sso_readiness;
pub mod throttles;
pub mod users;

pub use attempts::{authorization_codes, direct_sign_ins, pending_sign_ins, sign_in_attempts, test_sign_ins};
pub use error::{Cause, Result, StorageError, Unique};
pub use page::{Page, Paged};
pub use sql::Query;
pub use store::{DatabaseSettings, Engine, Store, Synchronous};
pub use tx::{Handle, Tx};
