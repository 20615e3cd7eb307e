//! The operator's view of the outbox: what waits, what was given up and why, and what to do about it.

use domain::AccountId;
use domain::MailId;
use domain::audit::AuditAction;
use domain::email::Email;
use domain::language::Language;
use domain::mail::{Mail, MailMessage, MailState, OutgoingMail};
use serde_json::{Value, json};
use storage::outbox::MailFilter;
use storage::{Page, Paged, Tx};

use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::ports::RenderedMail;
use crate::mail::Outbox;

/// States that the metrics tell the number of.
const COUNTED: [MailState; 3] = [MailState::Queued, MailState::Sending, MailState::Dead];

/// A mail to try whether mail arrives.
#[derive(Debug, Clone)]
pub struct TestMail {
    /// Address that the mail goes to.
    pub to: Email,
    /// Language that the mail is written in.
    pub language: Language,
    /// Account whose branding the mail shows; none for the operator's own.
    pub account_id: Option<AccountId>,
}

impl Outbox {
    /// Lists mails, the newest first. Their messages are never shown.
    pub async fn list_mails(&self, caller: &Caller, filter: &MailFilter, page: &Page) -> Result<Paged<Mail>> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::outbox::list(&mut tx, filter, page).await?)
    }

    /// Reads how a mail stands.
    pub async fn get_mail(&self, caller: &Caller, id: MailId) -> Result<Mail> {
        caller.authorize_operator()?;
        mail(&mut self.core.store.read().await?, id).await
    }

    /// Writes a mail whose only purpose is to arrive.
    pub async fn send_test_mail(&self, caller: &Caller, test: TestMail) -> Result<Mail> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.begin().await?;
        if let Some(account_id) = test.account_id {
            account(&mut tx, account_id).await?;
        }
        let TestMail { to, language, account_id } = test;
        let outgoing = OutgoingMail { account_id, to, language, message: MailMessage::Test };
        let id = self.enqueue_mail(&mut tx, outgoing).await?;
        let written = mail(&mut tx, id).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::MailTestSent, &written, Value::Null, audited(&written)))
            .await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Has a mail that was given up tried again, from the beginning.
    pub async fn retry_mail(&self, caller: &Caller, id: MailId) -> Result<Mail> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.begin().await?;
        let before = mail(&mut tx, id).await?;
        if !storage::outbox::requeue(&mut tx, id, self.core.now()).await? {
            return Err(Error::new(Code::MailNotRetryable));
        }
        tx.notify_after_commit(&self.waiting);
        let after = mail(&mut tx, id).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::MailRetried, &before, audited(&before), audited(&after)))
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Removes a mail, unless it is being sent just now.
    pub async fn discard_mail(&self, caller: &Caller, id: MailId) -> Result<()> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.begin().await?;
        let before = mail(&mut tx, id).await?;
        if !storage::outbox::delete(&mut tx, id).await? {
            return Err(Error::new(Code::MailBeingSent));
        }
        self.core
            .record(&mut tx, caller, entry(AuditAction::MailDiscarded, &before, audited(&before), Value::Null))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lists what would have been sent, the newest first, to all recipients or to one; in development alone.
    pub fn mailbox(&self, caller: &Caller, to: Option<&Email>) -> Result<Vec<RenderedMail>> {
        caller.authorize_operator()?;
        let mailbox = self.core.ports.mailbox.as_ref().ok_or_else(no_mailbox)?;
        let mut mails = mailbox.mails();
        mails.retain(|mail| to.is_none_or(|to| mail.to == *to));
        mails.reverse();
        Ok(mails)
    }

    /// Removes all mails from the development mailbox.
    pub fn clear_mailbox(&self, caller: &Caller) -> Result<()> {
        caller.authorize_operator()?;
        self.core.ports.mailbox.as_ref().ok_or_else(no_mailbox)?.clear();
        Ok(())
    }

    /// Tells the metrics how full the outbox is.
    pub(crate) async fn measure_outbox(&self) -> Result<()> {
        let mut tx = self.core.store.read().await?;
        for state in COUNTED {
            let count = storage::outbox::count(&mut tx, state).await?;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("vestibule_mails", "state" => state.as_str()).set(f64::from(count));
        }
        Ok(())
    }
}

async fn mail(tx: &mut Tx, id: MailId) -> Result<Mail> {
    storage::outbox::by_id(tx, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

fn no_mailbox() -> Error {
    Error::new(Code::NotFound)
        .with_detail("There is a mailbox in development alone, where no mail server is configured")
}

fn entry(action: AuditAction, mail: &Mail, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: mail.account_id, action, target: mail.id.to_string(), before, after }
}

fn audited(mail: &Mail) -> Value {
    json!({ "kind": mail.kind, "language": mail.language, "state": mail.state, "attempts": mail.attempts })
}
