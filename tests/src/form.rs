//! Form login, as a login page does it.

use domain::UserId;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client, parameter};
use crate::tenant::{REDIRECT_URI, Tenant, challenge};

/// The password of every user who signs in by form here.
pub const PASSWORD: &str = "tulip-anchor-copper-72";

impl Tenant {
    /// A user of the portal with [`PASSWORD`]; `role` is none or the name of one. The email is the username at
    /// `acme.test`.
    pub async fn form_user(&self, app: &TestApp, username: &str, role: Option<&str>) -> UserId {
        let roles: Vec<&str> = role.into_iter().collect();
        let email = format!("{username}@acme.test");
        let user = json!({ "portal": self.portal, "username": username, "email": email, "roles": roles });
        let user = app.operator().post(&self.path("/users"), &user).await.expect(201);
        let id: UserId = user["id"].as_str().unwrap().parse().unwrap();
        app.give_password(id, self.account_id.parse().unwrap(), PASSWORD).await;
        id
    }

    /// The body of a form login.
    pub fn form_body(&self, identifier: &str, password: &str) -> Value {
        json!({
            "account_name": self.name, "identifier": identifier, "password": password, "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI, "state": "the-state", "code_challenge": challenge(),
            "code_challenge_method": "S256",
        })
    }

    /// Sends username or email, and password.
    pub async fn form_login(&self, client: &Client, identifier: &str, password: &str) -> Answer {
        client.post("/v1/form-sign-ins", &self.form_body(identifier, password)).await
    }

    /// Exchanges the code of a complete sign-in.
    pub async fn exchange_step(&self, app: &TestApp, step: &Value) -> Value {
        assert_eq!(step["status"], "complete", "{step}");
        let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
        assert_eq!((parameter(&url, "state").as_str(), parameter(&url, "iss").as_str()), ("the-state", app.issuer()));
        let code = parameter(&url, "code");
        app.anonymous().form("/oauth/token", &self.exchange_form(&code)).await.expect(200)
    }
}
