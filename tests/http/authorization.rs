//! Authorization of every operation of the OpenAPI document, tried by each kind of caller (A3, A5). A new
//! operation without a row here fails.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Callers who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Every caller, also one without credentials.
    Public,
    /// Operators alone, by their key.
    Operator,
    /// Users who have a role in the account.
    Reader,
    /// Owners of the account.
    Owner,
    /// Signed-in users, about themselves.
    Oneself,
}

/// Access to the operations on users, invitations and their links.
fn people() -> Vec<(&'static str, Access)> {
    use Access::{Oneself, Owner, Public, Reader};
    vec![
        ("create_user", Owner),
        ("list_users", Reader),
        ("get_user", Reader),
        ("list_break_glass_users", Reader),
        ("create_break_glass_drill", Oneself),
        ("complete_break_glass_drill", Oneself),
        ("update_user", Owner),
        ("delete_user", Owner),
        ("import_users", Owner),
        ("create_invitation", Owner),
        ("list_invitations", Reader),
        ("get_invitation", Reader),
        ("resend_invitation", Owner),
        ("revoke_invitation", Owner),
        ("create_invitation_batch", Owner),
        ("inspect_invitation", Public),
        ("accept_invitation", Public),
        ("create_password_reset", Public),
        ("inspect_password_reset", Public),
        ("complete_password_reset", Public),
        ("create_magic_link_sign_in", Public),
        ("inspect_magic_link", Public),
        ("complete_magic_link_sign_in", Public),
    ]
}

/// Access to the operations of single sign-on.
fn sso() -> Vec<(&'static str, Access)> {
    use Access::{Owner, Reader};
    vec![
        ("create_saml_connection", Owner),
        ("list_saml_connections", Reader),
        ("get_saml_connection", Reader),
        ("update_saml_connection", Owner),
        ("delete_saml_connection", Owner),
        ("enable_saml_connection", Owner),
        ("disable_saml_connection", Owner),
        ("import_idp_metadata", Owner),
        ("create_test_sign_in", Owner),
        ("get_test_sign_in", Reader),
        ("get_sp_certificate", Reader),
        ("list_sp_keys", Reader),
        ("rotate_sp_key", Owner),
        ("get_sso_readiness", Reader),
        ("create_sso_migration", Owner),
        ("list_sso_migrations", Reader),
        ("get_sso_migration", Reader),
        ("list_sso_migration_rows", Reader),
        ("decide_sso_migration", Owner),
        ("sign_off_sso_migration", Owner),
        ("apply_sso_migration", Owner),
    ]
}

fn table() -> BTreeMap<&'static str, Access> {
    use Access::{Oneself, Operator, Owner, Public, Reader};
    let others = [
        ("create_account", Operator),
        ("list_accounts", Reader),
        ("get_account", Reader),
        ("update_account", Owner),
        ("get_account_settings", Reader),
        ("update_account_settings", Owner),
        ("create_account_link", Owner),
        ("list_account_links", Reader),
        ("get_account_link", Reader),
        ("accept_account_link", Owner),
        ("delete_account_link", Owner),
        ("create_sandbox", Owner),
        ("list_switchable_accounts", Oneself),
        ("create_account_switch", Oneself),
        ("create_account_pairing", Public),
        ("complete_account_pairing", Public),
        ("list_my_account_pairs", Oneself),
        ("delete_my_account_pair", Oneself),
        ("list_account_pairs", Reader),
        ("delete_account_pair", Owner),
        ("create_api_key", Owner),
        ("list_api_keys", Reader),
        ("get_api_key", Reader),
        ("delete_api_key", Owner),
        ("create_application", Owner),
        ("list_applications", Reader),
        ("get_application", Reader),
        ("update_application", Owner),
        ("delete_application", Owner),
        ("create_shared_application", Operator),
        ("list_shared_applications", Operator),
        ("get_shared_application", Operator),
        ("update_shared_application", Operator),
        ("delete_shared_application", Operator),
        ("list_sign_in_attempts", Reader),
        ("get_sign_in_attempt", Reader),
        ("list_sessions", Reader),
        ("delete_session", Owner),
        ("list_audit_events", Reader),
        ("list_installation_audit_events", Operator),
        ("get_me", Oneself),
        ("list_my_sessions", Oneself),
        ("delete_my_session", Oneself),
        ("change_my_password", Oneself),
        ("change_my_second_factor", Oneself),
        ("get_login_options", Public),
        ("create_sso_sign_in", Public),
        ("create_form_sign_in", Public),
        ("verify_mfa_code", Public),
        ("resend_mfa_code", Public),
        ("replace_temporary_password", Public),
        ("rotate_signing_keys", Operator),
        ("issue_token", Public),
        ("revoke_token", Public),
        ("get_jwks", Public),
        ("get_sp_metadata", Public),
        ("consume_saml_response", Public),
        ("begin_saml_sign_in", Public),
        ("get_liveness", Public),
        ("get_readiness", Public),
        ("get_metrics", Public),
        ("get_openapi", Public),
    ];
    people().into_iter().chain(sso()).chain(mail()).chain(others).collect()
}

