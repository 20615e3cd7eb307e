//! Usernames that change for many users at once.

use std::collections::{HashMap, HashSet};

use crate::UserId;

/// A user who has a username afterwards, and both usernames in their compared form.
pub(super) struct Move {
    /// The user whose username changes.
    pub user: UserId,
    /// The username that they have now.
    pub from: String,
    /// The username that they would have.
    pub to: String,
    /// The email that they would have, which no other user can have as username (A2).
    pub email: Option<String>,
}

/// Users who cannot have the username that they would get, each with the user who keeps it or has it as email: a user
/// who does not move holds on to theirs, and so does every user who cannot move because of that.
pub(super) fn held_up(moves: &[Move]) -> HashMap<UserId, UserId> {
    let mut held: HashMap<&str, UserId> =
        moves.iter().filter(|one| one.from == one.to).map(|one| (one.to.as_str(), one.user)).collect();
    let mut emails: HashMap<&str, Vec<UserId>> = HashMap::new();
    for one in moves {
        if let Some(email) = &one.email {
            emails.entry(email).or_default().push(one.user);
        }
    }
    let by_email = |one: &Move| emails.get(one.to.as_str())?.iter().find(|user| **user != one.user).copied();
    let mut stuck = HashMap::new();
    loop {
        let newly: Vec<(&Move, UserId)> = moves
            .iter()
            .filter(|one| one.from != one.to && !stuck.contains_key(&one.user))
            .filter_map(|one| Some((one, held.get(one.to.as_str()).copied().or_else(|| by_email(one))?)))
            .collect();
        if newly.is_empty() {
            return stuck;
        }
        for (one, holder) in newly {
            stuck.insert(one.user, holder);
            held.insert(&one.from, one.user);
        }
    }
}

/// Users who must give their username up before others get theirs.
pub(super) fn step_aside(moves: &[Move]) -> HashSet<UserId> {
    let moving = || moves.iter().filter(|one| one.from != one.to);
    let wanted: HashSet<&str> = moving().map(|one| one.to.as_str()).collect();
    moving().filter(|one| wanted.contains(one.from.as_str())).map(|one| one.user).collect()
}
