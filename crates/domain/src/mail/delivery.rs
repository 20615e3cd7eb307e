//! Consequences of an attempt to deliver a mail.

use jiff::{SignedDuration, Timestamp};

use super::{Mail, MailState};

/// Most attempts at a mail that the server defers: with the pauses between, they take about four hours, which
/// outlasts greylisting and a full mailbox but not a wrong setting.
pub const ATTEMPTS_MAX: u32 = 10;
/// The pause after the first attempt that was put off; each later one is twice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// Longest pause between two attempts.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// A mail older than this is not news any more, and is not tried again.
pub const MAIL_MAX_AGE: SignedDuration = SignedDuration::from_hours(48);
/// Most characters that are kept of what a mail server said.
pub const REPLY_MAX_CHARS: usize = 500;

/// Result of a delivery attempt. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The mail server has taken the mail.
    Delivered,
    /// Refused for now by the mail server (reply 4yz, RFC 5321, section 4.2.1), which may also have given up over
    /// it.
    Deferred(String),
    /// Refused by the mail server for good (reply 5yz).
    Rejected(String),
    /// The mail server cannot be reached, does not let us in or refuses our sender: no mail could be sent now. Says
    /// nothing about this one.
    Unavailable(String),
}

/// Changes to a mail's record after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// State of the mail from now on.
    pub state: MailState,
    /// Number of attempts that count towards [`ATTEMPTS_MAX`].
    pub attempts: u32,
    /// Time of the next attempt, if there is one.
    pub due_at: Option<Timestamp>,
    /// Error that kept it from being delivered.
    pub last_error: Option<String>,
    /// Time at which it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Whether its message is kept, for a later attempt.
    pub keeps_message: bool,
}

/// Gives up a mail before its next attempt where its message is of no use any more or no longer news.
pub fn outdated(mail: &Mail, now: Timestamp) -> Option<Settlement> {
    if mail.expires_at.is_some_and(|end| end <= now) {
        return Some(Settlement {
            keeps_message: false,
            ..dead(mail, "its link or code expired before it was sent", now)
        });
    }
    if mail.attempts >= ATTEMPTS_MAX {
        return Some(dead(mail, "the process that sent it was interrupted each time", now));
    }
    (now.duration_since(mail.created_at) > MAIL_MAX_AGE)
        .then(|| dead(mail, "it was not delivered within 48 hours", now))
}

/// Withdraws a mail whose user came into another epoch before it was sent (A7): its credential does not work any
/// more.
pub fn withdrawn(mail: &Mail, now: Timestamp) -> Settlement {
    let why = "the user's password, an address or their standing was changed before it was sent";
    Settlement { state: MailState::Withdrawn, keeps_message: false, ..dead(mail, why, now) }
}

/// Decides the consequences of an attempt: `mail` is as it was taken for it, that attempt counted. `jitter` is
/// random, so that mails which failed together do not come back together.
pub fn settle(mail: &Mail, delivery: &Delivery, now: Timestamp, jitter: u8) -> Settlement {
    match delivery {
        Delivery::Delivered => Settlement {
            state: MailState::Delivered,
            attempts: mail.attempts,
            due_at: None,
            last_error: None,
            settled_at: Some(now),
            keeps_message: false,
        },
        Delivery::Rejected(reply) => dead(mail, reply, now),
        Delivery::Deferred(reply) if mail.attempts >= ATTEMPTS_MAX => dead(mail, reply, now),
        Delivery::Deferred(reply) => queued(mail.attempts, later(now, pause(mail.attempts, jitter)), reply),
        Delivery::Unavailable(reply) => queued(mail.attempts.saturating_sub(1), now, reply),
    }
}

/// The pause after so many attempts: twice as long each time, up to an hour, and up to a quarter longer by chance.
fn pause(attempts: u32, jitter: u8) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(ATTEMPTS_MAX);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    pause.saturating_add(pause.saturating_mul(i32::from(jitter)) / (4 * i32::from(u8::MAX)))
}

fn later(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.saturating_add(pause).unwrap_or(now)
}

fn queued(attempts: u32, due_at: Timestamp, reply: &str) -> Settlement {
    Settlement {
        state: MailState::Queued,
        attempts,
        due_at: Some(due_at),
        last_error: Some(shortened(reply)),
        settled_at: None,
        keeps_message: true,
    }
}

