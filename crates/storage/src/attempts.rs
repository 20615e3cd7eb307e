//! Rows of the table `sign_in_attempts`. One row is a try to sign in from its first request to its session, so that a
//! sign-in writes one row and not five; each module here holds the queries of one part of its life.
//!
//! ```text
//!  start with SSO          form login, mailed link, switch, drill        test of a connection
//!        │                                 │                                      │
//!        ▼                                 ▼                                      ▼
//!  pending_sign_ins                  direct_sign_ins                       test_sign_ins
//!  (RelayState, request id)     (waits for a code or password)      (concluded with findings, no code)
//!        │                                 │
//!        └───────────────┬─────────────────┘
//!                        ▼
//!               authorization_codes  (code issued, exchanged once: session issued)
//!
//!  sign_in_attempts: the row itself: inserted within limits, refused at any point, read and listed for diagnostics
//!  client_networks:  the networks that a row counts for, which the limits are held by
//! ```
//!
//! The columns `stage` and `outcome` say how far a row got: `pending` until its code is exchanged (`succeeded`), or until
//! it is refused. A row that has succeeded is never refused; what comes after it is an attempt of its own.

pub mod authorization_codes;
pub(crate) mod client_networks;
pub mod direct_sign_ins;
pub mod pending_sign_ins;
pub mod sign_in_attempts;
pub mod test_sign_ins;
