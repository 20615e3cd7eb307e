//! The names of a portal's users (A2): held while they are checked and written, and the user that a refusal names.

use domain::AccountId;
use domain::directory::{Clash, Directory, NameKind, Names, NewNames};
use domain::portal::Portal;
use domain::role::Permission;
use domain::sso::connection::SsoMode;
use domain::user::{User, UserStatus};
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result, Violation};

/// Context in which names are checked and refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// Caller who is told of a refusal.
    pub caller: &'a Caller,
    /// Whether a person is invited by their email, which is their username: they have one field, and may be
    /// invited already.
    pub by_invitation: bool,
}

/// Holds an account's row, so that those who write its users' names come one after another; "not found" if there
/// is none. First in its transaction, so that two wait for each other in one order.
pub(crate) async fn hold_names(tx: &mut Tx, account_id: AccountId) -> Result<()> {
    if storage::accounts::hold(tx, account_id).await? { Ok(()) } else { Err(Error::new(Code::NotFound)) }
}

/// Refuses names of a user that another user of the portal has. The account's row is held.
pub(crate) async fn check_names(tx: &mut Tx, naming: Naming<'_>, user: &User, new: NewNames) -> Result<()> {
    if new.is_none() {
        return Ok(());
    }
    let names = Names::of(user);
    let mut users = storage::users::candidates(tx, user.account_id, user.portal, &names.username).await?;
    if let Some(email) = names.email.as_ref().filter(|email| **email != names.username) {
        users.extend(storage::users::candidates(tx, user.account_id, user.portal, email).await?);
    }
    let mode = sso_mode(tx, user.account_id, user.portal).await?;
    Claims { directory: users.iter().map(Names::of).collect(), mode }.check(naming, user, new)
}

/// The names of a portal, and what of them may be shared there.
#[derive(Debug)]
pub(crate) struct Claims {
    directory: Directory,
    mode: SsoMode,
}

impl Claims {
    /// All names of a portal: for requests about many users. The account's row is held.
    pub async fn of_portal(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<Self> {
        let directory = storage::users::directory(tx, account_id, portal).await?;
        Ok(Self { directory, mode: sso_mode(tx, account_id, portal).await? })
    }

    /// Takes the names of a new user, or refuses those that another user has.
    pub fn take(&mut self, naming: Naming<'_>, user: &User) -> Result<()> {
        self.check(naming, user, NewNames::ALL)?;
        self.directory.add(Names::of(user));
        Ok(())
    }

    fn check(&self, naming: Naming<'_>, user: &User, new: NewNames) -> Result<()> {
        let names = Names::of(user);
        if let Some(clash) = self.directory.clash(&names, new) {
            return Err(naming.refusal(user, self.code(naming, &clash), &clash));
        }
        let shared = self.directory.shared_email(&names).filter(|_| new.email && self.mode == SsoMode::Required);
        shared.map_or(Ok(()), |clash| Err(naming.refusal(user, Code::SsoMultipleUsernames, &clash)))
    }

    fn code(&self, naming: Naming<'_>, clash: &Clash) -> Code {
        let is_invited = clash.as_their == NameKind::Username && clash.status == UserStatus::Invited;
        let is_about_an_email = clash.name == NameKind::Email || clash.as_their == NameKind::Email;
        match self.mode {
            _ if naming.by_invitation && is_invited => Code::AlreadyInvited,
            SsoMode::Required if is_about_an_email => Code::SsoMultipleUsernames,
            _ => Code::UsernameTaken,
        }
    }
}

impl Naming<'_> {
    /// Says which field is refused, and names the user in the way, to callers who may read users.
    fn refusal(self, user: &User, code: Code, clash: &Clash) -> Error {
        let field = match clash.name {
            _ if self.by_invitation => "/email",
            NameKind::Username => "/username",
            NameKind::Email => "/email",
        };
        let theirs = match clash.as_their {
            NameKind::Username => "username",
            NameKind::Email => "email",
        };
        if self.caller.authorize(user.account_id, Permission::Read).is_err() {
            let detail = format!("is the {theirs} of another user of this portal");
            return Error::new(code).with_violations(vec![Violation { field: field.to_owned(), detail }]);
        }
        let detail = format!("is the {theirs} of the user {:?} ({})", clash.spelled, clash.id);
        let violations = vec![Violation { field: field.to_owned(), detail }];
        Error::new(code).with_violations(violations).with_user(clash.id)
    }
}
