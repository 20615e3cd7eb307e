//! Meaning of the values: checks over several keys, and secrets read from where they are.

use std::ops::RangeInclusive;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::application::is_loopback;
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::EnvFilter;
use url::Url;
use zeroize::Zeroizing;

use super::problem::{Problem, Problems};
use super::{Loaded, environment, secret_file};
use crate::adapters::MASTER_KEY_BYTES;

/// The master key, wiped from memory with this value.
pub type MasterKey = Zeroizing<[u8; MASTER_KEY_BYTES]>;

/// Instruction for making a master key.
pub const MASTER_KEY_RECIPE: &str =
    "make one with `openssl rand -base64 32 > master.key` and name that file in secrets.master_key_file";
/// The database where none is configured: a file in the working directory.
const DEFAULT_DATABASE: &str = "sqlite:vestibule.db";
/// Longest base URL: it stands in every access token twice, which has to fit into a header (I1).
const BASE_URL_MAX_BYTES: usize = 300;
/// Memory of one hash: from the least that OWASP's password storage cheat sheet knows to a gibibyte for each thread.
const PASSWORD_MEMORY_KIB: RangeInclusive<u32> = 7_168..=1_048_576;
/// Passes over that memory: more of them keep people waiting for seconds.
const PASSWORD_ITERATIONS: RangeInclusive<u32> = 1..=20;

impl Loaded {
    /// Reports every problem at once. `development` permits plain http, and this machine alone.
    pub fn check(&self, development: bool) -> Result<(), Problems> {
        let found: Vec<Problem> = [
            self.base_url(development).err(),
            self.database_url().err(),
            self.master_key().err(),
            self.check_bind(development).err(),
            self.check_saml().err(),
            self.check_passwords().err(),
            self.check_filter().err(),
            // Without a base URL nothing can be said about mail, and that is said already.
            self.base_url(development).ok().and_then(|_| self.mail(development).err()),
            self.mail_templates().err(),
        ]
        .into_iter()
        .flatten()
        .collect();
        if found.is_empty() { Ok(()) } else { Err(Problems(found)) }
    }

    /// Warnings about settings that work and yet deserve a look.
    pub fn warnings(&self) -> Vec<String> {
        let files = [
            ("secrets.master_key_file", &self.values.secrets.master_key_file),
            ("database.url_file", &self.values.database.url_file),
            ("mail.password_file", &self.values.mail.password_file),
        ];
        files
            .into_iter()
            .filter_map(|(key, path)| Some((key, path.as_deref()?)))
            .filter(|(_, path)| secret_file::is_exposed(path))
            .map(|(key, path)| {
                let path = path.display();
                format!("{key}: every user of this machine can read {path}; run `chmod 600 {path}`")
            })
            .collect()
    }

    /// Base URL at which browsers and identity providers reach this service.
    pub fn base_url(&self, development: bool) -> Result<Url, Problem> {
        const KEY: &str = "server.base_url";
        let Some(url) = self.values.server.base_url.as_ref() else {
            let example = format!("{}=https://login.example.com", environment::variable(KEY));
            let fix = format!("set it to where browsers and identity providers reach Vestibule, such as {example}");
            return Err(self.problem(KEY, "it is missing", fix));
        };
        let is_local = url.host().is_some_and(|host| is_loopback(&host));
        if !(url.scheme() == "https" || development && url.scheme() == "http" && is_local) {
            let fix = "use an https URL; plain http on this machine alone is for `--development`";
            return Err(self.problem(KEY, "it does not begin with https://", fix));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            let fix = "leave scheme, host, port and path alone, such as https://login.example.com";
            return Err(self.problem(KEY, "it holds a query, a fragment, a user name or a password", fix));
        }
        if url.as_str().len() > BASE_URL_MAX_BYTES {
            let fix = format!("use one of at most {BASE_URL_MAX_BYTES} bytes: it stands in every token");
            return Err(self.problem(KEY, "it is too long", fix));
        }
        Ok(url.clone())
    }

