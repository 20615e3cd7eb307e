//! Extractors of handlers: each part of a request, checked before the handler runs. An error is a problem that
//! names the field, parameter or header.

mod address;
mod body;
mod caller;
mod form;
mod json;
mod limit;
mod members;
mod path;
mod precondition;
mod query;
mod rows;

pub use address::{ClientAddress, TrustedProxies, client_address};
pub use body::{METADATA_MAX_BYTES, charset, media_type, read_body};
pub use caller::{Authenticated, Authentication, bearer};
pub use form::{AcsForm, Form, OAuthForm, TOKEN_MAX_BYTES};
pub use json::{Creation, JsonBody, exactly_one, given, nullable, parse_json};
pub use limit::{Acs, Discovery, Limited, RateLimiters, Token};
pub use members::Members;
pub use path::Ids;
pub use precondition::{IfMatch, etag};
pub use query::{Listing, Parameters, flag, next_cursor, optional_flag};
pub use rows::{Row, rows};
