//! The people who can sign in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A test user. Passwords are no secret: the login form shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// Name that is typed into the login form.
    pub username: String,
    pub password: String,
    /// The value of the username attribute and of an email `NameID`.
    pub email: String,
    pub display_name: String,
    /// Values of the role attribute; with none, the attribute is not sent.
    pub roles: Vec<String>,
    /// Further attributes by name.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Note about this user on the login form.
    pub hint: String,
}

impl User {
    /// A user whose username is the email and whose password is the part before the `@` and `-password`.
    pub fn new(email: &str, display_name: &str, roles: &[&str]) -> Self {
        let local_part = email.split('@').next().unwrap_or_default();
        Self {
            username: email.to_owned(),
            password: format!("{local_part}-password"),
            email: email.to_owned(),
            display_name: display_name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            attributes: BTreeMap::new(),
            hint: String::new(),
        }
    }

    fn with_hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }
}

/// The users of a new identity provider.
pub fn default_users() -> Vec<User> {
    vec![
        User::new("alice@example.test", "Alice Andersson", &["nac-team-lead"]).with_hint("role nac-team-lead"),
        User::new("bob@example.test", "Bob Berg", &[]).with_hint("no role attribute"),
        User::new("carol@example.test", "Carol Chen", &["nac-team-lead", "nac-auditor"]).with_hint("two roles"),
        User::new("dave@example.test", "Dave Dahl", &["unheard-of"]).with_hint("a role that nobody maps"),
        User::new("zoe@example.test", "Zoë Müller & Søns <x>", &["nac-team-lead"])
            .with_hint("a name full of characters to escape"),
        User::new("mallory@other.test", "Mallory Malm", &["nac-team-lead"]).with_hint("another email domain"),
    ]
}
