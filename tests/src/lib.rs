//! The test kit: a running Vestibule, people and programs who use it, and an identity provider that they trust.
//!
//! What it is for: a suite says `TestApp::start(engine)`, makes a [`tenant::Tenant`], and then speaks HTTP as one
//! caller: identity is a type, so a test reads as who does what. Time is a [`clock::ManualClock`]; nothing here
//! sleeps.
//!
//! What it does not know: nothing, it may see every crate; but it goes through HTTP wherever a user would.
//!
//! How to add one more suite: a folder beside `src` with a `main.rs`, and a `[[test]]` in `Cargo.toml`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test kit: what goes wrong here fails the test, and it plays the part of the outside world"
)]

pub use macros::both_engines;

pub mod app;
pub mod browser;
pub mod client;
pub mod clock;
pub mod databases;
pub mod fields;
pub mod form;
pub mod idp;
pub mod logs;
pub mod mailbox;
pub mod migration;
pub mod passwords;
pub mod process;
pub mod switching;
pub mod tenant;
pub mod tokens;
pub mod world;
