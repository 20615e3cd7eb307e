//! Settings that an account chooses for its users (A6), and the effect of each on a sign-in.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::application::{ACCESS_TOKEN_SECONDS, Lifetimes, SESSION_SECONDS};
use crate::language::Language;
use crate::network::Network;
use crate::portal::Portal;

/// Most allowed networks: offices, VPN exits and data centres of a large company. Each is compared at every sign-in.
pub const ALLOWED_NETWORKS_MAX: usize = 200;
/// Shortest and longest life of a magic link, in seconds: time for the mail to come, and no more than an hour in a
/// mailbox.
pub const MAGIC_LINK_SECONDS: RangeInclusive<u32> = 60..=3_600;
/// Shortest and longest life of an invitation, in seconds: an hour to 30 days.
pub const INVITATION_SECONDS: RangeInclusive<u32> = 3_600..=2_592_000;

/// The settings of an account. A property that an older version did not store has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Whether every form login asks for a code by mail (B2).
    pub require_email_mfa: bool,
    /// Networks from which users may sign in to the `admin` portal; empty for everywhere.
    pub allowed_networks: Vec<Network>,
    /// Seconds for which a magic link works (B6).
    pub magic_link_seconds: u32,
    /// Seconds for which an invitation can be accepted (E1).
    pub invitation_seconds: u32,
    /// Most seconds that an access token lives; the application's own where there is none.
    pub max_access_token_seconds: Option<u32>,
    /// Most seconds that a session outlives its last use; the application's own where there is none.
    pub max_idle_seconds: Option<u32>,
    /// Most seconds that a session lives; the application's own where there is none.
    pub max_session_seconds: Option<u32>,
    /// The languages that people are written to in; the first is for those who chose none.
    pub languages: Vec<Language>,
}

impl Default for AccountSettings {
    /// No second factor, every network, links for five minutes (B6), invitations for a week, English.
    fn default() -> Self {
        Self {
            require_email_mfa: false,
            allowed_networks: vec![],
            magic_link_seconds: 300,
            invitation_seconds: 604_800,
            max_access_token_seconds: None,
            max_idle_seconds: None,
            max_session_seconds: None,
            languages: vec![Language::English],
        }
    }
}

/// Reason for which settings are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountSettingsError {
    /// More entries than [`ALLOWED_NETWORKS_MAX`].
    #[error("must have at most {ALLOWED_NETWORKS_MAX} entries")]
    AllowedNetworks,
    /// Life of a magic link outside [`MAGIC_LINK_SECONDS`].
    #[error("must be 60 to 3600")]
    MagicLink,
    /// Life of an invitation outside [`INVITATION_SECONDS`].
    #[error("must be 3600 to 2592000")]
    Invitation,
    /// Bound of access tokens outside [`ACCESS_TOKEN_SECONDS`].
    #[error("must be 60 to 3600, or null")]
    MaxAccessToken,
    /// Bound of idle sessions outside [`SESSION_SECONDS`].
    #[error("must be 300 to 2592000, or null")]
    MaxIdle,
    /// Bound of whole sessions outside [`SESSION_SECONDS`].
    #[error("must be 300 to 2592000, or null")]
    MaxSession,
    /// List without a language, or with one of them twice.
    #[error("must name at least one language, and each once")]
    Languages,
}

impl AccountSettingsError {
    /// The property that is wrong.
    pub const fn property(self) -> &'static str {
        match self {
            Self::AllowedNetworks => "allowed_networks",
            Self::MagicLink => "magic_link_seconds",
            Self::Invitation => "invitation_seconds",
            Self::MaxAccessToken => "max_access_token_seconds",
            Self::MaxIdle => "max_idle_seconds",
            Self::MaxSession => "max_session_seconds",
            Self::Languages => "languages",
        }
    }
}

impl AccountSettings {
    /// Lists everything that is wrong; empty where the settings may be kept.
    pub fn errors(&self) -> Vec<AccountSettingsError> {
        use AccountSettingsError as Wrong;
        let outside =
            |bounds: &RangeInclusive<u32>, value: Option<u32>| value.is_some_and(|value| !bounds.contains(&value));
        let languages: BTreeSet<Language> = self.languages.iter().copied().collect();
        let checks = [
            (Wrong::AllowedNetworks, self.allowed_networks.len() > ALLOWED_NETWORKS_MAX),
            (Wrong::MagicLink, outside(&MAGIC_LINK_SECONDS, Some(self.magic_link_seconds))),
            (Wrong::Invitation, outside(&INVITATION_SECONDS, Some(self.invitation_seconds))),
            (Wrong::MaxAccessToken, outside(&ACCESS_TOKEN_SECONDS, self.max_access_token_seconds)),
            (Wrong::MaxIdle, outside(&SESSION_SECONDS, self.max_idle_seconds)),
            (Wrong::MaxSession, outside(&SESSION_SECONDS, self.max_session_seconds)),
            (Wrong::Languages, languages.is_empty() || languages.len() < self.languages.len()),
        ];
        checks.into_iter().filter_map(|(error, wrong)| wrong.then_some(error)).collect()
    }

