//! SSO sign-in, from the login page to the code (D1 to D4). `ARCHITECTURE.md` follows one step by step.

pub(crate) mod acs;
mod admission;
mod begin;
pub(crate) mod discovery;
mod refusal;
pub(crate) mod start;
mod test_checks;
mod test_conclusion;
pub(crate) mod test_sign_in;
mod unsolicited;
pub(super) mod verification;

use domain::sso::pending_sign_in::ReturnTo;
use url::Url;

use crate::core::error::{Error, Result};

/// The redirect URI of a frontend with these parameters added to its query (OAuth 2.1, section 4.1.2), the frontend's
/// `state` and our issuer (RFC 9207).
pub(crate) fn redirect_url(return_to: &ReturnTo, issuer: &str, parameters: &[(&str, &str)]) -> Result<String> {
    let mut url = Url::parse(return_to.redirect_uri.as_str()).map_err(Error::internal)?;
    let mut query = url.query_pairs_mut();
    query.extend_pairs(parameters);
    if let Some(state) = &return_to.state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    drop(query);
    Ok(url.into())
}
