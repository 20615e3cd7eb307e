//! Mails: written into the outbox, in the transaction of the change that they tell of (E4), listed, and branded.
//!
//! Uses: `core`.

pub(crate) mod branding;
pub(crate) mod outbox;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::application::{Application, Page, RedirectUri};
use domain::email::Email;
use domain::mail::{Mail, MailMessage, MailState, OutgoingMail};
use domain::portal::Portal;
use domain::user::User;
use domain::{AccountId, MailBatchId, MailId};
use storage::Tx;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::core::Core;
use crate::core::account;
use crate::core::error::{Code, Error, Result, Violation};

/// Outbox of mails, and how an account's mails look.
pub struct Outbox {
    core: Arc<Core>,
    pub(crate) waiting: Arc<Notify>,
    pub(crate) stops: AtomicBool,
}

impl Outbox {
    /// Puts the outbox over the core.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, waiting: Arc::default(), stops: AtomicBool::new(false) }
    }

    /// Writes a mail into the outbox: it is sent once the transaction is committed, and not at all otherwise.
    pub(crate) async fn enqueue_mail(&self, tx: &mut Tx, mail: OutgoingMail) -> Result<MailId> {
        let mail = self.sealed(mail)?;
        let id = mail.id;
        self.enqueue(tx, &[mail]).await?;
        Ok(id)
    }

    /// The same for a mail to one of an account's people, in the account's first language.
    pub(crate) async fn enqueue_mail_of(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        to: Email,
        message: MailMessage,
    ) -> Result<MailId> {
        let language = account(tx, account_id).await?.settings.default_language();
        self.enqueue_mail(tx, OutgoingMail { account_id: Some(account_id), to, language, message }).await
    }

    /// Writes a mail that is a credential of this user: it is withdrawn where that is voided before it is sent
    /// (A7).
    pub(crate) async fn enqueue_credential(&self, tx: &mut Tx, user: &User, mail: OutgoingMail) -> Result<()> {
        let mail = self.sealed(mail)?.to_user(user);
        self.enqueue(tx, &[mail]).await
    }

    /// Writes mails into the outbox that [`Self::sealed`] made.
    pub(crate) async fn enqueue(&self, tx: &mut Tx, mails: &[Mail]) -> Result<()> {
        storage::outbox::insert_all(tx, mails).await?;
        tx.notify_after_commit(&self.waiting);
        Ok(())
    }

    /// A mail as the outbox keeps it. Many are made before their transaction, so that it is short.
    pub(crate) fn sealed(&self, mail: OutgoingMail) -> Result<Mail> {
        let now = self.core.now();
        let id = MailId::from_uuid(self.core.uuid());
        let message = Zeroizing::new(serde_json::to_vec(&mail.message).map_err(Error::internal)?);
        Ok(Mail {
            id,
            account_id: mail.account_id,
            kind: mail.message.kind(),
            language: mail.language,
            recipient: mail.to,
            message_id: self.message_id(id),
            sealed_message: Some(self.core.ports.sealer.seal(&sealing_context(id), &message)),
            batch_id: None,
            user_id: None,
            credential_epoch: None,
            state: MailState::Queued,
            attempts: 0,
            due_at: Some(now),
            last_error: None,
            expires_at: mail.message.expires_at(),
            settled_at: None,
            created_at: now,
        })
    }

    /// The `Message-ID` of a mail.
    pub(crate) fn message_id(&self, id: MailId) -> String {
        format!("{id}@{}", self.core.settings.base_url.host_str().unwrap_or("localhost"))
    }

    /// Writes what the mails of a batch say; they are written by one statement for all of them.
    pub(crate) async fn insert_mail_batch(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        message: &MailMessage,
    ) -> Result<MailBatchId> {
        let id = MailBatchId::from_uuid(self.core.uuid());
        let message = Zeroizing::new(serde_json::to_vec(message).map_err(Error::internal)?);
        let sealed = self.core.ports.sealer.seal(&batch_sealing_context(id), &message);
        storage::outbox::insert_batch(tx, id, account_id, &sealed, self.core.now()).await?;
        tx.notify_after_commit(&self.waiting);
        Ok(id)
    }

    /// The page of an account's frontend that a mail is to lead to: of the portal's default application. Refused, with
    /// the setting that is missing, where there is none.
    pub(crate) async fn page(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        portal: Portal,
        page: Page,
    ) -> Result<RedirectUri> {
        let Some(application) = storage::applications::default_of(tx, account_id, portal).await? else {
            let detail =
                format!("must be true of one application of the portal {}, whose pages mails lead to", portal.as_str());
            return Err(page_not_configured("/is_default".to_owned(), detail));
        };
        page_of_application(&application, page)
    }
}

/// The page of a frontend that a mail is to lead to, or what is missing.
pub(crate) fn page_of_application(application: &Application, page: Page) -> Result<RedirectUri> {
    application.settings.pages.url(page).cloned().ok_or_else(|| {
        let detail = format!("must be set on the application {}", application.id);
        page_not_configured(format!("/pages/{}", page.as_str()), detail)
    })
}

fn page_not_configured(field: String, detail: String) -> Error {
    Error::new(Code::PageNotConfigured).with_violations(vec![Violation { field, detail }])
}

/// Names the place that a mail's message is sealed for.
pub(crate) fn sealing_context(id: MailId) -> String {
    format!("outbox/{id}")
}

/// Names the place that the message of a batch is sealed for.
pub(crate) fn batch_sealing_context(id: MailBatchId) -> String {
    format!("outbox_batch/{id}")
}
