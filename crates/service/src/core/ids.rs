//! Ids in the order in which they were given, also within one millisecond: lists are paged by them.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use uuid::Uuid;

/// Bits of the counter within a millisecond: what `UUIDv7` calls `rand_a`.
const COUNTER_BITS: u32 = 12;

/// Gives ids; the last one's millisecond and counter are remembered.
#[derive(Default)]
pub(crate) struct IdSequence(AtomicU64);

impl IdSequence {
    /// A `UUIDv7` with a counter (RFC 9562, section 6.2, method 1) and 62 random bits. When the counter overflows,
    /// or the clock goes back, the sequence runs ahead of the clock.
    pub fn next(&self, now: Timestamp, random: [u8; 10]) -> Uuid {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let clock = millis << COUNTER_BITS;
        let step = |last: u64| Some(clock.max(last.saturating_add(1)));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        let place = clock.max(last.saturating_add(1));
        let [_, _, rest @ ..] = random;
        let mut bytes = [0; 10];
        let counter = u16::try_from(place & ((1 << COUNTER_BITS) - 1)).unwrap_or_default();
        let (head, tail) = bytes.split_at_mut(2);
        head.copy_from_slice(&counter.to_be_bytes());
        tail.copy_from_slice(&rest);
        uuid::Builder::from_unix_timestamp_millis(place >> COUNTER_BITS, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A1: lists keep the order in which things came, however fast they come.
    #[test]
    fn ids_are_in_order_within_a_millisecond_and_when_the_clock_goes_back() {
        let (sequence, now) = (IdSequence::default(), Timestamp::from_second(1_800_000_000).unwrap());
        let earlier = Timestamp::from_second(1_700_000_000).unwrap();
        let ids: Vec<Uuid> = (0..10_000)
            .map(|n: u32| {
                sequence
                    .next(if n.is_multiple_of(2) { now } else { earlier }, [u8::try_from(255 - n % 256).unwrap(); 10])
            })
            .collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
