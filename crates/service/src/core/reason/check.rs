//! Checks that a sign-in passes or fails, those of the message first (H1).

use super::Reason;

/// Check of a sign-in that refused it, by which diagnostics and test sign-ins name how far it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A check of the message itself.
    Message(saml::Check),
    /// Whether the entered email and the identity provider allow a start (D2, D3).
    Discovery,
    /// The account's allowed networks (A6).
    Network,
    /// The request that the response answers is pending, and of the same browser.
    State,
    /// The assertion names a user by the connection's rule.
    Identity,
    /// The named user may sign in, and holds a role.
    Provisioning,
    /// Form login: the user, the password and the role.
    Password,
    /// The mailed link and its user (B6).
    MagicLink,
    /// The switch from a linked account (G1).
    AccountSwitch,
}

impl Check {
    /// The checks of a response, in the order in which they are made.
    pub(crate) fn of_response() -> impl Iterator<Item = Self> {
        let after = [Self::Network, Self::State, Self::Identity, Self::Provisioning];
        saml::Check::ALL.into_iter().map(Self::Message).chain(after)
    }

    /// Whether a response had certainly passed this check when `refused` refused it for this reason.
    pub(crate) fn passed_before(self, refused: Self, reason: Reason) -> bool {
        match (self, refused, reason) {
            (Self::Message(check), Self::Message(refused), Reason::Message(reason)) => {
                check.passed_before(refused, reason)
            }
            (Self::Message(_), Self::Message(_), _) => false,
            (Self::Message(_), _, _) => true,
            (_, Self::Message(_), _) => false,
            _ => Self::of_response().take_while(|check| *check != refused).any(|check| check == self),
        }
    }

    /// The name that is stored and published, in `snake_case`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message(check) => check.as_str(),
            Self::Discovery => "discovery",
            Self::Network => "network",
            Self::State => "state",
            Self::Identity => "identity",
            Self::Provisioning => "provisioning",
            Self::Password => "password",
            Self::MagicLink => "magic_link",
            Self::AccountSwitch => "account_switch",
        }
    }
}
