//! The audit log: each change with its actor, time, client address and properties (H3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Action as `<noun>.<verb in the past tense>`, such as `user.created`.
    pub action: String,
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
