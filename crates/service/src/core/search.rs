//! Limits of the text that lists may be searched for.

use crate::core::error::{Error, Result};

/// Longest text that is searched for: no name, username or email is longer, and SQLite refuses patterns far beyond it.
const SEARCH_MAX_CHARS: usize = 254;

/// Refuses a text that nothing could match.
pub(crate) fn check_search(search: Option<&str>) -> Result<()> {
    if search.is_some_and(|text| text.chars().count() > SEARCH_MAX_CHARS) {
        return Err(Error::invalid("q", format_args!("must have at most {SEARCH_MAX_CHARS} characters")));
    }
    Ok(())
}
