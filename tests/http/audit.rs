//! Every operation that changes something leaves its audit event (H3). A new one without a row here fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Operations that change nothing that an administrator set: sign-ins have their attempt, and their session its
/// own event; the mailbox of development is not in a database.
const NOT_ADMINISTRATIVE: &[&str] = &[
    "create_sso_sign_in",
    "consume_saml_response",
    "create_form_sign_in",
    "verify_mfa_code",
    "resend_mfa_code",
    "issue_token",
    "revoke_token",
    "inspect_invitation",
    "inspect_password_reset",
    "create_password_reset",
    "create_magic_link_sign_in",
    "inspect_magic_link",
    "complete_magic_link_sign_in",
    "clear_mailbox",
];

/// A change, and the event that it must leave.
struct Change {
    operation: &'static str,
    method: Method,
    path: String,
    body: Value,
    action: &'static str,
}

fn change(operation: &'static str, method: Method, path: &str, body: Value, action: &'static str) -> Change {
    Change { operation, method, path: path.to_owned(), body, action }
}

/// Changes of the account's people, in an order in which each can be made.
fn people_changes(tenant: &Tenant, user: &str) -> Vec<Change> {
    let users = tenant.path("/users");
    let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
    vec![
        change("create_user", post.clone(), &users, json!({ "portal": "admin", "username": "n" }), "user.created"),
        change(
            "import_users",
            post.clone(),
            &tenant.path("/user-imports"),
            json!({ "users": [{ "portal": "admin", "username": "i" }] }),
            "user.created",
        ),
        change(
            "create_invitation",
            post.clone(),
            &tenant.path("/invitations"),
            json!({ "portal": "admin", "email": "invited@acme.test", "staged": true }),
            "invitation.created",
        ),
        change(
            "create_invitation_batch",
            post,
            &tenant.path("/invitation-batches"),
            json!({ "portal": "admin", "staged": true, "invitations": [{ "email": "batch@acme.test" }] }),
            "invitation.created",
        ),
        change("update_user", patch, &format!("{users}/{user}"), json!({ "display_name": "D" }), "user.updated"),
        change("delete_user", delete, &format!("{users}/{user}"), json!({}), "user.deleted"),
    ]
}

/// Changes of the account's own things, in an order in which each can be made.
fn account_changes(tenant: &Tenant, sessions: [&str; 2]) -> Vec<Change> {
    let application = tenant.path(&format!("/applications/{}", tenant.client_id));
    let connection = tenant.connection_path();
    let new_application = json!({ "portal": "admin", "name": "N", "redirect_uris": ["https://n.example.test/cb"] });
    let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
    let off = "saml_connection.disabled";
    let mine = format!("/v1/me/sessions/{}", sessions[0]);
    let theirs = tenant.path(&format!("/sessions/{}", sessions[1]));
    vec![
        change("update_account", patch.clone(), &tenant.path(""), json!({ "display_name": "New" }), "account.updated"),
        change(
            "update_account_settings",
            patch.clone(),
            &tenant.path("/settings"),
            json!({ "require_email_mfa": true }),
            "account.settings_updated",
        ),
        change(
            "create_application",
            post.clone(),
            &tenant.path("/applications"),
            new_application,
            "application.created",
        ),
        change("update_application", patch.clone(), &application, json!({ "name": "Renamed" }), "application.updated"),
        change("update_saml_connection", patch, &connection, json!({ "button_text": "Go" }), "saml_connection.updated"),
        change(
            "rotate_sp_key",
            post.clone(),
            &format!("{connection}/sp-keys"),
            json!({}),
            "saml_connection.sp_key_rotated",
        ),
        change(
            "enable_saml_connection",
            post.clone(),
            &format!("{connection}/enable"),
            json!({}),
            "saml_connection.enabled",
        ),
        change(
            "create_test_sign_in",
            post.clone(),
            &format!("{connection}/test-sign-ins"),
            json!({}),
            "saml_connection.test_started",
        ),
        change("delete_session", delete.clone(), &theirs, json!({}), "session.ended"),
        change("disable_saml_connection", post.clone(), &format!("{connection}/disable"), json!({}), off),
        change("delete_saml_connection", delete.clone(), &connection, json!({}), "saml_connection.deleted"),
        change(
            "create_saml_connection",
            post,
            &tenant.path("/saml-connections"),
            json!({ "portal": "admin" }),
            "saml_connection.created",
        ),
        change("delete_my_session", delete, &mine, json!({}), "session.ended"),
    ]
}

