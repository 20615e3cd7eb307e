//! Middleware around every request, from the outside in: it gets a name and is observed, its answer gets headers
//! and problems their bodies, browsers' origins are checked, its client is located, credentials are looked up.

mod authenticate;
mod cors;
mod headers;
mod locate;
mod observe;

pub use authenticate::authenticate;
pub use cors::cors;
pub use headers::security_headers;
pub use locate::locate;
pub use observe::observe;
