//! Accepting an invitation: by the mailed link, which sets a password, or by a first sign-in (E2).

use std::net::IpAddr;

use domain::account::{Account, AccountName};
use domain::audit::{AuditAction, AuditActor};
use domain::invitation::{
    AcceptBy, Invitation, InvitationEnd, InvitationRefusal, decide_accept, decide_accept_by, decide_accept_by_sign_in,
};
use domain::one_time_link::{LinkPurpose, OneTimeLink, decide_use};
use domain::password::{Password, PasswordCredential};
use domain::portal::Portal;
use domain::text::Label;
use domain::user::{SignInMethod, User, UserStatus};
use domain::username::Username;
use jiff::Timestamp;
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::error::{Code, Error, Result};
use crate::people::People;
use crate::people::invitations::{audited, end_links, entry};
use crate::people::one_time_links::{link, link_refused, withdrawn_meanwhile};
use crate::people::passwords::ChosenBy;
use crate::people::users::{audited_user, user};

/// Facts of an invitation that a page shows before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Into which account: its handle.
    pub account_name: AccountName,
    /// Display name of the account.
    pub account_display_name: Label,
    /// Portal that the user is invited to.
    pub portal: Portal,
    /// Username that the invited person will sign in with.
    pub username: Username,
    /// Display name of the invited person.
    pub display_name: Option<Label>,
    /// Time until which it may be accepted.
    pub expires_at: Timestamp,
    /// Whether accepting makes a break-glass user of them (A4): they sign in by password from then on, not through SSO.
    pub break_glass: bool,
}

/// Facts that a page needs to lead on to the first sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedInvitation {
    /// Name of the account, to sign in with.
    pub account_name: AccountName,
    /// Portal to sign in to.
    pub portal: Portal,
    /// Username to sign in with.
    pub username: Username,
    /// Whether they are a break-glass user now.
    pub break_glass: bool,
}

/// All that a link leads to.
struct Found {
    link: OneTimeLink,
    invitation: Invitation,
    user: User,
    account: Account,
}

impl People {
    /// Makes an invited user active who is there now, with what accepting their invitation made of them; returns
    /// them as they are then.
    pub(crate) async fn activate(&self, tx: &mut Tx, before: &User, accepted: User, address: IpAddr) -> Result<User> {
        let updated_at = self.core.next_version(before.updated_at);
        let after = User { status: UserStatus::Active, updated_at, ..accepted };
        let after = self.write_user(tx, before, after, None).await?;
        let entry =
            crate::people::users::entry(AuditAction::UserUpdated, &after, audited_user(before), audited_user(&after));
        self.core.record_as(tx, AuditOrigin::user(before.id, address), entry).await?;
        Ok(after)
    }

    /// Describes an invitation to the holder of its link. Uses nothing up: mail scanners open links too.
    pub async fn inspect_invitation(&self, token: &str) -> Result<OpenInvitation> {
        let mut tx = self.core.store.read().await?;
        let found = found(&mut tx, token, self.core.now()).await?;
        let break_glass = self.becomes_break_glass(&mut tx, &found.user, found.invitation.first_owner).await?;
        Ok(OpenInvitation {
            break_glass,
            account_name: found.account.name,
            account_display_name: found.account.display_name,
            portal: found.invitation.portal,
            username: found.user.username,
            display_name: found.user.display_name,
            expires_at: found.link.expires_at,
        })
    }

