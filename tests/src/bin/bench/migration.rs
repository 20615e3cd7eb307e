//! Moving a whole company to SSO: how long the preview and the application take, what they cost in memory, and how long
//! others, who sign in to another account meanwhile, wait.

use std::time::{Duration, Instant};

use domain::credential_epoch::CredentialEpoch;
use domain::email::Email;
use domain::portal::Portal;
use domain::role::{Role, RoleAssignments, RoleSet};
use domain::user::{User, UserStatus};
use domain::username::Username;
use domain::{AccountId, UserId};
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::client::{Client, parameter};
use tests::databases::{Engine, TestDatabase, database};
use tests::form::PASSWORD;
use tests::idp::TestIdp;
use tests::passwords::{CHEAPEST_KIB, credential, store_password};
use tests::process::Installation;
use tests::tenant::{REDIRECT_URI, VERIFIER, challenge};
use uuid::Uuid;

use crate::flood::{Latencies, peak};
use crate::server::installation;
use crate::site::{Site, account, connection};
use crate::table;

/// Users of the company.
const USERS: usize = 50_000;
/// Users that one transaction adds.
const SEEDED_AT_ONCE: usize = 5_000;
const COMPANY: &str = "company";
const PREVIEW_BAR: f64 = 2.0;
const APPLY_BAR: f64 = 10.0;
const MEMORY_BAR: f64 = 300.0;
/// Most milliseconds that any other request may wait on SQLite, where one writes at a time.
const PAUSE_BAR: f64 = 2_000.0;
/// Most times its idle value that the 99th percentile of others may reach on PostgreSQL.
const LATENCY_BAR: f64 = 5.0;
/// Time for which others are measured while nothing else happens.
const IDLE: Duration = Duration::from_secs(5);
/// Time for which they go on beside the migration: longer than it may take.
const BESIDE: Duration = Duration::from_secs(15);

pub async fn run(quick: bool) {
    let users = if quick { USERS / 10 } else { USERS };
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = database(engine).await;
        let installation = installation(&database.url);
        let site = Site::start(&installation).await;
        let company = Company::create(&installation, &site, &database, users).await;
        let token = site.refresh_token().await;
        let (idle, token) = site.bystander(token, IDLE).await;
        let memory = tokio::spawn(peak(site.running.id(), Instant::now() + BESIDE));
        let (times, (beside, _)) = tokio::join!(company.require_sso(), site.bystander(token, BESIDE));
        let memory = memory.await.expect("a measurement");
        print(engine, users, &times, memory);
        print_others(engine, &idle, &beside);
    }
}

/// Seconds that each step took.
struct Times {
    preview: f64,
    sign_off: f64,
    apply: f64,
}

fn print(engine: Engine, users: usize, times: &Times, memory: f64) {
    let row = |name: &str, value: f64, bar: Option<f64>| {
        let verdict = bar.map(|bar| table::verdict(value, bar)).unwrap_or_default();
        vec![
            name.to_owned(),
            format!("{value:.2}"),
            bar.map(|bar| bar.to_string()).unwrap_or_default(),
            verdict.to_owned(),
        ]
    };
    let rows = [
        row("preview, s", times.preview, (engine == Engine::Sqlite).then_some(PREVIEW_BAR)),
        row("sign-off, s", times.sign_off, None),
        row("apply, s", times.apply, Some(APPLY_BAR)),
        row("resident memory, MiB", memory, Some(MEMORY_BAR)),
    ];
    table::print(&format!("{users} users move to SSO on {engine}"), &["", "value", "bar", ""], &rows);
}

fn print_others(engine: Engine, idle: &Latencies, beside: &Latencies) {
    let row = |name: &str, idle: f64, p99: f64, longest: f64| {
        let (value, bar) = match engine {
            Engine::Sqlite => (longest, PAUSE_BAR),
            Engine::Postgres => (p99 / idle, LATENCY_BAR),
        };
        let number = |value: f64| format!("{value:.1}");
        let verdict = table::verdict(value, bar).to_owned();
        vec![name.to_owned(), number(idle), number(p99), number(p99 / idle), number(longest), number(bar), verdict]
    };
    let rows = [
        row("discovery", idle.discovery.p99(), beside.discovery.p99(), beside.discovery.longest()),
        row("refresh", idle.refresh.p99(), beside.refresh.p99(), beside.refresh.longest()),
    ];
    let head = ["", "idle p99 ms", "p99 ms", "ratio", "longest ms", "bar", ""];
    table::print(&format!("Another account meanwhile, on {engine}"), &head, &rows);
}

