//! Holds the house together: which crate may name which, that both engines' migrations go in step, and the few
//! habits of the source that no lint checks. `deny.toml` says the dependency rules once more, for indirect users.
//!
//! To add a crate or an arrow: write the decision down in ARCHITECTURE.md, then change the table in `arrows`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target; clippy.toml's exceptions reach #[test] functions alone, not what they call"
)]

mod arrows;
mod documents;
mod families;
mod migrations;
mod prose;
mod sources;

use std::path::{Path, PathBuf};

/// The root of the repository, whatever folder the tests are run from.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests' manifest lies one folder below the root")
        .to_owned()
}
