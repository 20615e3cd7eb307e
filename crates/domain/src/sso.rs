//! SAML single sign-on as rules over values: what a connection holds, who may be let in by it, and with which roles.

pub mod connection;
pub mod discovery;
pub mod identity;
pub mod pending_sign_in;
pub mod provisioning;
pub mod role_mapping;
pub mod role_values;
pub mod sp_key;
pub mod test_sign_in;
