//! An account with an application and an enabled SAML connection, set up over HTTP as an operator would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::sso::connection::{SamlConnection, SsoMode};
use mock_idp::message::{NAME_ID_EMAIL, ResponseSpec, SignedParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::TestApp;
use crate::client::{Answer, Client, parameter};
use crate::idp::{EMAIL_CLAIM, ROLE_ATTRIBUTE, TestIdp};

/// The `code_verifier` of every sign-in here.
pub const VERIFIER: &str = "a-code-verifier-that-is-long-enough-for-rfc-7636";
/// Redirect URI at which the frontend of every tenant waits.
pub const REDIRECT_URI: &str = "https://app.example.test/callback";
/// The browser origin of every tenant's frontend.
pub const ORIGIN: &str = "https://app.example.test";

/// The `code_challenge` of [`VERIFIER`].
pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// An account that is ready for SSO.
pub struct Tenant {
    /// Id of the account, in its text form.
    pub account_id: String,
    /// Name of the account, as sign-ins give it.
    pub name: String,
    /// The portal under test.
    pub portal: &'static str,
    /// `client_id` of the portal's application.
    pub client_id: String,
    /// Id of the portal's SAML connection.
    pub connection_id: String,
    /// Entity id and ACS URL.
    pub acs_url: String,
    /// The identity provider that the connection trusts.
    pub idp: TestIdp,
}

/// A sign-in on its way to the identity provider.
pub struct Pending {
    /// Answer of the API to the start.
    pub started: Value,
    /// The `ID` of the request.
    pub request_id: String,
    /// The handle that the browser carries.
    pub relay_state: String,
}

impl Pending {
    /// Reads the answer to a start by redirect.
    pub fn of(started: Value) -> Self {
        let url: url::Url = started["handoff"]["url"].as_str().unwrap().parse().unwrap();
        let request = saml::decode_redirect_binding(&parameter(&url, "SAMLRequest")).unwrap();
        let request_id = request.split(" ID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { started, request_id, relay_state: parameter(&url, "RelayState") }
    }
}

impl Tenant {
    /// An account's `admin` portal, with `staff` mapped to member and `nac-team-lead` to owner.
    pub async fn create(app: &TestApp, name: &str) -> Self {
        Self::create_for(app, name, "admin").await
    }

    /// The same for a portal.
    pub async fn create_for(app: &TestApp, name: &str, portal: &'static str) -> Self {
        let operator = app.operator();
        let account = operator
            .post(
                "/v1/accounts",
                &json!({ "name": name, "display_name": name.to_uppercase(), "owner_email": format!("owner@{name}.test") }),
            )
            .await
            .expect(201);
        let account_id = account["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/accounts/{account_id}");
        let application = operator
            .post(
                &format!("{path}/applications"),
                &json!({
                    "portal": portal, "name": "Console", "redirect_uris": [REDIRECT_URI], "allowed_origins": [ORIGIN],
                    "initiate_login_uri": "https://app.example.test/login", "is_default": true,
                }),
            )
            .await
            .expect(201);
        let idp = TestIdp::trusted();
        let connection = operator
            .post(
                &format!("{path}/saml-connections"),
                &json!({
                    "portal": portal, "idp_entity_id": idp.entity_id, "login_url": "https://idp.example.test/sso",
                    "certificates": [idp.identity.certificate_pem()], "provisioning": "just_in_time",
                    "role_mappings": { "staff": ["organization_member"], "nac-team-lead": ["organization_owner"] },
                }),
            )
            .await
            .expect(201);
        let connection_id = connection["id"].as_str().unwrap().to_owned();
        operator.post(&format!("{path}/saml-connections/{connection_id}/enable"), &json!({})).await.expect(200);
        Self {
            account_id,
            name: name.to_owned(),
            portal,
            client_id: application["id"].as_str().unwrap().to_owned(),
            connection_id,
            acs_url: connection["acs_url"].as_str().unwrap().to_owned(),
            idp,
        }
    }

    /// A path of the account.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/accounts/{}{rest}", self.account_id)
    }

    /// Path of the connection's resource.
    pub fn connection_path(&self) -> String {
        self.path(&format!("/saml-connections/{}", self.connection_id))
    }

    /// The path of the ACS, without the origin.
    pub fn acs_path(&self) -> String {
        url::Url::parse(&self.acs_url).unwrap().path().to_owned()
    }

    /// Registers the pages of the frontend that mails lead to, and takes away what that mails: the first owner's
    /// invitation.
    pub async fn set_pages(&self, app: &TestApp) {
        self.register_pages(app).await;
        app.mailbox().await;
        app.world.mail_server().forget();
    }

    /// Registers the pages of the frontend that mails lead to.
    pub async fn register_pages(&self, app: &TestApp) {
        let pages = json!({
            "accept_invitation": "https://app.example.test/accept", "reset_password": "https://app.example.test/reset",
            "magic_link": "https://app.example.test/magic", "login": "https://app.example.test/login",
        });
        let application = self.path(&format!("/applications/{}", self.client_id));
        app.operator().patch(&application, &json!({ "pages": pages })).await.expect(200);
    }

    /// Requires SSO of the portal, as a signed-off plan does.
    pub async fn require_sso(&self, app: &TestApp) {
        let mut tx = app.database.store.begin().await.unwrap();
        let mut connections = storage::connections::list(&mut tx, self.account_id.parse().unwrap()).await.unwrap();
        let before = connections.remove(0);
        let required = SamlConnection { mode: SsoMode::Required, ..before.clone() };
        storage::connections::update(&mut tx, &required, before.updated_at).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The body that starts a sign-in.
    pub fn start_body(&self, email: Option<&str>) -> Value {
        json!({
            "account_name": self.name, "email": email, "client_id": self.client_id, "redirect_uri": REDIRECT_URI,
            "state": "the-state", "code_challenge": challenge(), "code_challenge_method": "S256",
        })
    }

    /// The body that signs in by a magic link.
    pub fn link_body(&self, token: &str) -> Value {
        json!({
            "token": token, "client_id": self.client_id, "redirect_uri": REDIRECT_URI, "state": "the-state",
            "code_challenge": challenge(), "code_challenge_method": "S256",
        })
    }

    /// Starts a sign-in through SSO, as the login page does.
    pub async fn start(&self, app: &TestApp, email: Option<&str>) -> Pending {
        Pending::of(app.anonymous().post("/v1/sso-sign-ins", &self.start_body(email)).await.expect(200))
    }

    /// Begins a test sign-in, as an operator.
    pub async fn start_test(&self, app: &TestApp) -> Pending {
        let tests = format!("{}/test-sign-ins", self.connection_path());
        Pending::of(app.operator().post(&tests, &json!({})).await.expect(201))
    }

    /// Result of a test sign-in, as the operator reads it.
    pub async fn test(&self, app: &TestApp, pending: &Pending) -> Value {
        let id = pending.started["attempt_id"].as_str().unwrap();
        app.operator().get(&format!("{}/test-sign-ins/{id}", self.connection_path())).await.expect(200)
    }

    /// Switches the connection off; its settings stay.
    pub async fn disable_sso(&self, app: &TestApp) {
        app.operator().post(&format!("{}/disable", self.connection_path()), &json!({})).await.expect(200);
    }

    /// An honest response to a sign-in: both parts signed, the email as attribute and `NameID`, these role values.
    pub fn response(&self, app: &TestApp, pending: &Pending, email: &str, roles: Option<&[&str]>) -> ResponseSpec {
        let spec = self.idp.response(&self.acs_url, app.now()).to_request(&pending.request_id);
        let spec = spec.named(email, NAME_ID_EMAIL).attribute(EMAIL_CLAIM, [email]).signed(SignedParts::Both);
        match roles {
            Some(roles) => spec.attribute(ROLE_ATTRIBUTE, roles.iter().copied()),
            None => spec,
        }
    }

    /// Posts a response to the ACS, as the browser does.
    pub async fn post_response(&self, app: &TestApp, spec: &ResponseSpec, relay_state: &str) -> Answer {
        self.post_value(app, &self.idp.sign(spec), relay_state).await
    }

    /// Posts any text as `SAMLResponse`.
    pub async fn post_value(&self, app: &TestApp, saml_response: &str, relay_state: &str) -> Answer {
        let fields = [("SAMLResponse", saml_response), ("RelayState", relay_state)];
        app.anonymous().form(&self.acs_path(), &fields).await
    }

    /// Signs in from the start to the code.
    pub async fn code(&self, app: &TestApp, email: &str, roles: Option<&[&str]>) -> String {
        let pending = self.start(app, Some(email)).await;
        let spec = self.response(app, &pending, email, roles);
        let answer = self.post_response(app, &spec, &pending.relay_state).await;
        parameter(&answer.location(), "code")
    }

    /// The form that exchanges a code.
    pub fn exchange_form<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ]
    }

    /// Signs in from the start to the tokens.
    pub async fn tokens(&self, app: &TestApp, email: &str, roles: Option<&[&str]>) -> Value {
        let code = self.code(app, email, roles).await;
        app.anonymous().form("/oauth/token", &self.exchange_form(&code)).await.expect(200)
    }

    /// Signs a user in through SSO and gives their client.
    pub async fn sign_in(&self, app: &TestApp, email: &str, roles: Option<&[&str]>) -> Client {
        let tokens = self.tokens(app, email, roles).await;
        app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
    }

    /// Refreshes by a token in the body.
    pub async fn refresh(&self, app: &TestApp, refresh_token: &str) -> Answer {
        self.refresh_as(&app.anonymous(), refresh_token).await
    }

    /// The same, sent by this program.
    pub async fn refresh_as(&self, client: &Client, refresh_token: &str) -> Answer {
        let fields =
            [("grant_type", "refresh_token"), ("client_id", &self.client_id), ("refresh_token", refresh_token)];
        client.form("/oauth/token", &fields).await
    }

    /// The newest sign-in attempt, whole.
    pub async fn last_attempt(&self, app: &TestApp) -> Value {
        let list = app.operator().get(&self.path("/sign-in-attempts?limit=1")).await.expect(200);
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        app.operator().get(&self.path(&format!("/sign-in-attempts/{id}"))).await.expect(200)
    }
}
