//! Whether mail leaves, and whether any waits.

use domain::mail::MailState;

use super::finding::Findings;
use crate::adapters::mail::SmtpMailer;
use crate::config::Loaded;

/// Talks to the mail server as far as a mail would get without a recipient, and looks at the outbox.
pub async fn examine(loaded: &Loaded, development: bool, findings: &mut Findings) {
    // What is wrong with the configuration is said already.
    match loaded.mail(development) {
        Ok(Some(settings)) => match SmtpMailer::new(settings) {
            Ok(mailer) => match mailer.check().await {
                Ok(text) => findings.good("mail", text),
                Err(reason) => findings.failure("mail", reason),
            },
            Err(error) => findings.failure("mail", format!("{:#}", anyhow::Error::from(error))),
        },
        Ok(None) if development => findings.note("mail", "goes to the mailbox of development, at /v1/mailbox"),
        Ok(None) => findings.warning("mail", "no mail server is configured: mails wait in the outbox; set mail.host"),
        Err(_) => {}
    }
}

/// Says how many mails wait, and how many were given up.
pub async fn examine_outbox(tx: &mut storage::Tx, findings: &mut Findings) -> Result<(), storage::StorageError> {
    let queued = storage::outbox::count(tx, MailState::Queued).await?;
    let dead = storage::outbox::count(tx, MailState::Dead).await?;
    if dead > 0 {
        let text = format!("{queued} mails wait, {dead} were given up; see GET /v1/mails?state=dead");
        findings.warning("outbox", text);
    } else {
        findings.good("outbox", format!("{queued} mails wait, none was given up"));
    }
    Ok(())
}
