//! The crate's rules, tried from outside. One binary, as each links both signature engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "a test that cannot go on should say where, and its texts need not be fast"
)]

mod accepted;
mod decryption;
mod guard;
mod input;
mod metadata;
mod mutation;
mod protocol;
mod request;
mod support;
mod wrapping;
