//! The languages that Vestibule writes to people in.

use crate::named::named;

named! {
    /// A language of mails and pages, by its tag (RFC 5646).
    Language, LanguageError, "expected \"en\" or \"sv\"" {
        /// English.
        English = "en",
        /// Swedish.
        Swedish = "sv",
    }
}
