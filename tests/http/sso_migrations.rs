//! Requiring SSO (F1 to F3, F5): previewed, decided upon, signed off, applied.

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

async fn events(app: &TestApp, tenant: &Tenant, action: &str) -> usize {
    let list = app.operator().get(&tenant.path(&format!("/audit-events?action={action}"))).await.expect(200);
    list["items"].as_array().unwrap().len()
}

async fn usernames(app: &TestApp, tenant: &Tenant) -> Vec<String> {
    let list = app.operator().get(&tenant.path("/users?limit=200")).await.expect(200);
    list["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// Proves F1, F2, F3, F5, A4: a preview changes nothing; what was signed is what is done; and it stays on record.
#[both_engines]
async fn an_owner_previews_signs_off_and_applies(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await.to_string();
    let session = tenant.form_session(&app, "ann").await;
    let double = tenant.user_with_email(&app, "ann.old", Some("Ann@acme.test")).await;
    let before = usernames(&app, &tenant).await;
    let plan = tenant.preview(&root.client, "require").await;
    assert_fields!(plan, { "state": "previewed", "blockers": [] });
    assert_eq!(plan["counts"]["mails"], json!({ "sso_required": 1 }));
    let row = tenant.row(&root.client, &plan, &ann).await;
    assert_fields!(row, { "action": "rename", "from": "ann", "to": "ann@acme.test" });
    let row = tenant.row(&root.client, &plan, &double).await;
    assert_fields!(row, { "action": "remove_duplicate", "stays": ann, "rule": "status" });
    assert_eq!(usernames(&app, &tenant).await, before);
    session.get("/v1/me").await.expect(200);

    tenant.apply(&root.client, &plan).await.problem(409, "migration_not_signed_off");
    let other = json!({ "digest": "0".repeat(64), "id": plan["id"] });
    tenant.sign_off(&root.client, &other).await.problem(409, "migration_outdated");
    tenant.sign_off(&app.operator(), &plan).await.problem(403, "forbidden");
    let signed = tenant.sign_off(&root.client, &plan).await.expect(200);
    assert_fields!(signed, { "state": "signed_off", "signed_off": { "by": root.id.to_string() } });
    let applied = tenant.apply(&root.client, &plan).await.expect(200);
    assert_eq!(applied["state"], "applied");
    let effects = &applied["applied"];
    assert_fields!(effects, { "sessions_ended": 1, "links_ended": 0 }, "ann's session");
    let record = app.operator().get(&tenant.path(&format!("/sso-migrations/{}", plan["id"].as_str().unwrap()))).await;
    assert_eq!(record.expect(200)["applied"], *effects);

    let renamed = tenant.user(&app, &ann).await;
    assert_fields!(renamed, { "username": "ann@acme.test", "status": "active" });
    assert_eq!(tenant.user(&app, &double).await["status"], "archived");
    assert!(!usernames(&app, &tenant).await.contains(&"ann.old".to_owned()), "an archived user is in no list");
    let found = app.operator().get(&tenant.path("/users?q=ann%40acme")).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let connection = app.operator().get(&tenant.connection_path()).await.expect(200);
    assert_eq!(connection["mode"], "required");
    session.get("/v1/me").await.problem(401, "session_expired");
    root.client.get("/v1/me").await.expect(200);
    let by_saml = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    assert_eq!(by_saml.get("/v1/me").await.expect(200)["user"]["id"], json!(ann));
    let mailbox = app.mailbox().await;
    let told = |to: &str| mailbox.to(to).iter().filter(|mail| mail.mail().text.contains("/saml/")).count();
    assert_eq!((told("ann@acme.test"), told("root@acme.test")), (1, 0));

    for action in ["previewed", "signed_off", "applied"] {
        assert_eq!(events(&app, &tenant, &format!("sso_migration.{action}")).await, 1, "{action}");
    }
    let row = tenant.row(&app.operator(), &plan, &ann).await;
    assert_fields!(row, { "before": { "username": "ann" }, "after": { "username": "ann@acme.test" } });
}

/// Proves F2: what changed since a preview, or since the signature, makes it worthless; and so does its age.
#[both_engines]
async fn a_plan_that_rests_on_what_was_is_not_carried_out(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await.to_string();
    let change = async |name: &str| {
        let path = tenant.path(&format!("/users/{ann}"));
        app.operator().patch(&path, &json!({ "display_name": name })).await.expect(200);
    };
    let plan = tenant.preview(&root.client, "require").await;
    change("one").await;
    tenant.sign_off(&root.client, &plan).await.problem(409, "migration_outdated");
    let plan = tenant.preview(&root.client, "require").await;
    tenant.sign_off(&root.client, &plan).await.expect(200);
    change("two").await;
    tenant.apply(&root.client, &plan).await.problem(409, "migration_outdated");
    let plan = tenant.preview(&root.client, "require").await;
    tenant.sign_off(&root.client, &plan).await.expect(200);
    tenant.user_with_email(&app, "new", Some("new@acme.test")).await;
    tenant.apply(&root.client, &plan).await.problem(409, "migration_outdated");
    let old = tenant.preview(&root.client, "require").await;
    tenant.sign_off(&root.client, &old).await.expect(200);
    let plan = tenant.preview(&root.client, "require").await;
    tenant.apply(&root.client, &old).await.problem(409, "migration_over");
    tenant.sign_off(&root.client, &plan).await.expect(200);
    app.world.clock.advance(jiff::SignedDuration::from_hours(24));
    let root = tenant.form_session(&app, "root").await;
    tenant.apply(&root, &plan).await.problem(409, "migration_not_signed_off");
    assert_eq!(tenant.user(&app, &ann).await["username"], "ann");
}

/// Proves F1, A4: conflicts wait for a decision, and only what a row offers can be decided.
#[both_engines]
async fn conflicts_wait_for_a_decision(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let nobody = tenant.user_with_email(&app, "nobody", None).await;
    let double = tenant.user_with_email(&app, "second.root", Some("root@acme.test")).await;
    let plan = tenant.preview(&root.client, "require").await;
    assert_eq!(plan["blockers"], json!(["undecided_conflicts"]));
    let conflicts = tenant.migration_path(&plan, "rows") + "?action=conflict";
    let conflicts = root.client.get(&conflicts).await.expect(200);
    let kinds: Vec<&Value> = conflicts["items"].as_array().unwrap().iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["break_glass_duplicate", "no_email", "break_glass_duplicate"]);
    let problem = tenant.sign_off(&root.client, &plan).await.problem(409, "migration_blocked");
    assert_eq!(problem["errors"][0]["pointer"], "/blockers/undecided_conflicts");
    let decide = tenant.migration_path(&plan, "decisions");
    let decided = async |user: &str, choice: &str| {
        let body = json!({ "decisions": [{ "user_id": user, "choice": choice }] });
        root.client.patch(&decide, &body).await
    };
    let own = root.id.to_string();
    for (user, choice) in [(own.as_str(), "remove"), (nobody.as_str(), "remove"), (double.as_str(), "restore")] {
        let problem = decided(user, choice).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/decisions/0/choice");
    }
    decided("usr_00000000000000000000000000000000", "keep").await.problem(422, "invalid_input");
    decided(&own, "exempt").await.expect(200);
    let plan = decided(&nobody, "keep").await.expect(200);
    assert_eq!(plan["blockers"], json!([]));
    tenant.sign_off(&root.client, &plan).await.expect(200);
    tenant.apply(&root.client, &plan).await.expect(200);
    let root = tenant.user(&app, &own).await;
    assert_fields!(root, { "email": null, "recovery_email": "root@acme.test" });
    assert_eq!(tenant.user(&app, &double).await["username"], "root@acme.test");
}

/// Proves F3: of two owners who apply at once, and of one who applies twice, one does; no user is mailed twice.
#[both_engines]
async fn a_plan_is_applied_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (ann, bo) = (tenant.break_glass_owner(&app, "ann").await, tenant.break_glass_owner(&app, "bo").await);
    tenant.form_user(&app, "cy", Some("organization_member")).await;
    let plan = tenant.preview(&ann.client, "require").await;
    tenant.sign_off(&bo.client, &plan).await.expect(200);
    let (one, other) = tokio::join!(tenant.apply(&ann.client, &plan), tenant.apply(&bo.client, &plan));
    assert_eq!(one.expect(200)["applied"], other.expect(200)["applied"]);
    tenant.apply(&ann.client, &plan).await.expect(200);
    assert_eq!(events(&app, &tenant, "sso_migration.applied").await, 1);
    assert_eq!(app.mailbox().await.to("cy@acme.test").len(), 1);
    let again = tenant.preview(&ann.client, "require").await;
    assert_eq!(again["blockers"], json!(["wrong_mode"]));
    tenant.sign_off(&ann.client, &again).await.problem(409, "migration_blocked");
}

