//! The one namespace of a portal (A2): what its users go by, and who is in the way of a new name.
//!
//! A username is nobody else's username or email. Two users may share an email, until SSO is required. Archived users go by
//! nothing. Whoever checks names and writes them holds the account's row, so that nobody else does between the two.

use std::collections::HashMap;

use crate::UserId;
use crate::user::{User, UserStatus};

/// What a user goes by, in its compared form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Whose.
    pub id: UserId,
    /// The username as it is spelled.
    pub spelled: String,
    /// The username.
    pub username: String,
    /// The email.
    pub email: Option<String>,
    /// Where the user stands.
    pub status: UserStatus,
}

impl Names {
    /// What this user goes by.
    pub fn of(user: &User) -> Self {
        Self {
            id: user.id,
            spelled: user.username.as_str().to_owned(),
            username: user.username.normalized(),
            email: user.email.as_ref().map(crate::email::Email::normalized),
            status: user.status,
        }
    }
}

/// One of the two that a user goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// What they sign in as.
    Username,
    /// Where mail goes.
    Email,
}

/// Which names of a user are new, so that they are to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewNames {
    /// Whether the username is.
    pub username: bool,
    /// Whether the email is.
    pub email: bool,
}

impl NewNames {
    /// Of a user who is new altogether.
    pub const ALL: Self = Self { username: true, email: true };

    /// What a change makes new. Somebody who comes back, by activation or out of the archive, brings both.
    pub fn between(before: &User, after: &User) -> Self {
        let comes_back = !before.status.is_welcome() && after.status.is_welcome();
        Self {
            username: comes_back || before.username != after.username,
            email: comes_back || before.email != after.email,
        }
    }

    /// Whether nothing is to be checked.
    pub const fn is_none(self) -> bool {
        !self.username && !self.email
    }
}

/// Somebody who goes by a name that another user is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Which of the new names it is about.
    pub name: NameKind,
    /// Which of the other's names it is.
    pub as_their: NameKind,
    /// The other's id.
    pub id: UserId,
    /// The other's username as it is spelled.
    pub spelled: String,
    /// Where the other stands.
    pub status: UserStatus,
}

/// What the users of a portal go by. Archived users are no part of it.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    users: Vec<Names>,
    by_name: HashMap<String, Vec<(NameKind, usize)>>,
}

impl FromIterator<Names> for Directory {
    fn from_iter<T: IntoIterator<Item = Names>>(names: T) -> Self {
        let mut directory = Self::default();
        names.into_iter().for_each(|names| directory.add(names));
        directory
    }
}

impl Directory {
    /// Adds a user, unless archived.
    pub fn add(&mut self, names: Names) {
        if names.status == UserStatus::Archived {
            return;
        }
        let at = self.users.len();
        self.by_name.entry(names.username.clone()).or_default().push((NameKind::Username, at));
        if let Some(email) = &names.email {
            self.by_name.entry(email.clone()).or_default().push((NameKind::Email, at));
        }
        self.users.push(names);
    }

    /// Who is in the way of these names of a user, if anybody is.
    pub fn clash(&self, names: &Names, new: NewNames) -> Option<Clash> {
        let username = new.username.then(|| self.others(names.id, &names.username)).into_iter().flatten();
        let username = username.map(|(kind, other)| clash(NameKind::Username, kind, other));
        let email = names.email.as_deref().filter(|_| new.email);
        let email = email.into_iter().flat_map(|email| self.others(names.id, email));
        let email = email.filter(|(kind, _)| *kind == NameKind::Username);
        username.chain(email.map(|(kind, other)| clash(NameKind::Email, kind, other))).next()
    }

    /// Who else of those who may sign in has this user's email. Where SSO is required that must not come about: neither
    /// could sign in.
    pub fn shared_email(&self, names: &Names) -> Option<Clash> {
        let email = names.email.as_deref().filter(|_| names.status.is_welcome())?;
        let (kind, other) = self.others(names.id, email).find(|(_, other)| other.status.is_welcome())?;
        Some(clash(NameKind::Email, kind, other))
    }

    fn others<'a>(&'a self, id: UserId, name: &str) -> impl Iterator<Item = (NameKind, &'a Names)> {
        let found = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let user = |(kind, at): &(NameKind, usize)| Some((*kind, self.users.get(*at)?));
        found.iter().filter_map(user).filter(move |(_, other)| other.id != id)
    }
}

fn clash(name: NameKind, as_their: NameKind, other: &Names) -> Clash {
    Clash { name, as_their, id: other.id, spelled: other.spelled.clone(), status: other.status }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sso::discovery::tests::user;
    use UserStatus::{Active, Archived, Inactive, Invited};

    /// Proves A2: a username is nobody else's username or email, whoever came first; emails may be shared.
    #[test]
    fn usernames_and_emails_are_one_namespace() {
        use NameKind::{Email, Username};
        let new = |username, email| Names::of(&user(9, username, email, Invited));
        let table = [
            (("bo", Some("bo@b.se"), Active), ("BO", None), Some((Username, Username))),
            (("bo", Some("bo@b.se"), Active), ("Bo@b.se", None), Some((Username, Email))),
            (("bo@b.se", None, Inactive), ("bo", Some("BO@B.se")), Some((Email, Username))),
            (("bo", Some("bo@räk.se"), Invited), ("bo@xn--rk-via.se", None), Some((Username, Email))),
            (("bo", Some("bo@b.se"), Active), ("ann", Some("bo@b.se")), None),
            (("bo@b.se", Some("bo@b.se"), Archived), ("bo@b.se", Some("bo@b.se")), None),
        ];
        for ((username, email, status), (name, address), expected) in table {
            let there: Directory = [Names::of(&user(1, username, email, status))].into_iter().collect();
            let clash = there.clash(&new(name, address), NewNames::ALL).map(|clash| (clash.name, clash.as_their));
            assert_eq!(clash, expected, "{username} {email:?} {name} {address:?}");
        }
    }

    /// Proves A2: nobody is in their own way, and what does not change is not refused.
    #[test]
    fn only_new_names_are_checked_and_only_against_others() {
        let bo = user(1, "bo@b.se", Some("bo@b.se"), Active);
        let old = user(2, "ann", Some("bo@b.se"), Active);
        let there: Directory = [Names::of(&bo), Names::of(&old)].into_iter().collect();
        assert!(there.clash(&Names::of(&bo), NewNames { username: false, email: true }).is_none());
        assert_eq!(there.clash(&Names::of(&bo), NewNames::ALL).unwrap().id, old.id);
        let renamed = User { display_name: None, status: Inactive, ..old.clone() };
        assert!(NewNames::between(&old, &renamed).is_none());
        assert_eq!(NewNames::between(&renamed, &old), NewNames::ALL);
        assert_eq!(there.shared_email(&Names::of(&old)).unwrap().id, bo.id);
        assert!(there.shared_email(&Names::of(&renamed)).is_none());
    }
}
