//! The time of this machine.

use jiff::Timestamp;
use service::ports::Clock;

/// The system's clock, cut to milliseconds: what is stored reads back equal.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's adapter")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a time from the clock survives storage in milliseconds.
    #[test]
    fn the_clock_tells_whole_milliseconds() {
        let now = SystemClock.now();
        assert_eq!(now.subsec_nanosecond() % 1_000_000, 0);
        assert!(now.as_second() > 1_700_000_000);
    }
}
