//! Requiring SSO and going back over `kill -9`: all or nothing, and no mail lost (F3, F4, E4).

use std::time::{Duration, Instant};

use domain::mail::MailKind;
use domain::{AccountId, UserId};
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::outbox::MailFilter;
use storage::{Page, Store};
use tests::both_engines;
use tests::client::{Client, parameter};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::idp::TestIdp;
use tests::passwords::{CHEAPEST_KIB, credential, store_password};
use tests::process::{Installation, Running};
use tests::tenant::{REDIRECT_URI, challenge};

use crate::organization::Organization;

/// Number of times that the process is killed while a plan is applied; [`VARIABLE`] may say another one.
const KILLS: u32 = 6;
/// The variable that says another number.
const VARIABLE: &str = "VESTIBULE_MIGRATION_KILLS";
/// Number of users, enough that applying takes a while.
const USERS: usize = 300;
/// Mails that are looked at at once.
const MAILS_PAGE: u16 = u16::MAX;

fn kills() -> u32 {
    std::env::var(VARIABLE).map_or(KILLS, |number| number.parse().unwrap())
}

/// Proves F3, F4, E4: killed at any moment of applying or going back, everything is done, with every mail, or nothing.
#[both_engines]
async fn a_killed_migration_is_done_whole_or_not_at_all(db: TestDatabase) {
    let installation = Installation::on_database(&db.url);
    let mut running = installation.serve().await;
    let company = Company::create(&installation, &db.store).await;
    let (mut pause, mut interrupted) = (Duration::ZERO, 0);
    for round in 0..=kills() {
        let direction = if round % 2 == 0 { "require" } else { "revert" };
        let plan = company.signed_off(direction).await;
        let before = company.mails(&db.store, direction).await;
        let begun = Instant::now();
        if round == 0 {
            // The first one is left alone, and says how long it takes.
            company.apply(&plan).await;
            pause = begun.elapsed();
        } else {
            company.kill_while_applying(&plan, running, pause * (2 * round - 1) / (2 * kills())).await;
            running = installation.serve().await;
            interrupted += u32::from(!company.holds(&plan, direction, (&db.store, before)).await);
            company.apply(&plan).await;
        }
        assert!(company.holds(&plan, direction, (&db.store, before)).await, "round {round}");
    }
    assert_ne!(interrupted, 0, "no kill came before the end");
    drop(running);
}

/// The account that moves, and the owner who moves it.
struct Company {
    organization: Organization,
    owner: Client,
}

impl Company {
    async fn create(installation: &Installation, store: &Store) -> Self {
        let key = installation.json(&["operator-key", "create", "--development", "--name", "tests"]);
        let operator = installation.anonymous().bearing(key["key"].as_str().unwrap());
        let organization = Organization::create(installation.anonymous(), operator, "acme").await;
        let idp = TestIdp::trusted();
        organization
            .configure(&json!({
                "idp_entity_id": idp.entity_id, "login_url": "https://idp.example.test/sso", "probe_login_url": false,
                "certificates": [idp.identity.certificate_pem()],
            }))
            .await;
        organization.enable().await;
        organization.set_page("login", "https://app.example.test/login").await;
        let people: Vec<Value> = (0..USERS).map(person).collect();
        let import = format!("{}/user-imports", organization.account_path);
        organization.operator.post(&import, &json!({ "users": people })).await.expect(200);
        let owner = owner(&organization, store).await;
        Self { organization, owner }
    }

    fn migrations(&self) -> String {
        format!("{}/sso-migrations", self.organization.account_path)
    }

    async fn signed_off(&self, direction: &str) -> String {
        let body = json!({ "portal": "admin", "direction": direction });
        let plan = self.owner.post(&self.migrations(), &body).await.expect(201);
        let path = format!("{}/{}", self.migrations(), plan["id"].as_str().unwrap());
        let signature = json!({ "digest": plan["digest"], "override_reason": "This identity provider answers nobody" });
        self.owner.post(&format!("{path}/sign-off"), &signature).await.expect(200);
        path
    }

    async fn apply(&self, plan: &str) {
        assert_eq!(self.owner.post(&format!("{plan}/apply"), &json!({})).await.expect(200)["state"], "applied");
    }

