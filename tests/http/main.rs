//! Vestibule as its users meet it: over HTTP, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test fails it"
)]

mod accounts;
mod applications;
mod attempts;
mod audit;
mod authorization;
mod connections;
mod discovery;
mod hostile_responses;
mod provisioning;
mod sessions;
mod sign_in;
mod surface;
mod tokens;
mod users;
