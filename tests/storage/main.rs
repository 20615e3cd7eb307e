//! The conformance suite of `storage`: the same SQL text on both engines is worth something only if every query is run
//! on both. So each test here runs twice, and the few that look at the SQL itself walk the registry of all queries.
//!
//! To add an aggregate: a sample of it in `samples`, its round trip (with and without its optional parts) beside its
//! neighbours', a line in `isolation` for each query that takes an account, a race for whatever must be unique, its rows
//! in the era of its migration and how they are read in `upgrade`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test target; clippy.toml's exceptions reach #[test] functions alone, not what they call"
)]

mod account_links;
mod account_pairs;
mod api_keys;
mod applications;
mod direct_sign_ins;
mod directory;
mod faults;
mod installation;
mod invitations;
mod isolation;
mod lending;
mod outbox;
mod passwords;
mod plans;
mod purge;
mod races;
mod samples;
mod schema;
mod schema_dump;
mod sessions;
mod sign_ins;
mod sso_migrations;
mod test_sign_ins;
mod transactions;
mod upgrade;
