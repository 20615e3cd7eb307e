//! Members of a JSON object whose settings are merged (RFC 7396): which ones were sent matters as much as their values.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use service::{Error, MergePatch, MergedSettings, read_value};

/// Members of a JSON object, each sent once.
#[derive(Debug)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Takes a member out that may be left out and must not be null.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.0.remove(name).map(|value| read_value(&format!("/{name}"), value)).transpose()
    }

    /// Takes a member out that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        self.take(name)?.ok_or_else(|| Error::invalid(format!("/{name}"), "is missing"))
    }

    /// Takes the members of these names out.
    pub fn split(&mut self, names: &[&str]) -> Self {
        Self(names.iter().filter_map(|name| Some(((*name).to_owned(), self.0.remove(*name)?))).collect())
    }

    /// The value that the members are of, or the place of the error by its pointer.
    pub fn into_value<T: DeserializeOwned>(self) -> Result<T, Error> {
        read_value("", Value::Object(self.0))
    }

    /// The members without this one, if it is null: the same as leaving it out.
    #[must_use]
    pub fn without_null(mut self, name: &str) -> Self {
        if self.0.get(name).is_some_and(Value::is_null) {
            self.0.remove(name);
        }
        self
    }

    /// The members that are left, as changes to settings.
    pub fn into_patch<S: MergedSettings>(self) -> MergePatch<S> {
        self.0.into()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object).map(Self)
    }
}

/// Reads an object, and refuses a name that comes twice: two readers could each take another one.
struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            members.insert(name, access.next_value()?);
        }
        Ok(members)
    }
}
