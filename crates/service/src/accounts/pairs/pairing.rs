//! Making a pair (G1): a form login in one account, whose code is used up for a pairing token; then a form login
//! in the other account, whose code completes the pair together with that token.
//!
//! Both codes come of logins that were made for this, with the second factor that the account or user asks for, so
//! a session, an access token or a key makes no pair. Each code is bound to its browser by PKCE, and both must be
//! presented by a client that holds the token besides: neither proof can be borrowed from a user who only followed
//! a link.

use std::net::IpAddr;

use domain::AccountPairId;
use domain::account::AccountName;
use domain::account_pair::{
    AccountPair, PAIRING_LIFETIME, PairRefusal, PairState, PairedUser, check_proof, decide_pair,
};
use domain::audit::AuditAction;
use domain::authorization_code::AuthorizationCode;
use domain::mail::MailMessage;
use domain::one_time_link::{LinkPurpose, OneTimeLink, decide_use};
use domain::secret::{Secret, SecretDigest};
use domain::user::User;
use domain::username::Username;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::Tx;
use storage::authorization_codes::Exchange;

use super::{AccountPairView, audited, pair_entry};
use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::error::{Code, Error, Result};
use crate::people::users::entry;
use crate::sessions::tokens::{CodeGrant, TokenRefusal};

/// A pairing that one of its two users has proved themselves for.
#[derive(Debug)]
pub struct Pairing {
    /// Token that completes it, together with the other user's proof.
    pub token: Secret,
    /// End of the time for the second step.
    pub expires_at: Timestamp,
    /// The account of the proof.
    pub account_name: AccountName,
    /// The user who proved themselves.
    pub username: Username,
}

/// The two users of a new pair, and where the request for it comes from.
struct Paired<'a> {
    pair: AccountPair,
    users: [&'a User; 2],
    address: IpAddr,
}

impl Accounts {
    /// Begins a pairing with the code of a form login, which is used up by it and gives no session.
    pub async fn begin_account_pairing(&self, proof: CodeGrant<'_>) -> Result<Pairing> {
        let Exchange { code, user, account_name, .. } = self.prove_form_login(proof).await?;
        let now = self.core.now();
        let expires_at = now.saturating_add(PAIRING_LIFETIME).unwrap_or(Timestamp::MAX);
        let (token, link) = self.people.new_link(LinkPurpose::AccountPairing, &user, expires_at);
        let mut tx = self.core.store.begin().await?;
        take_proof(&mut tx, &code, now).await?;
        let purpose = LinkPurpose::AccountPairing;
        storage::one_time_links::replace_of_user(&mut tx, user.account_id, user.id, purpose, now).await?;
        storage::one_time_links::insert(&mut tx, &link).await?;
        let entry = entry(AuditAction::AccountPairBegun, &user, Value::Null, json!({ "attempt_id": code.attempt_id }));
        self.core.record_as(&mut tx, AuditOrigin::user(user.id, proof.address), entry).await?;
        tx.commit().await?;
        Ok(Pairing { token, expires_at, account_name, username: user.username })
    }

    /// Completes a pairing with the code of a form login in the other account, which is used up too. A pair that
    /// either user had between these accounts ends: this one takes its place.
    pub async fn complete_account_pairing(&self, token: &str, proof: CodeGrant<'_>) -> Result<AccountPairView> {
        let Exchange { code, user, .. } = self.prove_form_login(proof).await?;
        let (mut tx, now) = (self.core.store.begin().await?, self.core.now());
        let (begun, first) = begun(&mut tx, token, now).await?;
        let pair = AccountPair {
            id: AccountPairId::from_uuid(self.core.uuid()),
            user: PairedUser { credential_epoch: code.grant.credential_epoch, ..PairedUser::of(&user) },
            other: PairedUser { credential_epoch: begun.credential_epoch, ..PairedUser::of(&first) },
            created_at: now,
        };
        hold_link(&mut tx, &pair).await?;
        if !storage::one_time_links::take(&mut tx, begun.digest, now).await? {
            return Err(over());
        }
        take_proof(&mut tx, &code, now).await?;
        self.write_pair(&mut tx, &Paired { pair, users: [&user, &first], address: proof.address }).await?;
        let other = account(&mut tx, first.account_id).await?;
        tx.commit().await?;
        Ok(AccountPairView { pair, state: PairState::Current, username: user.username, other })
    }

