//! Whether a portal is ready for SSO (H2): found before a sign-in fails.

use serde_json::{Value, json};
use service::ports::ProbeResult;
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

async fn codes(app: &TestApp, tenant: &Tenant) -> (Value, Vec<String>) {
    let found = app.operator().get(&tenant.path("/sso-readiness?portal=admin")).await.expect(200);
    let codes =
        found["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
    let codes = codes.collect();
    (found, codes)
}

/// Proves H2, A2, A4, B3: each finding has its severity, its fix and a link to what it is about.
#[both_engines]
async fn readiness_names_what_is_wrong_and_where_to_mend_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (found, first) = codes(&app, &tenant).await;
    assert!(first.contains(&"no_break_glass_user".to_owned()) && first.contains(&"not_tested".to_owned()), "{first:?}");
    assert_eq!(found["ready"], json!(false));
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.user_with_email(&app, "nobody", None).await;
    let guest = tenant.form_user(&app, "guest", Some("organization_member")).await.to_string();
    let path = tenant.path(&format!("/users/{guest}"));
    root.client.patch(&path, &json!({ "exempt": true })).await.expect(200);
    for name in ["ann", "ann.too"] {
        tenant.form_user(&app, name, Some("organization_member")).await;
        tenant.form_session(&app, name).await;
    }
    let two = app.operator().get(&tenant.path("/users?q=ann.too")).await.expect(200);
    let two = tenant.path(&format!("/users/{}", two["items"][0]["id"].as_str().unwrap()));
    app.operator().patch(&two, &json!({ "email": "ann@acme.test" })).await.expect(200);
    let (found, now) = codes(&app, &tenant).await;
    for code in ["email_shared", "email_missing", "users_exempt"] {
        assert!(now.contains(&code.to_owned()), "{code} {now:?}");
    }
    assert!(
        !now.contains(&"no_break_glass_user".to_owned()) && !now.contains(&"break_glass_unproven".to_owned()),
        "{now:?}"
    );
    let exempt = found["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "users_exempt");
    let exempt = exempt.unwrap();
    assert_fields!(exempt, { "severity": "info", "users": [guest], "resource": path });
    assert!(exempt["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
    assert_eq!(found["ready"], json!(false), "two users share an email");
    app.operator().patch(&two, &json!({ "email": "two@acme.test" })).await.expect(200);
    assert_eq!(codes(&app, &tenant).await.0["ready"], json!(true));
    app.operator().get(&tenant.path("/sso-readiness?portal=x")).await.problem(422, "invalid_input");
}

/// Proves H2, A2, B3, C3, C4: users who would be left outside by SSO are counted, and a few of them named, however
/// many there are; each kind for itself, of one account and portal.
#[both_engines]
async fn readiness_counts_whom_sso_would_leave_outside(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let user = |username: String, email: Value, roles: Value| json!({ "portal": "admin", "username": username, "email": email, "roles": roles });
    let add = async |tenant: &Tenant, user: Value| {
        app.operator().post(&tenant.path("/users"), &user).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let member = json!(["organization_member"]);
    let connection = json!({ "email_domains": ["b.se", "c.se"], "default_roles": [] });
    app.operator().patch(&tenant.connection_path(), &connection).await.expect(200);
    let owner = app.operator().get(&tenant.path("/users?role=organization_owner")).await.expect(200);
    let owner = &owner["items"][0]["id"];
    let mut wanted = vec![];
    for n in 0..25 {
        wanted.push(add(&tenant, user(format!("nameless{n}"), Value::Null, member.clone())).await);
        add(&other, user(format!("nameless{n}"), Value::Null, json!([]))).await;
    }
    let outside = add(&tenant, user("dan".to_owned(), json!("Dan@d.se"), member.clone())).await;
    let near = add(&tenant, user("eve@xb.se".to_owned(), Value::Null, member.clone())).await;
    let inside = add(&tenant, user("fay".to_owned(), json!("fay@C.se"), json!([]))).await;
    let (found, _) = codes(&app, &tenant).await;
    let of = |code: &str| {
        let findings = found["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["code"] == code).unwrap_or(&Value::Null)
    };
    assert_fields!(of("email_missing"), { "count": 25, "users": wanted[..20] });
    assert_fields!(of("domain_not_listed"), { "count": 3, "users": [owner, outside, near] });
    assert_fields!(of("role_missing"), { "count": 1, "users": [inside] });
    assert_eq!(of("email_shared"), &Value::Null);
}

/// Proves H2, D3: whether the identity provider answers is looked at, and a portal without a connection says so.
#[both_engines]
async fn readiness_asks_the_identity_provider(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.world.set_probe(ProbeResult::Unreachable);
    assert!(codes(&app, &tenant).await.1.contains(&"idp_unreachable".to_owned()));
    let other = app.operator().get(&tenant.path("/sso-readiness?portal=self_service")).await.expect(200);
    assert_eq!(other["findings"][0]["code"], "connection_missing");
    assert_eq!(other["findings"][0]["resource"], json!(tenant.path("/saml-connections")));
}
