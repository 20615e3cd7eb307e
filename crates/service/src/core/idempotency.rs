//! Creating once what was asked for twice (`Idempotency-Key`).

use domain::idempotency::{IDEMPOTENCY_KEY_MAX_CHARS, IdempotencyRecord};
use sha2::{Digest, Sha256};
use storage::Tx;

use crate::core::Core;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};

/// A key that a client sent with a creating request, and the request it stands for.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: String,
    request_digest: [u8; 32],
}

impl IdempotencyKey {
    /// Takes a key (1 to 128 visible ASCII characters) with the operation and the body it came with.
    pub fn parse(key: &str, operation: &str, body: &[u8]) -> Result<Self> {
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX_CHARS || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::invalid("Idempotency-Key", "must be 1 to 128 visible ASCII characters"));
        }
        let mut hasher = Sha256::new_with_prefix(operation.as_bytes());
        hasher.update([0]);
        hasher.update(body);
        Ok(Self { key: key.to_owned(), request_digest: hasher.finalize().into() })
    }
}

/// Result of a use-case that creates a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// Resource that the request created.
    pub resource: T,
    /// Whether an earlier request with the same key had created it.
    pub replayed: bool,
}

impl<T> Created<T> {
    /// Wraps a resource that was created just now.
    pub const fn fresh(resource: T) -> Self {
        Self { resource, replayed: false }
    }

    /// An earlier request had created it.
    pub const fn replayed(resource: T) -> Self {
        Self { resource, replayed: true }
    }
}

impl Core {
    /// The id of what an earlier request with this key created.
    pub(crate) async fn replay(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        match storage::idempotency::find(tx, &caller.idempotency_scope(), &key.key).await? {
            None => Ok(None),
            Some(record) if record.request_digest == key.request_digest => Ok(Some(record.resource)),
            Some(_) => Err(Error::new(Code::IdempotencyKeyReused)),
        }
    }

    /// Remembers what this request created. Of two at once the second is told to repeat, and then finds the first's.
    pub(crate) async fn remember(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        key: Option<&IdempotencyKey>,
        resource: String,
    ) -> Result<()> {
        let Some(key) = key else { return Ok(()) };
        let record = IdempotencyRecord {
            caller: caller.idempotency_scope(),
            key: key.key.clone(),
            request_digest: key.request_digest,
            resource,
            created_at: self.now(),
        };
        if storage::idempotency::insert(tx, &record).await? {
            Ok(())
        } else {
            Err(Error::new(Code::Unavailable).with_retry_after(1))
        }
    }
}
