//! Passwords: what one is, which new ones are taken (B5), and what is kept of them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::account::AccountName;
use crate::email::Email;
use crate::guessability::is_guessable;
use crate::text::Label;
use crate::username::{Username, lower_case};
use crate::{AccountId, UserId};

/// Fewest characters of a new password (B5).
pub const PASSWORD_MIN_CHARS: usize = 12;
/// Most characters: beyond every passphrase and password manager, and little enough to normalize and look through.
pub const PASSWORD_MAX_CHARS: usize = 256;
/// Shorter words of a person's own details are in too many good passwords to refuse them.
const OWN_WORD_MIN_CHARS: usize = 4;
/// A password in clear, in Unicode's NFKC form, so that every keyboard's spelling of it is the same (RFC 8265,
/// section 4.2). Wiped from memory with this value.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(Zeroizing<String>);

/// Error of a text that cannot be any user's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The text has more than [`PASSWORD_MAX_CHARS`] characters.
    #[error("must have at most {PASSWORD_MAX_CHARS} characters")]
    TooLong,
}

impl Password {
    /// Reads a password as a user typed it. Whether it would do as a new one is decided by [`NewPassword`].
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        if text.chars().nth(PASSWORD_MAX_CHARS).is_some() {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(Zeroizing::new(text.nfkc().collect())))
    }

    /// The text to hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordError;

    fn try_from(mut text: String) -> Result<Self, PasswordError> {
        let password = Self::parse(&text);
        text.zeroize();
        password
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The details of a person that their password must not be made of.
#[derive(Debug, Clone, Copy)]
pub struct PasswordOwner<'a> {
    /// Username that the user signs in with.
    pub username: &'a Username,
    /// Address that their mail goes to.
    pub email: Option<&'a Email>,
    /// Name that is shown to other people.
    pub display_name: Option<&'a Label>,
    /// The name of their account.
    pub account_name: &'a AccountName,
}

/// Reasons to refuse a new password; each message says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordWeakness {
    /// The password has fewer than [`PASSWORD_MIN_CHARS`] characters.
    #[error("must have at least {PASSWORD_MIN_CHARS} characters")]
    TooShort,
    /// The password holds a word of the user's own.
    #[error("must not hold your username, email, name or account name; use words that have nothing to do with you")]
    OwnDetails,
    /// The password is on a list of common ones, or close to one.
    #[error("is easy to guess; use several unrelated words, or one that a password manager made")]
    Guessable,
}

/// A password that may become a user's (B5), but for how easy it is to guess: that takes long enough to find out
/// that it is done where passwords are hashed.
#[derive(Debug, Clone)]
pub struct NewPassword {
    password: Password,
    own_words: Vec<String>,
}

impl NewPassword {
    /// Takes a password that is long enough and holds nothing of its owner's details.
    pub fn of(password: Password, owner: &PasswordOwner<'_>) -> Result<Self, PasswordWeakness> {
        if password.expose().chars().count() < PASSWORD_MIN_CHARS {
            return Err(PasswordWeakness::TooShort);
        }
        let own_words = own_words(owner);
        let lower = Zeroizing::new(lower_case(password.expose()));
        if own_words.iter().any(|word| lower.contains(word.as_str())) {
            return Err(PasswordWeakness::OwnDetails);
        }
        Ok(Self { password, own_words })
    }

    /// The password, unless it is easy to guess: it is compared with lists of leaked passwords, words and names, in the
    /// spellings and patterns that people think of.
    ///
    /// Takes some milliseconds of processor time, so it does not belong on an async thread.
    pub fn hard_to_guess(&self) -> Result<&Password, PasswordWeakness> {
        let own_words: Vec<&str> = self.own_words.iter().map(String::as_str).collect();
        if is_guessable(self.password.expose(), &own_words) {
            return Err(PasswordWeakness::Guessable);
        }
        Ok(&self.password)
    }
}

/// The words of a person's own, compared as identities are. Of addresses only what is before the `@`: colleagues share
/// the rest, and the account's name mostly says it too.
fn own_words(owner: &PasswordOwner<'_>) -> Vec<String> {
    let local = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    let details = [
        local(owner.username.as_str()),
        owner.email.map(|email| local(email.as_str())).unwrap_or_default(),
        owner.display_name.map_or("", Label::as_str).to_owned(),
        owner.account_name.as_str().to_owned(),
    ];
    details
        .iter()
        .map(|detail| lower_case(&detail.nfkc().collect::<String>()))
        .flat_map(|detail| detail.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.chars().count() >= OWN_WORD_MIN_CHARS)
        .collect()
}

/// Hash of a password: a string in PHC form, with its algorithm, parameters and salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash as it was made or stored.
    pub const fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The string to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Lifetime of a temporary password: long enough for a mail that waits over a holiday.
pub const TEMPORARY_PASSWORD_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 14);
/// Random bytes of a temporary password: as many as no guessing gets through.
pub const TEMPORARY_PASSWORD_BYTES: usize = 24;
/// Alphabet of temporary passwords: no two of its characters look alike.
const TEMPORARY_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A temporary password, in groups that can be typed.
pub fn temporary_password(random: [u8; TEMPORARY_PASSWORD_BYTES]) -> String {
    let letter = |byte: &u8| TEMPORARY_ALPHABET.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let groups: Vec<String> = random.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    groups.join("-")
}

