//! Portals: the frontend that a sign-in is for.

use crate::named::named;

named! {
    /// Directory of users within an account. Each has its own users and its own SAML connection.
    Portal, PortalError, "expected \"admin\" or \"self_service\"" {
        /// Portal of the account's administrators.
        Admin = "admin",
        /// Portal of delegated end users.
        SelfService = "self_service",
    }
}
