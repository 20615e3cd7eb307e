//! Merge patches (RFC 7396): changes to some members of a resource's settings.

use std::marker::PhantomData;

use domain::account_settings::AccountSettings;
use domain::application::ApplicationSettings;
use domain::sso::connection::ConnectionSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::core::error::{Error, Result};
use crate::core::pointer::{member, read_value};

/// Settings that are changed by merge patches. Their stored form has a member for each setting, also for one without value.
pub trait Settings: Serialize + DeserializeOwned {
    /// Members that are one value each, although they are objects: a patch replaces them as a whole.
    const WHOLE: &'static [&'static str] = &[];
}

impl Settings for AccountSettings {}
impl Settings for ApplicationSettings {}

impl Settings for ConnectionSettings {
    const WHOLE: &'static [&'static str] = &["role_mappings"];
}

/// Changes to settings: members that are left out stay, null takes the value of an optional one away, objects are merged.
#[derive(Debug, Clone)]
pub struct MergePatch<S> {
    members: Map<String, Value>,
    of: PhantomData<fn() -> S>,
}

impl<S> From<Map<String, Value>> for MergePatch<S> {
    fn from(members: Map<String, Value>) -> Self {
        Self { members, of: PhantomData }
    }
}

impl<S: Settings> MergePatch<S> {
    /// A patch that sets these members of the stored form.
    pub fn of<const N: usize>(members: [(&str, Value); N]) -> Self {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }

    /// Takes a member out whose value has another form on the wire than in the settings.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        self.members.remove(name).map(|value| read_value(&member("", name), value)).transpose()
    }

    /// Puts a member in, in the form of the settings.
    pub(crate) fn put(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        self.members.insert(name.to_owned(), serde_json::to_value(value).map_err(Error::internal)?);
        Ok(())
    }

    /// The settings with this patch applied. Refuses members that there are not, and values of another type, by their
    /// JSON pointers. Whether the settings make sense is for the caller to judge, as a whole.
    pub(crate) fn applied_to(self, current: &S) -> Result<S> {
        let mut merged = serde_json::to_value(current).map_err(Error::internal)?;
        for (name, value) in self.members {
            let Some(target) = merged.get_mut(&name) else { return Err(unknown(&member("", &name))) };
            if S::WHOLE.contains(&name.as_str()) { *target = value } else { merge(target, value) }
        }
        let settings = read_value("", merged.clone())?;
        let kept = serde_json::to_value(&settings).map_err(Error::internal)?;
        match lost("", &merged, &kept) {
            Some(pointer) => Err(unknown(&pointer)),
            None => Ok(settings),
        }
    }
}

/// Merges a value into another one: objects member by member, anything else as a whole.
fn merge(target: &mut Value, value: Value) {
    match (target, value) {
        (Value::Object(target), Value::Object(members)) => {
            for (name, value) in members {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, value) => *target = value,
    }
}

/// Pointer to a member that was given and is not there after reading: none of this name is known.
fn lost(pointer: &str, given: &Value, kept: &Value) -> Option<String> {
    let (Value::Object(given), Value::Object(kept)) = (given, kept) else { return None };
    given.iter().find_map(|(name, value)| {
        let pointer = member(pointer, name);
        match kept.get(name) {
            Some(kept) => lost(&pointer, value, kept),
            None => Some(pointer),
        }
    })
}

fn unknown(pointer: &str) -> Error {
    Error::invalid(pointer, "is not a setting that can be changed here")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(patch: Value) -> Result<AccountSettings, Vec<String>> {
        let Value::Object(members) = patch else { panic!("a patch is an object") };
        let current = AccountSettings { max_idle_seconds: Some(600), ..AccountSettings::default() };
        let applied = MergePatch::from(members).applied_to(&current);
        applied.map_err(|error| error.violations.into_iter().map(|violation| violation.field).collect())
    }

    /// Proves A6: what is left out stays, null takes an optional value away, and what is wrong is named.
    #[test]
    fn a_patch_changes_what_it_names() {
        let changed = patched(json!({ "magic_link_seconds": 60 })).unwrap();
        assert_eq!((changed.magic_link_seconds, changed.max_idle_seconds), (60, Some(600)));
        assert_eq!(patched(json!({ "max_idle_seconds": null })).unwrap().max_idle_seconds, None);
        let wrong = [
            (json!({ "magic_link_seconds": null }), "/magic_link_seconds"),
            (json!({ "magic_link_seconds": "60" }), "/magic_link_seconds"),
            (json!({ "allowed_networks": ["10.0.0.0/8", "x"] }), "/allowed_networks/1"),
            (json!({ "a/b": 1 }), "/a~1b"),
        ];
        for (patch, pointer) in wrong {
            assert_eq!(patched(patch), Err(vec![pointer.to_owned()]));
        }
    }

    /// Proves that objects are merged, so that a patch names one page alone, and unknown members within are refused.
    #[test]
    fn objects_are_merged_member_by_member() {
        let mut current = json!({ "a": 1, "b": { "c": 2, "d": 3 } });
        merge(&mut current, json!({ "b": { "d": null, "e": 4 } }));
        assert_eq!(current, json!({ "a": 1, "b": { "c": 2, "d": null, "e": 4 } }));
        assert_eq!(lost("", &json!({ "b": { "x/y": 1 } }), &json!({ "b": {} })).as_deref(), Some("/b/x~1y"));
    }
}
