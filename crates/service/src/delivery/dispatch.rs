//! Sending what is in the outbox (E4).
//!
//! One mail at a time, over one connection: a mail is marked as being sent, in a transaction of its own, right
//! before it goes out, and settled in the next one. So whenever a process is killed, one mail at most may have
//! been sent without being settled; it is sent again when its lease ends, with the same `Message-ID`. More
//! connections would mean more such mails. An operator who sends faster than one connection takes them runs more
//! processes: they do not block each other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::branding::BrandingSettings;
use domain::mail::delivery::{Delivery, Settlement, outdated, settle, withdrawn};
use domain::mail::{Mail, MailKind, MailMessage, MailState};
use jiff::{SignedDuration, Timestamp};
use storage::Tx;

use super::rendering::{Look, render};
use crate::core::error::Result;
use crate::core::ports::RenderedMail;
use crate::delivery::MailDelivery;
use crate::mail::{batch_sealing_context, sealing_context};

/// Mails that are looked up at once; few, so that one that a user waits for soon gets its turn.
const BATCH: u16 = 20;
/// Mails of a batch that no user waits for, where there are many of both kinds: they are not put off for ever.
const BATCH_PATIENT: u16 = 4;
/// A lease lasts as many times as long as sending a mail may take: who still holds it then has died.
const LEASE_FACTOR: i32 = 2;

/// Reasons for which sending came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispatched {
    /// Every mail that was due is settled.
    All,
    /// The mail server cannot be used, and the rest waits.
    Unavailable(String),
    /// The process was asked to stop.
    Stopped,
}

/// A mail that this process has taken, and until when.
pub(super) struct Held {
    pub mail: Mail,
    pub until: Timestamp,
    /// Sealed message of the mail's batch, if it has one.
    shared: Option<Vec<u8>>,
    sender: Sender,
}

impl Held {
    /// Whether it is to carry a secret that is not made yet.
    fn carries_secret(&self) -> bool {
        self.mail.kind == MailKind::TemporaryPassword && self.mail.sealed_message.is_none()
    }
}

/// Account and branding in whose name the mail is sent.
struct Sender {
    account: String,
    branding: BrandingSettings,
}

/// A mail and what became of it.
struct Attempted {
    held: Held,
    settlement: Settlement,
}

impl MailDelivery {
    /// Comes back when a mail was written, or at once if one was since the last time.
    pub async fn mail_waits(&self) {
        self.mail.waiting.notified().await;
    }

    /// Has [`Self::dispatch_mails`] end after the mail that is being sent, for good.
    pub fn stop_mails(&self) {
        self.mail.stops.store(true, Ordering::Relaxed);
        self.mail.waiting.notify_one();
    }

    /// Sends whatever is due. Other processes may do so at the same time.
    pub async fn dispatch_mails(&self) -> Result<Dispatched> {
        let outcome = self.dispatch_all().await;
        self.core.ports.mailer.rest().await;
        outcome
    }

    async fn dispatch_all(&self) -> Result<Dispatched> {
        loop {
            if self.mail.stops.load(Ordering::Relaxed) {
                return Ok(Dispatched::Stopped);
            }
            let batch = self.due_mails().await?;
            if batch.is_empty() {
                return Ok(Dispatched::All);
            }
            if let Some(reason) = self.dispatch(batch).await? {
                return Ok(Dispatched::Unavailable(reason));
            }
        }
    }

    async fn due_mails(&self) -> Result<Vec<Mail>> {
        let mut tx = self.core.store.read().await?;
        let mut due = storage::outbox::due(&mut tx, true, self.core.now(), BATCH - BATCH_PATIENT).await?;
        let others = if due.is_empty() { BATCH } else { BATCH_PATIENT };
        due.extend(storage::outbox::due(&mut tx, false, self.core.now(), others).await?);
        Ok(due)
    }

    /// Sends these mails, except those that another process takes; comes back early, with the reason, if the
    /// server cannot be used.
    async fn dispatch(&self, batch: Vec<Mail>) -> Result<Option<String>> {
        let mut last: Option<Attempted> = None;
        for mail in batch {
            if self.mail.stops.load(Ordering::Relaxed) {
                break;
            }
            let held = self.turn_over(last.take(), Some(mail)).await?;
            let Some(held) = held else { continue };
            let delivery = self.attempt(&held).await;
            let [jitter] = self.core.random();
            let settlement = settle(&held.mail, &delivery, self.core.now(), jitter);
            count(&delivery);
            last = Some(Attempted { held, settlement });
            if let Delivery::Unavailable(reason) = delivery {
                self.turn_over(last, None).await?;
                return Ok(Some(reason));
            }
        }
        self.turn_over(last, None).await?;
        Ok(None)
    }

