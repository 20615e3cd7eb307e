//! Three floods, one after another, and two users who must still get in: a break-glass owner of the account that
//! is flooded, by form login from where they signed in before, and a user of another account, by SSO.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::client::{Answer, Client, parameter};
use tests::databases::{Engine, database};
use tests::idp::TestIdp;
use tests::tenant::{REDIRECT_URI, challenge};
use tokio::task::JoinSet;
use url::form_urlencoded;

use crate::flood::Durations;
use crate::hostile;
use crate::server::installation;
use crate::site::{Site, account, connection, exchange_form, person};
use crate::table;
use crate::timing::{PASSWORD, give_password};

/// Requests of a flood under way at once: enough to keep all processors busy.
const AT_ONCE: usize = 16;
/// Signed-in users who change their passwords.
const CALLERS: usize = 8;
/// Most times its idle value that the 99th percentile may reach.
const BAR: f64 = 10.0;
const TARGET: &str = "target";
/// A new password that is looked through, and refused.
const WEAK: &str = "p@$$w0rdp@$$w0rdp@$$w0rdp@$$w0rdp@$$w0rdp@$$w0rdp@$$w0rdp@$$w0rd";

/// Measures both in peace, then beside each flood.
pub async fn run(quick: bool) {
    let time = Duration::from_secs(if quick { 4 } else { 15 });
    let database = database(Engine::Sqlite).await;
    let mut installation = installation(&database.url);
    // The limits by network would end the floods too early.
    for limit in ["DISCOVERY", "ACS", "TOKEN"] {
        installation.set(&format!("LIMITS__{limit}_PER_MINUTE"), "1000000");
    }
    let site = Site::start(&installation).await;
    let key = installation.json(&["operator-key", "create", "--development", "--name", "flood"]);
    let operator = site.anyone.bearing(key["key"].as_str().expect("a key"));
    let target = Target::prepare(&operator, &site, &database).await;
    let idle = bystanders(&site, &target, time).await;
    let mut rows = vec![];
    for kind in [Kind::Logins, Kind::Responses, Kind::Guesses] {
        let mut flood = JoinSet::new();
        for caller in 0..AT_ONCE {
            let target = target.clone();
            flood.spawn(async move { target.flood(kind, caller).await });
        }
        let flooded = bystanders(&site, &target, time).await;
        flood.shutdown().await;
        rows.extend(kind.rows(&idle, &flooded));
    }
    let title = format!("Beside {AT_ONCE} hostile requests at once, 99th percentile");
    table::print(&title, &["", "idle ms", "flooded ms", "ratio", "bar", ""], &rows);
}

/// A kind of flood.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Logins,
    Responses,
    Guesses,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Logins => "wrong logins",
            Self::Responses => "hostile responses",
            Self::Guesses => "guessability checks",
        }
    }

    fn rows(self, idle: &Bystanders, flooded: &Bystanders) -> [Vec<String>; 2] {
        let row = |who: &str, idle: f64, flooded: f64| {
            let ratio = flooded / idle;
            let number = |value: f64| format!("{value:.1}");
            let verdict = table::verdict(ratio, BAR).to_owned();
            vec![format!("{who}, {}", self.name()), number(idle), number(flooded), number(ratio), number(BAR), verdict]
        };
        [
            row("owner's login", idle.login.p99(), flooded.login.p99()),
            row("another account's SSO", idle.sso.p99(), flooded.sso.p99()),
        ]
    }
}

/// Milliseconds that both took.
#[derive(Default)]
struct Bystanders {
    login: Durations,
    sso: Durations,
}

/// Signs both in again and again; each time has to succeed.
async fn bystanders(site: &Site, target: &Target, time: Duration) -> Bystanders {
    let (mut found, begun, mut number) = (Bystanders::default(), Instant::now(), 0);
    while begun.elapsed() < time {
        let owner = site.anyone.forwarded_for("192.168.7.7");
        found.login.time(owner.post("/v1/form-sign-ins", &target.login_body("owner", PASSWORD))).await.expect(200);
        let user = site.anyone.forwarded_for(&format!("172.{}.{}.1", 16 + number / 256 % 16, number % 256));
        found.sso.time(site.sign_in_from(&user, number)).await.expect(200);
        number += 1;
    }
    found
}

