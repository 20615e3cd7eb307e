//! A problem as a plain page, for a person whose browser was sent here by an identity provider (D4).

use super::ProblemDocument;

/// The page: our own words, the attempt and the request by name. It repeats nothing of what the request held.
pub fn error_page(problem: &ProblemDocument) -> String {
    let attempt = problem.attempt_id.as_deref().map(|id| row("Attempt", id)).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{detail}</h1>\n<p>{fix}</p>\n<dl>{code}{attempt}{request}</dl>\n</body>\n</html>\n",
        title = escaped(problem.title),
        detail = escaped(&problem.detail),
        fix = escaped(problem.fix),
        code = row("Code", problem.code),
        request = row("Request", &problem.request_id),
    )
}

fn row(term: &str, value: &str) -> String {
    format!("<dt>{}</dt><dd>{}</dd>", escaped(term), escaped(value))
}

/// A text as content of an element or a quoted attribute.
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
        html
    })
}
