//! What a mail server's refusal means: for this mail, or for all of them.

use lettre::transport::smtp::Error;
use service::ports::Delivery;

/// How far a mail got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `MAIL`: the server judges us, who send.
    Sender,
    /// `RCPT`: it judges whom we send to.
    Recipient,
    /// `DATA`: it judges what we send.
    Content,
}

/// Replies about the session, whenever they come: shutting down, and the four of authentication (RFC 4954, section 6).
const ABOUT_THE_SESSION: [u16; 5] = [421, 530, 534, 535, 538];

/// What follows from this failure at this stage. Whatever is not a refusal of this very mail concerns all of them, so
/// that a wrong password or sender does not use up anybody's attempts.
pub fn delivery(stage: Stage, error: &Error) -> Delivery {
    let code = error.status().map(u16::from);
    judged(stage, code, words(error))
}

fn judged(stage: Stage, code: Option<u16>, reason: String) -> Delivery {
    match code {
        None => unavailable(reason),
        Some(code) if stage == Stage::Sender || ABOUT_THE_SESSION.contains(&code) => unavailable(reason),
        Some(400..=499) => Delivery::Deferred(reason),
        Some(_) => Delivery::Rejected(reason),
    }
}

/// No mail can be sent now.
pub fn unavailable(reason: String) -> Delivery {
    Delivery::Unavailable(reason)
}

/// An error in words; lettre's tell their causes themselves.
pub fn words(error: &Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves E4: a refusal of one mail is told from a server that takes none.
    #[test]
    fn a_refusal_concerns_one_mail_or_all() {
        use Stage::{Content, Recipient, Sender};
        let table = [
            (Recipient, Some(450), "deferred"),
            (Content, Some(451), "deferred"),
            (Recipient, Some(550), "rejected"),
            (Content, Some(554), "rejected"),
            (Sender, Some(550), "unavailable"),
            (Sender, Some(451), "unavailable"),
            (Content, Some(421), "unavailable"),
            (Recipient, Some(530), "unavailable"),
            (Content, None, "unavailable"),
        ];
        for (stage, code, wanted) in table {
            let found = match judged(stage, code, String::new()) {
                Delivery::Delivered => "delivered",
                Delivery::Deferred(_) => "deferred",
                Delivery::Rejected(_) => "rejected",
                Delivery::Unavailable(_) => "unavailable",
            };
            assert_eq!(found, wanted, "{stage:?} {code:?}");
        }
    }
}
