//! Facts that a form login is decided by, read before the password is compared.

use std::net::IpAddr;

use domain::account::Account;
use domain::application::Application;
use domain::form_login::{FormLoginRefusal, identify, needs_code};
use domain::password::{PasswordCredential, PasswordHash};
use domain::portal::Portal;
use domain::sso::connection::{SamlConnection, SsoMode};
use domain::user::User;
use domain::username::normalized;
use domain::{AccountId, UserId};
use uuid::Uuid;

use super::start::StartFormLogin;
use crate::core::error::Result;
use crate::sign_in::SignIn;

/// Id that is looked up in place of an unknown user: the database is asked the same questions for every identity.
const NOBODY: Uuid = Uuid::nil();

/// The account and the users that a typed identity may mean.
pub(super) struct Facts {
    /// Account of that name; none where there is none, or the application is another account's.
    pub account: Option<Account>,
    pub connection: Option<SamlConnection>,
    pub mode: SsoMode,
    pub candidates: Vec<User>,
    /// Password credential of the user that the identity stands for.
    pub credential: Option<PasswordCredential>,
}

impl Facts {
    /// Finds the user that the typed identity stands for.
    pub fn user(&self, identifier: &str) -> Result<&User, FormLoginRefusal> {
        identify(&self.candidates, identifier)
    }

    /// Stored credential of the user's password.
    pub fn hash(&self) -> Option<&PasswordHash> {
        self.credential.as_ref().map(|credential| &credential.hash)
    }

    /// User whose password is compared, if there is one.
    fn holder(&self) -> Option<&User> {
        let credential = self.credential.as_ref()?;
        self.candidates.iter().find(|user| user.id == credential.user_id)
    }

    /// Whether the user keeps form login where SSO is required (A4, B3).
    pub fn keeps_form_login(&self) -> bool {
        self.holder().is_some_and(User::keeps_form_login)
    }

    /// Whether the account lets them in from there (A6), a break-glass user by a mailed code (A4).
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_break_glass = self.holder().is_some_and(|user| user.break_glass);
        is_break_glass || self.account.as_ref().is_none_or(|account| account.settings.admits(Portal::Admin, address))
    }

    /// Whether a sign-in from this address takes a second factor (A4, B2).
    pub fn needs_mfa(&self, address: IpAddr) -> bool {
        let found = self.account.as_ref().zip(self.holder());
        found.is_some_and(|(account, user)| needs_code(&account.settings, user, address))
    }
}

impl SignIn {
    pub(super) async fn form_facts(&self, start: &StartFormLogin, application: &Application) -> Result<Facts> {
        let mut reading = self.core.store.read().await?;
        let tx = &mut reading;
        let account = storage::accounts::served_by_name(tx, &start.account_name, application.id).await?;
        let connection = storage::connections::by_account_name(tx, &start.account_name, Portal::Admin).await?;
        let account_id = account.as_ref().map_or(AccountId::from_uuid(NOBODY), |account| account.id);
        let identity = normalized(&start.identifier);
        let candidates = storage::users::candidates(tx, account_id, Portal::Admin, &identity).await?;
        let user = identify(&candidates, &start.identifier).ok().map_or(UserId::from_uuid(NOBODY), |user| user.id);
        let credential = storage::password_credentials::by_user(tx, account_id, user).await?;
        let credential = credential.filter(|credential| credential.is_usable(self.core.now()));
        let mode = connection.as_ref().map_or(SsoMode::Off, |connection| connection.mode);
        Ok(Facts { account, connection, mode, candidates, credential })
    }
}
