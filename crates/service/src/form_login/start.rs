//! The first step: username or email, and password.

use std::net::IpAddr;

use domain::ApplicationId;
use domain::AttemptId;
use domain::account::AccountName;
use domain::application::Application;
use domain::direct_sign_in::{DirectSignIn, next_step};
use domain::form_login::{FormLoginFacts, decide_form_login, form_login_allowed};
use domain::login_slowdown::{AT_ADDRESS, LoginCounts, LoginThrottles, OF_ADDRESS, OF_IDENTITY, decide_login_wait};
use domain::password::{Password, PasswordHash};
use domain::pkce::CodeChallenge;
use domain::portal::Portal;
use domain::sign_in_attempt::SIGN_IN_LIFETIME;
use domain::sso::pending_sign_in::ReturnTo;
use domain::user::{SignInMethod, User};
use jiff::Timestamp;
use storage::Tx;

use super::SignInStep;
use super::facts::Facts;
use crate::Service;
use crate::error::{Code, Error, Result};
use crate::passwords::slowed_down;
use crate::ports::PasswordVerdict;

/// What a login page sends.
#[derive(Debug)]
pub struct StartFormSignIn {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The username or email that was typed.
    pub identifier: String,
    /// The password that was typed.
    pub password: Password,
    /// The frontend, of the `admin` portal.
    pub client_id: ApplicationId,
    /// Where the outcome goes.
    pub redirect_uri: String,
    /// Echoed with the outcome.
    pub state: Option<String>,
    /// What the `code_verifier` of the exchange must match.
    pub code_challenge: CodeChallenge,
    /// Where the request comes from.
    pub address: IpAddr,
}

/// Somebody whose password is right, and what is written with that.
pub(super) struct Admission<'a> {
    pub start: &'a StartFormSignIn,
    pub facts: &'a Facts,
    pub user: &'a User,
    /// The same password by the parameters of today, where the kept hash is older.
    pub rehashed: Option<PasswordHash>,
}

impl Service {
    /// Begins a form login. Whether the user is unknown, inactive or without password, or the password wrong, the answer
    /// is the same, and so is the work that leads to it.
    pub async fn start_form_sign_in(&self, start: StartFormSignIn) -> Result<SignInStep> {
        let application = self.form_application(&start).await?;
        let return_to = return_to(&start, &application)?;
        let throttles = LoginThrottles::of((&start.account_name, Portal::Admin), &start.identifier, start.address);
        self.count_login(&throttles).await?;
        let facts = self.form_facts(&start, &application).await?;
        let verdict = match self.verify_password(&start.password, facts.hash()).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.give_back_login(&throttles).await?;
                return Err(error);
            }
        };
        let decision = decide_form_login(&FormLoginFacts {
            user: facts.user(&start.identifier),
            is_right: facts.hash().map(|_| verdict != PasswordVerdict::Wrong),
            is_allowed: form_login_allowed(facts.mode, facts.is_break_glass()),
            admits_address: facts.admits(start.address),
        });
        let user = match decision {
            Ok(user) => user,
            Err(refusal) => return self.refuse_form_login(&start, &facts, refusal).await,
        };
        let is_outdated = verdict == PasswordVerdict::RightButOutdated;
        let rehashed = if is_outdated { self.hash_password(&start.password).await.ok() } else { None };
        let admission = Admission { start: &start, facts: &facts, user, rehashed };
        self.admit_by_password(&admission, return_to, &throttles).await
    }

    async fn form_application(&self, start: &StartFormSignIn) -> Result<Application> {
        let mut tx = self.store.read().await?;
        let found = storage::applications::by_client_id(&mut tx, start.client_id).await?;
        found.ok_or_else(|| Error::new(Code::ApplicationRefused))
    }

    /// Counts this try before the password is looked at, so that tries at the same moment all count.
    async fn count_login(&self, throttles: &LoginThrottles) -> Result<()> {
        let (mut tx, now) = (self.store.begin().await?, self.now());
        let counts = LoginCounts {
            address: storage::throttles::count(&mut tx, throttles.address, OF_ADDRESS, now).await?,
            identity: storage::throttles::count(&mut tx, throttles.identity, OF_IDENTITY, now).await?,
            at_address: storage::throttles::count(&mut tx, throttles.at_address, AT_ADDRESS, now).await?,
        };
        match decide_login_wait(&counts, now) {
            Some(wait) => Err(slowed_down(wait)),
            None => Ok(tx.commit().await?),
        }
    }

    async fn give_back_login(&self, throttles: &LoginThrottles) -> Result<()> {
        let mut tx = self.store.begin().await?;
        give_back(&mut tx, throttles).await?;
        storage::throttles::give_back(&mut tx, throttles.at_address, AT_ADDRESS).await?;
        Ok(tx.commit().await?)
    }

    async fn admit_by_password(
        &self,
        admission: &Admission<'_>,
        return_to: ReturnTo,
        throttles: &LoginThrottles,
    ) -> Result<SignInStep> {
        let Admission { facts, user, .. } = admission;
        let must_change = facts.credential.as_ref().is_some_and(|credential| credential.must_change);
        let now = self.now();
        let sign_in = DirectSignIn {
            attempt_id: AttemptId::from_uuid(self.uuid()),
            account_id: user.account_id,
            portal: user.portal,
            user_id: user.id,
            return_to,
            method: SignInMethod::Password,
            auth_time: now,
            awaits: next_step(facts.needs_mfa(), must_change),
            expires_at: now.saturating_add(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MAX),
        };
        let mut tx = self.store.begin().await?;
        give_back(&mut tx, throttles).await?;
        storage::throttles::clear(&mut tx, throttles.at_address).await?;
        if let (Some(old), Some(hash)) = (&facts.credential, &admission.rehashed) {
            storage::password_credentials::rehash(&mut tx, old, hash).await?;
        }
        self.activate(&mut tx, user, admission.start.address).await?;
        let step = self.write_direct_sign_in(&mut tx, admission, &sign_in).await?;
        tx.commit().await?;
        Ok(step)
    }
}

/// The frontend must be one that may begin form logins; that tells nothing about users.
fn return_to(start: &StartFormSignIn, application: &Application) -> Result<ReturnTo> {
    let refused = |detail| Error::new(Code::ApplicationRefused).with_detail(detail);
    if application.portal != Portal::Admin {
        return Err(refused("Form login is for the admin portal; the self_service portal has magic links"));
    }
    let redirect_uri = application.settings.redirect_uri(&start.redirect_uri).cloned();
    Ok(ReturnTo {
        application_id: application.id,
        redirect_uri: redirect_uri.ok_or_else(|| refused("redirect_uri is not registered for this client_id"))?,
        state: start.state.clone(),
        code_challenge: start.code_challenge.clone(),
    })
}

/// A right password is no failed try.
async fn give_back(tx: &mut Tx, throttles: &LoginThrottles) -> Result<()> {
    storage::throttles::give_back(tx, throttles.address, OF_ADDRESS).await?;
    Ok(storage::throttles::give_back(tx, throttles.identity, OF_IDENTITY).await?)
}
