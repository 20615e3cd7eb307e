//! Ids: a UUIDv7 behind a prefix that says what it names (`usr_0192…`).
//!
//! A prefix makes a pasted id explain itself and turns a mix-up of two ids into an error instead of a silent miss.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Reason for which a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with \"{prefix}_\", followed by 32 hexadecimal digits")]
pub struct IdError {
    /// The prefix that the id should have had.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Prefix of the textual form, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Names the thing that has this UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, as it is stored.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

ids! {
    /// Account: a tenant of the installation.
    AccountId = "acc";
    /// A user of one portal of one account.
    UserId = "usr";
    /// A registered frontend; also its OAuth `client_id`.
    ApplicationId = "app";
    /// A SAML connection of one portal.
    ConnectionId = "conn";
    /// A key pair of the service provider, of one connection.
    SpKeyId = "spk";
    /// A session; the `sid` claim of its access tokens.
    SessionId = "ses";
    /// Attempt of a sign-in, from its first step on.
    AttemptId = "att";
    /// An event of the audit log.
    AuditEventId = "aud";
    /// A key that signs access tokens; the `kid` of the JWKS.
    SigningKeyId = "key";
    /// An operator's API key.
    OperatorKeyId = "opk";
    /// An API key of an account.
    ApiKeyId = "aky";
    /// An invitation of one user.
    InvitationId = "inv";
    /// Batch of invitations that were sent at once.
    InvitationBatchId = "inb";
    /// A link between two accounts.
    AccountLinkId = "lnk";
    /// A pair of users of two accounts.
    AccountPairId = "pair";
    /// A mail in the outbox.
    MailId = "mail";
    /// Batch of mails that say the same.
    MailBatchId = "mlb";
    /// A plan of requiring SSO, or of going back.
    SsoMigrationId = "mig";
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or(IdError { prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A5: an id of one kind is never taken for an id of another.
    #[test]
    fn an_id_reads_back_and_no_other_kind_accepts_it() {
        let id = AccountId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse::<AccountId>().unwrap(), id);
        assert!(id.to_string().parse::<UserId>().is_err());
        for bad in ["", "acc_", "acc-7", "acc_zz", "acc_{0}", "ACC_00000000000000000000000000000007"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }
}
