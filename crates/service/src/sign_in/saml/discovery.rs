//! Discovery: the ways to sign in that a login page may offer (D1), and whether an entered email may start (D2,
//! D3).

use domain::AccountId;
use domain::account::AccountName;
use domain::email::Email;
use domain::portal::Portal;
use domain::sso::connection::{SamlConnection, SsoMode};
use domain::sso::discovery::{DiscoveryRefusal, Known, decide_discovery};
use domain::user::User;
use storage::Tx;

use crate::core::error::{Code, Result};
use crate::core::reason::Reason;
use crate::sign_in::SignIn;

/// Query of a login page for the ways to sign in.
#[derive(Debug, Clone)]
pub struct LoginOptionsQuery {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The portal that the page is for.
    pub portal: Portal,
}

/// Ways to sign in that a login page offers, and the reason for which SSO is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginOptions {
    /// Ways that are offered, the preferred one first.
    pub methods: Vec<LoginMethod>,
    /// Reason for which SSO is not among them.
    pub sso_unavailable: Option<Code>,
    /// Whether passwords can be reset, or why not; nothing where there are none.
    pub password_reset: Option<Result<(), Code>>,
}

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginMethod {
    /// Sign-in at the account's identity provider.
    Sso {
        /// Text of the login button.
        button_text: String,
        /// The plain link that starts it (C8).
        saml_login_url: String,
    },
    /// Sign-in by username or email, and password.
    Form,
    /// Sign-in by a mailed link.
    MagicLink,
}

impl SignIn {
    /// Lists the ways to sign in that the login page of an account and portal offers. An unknown account looks
    /// like one without SSO. Form login is always there (B1): where SSO is required, for break-glass users. Magic
    /// links are there unless SSO is required (B6).
    pub async fn login_options(&self, query: &LoginOptionsQuery) -> Result<LoginOptions> {
        let mut tx = self.core.store.read().await?;
        let connection = enabled_connection(&mut tx, &query.account_name, query.portal).await?;
        let is_required = connection.as_ref().is_some_and(|connection| connection.mode == SsoMode::Required);
        let sso_unavailable = connection.is_none().then_some(Code::SsoAccountNotConfigured);
        let sso = connection.map(|connection| LoginMethod::Sso {
            button_text: connection.settings.button_text.as_str().to_owned(),
            saml_login_url: self.connections.saml_login_url(&connection.sp_hash),
        });
        let (own, password_reset) = match query.portal {
            Portal::Admin if is_required => (Some(LoginMethod::Form), Some(Err(Code::PasswordResetUnsupported))),
            Portal::Admin => (Some(LoginMethod::Form), Some(Ok(()))),
            Portal::SelfService => ((!is_required).then_some(LoginMethod::MagicLink), None),
        };
        Ok(LoginOptions { methods: sso.into_iter().chain(own).collect(), sso_unavailable, password_reset })
    }
}

/// The enabled connection of an account's portal.
pub(super) async fn enabled_connection(
    tx: &mut Tx,
    name: &AccountName,
    portal: Portal,
) -> Result<Option<SamlConnection>> {
    let connection = storage::connections::by_account_name(tx, name, portal).await?;
    Ok(connection.filter(|connection| connection.mode.is_enabled()))
}

/// Finds the reason why this email may not start a sign-in through the connection; none where it may. A database
/// that does not answer is an error, not a reason.
pub(super) async fn email_refusal(tx: &mut Tx, connection: &SamlConnection, email: &Email) -> Result<Option<Reason>> {
    let (account_id, portal) = (connection.account_id, connection.portal);
    let (candidates, is_revoked) = known(tx, account_id, portal, &email.normalized()).await?;
    let known = Known { candidates: &candidates, is_revoked };
    Ok(decide_discovery(connection, email, known).err().map(reason))
}

/// Finds the users who go by an identity, and, where there are none, whether the invitation of such a user was
/// revoked.
pub(super) async fn known(
    tx: &mut Tx,
    account_id: AccountId,
    portal: Portal,
    identity: &str,
) -> Result<(Vec<User>, bool)> {
    let candidates = storage::users::candidates(tx, account_id, portal, identity).await?;
    let is_revoked =
        candidates.is_empty() && storage::invitations::is_revoked(tx, account_id, portal, identity).await?;
    Ok((candidates, is_revoked))
}

fn reason(refusal: DiscoveryRefusal) -> Reason {
    match refusal {
        DiscoveryRefusal::AccountNotConfigured => Reason::SsoAccountNotConfigured,
        DiscoveryRefusal::EmailNotConfigured => Reason::SsoEmailNotConfigured,
        DiscoveryRefusal::MultipleUsernames => Reason::SsoMultipleUsernames,
    }
}
