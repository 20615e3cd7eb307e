//! The costly steps that a thread has taken, counted: tests bound the cost of a message by them, as time cannot be
//! tested.

use std::cell::Cell;

/// A step that costs more than reading the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A signature value compared with a pinned key.
    PublicKey,
    /// An operation with a private key of ours.
    PrivateKey,
    /// An engine asked about all signatures of a text: every one is canonicalized and digested.
    Engine,
}

/// Number of steps of each kind that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    pub public_key: usize,
    pub private_key: usize,
    pub engine: usize,
}

thread_local! {
    static DONE: Cell<Work> = const { Cell::new(Work { public_key: 0, private_key: 0, engine: 0 }) };
}

/// Counts one step of this thread.
pub(crate) fn done(step: Step) {
    DONE.with(|done| {
        let mut work = done.get();
        let count = match step {
            Step::PublicKey => &mut work.public_key,
            Step::PrivateKey => &mut work.private_key,
            Step::Engine => &mut work.engine,
        };
        *count = count.saturating_add(1);
        done.set(work);
    });
}

/// Counts the steps that `action` takes on this thread; gives its result and the counts.
pub fn counted<T>(action: impl FnOnce() -> T) -> (T, Work) {
    DONE.with(|done| done.set(Work::default()));
    let result = action();
    (result, DONE.with(Cell::get))
}
