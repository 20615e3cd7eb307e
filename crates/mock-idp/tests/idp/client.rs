//! Just enough of HTTP/1.1 to act as a browser and as a test suite.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The unescaped value of a form field.
    pub fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(unescape(value))
    }

    /// URL that the form goes to.
    pub fn action(&self) -> String {
        let (_, rest) = self.body.split_once("action=\"").expect("a form");
        unescape(rest.split_once('"').expect("a quoted action").0)
    }
}

fn unescape(value: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#10;", "\n"), ("&#13;", "\r"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |value, (entity, character)| value.replace(entity, character))
}

pub async fn get(url: &str) -> Reply {
    send("GET", url, "", String::new()).await
}

pub async fn post_form(url: &str, fields: &[(&str, &str)]) -> Reply {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    send("POST", url, "application/x-www-form-urlencoded", body).await
}

pub async fn send_json(method: &str, url: &str, body: &serde_json::Value) -> Reply {
    send(method, url, "application/json", body.to_string()).await
}

async fn send(method: &str, url: &str, content_type: &str, body: String) -> Reply {
    let url = Url::parse(url).expect("a URL");
    let host = url.authority();
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(request, "Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("text");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("the request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("the reply");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Reply { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
}
