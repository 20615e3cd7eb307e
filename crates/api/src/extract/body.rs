//! Bodies are read to their end, within bounds of size and time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::BytesMut;
use futures_util::StreamExt as _;
use service::{Code, Error};

use crate::problem::Problem;

/// Most bytes of a JSON body: five hundred role mappings with their names fit.
pub const JSON_MAX_BYTES: usize = 256 * 1024;
/// Most bytes of IdP metadata: an ADFS document with several certificates has some 100 kB, a federation's whole
/// aggregate is not what belongs here.
pub const METADATA_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Time that a client may take to send a body, so that a slow one does not hold a connection for ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The media type of the body, in lower case and without parameters.
pub fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The encoding that the media type names for the body (RFC 9110, section 8.3.2).
pub fn charset(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"').to_owned())
}

/// Reads the whole body, of at most this many bytes. A compressed one is not taken: a few bytes could become very
/// many.
pub async fn read_body(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<BytesMut, Problem> {
    if request.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let detail = "Content-Encoding is not supported; send the body as it is";
        return Err(Error::new(Code::UnsupportedMediaType).with_detail(detail).into());
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let slow = |_| Error::new(Code::InvalidBody).with_detail("The body took too long to arrive").into();
    tokio::time::timeout(BODY_TIMEOUT, collect(payload, limit)).await.unwrap_or_else(|elapsed| Err(slow(elapsed)))
}

async fn collect(payload: &mut Payload, limit: usize) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::new(Code::InvalidBody).with_detail("The body ended before its time"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large(limit: usize) -> Problem {
    Error::new(Code::PayloadTooLarge).with_detail(format!("The body must have at most {limit} bytes")).into()
}