/// The account that moves, and the owner who moves it.
struct Company {
    path: String,
    owner: Client,
}

impl Company {
    async fn create(installation: &Installation, site: &Site, database: &TestDatabase, users: usize) -> Self {
        let key = installation.json(&["operator-key", "create", "--development", "--name", "company"]);
        let operator = site.anyone.bearing(key["key"].as_str().expect("a key"));
        let (path, client_id) = account(&operator, COMPANY).await;
        connection(&operator, &path, &TestIdp::trusted()).await;
        let account_id: AccountId = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        seed(database, account_id, users).await;
        let root = json!({ "portal": "admin", "username": "root", "roles": ["organization_owner"] });
        let root = operator.post(&format!("{path}/users"), &root).await.expect(201);
        let root_id: UserId = root["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let password = credential((account_id, root_id), PASSWORD, CHEAPEST_KIB, Timestamp::now()).await;
        store_password(&database.store, &password).await;
        let owner = site.anyone.bearing(&log_in(site, &client_id).await);
        let mark = json!({ "break_glass": true });
        operator.patch(&format!("{path}/users/{root_id}"), &mark).await.expect(200);
        Self { path, owner }
    }

    async fn require_sso(&self) -> Times {
        let migrations = format!("{}/sso-migrations", self.path);
        let body = json!({ "portal": "admin", "direction": "require" });
        let (preview, plan) = self.timed(&migrations, &body, 201).await;
        let migration = format!("{migrations}/{}", plan["id"].as_str().expect("an id"));
        let digest = json!({ "digest": plan["digest"], "override_reason": "A benchmark has no identity provider" });
        let (sign_off, _) = self.timed(&format!("{migration}/sign-off"), &digest, 200).await;
        let (apply, applied) = self.timed(&format!("{migration}/apply"), &json!({}), 200).await;
        assert_eq!(applied["state"], "applied");
        Times { preview, sign_off, apply }
    }

    async fn timed(&self, path: &str, body: &Value, status: u16) -> (f64, Value) {
        let begun = Instant::now();
        let answer = self.owner.post(path, body).await;
        (begun.elapsed().as_secs_f64(), answer.expect(status))
    }
}

/// The access token of the owner's form login.
async fn log_in(site: &Site, client_id: &str) -> String {
    let body = json!({
        "account_name": COMPANY, "identifier": "root", "password": PASSWORD, "client_id": client_id,
        "redirect_uri": REDIRECT_URI, "state": "s", "code_challenge": challenge(), "code_challenge_method": "S256",
    });
    let step = site.anyone.post("/v1/form-sign-ins", &body).await.expect(200);
    let code = parameter(&step["redirect_to"].as_str().expect("a URL").parse().expect("a URL"), "code");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let tokens = site.anyone.form("/oauth/token", &form).await.expect(200);
    tokens["access_token"].as_str().expect("a token").to_owned()
}

/// Adds users who are called otherwise than their email; every hundredth is a duplicate of the one before.
async fn seed(database: &TestDatabase, account_id: AccountId, users: usize) {
    let users: Vec<User> = (0..users).map(|number| user(account_id, number)).collect();
    for part in users.chunks(SEEDED_AT_ONCE) {
        let mut tx = database.store.begin().await.expect("a transaction");
        storage::users::insert_all(&mut tx, part).await.expect("stored");
        tx.commit().await.expect("committed");
    }
}

fn user(account_id: AccountId, number: usize) -> User {
    let person = if number % 100 == 99 { number - 1 } else { number };
    let now = Timestamp::now();
    User {
        id: UserId::from_uuid(Uuid::now_v7()),
        account_id,
        portal: Portal::Admin,
        username: Username::parse(&format!("employee{number}")).expect("a username"),
        email: Email::parse(&format!("first.last.{person}@company.test")).ok(),
        display_name: None,
        recovery_email: None,
        break_glass: false,
        exempt: false,
        require_email_mfa: false,
        status: UserStatus::Active,
        roles: RoleAssignments { assigned: RoleSet::from([Role::OrganizationMember]), saml: RoleSet::new() },
        credential_epoch: CredentialEpoch::FIRST,
        last_sign_in: None,
        created_at: now,
        updated_at: now,
    }
}
