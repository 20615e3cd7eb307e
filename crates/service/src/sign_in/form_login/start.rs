//! The first step: username or email, and password.

use std::borrow::Cow;
use std::net::IpAddr;

use domain::account::AccountName;
use domain::application::Application;
use domain::direct_sign_in::next_step;
use domain::form_login::{FormLoginFacts, decide_form_login, form_login_allowed};
use domain::login_slowdown::{
    AT_NETWORK, LoginCounts, LoginThrottles, NetworkCounts, OF_IDENTITY, OF_NETWORK, TypedIdentity, decide_login_wait,
};
use domain::password::{Password, PasswordHash};
use domain::portal::Portal;
use domain::sso::pending_sign_in::ReturnTo;
use domain::throttle::ThrottleKey;
use domain::user::{SignInMethod, User, UserStatus};

use super::SignInStep;
use super::facts::Facts;
use crate::core::error::{Code, Error, Result};
use crate::core::fair_semaphore::Claim;
use crate::core::ports::PasswordVerdict;
use crate::people::passwords::slowed_down;
use crate::sign_in::SignIn;
use crate::sign_in::authorization_request::AuthorizationRequest;

/// Body that a login page sends.
#[derive(Debug)]
pub struct StartFormLogin {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The username or email that was typed.
    pub identifier: String,
    /// The password that was typed.
    pub password: Password,
    /// The frontend, of the `admin` portal, and where the outcome goes.
    pub authorization: AuthorizationRequest,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// User whose password is right, and the facts to write with that.
pub(super) struct Admission<'a> {
    pub start: &'a StartFormLogin,
    pub facts: &'a Facts,
    pub user: &'a User,
    /// The same password by the parameters of today, where the kept hash is older.
    pub rehashed: Option<PasswordHash>,
    /// Stands for this user at this network.
    pub seen: ThrottleKey,
}

impl SignIn {
    /// Begins a form login. Whether the user is unknown, inactive or without password, or the password wrong, the
    /// answer is the same, and so is the work that leads to it.
    pub async fn start_form_login(&self, start: StartFormLogin) -> Result<SignInStep> {
        let identity =
            TypedIdentity { account_name: &start.account_name, portal: Portal::Admin, typed: &start.identifier };
        let seen = identity.seen_from(start.address);
        let is_known = self.is_known_login(seen).await;
        let account = ThrottleKey::of("account", &[start.account_name.as_str()]);
        let claim = Claim { address: Some(start.address), account, is_known };
        let _turn = self.people.claimed_password_permit(claim).await?;
        let application = self.form_application(&start).await?;
        let return_to = start.authorization.return_to(&application)?;
        let throttles = LoginThrottles::of(&identity, start.address);
        self.count_login(&throttles, is_known).await?;
        let facts = self.form_facts(&start, &application).await?;
        let verdict = match self.people.verify_password(&start.password, facts.hash()).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.give_back_login(&throttles).await?;
                return Err(error);
            }
        };
        let decision = decide_form_login(&FormLoginFacts {
            user: facts.user(&start.identifier),
            is_right: facts.hash().map(|_| verdict != PasswordVerdict::Wrong),
            is_allowed: form_login_allowed(facts.mode, facts.keeps_form_login()),
            admits_address: facts.admits(start.address),
        });
        let user = match decision {
            Ok(user) => user,
            Err(refusal) => return self.refuse_form_login(&start, &facts, refusal).await,
        };
        let is_outdated = verdict == PasswordVerdict::RightButOutdated;
        let rehashed = if is_outdated { self.people.hash_password(&start.password).await.ok() } else { None };
        let admission = Admission { start: &start, facts: &facts, user, rehashed, seen };
        self.admit_by_password(&admission, return_to, &throttles).await
    }

    /// The frontend must be one that may begin form logins; that tells nothing about users.
    async fn form_application(&self, start: &StartFormLogin) -> Result<Application> {
        let mut tx = self.core.store.read().await?;
        let found = storage::applications::by_client_id(&mut tx, start.authorization.client_id).await?;
        let application = found.ok_or_else(|| Error::new(Code::ApplicationRefused))?;
        if application.portal != Portal::Admin {
            let detail = "Form login is for the admin portal; the self_service portal has magic links";
            return Err(Error::new(Code::ApplicationRefused).with_detail(detail));
        }
        Ok(application)
    }

    /// Counts this try before the password is looked at, so that tries at the same moment all count.
    async fn count_login(&self, throttles: &LoginThrottles, is_known: bool) -> Result<()> {
        let (mut tx, now) = (self.core.store.begin().await?, self.core.now());
        let identity = storage::throttles::count(&mut tx, throttles.identity, OF_IDENTITY, now).await?;
        let mut networks = Vec::with_capacity(throttles.networks.len());
        for network in &throttles.networks {
            let breadth = network.breadth;
            let of_network = (network.of_network, OF_NETWORK.of_network(breadth));
            let at_network = (network.at_network, AT_NETWORK.of_network(breadth));
            let counted = storage::throttles::count_two(&mut tx, [of_network, at_network], now).await?;
            let [of_network, at_network] = counted;
            networks.push(NetworkCounts { breadth, of_network, at_network });
        }
        match decide_login_wait(&LoginCounts { identity, networks }, is_known, now) {
            Some(wait) => Err(slowed_down(wait)),
            None => Ok(tx.commit().await?),
        }
    }

    async fn give_back_login(&self, throttles: &LoginThrottles) -> Result<()> {
        let mut tx = self.core.store.begin().await?;
        storage::throttles::give_back_all(&mut tx, &throttles.paces()).await?;
        Ok(tx.commit().await?)
    }

    async fn admit_by_password(
        &self,
        admission: &Admission<'_>,
        return_to: ReturnTo,
        throttles: &LoginThrottles,
    ) -> Result<SignInStep> {
        let Admission { facts, .. } = admission;
        let mut user = Cow::Borrowed(admission.user);
        let must_change = facts.credential.as_ref().is_some_and(|credential| credential.must_change);
        let awaits = next_step(facts.needs_mfa(admission.start.address), must_change);
        let mut tx = self.core.store.begin().await?;
        storage::throttles::give_back_all(&mut tx, &throttles.paces()).await?;
        if let Some(client) = throttles.networks.first() {
            storage::throttles::clear(&mut tx, client.at_network).await?;
        }
        self.remember_login(&mut tx, admission.seen).await?;
        if let (Some(old), Some(hash)) = (&facts.credential, &admission.rehashed) {
            storage::password_credentials::rehash(&mut tx, old, hash).await?;
        }
        if user.status == UserStatus::Invited {
            // Also where the invitation has expired: the owner who gave them the password expected them. The first
            // owner's stays open, because its link is what makes the break-glass user.
            self.people.accept_by_sign_in(&mut tx, &user, SignInMethod::Password).await?.ok();
            let invited = user.into_owned();
            user = Cow::Owned(self.people.activate(&mut tx, &invited, invited.clone(), admission.start.address).await?);
        }
        let sign_in = self.direct_sign_in(&user, return_to, SignInMethod::Password, awaits);
        let step = self.write_direct_sign_in(&mut tx, admission, &user, &sign_in).await?;
        tx.commit().await?;
        Ok(step)
    }
}
