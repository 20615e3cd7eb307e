//! The error catalogue, generated: `docs/errors.md` and the page at `/docs/errors`.

use std::fmt::Write as _;

use service::Code;

use super::status;
use crate::page::escaped;

const INTRODUCTION: &str = "\
# Errors

Errors are `application/problem+json` (RFC 9457). Branch on `code`: it is stable, and this is the whole list. `detail`
says what is wrong, `fix` what the reader can do, `errors` which fields or parameters are meant, `request_id` names the
request in the logs. 401 carries `WWW-Authenticate`; 429 and 503 carry `Retry-After`. The OAuth endpoints answer a refused
grant as RFC 6749, section 5.2, says: `{\"error\", \"error_description\"}`.

This file is generated from the code (`./dev generate`).

| code | status | detail | fix |
| --- | --- | --- | --- |
";

/// The catalogue as Markdown.
pub fn error_catalogue_markdown() -> String {
    Code::ALL.iter().fold(INTRODUCTION.to_owned(), |mut text, &code| {
        let status = status(code).as_u16();
        let _ = writeln!(text, "| `{}` | {status} | {} | {} |", code.as_str(), code.detail(), code.fix());
        text
    })
}

/// The catalogue as a page, with an anchor for each code: where the `type` of a problem leads.
pub fn error_catalogue_page() -> String {
    let head =
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Errors</title></head>\n<body>\n";
    let sections = Code::ALL.iter().fold(String::new(), |mut text, &code| {
        let (name, status) = (escaped(code.as_str()), status(code).as_u16());
        let (detail, fix) = (escaped(code.detail()), escaped(code.fix()));
        let _ = writeln!(text, "<h2 id=\"{name}\">{name} ({status})</h2>\n<p>{detail}</p>\n<p>{fix}</p>");
        text
    });
    format!("{head}<h1>Errors</h1>\n{sections}</body>\n</html>\n")
}