    /// The URL of the database.
    pub fn database_url(&self) -> Result<SecretString, Problem> {
        let database = &self.values.database;
        let (key, url) = match (&database.url, &database.url_file) {
            (Some(_), Some(_)) => {
                let fix = "keep one of database.url and database.url_file";
                return Err(self.problem("database.url_file", "database.url is set as well", fix));
            }
            (Some(url), None) => ("database.url", url.clone()),
            (None, Some(path)) => ("database.url_file", self.secret_in("database.url_file", path)?),
            (None, None) => ("database.url", SecretString::from(DEFAULT_DATABASE)),
        };
        let known = ["sqlite:", "postgres:", "postgresql:"];
        if known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
            Ok(url)
        } else {
            let fix = "write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE";
            Err(self.problem(key, "it is not a URL of a SQLite or PostgreSQL database", fix))
        }
    }

    /// Reads the master key, from its variable or its file but not from both.
    pub fn master_key(&self) -> Result<MasterKey, Problem> {
        const KEY: &str = "secrets.master_key";
        const FILE: &str = "secrets.master_key_file";
        let secrets = &self.values.secrets;
        let (key, text) = match (&secrets.master_key, &secrets.master_key_file) {
            (Some(_), Some(_)) => {
                let fix = "keep one of secrets.master_key and secrets.master_key_file";
                return Err(self.problem(FILE, "secrets.master_key is set as well", fix));
            }
            (Some(_), None) if self.source_of(KEY).starts_with("file") => {
                let fix = "move the key to a file of its own and name it in secrets.master_key_file";
                return Err(self.problem(KEY, "a master key does not belong into the configuration's file", fix));
            }
            (Some(text), None) => (KEY, text.clone()),
            (None, Some(path)) => (FILE, self.secret_in(FILE, path)?),
            (None, None) => return Err(self.problem(FILE, "there is no master key", MASTER_KEY_RECIPE)),
        };
        decode_master_key(text.expose_secret())
            .ok_or_else(|| self.problem(key, "it is not 32 bytes in base64 or hexadecimal", MASTER_KEY_RECIPE))
    }

    pub(super) fn secret_in(&self, key: &str, path: &Path) -> Result<SecretString, Problem> {
        secret_file::read(path).map_err(|error| {
            let fix = "name a file that this user can read";
            self.problem(key, format!("{} cannot be read: {error}", path.display()), fix)
        })
    }

    fn check_bind(&self, development: bool) -> Result<(), Problem> {
        if development && !self.values.server.bind.ip().is_loopback() {
            let fix = "bind 127.0.0.1, or leave --development out";
            return Err(self.problem("server.bind", "--development listens on this machine alone", fix));
        }
        Ok(())
    }

    fn check_saml(&self) -> Result<(), Problem> {
        let prefix = &self.values.saml.attribute_prefix;
        if prefix.is_empty() || prefix.contains(char::is_whitespace) {
            let fix = "write the beginning of the attribute names, such as https://example.com/saml/attributes/";
            return Err(self.problem("saml.attribute_prefix", "it is empty or holds white space", fix));
        }
        Ok(())
    }

    fn check_passwords(&self) -> Result<(), Problem> {
        let passwords = &self.values.passwords;
        if !PASSWORD_MEMORY_KIB.contains(&passwords.memory_kib) {
            let fix = "write a number of KiB from 7168 to 1048576, such as 19456";
            return Err(self.problem("passwords.memory_kib", "it is out of bounds", fix));
        }
        if !PASSWORD_ITERATIONS.contains(&passwords.iterations) {
            let fix = "write a number of passes from 1 to 20, such as 2";
            return Err(self.problem("passwords.iterations", "it is out of bounds", fix));
        }
        Ok(())
    }

    fn check_filter(&self) -> Result<(), Problem> {
        EnvFilter::try_new(&self.values.log.filter).map(drop).map_err(|error| {
            self.problem("log.filter", error.to_string(), "write a filter such as info or info,service=debug")
        })
    }
}

fn decode_master_key(text: &str) -> Option<MasterKey> {
    let bytes = Zeroizing::new(decode_hexadecimal(text).or_else(|| STANDARD.decode(text).ok())?);
    let mut key = MasterKey::default();
    (bytes.len() == key.len()).then(|| key.copy_from_slice(&bytes))?;
    Some(key)
}

fn decode_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()));
    let digits = Zeroizing::new(digits.collect::<Option<Vec<u8>>>()?);
    let pairs = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    (digits.len() == 2 * MASTER_KEY_BYTES).then(|| pairs.collect())
}