/// The account that is flooded, and what the floods send.
#[derive(Clone)]
struct Target {
    anyone: Client,
    client_id: String,
    acs_path: String,
    /// A form, encoded once: what the flood costs is to be the server's.
    response: Arc<str>,
    callers: Vec<Client>,
}

impl Target {
    async fn prepare(operator: &Client, site: &Site, database: &tests::databases::TestDatabase) -> Self {
        let (path, client_id) = account(operator, TARGET).await;
        let acs_url = connection(operator, &path, &TestIdp::trusted()).await;
        let mut target = Self {
            anyone: site.anyone.clone(),
            client_id,
            acs_path: acs_url.parse::<url::Url>().expect("a URL").path().to_owned(),
            response: form_urlencoded::Serializer::new(String::new())
                .append_pair("SAMLResponse", &STANDARD.encode(hostile::costliest()))
                .finish()
                .into(),
            callers: vec![],
        };
        let account_id = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an account's id");
        for (name, role) in [("owner".to_owned(), "organization_owner")]
            .into_iter()
            .chain((0..CALLERS).map(|n| (format!("caller{n}"), "organization_member")))
        {
            let user = json!({ "portal": "admin", "username": name, "roles": [role] });
            let user = operator.post(&format!("{path}/users"), &user).await.expect(201);
            give_password(database, account_id, &name).await;
            let caller = target.session(&name).await;
            if role == "organization_owner" {
                let user = format!("{path}/users/{}", user["id"].as_str().expect("an id"));
                operator.patch(&user, &json!({ "break_glass": true })).await.expect(200);
            }
            target.callers.push(caller);
        }
        target
    }

    fn login_body(&self, identifier: &str, password: &str) -> Value {
        json!({
            "account_name": TARGET, "identifier": identifier, "password": password, "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI, "code_challenge": challenge(), "code_challenge_method": "S256",
        })
    }

    /// A signed-in user, at the owner's address.
    async fn session(&self, name: &str) -> Client {
        let client = self.anyone.forwarded_for("192.168.7.7");
        let step: Value = client.post("/v1/form-sign-ins", &self.login_body(name, PASSWORD)).await.expect(200);
        let url: url::Url = step["redirect_to"].as_str().expect("a URL").parse().expect("a URL");
        let code = parameter(&url, "code");
        let form = exchange_form(&self.client_id, &code);
        let tokens: Value = client.form("/oauth/token", &form).await.expect(200);
        client.bearing(tokens["access_token"].as_str().expect("a token"))
    }

    /// Sends one request after the other, until it is stopped.
    async fn flood(&self, kind: Kind, caller: usize) {
        for number in 0_usize.. {
            // Whatever comes back, the next one goes out.
            let _answer = Answer::of(self.request(kind, (caller, number))).await;
        }
    }

    fn request(&self, kind: Kind, (caller, number): (usize, usize)) -> RequestBuilder {
        let from = |network: &str| {
            self.anyone.forwarded_for(&format!("{network}:{:x}::1", (number * AT_ONCE + caller) % 0xffff))
        };
        match kind {
            Kind::Logins => {
                let body = self.login_body(&format!("nobody-{caller}-{number}"), "wrong-anchor-copper-72");
                from("2001:db8:1").request(Method::POST, "/v1/form-sign-ins").json(&body)
            }
            Kind::Responses => {
                let form = "application/x-www-form-urlencoded";
                let post = from("2001:db8:2").request(Method::POST, &self.acs_path).header("content-type", form);
                post.body(self.response.to_string())
            }
            Kind::Guesses => {
                let body = json!({ "current_password": PASSWORD, "new_password": WEAK });
                let caller = &self.callers[1 + caller % CALLERS];
                caller.request(Method::POST, "/v1/me/password").json(&body)
            }
        }
    }
}

impl Site {
    /// Signs in by SSO, from the start to the tokens; gives the last answer.
    async fn sign_in_from(&self, client: &Client, number: usize) -> Answer {
        let started = client.post("/v1/sso-sign-ins", &self.start_body(&person(number))).await;
        if started.status != 200 {
            return started;
        }
        let answered = Answer::of(self.answer_request(client, number, &started.json())).await;
        if answered.status != 303 {
            return answered;
        }
        Answer::of(self.exchange_request(client, &parameter(&answered.location(), "code"))).await
    }
}