async fn newest_action(app: &TestApp, tenant: &Tenant) -> (Value, Value) {
    let list = app.operator().get(&tenant.path("/audit-events?limit=1")).await.expect(200);
    (list["items"][0]["action"].clone(), list["items"][0]["actor"].clone())
}

/// Proves H3.
#[both_engines]
async fn every_administrative_change_leaves_its_event_with_who_did_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let member = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let session_of = |me: &Value| me["session"]["id"].as_str().unwrap().to_owned();
    let (me, ann) = (owner.get("/v1/me").await.expect(200), member.get("/v1/me").await.expect(200));
    let goner = json!({ "portal": "admin", "username": "goner" });
    let goner = app.operator().post(&tenant.path("/users"), &goner).await.expect(201);
    let sessions = [session_of(&me), session_of(&ann)];
    let mut changes = people_changes(&tenant, goner["id"].as_str().unwrap());
    changes.extend(account_changes(&tenant, [&sessions[0], &sessions[1]]));
    for change in &changes {
        let answer = Answer::of(owner.request(change.method.clone(), &change.path).json(&change.body)).await;
        assert!(answer.status.is_success(), "{}: {} {}", change.operation, answer.status, answer.text);
        let (action, actor) = newest_action(&app, &tenant).await;
        assert_eq!(action, change.action, "{}", change.operation);
        assert_eq!(actor["id"], me["user"]["id"], "{}", change.operation);
    }
    covers_every_mutation(&app, &changes).await;
}

/// Proves H3: metadata that was imported and an application that was removed are in the log too.
#[both_engines]
async fn an_import_and_a_removal_leave_their_events(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let xml = include_str!("idp_metadata.xml").replace("CERTIFICATE", &tenant.idp.identity.certificate().base64());
    let import = format!("{}/idp-metadata", tenant.connection_path());
    app.operator().post(&import, &json!({ "metadata_xml": xml })).await.expect(200);
    let (action, actor) = newest_action(&app, &tenant).await;
    assert_eq!(action, "saml_connection.idp_metadata_imported");
    assert_eq!(actor["kind"], "operator");
    let application = tenant.path(&format!("/applications/{}", tenant.client_id));
    assert_eq!(app.operator().delete(&application).await.status, 204);
    assert_eq!(newest_action(&app, &tenant).await.0, json!("application.deleted"));
}

/// Proves H3: what concerns no single account is in the installation's log, for operators alone.
#[both_engines]
async fn the_installation_has_a_log_of_its_own(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    assert_eq!(app.operator().post("/v1/signing-keys/rotations", &json!({})).await.status, 202);
    let list = app.operator().get("/v1/audit-events?action=signing_key.created&limit=1").await.expect(200);
    let event = &list["items"][0];
    assert_fields!(event, { "account_id": null, "actor": { "kind": "operator" } });
    assert_eq!(owner.get("/v1/audit-events").await.status, 403);
}

/// Rows of this file's other tests, and of the suites of accounts, tokens, passwords, invitations, owners,
/// migrations and mail.
const PROVEN_ELSEWHERE: &[&str] = &[
    "replace_branding",
    "send_test_mail",
    "retry_mail",
    "discard_mail",
    "change_my_password",
    "change_my_second_factor",
    "create_break_glass_drill",
    "complete_break_glass_drill",
    "create_account_link",
    "accept_account_link",
    "delete_account_link",
    "create_sandbox",
    "create_account_switch",
    "create_account_pairing",
    "complete_account_pairing",
    "delete_my_account_pair",
    "delete_account_pair",
    "create_api_key",
    "delete_api_key",
    "replace_temporary_password",
    "create_account",
    "import_idp_metadata",
    "delete_application",
    "create_shared_application",
    "update_shared_application",
    "delete_shared_application",
    "rotate_signing_keys",
    "create_sso_migration",
    "decide_sso_migration",
    "sign_off_sso_migration",
    "apply_sso_migration",
    "resend_invitation",
    "revoke_invitation",
    "accept_invitation",
    "complete_password_reset",
];

async fn covers_every_mutation(app: &TestApp, changes: &[Change]) {
    let document = app.anonymous().get("/openapi.json").await.expect(200);
    let mut proven: BTreeSet<&str> = changes.iter().map(|change| change.operation).collect();
    proven.extend(PROVEN_ELSEWHERE.iter().chain(NOT_ADMINISTRATIVE));
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            assert!(method == "get" || proven.contains(id), "{method} {path} ({id}) has no row in the audit table");
        }
    }
}