fn mail() -> [(&'static str, Access); 9] {
    use Access::{Operator, Owner, Reader};
    [
        ("get_branding", Reader),
        ("replace_branding", Owner),
        ("list_mails", Operator),
        ("get_mail", Operator),
        ("send_test_mail", Operator),
        ("retry_mail", Operator),
        ("discard_mail", Operator),
        ("read_mailbox", Operator),
        ("clear_mailbox", Operator),
    ]
}

/// A body that is well-formed, so that who asks is what decides.
fn body(operation: &str, tenant: &Tenant) -> Value {
    let redirect_uris = json!(["https://app.example.test/x"]);
    match operation {
        "create_account" => json!({ "name": "made-by-matrix", "display_name": "M", "owner_email": "m@m.test" }),
        "create_user" => json!({ "portal": "admin", "username": "made-by-matrix" }),
        "create_application" | "create_shared_application" => {
            json!({ "portal": "admin", "name": "M", "redirect_uris": redirect_uris })
        }
        "change_my_password" => {
            json!({ "current_password": "tulip-anchor-copper-72", "new_password": "gravel orbit seventeen lamps" })
        }
        "create_break_glass_drill" => json!({ "current_password": "tulip-anchor-copper-72" }),
        "complete_break_glass_drill" => json!({ "pending_token": "x", "code": "012345" }),
        "change_my_second_factor" => {
            json!({ "recovery_email": "ann@home.test", "current_password": "tulip-anchor-copper-72" })
        }
        "create_account_link" => json!({ "other_account_id": "acc_00000000000000000000000000000000" }),
        "create_sandbox" => json!({ "name": "made-by-matrix-too", "display_name": "M" }),
        "create_account_switch" => switch_body(tenant),
        "create_account_pairing" => proof_body(tenant),
        "complete_account_pairing" => {
            let mut body = proof_body(tenant);
            body["pairing_token"] = json!("x");
            body
        }
        "create_api_key" => json!({ "name": "M", "scopes": ["read"] }),
        "create_saml_connection" => json!({ "portal": "self_service" }),
        "import_users" => json!({ "users": [{ "portal": "admin", "username": "imported-by-matrix" }] }),
        "create_invitation" => json!({ "portal": "admin", "email": "matrix@acme.test", "staged": true }),
        "create_invitation_batch" => {
            json!({ "portal": "admin", "staged": true, "invitations": [{ "email": "batch@acme.test" }] })
        }
        "inspect_invitation" | "inspect_password_reset" | "inspect_magic_link" => json!({ "token": "x" }),
        "accept_invitation" | "complete_password_reset" => {
            json!({ "token": "x", "password": "tulip-anchor-copper-72" })
        }
        "create_password_reset" => {
            json!({ "account_name": tenant.name, "identifier": "ann@acme.test", "client_id": tenant.client_id })
        }
        "create_sso_migration" => json!({ "portal": "admin", "direction": "require" }),
        "decide_sso_migration" => json!({ "decisions": [] }),
        "sign_off_sso_migration" => json!({ "digest": "0".repeat(64) }),
        "import_idp_metadata" => json!({ "metadata_xml": "<x/>" }),
        "create_sso_sign_in" => tenant.start_body(None),
        "create_magic_link_sign_in" => tenant.start_body(Some("ann@acme.test")),
        "complete_magic_link_sign_in" => tenant.link_body("x"),
        "send_test_mail" => json!({ "to": "ann@x.test" }),
        _ => json!({}),
    }
}

fn proof_body(tenant: &Tenant) -> Value {
    json!({ "client_id": tenant.client_id, "redirect_uri": "https://app.example.test/x", "code": "x", "code_verifier": "x" })
}

fn switch_body(tenant: &Tenant) -> Value {
    let mut body = tenant.start_body(None);
    body.as_object_mut().unwrap().retain(|name, _| !["account_name", "email"].contains(&name.as_str()));
    body["account_id"] = json!("acc_00000000000000000000000000000000");
    body
}

/// Operations that a key with every scope may call besides those that read.
const KEYS_MAY: [&str; 9] = [
    "create_user",
    "update_user",
    "delete_user",
    "import_users",
    "create_invitation",
    "resend_invitation",
    "revoke_invitation",
    "create_invitation_batch",
    "update_account_settings",
];

struct Operation {
    id: String,
    takes_api_keys: bool,
    method: Method,
    path: String,
    documented: Vec<String>,
}

async fn operations(app: &TestApp, tenant: &Tenant) -> Vec<Operation> {
    let document = app.anonymous().get("/openapi.json").await.expect(200);
    let mut found = vec![];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let Some(id) = operation["operationId"].as_str() else { continue };
            let documented = operation["responses"].as_object().unwrap().keys().cloned().collect();
            let schemes = operation["security"].as_array().into_iter().flatten();
            let takes_api_keys = schemes.filter_map(Value::as_object).any(|scheme| scheme.contains_key("api_key"));
            found.push(Operation { id: id.to_owned(), takes_api_keys, method, path: fill(path, tenant), documented });
        }
    }
    found
}

