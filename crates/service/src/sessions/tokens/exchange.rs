//! A code becomes a session.

use std::net::IpAddr;

use domain::SessionId;
use domain::account_switch::HomeUser;
use domain::application::Lifetimes;
use domain::audit::AuditAction;
use domain::authorization_code::{AuthorizationCode, ExchangeRefusal, PresentedCode, decide_exchange};
use domain::form_login::{method_allowed, network_allowed};
use domain::portal::Portal;
use domain::secret::{PresentedSecret, Secret, SecretKind};
use domain::session::{RefreshRefusal, RefreshToken, Session, SessionEnd, expiry};
use domain::user::{LastSignIn, SignInMethod, User, UserStatus};
use serde_json::{Value, json};
use storage::Tx;
use storage::authorization_codes::Exchange;

use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::sessions::Ending;
use crate::sessions::Sessions;
use crate::sessions::tokens::claims::{self, ACCESS_TOKEN_MAX_BYTES, Subject};
use crate::sessions::tokens::over_standing_pair;
use crate::sessions::tokens::{CodeGrant, IssuedTokens, TokenRefusal, check_origin, client_id};

impl Sessions {
    /// Exchanges a code for a session (D4).
    ///
    /// A code is good once. Presented again, it ends the session it gave: one of the two who presented it should not
    /// have had it.
    pub async fn exchange_code(&self, grant: CodeGrant<'_>) -> Result<IssuedTokens, TokenRefusal> {
        let exchange = self.presented_code(&grant).await?;
        self.issue(&exchange, &grant).await
    }

    /// Finds the sign-in that a presented code completes, if it may be used now; uses nothing up.
    pub(crate) async fn presented_code(&self, grant: &CodeGrant<'_>) -> Result<Exchange, TokenRefusal> {
        let client = client_id(grant.client_id)?;
        let code = PresentedSecret::parse(SecretKind::AuthorizationCode, grant.code).ok_or_else(unknown_code)?;
        let presented = PresentedCode { client, redirect_uri: grant.redirect_uri, code_verifier: grant.code_verifier };
        let mut reading = self.core.store.read().await?;
        let exchange = storage::authorization_codes::exchange_of(&mut reading, code).await?.ok_or_else(unknown_code)?;
        drop(reading);
        match decide_exchange(&exchange.code, presented, self.core.now()) {
            Ok(()) => {}
            Err(ExchangeRefusal::AlreadyUsed(session)) => return self.refuse_reused(&exchange.code, session).await,
            Err(refusal) => return Err(TokenRefusal::grant(refusal.to_string())),
        }
        check_origin(&exchange.application, grant.origin)?;
        check_still_allowed(&exchange, grant.address)?;
        Ok(exchange)
    }

    async fn issue(&self, exchange: &Exchange, grant: &CodeGrant<'_>) -> Result<IssuedTokens, TokenRefusal> {
        let Exchange { code, account_name, account_settings, user, application, .. } = exchange;
        let lifetimes = account_settings.bound(application.settings.lifetimes);
        let session = self.session_for(code, lifetimes);
        if !session.is_live(session.created_at) {
            return Err(TokenRefusal::session_expired());
        }
        let mut transaction = self.core.store.begin().await?;
        let tx = &mut transaction;
        if !storage::authorization_codes::mark_used(tx, code, session.id, self.core.now()).await? {
            let first = storage::authorization_codes::session_of(tx, code.account_id, code.attempt_id).await?;
            drop(transaction);
            return self.refuse_reused(code, first.ok_or_else(unknown_code)?).await;
        }
        let stands = over_living_pair(tx, code).await? && still_served(tx, exchange).await?;
        if !stands || !home_stands(tx, code).await? {
            return Err(TokenRefusal::session_expired());
        }
        let sign_in = LastSignIn { at: session.created_at, method: session.method };
        let epoch = session.credential_epoch;
        storage::users::record_sign_in(tx, session.account_id, session.user_id, sign_in, epoch).await?;
        storage::sessions::insert(tx, &session).await?;
        let refresh_token = self.new_refresh_token();
        self.insert_refresh_token(tx, &session, &refresh_token).await?;
        self.record_sign_in(tx, code, &session, grant.address).await?;
        transaction.commit().await?;
        let subject = Subject { session: &session, user, account_name, application, lifetimes };
        self.sign(&subject, refresh_token).await
    }

    /// A code came back, also in the same moment: the session that it gave ends.
    async fn refuse_reused<T>(&self, code: &AuthorizationCode, session_id: SessionId) -> Result<T, TokenRefusal> {
        let mut tx = self.core.store.begin().await?;
        let (account, reason) = (code.account_id, SessionEnd::CodeReused);
        let ending = Ending::by_system(account, code.grant.user_id, session_id, reason);
        self.end_session_as(&mut tx, ending).await?;
        tx.commit().await?;
        tracing::warn!(%account, session = %session_id, "an authorization code was presented twice: its session was ended");
        Err(TokenRefusal::grant(ExchangeRefusal::AlreadyUsed(session_id).to_string()))
    }

    fn session_for(&self, code: &AuthorizationCode, lifetimes: Lifetimes) -> Session {
        let now = self.core.now();
        Session {
            id: self.core.session_id(),
            account_id: code.account_id,
            user_id: code.grant.user_id,
            application_id: code.application_id,
            portal: code.grant.portal,
            method: code.grant.method,
            auth_time: code.grant.auth_time,
            credential_epoch: code.grant.credential_epoch,
            home: code.grant.home,
            external_roles: code.grant.external_roles.clone(),
            created_at: now,
            refreshed_at: now,
            expires_at: expiry(now, lifetimes, code.grant.session_not_on_or_after),
            ended: None,
        }
    }

