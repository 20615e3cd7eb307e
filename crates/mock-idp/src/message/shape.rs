//! The shapes of honest identity providers: how each writes its XML, and what it sends by default.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::canonical::Canonicalization;
use super::profile::Profile;
use super::spec::{DateTime, KeyInfo, NAME_ID_TRANSIENT, NameId, ResponseSpec, ShownCertificate, SignedParts};

/// Identity provider whose style a response is written in.
///
/// Adding one: a variant here, its `Profile` in `profile.rs`, and what it sends by default in
/// [`ResponseSpec::as_sent_by`]; the tests walk [`Shape::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// No provider's style: canonical as written.
    Plain,
    EntraId,
    AdFs,
    Okta,
    GoogleWorkspace,
    PingFederate,
    Shibboleth,
    Keycloak,
    OneLogin,
    Auth0,
    SimpleSamlPhp,
    JumpCloud,
    Duo,
}

impl Shape {
    /// Every shape, for tests that walk them.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::EntraId,
        Self::AdFs,
        Self::Okta,
        Self::GoogleWorkspace,
        Self::PingFederate,
        Self::Shibboleth,
        Self::Keycloak,
        Self::OneLogin,
        Self::Auth0,
        Self::SimpleSamlPhp,
        Self::JumpCloud,
        Self::Duo,
    ];

    pub(super) fn profile(self) -> &'static Profile {
        Profile::of(self)
    }

    fn signed_parts(self) -> SignedParts {
        match self {
            Self::Okta | Self::PingFederate | Self::SimpleSamlPhp => SignedParts::Both,
            Self::GoogleWorkspace | Self::Shibboleth | Self::Keycloak => SignedParts::Response,
            _ => SignedParts::Assertion,
        }
    }

    /// An ID as this provider makes them; the odd ones test that service providers do not assume a UUID.
    fn identifier(self, kind: &str, unique: &str) -> String {
        match self {
            Self::Plain => format!("_{kind}-{unique}"),
            Self::Okta => format!("id{kind}{unique}"),
            Self::PingFederate => format!("{kind}.x-{unique}.Q_9"),
            Self::Keycloak => format!("ID_{kind}-{unique}"),
            Self::OneLogin => format!("pfx{kind}{unique}"),
            Self::JumpCloud => format!("{kind}{unique}JC.-_"),
            Self::Duo => format!("DUO_{kind}_{unique}"),
            _ => format!("_{kind}{unique}"),
        }
    }
}

impl ResponseSpec {
    /// Gives the response that provider's style and defaults: IDs, signed elements, `KeyInfo`, session index, time
    /// window. Encryption is left to the caller, who knows the recipient.
    #[must_use]
    pub fn as_sent_by(mut self, shape: Shape, unique: &str) -> Self {
        self.shape = shape;
        self.response_id = shape.identifier("response", unique);
        self.assertion_id = shape.identifier("assertion", unique);
        self.session_index = Some(shape.identifier("session", unique));
        self.signing.parts = shape.signed_parts();
        self.signing.key_info = key_info(shape);
        if shape == Shape::Okta {
            self.signing.canonicalization = Canonicalization::Exclusive { prefix_list: vec!["xs".to_owned()] };
        }
        self.with_habits()
    }

    fn with_habits(mut self) -> Self {
        match self.shape {
            Shape::EntraId => {
                self.not_before = Some(earlier(&self.issue_instant, SignedDuration::from_mins(5)));
                self.session_index = Some(self.assertion_id.clone());
            }
            Shape::AdFs => self.name_id = None,
            Shape::Okta | Shape::GoogleWorkspace | Shape::OneLogin => {
                self.not_before = Some(earlier(&self.issue_instant, SignedDuration::from_mins(5)));
            }
            Shape::Shibboleth => {
                self.name_id = Some(NameId {
                    value: format!("AAdzZWNyZXQx{}", self.assertion_id),
                    format: Some(NAME_ID_TRANSIENT.to_owned()),
                });
                self.nested_name_id = Some(format!("opaque-{}", self.assertion_id));
            }
            Shape::Keycloak => {
                self.one_time_use = true;
                self.session_not_on_or_after = Some(later(&self.issue_instant, SignedDuration::from_hours(10)));
            }
            Shape::SimpleSamlPhp => {
                self.session_not_on_or_after = Some(later(&self.issue_instant, SignedDuration::from_hours(8)));
            }
            _ => {}
        }
        self
    }
}

fn key_info(shape: Shape) -> KeyInfo {
    match shape {
        Shape::GoogleWorkspace => KeyInfo { subject_name: true, ..KeyInfo::CERTIFICATE },
        Shape::PingFederate => KeyInfo { key_value: true, ..KeyInfo::CERTIFICATE },
        Shape::Keycloak => {
            KeyInfo { key_name: true, certificate: ShownCertificate::Own, subject_name: false, key_value: true }
        }
        Shape::Duo => KeyInfo::NONE,
        _ => KeyInfo::CERTIFICATE,
    }
}

fn earlier(time: &DateTime, by: SignedDuration) -> DateTime {
    later(time, -by)
}

fn later(time: &DateTime, by: SignedDuration) -> DateTime {
    match time {
        DateTime::At(time) => time.saturating_add(by).unwrap_or(Timestamp::MAX).into(),
        DateTime::Verbatim(_) => time.clone(),
    }
}
