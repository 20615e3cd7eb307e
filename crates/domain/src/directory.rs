//! The one namespace of a portal (A2): the names of its users, and the users who are in the way of a new name.
//!
//! A username is no other user's username or email. Two users may share an email, until SSO is required. Archived
//! users have no names here. A caller who checks names and writes them holds the account's row, so that no other
//! caller does between the two.

use std::collections::HashMap;

use crate::UserId;
use crate::user::{User, UserStatus};

/// Names of a user, in their compared form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// User who has the names.
    pub id: UserId,
    /// Username as it is spelled.
    pub spelled: String,
    /// Username in its compared form.
    pub username: String,
    /// Email in its compared form; none for a user without one.
    pub email: Option<String>,
    /// Status of the user; archived users have no names.
    pub status: UserStatus,
}

impl Names {
    /// Takes the names of this user.
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

/// Kind of a name: one of the two that a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Name that they sign in as.
    Username,
    /// Address that mail goes to.
    Email,
}

/// Names of a user that are new, so that they are to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewNames {
    /// Whether the username is.
    pub username: bool,
    /// Whether the email is.
    pub email: bool,
}

impl NewNames {
    /// Names of a user who is new altogether: both.
    pub const ALL: Self = Self { username: true, email: true };

    /// Tells the names that a change makes new. A user who comes back, by activation or out of the archive, brings
    /// both.
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

/// Clash with a user who has a name that another user is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Kind of the new name that clashes.
    pub name: NameKind,
    /// Kind of the other user's name that it clashes with.
    pub as_their: NameKind,
    /// Id of the other user.
    pub id: UserId,
    /// The other's username as it is spelled.
    pub spelled: String,
    /// Status of the other user.
    pub status: UserStatus,
}

/// Names of the users of a portal. Archived users have no part in it.
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

    /// Finds a user who is in the way of these names of a user, if there is one.
    pub fn clash(&self, names: &Names, new: NewNames) -> Option<Clash> {
        let username = new.username.then(|| self.others(names.id, &names.username)).into_iter().flatten();
        let username = username.map(|(kind, other)| clash(NameKind::Username, kind, other));
        let email = names.email.as_deref().filter(|_| new.email);
        let email = email.into_iter().flat_map(|email| self.others(names.id, email));
        let email = email.filter(|(kind, _)| *kind == NameKind::Username);
        username.chain(email.map(|(kind, other)| clash(NameKind::Email, kind, other))).next()
    }

    /// Finds another user who may sign in and has this user's email. Where SSO is required that must not come
    /// about: neither could sign in.
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
