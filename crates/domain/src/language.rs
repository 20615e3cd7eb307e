//! Languages of the pages and mails that Vestibule writes to users.

use crate::named::named;

named! {
    /// A language of mails and pages, by its tag (RFC 5646).
    Language, LanguageError, "expected \"en\" or \"sv\"" {
        /// English, the default of an account.
        English = "en",
        /// Swedish, with the tag `sv`.
        Swedish = "sv",
    }
}
