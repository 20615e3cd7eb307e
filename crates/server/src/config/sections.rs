//! The sections of the configuration and their defaults. The expectations of the keys stand in [`super::keys`].

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use domain::email::Email;
use domain::signing_key::SigningAlgorithm;
use domain::text::Label;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::adapters::mail::Security;

/// The port that is listened on where none is configured.
pub const DEFAULT_PORT: u16 = 8080;

/// All sections of the configuration file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The HTTP server's listening address and public URL.
    pub server: Server,
    /// The database connection and its settings.
    pub database: Database,
    /// The master key, or the file that holds it.
    pub secrets: Secrets,
    /// The signing algorithm of access tokens.
    pub tokens: Tokens,
    /// The cost of password hashing and its queue.
    pub passwords: Passwords,
    /// The SAML service provider.
    pub saml: Saml,
    /// The mail server, and how mails look.
    pub mail: Mail,
    /// The log's format and filter.
    pub log: Log,
    /// Limits of requests that need no sign-in.
    pub limits: Limits,
    /// Limits of what owners may create in their accounts.
    pub accounts: Accounts,
    /// The address that serves metrics for Prometheus.
    pub metrics: Metrics,
}

/// `[accounts]`: what owners may make of their accounts; operators may do more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Most sandboxes of one account.
    pub sandboxes_per_account: u32,
    /// Whether a sandbox's name begins with that of its account and a hyphen.
    pub sandboxes_named_after_account: bool,
}

impl Default for Accounts {
    /// A sandbox for development, for tests, for training, and two more; none has a name that another customer expects.
    fn default() -> Self {
        Self { sandboxes_per_account: 5, sandboxes_named_after_account: true }
    }
}

/// `[server]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address that is listened on.
    pub bind: SocketAddr,
    /// The URL at which browsers and identity providers reach this service.
    pub base_url: Option<Url>,
    /// The networks of the reverse proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that serve HTTP; as many as processors where it is not set.
    pub workers: Option<NonZeroUsize>,
    /// Seconds that requests may go on after the signal to stop.
    pub shutdown_seconds: u16,
}

impl Default for Server {
    /// Twenty seconds: less than the thirty after which Kubernetes kills.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            base_url: None,
            trusted_proxies: vec![],
            workers: None,
            shutdown_seconds: 20,
        }
    }
}

/// `[database]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The database, which may hold a password.
    #[serde(serialize_with = "masked")]
    pub url: Option<SecretString>,
    /// A file that holds the URL.
    pub url_file: Option<PathBuf>,
    /// Most connections at once.
    pub max_connections: NonZeroU32,
    /// SQLite's `synchronous` setting: durability against speed.
    pub sqlite_synchronous: SqliteSynchronous,
}

impl Default for Database {
    /// Ten connections serve thousands of sign-ins a second; several replicas share a PostgreSQL's hundred.
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            max_connections: NonZeroU32::MIN.saturating_add(9),
            sqlite_synchronous: SqliteSynchronous::Full,
        }
    }
}

/// SQLite's `synchronous` in WAL mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SqliteSynchronous {
    /// A power failure may lose the last commits, and never breaks the file.
    Normal,
    /// Every commit survives a power failure.
    Full,
}

/// `[secrets]`
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// The master key itself; from the environment alone.
    #[serde(serialize_with = "masked")]
    pub master_key: Option<SecretString>,
    /// A file that holds the master key.
    pub master_key_file: Option<PathBuf>,
}

/// `[tokens]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The algorithm of new signing keys.
    #[serde(serialize_with = "algorithm_name", deserialize_with = "parsed")]
    pub algorithm: SigningAlgorithm,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { algorithm: SigningAlgorithm::Es256 }
    }
}

/// `[passwords]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Memory of each hash.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Number of passwords hashed at once; half the number of processors if it is not set.
    pub threads: Option<NonZeroUsize>,
    /// Number of passwords that may wait; further callers are told to come later.
    pub queue: NonZeroUsize,
}

impl Default for Passwords {
    /// Recommendation of OWASP's password storage cheat sheet for argon2id; a second of waiting for one thread.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, threads: None, queue: NonZeroUsize::MIN.saturating_add(49) }
    }
}

