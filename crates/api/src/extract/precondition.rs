//! Optimistic concurrency over HTTP: `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};
use jiff::Timestamp;
use service::Code;

use crate::problem::Problem;

/// The version that the caller saw; none where any version will do.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<Timestamp>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.headers()).map(Self))
    }
}

/// The entity tag of a version: its time in milliseconds.
pub fn etag(updated_at: Timestamp) -> String {
    format!("\"{}\"", updated_at.as_millisecond())
}

fn parse(headers: &HeaderMap) -> Result<Option<Timestamp>, Problem> {
    let mut lines = headers.get_all(IF_MATCH);
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    if lines.next().is_some() || text.contains(',') {
        return Err(Problem::invalid("If-Match", "must be one ETag, or *"));
    }
    // A tag that is not one of ours matches no version, and neither does a weak one.
    let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|digits| digits.parse().ok());
    let version = version.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    version.map(Some).ok_or_else(|| Problem::new(Code::PreconditionFailed))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn parsed(value: &str) -> Result<Option<Timestamp>, Code> {
        let request = TestRequest::patch().insert_header(("If-Match", value)).to_http_request();
        parse(request.headers()).map_err(|problem| problem.code())
    }

    /// Proves that a change is made to the version that its author saw, or not at all.
    #[test]
    fn if_match_reads_our_tags_and_matches_no_others() {
        let version = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        assert_eq!(parsed(&etag(version)), Ok(Some(version)));
        assert_eq!(parsed("*"), Ok(None));
        assert_eq!(parse(TestRequest::patch().to_http_request().headers()).unwrap(), None);
        for stale in ["W/\"1800000000123\"", "\"abc\"", "1800000000123", "\"\""] {
            assert_eq!(parsed(stale), Err(Code::PreconditionFailed), "{stale}");
        }
        assert_eq!(parsed("\"1\", \"2\""), Err(Code::InvalidInput));
    }
}