    /// Whether a user at this address may sign in to this portal (A6): allowed networks bind the `admin` portal
    /// alone.
    pub fn admits(&self, portal: Portal, address: IpAddr) -> bool {
        portal != Portal::Admin
            || self.allowed_networks.is_empty()
            || self.allowed_networks.iter().any(|network| network.contains(address))
    }

    /// The stricter of an application's lifetimes and the account's.
    pub fn bound(&self, own: Lifetimes) -> Lifetimes {
        let least = |own: u32, most: Option<u32>| most.map_or(own, |most| own.min(most));
        let session_seconds = least(own.session_seconds, self.max_session_seconds);
        Lifetimes {
            access_token_seconds: least(own.access_token_seconds, self.max_access_token_seconds),
            idle_seconds: least(own.idle_seconds, self.max_idle_seconds).min(session_seconds),
            session_seconds,
        }
    }

    /// Life of a magic link, as a duration.
    pub fn magic_link(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.magic_link_seconds))
    }

    /// Time in which an invitation can be accepted.
    pub fn invitation(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.invitation_seconds))
    }

    /// The language for those who chose none.
    pub fn default_language(&self) -> Language {
        self.languages.first().copied().unwrap_or(Language::English)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A6: every wrong property is named, and the defaults are right.
    #[test]
    fn each_property_is_bounded_and_every_wrong_one_named() {
        use AccountSettingsError::{
            AllowedNetworks, Invitation, Languages, MagicLink, MaxAccessToken, MaxIdle, MaxSession,
        };
        assert!(AccountSettings::default().errors().is_empty());
        let network = Network::parse("10.0.0.0/8").unwrap();
        let wrong = AccountSettings {
            require_email_mfa: true,
            allowed_networks: vec![network; ALLOWED_NETWORKS_MAX + 1],
            magic_link_seconds: 3_601,
            invitation_seconds: 3_599,
            max_access_token_seconds: Some(59),
            max_idle_seconds: Some(299),
            max_session_seconds: Some(2_592_001),
            languages: vec![Language::Swedish, Language::Swedish],
        };
        let all = [AllowedNetworks, MagicLink, Invitation, MaxAccessToken, MaxIdle, MaxSession, Languages];
        assert_eq!(wrong.errors(), all);
        let silent = AccountSettings { languages: vec![], ..AccountSettings::default() };
        assert_eq!(silent.errors(), [Languages]);
    }

    /// Proves A6: what an older version stored is read with the defaults of what it did not know.
    #[test]
    fn a_property_that_was_not_stored_has_its_default() {
        assert_eq!(serde_json::from_str::<AccountSettings>("{}").unwrap(), AccountSettings::default());
    }

    /// Proves A6: the list is of the admin portal, and an empty one admits everybody.
    #[test]
    fn allowed_networks_hold_for_the_admin_portal() {
        let (inside, outside) = ("10.1.2.3".parse().unwrap(), "203.0.113.7".parse().unwrap());
        let open = AccountSettings::default();
        let allowed_networks = vec![Network::parse("192.0.2.0/24").unwrap(), Network::parse("10.0.0.0/8").unwrap()];
        let closed = AccountSettings { allowed_networks, ..AccountSettings::default() };
        assert!(open.admits(Portal::Admin, outside));
        assert!(closed.admits(Portal::Admin, inside));
        assert!(!closed.admits(Portal::Admin, outside));
        assert!(closed.admits(Portal::SelfService, outside));
    }

    /// Proves A6, I3: whoever is stricter wins, one lifetime at a time, and idle never outlasts the session.
    #[test]
    fn the_stricter_of_application_and_account_wins() {
        let of = |access_token_seconds, idle_seconds, session_seconds| Lifetimes {
            access_token_seconds,
            idle_seconds,
            session_seconds,
        };
        let most = |access_token, idle, session| AccountSettings {
            max_access_token_seconds: access_token,
            max_idle_seconds: idle,
            max_session_seconds: session,
            ..AccountSettings::default()
        };
        let own = of(600, 7_200, 43_200);
        let table = [
            (most(None, None, None), own),
            (most(Some(3_600), Some(2_592_000), Some(2_592_000)), own),
            (most(Some(60), Some(300), None), of(60, 300, 43_200)),
            (most(None, None, Some(3_600)), of(600, 3_600, 3_600)),
        ];
        for (settings, expected) in table {
            assert_eq!(settings.bound(own), expected);
        }
    }
}