    /// Asks for the plan to be applied, and kills the process after a while.
    async fn kill_while_applying(&self, plan: &str, running: Running, after: Duration) {
        let request = self.owner.request(reqwest::Method::POST, &format!("{plan}/apply")).send();
        let kill = async {
            tokio::time::sleep(after).await;
            running.kill();
        };
        drop(tokio::join!(request, kill));
    }

    /// Whether a plan was carried out, as its state says; everything else must say the same.
    async fn holds(&self, plan: &str, direction: &str, (store, before): (&Store, usize)) -> bool {
        let state = self.owner.get(plan).await.expect(200)["state"].clone();
        let applied = state == "applied";
        let is_required = applied == (direction == "require");
        let connections = format!("{}/saml-connections", self.organization.account_path);
        let mode = self.owner.get(&connections).await.expect(200)["items"][0]["mode"].clone();
        assert_eq!(mode == "required", is_required, "{direction} {state}");
        let named = self.search("employee").await;
        assert!(named == 0 || named == USERS, "{named} of {USERS} have their old username");
        assert_eq!(named == 0, is_required, "{direction} {state}");
        let mails = self.mails(store, direction).await - before;
        assert_eq!(mails, if applied { USERS } else { 0 }, "{direction} {state}");
        if mode == "off" {
            self.organization.enable().await;
        }
        applied
    }

    /// Number of users who still have such a username.
    async fn search(&self, username: &str) -> usize {
        let (mut found, mut cursor) = (0, String::new());
        loop {
            let path = format!("{}/users?limit=200{cursor}", self.organization.account_path);
            let page = self.owner.get(&path).await.expect(200);
            let users = page["items"].as_array().unwrap();
            found += users.iter().filter(|user| user["username"].as_str().unwrap().starts_with(username)).count();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    /// Number of mails of this direction to users, whether waiting, sent or given up.
    async fn mails(&self, store: &Store, direction: &str) -> usize {
        let kinds = match direction {
            "require" => [MailKind::SsoInvitation, MailKind::SsoRequired],
            _ => [MailKind::TemporaryPassword, MailKind::SsoEnded],
        };
        let mut tx = store.read().await.unwrap();
        let found = storage::outbox::list(&mut tx, &MailFilter::default(), &Page::first(MAILS_PAGE)).await.unwrap();
        let to_users = found.items.iter().filter(|mail| mail.recipient.as_str().starts_with("person"));
        to_users.filter(|mail| kinds.contains(&mail.kind)).count()
    }
}

fn person(number: usize) -> Value {
    json!({
        "portal": "admin", "username": format!("employee{number}"), "email": format!("person{number}@acme.test"),
        "roles": ["organization_member"],
    })
}

/// An owner with a password, who is a break-glass user, signed in.
async fn owner(organization: &Organization, store: &Store) -> Client {
    let path = format!("{}/users", organization.account_path);
    let root = json!({ "portal": "admin", "username": "root", "roles": ["organization_owner"] });
    let root = organization.operator.post(&path, &root).await.expect(201);
    let id: UserId = root["id"].as_str().unwrap().parse().unwrap();
    let account_id: AccountId = organization.account_path.rsplit('/').next().unwrap().parse().unwrap();
    let password = credential((account_id, id), PASSWORD, CHEAPEST_KIB, Timestamp::now()).await;
    store_password(store, &password).await;
    let mut body = organization.start_body(None);
    body["identifier"] = "root".into();
    body["password"] = PASSWORD.into();
    body["redirect_uri"] = REDIRECT_URI.into();
    body["code_challenge"] = challenge().into();
    body.as_object_mut().unwrap().remove("email");
    let step = organization.anyone.post("/v1/form-sign-ins", &body).await.expect(200);
    let code = parameter(&step["redirect_to"].as_str().unwrap().parse().unwrap(), "code");
    let tokens = organization.anyone.form("/oauth/token", &organization.exchange_form(&code)).await.expect(200);
    organization.operator.patch(&format!("{path}/{id}"), &json!({ "break_glass": true })).await.expect(200);
    organization.anyone.bearing(tokens["access_token"].as_str().unwrap())
}
