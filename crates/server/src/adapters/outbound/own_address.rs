//! Vestibule's own address, asked from outside: for `healthcheck` and `doctor`. The operator named it, so the guard for
//! other people's addresses does not apply.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::redirect::Policy;
use url::Url;

use super::{OutboundError, USER_AGENT};

/// A server that needs longer to answer from memory is not healthy.
const TIMEOUT: Duration = Duration::from_secs(4);

/// HTTP client for this service's own address.
pub struct OwnAddress {
    #[expect(clippy::disallowed_types, reason = "this is where outgoing HTTP belongs")]
    client: reqwest::Client,
}

/// The answer to a GET request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The server's time, from the `Date` header (RFC 9110, section 6.6.1).
    pub date: Option<Timestamp>,
    /// The body, decoded as text.
    pub body: String,
}

impl OwnAddress {
    /// A client for our own address.
    pub fn new() -> Result<Self, OutboundError> {
        #[expect(clippy::disallowed_types, reason = "this is where outgoing HTTP belongs")]
        let builder = reqwest::Client::builder();
        let client = builder.redirect(Policy::none()).no_proxy().user_agent(USER_AGENT).timeout(TIMEOUT);
        Ok(Self { client: client.build().map_err(OutboundError)? })
    }

    /// Gets the URL's answer; an error is the text of the innermost cause.
    pub async fn get(&self, url: &Url) -> Result<Answer, String> {
        let response = self.client.get(url.clone()).send().await.map_err(|error| super::innermost(&error))?;
        let status = response.status().as_u16();
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp());
        let body = response.text().await.map_err(|error| super::innermost(&error))?;
        Ok(Answer { status, date, body })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted_server::{Script, ScriptedServer};
    use super::*;

    /// Proves that status, time and body of an answer are told.
    #[tokio::test]
    async fn an_answer_is_told_with_its_time() {
        let answer = b"HTTP/1.1 503 No\r\ndate: Fri, 15 Jan 2027 08:00:00 GMT\r\ncontent-length: 2\r\n\r\nno";
        let server = ScriptedServer::start(Script::Answer(answer)).await;
        let answer = OwnAddress::new().unwrap().get(&server.url).await.unwrap();
        let date = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(answer, Answer { status: 503, date: Some(date), body: "no".into() });
    }

    /// Proves that a refused connection is reported in words.
    #[tokio::test]
    async fn no_answer_is_told_in_words() {
        let error = OwnAddress::new().unwrap().get(&ScriptedServer::refusing_url().await).await.unwrap_err();
        assert!(error.contains("refused"), "{error}");
    }
}
