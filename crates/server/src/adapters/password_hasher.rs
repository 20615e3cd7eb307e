//! Passwords by argon2id (RFC 9106), in threads of their own.
//!
//! A hash takes some 20 ms and 19 MiB, on purpose. A fixed number of threads, each with its memory for good, and a
//! bounded queue before them keep a flood of sign-ins from taking processors and memory from everything else: who
//! comes when the queue is full is told to come later.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use async_trait::async_trait;
use domain::password::{NewPassword, Password, PasswordHash, PasswordWeakness};
use service::ports::{HashingCapacity, PASSWORD_SALT_BYTES, PasswordHasher, PasswordHasherError, PasswordVerdict};
use tokio::sync::oneshot;

/// Bytes of a hash: what RFC 9106, section 4, recommends.
const OUTPUT_BYTES: usize = 32;
/// One lane: several would want threads of their own.
const LANES: u32 = 1;

/// Cost of a hash, and limits of the hashes made at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingParameters {
    /// Memory of each hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Threads, each of which keeps that memory for good.
    pub threads: NonZeroUsize,
    /// Number of passwords that may wait for a thread.
    pub queue: NonZeroUsize,
}

/// The threads, reached through their queue. They end when this is dropped.
pub struct Argon2Hasher {
    params: Params,
    decoy: PasswordHash,
    capacity: HashingCapacity,
    queue: SyncSender<Job>,
}

/// One password to look at, in the memory of the thread that does.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

impl Argon2Hasher {
    /// Starts the threads. Fails on parameters that argon2 does not know.
    pub fn start(parameters: HashingParameters) -> Result<Self, PasswordHasherError> {
        let HashingParameters { memory_kib, iterations, threads, queue } = parameters;
        let params = Params::new(memory_kib, iterations, LANES, Some(OUTPUT_BYTES)).map_err(fault)?;
        let decoy = hash(&params, "", [0; PASSWORD_SALT_BYTES], &mut memory(&params))?;
        let (sender, receiver) = sync_channel(queue.get());
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..threads.get() {
            let (receiver, blocks) = (Arc::clone(&receiver), memory(&params));
            thread::Builder::new().name("password".into()).spawn(move || work(&receiver, blocks)).map_err(fault)?;
        }
        let capacity = HashingCapacity { threads: threads.get(), queue: queue.get() };
        Ok(Self { params, decoy, capacity, queue: sender })
    }

    /// Does this in one of the threads, unless the caller has gone by then.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, PasswordHasherError> + Send + 'static,
    ) -> Result<T, PasswordHasherError> {
        let (answer, awaited) = oneshot::channel();
        let job = move |blocks: &mut Vec<Block>| {
            if !answer.is_closed() {
                // Whoever asked may go at this very moment.
                let _gone = answer.send(work(blocks));
            }
        };
        self.queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => PasswordHasherError::Busy,
            TrySendError::Disconnected(_) => fault("its threads have ended"),
        })?;
        awaited.await.map_err(fault)?
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    fn capacity(&self) -> HashingCapacity {
        self.capacity
    }

    async fn hash(
        &self,
        password: &Password,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<PasswordHash, PasswordHasherError> {
        let (params, password) = (self.params.clone(), password.clone());
        self.run(move |blocks| hash(&params, password.expose(), salt, blocks)).await
    }

    async fn hash_new(
        &self,
        password: NewPassword,
        salt: [u8; PASSWORD_SALT_BYTES],
    ) -> Result<Result<PasswordHash, PasswordWeakness>, PasswordHasherError> {
        let params = self.params.clone();
        let check_and_hash = move |blocks: &mut Vec<Block>| match password.hard_to_guess() {
            Ok(password) => hash(&params, password.expose(), salt, blocks).map(Ok),
            Err(weakness) => Ok(Err(weakness)),
        };
        self.run(check_and_hash).await
    }

    async fn verify(
        &self,
        password: &Password,
        kept: Option<&PasswordHash>,
    ) -> Result<PasswordVerdict, PasswordHasherError> {
        let is_decoy = kept.is_none();
        let (kept, password) = (kept.unwrap_or(&self.decoy).clone(), password.clone());
        let today = self.params.clone();
        let compare = move |blocks: &mut Vec<Block>| compare(&today, password.expose(), &kept, blocks);
        let verdict = self.run(compare).await?;
        Ok(if is_decoy { PasswordVerdict::Wrong } else { verdict })
    }
}

/// The life of a thread: one password after the other, until the queue ends.
fn work(queue: &Mutex<Receiver<Job>>, mut blocks: Vec<Block>) {
    loop {
        // One thread waits for a job, the others for their turn to wait.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job(&mut blocks);
    }
}

/// The memory of one hash with these parameters.
fn memory(params: &Params) -> Vec<Block> {
    vec![Block::default(); params.block_count()]
}

fn hash(
    params: &Params,
    password: &str,
    salt: [u8; PASSWORD_SALT_BYTES],
    blocks: &mut Vec<Block>,
) -> Result<PasswordHash, PasswordHasherError> {
    let salt = Salt::new(&salt).map_err(fault)?;
    let phc = Phc {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(fault)?,
        salt: Some(salt),
        hash: Some(output(params, password, &salt, blocks)?),
    };
    Ok(PasswordHash::from_phc(phc.to_string()))
}

