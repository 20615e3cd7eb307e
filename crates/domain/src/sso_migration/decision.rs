//! Decisions of an owner about single users, where a plan leaves it to them or they want it otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::UserId;
use crate::named::named;
use crate::sso_migration::row::Row;

named! {
    /// Choices that an owner has about a user.
    Choice, ChoiceError, "expected \"stay\", \"remove\", \"exempt\", \"keep\" or \"restore\"" {
        /// Stays, as one of several users who go by one email.
        Stay = "stay",
        /// Removed, as a duplicate of another user.
        Remove = "remove",
        /// Exempt from SSO, as not a duplicate: the user keeps username and form login (B3). An email that another
        /// user goes by becomes their recovery email.
        Exempt = "exempt",
        /// The user stays as they are: one without an email cannot sign in until they have one; going back, a name
        /// or an archived user is left alone.
        Keep = "keep",
        /// Restored from the archive, when going back.
        Restore = "restore",
    }
}

/// A choice, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Choice that was made about the user.
    pub choice: Choice,
    /// Whether a removed duplicate's assigned roles go to the one who stays; none for as the options say.
    pub unite_roles: Option<bool>,
}

/// Decisions of a plan, by user.
pub type Decisions = BTreeMap<UserId, Decision>;

/// Most decisions of one plan: each is a person's, so a larger number is a mistake.
pub const DECISIONS_MAX: usize = 1_000;

/// A choice that the plan's row does not offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a choice for this user; there is {}", offered(.0))]
pub struct NotOffered(pub Vec<Choice>);

fn offered(choices: &[Choice]) -> String {
    let names: Vec<&str> = choices.iter().map(|choice| choice.as_str()).collect();
    if names.is_empty() { "nothing to decide".to_owned() } else { names.join(", ") }
}

/// Decides whether this may be decided of the user of a row.
pub fn decide_choice(row: &Row, decision: Decision) -> Result<(), NotOffered> {
    if row.choices.contains(&decision.choice) { Ok(()) } else { Err(NotOffered(row.choices.clone())) }
}
