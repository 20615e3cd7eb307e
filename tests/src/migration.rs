//! An account on its way to SSO and back, as its owner leads it.

use domain::UserId;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client};
use crate::form::PASSWORD;
use crate::tenant::Tenant;

/// An owner who is a break-glass user, signed in by password.
pub struct Owner {
    /// Id of the user.
    pub id: UserId,
    /// Client that is signed in as the user.
    pub client: Client,
}

impl Tenant {
    /// Makes an owner and break-glass user of this name, and signs them in.
    pub async fn break_glass_owner(&self, app: &TestApp, username: &str) -> Owner {
        let id = self.form_user(app, username, Some("organization_owner")).await;
        let client = self.form_session(app, username).await;
        let path = self.path(&format!("/users/{id}"));
        app.operator().patch(&path, &json!({ "break_glass": true })).await.expect(200);
        self.prove_connection(app).await;
        Owner { id, client }
    }

    /// Records that a test sign-in passed through the connection as it is now; [`Self::pass_test`] does one.
    pub async fn prove_connection(&self, app: &TestApp) {
        let mut tx = app.database.store.begin().await.unwrap();
        let connections = storage::connections::list(&mut tx, self.account_id.parse().unwrap()).await.unwrap();
        let tested = connections.iter().find(|connection| connection.id.to_string() == self.connection_id).unwrap();
        storage::test_sign_ins::record_success(&mut tx, tested, app.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Does a test sign-in that succeeds.
    pub async fn pass_test(&self, app: &TestApp) {
        let pending = self.start_test(app).await;
        let response = self.response(app, &pending, "tester@acme.test", Some(&["staff"]));
        let page = self.post_response(app, &response, &pending.relay_state).await;
        assert!(page.text.contains("The test sign-in succeeded"), "{}", page.text);
    }

    /// A session of a form login.
    pub async fn form_session(&self, app: &TestApp, username: &str) -> Client {
        let tokens = self.form_tokens(app, username).await;
        app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
    }

    /// The tokens of a form login.
    pub async fn form_tokens(&self, app: &TestApp, username: &str) -> Value {
        let step = self.form_login(&app.anonymous(), username, PASSWORD).await.expect(200);
        self.exchange_step(app, &step).await
    }

    /// Plans a migration of the portal in this direction.
    pub async fn preview(&self, owner: &Client, direction: &str) -> Value {
        let body = json!({ "portal": self.portal, "direction": direction });
        owner.post(&self.path("/sso-migrations"), &body).await.expect(201)
    }

    /// Path to what is done with a migration: `rows`, `decisions`, `sign-off` or `apply`.
    pub fn migration_path(&self, migration: &Value, what: &str) -> String {
        self.path(&format!("/sso-migrations/{}/{what}", migration["id"].as_str().unwrap()))
    }

    /// Decides what becomes of a user.
    pub async fn decide(&self, owner: &Client, migration: &Value, user_id: &str, choice: &str) -> Value {
        let body = json!({ "decisions": [{ "user_id": user_id, "choice": choice }] });
        owner.patch(&self.migration_path(migration, "decisions"), &body).await.expect(200)
    }

    /// Signs a plan off.
    pub async fn sign_off(&self, owner: &Client, migration: &Value) -> Answer {
        let body = json!({ "digest": migration["digest"] });
        owner.post(&self.migration_path(migration, "sign-off"), &body).await
    }

    /// Applies the plan of a migration.
    pub async fn apply(&self, owner: &Client, migration: &Value) -> Answer {
        owner.post(&self.migration_path(migration, "apply"), &json!({})).await
    }

    /// Signs a plan off whose connection no test has proved as it is.
    pub async fn override_test(&self, owner: &Client, migration: &Value, reason: &str) -> Answer {
        let body = json!({ "digest": migration["digest"], "override_reason": reason });
        owner.post(&self.migration_path(migration, "sign-off"), &body).await
    }

    /// Takes a migration from the preview to the end, whether the connection was tested or not.
    pub async fn migrate(&self, owner: &Client, direction: &str) -> Value {
        let migration = self.preview(owner, direction).await;
        self.override_test(owner, &migration, "The test is about something else").await.expect(200);
        self.apply(owner, &migration).await.expect(200)
    }

    /// The row of a user in a plan.
    pub async fn row(&self, reader: &Client, migration: &Value, user_id: &str) -> Value {
        let rows = reader.get(&(self.migration_path(migration, "rows") + "?limit=200")).await.expect(200);
        let found = rows["items"].as_array().unwrap().iter().find(|row| row["user_id"] == user_id);
        found.unwrap_or_else(|| panic!("{user_id} is not in {rows}")).clone()
    }

    /// A user of the account, as the operator sees them.
    pub async fn user(&self, app: &TestApp, user_id: &str) -> Value {
        app.operator().get(&self.path(&format!("/users/{user_id}"))).await.expect(200)
    }

    /// A user with this email and no password.
    pub async fn user_with_email(&self, app: &TestApp, username: &str, email: Option<&str>) -> String {
        let body =
            json!({ "portal": self.portal, "username": username, "email": email, "roles": ["organization_member"] });
        let user = app.operator().post(&self.path("/users"), &body).await.expect(201);
        user["id"].as_str().unwrap().to_owned()
    }
}
