//! IdP metadata by URL (C5).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use service::ports::{FetchError, MetadataBytes, MetadataSource};
use url::Url;

use super::{GuardedClient, OutboundError, Reach, RequestFailure};

/// An administrator waits at a page meanwhile; federations' servers are slow.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest document: one IdP's metadata has some kilobytes; a whole federation's is not what belongs here.
const METADATA_MAX_BYTES: usize = 1024 * 1024;

/// Fetches metadata documents by HTTP GET.
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
    async fn fetch(&self, url: &Url) -> Result<MetadataBytes, FetchError> {
        let response = self.client.get(url).await.map_err(|failure| no_answer(url, &failure))?;
        check_status(url, response.status())?;
        let charset = charset(&response);
        let bytes = bounded_body(url, response).await?;
        Ok(MetadataBytes { bytes, charset })
    }
}

fn no_answer(url: &Url, failure: &RequestFailure) -> FetchError {
    FetchError(match failure {
        // One text for all of these: an administrator of one account must not learn from it which names resolve inside
        // the network that Vestibule runs in, and to what (A5).
        RequestFailure::Forbidden | RequestFailure::Unresolved | RequestFailure::NoConnection => format!(
            "{url} cannot be reached from here: it must be an https URL whose name resolves to public addresses, with a \
             server that answers. Check it, or download the metadata yourself and paste or upload it"
        ),
        RequestFailure::Untrusted(why) => format!(
            "{url} shows a TLS certificate that is not trusted here ({why}): often its server leaves out the \
             intermediate certificate. Have that mended, or download the metadata yourself and paste or upload it"
        ),
        RequestFailure::Timeout => format!(
            "{url} does not answer within {} seconds. Try again, or paste or upload the metadata",
            FETCH_TIMEOUT.as_secs()
        ),
        RequestFailure::NoAnswer(why) => {
            format!(
                "{url} gives no answer that can be read ({why}). Check the address, or paste or upload the metadata"
            )
        }
    })
}

/// The encoding that the answer's media type names (RFC 9110, section 8.3.2).
fn charset(response: &Response) -> Option<String> {
    let value = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"').to_owned())
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

    async fn fetch(script: Script) -> Result<MetadataBytes, FetchError> {
        let server = ScriptedServer::start(script).await;
        let source = HttpMetadataSource::within(Reach::PublicAndLoopback, Duration::from_millis(500)).unwrap();
        source.fetch(&server.url).await
    }

    /// Proves C5: a document comes as it is, with the encoding that HTTP names.
    #[tokio::test]
    async fn a_document_is_fetched() {
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/xml; charset=\"utf-16\"\r\ncontent-length: 3\r\n\r\n<\xff>";
        let charset = Some("utf-16".to_owned());
        assert_eq!(fetch(Script::Answer(answer)).await, Ok(MetadataBytes { bytes: b"<\xff>".to_vec(), charset }));
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
            (Script::Hang, "does not answer within"),
            (Script::HangUp, "no answer that can be read"),
            (Script::EndlessBody, "more than 1 MiB"),
            (Script::TricklingBody, "does not answer within"),
        ];
        for (script, wanted) in table {
            let error = fetch(script).await.unwrap_err().to_string();
            assert!(error.contains(wanted), "{script:?}: {error}");
        }
    }

    /// Proves C5, A5: a forbidden address is not connected to, and the answer is the one for a name that does not
    /// exist and for a port without a listener.
    #[tokio::test]
    async fn what_resolves_inside_the_network_is_not_told() {
        let public = HttpMetadataSource::new(Reach::Public).unwrap();
        let development = HttpMetadataSource::new(Reach::PublicAndLoopback).unwrap();
        let refusing = ScriptedServer::refusing_url().await;
        let urls =
            ["https://localhost:1/", "https://127.0.0.1:1/", "https://idp.invalid/", "https://10.0.0.7/metadata"];
        let urls = urls.map(|url| (&public, Url::parse(url).unwrap()));
        for (source, url) in urls.into_iter().chain([(&development, refusing)]) {
            let error = source.fetch(&url).await.unwrap_err().to_string();
            let rest = error.strip_prefix(url.as_str()).unwrap_or_default();
            assert!(rest.starts_with(" cannot be reached from here: it must be an https URL"), "{error}");
            assert!(rest.ends_with("paste or upload it"), "{error}");
            assert!(!rest.contains("loopback") && !rest.contains("private") && !rest.contains("127"), "{error}");
        }
    }
}