/// `[saml]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Saml {
    /// The engines that must accept a signature.
    pub engines: Engines,
    /// Prefix of the platform's own attribute names (C2, C4).
    pub attribute_prefix: String,
    /// Number of responses verified at once; as many as processors where it is not set.
    pub verification_permits: Option<NonZeroUsize>,
    /// Whether an IdP's login URL is tried before a browser is sent there (D3).
    pub probe: bool,
}

impl Default for Saml {
    fn default() -> Self {
        Self {
            engines: Engines::Both,
            attribute_prefix: "https://adminconsole.netsign-in.se/saml/attributes/".into(),
            verification_permits: None,
            probe: true,
        }
    }
}

/// The engines that verify signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engines {
    /// Both must accept, and agree on what was signed.
    Both,
    /// Only libxmlsec1 verifies signatures.
    Libxmlsec,
    /// Only bergshamra verifies signatures.
    Bergshamra,
}

/// `[mail]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The mail server; mails wait in the outbox where there is none.
    pub host: Option<String>,
    /// Port of the server; the usual one of `security` if it is not set.
    pub port: Option<NonZeroU16>,
    /// Protection of the connection to the mail server.
    pub security: Security,
    /// The user name for the mail server.
    pub username: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// A file with the certificate that alone is trusted; the system's are where it is not set.
    pub ca_file: Option<PathBuf>,
    /// The address that mails come from.
    pub from: Option<Email>,
    /// The name beside it, in mails that concern no account.
    pub sender_name: Option<Label>,
    /// Time limit for sending one mail, in seconds.
    pub timeout_seconds: NonZeroU16,
    /// A folder with templates that replace those of the same name.
    pub templates: Option<PathBuf>,
}

impl Default for Mail {
    /// Half a minute: a mail server that scans needs some seconds, and one that needs longer is in trouble.
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            security: Security::StartTls,
            username: None,
            password_file: None,
            ca_file: None,
            from: None,
            sender_name: None,
            timeout_seconds: NonZeroU16::MIN.saturating_add(29),
            templates: None,
        }
    }
}

/// `[log]`
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The format of a log line.
    pub format: LogFormat,
    /// Filter of the log, in the syntax of tracing's `EnvFilter`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Json, filter: "info".into() }
    }
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// Plain text for human readers.
    Text,
}

/// `[limits]`: requests per minute and client address, and the stored rows of unfinished sign-ins.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Login options and SSO discovery.
    pub discovery_per_minute: NonZeroU32,
    /// SAML responses at the ACS URL.
    pub acs_per_minute: NonZeroU32,
    /// Code exchanges and refreshes.
    pub token_per_minute: NonZeroU32,
    /// Unfinished sign-ins of one connection from one address, in an hour.
    pub unfinished_per_address: NonZeroU32,
    /// Unfinished sign-ins of one connection, in the quarter of an hour that a sign-in may take.
    pub unfinished_per_connection: NonZeroU32,
}

impl Default for Limits {
    /// A whole office behind one address signs in at nine; guessing account names is still slow, and what a flood
    /// leaves behind takes some tens of megabytes.
    fn default() -> Self {
        Self {
            discovery_per_minute: NonZeroU32::MIN.saturating_add(59),
            acs_per_minute: NonZeroU32::MIN.saturating_add(119),
            token_per_minute: NonZeroU32::MIN.saturating_add(599),
            unfinished_per_address: NonZeroU32::MIN.saturating_add(599),
            unfinished_per_connection: NonZeroU32::MIN.saturating_add(19_999),
        }
    }
}

/// `[metrics]`
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// The address that serves them, and nothing else does; without one there are none.
    pub bind: Option<SocketAddr>,
}

/// Mask for a secret wherever the configuration is shown.
pub const MASK: &str = "********";

#[expect(clippy::ref_option, reason = "the shape of serialize_with")]
fn masked<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| MASK).serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape of serialize_with")]
fn algorithm_name<S: Serializer>(algorithm: &SigningAlgorithm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(algorithm.as_str())
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error>
where
    T::Err: std::fmt::Display,
{
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// A list, or in an environment variable a text with commas.
fn list<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T::Err: std::fmt::Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        List(Vec<String>),
        Text(String),
    }
    let items = match Given::deserialize(deserializer)? {
        Given::List(items) => items,
        Given::Text(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
    };
    items.iter().map(|item| item.parse().map_err(serde::de::Error::custom)).collect()
}
