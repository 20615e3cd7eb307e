//! The message builder, held against an independent implementation: the `xmlsec1` command line tool.

#![expect(clippy::expect_used, reason = "a test that cannot set its scene has failed")]

mod encryption;
mod fixture;
mod shapes;
mod signing;
mod tamper;
mod xmlsec;
