//! A small SAML 2.0 identity provider for demos and test suites.

pub mod certificate;
pub mod identity;
pub mod message;