fn dead(mail: &Mail, reply: &str, now: Timestamp) -> Settlement {
    Settlement {
        state: MailState::Dead,
        attempts: mail.attempts,
        due_at: None,
        last_error: Some(shortened(reply)),
        settled_at: Some(now),
        keeps_message: true,
    }
}

/// A reply as one line of bounded length.
fn shortened(reply: &str) -> String {
    reply.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REPLY_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::MailId;
    use crate::email::Email;
    use crate::language::Language;
    use crate::mail::MailKind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn mail(attempts: u32) -> Mail {
        Mail {
            id: MailId::from_uuid(Uuid::nil()),
            account_id: None,
            kind: MailKind::MfaCode,
            language: Language::English,
            recipient: Email::parse("ann@example.com").unwrap(),
            message_id: "1@example.com".into(),
            sealed_message: None,
            batch_id: None,
            user_id: None,
            credential_epoch: None,
            state: MailState::Sending,
            attempts,
            due_at: Some(at(60)),
            last_error: None,
            expires_at: Some(at(600)),
            settled_at: None,
            created_at: at(0),
        }
    }

    /// Proves E4: a mail is tried again while that may help, and its message is kept exactly as long.
    #[test]
    fn an_attempt_decides_what_comes_next() {
        let no = || "no".to_owned();
        let table = [
            (1, Delivery::Delivered, MailState::Delivered, 1, None, false),
            (1, Delivery::Deferred(no()), MailState::Queued, 1, Some(30), true),
            (2, Delivery::Deferred(no()), MailState::Queued, 2, Some(60), true),
            (9, Delivery::Deferred(no()), MailState::Queued, 9, Some(3_600), true),
            (ATTEMPTS_MAX, Delivery::Deferred(no()), MailState::Dead, ATTEMPTS_MAX, None, true),
            (1, Delivery::Rejected(no()), MailState::Dead, 1, None, true),
            (ATTEMPTS_MAX, Delivery::Unavailable(no()), MailState::Queued, ATTEMPTS_MAX - 1, Some(0), true),
        ];
        for (attempts, delivery, state, counted, due, keeps) in table {
            let found = settle(&mail(attempts), &delivery, at(100), 0);
            assert_eq!((found.state, found.attempts, found.keeps_message), (state, counted, keeps), "{delivery:?}");
            assert_eq!(found.due_at, due.map(|after| at(100 + after)), "{delivery:?}");
            assert_eq!(found.settled_at.is_some(), found.due_at.is_none(), "{delivery:?}");
        }
    }

    /// Proves E4: chance makes a pause longer by a quarter at most.
    #[test]
    fn pauses_differ_a_little() {
        assert_eq!(pause(1, u8::MAX), SignedDuration::from_millis(37_500));
        assert_eq!(pause(40, 0), LONGEST_PAUSE);
        assert!(pause(3, 100) > pause(3, 0));
    }

    /// Proves B2: a code that has expired is not sent, and is not kept.
    #[test]
    fn what_is_of_no_use_any_more_is_given_up() {
        assert_eq!(outdated(&mail(0), at(599)), None);
        let expired = outdated(&mail(0), at(600)).unwrap();
        assert_eq!((expired.state, expired.keeps_message), (MailState::Dead, false));
        assert!(outdated(&mail(ATTEMPTS_MAX), at(1)).unwrap().keeps_message, "an interruption each time");
        let notice = Mail { expires_at: None, ..mail(3) };
        assert_eq!(outdated(&notice, at(48 * 3_600)), None);
        assert!(outdated(&notice, at(48 * 3_600 + 1)).unwrap().keeps_message);
    }

    /// Proves E4: what a mail server says is kept as one line of bounded length.
    #[test]
    fn a_reply_is_shortened() {
        let reply = format!("451 a\r\nb{}", "x".repeat(1_000));
        let kept = shortened(&reply);
        assert_eq!((kept.chars().count(), kept.contains('\n')), (REPLY_MAX_CHARS, false));
    }

    /// Proves A7: a mail whose user came into another epoch is settled for good, and nothing of what it says is kept.
    #[test]
    fn a_withdrawn_mail_is_settled_and_says_nothing_any_more() {
        let settlement = withdrawn(&mail(0), at(9));
        assert_eq!((settlement.state, settlement.due_at), (MailState::Withdrawn, None));
        assert_eq!((settlement.settled_at, settlement.keeps_message), (Some(at(9)), false));
    }
}
