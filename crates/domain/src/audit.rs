//! The audit log: each change with its actor, time, client address and properties (H3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::named::named;
use crate::{AccountId, ApiKeyId, AuditEventId, OperatorKeyId, UserId};

/// Actor of an audited event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// An operator, by API key.
    Operator(OperatorKeyId),
    /// The operator's command line on the server itself.
    CommandLine,
    /// The account's own automation, by API key.
    ApiKey(ApiKeyId),
    /// A user of the account.
    User(UserId),
    /// Vestibule itself: a rotation, a clean-up.
    System,
}

impl AuditActor {
    /// Kind of the actor, as it is stored.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::CommandLine => "command_line",
            Self::ApiKey(_) => "api_key",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }

    /// Id of the actor; none for a kind that has only one.
    pub fn id(self) -> Option<String> {
        match self {
            Self::Operator(id) => Some(id.to_string()),
            Self::ApiKey(id) => Some(id.to_string()),
            Self::User(id) => Some(id.to_string()),
            Self::CommandLine | Self::System => None,
        }
    }
}

/// Declares the actions, each by its stored name and its title, which is its documentation too.
macro_rules! actions {
    ($($variant:ident = $name:literal, $title:literal;)*) => {
        named! {
            /// Action that an event records: `<noun>.<verb in the past tense>`. A name never changes its meaning.
            AuditAction, AuditActionError, "not an action of the audit log" { $(#[doc = $title] $variant = $name,)* }
        }

        impl AuditAction {
            /// Title in plain English, a whole sentence without its full stop.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The action of a stored name. A name that only another version knows is [`AuditAction::OfAnotherVersion`],
            /// so that the log stays readable after a return to an older version.
            pub fn stored(name: &str) -> Self {
                name.parse().unwrap_or(Self::OfAnotherVersion)
            }
        }
    };
}

actions! {
    // Accounts.
    AccountCreated = "account.created", "An account was created";
    AccountUpdated = "account.updated", "An account was renamed or otherwise changed";
    AccountSettingsUpdated = "account.settings_updated", "An account's settings were changed";
    AccountSandboxCreated = "account.sandbox_created", "A sandbox of an account was created";
    BrandingReplaced = "branding.replaced", "The look of an account's mails was changed";

    // Links between accounts.
    AccountLinkRequested = "account_link.requested", "A link with another account was asked for";
    AccountLinkAccepted = "account_link.accepted", "A link with another account was accepted";
    AccountLinkEnded = "account_link.ended", "A link with another account was ended";
    AccountPairBegun = "account_pair.begun", "A user began to pair with a user of another account";
    AccountPairCreated = "account_pair.created", "Two users of linked accounts were paired";
    AccountPairEnded = "account_pair.ended", "A pair of users was ended";

    // Users.
    UserCreated = "user.created", "A user was created";
    UserUpdated = "user.updated", "A user was changed";
    UserDeleted = "user.deleted", "A user was deleted";
    UserSignedIn = "user.signed_in", "A user signed in";
    UserSwitchedFrom = "user.switched_from", "A user came by switching from another account";
    UserSwitchedTo = "user.switched_to", "A user went to another account by switching";
    UserPasswordChanged = "user.password_changed", "A user changed their password";
    UserPasswordReset = "user.password_reset", "A user reset their password by a mailed link";
    UserTemporaryPasswordSet = "user.temporary_password_set", "A user was given a temporary password";
    UserBreakGlassDrilled = "user.break_glass_drilled", "A break-glass user proved that they get in";
    UserBreakGlassUsed = "user.break_glass_used", "A break-glass user signed in by form while SSO was enabled";

    // Invitations.
    InvitationCreated = "invitation.created", "A user was invited";
    InvitationMailed = "invitation.mailed", "An invitation was mailed again";
    InvitationAccepted = "invitation.accepted", "An invitation was accepted";
    InvitationRevoked = "invitation.revoked", "An invitation was revoked";

    // Sessions and keys.
    SessionEnded = "session.ended", "A session was ended";
    ApiKeyCreated = "api_key.created", "An API key was created";
    ApiKeyDeleted = "api_key.deleted", "An API key was revoked";
    OperatorKeyCreated = "operator_key.created", "An operator key was created";
    OperatorKeyRevoked = "operator_key.revoked", "An operator key was revoked";
    SigningKeyCreated = "signing_key.created", "A key that signs access tokens was created";
    SigningKeyMoved = "signing_key.moved", "A key that signs access tokens got another state";

    // Applications.
    ApplicationCreated = "application.created", "An application was registered";
    ApplicationUpdated = "application.updated", "An application was changed";
    ApplicationDeleted = "application.deleted", "An application was removed";

    // SAML connections.
    SamlConnectionCreated = "saml_connection.created", "A SAML connection was created";
    SamlConnectionUpdated = "saml_connection.updated", "A SAML connection was changed";
    SamlConnectionDeleted = "saml_connection.deleted", "A SAML connection was deleted";
    SamlConnectionEnabled = "saml_connection.enabled", "A SAML connection was enabled";
    SamlConnectionDisabled = "saml_connection.disabled", "A SAML connection was disabled";
    SamlConnectionIdpMetadataImported = "saml_connection.idp_metadata_imported", "Metadata of an identity provider was imported";
    SamlConnectionSpKeyRotated = "saml_connection.sp_key_rotated", "The key of a connection's service provider was replaced";
    SamlConnectionTestStarted = "saml_connection.test_started", "A test sign-in was started";
    SamlConnectionTested = "saml_connection.tested", "A test sign-in succeeded";

    // Migrations to required SSO and back.
    SsoMigrationPreviewed = "sso_migration.previewed", "A migration was previewed";
    SsoMigrationDecided = "sso_migration.decided", "An owner decided about rows of a migration";
    SsoMigrationSignedOff = "sso_migration.signed_off", "An owner signed a migration off";
    SsoMigrationApplied = "sso_migration.applied", "A migration was applied";

    // Mails.
    MailTestSent = "mail.test_sent", "A test mail was sent";
    MailRetried = "mail.retried", "A mail that had been given up was tried again";
    MailDiscarded = "mail.discarded", "A mail was discarded";

    // What is read from the database and was not written by this version.
    OfAnotherVersion = "of_another_version", "Another version of Vestibule recorded it";
}

/// A property of the target, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// Name of the property; a dot leads into an object.
    pub property: String,
    /// Value before the change; null where there was none.
    pub before: Value,
    /// Value after the change; null where it is gone.
    pub after: Value,
}

/// Event that was recorded in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Id of the event; ids are in order of time.
    pub id: AuditEventId,
    /// Account that it concerns; none for the whole installation.
    pub account_id: Option<AccountId>,
    /// Time of the event.
    pub at: Timestamp,
    /// Kind of the actor, by [`AuditActor::kind`].
    pub actor_kind: String,
    /// Id of the actor, by [`AuditActor::id`].
    pub actor_id: Option<String>,
    /// Action that was taken.
    pub action: AuditAction,
    /// Id of the thing that it was done to.
    pub target: String,
    /// Changes, one for each property.
    pub changes: Vec<PropertyChange>,
    /// Address that the request came from, where there was one.
    pub client_address: Option<String>,
}

