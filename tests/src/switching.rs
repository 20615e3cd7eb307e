//! Accounts that are linked, users who are paired, and switches between them, as owners and frontends make them (G1).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client, parameter};
use crate::form::PASSWORD;
use crate::idp::TestIdp;
use crate::tenant::{REDIRECT_URI, Tenant, VERIFIER, challenge};

/// Path of a switch.
pub const SWITCHES: &str = "/v1/me/account-switches";
/// Path of the places to switch to.
pub const PLACES: &str = "/v1/me/switchable-accounts";

/// A frontend that serves every account; gives its `client_id`.
pub async fn shared_frontend(app: &TestApp) -> String {
    let console = json!({ "portal": "admin", "name": "Console", "redirect_uris": [REDIRECT_URI] });
    let made = app.operator().post("/v1/applications", &console).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// The body of a switch.
pub fn switch_body(account_id: &str, client_id: &str) -> Value {
    json!({
        "account_id": account_id, "client_id": client_id, "redirect_uri": REDIRECT_URI, "state": "the-state",
        "code_challenge": challenge(), "code_challenge_method": "S256",
    })
}

/// Asks for a switch.
pub async fn switch(client: &Client, account_id: &str, client_id: &str) -> Answer {
    client.post(SWITCHES, &switch_body(account_id, client_id)).await
}

/// The code that a step ends with.
#[track_caller]
pub fn code(step: &Value) -> String {
    assert_eq!(step["status"], "complete", "{step}");
    let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
    parameter(&url, "code")
}

/// Exchanges a code, as this frontend.
pub async fn exchange(app: &TestApp, code: &str, client_id: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    app.anonymous().form("/oauth/token", &form).await
}

/// Switches from a session to the tokens of one in the other account.
pub async fn switched(app: &TestApp, client: &Client, account_id: &str, client_id: &str) -> Value {
    let step = switch(client, account_id, client_id).await.expect(200);
    exchange(app, &code(&step), client_id).await.expect(200)
}

/// The newest actions of an account's audit log.
pub async fn actions(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    let events = app.operator().get(&tenant.path("/audit-events?limit=20")).await.expect(200);
    events["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect()
}

impl Tenant {
    /// The owner `ann` at `ann@acme.test`, signed in by form.
    pub async fn ann(&self, app: &TestApp) -> Client {
        let id = self.form_user(app, "ann", Some("organization_owner")).await;
        let client = self.by_form(app, "ann").await;
        let path = self.path(&format!("/users/{id}"));
        app.operator().patch(&path, &json!({ "break_glass": true })).await.expect(200);
        client
    }

    /// A user with [`PASSWORD`], signed in by form.
    pub async fn by_form(&self, app: &TestApp, username: &str) -> Client {
        let step = self.form_login(&app.anonymous(), username, PASSWORD).await.expect(200);
        let tokens = self.exchange_step(app, &step).await;
        app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
    }

    /// Links the account with another one; gives the path of the link here.
    pub async fn link_with(&self, app: &TestApp, other: &Self, accepting: &Client) -> String {
        let asked = json!({ "other_account_id": other.account_id });
        let link = app.operator().post(&self.path("/links"), &asked).await.expect(201);
        let id = link["id"].as_str().unwrap();
        accepting.post(&other.path(&format!("/links/{id}/accept")), &json!({})).await.expect(200);
        self.path(&format!("/links/{id}"))
    }

    /// The sandbox that an answer is about, with the application of this account, which serves it.
    #[must_use]
    pub fn sandbox(&self, made: &Value) -> Self {
        Self {
            account_id: made["other_account_id"].as_str().unwrap().to_owned(),
            name: made["other_account"]["name"].as_str().unwrap().to_owned(),
            portal: self.portal,
            client_id: self.client_id.clone(),
            connection_id: String::new(),
            acs_url: String::new(),
            idp: TestIdp::trusted(),
        }
    }
}

/// Path of the first step of a pairing.
pub const PAIRINGS: &str = "/v1/account-pairings";
/// Path of its second step.
pub const COMPLETE: &str = "/v1/account-pairings/complete";

impl Tenant {
    /// A proof of a user: the code of a form login that was made for it, as the first step of a pairing takes it.
    pub async fn proof(&self, app: &TestApp, username: &str) -> Value {
        self.proof_of(&self.form_login(&app.anonymous(), username, PASSWORD).await.expect(200))
    }

    /// The same of a step that is complete.
    pub fn proof_of(&self, step: &Value) -> Value {
        json!({
            "client_id": self.client_id, "redirect_uri": REDIRECT_URI, "code": code(step), "code_verifier": VERIFIER,
        })
    }

    /// The token of a pairing that a user has begun.
    pub async fn pairing(&self, app: &TestApp, username: &str) -> String {
        let begun = app.anonymous().post(PAIRINGS, &self.proof(app, username).await).await.expect(200);
        begun["pairing_token"].as_str().unwrap().to_owned()
    }

    /// Completes a pairing as a user of this account.
    pub async fn complete_pairing(&self, app: &TestApp, username: &str, token: &str) -> Answer {
        let mut proof = self.proof(app, username).await;
        proof["pairing_token"] = json!(token);
        app.anonymous().post(COMPLETE, &proof).await
    }

    /// Pairs a user with the user of the same name in another account.
    pub async fn pair_with(&self, app: &TestApp, other: &Self, username: &str) -> Value {
        let token = self.pairing(app, username).await;
        other.complete_pairing(app, username, &token).await.expect(200)
    }
}
