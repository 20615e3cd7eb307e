//! Passwords that a test gives to people, and a hasher that counts its work.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::password::{NewPassword, Password, PasswordCredential, PasswordHash, PasswordWeakness};
use domain::{AccountId, UserId};
use jiff::{SignedDuration, Timestamp};
use server::adapters::{Argon2Hasher, HashingParameters};
use service::ports::{HashingCapacity, PASSWORD_SALT_BYTES, PasswordHasher, PasswordHasherError, PasswordVerdict};

use storage::Store;
use tokio::sync::RwLock;

use crate::app::TestApp;

/// The least memory that argon2 takes: a test is about who gets in, not about how long that takes.
pub const CHEAPEST_KIB: u32 = 8;

/// Real argon2id with this much memory.
pub fn hasher(memory_kib: u32) -> Argon2Hasher {
    let (threads, queue) = (NonZeroUsize::MIN, NonZeroUsize::new(1_000).unwrap());
    Argon2Hasher::start(HashingParameters { memory_kib, iterations: 1, threads, queue }).unwrap()
}

/// Passwords that may wait here.
const QUEUE: usize = 8;

/// A hasher that counts how many passwords it compared.
pub(crate) struct CountingHasher {
    hasher: Argon2Hasher,
    capacity: HashingCapacity,
    compared: Arc<AtomicUsize>,
    gate: Arc<RwLock<()>>,
}

impl CountingHasher {
    pub(crate) fn new(compared: Arc<AtomicUsize>, gate: Arc<RwLock<()>>, threads: usize) -> Self {
        Self { hasher: hasher(CHEAPEST_KIB), capacity: HashingCapacity { threads, queue: QUEUE }, compared, gate }
    }
}

#[async_trait]
impl PasswordHasher for CountingHasher {
    fn capacity(&self) -> HashingCapacity {
        self.capacity
    }

    async fn hash(
        &self,
        password: &Password,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<PasswordHash, PasswordHasherError> {
        self.hasher.hash(password, salt).await
    }

    async fn hash_new(
        &self,
        password: NewPassword,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<Result<PasswordHash, PasswordWeakness>, PasswordHasherError> {
        self.hasher.hash_new(password, salt).await
    }

    async fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordVerdict, PasswordHasherError> {
        drop(self.gate.read().await);
        self.compared.fetch_add(1, Ordering::SeqCst);
        self.hasher.verify(password, hash).await
    }
}

impl TestApp {
    /// Gives a user this password without asking whether it is a good one.
    pub async fn give_password(&self, user_id: UserId, account_id: AccountId, password: &str) {
        self.set_password((account_id, user_id), password, (CHEAPEST_KIB, false)).await;
    }

    /// The same; it must be changed at the next sign-in.
    pub async fn give_temporary_password(&self, user_id: UserId, account_id: AccountId, password: &str) {
        self.set_password((account_id, user_id), password, (CHEAPEST_KIB, true)).await;
    }

    /// Lets a user's password work for this much longer, as a temporary one does.
    pub async fn expire_password(&self, user_id: UserId, account_id: AccountId, after: SignedDuration) {
        let expires_at = Some(self.now().checked_add(after).unwrap());
        let credential = PasswordCredential { expires_at, ..self.password_of(account_id, user_id).await };
        store_password(&self.database.store, &credential).await;
    }

    /// The same, hashed with other parameters than those of today.
    pub async fn give_outdated_password(
        &self,
        user_id: UserId,
        account_id: AccountId,
        password: &str,
    ) -> PasswordCredential {
        self.set_password((account_id, user_id), password, (2 * CHEAPEST_KIB, false)).await
    }

    async fn set_password(
        &self,
        whose: (AccountId, UserId),
        password: &str,
        (memory_kib, must_change): (u32, bool),
    ) -> PasswordCredential {
        let credential =
            PasswordCredential { must_change, ..credential(whose, password, memory_kib, self.now()).await };
        store_password(&self.database.store, &credential).await;
        credential
    }

    /// Credential that is kept of a user's password.
    pub async fn password_of(&self, account_id: AccountId, user_id: UserId) -> PasswordCredential {
        let mut tx = self.database.store.read().await.unwrap();
        storage::password_credentials::by_user(&mut tx, account_id, user_id).await.unwrap().unwrap()
    }
}

/// A password of a user's own, hashed with this much memory.
pub async fn credential(
    (account_id, user_id): (AccountId, UserId),
    password: &str,
    memory_kib: u32,
    set_at: Timestamp,
) -> PasswordCredential {
    let password = Password::parse(password).unwrap();
    let hash = hasher(memory_kib).hash(&password, [7; PASSWORD_SALT_BYTES]).await.unwrap();
    PasswordCredential { account_id, user_id, hash, must_change: false, set_at, expires_at: None }
}

/// Gives a user a password behind the back of the running server.
pub async fn store_password(store: &Store, credential: &PasswordCredential) {
    let mut tx = store.begin().await.unwrap();
    storage::password_credentials::set(&mut tx, credential).await.unwrap();
    tx.commit().await.unwrap();
}
