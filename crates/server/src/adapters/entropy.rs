//! Randomness of the operating system.

use service::ports::Entropy;

/// The random generator of aws-lc, seeded by the operating system.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Guessable tokens are worse than no service, and no caller could do better.
            tracing::error!("the random generator failed; stopping");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that two fillings of a buffer differ, and that none of it is left out.
    #[test]
    fn random_bytes_differ_each_time() {
        let (mut first, mut second) = ([0; 64], [0; 64]);
        OsEntropy.fill(&mut first);
        OsEntropy.fill(&mut second);
        assert_ne!(first, second);
        assert_ne!(first[48..], [0; 16]);
    }
}
