//! The corpus: what honest identity providers send, and what attackers make of it, through the pure crates alone.
//!
//! The messages are `mock-idp`'s, which shares no code with `saml`. These questions are asked of them: is every honest
//! one accepted, and read alike by both engines (`honest`, `variety`); is every hostile one refused, and the large ones
//! before anything expensive sees them (`hostile`), the others at a bounded cost (`cost`); does a changed one ever say
//! something else (`mutation`); and does any input whatever break anything (`arbitrary`).
//!
//! To add a message to the corpus, give `mock-idp` a shape or a case; these suites walk its lists.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test fails it"
)]

mod arbitrary;
mod cost;
mod duration;
mod exits;
mod honest;
mod hostile;
mod mutation;
mod scene;
mod variety;
