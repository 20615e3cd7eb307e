//! Delivery of mails that wait in the outbox (E4): rendered, marked and sent, with temporary passwords made on the way.
//!
//! Uses: `connections`, `core`, `mail`, `people`.

pub(crate) mod dispatch;
mod rendering;
pub(crate) mod templates;
mod temporary_password;

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::mail::Outbox;
use crate::people::People;
use templates::MailTemplates;

/// Delivery of the outbox's mails.
pub struct MailDelivery {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    people: Arc<People>,
    settings: MailSettings,
}

impl MailDelivery {
    /// Puts the delivery over the outbox and the people whom it writes to.
    pub(crate) fn new(core: Arc<Core>, mail: Arc<Outbox>, people: Arc<People>, settings: MailSettings) -> Self {
        Self { core, mail, people, settings }
    }

    /// Longest time that sending one mail may take.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }
}

/// Settings of how mails are written and sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The sender's name in mails that concern no account.
    pub sender_name: String,
    /// Longest time that sending one mail may take; the mailer gives up then.
    pub timeout: Duration,
    /// The templates, the operator's included.
    pub templates: Arc<MailTemplates>,
}
