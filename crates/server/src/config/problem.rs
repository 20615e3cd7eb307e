//! Problems of a configuration, in words that name the key, where it came from, and what to do.

use std::fmt;

use figment::Metadata;
use figment::error::Kind;

use super::environment;
use super::keys;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    key: String,
    source: String,
    what: String,
    fix: String,
}

impl Problem {
    /// A problem of this key, whose value came from this source.
    pub fn new(
        key: impl Into<String>,
        source: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { key: key.into(), source: source.into(), what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}. Fix: {}", self.key, self.source, self.what, self.fix)
    }
}

impl std::error::Error for Problem {}

/// All that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Converts the errors of figment. The value itself is never repeated: it may be a secret.
    pub fn of_figment(error: figment::Error) -> Self {
        Self(error.into_iter().map(|error| of_one(&error)).collect())
    }
}

fn of_one(error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    let source = error.metadata.as_ref().map_or_else(String::new, |metadata| source_name(metadata, &key));
    match (keys::expectation(&key), &error.kind) {
        (Some(expectation), _) => {
            Problem::new(&key, source, "the value is not valid", format!("it must be {expectation}"))
        }
        (None, Kind::Message(message)) => {
            Problem::new("configuration", source, format!("it cannot be read: {}", message.trim()), "correct the file")
        }
        (None, kind) => Problem::new(key, source, kind.to_string(), "write it as a section, such as [server]"),
    }
}

/// Name of the place of a key's value, as the operator finds it.
pub fn source_name(metadata: &Metadata, key: &str) -> String {
    match metadata.source.as_ref().and_then(figment::Source::file_path) {
        Some(path) => format!("file {}", path.display()),
        None if metadata.name == environment::NAME => format!("environment variable {}", environment::variable(key)),
        None => String::from("not set"),
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