/// Lists the differences between two JSON objects, property by property; nested objects are compared within.
pub fn changes(before: &Value, after: &Value) -> Vec<PropertyChange> {
    let mut found = vec![];
    collect("", before, after, &mut found);
    found
}

fn collect(path: &str, before: &Value, after: &Value, found: &mut Vec<PropertyChange>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let (old, new) = match (before, after) {
        (Value::Object(old), Value::Object(new)) => (old, new),
        (Value::Null, Value::Object(new)) => (&empty, new),
        (Value::Object(old), Value::Null) => (old, &empty),
        _ => {
            found.push(PropertyChange { property: path.to_owned(), before: before.clone(), after: after.clone() });
            return;
        }
    };
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        collect(&inner, old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Proves H3.
    #[test]
    fn changes_name_each_property_with_its_value_before_and_after() {
        let found = changes(
            &json!({"a": 1, "b": {"c": [1], "d": 2}, "e": 5}),
            &json!({"a": 1, "b": {"c": [2], "d": 2}, "f": null}),
        );
        let named: Vec<_> = found
            .iter()
            .map(|change| (change.property.as_str(), change.before.clone(), change.after.clone()))
            .collect();
        assert_eq!(named, [("b.c", json!([1]), json!([2])), ("e", json!(5), Value::Null)]);
        assert_eq!(changes(&Value::Null, &json!({"a": {"b": 1}}))[0].property, "a.b");
        assert!(changes(&json!({"a": 1}), &json!({"a": 1})).is_empty());
    }
}
