//! IdP metadata by URL (C5).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Response, StatusCode};
use service::ports::{FetchError, MetadataSource};
use url::Url;

use super::{GuardedClient, OutboundError, Reach, RequestFailure};

/// An administrator waits at a page meanwhile; federations' servers are slow.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest document: one IdP's metadata has some kilobytes; a whole federation's is not what belongs here.
const METADATA_MAX_BYTES: usize = 1024 * 1024;

/// Fetches by GET.
pub struct HttpMetadataSource {
    client: GuardedClient,
}

impl HttpMetadataSource {
    /// A source that reaches this far.
    pub fn new(reach: Reach) -> Result<Self, OutboundError> {
        Self::within(reach, FETCH_TIMEOUT)
    }

    fn within(reach: Reach, total: Duration) -> Result<Self, OutboundError> {
        Ok(Self { client: GuardedClient::new(reach, total)? })
    }
}

#[async_trait]
impl MetadataSource for HttpMetadataSource {
    async fn fetch(&self, url: &Url) -> Result<String, FetchError> {
        let response = self.client.get(url).await.map_err(|failure| no_answer(url, &failure))?;
        check_status(url, response.status())?;
        let bytes = bounded_body(url, response).await?;
        String::from_utf8(bytes).map_err(|_| FetchError(format!("{url} does not answer with UTF-8 text")))
    }
}

fn no_answer(url: &Url, failure: &RequestFailure) -> FetchError {
    FetchError(match failure {
        RequestFailure::Forbidden(why) => {
            format!("{url} cannot be fetched: {why}. Download the metadata yourself and paste or upload it")
        }
        RequestFailure::Timeout => format!(
            "{url} does not answer within {} seconds. Try again, or paste or upload the metadata",
            FETCH_TIMEOUT.as_secs()
        ),
        RequestFailure::Unreachable(why) => {
            format!("{url} cannot be reached ({why}). Check the address; it must be reachable from the internet")
        }
    })
}

fn check_status(url: &Url, status: StatusCode) -> Result<(), FetchError> {
    if status == StatusCode::OK {
        Ok(())
    } else if status.is_redirection() {
        Err(FetchError(format!("{url} redirects to another address. Give the address that it ends at")))
    } else {
        Err(FetchError(format!("{url} answers with status {status}. Give an address that needs no sign-in")))
    }
}

async fn bounded_body(url: &Url, mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(url, &super::failure(&error)))? {
        if bytes.len() + chunk.len() > METADATA_MAX_BYTES {
            return Err(FetchError(format!("{url} answers with more than 1 MiB. Give the metadata of one IdP alone")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::scripted_server::{Script, ScriptedServer};
    use super::*;

    async fn fetch(script: Script) -> Result<String, FetchError> {
        let server = ScriptedServer::start(script).await;
        let source = HttpMetadataSource::within(Reach::PublicAndLoopback, Duration::from_millis(500)).unwrap();
        source.fetch(&server.url).await
    }

    /// Proves C5.
    #[tokio::test]
    async fn a_document_is_fetched() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<xml>";
        assert_eq!(fetch(Script::Answer(answer)).await.unwrap(), "<xml>");
    }

    /// Proves C5: every refusal says what is wrong and what to do.
    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        let table = [
            (
                Script::Answer(b"HTTP/1.1 302 F\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
                "redirects",
            ),
            (Script::Answer(b"HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n"), "status 404"),
            (Script::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\xff"), "UTF-8"),
            (Script::Hang, "does not answer within"),
            (Script::HangUp, "cannot be reached"),
            (Script::EndlessBody, "more than 1 MiB"),
            (Script::TricklingBody, "does not answer within"),
        ];
        for (script, wanted) in table {
            let error = fetch(script).await.unwrap_err().to_string();
            assert!(error.contains(wanted), "{script:?}: {error}");
        }
    }

    /// Proves C5: a forbidden address is not connected to, and the answer does not say which address it was.
    #[tokio::test]
    async fn a_forbidden_address_is_not_fetched() {
        let source = HttpMetadataSource::new(Reach::Public).unwrap();
        let error = source.fetch(&Url::parse("https://localhost:1/").unwrap()).await.unwrap_err().to_string();
        assert!(error.contains("leads to a loopback address"), "{error}");
        assert!(error.contains("paste or upload"), "{error}");
        assert!(!error.contains("127.0.0.1"), "{error}");
    }
}
