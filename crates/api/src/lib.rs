//! Vestibule over HTTP: routes, wire types, problems and the OpenAPI document.
//!
//! What it is for: each file of [`routes`] holds one resource, its wire types beside its handlers. A handler takes what
//! `extract` has checked, calls one use-case and renders what that returns. One declaration per operation feeds both
//! the router and the OpenAPI document.
//!
//! What it does not know: rules, SQL, clocks, SAML. It decides nothing but how a refusal looks on the wire, and
//! `problem/status.rs` is the only place where a code becomes a status.
//!
//! How to add one more operation: a handler with `#[utoipa::path]` in the file of its resource, its codes in that
//! file's `problems!`, a line in the file's `register`. Then `./dev generate` writes
//! `openapi/openapi.json` and `docs/errors.md` anew. Tests hold that every operation has an id, tags, a security
//! requirement and documented problems.

mod app;
mod extract;
mod metrics;
mod middleware;
mod openapi;
mod page;
mod problem;
mod routes;
mod running;
mod settings;
#[cfg(test)]
mod tests;

pub use metrics::{MetricsSettings, RenderMetrics};
pub use openapi::openapi;
pub use problem::catalogue::error_catalogue_markdown;
pub use running::{RunningApi, start};
pub use settings::{ApiSettings, RateLimits};
