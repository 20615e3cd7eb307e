//! Implementations of the use-cases' ports: the clock, randomness, cryptography and outgoing connections.

mod clock;
mod entropy;
pub mod mail;
pub mod outbound;
mod password_hasher;
mod sealer;
mod sp_keys;
mod token_signer;

pub use clock::SystemClock;
pub use entropy::OsEntropy;
pub use password_hasher::{Argon2Hasher, HashingParameters};
pub use sealer::{AesGcmSealer, MASTER_KEY_BYTES};
pub use sp_keys::RcgenSpKeys;
pub use token_signer::JwtSigner;