/// Proves A4, F3: without a break-glass user SSO is not required, and only a migration leads back.
#[both_engines]
async fn requiring_sso_needs_somebody_who_gets_in_without_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let boss = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let plan = tenant.preview(&boss, "require").await;
    assert_eq!(plan["blockers"], json!(["break_glass_required", "connection_untested"]));
    tenant.sign_off(&boss, &plan).await.problem(409, "break_glass_required");
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.migrate(&root.client, "require").await;
    let disable = format!("{}/disable", tenant.connection_path());
    root.client.post(&disable, &json!({})).await.problem(409, "sso_required");
    app.operator().delete(&tenant.connection_path()).await.problem(409, "connection_enabled");
    let path = tenant.path(&format!("/users/{}", root.id));
    root.client.patch(&path, &json!({ "break_glass": false })).await.problem(409, "break_glass_required");
}

/// Proves A5, F5: another account's migrations are not there, and a user who may only read reads.
#[both_engines]
async fn migrations_are_of_one_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let root = tenant.break_glass_owner(&app, "root").await;
    let plan = tenant.preview(&root.client, "require").await;
    let theirs = other.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let member = tenant.sign_in(&app, "staff@acme.test", Some(&["staff"])).await;
    for what in ["rows", ""] {
        let path = tenant.migration_path(&plan, what);
        let path = path.trim_end_matches('/');
        theirs.get(path).await.problem(404, "not_found");
        theirs.get(&path.replace(&tenant.account_id, &other.account_id)).await.problem(404, "not_found");
        member.get(path).await.expect(200);
    }
    for (client, status, code) in [(&theirs, 404, "not_found"), (&member, 403, "forbidden")] {
        tenant.sign_off(client, &plan).await.problem(status, code);
        tenant.apply(client, &plan).await.problem(status, code);
    }
    let forged = tenant.migration_path(&plan, "sign-off").replace(&tenant.account_id, &other.account_id);
    theirs.post(&forged, &json!({ "digest": plan["digest"] })).await.problem(404, "not_found");
    let listed = member.get(&tenant.path("/sso-migrations")).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let none = theirs.get(&other.path("/sso-migrations?portal=admin")).await.expect(200);
    assert_eq!(none["items"], json!([]));
}

/// Proves F1: a repeated request with the same key plans once.
#[both_engines]
async fn a_repeated_preview_is_the_same(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let body = json!({ "portal": "admin", "direction": "require", "options": { "unite_roles": true } });
    let send = async || {
        let request = root.client.request(reqwest::Method::POST, &tenant.path("/sso-migrations"));
        tests::client::Answer::of(request.header("idempotency-key", "k").json(&body)).await.expect(201)
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(first["options"]["unite_roles"], json!(true));
}
