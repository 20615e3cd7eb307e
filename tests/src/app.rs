//! A running Vestibule on a loopback port, with a world that a test controls.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use api::{ApiSettings, RateLimits, RunningApi};
use domain::signing_key::SigningAlgorithm;
use domain::sso::connection::PLATFORM_ATTRIBUTE_PREFIX;
use domain::sso::identity::PlatformAttributes;
use domain::text::Label;
use jiff::Timestamp;
use server::adapters::mail::InMemoryMailbox;
use server::adapters::outbound::{HttpIdpProbe, HttpMetadataSource, Reach};
use server::adapters::{AesGcmSealer, JwtSigner, MASTER_KEY_BYTES, OsEntropy, RcgenSpKeys, SystemClock};
use service::{AttemptLimits, Caller, Engines, MailSettings, MailTemplates, Ports, SandboxPolicy, Service, Settings};

use crate::client::Client;
use crate::databases::TestDatabase;
use crate::mailbox::Mailbox;
use crate::passwords::{CHEAPEST_KIB, hasher};
use crate::process::free_port;
use crate::world::World;

/// Most unfinished attempts from one address that are written down here; small, so that a test can reach it.
pub const ATTEMPTS_PER_ADDRESS: u32 = 100;
/// Longest time that sending one mail may take; a sender that died is waited for twice as long.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// Most sandboxes of an account.
pub const SANDBOXES_PER_ACCOUNT: u32 = 3;
/// Issuer and public base URL, as browsers and identity providers see it.
const ISSUER: &str = "https://sso.vestibule.test";

/// Limits that a test may set.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Discoveries per minute and address.
    pub discovery_per_minute: u32,
    /// Unfinished attempts of one connection that are written down.
    pub attempts_per_connection: u32,
    /// Form logins at once.
    pub passwords_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { discovery_per_minute: 100_000, attempts_per_connection: 10_000, passwords_at_once: 1_000 }
    }
}

/// A running Vestibule, together with the world that it sees.
pub struct TestApp {
    /// World around it, which a test can change.
    pub world: World,
    /// The use-cases behind the API, for what no user can ask for: time passing.
    pub service: Arc<Service>,
    base_url: String,
    operator_key: String,
    _running: RunningApi,
    pub(crate) database: TestDatabase,
}

impl TestApp {
    /// Starts it on this database.
    pub async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, Limits::default()).await
    }

    /// Starts it with other limits.
    pub async fn start_with(database: TestDatabase, limits: Limits) -> Self {
        let world = World::default();
        let ports = world.ports(limits.passwords_at_once);
        Self::assemble(database, (world, ports), settings(limits), api_settings(limits)).await
    }

    /// Starts it behind a reverse proxy on this machine, whose `X-Forwarded-For` it believes.
    pub async fn start_behind_proxy(database: TestDatabase) -> Self {
        Self::start_behind_proxy_with(database, Limits::default()).await
    }

    /// Starts it behind the reverse proxies of this network.
    pub async fn start_behind(database: TestDatabase, proxies: &str) -> Self {
        Self::behind(proxies, (database, World::default()), Limits::default()).await
    }

    /// Starts it behind a reverse proxy on this machine, with other limits.
    pub async fn start_behind_proxy_with(database: TestDatabase, limits: Limits) -> Self {
        Self::behind("127.0.0.0/8", (database, World::default()), limits).await
    }

    /// Ends it, and starts it anew on its database, behind a proxy.
    pub async fn restart_behind_proxy(self, limits: Limits) -> Self {
        let Self { world, database, .. } = self;
        Self::behind("127.0.0.0/8", (database, world), limits).await
    }

    async fn behind(proxies: &str, (database, world): (TestDatabase, World), limits: Limits) -> Self {
        let ports = world.ports(limits.passwords_at_once);
        let trusted_proxies = vec![proxies.parse().unwrap()];
        let api_settings = ApiSettings { trusted_proxies, ..api_settings(limits) };
        Self::assemble(database, (world, ports), settings(limits), api_settings).await
    }

    /// Starts it under the longest name of a host, with access tokens signed by this algorithm.
    pub async fn start_signing(database: TestDatabase, algorithm: SigningAlgorithm) -> Self {
        let world = World::default();
        let ports = world.ports(Limits::default().passwords_at_once);
        let base_url = format!("https://{}.test", ["a".repeat(61).as_str(); 4].join(".")).parse().unwrap();
        let settings = Settings { base_url, signing_algorithm: algorithm, ..settings(Limits::default()) };
        Self::assemble(database, (world, ports), settings, api_settings(Limits::default())).await
    }

    /// Starts it as `serve --development` does: reached where it listens, with the real clock and real connections to
    /// identity providers on this machine. The world is that of the machine, so no test changes it.
    pub async fn start_development(database: TestDatabase) -> Self {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let base_url = format!("http://{bind}").parse().unwrap();
        let settings = Settings { base_url, development: true, ..settings(Limits::default()) };
        let api_settings = ApiSettings { bind, ..api_settings(Limits::default()) };
        Self::assemble(database, (World::default(), development_ports()), settings, api_settings).await
    }

    async fn assemble(
        database: TestDatabase,
        (world, ports): (World, Ports),
        settings: Settings,
        api_settings: ApiSettings,
    ) -> Self {
        let service = Arc::new(Service::new(database.store.clone(), ports, settings, mail_settings()));
        let running = api::start(Arc::clone(&service), api_settings).await.unwrap();
        let name = Label::parse("tests").unwrap();
        let key = service.installation.create_operator_key(&Caller::command_line(), name).await.unwrap();
        Self {
            world,
            base_url: format!("http://{}", running.address()),
            operator_key: key.secret.expose().to_owned(),
            service,
            _running: running,
            database,
        }
    }

    /// URL at which it listens.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Client that calls it without credentials.
    pub fn anonymous(&self) -> Client {
        Client::anonymous(&self.base_url)
    }

    /// Client that calls it with an operator's key.
    pub fn operator(&self) -> Client {
        self.anonymous().bearing(&self.operator_key)
    }

    /// Has everything sent that is due, as the running service does in the background, and opens the mailbox.
    pub async fn mailbox(&self) -> Mailbox {
        self.service.delivery.dispatch_mails().await.unwrap();
        self.world.mail_server().mailbox()
    }

    /// Runs a statement on the database behind the running service.
    pub async fn tamper(&self, statement: &str) {
        self.database.tamper(statement).await;
    }

    /// Present time by its clock.
    pub fn now(&self) -> Timestamp {
        self.service.now()
    }

    /// The `iss` of tokens.
    pub fn issuer(&self) -> &str {
        self.service.settings().issuer()
    }
}