    /// Settles the last mail and takes the next, in one short transaction; `None` if there is none to send.
    async fn turn_over(&self, last: Option<Attempted>, next: Option<Mail>) -> Result<Option<Held>> {
        if last.is_none() && next.is_none() {
            return Ok(None);
        }
        let mut tx = self.core.store.begin().await?;
        if let Some(Attempted { held, settlement }) = last {
            let still_held = storage::outbox::settle(&mut tx, held.mail.id, held.until, &settlement).await?;
            if !still_held {
                tracing::warn!(mail = %held.mail.id, "sending took longer than its lease, so it may be sent twice");
            }
        }
        let held = match next {
            Some(mail) => self.take(&mut tx, mail).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(held)
    }

    /// Takes a mail, unless it is of no use any more or another process was first.
    async fn take(&self, tx: &mut Tx, mail: Mail) -> Result<Option<Held>> {
        let now = self.core.now();
        let Some(due_at) = mail.due_at else { return Ok(None) };
        if let Some(settlement) = outdated(&mail, now) {
            storage::outbox::settle(tx, mail.id, due_at, &settlement).await?;
            return Ok(None);
        }
        if !is_current(tx, &mail).await? {
            storage::outbox::settle(tx, mail.id, due_at, &withdrawn(&mail, now)).await?;
            return Ok(None);
        }
        let until = now.saturating_add(lease(self.settings.timeout)).unwrap_or(now);
        if !storage::outbox::take(tx, &mail, until).await? {
            return Ok(None);
        }
        let sender = self.sender(tx, &mail).await?;
        let shared = match mail.batch_id.filter(|_| mail.sealed_message.is_none()) {
            Some(batch_id) => storage::outbox::batch_message(tx, batch_id).await?,
            None => None,
        };
        let attempts = mail.attempts.saturating_add(1);
        let mail = Mail { state: MailState::Sending, attempts, due_at: Some(until), ..mail };
        Ok(Some(Held { mail, until, shared, sender }))
    }

    async fn sender(&self, tx: &mut Tx, mail: &Mail) -> Result<Sender> {
        let found = match mail.account_id {
            Some(account_id) => storage::branding::with_display_name(tx, account_id).await?,
            None => None,
        };
        Ok(match found {
            Some((name, branding)) => Sender { account: name.into(), branding: branding.unwrap_or_default() },
            None => Sender { account: self.settings.sender_name.clone(), branding: BrandingSettings::default() },
        })
    }

    async fn attempt(&self, held: &Held) -> Delivery {
        let message = match self.message(held) {
            Ok(shared) if held.carries_secret() => self.temporary_password(held, shared).await,
            other => other.map_err(Delivery::Rejected),
        };
        let rendered = message.and_then(|message| self.rendered(held, &message).map_err(Delivery::Rejected));
        match rendered {
            Ok(mail) => self.core.ports.mailer.send(&mail).await,
            Err(delivery) => delivery,
        }
    }

    /// Reads the message of a mail, or of its batch; or the reason why it cannot be read: an operator mends that,
    /// and tries it again.
    fn message(&self, Held { mail, shared, .. }: &Held) -> std::result::Result<MailMessage, String> {
        let own = mail.sealed_message.as_deref().map(|sealed| (sealing_context(mail.id), sealed));
        let of_batch = mail.batch_id.zip(shared.as_deref());
        let of_batch = of_batch.map(|(batch_id, sealed)| (batch_sealing_context(batch_id), sealed));
        let (context, sealed) = own.or(of_batch).ok_or("its message is gone")?;
        let opened = self.core.ports.sealer.open(&context, sealed).map_err(|error| error.to_string())?;
        serde_json::from_slice(&opened).map_err(|error| error.to_string())
    }

    /// The mail to send, or why it cannot be written.
    fn rendered(
        &self,
        Held { mail, sender, .. }: &Held,
        message: &MailMessage,
    ) -> std::result::Result<RenderedMail, String> {
        let look = Look { account: &sender.account, branding: &sender.branding };
        let templates = &self.settings.templates;
        let parts = render(templates, message, mail.language, &look, mail.created_at);
        let parts = parts.map_err(|error| error.to_string())?;
        Ok(RenderedMail {
            message_id: mail.message_id.clone(),
            date: self.core.now(),
            sender_name: look.sender_name().to_owned(),
            reply_to: sender.branding.reply_to.clone(),
            to: mail.recipient.clone(),
            language: mail.language,
            subject: parts.subject,
            text: parts.text,
            html: parts.html,
        })
    }
}

/// Whether what a mail carries counts still: its user is in the epoch in which it was written (A7).
async fn is_current(tx: &mut Tx, mail: &Mail) -> Result<bool> {
    let (Some(epoch), Some(account_id), Some(user_id)) = (mail.credential_epoch, mail.account_id, mail.user_id) else {
        return Ok(true);
    };
    Ok(storage::users::epoch(tx, account_id, user_id).await? == Some(epoch))
}

fn lease(timeout: Duration) -> SignedDuration {
    SignedDuration::try_from(timeout).unwrap_or(SignedDuration::from_mins(1)).saturating_mul(LEASE_FACTOR)
}

fn count(delivery: &Delivery) {
    let outcome = match delivery {
        Delivery::Delivered => "delivered",
        Delivery::Deferred(_) => "deferred",
        Delivery::Rejected(_) => "rejected",
        Delivery::Unavailable(_) => "unavailable",
    };
    metrics::counter!("vestibule_mail_attempts_total", "outcome" => outcome).increment(1);
}
