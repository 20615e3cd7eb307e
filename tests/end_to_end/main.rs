//! Vestibule as a whole: with identity providers over HTTP, through a browser, and as a process that is started
//! and killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test fails it, and these tests play the outside world"
)]

mod demo;
mod installation;
mod kills;
mod mail_kills;
mod migration_kills;
mod mock_identity_provider;
mod organization;
mod peer;
mod reverse_proxy;
mod simplesamlphp;
mod smtp;
mod smtp_server;
