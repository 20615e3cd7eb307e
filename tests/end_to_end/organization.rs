//! An account with a frontend and a SAML connection, wherever Vestibule runs, set up over HTTP by an operator.

use serde_json::{Value, json};
use tests::browser::{Browser, Form, Place};
use tests::client::{Answer, Client, parameter};
use tests::tenant::{ORIGIN, REDIRECT_URI, VERIFIER, challenge};
use tests::tokens::verify;
use url::Url;

/// Value of `state` that the frontend expects back in the redirect.
const STATE: &str = "the-state";
/// Address of the frontend's page on which a sign-in begins.
pub const LOGIN_PAGE: &str = "https://app.example.test/login";

/// The account, and who acts for it.
pub struct Organization {
    /// Caller without credentials, as the login page is.
    pub anyone: Client,
    /// Operator of the installation, with an operator key.
    pub operator: Client,
    /// Entity id and ACS URL.
    pub acs_url: String,
    /// Path of the account's resource in the API.
    pub account_path: String,
    name: String,
    connection_path: String,
    client_id: String,
}

impl Organization {
    /// An account, the frontend of its `admin` portal, and a connection that is not set up yet.
    pub async fn create(anyone: Client, operator: Client, name: &str) -> Self {
        let account = json!({ "name": name, "display_name": name, "owner_email": format!("owner@{name}.test") });
        let account = operator.post("/v1/accounts", &account).await.expect(201);
        let account_path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
        let application = json!({
            "portal": "admin", "name": "Console", "redirect_uris": [REDIRECT_URI], "allowed_origins": [ORIGIN],
            "initiate_login_uri": LOGIN_PAGE, "is_default": true,
        });
        let application = operator.post(&format!("{account_path}/applications"), &application).await.expect(201);
        let connection = json!({
            "portal": "admin", "default_roles": ["organization_member"],
            "role_mappings": { "nac-team-lead": ["organization_owner"] },
        });
        let connection = operator.post(&format!("{account_path}/saml-connections"), &connection).await.expect(201);
        Self {
            acs_url: connection["acs_url"].as_str().unwrap().to_owned(),
            name: name.to_owned(),
            connection_path: format!("{account_path}/saml-connections/{}", connection["id"].as_str().unwrap()),
            account_path,
            client_id: application["id"].as_str().unwrap().to_owned(),
            anyone,
            operator,
        }
    }

    /// Changes the connection by a patch, as the operator.
    pub async fn configure(&self, patch: &Value) {
        self.operator.patch(&self.connection_path, patch).await.expect(200);
    }

    /// Tells where a page of the frontend is that mails lead to.
    pub async fn set_page(&self, page: &str, url: &str) {
        let application = format!("{}/applications/{}", self.account_path, self.client_id);
        self.operator.patch(&application, &json!({ "pages": { page: url } })).await.expect(200);
    }

    /// Imports the identity provider's metadata and switches the connection on.
    pub async fn connect(&self, metadata: &Value) {
        self.operator.post(&format!("{}/idp-metadata", self.connection_path), metadata).await.expect(200);
        self.enable().await;
    }

    /// Switches the connection on.
    pub async fn enable(&self) {
        self.operator.post(&format!("{}/enable", self.connection_path), &json!({})).await.expect(200);
    }

    /// The certificate that our requests are signed with, and that responses are encrypted for.
    pub async fn certificate(&self) -> String {
        self.operator.get(&format!("{}/sp-certificate", self.connection_path)).await.text
    }

    /// Starts a sign-in, as the login page does.
    pub async fn start(&self, email: Option<&str>) -> Answer {
        self.anyone.post("/v1/sso-sign-ins", &self.start_body(email)).await
    }

    /// The body of that.
    pub fn start_body(&self, email: Option<&str>) -> Value {
        json!({
            "account_name": self.name, "email": email, "client_id": self.client_id, "redirect_uri": REDIRECT_URI,
            "state": STATE, "code_challenge": challenge(), "code_challenge_method": "S256",
        })
    }

    /// Begins a sign-in in a browser, which arrives at the identity provider.
    pub async fn begin(&self, browser: &mut Browser, email: &str) -> Place {
        let started = self.start(Some(email)).await.expect(200);
        go(browser, &started["handoff"]).await
    }

    /// The whole way of a person, from the login page to the redirect back to the frontend.
    pub async fn sign_in(&self, email: &str, password: &str) -> Url {
        let mut browser = browser();
        let login = self.begin(&mut browser, email).await.page();
        let answered = browser.log_in(&login, email, password).await;
        browser.carry_on(answered).await.application()
    }

    /// Takes the code out of a successful redirect, as a careful frontend does (RFC 9207).
    #[track_caller]
    pub fn code(&self, redirected: &Url) -> String {
        assert!(!redirected.as_str().contains("token"), "{redirected}");
        assert_eq!(parameter(redirected, "state"), STATE, "{redirected}");
        assert!(self.acs_url.starts_with(&parameter(redirected, "iss")), "{redirected}");
        parameter(redirected, "code")
    }

    /// The form that exchanges a code.
    pub fn exchange_form<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 5] {
        let client = ("client_id", self.client_id.as_str());
        let uri = ("redirect_uri", REDIRECT_URI);
        [("grant_type", "authorization_code"), client, ("code", code), uri, ("code_verifier", VERIFIER)]
    }

    /// Exchanges the redirect's code, as the frontend does; gives the access token's claims, verified, and what
    /// `/v1/me` says of it.
    pub async fn finish(&self, redirected: &Url) -> (Value, Value) {
        let code = self.code(redirected);
        let tokens = self.anyone.form("/oauth/token", &self.exchange_form(&code)).await.expect(200);
        let token = tokens["access_token"].as_str().unwrap();
        let jwks = self.anyone.get("/.well-known/jwks.json").await.expect(200);
        let claims = verify(token, &jwks, &self.client_id).unwrap().claims;
        assert_eq!(claims["iss"], json!(parameter(redirected, "iss")));
        (claims, self.anyone.bearing(token).get("/v1/me").await.expect(200))
    }

    /// The newest sign-in attempt, whole.
    pub async fn last_attempt(&self) -> Value {
        let attempts = format!("{}/sign-in-attempts", self.account_path);
        let list = self.operator.get(&format!("{attempts}?limit=1")).await.expect(200);
        self.operator.get(&format!("{attempts}/{}", list["items"][0]["id"].as_str().unwrap())).await.expect(200)
    }
}

/// A person's browser, which comes back to the frontend.
pub fn browser() -> Browser {
    Browser::stopping_at("https://app.example.test/")
}

/// Takes a browser to the identity provider, by either binding.
pub async fn go(browser: &mut Browser, handoff: &Value) -> Place {
    if handoff["method"] == "post" {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = handoff["fields"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value)));
        return browser.submit(Form::post(handoff["action"].as_str().unwrap(), fields)).await;
    }
    browser.visit(handoff["url"].as_str().unwrap()).await
}
