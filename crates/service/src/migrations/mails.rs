//! Mails that tell people that SSO becomes required, or is not any more: written for all of them at once; one that
//! carries a secret gets it when it is sent.

use domain::account::Account;
use domain::application::Page;
use domain::mail::{MailKind, MailMessage};
use domain::sso_migration::SsoMigration;
use jiff::Timestamp;
use storage::Tx;
use storage::sso_migration_effects::PlannedMails;

use crate::core::account;
use crate::core::error::Result;
use crate::migrations::Migrations;

/// Messages of the mails of each kind.
pub(super) struct MailPlan {
    account: Account,
    messages: Vec<(MailKind, MailMessage)>,
    /// Time until which invitations may be accepted.
    invitations_expire_at: Timestamp,
}

impl Migrations {
    /// Composes the messages of a migration, one for each kind of mail that its plan counts.
    pub(super) async fn mails_of(
        &self,
        tx: &mut Tx,
        migration: &SsoMigration,
        saml_login_url: String,
    ) -> Result<MailPlan> {
        let account = account(tx, migration.account_id).await?;
        let expires_at = self.core.now().saturating_add(account.settings.invitation()).unwrap_or(Timestamp::MAX);
        let mut messages = vec![];
        for kind in migration.counts.mails.keys().copied() {
            let message = match kind {
                MailKind::SsoInvitation => MailMessage::SsoInvitation {
                    saml_login_url: saml_login_url.clone(),
                    expires_at,
                    inviter: None,
                    roles: vec![],
                },
                MailKind::SsoRequired => MailMessage::SsoRequired { saml_login_url: saml_login_url.clone() },
                _ => {
                    let page = self.mail.page(tx, account.id, migration.portal, Page::Login).await?;
                    MailMessage::SsoEnded { login_url: page.as_str().to_owned() }
                }
            };
            messages.push((kind, message));
        }
        Ok(MailPlan { account, messages, invitations_expire_at: expires_at })
    }

    /// Writes the mails into the outbox, in one statement for each kind.
    pub(super) async fn write_mails(&self, tx: &mut Tx, migration: &SsoMigration, plan: &MailPlan) -> Result<()> {
        let (account_id, id, now) = (migration.account_id, migration.id, self.core.now());
        for (kind, message) in &plan.messages {
            let batch_id = self.mail.insert_mail_batch(tx, migration.account_id, message).await?;
            let language = plan.account.settings.default_language();
            let mails = PlannedMails { kind: *kind, language, batch_id, expires_at: message.expires_at() };
            storage::sso_migration_effects::insert_mails(tx, account_id, id, mails, now).await?;
            if *kind == MailKind::SsoInvitation {
                let expires_at = plan.invitations_expire_at;
                storage::sso_migration_effects::mail_invitations(tx, account_id, id, now, expires_at).await?;
            }
        }
        Ok(())
    }
}
