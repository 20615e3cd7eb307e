//! Decoding of the browser's form values and queries to XML text: the HTTP-POST and HTTP-Redirect bindings
//! (bindings 3.4 and 3.5).

use std::borrow::Cow;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::reason::Reason;
use crate::rejection::{Check, Rejection};

/// Longest form value, in bytes of base64. Honest messages reach 350 kB (a person in 3,000 groups).
pub const MAX_FORM_VALUE: usize = 640 * 1024;

/// Longest query value, in bytes of base64: longer URLs do not survive the proxies on the way.
pub const MAX_QUERY_VALUE: usize = 32 * 1024;

/// Longest inflated message. What comes by redirect is small (logout); DEFLATE could make 32 MB of a full query.
pub const MAX_INFLATED: usize = 256 * 1024;

/// The XML of a `SAMLResponse` form field: base64 with line breaks allowed, UTF-8, never compressed.
pub fn decode_post_binding(form_value: &str) -> Result<String, Rejection> {
    text(base64_bytes(form_value, MAX_FORM_VALUE)?)
}

/// The XML of a `SAMLRequest` or `SAMLResponse` query value, already percent-decoded: base64 over raw DEFLATE.
pub fn decode_redirect_binding(value: &str) -> Result<String, Rejection> {
    text(inflate(&base64_bytes(value, MAX_QUERY_VALUE)?)?)
}

fn base64_bytes(value: &str, limit: usize) -> Result<Vec<u8>, Rejection> {
    if value.len() > limit {
        return Err(Rejection::new(Check::Bounds, Reason::MessageTooLong)
            .wanted(format!("at most {limit} bytes"))
            .got(format!("{} bytes", value.len())));
    }
    // Some identity providers break lines (MIME). A blank inside is not skipped: it is a plus sign that a wrong form
    // encoder lost.
    let mut compact = Cow::Borrowed(value.trim_ascii());
    if compact.contains(['\r', '\n']) {
        compact = Cow::Owned(compact.replace(['\r', '\n'], ""));
    }
    if compact.is_empty() {
        return Err(Rejection::new(Check::Encoding, Reason::MessageMissing));
    }
    STANDARD.decode(compact.as_bytes()).map_err(|_| Rejection::new(Check::Encoding, Reason::Base64Invalid))
}

fn inflate(compressed: &[u8]) -> Result<Vec<u8>, Rejection> {
    let mut inflated = Vec::new();
    let limit = u64::try_from(MAX_INFLATED).unwrap_or(u64::MAX);
    flate2::read::DeflateDecoder::new(compressed)
        .take(limit.saturating_add(1))
        .read_to_end(&mut inflated)
        .map_err(|_| Rejection::new(Check::Encoding, Reason::DeflateInvalid))?;
    if inflated.len() > MAX_INFLATED {
        return Err(Rejection::new(Check::Bounds, Reason::MessageTooLong)
            .wanted(format!("at most {MAX_INFLATED} bytes inflated")));
    }
    Ok(inflated)
}

fn text(bytes: Vec<u8>) -> Result<String, Rejection> {
    let text = String::from_utf8(bytes).map_err(|_| Rejection::new(Check::Encoding, Reason::NotUtf8))?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
