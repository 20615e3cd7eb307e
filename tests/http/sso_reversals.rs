//! Going back from required SSO (F4), and the temporary passwords that go with it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Password that a user chooses in place of a temporary one.
const CHOSEN: &str = "gravel orbit seventeen lamps";

/// The temporary password of the last mail to this address.
async fn temporary_password(app: &TestApp, to: &str) -> String {
    let mailbox = app.mailbox().await;
    let text = mailbox.last_to(to).mail().text.clone();
    let line = text.lines().find_map(|line| line.strip_prefix("Temporary password: "));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// Proves F4, F5, I3: usernames, statuses and roles are as before; the mode is off and the connection stays staged; who
/// has no password gets one; and both migrations stay on record.
#[both_engines]
async fn going_back_puts_everything_back(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await.to_string();
    tenant.form_session(&app, "ann").await;
    let double = tenant.user_with_email(&app, "ann.old", Some("ann@acme.test")).await;
    let before = (tenant.user(&app, &ann).await, tenant.user(&app, &double).await);
    let required = tenant.migrate(&root.client, "require").await;
    let settings = app.operator().get(&tenant.connection_path()).await.expect(200);
    let by_saml = tenant.sign_in(&app, "jit@acme.test", Some(&["staff"])).await;

    let plan = tenant.preview(&root.client, "revert").await;
    assert_fields!(plan, { "reverts": required["id"], "blockers": [] });
    let row = tenant.row(&root.client, &plan, &double).await;
    assert_fields!(row, { "action": "restore", "choices": ["restore", "keep"] });
    tenant.sign_off(&root.client, &plan).await.expect(200);
    tenant.apply(&root.client, &plan).await.expect(200);

    for before in [&before.0, &before.1] {
        let after = tenant.user(&app, before["id"].as_str().unwrap()).await;
        for property in ["username", "email", "status", "roles", "exempt", "break_glass"] {
            assert_eq!(after[property], before[property], "{property} {after}");
        }
    }
    let connection = app.operator().get(&tenant.connection_path()).await.expect(200);
    assert_fields!(connection, { "mode": "off", "certificates": settings["certificates"] });
    let options = app.anonymous().get("/v1/login-options?account_name=acme&portal=admin").await.expect(200);
    assert_fields!(options, { "methods": [{ "kind": "form" }], "password_reset": { "enabled": true } });
    by_saml.get("/v1/me").await.problem(401, "session_expired");
    root.client.get("/v1/me").await.expect(200);
    tenant.form_session(&app, "ann").await;
    let mailbox = app.mailbox().await;
    let told = |words: &str| mailbox.to("ann@acme.test").iter().any(|mail| mail.mail().text.contains(words));
    assert!(told("Sign in as you did before") && told("Username: ann.old"), "the two who share the email again");
    let about_sso = |text: &str| text.contains("single sign-on");
    assert!(!mailbox.to("root@acme.test").iter().any(|mail| about_sso(&mail.mail().text)));
    temporary_password(&app, "jit@acme.test").await;
    let states = app.operator().get(&tenant.path("/sso-migrations")).await.expect(200);
    let states: Vec<&Value> = states["items"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["applied", "reverted"]);
    let row = tenant.row(&app.operator(), &required, &ann).await;
    assert_eq!(row["action"], "rename", "what was done stays readable");
    let again = tenant.preview(&root.client, "revert").await;
    assert_eq!(again["blockers"], json!(["wrong_mode"]));
}

/// Proves F4, B5: a temporary password lets its user in once, to choose another one, and within its time.
#[both_engines]
async fn a_temporary_password_is_changed_at_the_first_login(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.migrate(&root.client, "require").await;
    for email in ["cy@acme.test", "di@acme.test"] {
        tenant.sign_in(&app, email, Some(&["staff"])).await;
    }
    tenant.migrate(&root.client, "revert").await;
    let password = temporary_password(&app, "cy@acme.test").await;
    let step = tenant.form_login(&app.anonymous(), "cy@acme.test", &password).await.expect(200);
    assert_eq!(step["status"], "password_change_required", "{step}");
    let change = async |chosen: &str| {
        let body = json!({ "pending_token": step["pending_token"], "new_password": chosen });
        app.anonymous().post("/v1/form-sign-ins/password", &body).await
    };
    change(&password).await.problem(422, "invalid_input");
    let complete = change(CHOSEN).await.expect(200);
    tenant.exchange_step(&app, &complete).await;
    let again = tenant.form_login(&app.anonymous(), "cy@acme.test", &password).await;
    again.problem(401, "login_incorrect_credentials");
    tenant.form_login(&app.anonymous(), "cy@acme.test", CHOSEN).await.expect(200);
    let events = app.operator().get(&tenant.path("/audit-events?action=user.temporary_password_set")).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 3, "the two, and the invited first owner");
    assert!(!events.to_string().contains(&password));
    let password = temporary_password(&app, "di@acme.test").await;
    app.world.clock.advance(SignedDuration::from_hours(24 * 14));
    let late = tenant.form_login(&app.anonymous(), "di@acme.test", &password).await;
    late.problem(401, "login_incorrect_credentials");
}

/// Proves F4: an owner may leave names and duplicates as they are, and a name that another user took since is a
/// conflict.
#[both_engines]
async fn an_owner_decides_what_is_put_back(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let ann = tenant.user_with_email(&app, "ann", Some("ann@acme.test")).await;
    let double = tenant.user_with_email(&app, "ann.old", Some("ann@acme.test")).await;
    let kept = tenant.migrate(&root.client, "require").await;
    let stays = tenant.row(&root.client, &kept, &ann).await["action"] == "rename";
    let (ann, double) = if stays { (ann, double) } else { (double, ann) };
    let name = if stays { "ann" } else { "ann.old" };
    tenant.user_with_email(&app, name, Some("new@acme.test")).await;
    let plan = tenant.preview(&root.client, "revert").await;
    let row = tenant.row(&root.client, &plan, &ann).await;
    assert_fields!(row, { "action": "conflict", "kind": "username_taken", "choices": ["keep"] });
    tenant.decide(&root.client, &plan, &ann, "keep").await;
    let plan = tenant.decide(&root.client, &plan, &double, "keep").await;
    tenant.sign_off(&root.client, &plan).await.expect(200);
    tenant.apply(&root.client, &plan).await.expect(200);
    assert_eq!(tenant.user(&app, &ann).await["username"], "ann@acme.test");
    assert_eq!(tenant.user(&app, &double).await["status"], "archived");
    let path = tenant.path(&format!("/users/{double}"));
    app.operator().patch(&path, &json!({ "status": "active" })).await.problem(409, "user_archived");
    assert_eq!(app.operator().delete(&path).await.status, 204);
    tenant.form_login(&app.anonymous(), "root", PASSWORD).await.expect(200);
}
