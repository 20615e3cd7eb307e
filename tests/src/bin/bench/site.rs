//! A running server with an account that signs in by SAML, and the sign-ins themselves.

use std::time::{Duration, Instant};

use domain::AccountId;
use jiff::Timestamp;
use mock_idp::message::{NAME_ID_EMAIL, SignedParts};
use reqwest::Method;
use serde_json::{Value, json};
use tests::client::{Client, parameter};
use tests::idp::{EMAIL_CLAIM, ROLE_ATTRIBUTE, TestIdp};
use tests::process::{Installation, Running};
use tests::tenant::{ORIGIN, REDIRECT_URI, VERIFIER, challenge};
use url::Url;

use crate::callers::send_all;
use crate::server::cpu;

/// Number of different users who sign in, again and again.
const PEOPLE: usize = 500;
/// Number of groups that make a response of about 8 kB.
const GROUPS: usize = 40;
const ACCOUNT: &str = "acme";

/// Time and processor time that sign-ins took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Wall-clock time, with as many at once as `callers` send.
    pub time: Duration,
    /// The server's processor time.
    pub cpu: Duration,
}

impl Cost {
    /// Seconds and the server's milliseconds of processor time, of one among so many.
    pub fn each(self, count: usize) -> (f64, f64) {
        let count = f64::from(u32::try_from(count).expect("not that many"));
        (self.time.as_secs_f64() / count, self.cpu.as_secs_f64() * 1000.0 / count)
    }
}

pub struct Site {
    pub running: Running,
    pub anyone: Client,
    pub account_id: AccountId,
    client_id: String,
    acs_path: String,
    acs_url: String,
    idp: TestIdp,
}

impl Site {
    /// Starts the server and sets an account up, as an operator does.
    pub async fn start(installation: &Installation) -> Self {
        let running = installation.serve().await;
        let key = installation.json(&["operator-key", "create", "--development", "--name", "bench"]);
        let anyone = installation.anonymous();
        let operator = anyone.bearing(key["key"].as_str().expect("a key"));
        let (account_path, client_id) = account(&operator, ACCOUNT).await;
        let idp = TestIdp::trusted();
        let acs_url = connection(&operator, &account_path, &idp).await;
        Self {
            running,
            anyone,
            account_id: account_path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an account's id"),
            client_id,
            acs_path: acs_url.parse::<Url>().expect("a URL").path().to_owned(),
            acs_url,
            idp,
        }
    }

    /// The body that begins a sign-in, and that discovers whether there is one.
    pub fn start_body(&self, email: &str) -> Value {
        json!({
            "account_name": ACCOUNT, "email": email, "client_id": self.client_id, "redirect_uri": REDIRECT_URI,
            "state": "the-state", "code_challenge": challenge(), "code_challenge_method": "S256",
        })
    }

    /// Signs in that often, from the start to the tokens.
    pub async fn sign_in(&self, count: usize) -> Cost {
        let mut cost = Cost::default();
        self.tokens(&mut cost, count).await;
        cost
    }

    /// The refresh token of a new session.
    pub async fn refresh_token(&self) -> String {
        let answers = self.tokens(&mut Cost::default(), 1).await;
        answers[0].json()["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    /// The form that refreshes.
    pub fn refresh_form<'a>(&'a self, refresh_token: &'a str) -> [(&'static str, &'a str); 3] {
        [("grant_type", "refresh_token"), ("client_id", &self.client_id), ("refresh_token", refresh_token)]
    }

    /// The body of a form login with a wrong password.
    pub fn form_body(&self, identifier: &str) -> Value {
        json!({
            "account_name": ACCOUNT, "identifier": identifier, "password": "wrong-anchor-copper-72",
            "client_id": self.client_id, "redirect_uri": REDIRECT_URI, "code_challenge": challenge(),
            "code_challenge_method": "S256",
        })
    }

    async fn tokens(&self, cost: &mut Cost, count: usize) -> Vec<tests::client::Answer> {
        let bodies = (0..count).map(|index| self.start_body(&person(index))).collect();
        let started = self.phase(cost, bodies, 200, Self::start_request).await;
        let responses =
            started.iter().enumerate().map(|(index, answer)| self.response(index, &answer.json())).collect();
        let acs_path = self.acs_path.clone();
        let post =
            move |anyone: &Client, fields: &[(&str, String); 2]| anyone.request(Method::POST, &acs_path).form(fields);
        let answered = self.phase(cost, responses, 303, post).await;
        let codes = answered.iter().map(|answer| parameter(&answer.location(), "code")).collect();
        let client_id = self.client_id.clone();
        let exchange = move |anyone: &Client, code: &String| {
            anyone.request(Method::POST, "/oauth/token").form(&exchange_form(&client_id, code))
        };
        self.phase(cost, codes, 200, exchange).await
    }

    /// A request that begins a sign-in.
    pub fn start_request(anyone: &Client, body: &Value) -> reqwest::RequestBuilder {
        anyone.request(Method::POST, "/v1/sso-sign-ins").json(body)
    }

    /// Sends a request for each item, and adds what that took.
    pub async fn phase<T: Send + Sync + 'static>(
        &self,
        cost: &mut Cost,
        items: Vec<T>,
        status: u16,
        request: impl Fn(&Client, &T) -> reqwest::RequestBuilder + Send + Sync + 'static,
    ) -> Vec<tests::client::Answer> {
        let anyone = self.anyone.clone();
        measured(self.running.id(), cost, items, status, move |item| request(&anyone, item)).await
    }

