//! A mail server that a test controls, and the mailboxes behind it: `app.mailbox().await.last_to("ann@x.test").link()`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use service::ports::{Delivery, Mailer, RenderedMail};
use tokio::sync::Notify;
use url::Url;

/// Takes every mail, unless it was told to do otherwise. Clones are the same server.
#[derive(Clone, Default)]
pub struct MailServer {
    inside: Arc<Mutex<Inside>>,
    hangs: Arc<Notify>,
}

#[derive(Default)]
struct Inside {
    taken: Vec<Received>,
    next: VecDeque<Delivery>,
    always: Option<Delivery>,
    hang: bool,
}

/// Mails that the server took, the oldest first.
#[derive(Clone)]
pub struct Mailbox(Vec<Received>);

/// A mail that arrived.
#[derive(Clone)]
pub struct Received(RenderedMail);

impl MailServer {
    /// Answers the next mails like this, one after the other, and takes what follows.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Delivery>) {
        self.inside.lock().unwrap().next.extend(answers);
    }

    /// Answers every mail like this; `None` takes them again.
    pub fn answer_always(&self, answer: Option<Delivery>) {
        self.inside.lock().unwrap().always = answer;
    }

    /// Takes the next mail and never answers.
    pub fn hang_on_next(&self) {
        self.inside.lock().unwrap().hang = true;
    }

    /// Comes back once it does so.
    pub async fn hangs(&self) {
        self.hangs.notified().await;
    }

    /// Forgets what it took so far.
    pub fn forget(&self) {
        self.inside.lock().unwrap().taken.clear();
    }

    /// Mails that it took so far. Nothing is sent by looking: see `TestApp::mailbox`.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.inside.lock().unwrap().taken.clone())
    }
}

#[async_trait]
impl Mailer for MailServer {
    async fn send(&self, mail: &RenderedMail) -> Delivery {
        let hangs = std::mem::take(&mut self.inside.lock().unwrap().hang);
        if hangs {
            self.hangs.notify_one();
            std::future::pending::<()>().await;
        }
        let mut inside = self.inside.lock().unwrap();
        let answer = inside.next.pop_front().or_else(|| inside.always.clone()).unwrap_or(Delivery::Delivered);
        if answer == Delivery::Delivered {
            inside.taken.push(Received(mail.clone()));
        }
        answer
    }

    async fn rest(&self) {}
}

impl Mailbox {
    /// Every mail to an address, the oldest first.
    pub fn to(&self, address: &str) -> Vec<Received> {
        self.0.iter().filter(|mail| mail.0.to.as_str() == address).cloned().collect()
    }

    /// The newest mail to an address.
    #[track_caller]
    pub fn last_to(&self, address: &str) -> Received {
        self.to(address).pop().unwrap_or_else(|| panic!("no mail to {address}"))
    }

    /// Recipients of the mails, in the order of the mails.
    pub fn recipients(&self) -> Vec<String> {
        self.0.iter().map(|mail| mail.0.to.as_str().to_owned()).collect()
    }

    /// Number of mails in all.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Received {
    /// The mail as it was sent.
    pub fn mail(&self) -> &RenderedMail {
        &self.0
    }

    /// Subject line of the mail.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Plain-text part of the mail.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The one link of the text part.
    #[track_caller]
    pub fn link(&self) -> Url {
        let mut links = self.text().split_whitespace().filter(|word| word.starts_with("http"));
        let link = links.next().unwrap_or_else(|| panic!("no link in {}", self.text()));
        assert_eq!(links.next(), None, "a second link in {}", self.text());
        link.parse().unwrap()
    }

    /// The one-time token in the fragment of the link.
    #[track_caller]
    pub fn token(&self) -> String {
        let link = self.link();
        let token = link.fragment().and_then(|fragment| fragment.strip_prefix("token="));
        token.unwrap_or_else(|| panic!("no token in {link}")).to_owned()
    }

    /// The six digits of the text part.
    #[track_caller]
    pub fn code(&self) -> String {
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        let code = self.text().split_whitespace().find(is_code);
        code.unwrap_or_else(|| panic!("no code in {}", self.text())).to_owned()
    }
}
