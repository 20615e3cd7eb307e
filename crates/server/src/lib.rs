//! The binary `vestibule`: configuration, command line, adapters and wiring.
//!
//! Purpose: reading the operator's configuration, giving the use-cases their ports to the world (clock, randomness,
//! cryptography, outgoing HTTP) and starting the whole in one of its modes.
//!
//! Limits: it does not know rules, SQL, the HTTP API. It calls use-cases and hands `api` what it needs to listen.
//!
//! To add one more setting: a field in its section of [`config`], a line in the table of the keys' expectations,
//! and the place in [`wire`] where it goes. One more port: an adapter in [`adapters`], and a line in [`wire`]. One
//! more subcommand: a file in `cli` with its arguments and one `run` function.

pub mod adapters;
mod background;
pub mod cli;
pub mod config;
mod demo;
mod doctor;
mod listen;
mod master_key;
mod shutdown;
mod telemetry;
pub mod wire;
mod words;
