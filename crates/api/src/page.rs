//! Plain pages, for a person whose browser was sent here by an identity provider (D4).

/// A page of our own words with some names to tell: it loads nothing and leads nowhere.
pub struct PlainPage<'a> {
    /// Title of the browser's window.
    pub title: &'a str,
    /// First line of the page.
    pub heading: &'a str,
    /// Paragraph that follows.
    pub text: &'a str,
}

/// Writes a plain page as HTML, with a list of terms and values.
pub fn plain_page(page: &PlainPage<'_>, told: &[(&str, &str)]) -> String {
    let PlainPage { title, heading, text } = page;
    let rows: String = told.iter().map(|(term, value)| row(term, value)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{heading}</h1>\n<p>{text}</p>\n<dl>{rows}</dl>\n</body>\n</html>\n",
        title = escaped(title),
        heading = escaped(heading),
        text = escaped(text),
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
