//! A response and its assertion as data, read from text that the guard accepted. Whether a signature covers it is
//! the caller's business.

use jiff::Timestamp;

use super::conditions::Conditions;
use super::statement::{AuthnStatement, attributes};
use super::subject::Subject;
use crate::attribute::Attribute;
use crate::instant;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::xml::{Element, namespace};

/// Most status codes kept: the top one, its detail, and one for luck.
const MAX_STATUS_CODES: usize = 3;

/// Claims of a `samlp:Response` about itself (core 3.2.2).
#[derive(Debug)]
pub(super) struct ResponseClaims {
    pub(super) id: String,
    pub(super) in_response_to: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) issue_instant: Option<String>,
    pub(super) status: Vec<String>,
    pub(super) status_message: Option<String>,
}

/// Reads the response's own claims.
pub(super) fn response(response: &Element<'_, '_>) -> Result<ResponseClaims, Rejection> {
    let status = response.child(namespace::PROTOCOL, "Status");
    let owned = |name: &str| response.attribute(name).map(str::to_owned);
    Ok(ResponseClaims {
        id: owned("ID").unwrap_or_default(),
        in_response_to: owned("InResponseTo"),
        destination: owned("Destination"),
        issuer: response.child(namespace::ASSERTION, "Issuer").map(|issuer| text(&issuer)).transpose()?,
        issue_instant: owned("IssueInstant"),
        status: status.map(|status| status_codes(&status)).unwrap_or_default(),
        status_message: status
            .and_then(|status| status.child(namespace::PROTOCOL, "StatusMessage"))
            .map(|message| message.deep_text()),
    })
}

/// The status codes, outermost first (core 3.2.2.2).
fn status_codes(status: &Element<'_, '_>) -> Vec<String> {
    let mut codes = Vec::new();
    let mut next = status.child(namespace::PROTOCOL, "StatusCode");
    while let Some(code) = next.filter(|_| codes.len() < MAX_STATUS_CODES) {
        codes.push(code.attribute("Value").unwrap_or_default().to_owned());
        next = code.child(namespace::PROTOCOL, "StatusCode");
    }
    codes
}

/// Claims of a `saml:Assertion` (core 2.3.3).
#[derive(Debug)]
pub(super) struct AssertionClaims {
    pub(super) id: String,
    pub(super) issue_instant: Timestamp,
    pub(super) issuer: String,
    pub(super) subject: Subject,
    pub(super) conditions: Conditions,
    pub(super) statements: Vec<AuthnStatement>,
    pub(super) attributes: Vec<Attribute>,
}

/// Reads an assertion, refusing parts that cannot be understood in full.
pub(super) fn assertion(assertion: &Element<'_, '_>) -> Result<AssertionClaims, Rejection> {
    let named = |name| assertion.child(namespace::ASSERTION, name);
    let issuer = named("Issuer").ok_or_else(|| Rejection::new(Check::Issuer, Reason::AssertionIssuerMissing))?;
    Ok(AssertionClaims {
        id: assertion.attribute("ID").unwrap_or_default().to_owned(),
        issue_instant: instant::required(assertion.attribute("IssueInstant"))?,
        issuer: text(&issuer)?,
        subject: named("Subject").map(|subject| Subject::read(&subject)).transpose()?.unwrap_or_default(),
        conditions: named("Conditions").map(|element| Conditions::read(&element)).transpose()?.unwrap_or_default(),
        statements: assertion
            .children_named(namespace::ASSERTION, "AuthnStatement")
            .map(|statement| AuthnStatement::read(&statement))
            .collect::<Result<_, _>>()?,
        attributes: attributes(assertion)?,
    })
}

/// Text of an identifying element, exactly as it stands; refused if it holds elements.
pub(super) fn text(element: &Element<'_, '_>) -> Result<String, Rejection> {
    element
        .text()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| structure(Reason::TextExpected).got(format!("elements in {}", element.local())))
}

pub(super) fn structure(reason: Reason) -> Rejection {
    Rejection::new(Check::Structure, reason)
}
