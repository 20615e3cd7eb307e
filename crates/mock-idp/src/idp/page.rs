//! The few HTML pages. Everything that comes from outside is escaped, and no script runs but the one line that submits.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::answer::{Answer, SignIn};
use super::fault::Fault;
use super::user::User;
use crate::message::DigestAlgorithm;

const SUBMIT_SCRIPT: &str = "document.forms[0].submit()";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}\
label{display:block;margin-top:1rem;font-weight:600}\
input,select,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}\
button{margin-top:1.5rem;background:#0b4f6c;color:#fff;border:0}\
[role=alert]{border-left:.25rem solid #a4161a;padding-left:.75rem}\
code{overflow-wrap:anywhere}";

/// Front page for a visitor without a request: the endpoints, and the users who can sign in.
pub(super) fn front(entity_id: &str, users: &[User]) -> HttpResponse {
    let body = format!(
        "<h1>Mock identity provider</h1>\
         <p>This is <code>{entity_id}</code>. Begin at the application: it sends you here to sign in.</p>\
         <p>For the application there is <a href=\"/metadata\">metadata</a>.</p>\
         <h2>Test users</h2><ul>{users}</ul>",
        entity_id = escape(entity_id),
        users = users.iter().map(user_line).collect::<String>(),
    );
    page(StatusCode::OK, "Test users", &body)
}

/// The login form; `handle` names the sign-in, `problem` says why it is shown again.
pub(super) fn login(handle: &str, sign_in: &SignIn, users: &[User], problem: Option<&str>) -> HttpResponse {
    let alert = problem.map(|problem| format!("<p role=\"alert\">{}</p>", escape(problem))).unwrap_or_default();
    let body = format!(
        "<h1>Mock identity provider</h1>\
         <p>Sign in to <code>{audience}</code>. This is for tests: it knows no secrets.</p>{alert}\
         <form method=\"post\" action=\"/login\">\
         <input type=\"hidden\" name=\"handle\" value=\"{handle}\">\
         <label for=\"username\">Username</label>\
         <input id=\"username\" name=\"username\" autocomplete=\"username\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <label for=\"fault\">What goes wrong</label>\
         <select id=\"fault\" name=\"fault\">{faults}</select>\
         <button type=\"submit\">Sign in</button></form>\
         <h2>Test users</h2><ul>{users}</ul>",
        audience = escape(&sign_in.audience),
        handle = escape(handle),
        faults = fault_choices(),
        users = users.iter().map(user_line).collect::<String>(),
    );
    let status = if problem.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, "Sign in", &body)
}

fn user_line(user: &User) -> String {
    format!(
        "<li><code>{}</code>, password <code>{}</code>: {} {}</li>",
        escape(&user.username),
        escape(&user.password),
        escape(&user.display_name),
        escape(&user.hint),
    )
}

/// Options by their position in [`Fault::choices`]; empty leaves it to the control API.
fn fault_choices() -> String {
    let nothing = "<option value=\"\">nothing, or what the control API has set</option>".to_owned();
    Fault::choices().iter().enumerate().fold(nothing, |options, (index, (_, label))| {
        options + &format!("<option value=\"{index}\">{}</option>", escape(label))
    })
}

/// The form that carries the response to the service provider, by script or by hand.
pub(super) fn answer(answer: &Answer) -> HttpResponse {
    let relay_state = answer
        .relay_state
        .as_ref()
        .map(|value| format!("<input type=\"hidden\" name=\"RelayState\" value=\"{}\">", escape(value)))
        .unwrap_or_default();
    let body = format!(
        "<h1>Back to the application</h1>\
         <form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"SAMLResponse\" value=\"{response}\">{relay_state}\
         <button>Continue</button></form><script>{SUBMIT_SCRIPT}</script>",
        action = escape(&answer.action),
        response = escape(&answer.saml_response),
    );
    page(StatusCode::OK, "Continue", &body)
}

/// A page that says what is wrong with a request.
pub(super) fn refusal(message: &str) -> HttpResponse {
    let body = format!("<h1>This request cannot be answered</h1><p role=\"alert\">{}</p>", escape(message));
    page(StatusCode::BAD_REQUEST, "Error", &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} - Mock IdP</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    );
    let script = BASE64.encode(DigestAlgorithm::Sha256.digest(SUBMIT_SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script}'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(html)
}

/// Escapes for text and for quoted attribute values alike.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}
