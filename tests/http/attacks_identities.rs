//! Names that look like other people's (A1, A2, C3).

use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Proves A2, C3: identities are equal without regard to case and in nothing else; a sign that looks like a letter
/// does not turn one person into another.
#[both_engines]
async fn a_look_alike_is_somebody_else(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let mark = tenant.sign_in(&app, "mark.island@acme.test", Some(&["nac-team-lead"])).await;
    let id = mark.get("/v1/me").await.expect(200)["user"]["id"].clone();
    let again = tenant.sign_in(&app, "MARK.Island@ACME.test", Some(&["staff"])).await;
    assert_eq!(again.get("/v1/me").await.expect(200)["user"]["id"], id);
    for look_alike in [
        "mar\u{212A}.island@acme.test",
        "mark.\u{130}sland@acme.test",
        "mark.\u{131}sland@acme.test",
        "m\u{430}rk.island@acme.test",
        "mark.i\u{17F}land@acme.test",
        "\u{FF4D}ark.island@acme.test",
    ] {
        let other = tenant.sign_in(&app, look_alike, Some(&["staff"])).await;
        let user = other.get("/v1/me").await.expect(200)["user"].clone();
        assert_ne!(user["id"], id, "{look_alike}");
        assert_eq!(user["username"], look_alike);
    }
}

/// Proves A1, A2: account names and email domains are ASCII, whatever looks like it.
#[both_engines]
async fn account_names_and_domains_are_ascii(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "kiss").await;
    for name in ["\u{212A}iss", "ki\u{17F}s", "k\u{130}ss", "k\u{131}ss", "ki\u{DF}", "kiss\u{200B}", "kiss\0"] {
        let mut body = tenant.start_body(None);
        body["account_name"] = json!(name);
        app.anonymous().post("/v1/sso-sign-ins", &body).await.problem(422, "invalid_input");
    }
    for email in ["a@\u{212A}iss.test", "a@kiss.t\u{435}st", "a@kiss.test.", "a@kiss\u{3002}test", "a@kiss.test\0"] {
        app.anonymous().post("/v1/sso-sign-ins", &tenant.start_body(Some(email))).await.problem(422, "invalid_input");
        let user = json!({ "portal": "admin", "username": "x", "email": email });
        app.operator().post(&tenant.path("/users"), &user).await.problem(422, "invalid_input");
    }
    app.operator().patch(&tenant.connection_path(), &json!({ "email_domains": ["kiss.test"] })).await.expect(200);
    for outside in ["a@\u{212A}iss.test", "a@kiss.test@evil.test", "a@kiss.test.evil.test", "a@xn--iss-nza.test", "a"] {
        let pending = tenant.start(&app, None).await;
        let response = tenant.response(&app, &pending, outside, Some(&["staff"]));
        let refused = tenant.post_response(&app, &response, &pending.relay_state).await.location();
        assert!(refused.query_pairs().all(|(name, _)| name != "code"), "{outside}: {refused}");
    }
}
