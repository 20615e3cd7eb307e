//! Mail of an invitation: a link that sets a password, the way to SSO, or the way to the magic link (E2).

use domain::AccountId;
use domain::account::Account;
use domain::application::{Page, RedirectUri};
use domain::invitation::{AcceptBy, decide_accept_by};
use domain::language::Language;
use domain::mail::{Mail, MailMessage, OutgoingMail};
use domain::one_time_link::{LinkPurpose, OneTimeLink};
use domain::portal::Portal;
use domain::sso::connection::SsoMode;
use domain::text::Label;
use domain::user::User;
use jiff::{SignedDuration, Timestamp};
use storage::Tx;

use crate::connections::portal_connection;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::people::People;

/// Choices of an inviter about the mail.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailWishes {
    /// Language of the mail.
    pub language: Option<Language>,
    /// The invited person's way in.
    pub accept_by: Option<AcceptBy>,
}

/// Invitations that mails are to be written for.
pub(crate) struct MailingOf<'a> {
    /// Account that invites.
    pub account: &'a Account,
    /// Portal that it invites to.
    pub portal: Portal,
    /// Choices of the inviter.
    pub wishes: &'a MailWishes,
}

/// Facts that all mails of one request share.
pub(crate) struct Mailing {
    /// Place that they lead to.
    pub lead: Lead,
    /// Language that they are written in.
    pub language: Language,
    /// Person or key that invites.
    pub inviter: Option<Label>,
    /// Time that they leave to accept.
    pub lifetime: SignedDuration,
}

/// Place that the mail leads to.
pub(crate) enum Lead {
    /// Page that sets a password.
    Password(RedirectUri),
    /// The same, for the first owner of an account (A1).
    FirstOwner(RedirectUri),
    /// Start of a sign-in with SSO (C8).
    Sso(String),
    /// Page where people ask for a magic link.
    MagicLink(RedirectUri),
}

impl Mailing {
    /// Facts of the mail to the first owner of an account (A1); the operator knows only the owner's email.
    pub fn first_owner(account: &Account, page: RedirectUri, wishes: MailWishes) -> Self {
        let language = wishes.language.unwrap_or_else(|| account.settings.default_language());
        let lifetime = account.settings.invitation();
        Self { lead: Lead::FirstOwner(page), language, inviter: None, lifetime }
    }
}

impl People {
    /// Finds out what the mails of a portal's invitations are; refused where the portal has no such way in, or the page
    /// that they would lead to is not configured.
    pub(crate) async fn mailing(&self, tx: &mut Tx, caller: &Caller, of: MailingOf<'_>) -> Result<Mailing> {
        let MailingOf { account, portal, wishes } = of;
        let account_id = account.id;
        let connection = portal_connection(tx, account_id, portal).await?;
        let mode = connection.as_ref().map_or(SsoMode::Off, |connection| connection.mode);
        let decided = decide_accept_by(portal, mode, wishes.accept_by);
        let lead = match decided.map_err(|refusal| Error::invalid("/accept_by", refusal))? {
            AcceptBy::Password => Lead::Password(self.mail.page(tx, account_id, portal, Page::AcceptInvitation).await?),
            AcceptBy::MagicLink => Lead::MagicLink(self.mail.page(tx, account_id, portal, Page::Login).await?),
            AcceptBy::Sso => {
                let connection = connection.ok_or_else(|| Error::new(Code::SsoAccountNotConfigured))?;
                check_initiates_login(tx, account_id, portal).await?;
                Lead::Sso(self.connections.saml_login_url(&connection.sp_hash))
            }
        };
        Ok(Mailing {
            lead,
            language: wishes.language.unwrap_or_else(|| account.settings.default_language()),
            inviter: inviter(tx, caller).await?,
            lifetime: account.settings.invitation(),
        })
    }

    /// The mail of one invitation, with its one-time link if it has one.
    pub(crate) fn invitation_mail(
        &self,
        mailing: &Mailing,
        user: &User,
        expires_at: Timestamp,
    ) -> Result<(Option<OneTimeLink>, Mail)> {
        let no_email = || Error::invalid("/email", "the user has no email that an invitation could go to");
        let to = user.email.clone().ok_or_else(no_email)?;
        let (link, message) = self.invitation_message(mailing, user, expires_at)?;
        let account_id = Some(user.account_id);
        let mail = self.mail.sealed(OutgoingMail { account_id, to, language: mailing.language, message })?;
        Ok((link, mail.to_user(user)))
    }

    fn invitation_message(
        &self,
        mailing: &Mailing,
        user: &User,
        expires_at: Timestamp,
    ) -> Result<(Option<OneTimeLink>, MailMessage)> {
        let roles = user.roles.assigned.clone();
        let inviter = mailing.inviter.clone();
        if roles.is_empty() && matches!(mailing.lead, Lead::Password(_)) {
            return Err(Error::invalid(
                "/roles",
                "must name a role: without one the user cannot sign in to the admin portal",
            ));
        }
        let with_link = |page: &RedirectUri| {
            let (token, link) = self.new_link(LinkPurpose::Invitation, user, expires_at);
            (Some(link), page.with_token(&token))
        };
        let roles = roles.into_iter().collect();
        Ok(match &mailing.lead {
            Lead::Password(page) => {
                let (kept, link) = with_link(page);
                (kept, MailMessage::Invitation { link, expires_at, inviter, roles })
            }
            Lead::FirstOwner(page) => {
                let (kept, link) = with_link(page);
                (kept, MailMessage::FirstOwnerInvitation { link, expires_at })
            }
            Lead::Sso(url) => {
                let saml_login_url = url.clone();
                (None, MailMessage::SsoInvitation { saml_login_url, expires_at, inviter, roles })
            }
            Lead::MagicLink(page) => {
                let login_url = page.as_str().to_owned();
                (None, MailMessage::SelfServiceInvitation { login_url, expires_at, inviter })
            }
        })
    }
}

/// The SAML login URL redirects to the portal's default application: without one the mail would lead nowhere (C8).
async fn check_initiates_login(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<()> {
    let application = storage::applications::default_of(tx, account_id, portal).await?;
    let initiates = application.is_some_and(|application| application.settings.initiate_login_uri.is_some());
    if initiates { Ok(()) } else { Err(Error::new(Code::NoDefaultApplication)) }
}

/// Reads the name of the inviter, as the invited person is told.
async fn inviter(tx: &mut Tx, caller: &Caller) -> Result<Option<Label>> {
    let Ok(inviter) = caller.user() else { return Ok(None) };
    let user = storage::users::by_id(tx, inviter.account_id, inviter.user_id).await?;
    Ok(user.and_then(|user| user.display_name.or_else(|| Label::parse(user.username.as_str()).ok())))
}
