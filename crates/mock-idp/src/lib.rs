//! A small SAML 2.0 identity provider for demos and test suites.

mod ambient;
pub mod certificate;
pub mod identity;
pub mod idp;
pub mod message;

pub use idp::{MockIdp, RunningIdp};
