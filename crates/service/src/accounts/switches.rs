//! Switching accounts (G1): from a session here to a code for one there, which the frontend exchanges as after any
//! sign-in.
//!
//! The session here goes on, for the way back. The one there ends with it at the latest, and at once when the pair
//! or the link is ended.

mod refusal;

use std::net::IpAddr;

use domain::account::Account;
use domain::account_link::{AccountLink, AccountRelation, LinkState};
use domain::account_pair::PairState;
use domain::account_switch::{
    AtHome, Counterpart, Destination, HomeUser, SwitchRefusal, decide_switch, username_retained,
};
use domain::audit::AuditAction;
use domain::authorization_code::SessionGrant;
use domain::portal::Portal;
use domain::session::Session;
use domain::sign_in_attempt::{AttemptKind, AttemptStage, AttemptStart, SignInAttempt};
use domain::sso::pending_sign_in::ReturnTo;
use domain::user::User;
use domain::{AccountId, AttemptId};
use serde_json::{Value, json};
use storage::Tx;
use storage::account_pairs::StandingPair;
use storage::sso_migration_rows::replaced_username;

pub use refusal::switch_code;

use crate::accounts::Accounts;
use crate::connections::sso_mode;
use crate::core::account;
use crate::core::caller::{Caller, SignedInUser};
use crate::core::error::{Code, Error, Result};
use crate::people::users::{entry, user};
use crate::sessions::tokens::over_standing_pair;
use crate::sign_in::authorization_request::AuthorizationRequest;
use crate::sign_in::form_login::SignInStep;

/// Account to switch to, and the application that asks for the code.
#[derive(Debug, Clone)]
pub struct SwitchAccount {
    /// Account to switch to.
    pub account_id: AccountId,
    /// A frontend that serves it, and where the outcome goes.
    pub authorization: AuthorizationRequest,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// An account that a user may switch to, or the reason for which they cannot yet.
#[derive(Debug, Clone)]
pub struct SwitchableAccount {
    /// The account as stored.
    pub account: Account,
    /// Relation to the account where they proved who they are; none where it is that account itself.
    pub relation: Option<AccountRelation>,
    /// Reason for which they cannot switch yet: what is to be set up.
    pub refusal: Option<SwitchRefusal>,
}

/// The user that a caller would become, with the state of the pair that says so; none where there is no pair.
type Found = Option<(User, PairState)>;

/// A user who would switch.
struct Switching {
    session: Session,
    /// Account and user in which they proved who they are.
    home: HomeUser,
    /// User that they signed in as there.
    user: User,
    /// Whether their username login is retained there.
    username_retained: bool,
}

/// User of the other account whom a caller becomes, and the frontend that they go to.
struct SwitchArrival {
    user: User,
    return_to: ReturnTo,
    address: IpAddr,
}

/// Switch that was made.
struct Switched<'a> {
    /// Session that the caller switched from.
    session: &'a Session,
    /// User of the other account.
    user: &'a User,
    attempt_id: AttemptId,
}

impl Accounts {
    /// Lists the accounts that the caller may switch to: those that are linked with the one where they proved who
    /// they are, and that one.
    pub async fn list_switchable_accounts(&self, caller: &Caller, address: IpAddr) -> Result<Vec<SwitchableAccount>> {
        let mut tx = self.core.store.read().await?;
        let Some(switching) = switching(&mut tx, caller.user()?).await? else { return Ok(vec![]) };
        let home = account(&mut tx, switching.home.account_id).await?;
        let linked = storage::account_links::list(&mut tx, home.id).await?;
        let linked = linked.into_iter().filter(|(link, _)| link.state == LinkState::Accepted);
        let places = [(None, home)].into_iter().chain(linked.map(|(link, other)| (Some(link), other)));
        let mut found = vec![];
        for (link, to) in places.filter(|(_, to)| to.id != switching.session.account_id) {
            let refusal = decide(&mut tx, &switching, link.as_ref(), &to, address).await?.err();
            found.push(SwitchableAccount { account: to, relation: link.map(|link| link.relation), refusal });
        }
        Ok(found)
    }

    /// Switches to another account: a code for a session of the user that the caller is there.
    pub async fn switch_account(&self, caller: &Caller, switch: SwitchAccount) -> Result<SignInStep> {
        let mut tx = self.core.store.read().await?;
        let not_found = || Error::new(Code::NotFound);
        let switching = switching(&mut tx, caller.user()?).await?.ok_or_else(not_found)?;
        let from_home = switching.home.account_id;
        let link = storage::account_links::between(&mut tx, from_home, switch.account_id).await?;
        if link.is_none() && switch.account_id != from_home {
            return Err(not_found());
        }
        let to = account(&mut tx, switch.account_id).await?;
        let there = match decide(&mut tx, &switching, link.as_ref(), &to, switch.address).await? {
            Ok(there) => there,
            Err(refusal) => {
                drop(tx);
                return Err(self.refuse_switch(&switching, &switch, refusal).await);
            }
        };
        let return_to = return_to(&mut tx, &switch).await?;
        drop(tx);
        self.write_switch(caller, &switching, SwitchArrival { user: there, return_to, address: switch.address }).await
    }

