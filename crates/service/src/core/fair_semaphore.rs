//! Permits for the processors: passwords are looked at, and responses verified, a bounded number at a time, and those
//! who wait are served fairly (A4).
//!
//! The turn of a form login is taken before anything is asked of the database, so that the surplus of a flood
//! costs nothing there. Networks and accounts take turns, so one that sends much waits for itself. Users who
//! signed in from there before wait apart: every second turn is theirs.

mod queue;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::throttle::ThrottleKey;
use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::time::timeout;

use queue::{Group, Queue, Ticket};

/// Time that users wait who signed in from there before. There cannot be many of them, and they have every second turn.
const WAIT_KNOWN: Duration = Duration::from_secs(10);

/// Claim of a client to a turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// Address of the client; none for work of our own.
    pub address: Option<IpAddr>,
    /// The account that was named, whether it exists or not.
    pub account: ThrottleKey,
    /// Whether this user signed in from there before.
    pub is_known: bool,
}

/// Refusal of a claim: there is no turn for too long, or too many wait who have waited no less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wait for their turn")]
pub(crate) struct Busy;

/// Pool of as many turns as are worked on at once.
#[derive(Clone)]
pub(crate) struct FairSemaphore {
    /// Time that a turn is waited for.
    wait: Duration,
    state: Arc<Mutex<State>>,
}

struct State {
    free: usize,
    others: Queue<Sender<Permit>>,
    known: Queue<Sender<Permit>>,
    was_known: bool,
}

/// A turn, until it is dropped.
pub(crate) struct Permit(FairSemaphore);

impl FairSemaphore {
    /// Makes a pool of so many turns at once, with so many claims that may wait of either kind.
    pub fn new(at_once: usize, waiting: usize, wait: Duration) -> Self {
        let (others, known) = (Queue::new(waiting), Queue::new(waiting));
        let state = State { free: at_once.max(1), others, known, was_known: false };
        Self { wait, state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a turn, and takes it.
    pub async fn take(&self, claim: Claim) -> Result<Permit, Busy> {
        let (ticket, turn) = match self.ask(&claim) {
            Asked::Now(turn) => return Ok(turn),
            Asked::Later(ticket, turn) => (ticket, turn),
            Asked::Never => return Err(Busy),
        };
        let waiting = if claim.is_known { WAIT_KNOWN } else { self.wait };
        match timeout(waiting, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => Err(Busy),
            Err(_) => {
                self.state().line(claim.is_known).remove(ticket);
                Err(Busy)
            }
        }
    }

    fn ask(&self, claim: &Claim) -> Asked {
        let groups = Group::of(claim);
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            state.line(claim.is_known).served(&groups);
            return Asked::Now(Permit(self.clone()));
        }
        let (sender, turn) = oneshot::channel();
        // Who is displaced is told by the end of their channel.
        match state.line(claim.is_known).push(groups, sender) {
            Some(ticket) => Asked::Later(ticket, turn),
            None => Asked::Never,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answer to a question for a turn.
enum Asked {
    Now(Permit),
    Later(Ticket, Receiver<Permit>),
    Never,
}

impl State {
    fn line(&mut self, is_known: bool) -> &mut Queue<Sender<Permit>> {
        if is_known { &mut self.known } else { &mut self.others }
    }

    /// Takes out who is next: of either kind in turns, where both wait.
    fn next(&mut self) -> Option<Sender<Permit>> {
        for is_known in [!self.was_known, self.was_known] {
            if let Some(next) = self.line(is_known).pop() {
                self.was_known = is_known;
                return Some(next);
            }
        }
        self.free += 1;
        None
    }
}

impl Drop for Permit {
    /// Hands the turn on. A client that has gone meanwhile drops it again, and so it goes on to the next.
    fn drop(&mut self) {
        let next = self.0.state().next();
        if let Some(next) = next {
            let _gone = next.send(Self(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(address: &str, account: &str, is_known: bool) -> Claim {
        Claim { address: Some(address.parse().unwrap()), account: ThrottleKey::of("account", &[account]), is_known }
    }

    /// Proves A4: a flood that fills all places displaces no user who signed in from there before, and leaves a
    /// turn to a user of another network.
    #[tokio::test]
    async fn a_flood_leaves_turns_to_others() {
        let turns = FairSemaphore::new(1, 4, Duration::from_secs(10));
        let held = turns.take(claim("2001:db8:1::1", "acme", false)).await.unwrap();
        let flood: Vec<_> = (0..9).map(|n| turns.ask(&claim(&format!("2001:db8:1:{n}::1"), "acme", false))).collect();
        assert_eq!(flood.iter().filter(|asked| matches!(asked, Asked::Never)).count(), 5);
        let known = turns.take(claim("2001:db8:1:7::1", "acme", true));
        let other = turns.take(claim("198.51.100.7", "other", false));
        let (known, other) = tokio::join!(
            async {
                drop(known.await.unwrap());
            },
            async {
                drop(held);
                drop(other.await.unwrap());
            }
        );
        assert_eq!((known, other), ((), ()));
    }

    /// Proves A4: turns are not lost with clients that have gone.
    #[tokio::test]
    async fn a_turn_goes_on_past_clients_that_have_gone() {
        let turns = FairSemaphore::new(1, 4, Duration::from_secs(10));
        let held = turns.take(claim("198.51.100.1", "acme", false)).await.unwrap();
        let gone: Vec<_> = (2..5).map(|n| turns.ask(&claim(&format!("198.51.{n}.1"), "acme", false))).collect();
        drop(gone);
        drop(held);
        drop(turns.take(claim("198.51.100.1", "acme", false)).await.unwrap());
        assert_eq!(turns.state().free, 1);
    }
}