fn fill(path: &str, tenant: &Tenant) -> String {
    let nobody = "00000000000000000000000000000000";
    let hash = tenant.acs_url.rsplit('/').next().unwrap();
    path.replace("{account_id}", &tenant.account_id)
        .replace("{connection_id}", &tenant.connection_id)
        .replace("{application_id}", &tenant.client_id)
        .replace("{hash}", hash)
        .replace("{user_id}", &format!("usr_{nobody}"))
        .replace("{mail_id}", &format!("mail_{nobody}"))
        .replace("{api_key_id}", &format!("aky_{nobody}"))
        .replace("{session_id}", &format!("ses_{nobody}"))
        .replace("{invitation_id}", &format!("inv_{nobody}"))
        .replace("{migration_id}", &format!("mig_{nobody}"))
        .replace("{attempt_id}", &format!("att_{nobody}"))
        .replace("{link_id}", &format!("lnk_{nobody}"))
        .replace("{pair_id}", &format!("pair_{nobody}"))
}

async fn call(client: &Client, operation: &Operation, body: &Value) -> Answer {
    let request = client.request(operation.method.clone(), &operation.path);
    let has_body = [Method::POST, Method::PATCH, Method::PUT].contains(&operation.method);
    Answer::of(if has_body { request.json(body) } else { request }).await
}

/// Proves A3, A5: anonymous 401, outsider 404, wrong role 403; and no caller meets a 5xx.
#[both_engines]
async fn every_operation_answers_everybody_as_the_table_says(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let customers = Tenant::create_for(&app, "customers", "self_service").await;
    let outsider = other.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let member = tenant.sign_in(&app, "member@acme.test", Some(&["staff"])).await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let end_user = customers.sign_in(&app, "ann@customers.test", None).await;
    let table = table();
    let operations = operations(&app, &tenant).await;
    assert!(operations.len() > 35, "{}", operations.len());
    for operation in operations {
        let id = operation.id.as_str();
        let access = *table.get(id).unwrap_or_else(|| panic!("{id} has no row in the authorization table"));
        let body = body(id, &tenant);
        let callers = [
            ("anonymous", app.anonymous()),
            ("outsider", outsider.clone()),
            ("end user", end_user.clone()),
            ("member", member.clone()),
        ];
        let in_account = operation.path.starts_with("/v1/accounts/");
        for (who, client) in callers {
            let answer = call(&client, &operation, &body).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{who} {id}: {status} {}", answer.text);
            let is_documented = operation.documented.contains(&status.to_string());
            assert!(is_documented, "{who} {id}: {status} is not in the OpenAPI document: {}", answer.text);
            let wanted = match (access, who) {
                (Access::Public, _) => None,
                (_, "anonymous") => Some(401),
                (Access::Oneself, _) => None,
                (_, "outsider" | "end user") if in_account && access != Access::Operator => Some(404),
                (Access::Operator, _) | (Access::Owner, "member") | (_, "end user") => Some(403),
                _ => None,
            };
            match wanted {
                Some(wanted) => assert_eq!(status, wanted, "{who} {id}: {}", answer.text),
                None => {
                    assert!(!matches!(status, 401 | 403) || access == Access::Public, "{who} {id}: {}", answer.text);
                }
            }
        }
        let destructive = ["delete_saml_connection", "disable_saml_connection", "delete_application"].contains(&id);
        if access == Access::Owner && !destructive {
            let answer = call(&owner, &operation, &body).await;
            assert!(!matches!(answer.status.as_u16(), 401 | 403 | 500..), "owner {id}: {}", answer.text);
        }
    }
}

