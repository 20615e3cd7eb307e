//! The binary `vestibule`: configuration, command line, adapters and wiring.
//!
//! What it is for: reading what the operator configured, giving the use-cases what they need of the world (clock,
//! randomness, cryptography, outgoing HTTP) and starting the whole in one of its modes.
//!
//! What it does not know: rules, SQL, the HTTP API. It calls use-cases and hands `api` what it needs to listen.
//!
//! How to add one more setting: a field in its section of [`config`], a line in the table of what each key expects, and
//! the place in [`wire`] where it goes. One more port: an adapter in [`adapters`], and a line in [`wire`]. One more
//! subcommand: a file in `cli` with its arguments and one `run` function.

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