    /// The identity provider's answer to a sign-in that was started.
    pub fn answer_request(&self, client: &Client, index: usize, started: &Value) -> reqwest::RequestBuilder {
        client.request(Method::POST, &self.acs_path).form(&self.response(index, started))
    }

    /// The exchange of a code.
    pub fn exchange_request(&self, client: &Client, code: &str) -> reqwest::RequestBuilder {
        client.request(Method::POST, "/oauth/token").form(&exchange_form(&self.client_id, code))
    }

    /// The form that the browser posts, about 8 kB of XML with both parts signed.
    fn response(&self, index: usize, started: &Value) -> [(&'static str, String); 2] {
        let url: Url = started["handoff"]["url"].as_str().expect("a handoff").parse().expect("a URL");
        let request = saml::decode_redirect_binding(&parameter(&url, "SAMLRequest")).expect("a request");
        let (_, id) = request.split_once(" ID=\"").expect("its ID");
        let (id, _) = id.split_once('"').expect("its ID");
        let groups = (0..GROUPS).map(|group| format!("cn=group-{group:04},ou=groups,dc=example,dc=test"));
        let spec = self.idp.response(&self.acs_url, Timestamp::now()).to_request(id).signed(SignedParts::Both);
        let spec = spec.named(&person(index), NAME_ID_EMAIL).attribute(EMAIL_CLAIM, [person(index)]);
        let spec = spec.attribute(ROLE_ATTRIBUTE, ["staff"]).attribute("groups", groups);
        [("SAMLResponse", self.idp.sign(&spec)), ("RelayState", parameter(&url, "RelayState"))]
    }
}

/// Sends a request to this process for each item, and adds what that took.
pub async fn measured<T: Send + Sync + 'static>(
    process: u32,
    cost: &mut Cost,
    items: Vec<T>,
    status: u16,
    request: impl Fn(&T) -> reqwest::RequestBuilder + Send + Sync + 'static,
) -> Vec<tests::client::Answer> {
    let (begun, before) = (Instant::now(), cpu(process));
    let answers = send_all(items, status, request).await;
    cost.time += begun.elapsed();
    cost.cpu += cpu(process).saturating_sub(before);
    answers
}

/// The form that exchanges a code.
pub fn exchange_form<'a>(client_id: &'a str, code: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

pub fn person(index: usize) -> String {
    format!("person-{}@acme.test", index % PEOPLE)
}

/// Makes the account and its application; the account's path and the `client_id`.
pub async fn account(operator: &Client, name: &str) -> (String, String) {
    let account = json!({ "name": name, "display_name": name, "owner_email": "owner@acme.test" });
    let path = format!("/v1/accounts/{}", id(&created(operator, "/v1/accounts", &account).await));
    let application = json!({
        "portal": "admin", "name": "Console", "redirect_uris": [REDIRECT_URI], "allowed_origins": [ORIGIN],
        "initiate_login_uri": "https://app.example.test/login", "is_default": true,
    });
    let application = created(operator, &format!("{path}/applications"), &application).await;
    (path, id(&application).to_owned())
}

/// Makes the connection, enables it, and gives the ACS URL.
pub async fn connection(operator: &Client, account_path: &str, idp: &TestIdp) -> String {
    let connection = json!({
        "portal": "admin", "idp_entity_id": idp.entity_id, "login_url": "https://idp.example.test/sso",
        "certificates": [idp.identity.certificate_pem()], "provisioning": "just_in_time",
        "role_mappings": { "staff": ["organization_member"] },
    });
    let path = format!("{account_path}/saml-connections");
    let connection = created(operator, &path, &connection).await;
    operator.post(&format!("{path}/{}/enable", id(&connection)), &json!({})).await.expect(200);
    connection["acs_url"].as_str().expect("a URL").to_owned()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().expect("an id")
}

async fn created(operator: &Client, path: &str, body: &Value) -> Value {
    operator.post(path, body).await.expect(201)
}
