//! Puts it together: database, adapters and use-cases, as configured.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use domain::sso::identity::PlatformAttributes;
use secrecy::ExposeSecret as _;
use service::ports::{IdpProbe, Mailbox, Mailer};
use service::{AttemptLimits, Engines, MailSettings, Ports, SandboxPolicy, Service, Settings};
use storage::{DatabaseSettings, Store, Synchronous};

use crate::adapters::mail::{InMemoryMailbox, SmtpMailer, UnconfiguredMailer};
use crate::adapters::outbound::{HttpIdpProbe, HttpMetadataSource, Reach, UnaskedIdp};
use crate::adapters::{AesGcmSealer, Argon2Hasher, HashingParameters, JwtSigner, OsEntropy, RcgenSpKeys, SystemClock};
use crate::config::{self, Loaded, SqliteSynchronous};
use crate::master_key;

/// The running service, with the database that it shares.
pub struct Wired {
    /// Use-cases, with all their ports wired.
    pub service: Arc<Service>,
    /// Database that the use-cases run on.
    pub store: Store,
}

/// Treatment of a database that lacks migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Apply the migrations that are missing.
    Apply,
    /// Refuse to go on.
    Require,
}

/// Opens the database and puts the use-cases over it. `development` permits plain http and this machine's addresses.
pub async fn wire(loaded: &Loaded, development: bool, migrations: Migrations) -> anyhow::Result<Wired> {
    loaded.check(development)?;
    let store = open_store(loaded).await?;
    prepare_schema(&store, migrations).await?;
    let sealer = AesGcmSealer::new(&*loaded.master_key()?);
    master_key::verify(&store, &sealer).await?;
    let ports = ports(loaded, sealer, development)?;
    let settings = settings(loaded, development)?;
    let service = Arc::new(Service::new(store.clone(), ports, settings, mail_settings(loaded)?));
    Ok(Wired { service, store })
}

/// Opens the configured database.
pub async fn open_store(loaded: &Loaded) -> anyhow::Result<Store> {
    let settings = DatabaseSettings {
        url: loaded.database_url()?.expose_secret().to_owned(),
        max_connections: loaded.values.database.max_connections.get(),
        sqlite_synchronous: match loaded.values.database.sqlite_synchronous {
            SqliteSynchronous::Full => Synchronous::Full,
            SqliteSynchronous::Normal => Synchronous::Normal,
        },
    };
    let shown = loaded.shown_database_url();
    Store::open(&settings).await.with_context(|| format!("the database {shown} cannot be opened"))
}

async fn prepare_schema(store: &Store, migrations: Migrations) -> anyhow::Result<()> {
    let pending = store.pending_migrations().await.context("the database cannot be read")?;
    match migrations {
        _ if pending.is_empty() => Ok(()),
        Migrations::Apply => store.migrate().await.context("the database cannot be migrated"),
        Migrations::Require => bail!(
            "the database lacks these migrations: {}. Run `vestibule migrate` first, or start with --migrate",
            pending.join(", ")
        ),
    }
}

fn ports(loaded: &Loaded, sealer: AesGcmSealer, development: bool) -> anyhow::Result<Ports> {
    let reach = if development { Reach::PublicAndLoopback } else { Reach::Public };
    let (mailer, mailbox) = mailer(loaded, development)?;
    let idp_probe: Box<dyn IdpProbe> =
        if loaded.values.saml.probe { Box::new(HttpIdpProbe::new(reach)?) } else { Box::new(UnaskedIdp) };
    Ok(Ports {
        clock: Box::new(SystemClock),
        entropy: Box::new(OsEntropy),
        sealer: Box::new(sealer),
        token_signer: Box::new(JwtSigner),
        password_hasher: Box::new(Argon2Hasher::start(hashing(loaded))?),
        sp_keys: Arc::new(RcgenSpKeys),
        metadata_source: Box::new(HttpMetadataSource::new(reach)?),
        idp_probe,
        mailer,
        mailbox,
    })
}

type MailPorts = (Box<dyn Mailer>, Option<Arc<dyn Mailbox>>);

/// Chooses the mailer: the mail server, if one is configured, else in development a mailbox.
fn mailer(loaded: &Loaded, development: bool) -> anyhow::Result<MailPorts> {
    Ok(match loaded.mail(development)? {
        Some(settings) => (Box::new(SmtpMailer::new(settings)?), None),
        None if development => {
            let mailbox = InMemoryMailbox::default();
            (Box::new(mailbox.clone()), Some(Arc::new(mailbox)))
        }
        None => (Box::new(UnconfiguredMailer), None),
    })
}

fn hashing(loaded: &Loaded) -> HashingParameters {
    let passwords = &loaded.values.passwords;
    HashingParameters {
        memory_kib: passwords.memory_kib,
        iterations: passwords.iterations,
        threads: passwords.threads.unwrap_or_else(half_the_processors),
        queue: passwords.queue,
    }
}

/// Number of threads that hash passwords, and of those that verify responses, unless configured otherwise: a flood
/// of sign-ins leaves the other half to everything else.
fn half_the_processors() -> NonZeroUsize {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(processors / 2).unwrap_or(NonZeroUsize::MIN)
}

fn settings(loaded: &Loaded, development: bool) -> anyhow::Result<Settings> {
    let saml = &loaded.values.saml;
    Ok(Settings {
        base_url: loaded.base_url(development)?,
        platform_attributes: PlatformAttributes::with_prefix(&saml.attribute_prefix),
        engines: match saml.engines {
            config::Engines::Both => Engines::Both,
            config::Engines::Libxmlsec => Engines::Libxmlsec,
            config::Engines::Bergshamra => Engines::Bergshamra,
        },
        signing_algorithm: loaded.values.tokens.algorithm,
        verification_permits: saml.verification_permits.unwrap_or_else(half_the_processors).get(),
        attempt_limits: AttemptLimits {
            per_address: loaded.values.limits.unfinished_per_address.get(),
            per_connection: loaded.values.limits.unfinished_per_connection.get(),
        },
        sandboxes: SandboxPolicy {
            per_account: loaded.values.accounts.sandboxes_per_account,
            named_after_account: loaded.values.accounts.sandboxes_named_after_account,
        },
        development,
    })
}

fn mail_settings(loaded: &Loaded) -> anyhow::Result<MailSettings> {
    Ok(MailSettings {
        sender_name: loaded.mail_sender_name().to_owned(),
        timeout: loaded.mail_timeout(),
        templates: Arc::new(loaded.mail_templates()?),
    })
}