    async fn write_switch(&self, caller: &Caller, switching: &Switching, arrival: SwitchArrival) -> Result<SignInStep> {
        let SwitchArrival { user: there, return_to, address } = arrival;
        let there = &there;
        let Switching { session, home, .. } = switching;
        let mut tx = self.core.store.begin().await?;
        let goes_home = there.account_id == home.account_id;
        if !goes_home && !over_standing_pair(&mut tx, there.account_id, there.id, *home).await? {
            return Err(Error::new(Code::SwitchNeedsSetup).with_detail(SwitchRefusal::PairVoid.to_string()));
        }
        let mut sign_in = self.sign_in.direct_sign_in(there, return_to, session.method, None);
        sign_in.auth_time = session.auth_time;
        let attempt = self.switch_attempt(there, sign_in.attempt_id, address);
        let attempt = SignInAttempt { application_id: Some(sign_in.return_to.application_id), ..attempt };
        storage::direct_sign_ins::insert(&mut tx, &attempt, &sign_in, None).await?;
        self.people.announce_break_glass_use(&mut tx, &sign_in).await?;
        let grant = SessionGrant {
            home: (!goes_home).then_some(*home),
            session_not_on_or_after: Some(session.expires_at),
            ..sign_in.grant()
        };
        let redirect_to = self.sign_in.issue_code_for(&mut tx, &sign_in, grant).await?;
        self.record_switch(&mut tx, caller, &Switched { session, user: there, attempt_id: sign_in.attempt_id }).await?;
        tx.commit().await?;
        Ok(SignInStep::Complete { redirect_to })
    }

    fn switch_attempt(&self, there: &User, id: AttemptId, address: IpAddr) -> SignInAttempt {
        let attempt = SignInAttempt::new(AttemptStart {
            id,
            account_id: there.account_id,
            portal: there.portal,
            kind: AttemptKind::Switch,
            client_address: address,
            at: self.core.now(),
        });
        SignInAttempt { stage: AttemptStage::UserResolved, user_id: Some(there.id), ..attempt }
    }

    /// Each side reads in its own log who came or went, and where the other side is.
    async fn record_switch(&self, tx: &mut Tx, caller: &Caller, switched: &Switched<'_>) -> Result<()> {
        let Switched { session, user: there, attempt_id } = switched;
        let from = user(tx, session.account_id, session.user_id).await?;
        let gone = json!({ "account_id": there.account_id, "session_id": session.id });
        self.core.record(tx, caller, entry(AuditAction::UserSwitchedTo, &from, Value::Null, gone)).await?;
        let came = json!({ "account_id": from.account_id, "user_id": from.id, "attempt_id": attempt_id });
        self.core.record(tx, caller, entry(AuditAction::UserSwitchedFrom, there, Value::Null, came)).await
    }
}

/// Finds the session that the caller would switch from; none for a user of the `self_service` portal.
async fn switching(tx: &mut Tx, signed_in: &SignedInUser) -> Result<Option<Switching>> {
    if signed_in.portal != Portal::Admin {
        return Ok(None);
    }
    let session = storage::sessions::by_id(tx, signed_in.account_id, signed_in.session_id).await?;
    let session = session.ok_or_else(|| Error::new(Code::SessionExpired))?;
    let (account_id, user_id, credential_epoch) = (session.account_id, session.user_id, session.credential_epoch);
    let own = HomeUser { account_id, user_id, credential_epoch };
    let home = session.home.unwrap_or(own);
    let Some(user) = storage::users::by_id(tx, home.account_id, home.user_id).await? else { return Ok(None) };
    let username_retained = is_retained(tx, &user).await?;
    Ok(Some(Switching { session, home, user, username_retained }))
}

/// Reads what is known of the other account, and decides who the caller is there.
async fn decide(
    tx: &mut Tx,
    switching: &Switching,
    link: Option<&AccountLink>,
    to: &Account,
    address: IpAddr,
) -> Result<Result<User, SwitchRefusal>> {
    let found = found(tx, switching, to.id).await?;
    let counterpart = match &found {
        None => Counterpart::Unpaired,
        Some((user, pair)) => {
            let username_retained = is_retained(tx, user).await?;
            Counterpart::Known { user, username_retained, pair: *pair }
        }
    };
    let destination = Destination {
        link,
        is_served: storage::applications::any_serving(tx, to.id, Portal::Admin).await?,
        settings: &to.settings,
        mode: sso_mode(tx, to.id, Portal::Admin).await?,
        counterpart,
        admits_address: to.settings.admits(Portal::Admin, address),
    };
    let home = AtHome {
        user: &switching.user,
        method: switching.session.method,
        username_retained: switching.username_retained,
    };
    Ok(decide_switch(&home, &destination).cloned())
}

/// Finds the user of an account that the caller's pair names, or their own user at home.
async fn found(tx: &mut Tx, switching: &Switching, account_id: AccountId) -> Result<Found> {
    let home = switching.home;
    if account_id == home.account_id {
        return Ok(Some((switching.user.clone(), PairState::Current)));
    }
    let standing = storage::account_pairs::of_user(tx, home.account_id, home.user_id, account_id).await?;
    let Some(StandingPair { pair, state, .. }) = standing else { return Ok(None) };
    let user = storage::users::by_id(tx, account_id, pair.other.user_id).await?;
    Ok(user.map(|user| (user, state)))
}

/// Whether a migration to SSO left the username of a user.
async fn is_retained(tx: &mut Tx, user: &User) -> Result<bool> {
    let written = replaced_username(tx, user.account_id, user.id).await?;
    Ok(username_retained(user, written.as_deref()))
}

/// Builds the destination of the outcome: a frontend of the `admin` portal that serves the other account.
async fn return_to(tx: &mut Tx, switch: &SwitchAccount) -> Result<ReturnTo> {
    let serving = storage::applications::serving(tx, switch.account_id, switch.authorization.client_id).await?;
    let serving = serving.filter(|application| application.portal == Portal::Admin);
    let detail = "client_id must be an application of the admin portal that serves the other account";
    let application = serving.ok_or_else(|| Error::new(Code::ApplicationRefused).with_detail(detail))?;
    switch.authorization.return_to(&application)
}
