//! `saml:Conditions`: the audience and the time for which the assertion holds (core 2.5.1).

use jiff::Timestamp;

use super::parse::text;
use super::window::Window;
use crate::instant;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::xml::{Element, namespace};

#[derive(Debug, Default)]
pub(super) struct Conditions {
    not_before: Option<Timestamp>,
    not_on_or_after: Option<Timestamp>,
    /// The audiences of each restriction: every restriction must hold, any of its audiences will do.
    restrictions: Vec<Vec<String>>,
}

impl Conditions {
    /// Reads the conditions; one that is not understood makes the assertion invalid (core 2.5.1.1).
    pub(super) fn read(conditions: &Element<'_, '_>) -> Result<Self, Rejection> {
        let mut restrictions = Vec::new();
        for condition in conditions.children() {
            match (condition.namespace(), condition.local()) {
                (namespace::ASSERTION, "AudienceRestriction") => restrictions.push(audiences(&condition)?),
                // Every assertion is used once here, and none is passed on.
                (namespace::ASSERTION, "OneTimeUse" | "ProxyRestriction") => {}
                (_, name) => return Err(Rejection::new(Check::Conditions, Reason::ConditionUnknown).got(name)),
            }
        }
        Ok(Self {
            not_before: instant::optional(conditions.attribute("NotBefore"))?,
            not_on_or_after: instant::optional(conditions.attribute("NotOnOrAfter"))?,
            restrictions,
        })
    }

    /// Every restriction names us, and there is one (profiles 4.1.4.2).
    pub(super) fn check_audience(&self, sp_entity_id: &str) -> Result<(), Rejection> {
        if self.restrictions.is_empty() {
            return Err(Rejection::new(Check::Audience, Reason::AudienceMissing).wanted(sp_entity_id));
        }
        match self.restrictions.iter().find(|audiences| audiences.iter().all(|audience| audience != sp_entity_id)) {
            None => Ok(()),
            Some(others) => Err(Rejection::new(Check::Audience, Reason::AudienceMismatch)
                .wanted(sp_entity_id)
                .got(others.join(" "))),
        }
    }

    pub(super) fn check_times(&self, window: &mut Window) -> Result<(), Rejection> {
        if let Some(start) = self.not_before {
            window.begun(start, Reason::AssertionNotYetValid)?;
        }
        self.not_on_or_after.map_or(Ok(()), |end| window.open(end, Reason::AssertionExpired))
    }
}

fn audiences(restriction: &Element<'_, '_>) -> Result<Vec<String>, Rejection> {
    restriction
        .children()
        .map(|child| match (child.namespace(), child.local()) {
            (namespace::ASSERTION, "Audience") => text(&child),
            (_, name) => Err(Rejection::new(Check::Audience, Reason::AudienceUnknown).got(name)),
        })
        .collect()
}
