//! Faults that a response can have, one knob for each.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::user::User;
use crate::message::{DateTime, DigestAlgorithm, ResponseSpec, Shape, SignatureAlgorithm, SignedParts, Status};

/// A day: beyond every tolerance for clocks.
const FAR_OFF: SignedDuration = SignedDuration::from_hours(24);
/// Ten years: more skew than any clock has.
const MAX_SKEW_SECONDS: i64 = 10 * 366 * 24 * 3600;

/// A deliberate mistake. In JSON an object with the field `fault`, and what the fault needs.
///
/// Adding one: a variant here, its effect in `Fault::apply`, and a line in [`Fault::choices`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// All windows ended a day ago.
    Expired,
    /// `NotBefore` is a day away.
    NotYetValid,
    WrongAudience,
    WrongRecipient,
    WrongDestination,
    /// Both Issuers name another provider.
    WrongIssuer,
    Unsigned,
    /// Signed with a key that no service provider trusts.
    WrongKey,
    /// The username changes after the signature was made.
    AlteredAfterSigning,
    /// The previous response once more.
    Replay,
    /// Signed and digested with SHA-1; the key must be RSA.
    Sha1,
    /// No assertion, and a failure as status; `second_level` is a status such as `AuthnFailed` or `NoPassive`.
    StatusNotSuccess {
        #[serde(default = "authn_failed")]
        second_level: String,
    },
    /// The provider's clock is ahead by so many seconds; negative is behind.
    ClockSkew {
        seconds: i64,
    },
    /// The username attribute is missing.
    MissingEmail,
    /// The username attribute has a second value.
    TwoUsernames,
    /// The role attribute is missing.
    NoGroups,
    /// The subject has no `NameID`.
    NoNameId,
    /// `InResponseTo` names a request that was never sent.
    UnknownInResponseTo,
    /// No `InResponseTo` although there was a request.
    Unsolicited,
    /// `InResponseTo` of Response and confirmation differ.
    DifferentInResponseTo,
}

fn authn_failed() -> String {
    "AuthnFailed".to_owned()
}

/// Faults of the responses to come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Faults of the next response alone.
    pub next: Vec<Fault>,
    /// Faults of every response until changed.
    pub always: Vec<Fault>,
}

impl Faults {
    /// The faults of the response that is being made; those meant for it alone are used up.
    pub fn take(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.next);
        faults.extend(self.always.iter().cloned());
        faults
    }
}

/// The attribute names that faults are about.
pub(super) struct AttributeNames<'a> {
    pub username: Option<&'a str>,
    pub role: Option<&'a str>,
}

impl Fault {
    /// The choices of the login form: the name in JSON, and what it does.
    pub fn choices() -> Vec<(Self, &'static str)> {
        vec![
            (Self::Expired, "expired a day ago"),
            (Self::NotYetValid, "not valid before tomorrow"),
            (Self::WrongAudience, "wrong audience"),
            (Self::WrongRecipient, "wrong recipient"),
            (Self::WrongDestination, "wrong destination"),
            (Self::WrongIssuer, "wrong issuer"),
            (Self::Unsigned, "unsigned"),
            (Self::WrongKey, "signed with an unknown key"),
            (Self::AlteredAfterSigning, "altered after signing"),
            (Self::Replay, "previous response once more"),
            (Self::Sha1, "signed with SHA-1"),
            (Self::StatusNotSuccess { second_level: authn_failed() }, "status AuthnFailed"),
            (Self::ClockSkew { seconds: 600 }, "clock ten minutes ahead"),
            (Self::ClockSkew { seconds: -7200 }, "clock two hours behind"),
            (Self::MissingEmail, "username attribute missing"),
            (Self::TwoUsernames, "two usernames"),
            (Self::NoGroups, "role attribute missing"),
            (Self::NoNameId, "no NameID"),
            (Self::UnknownInResponseTo, "answers an unknown request"),
            (Self::Unsolicited, "answers no request"),
            (Self::DifferentInResponseTo, "answers two requests"),
        ]
    }

    /// The time that the provider takes it to be.
    pub(super) fn skewed(faults: &[Self], now: Timestamp) -> Timestamp {
        faults.iter().fold(now, |now, fault| match fault {
            Self::ClockSkew { seconds } => {
                let skew = SignedDuration::from_secs((*seconds).clamp(-MAX_SKEW_SECONDS, MAX_SKEW_SECONDS));
                now.saturating_add(skew).unwrap_or(now)
            }
            _ => now,
        })
    }

    /// Spoils a specification before it is signed. Replay, wrong key and alteration are the caller's, who holds
    /// the keys.
    pub(super) fn apply(&self, spec: &mut ResponseSpec, user: &User, names: &AttributeNames<'_>) {
        match self {
            Self::Expired => move_window(spec, -FAR_OFF),
            Self::NotYetValid => move_window(spec, FAR_OFF),
            Self::WrongAudience => spec.audiences = vec![vec!["https://another-sp.example.test/metadata".to_owned()]],
            Self::WrongRecipient => spec.recipient = Some("https://another-sp.example.test/acs".to_owned()),
            Self::WrongDestination => spec.destination = Some("https://another-sp.example.test/acs".to_owned()),
            Self::WrongIssuer => {
                "https://another-idp.example.test/metadata".clone_into(&mut spec.assertion_issuer);
                spec.response_issuer = Some(spec.assertion_issuer.clone());
            }
            Self::Unsigned => spec.signing.parts = SignedParts::None,
            Self::Sha1 => {
                spec.signing.algorithm = Some(SignatureAlgorithm::RsaSha1);
                spec.signing.digest = DigestAlgorithm::Sha1;
            }
            Self::StatusNotSuccess { second_level } => fail(spec, second_level),
            Self::MissingEmail => remove_attribute(spec, names.username),
            Self::NoGroups => remove_attribute(spec, names.role),
            Self::TwoUsernames => add_value(spec, names.username, &format!("second-{}", user.email)),
            Self::NoNameId => spec.name_id = None,
            Self::UnknownInResponseTo => *spec = spec.clone().to_request("_a-request-that-nobody-made"),
            Self::Unsolicited => {
                spec.in_response_to = None;
                spec.confirmation_in_response_to = None;
            }
            Self::DifferentInResponseTo => {
                spec.confirmation_in_response_to = Some("_a-request-that-nobody-made".to_owned());
            }
            Self::WrongKey | Self::AlteredAfterSigning | Self::Replay | Self::ClockSkew { .. } => {}
        }
    }
}

fn move_window(spec: &mut ResponseSpec, by: SignedDuration) {
    let windows = [&mut spec.not_before, &mut spec.not_on_or_after, &mut spec.confirmation_not_on_or_after];
    for time in windows {
        if let Some(DateTime::At(at)) = time {
            *time = Some(at.saturating_add(by).unwrap_or(*at).into());
        }
    }
}

/// Turns the response into the answer to a failed sign-in. Only AD FS signs those.
pub(super) fn fail(spec: &mut ResponseSpec, second_level: &str) {
    spec.status = Status::responder(second_level);
    spec.carries_assertion = false;
    if spec.shape == Shape::AdFs && spec.signing.parts != SignedParts::None {
        spec.signing.parts = SignedParts::Response;
    }
}

fn remove_attribute(spec: &mut ResponseSpec, name: Option<&str>) {
    spec.attributes.retain(|attribute| Some(attribute.name.as_str()) != name);
}

fn add_value(spec: &mut ResponseSpec, name: Option<&str>, value: &str) {
    for attribute in &mut spec.attributes {
        if Some(attribute.name.as_str()) == name {
            attribute.values.push(value.to_owned());
        }
    }
}
