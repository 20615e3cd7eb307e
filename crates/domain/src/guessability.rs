//! Guessability of passwords (B5), estimated in bounded time whatever was typed.

use zeroize::Zeroizing;
use zxcvbn::Score;

/// Most characters that are looked through for what is easy to guess: those of a passphrase of ten words. What a
/// password has beyond them makes it no easier, and the time of the search grows faster than its length.
pub const GUESSABILITY_MAX_CHARS: usize = 64;
/// Score that a new password must reach: 10^8 guesses and more of an attacker who knows the lists of leaked
/// passwords, words, names, keyboards and dates. Behind argon2id and the slow-down of sign-ins that is years.
const MIN_SCORE: Score = Score::Three;
/// Most readings of the characters that stand for letters; the search goes through the lists once for each of them.
const READINGS_MAX: usize = 16;
/// The characters that zxcvbn takes for a letter, by letter; the first stands for the others where all of them
/// would be too many to try.
const SUBSTITUTES: [&str; 12] = ["4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "5$", "7+", "%", "2"];

/// Whether a password is easy to guess for an attacker who knows these words of its owner's. Takes some
/// milliseconds.
pub fn is_guessable(password: &str, own_words: &[&str]) -> bool {
    let beginning = Zeroizing::new(password.chars().take(GUESSABILITY_MAX_CHARS).collect::<String>());
    let looked_at = if readings(&beginning) > READINGS_MAX { plain_substitutes(&beginning) } else { beginning };
    zxcvbn::zxcvbn(&looked_at, own_words).score() < MIN_SCORE
}

/// Counts the ways to read the characters that stand for letters: at most so many, where each letter has one
/// substitute. A character that stands for several letters counts with each of them, and twice from the second one
/// on.
fn readings(text: &str) -> usize {
    let mut seen = String::new();
    let mut readings: usize = 1;
    for substitutes in SUBSTITUTES {
        let present: String = substitutes.chars().filter(|one| text.contains(*one)).collect();
        let again = present.chars().filter(|one| seen.contains(*one)).count();
        readings = readings.saturating_mul((present.chars().count() + again).max(1));
        seen.push_str(&present);
    }
    readings
}

/// The text with one substitute for each letter. It holds at least the words that the text holds.
fn plain_substitutes(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().map(plain).collect())
}

fn plain(character: char) -> char {
    match character {
        '@' => '4',
        '{' | '[' | '<' => '(',
        '!' | '|' => '1',
        '$' => '5',
        '+' => '7',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves B5: whatever is typed, the search goes over the lists a bounded number of times, and what is common
    /// is found however it is spelled.
    #[test]
    fn a_text_has_few_readings() {
        let every = "4@8({[<369|1!7$5+%20";
        assert!(readings(every) > 500, "{}", readings(every));
        assert!(readings(&plain_substitutes(every)) <= READINGS_MAX);
        for common in ["p@$$w0rd!123", "!@#$%^&*()_+"] {
            assert!(is_guessable(common, &[]), "{common}");
        }
        assert!(!is_guessable("4@8({[<369|1!7$5+%20", &[]));
    }

    /// Proves B5: what comes after the first 64 characters makes a password neither easier nor harder.
    #[test]
    fn the_beginning_alone_is_looked_at() {
        let strong = "tulip-anchor-copper-72 gravel orbit";
        assert!(!is_guessable(&format!("{strong:a<64}{}", "a".repeat(192)), &[]));
        let weak = "qwerty".repeat(11);
        assert!(is_guessable(&format!("{weak}{strong}"), &[]));
    }
}
