//! `saml:Subject`: the user, and the recipient that the assertion was made for (core 2.4, profiles 4.1.4.2).

use jiff::Timestamp;

use super::parse::{structure, text};
use super::verify::Expected;
use super::window::Window;
use crate::attribute::NameId;
use crate::instant;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::xml::{Element, namespace};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// Most confirmations looked at. Honest assertions have one, federations two.
const MAX_CONFIRMATIONS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) name_id: Option<NameId>,
    bearers: Vec<Bearer>,
}

/// Claims of a bearer `SubjectConfirmation`.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    recipient: Option<String>,
    pub(super) in_response_to: Option<String>,
    not_before: Option<Timestamp>,
    not_on_or_after: Option<Timestamp>,
}

impl Subject {
    pub(super) fn read(subject: &Element<'_, '_>) -> Result<Self, Rejection> {
        if subject.child(namespace::ASSERTION, "EncryptedID").is_some() {
            return Err(structure(Reason::EncryptedIdUnsupported));
        }
        let mut names = subject.children_named(namespace::ASSERTION, "NameID");
        let name_id = names.next().map(|element| name_id(&element)).transpose()?;
        if names.next().is_some() {
            return Err(structure(Reason::NameIdRepeated));
        }
        let bearers = subject
            .children_named(namespace::ASSERTION, "SubjectConfirmation")
            .take(MAX_CONFIRMATIONS)
            .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER))
            .map(|confirmation| Bearer::read(&confirmation))
            .collect::<Result<_, _>>()?;
        Ok(Self { name_id, bearers })
    }

    /// The first bearer confirmation that is for us and still open, or why the last one is not.
    pub(super) fn confirmed(
        &self,
        expected: &Expected<'_>,
        in_response_to: Option<&str>,
        window: &mut Window,
    ) -> Result<&Bearer, Rejection> {
        let mut reason = Rejection::new(Check::SubjectConfirmation, Reason::BearerConfirmationMissing);
        for bearer in &self.bearers {
            match bearer.check(expected, in_response_to, window) {
                Ok(()) => return Ok(bearer),
                Err(rejection) => reason = rejection,
            }
        }
        Err(reason)
    }

    /// The latest end of any bearer confirmation.
    pub(super) fn latest_end(&self) -> Option<Timestamp> {
        self.bearers.iter().filter_map(|bearer| bearer.not_on_or_after).max()
    }
}

fn name_id(element: &Element<'_, '_>) -> Result<NameId, Rejection> {
    let owned = |name: &str| element.attribute(name).map(str::to_owned);
    Ok(NameId {
        value: text(element)?,
        format: owned("Format"),
        name_qualifier: owned("NameQualifier"),
        sp_name_qualifier: owned("SPNameQualifier"),
    })
}

impl Bearer {
    fn read(confirmation: &Element<'_, '_>) -> Result<Self, Rejection> {
        let mut all = confirmation.children_named(namespace::ASSERTION, "SubjectConfirmationData");
        let data = all.next();
        if all.next().is_some() {
            return Err(structure(Reason::ConfirmationDataRepeated));
        }
        let attribute = |name: &str| data.and_then(|data| data.attribute(name));
        Ok(Self {
            recipient: attribute("Recipient").map(str::to_owned),
            in_response_to: attribute("InResponseTo").map(str::to_owned),
            not_before: instant::optional(attribute("NotBefore"))?,
            not_on_or_after: instant::optional(attribute("NotOnOrAfter"))?,
        })
    }

    fn check(
        &self,
        expected: &Expected<'_>,
        in_response_to: Option<&str>,
        window: &mut Window,
    ) -> Result<(), Rejection> {
        if self.recipient.as_deref() != Some(expected.acs_url) {
            let code = if self.recipient.is_some() { Reason::RecipientMismatch } else { Reason::RecipientMissing };
            return Err(Rejection::new(Check::Recipient, code)
                .wanted(expected.acs_url)
                .got(self.recipient.as_deref().unwrap_or_default()));
        }
        // One side alone could be an answer to no request made to look like one, or the reverse.
        if self.in_response_to.as_deref() != in_response_to {
            return Err(Rejection::new(Check::SubjectConfirmation, Reason::InResponseToMismatch)
                .wanted(in_response_to.unwrap_or("none, as in the response"))
                .got(self.in_response_to.as_deref().unwrap_or("none")));
        }
        if let Some(start) = self.not_before {
            window.begun(start, Reason::ConfirmationNotYetValid)?;
        }
        let end = self
            .not_on_or_after
            .ok_or_else(|| Rejection::new(Check::SubjectConfirmation, Reason::ConfirmationEndMissing))?;
        window.open(end, Reason::ConfirmationExpired)
    }
}
