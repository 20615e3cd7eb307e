//! Signature engines.

pub(crate) mod bergshamra;
