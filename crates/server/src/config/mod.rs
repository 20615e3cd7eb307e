//! Configuration by the operator: one TOML file, and environment variables, which win over it.
//!
//! Every key is typed, an unknown one is refused wherever it stands, and every problem names the key, where it
//! came from and what to do. No secret has a default.

mod environment;
mod keys;
mod listing;
mod mail;
mod problem;
mod resolved;
pub mod secret_file;
mod sections;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};

pub use environment::CONFIG_VARIABLE;
pub use problem::{Problem, Problems};
pub use resolved::{MASTER_KEY_RECIPE, MasterKey};
pub use sections::{Configuration, Engines, LogFormat, SqliteSynchronous};

use environment::Environment;

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "vestibule.toml";

/// A configuration, and where each of its values came from.
pub struct Loaded {
    /// Values of all configuration keys.
    pub values: Configuration,
    /// The file that was read.
    pub file: Option<PathBuf>,
    origin: Figment,
}

/// Reads this file, if there is one, and these environment variables.
pub fn load(file: Option<PathBuf>, variables: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Problems> {
    let environment = Environment::read(variables)?;
    let mut given = Figment::new();
    if let Some(file) = &file {
        given = given.merge(Toml::file_exact(file));
    }
    given = given.merge(environment);
    keys::refuse_unknown(&given)?;
    let origin = Figment::from(Serialized::defaults(Configuration::default())).merge(given);
    let values = origin.extract().map_err(Problems::of_figment)?;
    Ok(Loaded { values, file, origin })
}

/// The file to read: the named one, or [`DEFAULT_FILE`] if it is there.
pub fn find_file(named: Option<&Path>) -> Result<Option<PathBuf>, Problems> {
    match named {
        Some(path) if path.is_file() => Ok(Some(path.to_owned())),
        Some(path) => Err(Problem::new(
            "--config",
            format!("{CONFIG_VARIABLE} or command line"),
            format!("{} is not a file that can be read", path.display()),
            "name an existing TOML file, or leave it out to configure by environment variables alone",
        )
        .into()),
        None => Ok(Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file())),
    }
}

impl Loaded {
    /// Source of a key's value: the file, the environment variable, or "not set".
    fn source_of(&self, key: &str) -> String {
        self.origin
            .find_metadata(key)
            .map_or_else(|| String::from("not set"), |metadata| problem::source_name(metadata, key))
    }

    fn problem(&self, key: &str, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem::new(key, self.source_of(key), what, fix)
    }
}

#[cfg(test)]
mod tests;
