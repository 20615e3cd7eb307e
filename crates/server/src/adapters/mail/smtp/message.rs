//! A mail in the form in which it travels (RFC 5322, MIME).

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use service::ports::RenderedMail;

/// `Auto-Submitted` (RFC 3834, section 5): no absence notice answers it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// `Content-Language` (RFC 3282).
#[derive(Clone)]
struct ContentLanguage(String);

impl Header for ContentLanguage {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Language")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// Builds the text that follows `DATA` (RFC 5321, section 4.5.2): the mail, dots doubled where a line begins with
/// one, and the dot that ends it. One text, for one write: of two, the second would wait until the first is
/// acknowledged, 40 ms later.
pub fn content(mail: &RenderedMail, from: &Address, to: &Address) -> Result<String, lettre::error::Error> {
    let mail = String::from_utf8_lossy(&encoded(mail, from, to)?).replace("\r\n.", "\r\n..");
    Ok(format!("{}\r\n.\r\n", mail.trim_end_matches("\r\n")))
}

/// The whole mail: a text part, and the same in HTML.
fn encoded(mail: &RenderedMail, from: &Address, to: &Address) -> Result<Vec<u8>, lettre::error::Error> {
    let seconds = u64::try_from(mail.date.as_second()).unwrap_or_default();
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}>", mail.message_id)))
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .from(Mailbox::new(Some(one_line(&mail.sender_name)), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(&mail.subject))
        .header(AutoSubmitted)
        .header(ContentLanguage(mail.language.as_str().to_owned()));
    if let Some(Ok(reply_to)) = mail.reply_to.as_ref().map(|address| address.as_str().parse()) {
        builder = builder.reply_to(Mailbox::new(None, reply_to));
    }
    let part = |kind: ContentType, body: &str| SinglePart::builder().header(kind).body(body.to_owned());
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html));
    Ok(builder.multipart(parts)?.formatted())
}

/// A header has one line; lettre panics at a name that has two.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use jiff::Timestamp;

    use super::*;

    /// Proves E4: no value of a mail can add a header, the message id stays as it is, and both parts are there.
    #[test]
    fn no_value_becomes_a_header() {
        let mail = RenderedMail {
            message_id: "mail_1@login.example.com".into(),
            date: Timestamp::from_second(1_800_000_000).unwrap(),
            sender_name: "Åkes \"Bil\" <x>\r\nBcc: evil@example.com".into(),
            reply_to: Some("help@example.com".to_owned().try_into().unwrap()),
            to: "ann@example.com".to_owned().try_into().unwrap(),
            language: Language::Swedish,
            subject: "Hej\r\nBcc: evil@example.com\r\n\r\nBody".into(),
            text: "Länk: https://app.example.com/#token=abc\n.\n".into(),
            html: "<p>Länk</p>".into(),
        };
        let (from, to) = ("no-reply@example.com".parse().unwrap(), "ann@example.com".parse().unwrap());
        let text = String::from_utf8(encoded(&mail, &from, &to).unwrap()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.is_ascii(), "{text}");
        let names: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        let wanted = ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "Content-Language", "Reply-To"];
        for name in &names {
            assert!(wanted.contains(name) || ["MIME-Version", "Content-Type"].contains(name), "{name} in {head}");
        }
        assert!(wanted.iter().all(|name| names.contains(name)), "{head}");
        assert!(head.contains("Message-ID: <mail_1@login.example.com>"), "{head}");
        assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
    }
}
