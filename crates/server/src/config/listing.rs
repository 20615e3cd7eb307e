//! The effective configuration as a person reads it: every key, its value, and where that came from.

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::sections::MASK;
use super::{Loaded, keys};

impl Loaded {
    /// One line per key, in TOML, secrets masked.
    pub fn listing(&self) -> String {
        let values = serde_json::to_value(&self.values).unwrap_or_default();
        let mut text = String::new();
        for (key, _) in keys::KEYS {
            let value = values.pointer(&format!("/{}", key.replace('.', "/"))).unwrap_or(&Value::Null);
            let source = self.source_of(key);
            let _infallible = match (*key, value) {
                (_, Value::Null) => writeln!(text, "# {key} is not set"),
                ("database.url", _) => writeln!(text, "{key} = \"{}\"  # {source}", self.shown_database_url()),
                _ if source == "not set" => writeln!(text, "{key} = {value}  # default"),
                _ => writeln!(text, "{key} = {value}  # {source}"),
            };
        }
        text
    }

    /// The database's URL without its password, or nothing of it where it cannot be taken apart.
    pub fn shown_database_url(&self) -> String {
        let Ok(url) = self.database_url() else { return MASK.into() };
        if url.expose_secret().starts_with("sqlite:") {
            return url.expose_secret().to_owned();
        }
        let masked = |url: &str| {
            let mut url = Url::parse(url).ok()?;
            url.set_query(None);
            if url.password().is_some() {
                url.set_password(Some(MASK)).ok()?;
            }
            Some(url.to_string())
        };
        masked(url.expose_secret()).unwrap_or_else(|| MASK.into())
    }
}