    /// Reads what a code has earned that comes of a form login, made for this very purpose; uses nothing up.
    async fn prove_form_login(&self, proof: CodeGrant<'_>) -> Result<Exchange> {
        let exchange = self.sessions.presented_code(&proof).await.map_err(code_refused)?;
        let (account_id, attempt_id) = (exchange.code.account_id, exchange.code.attempt_id);
        let mut tx = self.core.store.read().await?;
        let attempt = storage::sign_in_attempts::by_id(&mut tx, account_id, attempt_id).await?;
        let attempt = attempt.ok_or_else(|| Error::new(Code::SignInCodeRefused))?;
        check_proof(attempt.kind, &exchange.code.grant).map_err(refused)?;
        Ok(exchange)
    }

    async fn write_pair(&self, tx: &mut Tx, paired: &Paired<'_>) -> Result<()> {
        let Paired { pair, users, address } = paired;
        let sides = [*pair, pair.seen_by_other()];
        for side in &sides {
            let (account_id, user_id) = (side.user.account_id, side.user.user_id);
            let earlier = storage::account_pairs::of_user(tx, account_id, user_id, side.other.account_id).await?;
            if let Some(earlier) = earlier {
                self.end_pair(tx, &earlier.pair, &AuditOrigin::user(pair.user.user_id, *address)).await?;
            }
        }
        storage::account_pairs::insert(tx, pair).await?;
        for (side, [user, other]) in sides.iter().zip([*users, [users[1], users[0]]]) {
            let entry = pair_entry(AuditAction::AccountPairCreated, side, Value::Null, audited(side));
            self.core.record_as(tx, AuditOrigin::user(user.id, *address), entry).await?;
            let message = MailMessage::UsersPaired {
                username: user.username.as_str().to_owned(),
                other_account: account(tx, other.account_id).await?.display_name.as_str().to_owned(),
                other_username: other.username.as_str().to_owned(),
                paired_at: pair.created_at,
                client_address: address.to_string(),
            };
            self.mail_pair(tx, user, message).await?;
        }
        Ok(())
    }

    /// Tells a user that they are paired, so that one who did not do it can end it.
    async fn mail_pair(&self, tx: &mut Tx, user: &User, message: MailMessage) -> Result<()> {
        let Some(to) = user.reset_email().cloned() else { return Ok(()) };
        self.mail.enqueue_mail_of(tx, user.account_id, to, message).await.map(drop)
    }
}

/// Finds the pairing that a token continues, and its user. Void where anything that their form login rests on
/// changed since (A7).
async fn begun(tx: &mut Tx, token: &str, now: Timestamp) -> Result<(OneTimeLink, User)> {
    let purpose = LinkPurpose::AccountPairing;
    let digest = SecretDigest::of_presented(purpose.secret_kind(), token).ok_or_else(over)?;
    let link = storage::one_time_links::by_digest(tx, digest).await?;
    let link = link.filter(|link| link.purpose == purpose).ok_or_else(over)?;
    let user = storage::users::by_id(tx, link.account_id, link.user_id).await?.ok_or_else(over)?;
    decide_use(&link, user.credential_epoch, now).map_err(|_| over())?;
    Ok((link, user))
}

/// Checks that the accounts of a pair are linked, and holds the link until the transaction ends, so that its end waits.
async fn hold_link(tx: &mut Tx, pair: &AccountPair) -> Result<()> {
    let (account_id, other) = (pair.user.account_id, pair.other.account_id);
    let link = storage::account_links::between(tx, account_id, other).await?;
    decide_pair(pair.user, pair.other, link.as_ref()).map_err(refused)?;
    let is_held = storage::account_links::hold(tx, account_id, other).await?;
    if is_held { Ok(()) } else { Err(refused(PairRefusal::NotLinked)) }
}

/// Uses a proof up: of two who present one code, also at the token endpoint, one is refused.
async fn take_proof(tx: &mut Tx, code: &AuthorizationCode, now: Timestamp) -> Result<()> {
    let taken = storage::authorization_codes::take_as_proof(tx, code, now).await?;
    if taken { Ok(()) } else { Err(Error::new(Code::SignInCodeRefused)) }
}

fn refused(refusal: PairRefusal) -> Error {
    Error::new(Code::PairingRefused).with_detail(refusal.to_string())
}

fn code_refused(refusal: TokenRefusal) -> Error {
    match refusal {
        TokenRefusal::Refused(_, words) => Error::new(Code::SignInCodeRefused).with_detail(words),
        TokenRefusal::Fault(fault) => fault,
    }
}

/// A pairing whose token is unknown, used up, too old, or void.
fn over() -> Error {
    Error::new(Code::SessionExpired)
}