    pub(super) fn new_refresh_token(&self) -> Secret {
        Secret::from_random(SecretKind::RefreshToken, self.core.random())
    }

    pub(super) async fn insert_refresh_token(
        &self,
        tx: &mut Tx,
        session: &Session,
        secret: &Secret,
    ) -> crate::Result<()> {
        let token = RefreshToken {
            digest: secret.digest(),
            session_id: session.id,
            issued_at: self.core.now(),
            rotation: None,
        };
        Ok(storage::refresh_tokens::insert(tx, session.account_id, &token).await?)
    }

    async fn record_sign_in(
        &self,
        tx: &mut Tx,
        code: &AuthorizationCode,
        session: &Session,
        address: IpAddr,
    ) -> crate::Result<()> {
        let entry = AuditEntry {
            account_id: Some(session.account_id),
            action: AuditAction::UserSignedIn,
            target: session.user_id.to_string(),
            before: Value::Null,
            after: json!({ "method": session.method, "session_id": session.id, "attempt_id": code.attempt_id }),
        };
        self.core.record_as(tx, AuditOrigin::user(session.user_id, address), entry).await
    }

    /// Signs the access token: after the commit, because a lost answer costs one more sign-in and nothing else.
    pub(super) async fn sign(
        &self,
        subject: &Subject<'_>,
        refresh_token: Secret,
    ) -> Result<IssuedTokens, TokenRefusal> {
        let now = self.core.now();
        let claims = claims::access_token(self.core.settings.issuer(), self.core.uuid(), subject, now);
        let access_token = self.keyring().await?.signer.sign(&claims).map_err(crate::Error::internal)?;
        if access_token.len() > ACCESS_TOKEN_MAX_BYTES {
            return Err(TokenRefusal::Fault(crate::Error::internal("an access token is too long for a header")));
        }
        let settings = &subject.application.settings;
        Ok(IssuedTokens {
            access_token,
            expires_in: claims::expires_in(subject, now),
            refresh_token,
            delivery: settings.refresh_delivery,
            refresh_expires_in: subject.lifetimes.idle_seconds,
            application_id: subject.application.id,
        })
    }
}

fn unknown_code() -> TokenRefusal {
    TokenRefusal::grant("the code is not known; it is valid once, for 60 seconds")
}

/// Refuses a code whose user, network, method or redirect URI is not allowed any more: much may have changed since
/// the start. A redirect URI that was taken from the registration is one that its owner does not trust any more,
/// and the code went there (D4).
fn check_still_allowed(exchange: &Exchange, address: IpAddr) -> Result<(), TokenRefusal> {
    let Exchange { code, account_settings, user, application, sso_mode, epochs, .. } = exchange;
    if !may_sign_in(user, code.grant.method) {
        return Err(TokenRefusal::grant(RefreshRefusal::UserRefused.to_string()));
    }
    if !network_allowed(account_settings, user, code.grant.by_mailed_code(), address) {
        return Err(TokenRefusal::grant(RefreshRefusal::NetworkRefused.to_string()));
    }
    if !method_allowed(*sso_mode, code.grant.method, user.keeps_form_login()) {
        return Err(TokenRefusal::grant(RefreshRefusal::SsoRequired.to_string()));
    }
    if code.grant.epochs() != *epochs {
        return Err(TokenRefusal::session_expired());
    }
    match application.settings.redirect_uri(code.redirect_uri.as_str()) {
        Some(_) => Ok(()),
        None => Err(TokenRefusal::grant("redirect_uri is not registered any more")),
    }
}

/// Whether the pair that a switch came over still stands: between the switch and its exchange it may have ended,
/// or become void (G1). While it is held here, its end waits, and finds the session.
async fn over_living_pair(tx: &mut Tx, code: &AuthorizationCode) -> crate::Result<bool> {
    match code.grant.home {
        Some(home) => over_standing_pair(tx, code.account_id, code.grant.user_id, home).await,
        None => Ok(true),
    }
}

/// Whether the application still serves the account: between a sign-in in a sandbox and its exchange the sandbox
/// may have become an account of its own (G1). The link is held, as the pair is above.
async fn still_served(tx: &mut Tx, exchange: &Exchange) -> crate::Result<bool> {
    let account_id = exchange.code.account_id;
    match exchange.application.account_id.filter(|owner| *owner != account_id) {
        Some(owner) => Ok(storage::account_links::hold(tx, account_id, owner).await?),
        None => Ok(true),
    }
}

/// Whether the credentials of the user who began the switch still stand: what voids these ends what rests on them
/// (A7).
async fn home_stands(tx: &mut Tx, code: &AuthorizationCode) -> crate::Result<bool> {
    match code.grant.home {
        Some(HomeUser { account_id, user_id, credential_epoch }) => {
            Ok(storage::users::hold_epoch(tx, account_id, user_id, credential_epoch).await?)
        }
        None => Ok(true),
    }
}

/// Whether the user is active and holds a role: between the code and its exchange an owner may have deactivated
/// them or taken their last role (A3).
fn may_sign_in(user: &User, method: SignInMethod) -> bool {
    let holds_role = user.portal != Portal::Admin || !user.roles.counting_in(method).is_empty();
    user.status == UserStatus::Active && holds_role
}