    /// Accepts an invitation by its link: the password is set, the user active, the link used. The user is not
    /// signed in by it; that is for the login page, with the second factor if there is one.
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: Password,
        address: IpAddr,
    ) -> Result<AcceptedInvitation> {
        let mut tx = self.core.store.read().await?;
        let asked = found(&mut tx, token, self.core.now()).await?;
        drop(tx);
        let chosen = ChosenBy {
            user: &asked.user,
            account_name: &asked.account.name,
            field: "/password",
            address: Some(address),
        };
        let hash = self.hash_new_password(password, chosen).await?;
        let mut tx = self.core.store.begin().await?;
        storage::accounts::hold(&mut tx, asked.account.id).await?;
        let Found { link, user, account, invitation } = found(&mut tx, token, self.core.now()).await?;
        if !storage::one_time_links::take(&mut tx, link.digest, self.core.now()).await? {
            return Err(link_refused(domain::one_time_link::LinkRefusal::Used));
        }
        let (account_id, user_id, set_at) = (user.account_id, user.id, self.core.now());
        let user = self.void_by_password(&mut tx, &user, None).await.map_err(withdrawn_meanwhile)?;
        let credential = PasswordCredential { account_id, user_id, hash, must_change: false, set_at, expires_at: None };
        storage::password_credentials::set(&mut tx, &credential).await?;
        let origin = AuditOrigin::user(user_id, address);
        let break_glass = self.becomes_break_glass(&mut tx, &user, invitation.first_owner).await?;
        self.end_invitation(&mut tx, invitation, SignInMethod::Password, origin).await?;
        let accepted = User { break_glass: user.break_glass || break_glass, ..user.clone() };
        self.activate(&mut tx, &user, accepted, address).await?;
        tx.commit().await?;
        Ok(AcceptedInvitation { account_name: account.name, portal: user.portal, username: user.username, break_glass })
    }

    /// Accepts the invitation of an invited user whose sign-in has proved who they are; activates no user. Refused
    /// where it has expired (an owner resends it first), and where it is the first owner's, whose link sets a
    /// password.
    pub(crate) async fn accept_by_sign_in(
        &self,
        tx: &mut Tx,
        user: &User,
        method: SignInMethod,
    ) -> Result<std::result::Result<(), InvitationRefusal>> {
        let invitation = match self.open_to_sign_in(tx, user).await? {
            Ok(Some(invitation)) => invitation,
            Ok(None) => return Ok(Ok(())),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let origin = AuditOrigin { actor: AuditActor::User(user.id), client_address: None };
        self.end_invitation(tx, invitation, method, origin).await?;
        Ok(Ok(()))
    }

    /// The invitation that a sign-in of this user accepts, if there is one that waits; or why they are not let in.
    pub(crate) async fn open_to_sign_in(
        &self,
        tx: &mut Tx,
        user: &User,
    ) -> Result<std::result::Result<Option<Invitation>, InvitationRefusal>> {
        let Some(invitation) = storage::invitations::by_user(tx, user.account_id, user.id).await? else {
            return Ok(Ok(None));
        };
        Ok(match decide_accept_by_sign_in(&invitation, user.status, self.core.now()) {
            Ok(()) => Ok(Some(invitation)),
            Err(InvitationRefusal::Accepted) => Ok(None),
            Err(refusal) => Err(refusal),
        })
    }

    async fn end_invitation(
        &self,
        tx: &mut Tx,
        before: Invitation,
        method: SignInMethod,
        origin: AuditOrigin,
    ) -> Result<()> {
        let (now, account_id, user_id) = (self.core.now(), before.account_id, before.user_id);
        if !storage::invitations::accept_of_user(tx, account_id, user_id, now, method).await? {
            return Err(Error::new(Code::InvitationAccepted));
        }
        end_links(tx, account_id, user_id, now).await?;
        let after = Invitation { end: Some(InvitationEnd::Accepted(now, method)), ..before.clone() };
        let entry = entry(AuditAction::InvitationAccepted, &after, audited(&before), audited(&after));
        self.core.record_as(tx, origin, entry).await
    }
}

/// Finds the invitation of a token, if it may be accepted now. The state of the invitation is told before the
/// state of the link, because it is what the reader can do something about.
async fn found(tx: &mut Tx, token: &str, now: Timestamp) -> Result<Found> {
    let link = link(tx, LinkPurpose::Invitation, token).await?;
    let user = user(tx, link.account_id, link.user_id).await?;
    let account = account(tx, link.account_id).await?;
    let invitation = storage::invitations::by_user(tx, link.account_id, user.id).await?;
    let invitation = invitation.ok_or_else(|| Error::new(Code::LinkInvalid))?;
    decide_accept(&invitation, user.status, now).map_err(refused_to_invitee)?;
    decide_use(&link, user.credential_epoch, now).map_err(link_refused)?;
    if !invitation.first_owner {
        let mode = sso_mode(tx, account.id, user.portal).await?;
        let unsupported = |_| Error::new(Code::PasswordResetUnsupported);
        decide_accept_by(user.portal, mode, Some(AcceptBy::Password)).map_err(unsupported)?;
    }
    Ok(Found { link, invitation, user, account })
}

/// Translates a refusal for the holder of an invitation's link. A deactivated user's invitation is as good as
/// revoked.
pub(crate) fn refused_to_invitee(refusal: InvitationRefusal) -> Error {
    Error::new(match refusal {
        InvitationRefusal::Accepted => Code::InvitationAccepted,
        InvitationRefusal::Revoked | InvitationRefusal::Inactive => Code::InvitationRevoked,
        InvitationRefusal::SetsPassword => Code::FirstOwnerSetsPassword,
        InvitationRefusal::Expired | InvitationRefusal::TooSoon { .. } => Code::InvitationExpired,
    })
}