/// Proves A3, A5: what a key with every scope may do, which is what the document says; and nothing elsewhere.
#[both_engines]
async fn every_operation_answers_api_keys_as_the_table_says(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let every_scope = json!({ "name": "matrix", "scopes": ["read", "users:write", "settings:write"] });
    let mut keys = vec![];
    for account in [&tenant, &other] {
        let made = app.operator().post(&account.path("/api-keys"), &every_scope).await.expect(201);
        keys.push(app.anonymous().bearing(made["secret"].as_str().unwrap()));
    }
    let table = table();
    for operation in operations(&app, &tenant).await {
        let id = operation.id.as_str();
        let may = table[id] == Access::Reader || KEYS_MAY.contains(&id);
        assert_eq!(operation.takes_api_keys, may, "{id}: the document");
        if table[id] == Access::Public {
            continue;
        }
        let in_account = operation.path.starts_with("/v1/accounts/") && table[id] != Access::Operator;
        for (key, is_own) in keys.iter().zip([true, false]) {
            let answer = call(key, &operation, &body(id, &tenant)).await;
            let status = answer.status.as_u16();
            assert!(operation.documented.contains(&status.to_string()), "{id}: {status} {}", answer.text);
            match (is_own || !in_account, may) {
                (true, true) => assert!(!matches!(status, 401 | 403 | 500..), "{id}: {}", answer.text),
                (true, false) => assert_eq!(status, 403, "{id}: {}", answer.text),
                (false, _) => assert_eq!(status, 404, "{id}: {}", answer.text),
            }
        }
    }
}

/// Proves A5: ids of another account's things are not there, in this account or in theirs.
#[both_engines]
async fn another_accounts_things_are_not_there(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (mine, theirs) = (Tenant::create(&app, "mine").await, Tenant::create(&app, "theirs").await);
    let me = mine.sign_in(&app, "boss@mine.test", Some(&["nac-team-lead"])).await;
    let users = app.operator().get(&theirs.path("/users")).await.expect(200);
    let user = users["items"][0]["id"].as_str().unwrap();
    let resources = [
        format!("/users/{user}"),
        format!("/applications/{}", theirs.client_id),
        format!("/saml-connections/{}", theirs.connection_id),
        format!("/saml-connections/{}/sp-keys", theirs.connection_id),
        format!("/saml-connections/{}/sp-certificate", theirs.connection_id),
    ];
    for resource in resources {
        me.get(&theirs.path(&resource)).await.problem(404, "not_found");
        me.get(&mine.path(&resource)).await.problem(404, "not_found");
    }
    for resource in [format!("/users/{user}"), format!("/saml-connections/{}", theirs.connection_id)] {
        me.patch(&mine.path(&resource), &json!({})).await.problem(404, "not_found");
        me.delete(&mine.path(&resource)).await.problem(404, "not_found");
    }
    let accounts = me.get("/v1/accounts").await.expect(200);
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
}

/// Proves A5: an operator key opens everything, a revoked or invented one nothing.
#[both_engines]
async fn operator_keys_are_checked(db: TestDatabase) {
    let app = TestApp::start(db).await;
    app.operator().get("/v1/accounts").await.expect(200);
    app.operator().get("/v1/me").await.problem(403, "forbidden");
    for key in ["vop_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "vop_", "vop_x"] {
        app.anonymous().bearing(key).get("/v1/accounts").await.problem(401, "unauthenticated");
    }
}
