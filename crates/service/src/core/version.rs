//! Optimistic concurrency: a change names the version that its author saw.

use jiff::{SignedDuration, Timestamp};

use crate::core::Core;
use crate::core::error::{Code, Error, Result};

/// A resource, and the version of it that the caller saw (`If-Match`).
#[derive(Debug, Clone, Copy)]
pub struct Versioned<Id> {
    /// Id of the resource.
    pub id: Id,
    /// The `updated_at` that the caller saw; none where they change it whatever it is.
    pub seen: Option<Timestamp>,
}

impl<Id> Versioned<Id> {
    /// The resource as it is, whatever its version.
    pub const fn any(id: Id) -> Self {
        Self { id, seen: None }
    }

    /// The version to guard an update with, if it is the one that the caller saw.
    pub(crate) fn expect(&self, current: Timestamp) -> Result<Timestamp> {
        if self.seen.is_none_or(|seen| seen == current) {
            Ok(current)
        } else {
            Err(Error::new(Code::PreconditionFailed))
        }
    }
}

impl Core {
    /// A version later than the one before, also within one millisecond.
    pub(crate) fn next_version(&self, before: Timestamp) -> Timestamp {
        self.now().max(before.saturating_add(SignedDuration::from_millis(1)).unwrap_or(before))
    }
}
