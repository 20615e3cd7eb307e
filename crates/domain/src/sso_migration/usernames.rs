//! Who gets which username, where everybody gets theirs at once.

use std::collections::{BTreeSet, HashMap, HashSet};

/// Somebody who has a username afterwards, in its compared form.
pub(super) struct Move {
    /// Where they are in the plan.
    pub index: usize,
    /// What they are called now.
    pub from: String,
    /// What they would be called.
    pub to: String,
}

/// Who cannot have the username that they would get, and who keeps it: whoever does not move holds on to theirs, and so
/// does everybody who cannot move because of that.
pub(super) fn held_up(moves: &[Move]) -> HashMap<usize, usize> {
    let mut held: HashMap<&str, usize> =
        moves.iter().filter(|one| one.from == one.to).map(|one| (one.to.as_str(), one.index)).collect();
    let mut stuck = HashMap::new();
    loop {
        let newly: Vec<(&Move, usize)> = moves
            .iter()
            .filter(|one| one.from != one.to && !stuck.contains_key(&one.index))
            .filter_map(|one| held.get(one.to.as_str()).map(|holder| (one, *holder)))
            .collect();
        if newly.is_empty() {
            return stuck;
        }
        for (one, holder) in newly {
            stuck.insert(one.index, holder);
            held.insert(&one.from, one.index);
        }
    }
}

/// Who must give their username up before others get theirs.
pub(super) fn step_aside(moves: &[Move]) -> BTreeSet<usize> {
    let moving = || moves.iter().filter(|one| one.from != one.to);
    let wanted: HashSet<&str> = moving().map(|one| one.to.as_str()).collect();
    moving().filter(|one| wanted.contains(one.from.as_str())).map(|one| one.index).collect()
}
