//! Every key there is, and what it expects: the source of "must be …", of "did you mean …" and of the refusal of
//! the rest.

use figment::value::{Dict, Value};
use figment::{Figment, Provider as _};

use super::problem::{Problem, Problems, source_name};

/// Key and expectation, which completes "must be …".
pub const KEYS: &[(&str, &str)] = &[
    ("server.bind", "an address and a port, such as 127.0.0.1:8080"),
    ("server.base_url", "an absolute URL, such as https://login.example.com"),
    ("server.trusted_proxies", "a list of networks, such as [\"10.0.0.0/8\"]"),
    ("server.workers", "a number of threads from 1 on"),
    ("server.shutdown_seconds", "a number of seconds from 0 to 65535"),
    ("database.url", "sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE"),
    ("database.url_file", "the path of a file that holds the database's URL"),
    ("database.max_connections", "a number of connections from 1 on"),
    ("database.sqlite_synchronous", "\"full\" or \"normal\""),
    ("secrets.master_key", "32 random bytes in base64 or hexadecimal"),
    ("secrets.master_key_file", "the path of a file that holds the master key"),
    ("tokens.algorithm", "\"ES256\", \"EdDSA\" or \"RS256\""),
    ("passwords.memory_kib", "a number of KiB from 7168 to 1048576"),
    ("passwords.iterations", "a number of passes from 1 to 20"),
    ("passwords.threads", "a number of threads from 1 on"),
    ("passwords.queue", "a number of passwords from 1 on"),
    ("saml.engines", "\"both\", \"libxmlsec\" or \"bergshamra\""),
    (
        "saml.attribute_prefix",
        "the beginning of the platform's attribute names, such as https://example.com/saml/attributes/",
    ),
    ("saml.verification_permits", "a number of verifications from 1 on"),
    ("saml.probe", "true or false"),
    ("mail.host", "the name of a mail server, such as smtp.example.com"),
    ("mail.port", "a port from 1 to 65535"),
    ("mail.security", "\"starttls\", \"tls\" or \"none\""),
    ("mail.username", "the user name that the mail server knows"),
    ("mail.password_file", "the path of a file that holds the mail server's password"),
    ("mail.ca_file", "the path of a file with the certificate in PEM that alone is to be trusted"),
    ("mail.from", "an email address, such as no-reply@example.com"),
    ("mail.sender_name", "a name of 1 to 200 characters"),
    ("mail.timeout_seconds", "a number of seconds from 1 to 65535"),
    ("mail.templates", "the path of a folder with templates of mails"),
    ("log.format", "\"json\" or \"text\""),
    ("log.filter", "a filter such as info or info,service=debug"),
    ("limits.discovery_per_minute", "a number of requests from 1 on"),
    ("limits.acs_per_minute", "a number of requests from 1 on"),
    ("limits.token_per_minute", "a number of requests from 1 on"),
    ("limits.unfinished_per_address", "a number of sign-ins from 1 on"),
    ("limits.unfinished_per_connection", "a number of sign-ins from 1 on"),
    ("accounts.sandboxes_per_account", "a number of accounts"),
    ("accounts.sandboxes_named_after_account", "true or false"),
    ("metrics.bind", "an address and a port, such as 127.0.0.1:9090"),
];

/// One letter in this many may be wrong for a mistyped key to be recognized.
const LETTERS_PER_TYPO: usize = 3;

/// Expectation of a key, if it is known.
pub fn expectation(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, expectation)| *expectation)
}

/// Refuses every key that is none, all of them at once.
pub fn refuse_unknown(given: &Figment) -> Result<(), Problems> {
    // A source that cannot be read at all is reported when the values are taken from it.
    let Ok(data) = given.data() else { return Ok(()) };
    let mut found = vec![];
    for (section, value) in data.into_values().flatten() {
        match value {
            Value::Dict(_, keys) if is_section(&section) => found.extend(unknown_within(given, &section, &keys)),
            value => found.push(unknown(given, &section, &value)),
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Problems(found)) }
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|(key, _)| key.split('.').next() == Some(name))
}

fn unknown_within(given: &Figment, section: &str, keys: &Dict) -> Vec<Problem> {
    keys.iter()
        .map(|(name, value)| (format!("{section}.{name}"), value))
        .filter(|(key, _)| expectation(key).is_none())
        .map(|(key, value)| unknown(given, &key, value))
        .collect()
}

fn unknown(given: &Figment, key: &str, value: &Value) -> Problem {
    // A table carries no tag of its own; whatever lies in it does.
    let tag = value.as_dict().and_then(|dict| dict.values().next()).map_or(value.tag(), Value::tag);
    let source = given.get_metadata(tag).map_or_else(String::new, |metadata| source_name(metadata, key));
    Problem::new(key, source, "there is no such key", suggestion(key))
}

/// Suggests the known key that the writer of an unknown one may have meant, or to remove it.
pub fn suggestion(key: &str) -> String {
    let last = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
    KEYS.iter()
        .map(|(known, _)| (edits(known, key).min(edits(last(known), key)), *known))
        .filter(|(edits, _)| edits * LETTERS_PER_TYPO <= key.len())
        .min()
        .map_or_else(
            || String::from("remove it; `vestibule config check` lists every key"),
            |(_, known)| format!("did you mean {known}?"),
        )
}

/// Number of letters to add, remove or change to make one text of the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((b, pair), &above_left) in to.chars().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above_left + usize::from(a != b)).min(pair + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