/// Ports to the world as `serve --development` gives them to the use-cases.
fn development_ports() -> Ports {
    let reach = Reach::PublicAndLoopback;
    let mailbox = InMemoryMailbox::default();
    Ports {
        clock: Box::new(SystemClock),
        entropy: Box::new(OsEntropy),
        sealer: Box::new(AesGcmSealer::new(&[7; MASTER_KEY_BYTES])),
        token_signer: Box::new(JwtSigner),
        password_hasher: Box::new(hasher(CHEAPEST_KIB)),
        sp_keys: Arc::new(RcgenSpKeys),
        metadata_source: Box::new(HttpMetadataSource::new(reach).unwrap()),
        idp_probe: Box::new(HttpIdpProbe::new(reach).unwrap()),
        mailer: Box::new(mailbox.clone()),
        mailbox: Some(Arc::new(mailbox)),
    }
}

fn settings(limits: Limits) -> Settings {
    Settings {
        base_url: ISSUER.parse().unwrap(),
        platform_attributes: PlatformAttributes::with_prefix(PLATFORM_ATTRIBUTE_PREFIX),
        engines: Engines::Both,
        signing_algorithm: SigningAlgorithm::Es256,
        verification_permits: 2,
        attempt_limits: AttemptLimits {
            per_address: ATTEMPTS_PER_ADDRESS,
            per_connection: limits.attempts_per_connection,
        },
        sandboxes: SandboxPolicy { per_account: SANDBOXES_PER_ACCOUNT, named_after_account: true },
        development: false,
    }
}

fn mail_settings() -> MailSettings {
    MailSettings {
        sender_name: "Vestibule".to_owned(),
        timeout: MAIL_TIMEOUT,
        templates: Arc::new(MailTemplates::new(BTreeMap::new()).unwrap()),
    }
}

fn api_settings(limits: Limits) -> ApiSettings {
    let many = NonZeroU32::new(100_000).unwrap();
    ApiSettings {
        bind: "127.0.0.1:0".parse().unwrap(),
        workers: std::num::NonZeroUsize::new(1),
        shutdown_timeout: Duration::from_secs(1),
        trusted_proxies: vec![],
        limits: RateLimits {
            discovery_per_minute: NonZeroU32::new(limits.discovery_per_minute).unwrap(),
            acs_per_minute: many,
            token_per_minute: many,
        },
        metrics: None,
    }
}
