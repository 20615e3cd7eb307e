//! Times against the clock, with tolerance, remembering how much of the tolerance was needed.

use jiff::{SignedDuration, Timestamp};

use super::verify::{Expected, MAX_CLOCK_SKEW};
use crate::instant;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};

/// The present as far as the clocks of two parties agree on it.
#[derive(Debug)]
pub(super) struct Window {
    now: Timestamp,
    skew: SignedDuration,
    /// Seconds that the other clock must be off: positive if ahead of ours.
    seen: i64,
}

impl Window {
    pub(super) fn new(expected: &Expected<'_>) -> Self {
        let skew = expected.clock_skew.min(MAX_CLOCK_SKEW);
        Self { now: expected.now, skew: SignedDuration::try_from(skew).unwrap_or_default(), seen: 0 }
    }

    /// Accepts a time that has come, by the most generous of both clocks.
    pub(super) fn begun(&mut self, start: Timestamp, reason: Reason) -> Result<(), Rejection> {
        let ahead = start.duration_since(self.now);
        if ahead > self.skew {
            return Err(self.rejection(reason, "ahead", start));
        }
        if ahead.is_positive() {
            self.seen = self.seen.max(ahead.as_secs().max(1));
        }
        Ok(())
    }

    /// Accepts an end that has not come (`NotOnOrAfter` is exclusive), by the most generous of both clocks.
    pub(super) fn open(&mut self, end: Timestamp, reason: Reason) -> Result<(), Rejection> {
        let behind = self.now.duration_since(end);
        if behind >= self.skew {
            return Err(self.rejection(reason, "behind", end));
        }
        if !behind.is_negative() && self.seen <= 0 {
            self.seen = self.seen.min(-behind.as_secs().max(1));
        }
        Ok(())
    }

    /// Accepts an end that our own clock has not come to: what would end then lives by our clock, so tolerance would
    /// make something that is over when it begins.
    pub(super) fn ahead(&self, end: Timestamp, reason: Reason) -> Result<(), Rejection> {
        if end > self.now {
            return Ok(());
        }
        let wanted = format!("after {}", instant::format(self.now));
        Err(Rejection::new(Check::Time, reason).wanted(wanted).got(end.to_string()))
    }

    /// Seconds that the other clock was off beyond doubt; `None` if no tolerance was needed.
    pub(super) fn seen(&self) -> Option<i64> {
        Some(self.seen).filter(|seconds| *seconds != 0)
    }

    fn rejection(&self, reason: Reason, direction: &str, got: Timestamp) -> Rejection {
        let wanted = format!("at most {} s {direction} of {}", self.skew.as_secs(), instant::format(self.now));
        Rejection::new(Check::Time, reason).wanted(wanted).got(got.to_string())
    }
}
