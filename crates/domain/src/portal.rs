//! Portals: the frontend that a sign-in is for.

use crate::named::named;

named! {
    /// Which directory of an account is meant. Each has its own users and its own SAML connection.
    Portal, PortalError, "expected \"admin\" or \"self_service\"" {
        /// The account's administrators.
        Admin = "admin",
        /// Delegated end users.
        SelfService = "self_service",
    }
}
