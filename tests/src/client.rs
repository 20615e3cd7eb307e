//! Programs that call the API. Who they are is part of the value, so a test reads as who does what.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// Words in which an expired session is refused (D2).
pub const SESSION_EXPIRED: &str = "Your session has expired. Please log in again";

/// A caller with one identity.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    bearer: Option<String>,
    forwarded_for: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// Header fields of the answer.
    pub headers: HeaderMap,
    /// Body as text, empty if there is none.
    pub text: String,
}

impl Client {
    /// Client without credentials, which follows no redirects.
    pub fn anonymous(base_url: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { http, base_url: base_url.to_owned(), bearer: None, forwarded_for: None }
    }

    /// The same program with this token or key.
    #[must_use]
    pub fn bearing(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    /// The same program, whose requests come with this `X-Forwarded-For`.
    #[must_use]
    pub fn forwarded_for(&self, hops: &str) -> Self {
        Self { forwarded_for: Some(hops.to_owned()), ..self.clone() }
    }

    /// A request that a test completes by hand.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base_url) };
        let mut request = self.http.request(method, url);
        if let Some(hops) = &self.forwarded_for {
            request = request.header("x-forwarded-for", hops);
        }
        match &self.bearer {
            Some(bearer) => request.header(AUTHORIZATION, format!("Bearer {bearer}")),
            None => request,
        }
    }

    /// Sends a GET request to this path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends JSON by POST.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Sends JSON by PATCH.
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// Sends JSON by PUT.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    /// Sends a DELETE request to this path.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Sends a form by POST.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.request(Method::POST, path).form(fields)).await
    }
}

impl Answer {
    /// Sends a request and reads its answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{} {error}: {}", self.status, self.text))
    }

    /// The body as JSON, if the status is the one expected.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem document (RFC 9457), if status and code are the ones expected. An expired session has its fixed
    /// words wherever it is met (D2).
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(body["code"], code, "{}", self.text);
        assert_eq!(self.header("www-authenticate").starts_with("Bearer"), status == 401, "{:?}", self.headers);
        if code == "session_expired" {
            assert_eq!(body["detail"], SESSION_EXPIRED, "{}", self.text);
        }
        body
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Target of a redirect, which the answer must be.
    #[track_caller]
    pub fn location(&self) -> url::Url {
        assert!(self.status.is_redirection(), "{} {}", self.status, self.text);
        self.header("location").parse().unwrap()
    }
}

/// The value of a parameter of a URL's query.
#[track_caller]
pub fn parameter(url: &url::Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}
