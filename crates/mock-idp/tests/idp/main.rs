//! The identity provider over HTTP.

#![expect(clippy::expect_used, reason = "a test that cannot set its scene has failed")]

mod client;
mod control;
mod escaping;
mod faults;
mod lifecycle;
mod login;
mod requests;
mod scene;
