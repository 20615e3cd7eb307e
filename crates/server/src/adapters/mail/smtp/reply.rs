//! Meaning of a mail server's refusal: for this mail, or for all of them.

use lettre::transport::smtp::Error;
use service::ports::Delivery;

/// The stage of the SMTP dialogue that a mail reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `MAIL`: the server judges us, who send.
    Sender,
    /// `MAIL` with a parameter that this mail alone needs: it judges that.
    Parameters,
    /// `RCPT`: it judges the recipient.
    Recipient,
    /// `DATA`: it judges what we send.
    Content,
}

/// Replies about authentication (RFC 4954, section 6), which say nothing of the recipient even where they come late.
const ABOUT_AUTHENTICATION: [u16; 4] = [530, 534, 535, 538];

/// Outcome of this failure at this stage. Once the server has taken the sender, every failure counts against this
/// mail, a lost connection too: otherwise an address that makes the server give up would stop all other mail.
pub fn delivery(stage: Stage, error: &Error) -> Delivery {
    let code = error.status().map(u16::from);
    judged(stage, code, words(error))
}

fn judged(stage: Stage, code: Option<u16>, reason: String) -> Delivery {
    match code {
        _ if stage == Stage::Sender => unavailable(reason),
        Some(500..) if !code.is_some_and(|code| ABOUT_AUTHENTICATION.contains(&code)) => Delivery::Rejected(reason),
        _ => Delivery::Deferred(reason),
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
        use Stage::{Content, Parameters, Recipient, Sender};
        let table = [
            (Recipient, Some(450), "deferred"),
            (Content, Some(451), "deferred"),
            (Recipient, Some(550), "rejected"),
            (Content, Some(554), "rejected"),
            (Sender, Some(550), "unavailable"),
            (Sender, Some(451), "unavailable"),
            (Sender, Some(421), "unavailable"),
            (Sender, None, "unavailable"),
            (Parameters, Some(555), "rejected"),
            (Parameters, None, "deferred"),
            (Recipient, Some(421), "deferred"),
            (Content, Some(421), "deferred"),
            (Recipient, Some(530), "deferred"),
            (Recipient, None, "deferred"),
            (Content, None, "deferred"),
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