/// Hashes with the parameters that the kept hash was made with, and compares in constant time.
fn compare(
    today: &Params,
    password: &str,
    kept: &PasswordHash,
    blocks: &mut Vec<Block>,
) -> Result<PasswordVerdict, PasswordHasherError> {
    let kept = Phc::new(kept.as_str()).map_err(fault)?;
    let (Some(salt), Some(wanted)) = (&kept.salt, &kept.hash) else {
        return Err(fault("a stored hash lacks its salt or output"));
    };
    if kept.algorithm != ARGON2ID_IDENT {
        return Err(fault("a stored hash is not of argon2id"));
    }
    let params = Params::try_from(&kept).map_err(fault)?;
    let is_right = output(&params, password, salt, blocks)? == *wanted;
    Ok(match is_right {
        true if params == *today => PasswordVerdict::Right,
        true => PasswordVerdict::RightButOutdated,
        false => PasswordVerdict::Wrong,
    })
}

fn output(
    params: &Params,
    password: &str,
    salt: &Salt,
    blocks: &mut Vec<Block>,
) -> Result<Output, PasswordHasherError> {
    if blocks.len() < params.block_count() {
        // A hash that was made when more memory was configured than today.
        blocks.resize(params.block_count(), Block::default());
    }
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut bytes = [0; OUTPUT_BYTES];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut bytes, blocks).map_err(fault)?;
    Output::new(&bytes).map_err(fault)
}

fn fault(cause: impl std::fmt::Display) -> PasswordHasherError {
    PasswordHasherError::Fault(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    /// The cheapest parameters that argon2 takes.
    fn hasher(memory_kib: u32, queue: usize) -> Argon2Hasher {
        let queue = NonZeroUsize::new(queue).unwrap();
        Argon2Hasher::start(HashingParameters { memory_kib, iterations: 1, threads: NonZeroUsize::MIN, queue }).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    /// Proves B5: the password and no other is right, no password at all is wrong, also the decoy's own.
    #[tokio::test]
    async fn the_password_alone_is_right() {
        let hasher = hasher(8, 4);
        let kept = hasher.hash(&password("tulip-anchor"), [7; PASSWORD_SALT_BYTES]).await.unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", kept.as_str());
        let cases = [
            ("tulip-anchor", Some(&kept), PasswordVerdict::Right),
            ("tulip-anchoR", Some(&kept), PasswordVerdict::Wrong),
            ("", Some(&kept), PasswordVerdict::Wrong),
            ("tulip-anchor", None, PasswordVerdict::Wrong),
            ("", None, PasswordVerdict::Wrong),
        ];
        for (text, kept, wanted) in cases {
            assert_eq!(hasher.verify(&password(text), kept).await, Ok(wanted), "{text}");
        }
        let again = hasher.hash(&password("tulip-anchor"), [8; PASSWORD_SALT_BYTES]).await.unwrap();
        assert_ne!(kept, again, "the salt does not count");
    }

    /// Proves B5: a hash of other parameters still verifies, and is told to be outdated, whichever were the higher.
    #[tokio::test]
    async fn a_hash_of_other_parameters_is_outdated() {
        let (low, high) = (hasher(8, 4), hasher(64, 4));
        for (made, read) in [(&low, &high), (&high, &low)] {
            let kept = made.hash(&password("a"), [7; PASSWORD_SALT_BYTES]).await.unwrap();
            assert_eq!(read.verify(&password("a"), Some(&kept)).await, Ok(PasswordVerdict::RightButOutdated));
            assert_eq!(read.verify(&password("b"), Some(&kept)).await, Ok(PasswordVerdict::Wrong));
        }
    }

    /// Proves B5: what is no hash of ours is a fault, and never right.
    #[tokio::test]
    async fn a_damaged_hash_is_a_fault() {
        let hasher = hasher(8, 4);
        let whole = hasher.hash(&password("a"), [7; PASSWORD_SALT_BYTES]).await.unwrap();
        let no_output = whole.as_str().rsplit_once('$').unwrap().0.to_owned();
        for damaged in [String::new(), no_output, whole.as_str().replace("argon2id", "argon2d"), "$x".into()] {
            let kept = PasswordHash::from_phc(damaged.clone());
            let verdict = hasher.verify(&password("a"), Some(&kept)).await;
            assert!(matches!(verdict, Err(PasswordHasherError::Fault(_))), "{damaged}: {verdict:?}");
        }
    }

    /// Proves that the surplus of a flood is refused at once, and that what waits is done as soon as there is room.
    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hasher = hasher(8, 1);
        let (release, held) = channel::<()>();
        let (begun, begins) = channel();
        let busy: Job = Box::new(move |_| {
            begun.send(()).unwrap();
            held.recv().unwrap();
        });
        hasher.queue.try_send(busy).unwrap();
        begins.recv().unwrap();
        hasher.queue.try_send(Box::new(|_| {})).unwrap();
        let refused = hasher.verify(&password("a"), None).await;
        assert_eq!(refused, Err(PasswordHasherError::Busy));
        release.send(()).unwrap();
        while hasher.verify(&password("a"), None).await == Err(PasswordHasherError::Busy) {
            tokio::task::yield_now().await;
        }
    }
}
