//! What an owner decides of single users, where a plan leaves it to them or they want it otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::UserId;
use crate::named::named;
use crate::sso_migration::row::Row;

named! {
    /// What is decided of a user.
    Choice, ChoiceError, "expected \"stay\", \"remove\", \"exempt\", \"keep\" or \"restore\"" {
        /// Of several who go by one email, this one stays.
        Stay = "stay",
        /// This duplicate is removed.
        Remove = "remove",
        /// No duplicate, and not for SSO: the user keeps username and form login (B3). An email that somebody else goes by
        /// becomes their recovery email.
        Exempt = "exempt",
        /// The user stays as they are: one without an email cannot sign in until they have one; going back, a name or an
        /// archived user is left alone.
        Keep = "keep",
        /// Going back: the archived user comes back.
        Restore = "restore",
    }
}

/// A choice, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What becomes of the user.
    pub choice: Choice,
    /// Of a removed duplicate: whether its assigned roles go to the one who stays; none for as the options say.
    pub unite_roles: Option<bool>,
}

/// What was decided, by user.
pub type Decisions = BTreeMap<UserId, Decision>;

/// Most decisions of one plan: each is a person's, so a larger number is a mistake.
pub const DECISIONS_MAX: usize = 1_000;

/// A choice that the plan's row does not offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no choice for this user; there is {}", offered(.0))]
pub struct NotOffered(pub Vec<Choice>);

fn offered(choices: &[Choice]) -> String {
    let names: Vec<&str> = choices.iter().map(|choice| choice.as_str()).collect();
    if names.is_empty() { "nothing to decide".to_owned() } else { names.join(", ") }
}

/// Decides whether this may be decided of the user of a row.
pub fn decide_choice(row: &Row, decision: Decision) -> Result<(), NotOffered> {
    if row.choices.contains(&decision.choice) { Ok(()) } else { Err(NotOffered(row.choices.clone())) }
}