/// The password of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordCredential {
    /// Account that the user belongs to.
    pub account_id: AccountId,
    /// User that the password belongs to.
    pub user_id: UserId,
    /// Hash of the password.
    pub hash: PasswordHash,
    /// Whether the password must be changed at the next sign-in, because it was not chosen by its user.
    pub must_change: bool,
    /// Time at which it was set.
    pub set_at: Timestamp,
    /// Time from which it lets the user in no more; none for a password that its user chose.
    pub expires_at: Option<Timestamp>,
}

impl PasswordCredential {
    /// Whether it is a password that its user chose, and can sign in with for good: a temporary one is not (A4).
    pub fn is_own(&self, now: Timestamp) -> bool {
        !self.must_change && self.is_usable(now)
    }

    /// Whether the password lets its user in.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(password: &str) -> Result<(), PasswordWeakness> {
        let username = Username::parse("Anna.Karlsson@Example.com").unwrap();
        let email = Email::parse("ann@tulip.example").unwrap();
        let name = Label::parse("Ånna von Pe").unwrap();
        let account_name = AccountName::parse("acme-widgets").unwrap();
        let owner = PasswordOwner {
            username: &username,
            email: Some(&email),
            display_name: Some(&name),
            account_name: &account_name,
        };
        NewPassword::of(Password::parse(password).unwrap(), &owner)?.hard_to_guess().map(drop)
    }

    /// Proves B5: length, the person's own details, and what attackers try first.
    #[test]
    fn a_new_password_is_long_unlike_its_owner_and_hard_to_guess() {
        use PasswordWeakness::{Guessable, OwnDetails, TooShort};
        let cases = [
            ("", Err(TooShort)),
            ("x8#Kq!2pZ$w", Err(TooShort)),
            ("åäö£€¾§åä", Err(TooShort)),
            ("correct-KARLSSON-battery-9", Err(OwnDetails)),
            ("window anna marble 1987", Err(OwnDetails)),
            ("ÅNNA-marble-window-77", Err(OwnDetails)),
            ("acme rocks my tuesday mornings", Err(OwnDetails)),
            ("my-widgets-are-never-late", Err(OwnDetails)),
            ("password1234", Err(Guessable)),
            ("P@ssw0rd!P@ssw0rd!", Err(Guessable)),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", Err(Guessable)),
            ("qwertyuiop123456", Err(Guessable)),
            ("k4rls50nk4rls50n", Err(Guessable)),
            ("abcdefghijklmnop", Err(Guessable)),
            ("tulip-anchor-copper-72", Ok(())),
            ("correct horse battery staple", Ok(())),
            ("ann von pe goes sailing at dawn", Ok(())),
            ("x8#Kq!2pZ$wR", Ok(())),
            ("雨の日は家で本を読むのが好きです", Ok(())),
            (&"a".repeat(PASSWORD_MAX_CHARS), Err(Guessable)),
            (&format!("{}{}", "qwerty".repeat(11), "tulip-anchor-copper-72"), Err(Guessable)),
            (&"tulip anchor copper ".repeat(12), Ok(())),
        ];
        for (password, wanted) in cases {
            assert_eq!(check(password), wanted, "{password}");
        }
    }

    /// Proves B5: a password typed on another system is the same password.
    #[test]
    fn spellings_that_look_alike_are_one_password() {
        let same = [("e\u{301}", "\u{e9}"), ("\u{ff21}\u{ff22}", "AB"), ("\u{fb01}", "fi")];
        for (left, right) in same {
            assert_eq!(Password::parse(left).unwrap().expose(), Password::parse(right).unwrap().expose());
        }
        assert_ne!(Password::parse("a").unwrap().expose(), Password::parse("A").unwrap().expose());
        assert_ne!(Password::parse("a ").unwrap().expose(), Password::parse("a").unwrap().expose());
    }

    /// Proves B5: the longest password is taken whole, a longer one refused unread, and none is printed.
    #[test]
    fn a_password_is_bounded_and_never_printed() {
        assert_eq!(Password::parse(&"å".repeat(PASSWORD_MAX_CHARS)).unwrap().expose().chars().count(), 256);
        assert_eq!(Password::parse(&"å".repeat(PASSWORD_MAX_CHARS + 1)).unwrap_err(), PasswordError::TooLong);
        assert_eq!(format!("{:?}", Password::parse("secret").unwrap()), "Password(…)");
        assert_eq!(format!("{:?}", PasswordHash::from_phc("$argon2id$…".to_owned())), "PasswordHash(…)");
    }

    proptest! {
        /// Proves B5: whatever is typed gets an answer, and whatever is taken is long enough.
        #[test]
        fn any_text_gets_an_answer(text in "\\PC{0,60}") {
            if check(&text).is_ok() {
                prop_assert!(Password::parse(&text).unwrap().expose().chars().count() >= PASSWORD_MIN_CHARS);
            }
        }
    }
}
