//! SAML 2.0, the service provider's side: what comes from an identity provider is verified, what goes there is
//! written.
//!
//! # What it is for
//!
//! - [`decode_post_binding`], then [`verify_response`]: a response becomes a [`VerifiedResponse`], all of whose values
//!   a trusted signature covers, or a [`Rejection`] with the check that refused, what was wanted and what came.
//! - [`AuthnRequest`] and [`SpMetadata`]: what we send, written in canonical form and signed with an [`SpKey`].
//! - [`parse_pem_certificates`] and [`parse_idp_metadata`]: what administrators hand in.
//! - [`masked_message`]: what diagnostics may show of a message that was refused. Not to decide by.
//!
//! # How a response is verified
//!
//! ```text
//! text ─ guard ─ gate ─ engines ─ guard ─ (decrypt ─ guard ─ gate ─ engines ─ guard) ─ parse ─ protocol checks
//! ```
//!
//! The [`guard`] makes sure that there is one way to read the text. The gate lets through what a pinned key has
//! signed, by the signature value alone, so that a stranger's message costs little. Two engines, with parsers of
//! their own, verify the signatures and return the bytes that these cover; no user gets in unless they return the
//! same. Only those bytes are parsed, by the guard again, and the text that came is dropped. The stages are
//! ordered as [`Check`].
//!
//! # What it does not know
//!
//! Accounts, connections and users; HTTP, SQL and the network; the clock and chance: `now` and identifiers are
//! arguments. It keeps nothing, so two checks are left to the caller, in one transaction: that `in_response_to` is a
//! pending request of this connection, and that `assertion_id` has not been seen. It blocks for a millisecond or so:
//! call it off the async threads, with a bound on how many run at once.
//!
//! # How to add one more
//!
//! - signature engine: a file in `engine/` that implements its trait, a line in `engine::all`, a variant of
//!   [`Engines`];
//! - algorithm: a line in `algorithm`, if both engines know it, and a message made by someone else in `tests/fixtures`;
//! - protocol check: a function on the claims it is about, a call in `response::verify`, a line in `reason`, a line in
//!   `tests/rules/protocol.rs`;
//! - message: its writer beside [`request`], or its guard beside `guard::check` with a table of what it refuses.

mod algorithm;
pub mod attribute;
pub mod certificate;
pub mod decode;
mod decrypt;
pub mod engine;
pub mod guard;
mod hexadecimal;
mod instant;
pub mod metadata;
mod public_key;
pub mod reason;
pub mod rejection;
pub mod request;
pub mod response;
mod signing;
pub mod sp_key;
#[doc(hidden)]
pub mod work;
mod xml;

pub use attribute::{Attribute, NameId};
pub use certificate::{CertificateError, IdpCertificate, KeyKind, parse_pem_certificates};
pub use decode::{decode_post_binding, decode_redirect_binding};
pub use metadata::Binding;
pub use metadata::encoding::{decode_metadata, pasted_metadata};
pub use metadata::idp::{Endpoint, IdpMetadata, MetadataError, MetadataOptions, parse_idp_metadata};
pub use metadata::mistaken::Mistaken;
pub use metadata::sp::SpMetadata;
pub use reason::Reason;
pub use rejection::{Check, Rejection};
pub use request::{AuthnRequest, PostForm, RequestError, request_id};
pub use response::mask::masked_message;
pub use response::verify::{
    Engines, Expected, MAX_CLOCK_SKEW, SignedElement, Trust, VerifiedResponse, Warning, verify_response,
};
pub use sp_key::{SpKey, SpKeyError};
