//! Environment variables as a source of the configuration: `VESTIBULE_SECTION__KEY`.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::keys;
use super::problem::{Problem, Problems};

/// Names the configuration's file.
pub const CONFIG_VARIABLE: &str = "VESTIBULE_CONFIG";
/// Prefix of every setting's environment variable.
const PREFIX: &str = "VESTIBULE_";
/// Variables with our prefix that others set: the test suites, and Kubernetes for a Service by the name of `vestibule`.
const FOREIGN: [&str; 3] = ["VESTIBULE_TEST_", "VESTIBULE_SERVICE_", "VESTIBULE_PORT"];
/// Name of this source in figment's metadata.
pub const NAME: &str = "environment";

/// The variables that are settings.
pub struct Environment {
    settings: Vec<(String, String, String)>,
}

impl Environment {
    /// Takes the settings among these variables. An empty value counts as not set, as in files of variables.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Problems> {
        let (mut settings, mut problems) = (vec![], vec![]);
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if name == CONFIG_VARIABLE || value.is_empty() || FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
                continue;
            }
            match rest.to_ascii_lowercase().split_once("__") {
                Some((section, key)) => settings.push((section.to_owned(), key.to_owned(), value)),
                None => problems.push(nameless(&name, &rest.to_ascii_lowercase())),
            }
        }
        if problems.is_empty() { Ok(Self { settings }) } else { Err(Problems(problems)) }
    }
}

fn nameless(variable: &str, key: &str) -> Problem {
    let fix = format!("settings are named {PREFIX}SECTION__KEY, with two underscores; {}", keys::suggestion(key));
    Problem::new(variable, "environment", "this variable is not a setting", fix)
}

/// The variable of a key.
pub fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Numbers and truth values are told by their look; secrets are text, whatever they look like.
fn value(section: &str, text: &str) -> Value {
    match text {
        _ if section == "secrets" => text.into(),
        "true" => true.into(),
        "false" => false.into(),
        _ => text.parse::<u64>().map_or_else(|_| text.into(), Into::into),
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut sections = Map::<String, Dict>::new();
        for (section, key, text) in &self.settings {
            sections.entry(section.clone()).or_default().insert(key.clone(), value(section, text));
        }
        let data: Dict = sections.into_iter().map(|(name, keys)| (name, Value::from(keys))).collect();
        Ok(Map::from([(Profile::Default, data)]))
    }
}
