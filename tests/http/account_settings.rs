//! Account settings and what they mean for sessions (A6, I3).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::client::{Answer, Client, parameter};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

/// Proves A6, H3: the defaults, a change with its event property by property, and an edit of an old version.
#[both_engines]
async fn owners_change_settings_and_the_log_says_what(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let path = tenant.path("/settings");
    let read = owner.get(&path).await;
    let etag = read.header("etag").to_owned();
    let defaults = json!({
        "require_email_mfa": false, "allowed_networks": [], "magic_link_seconds": 300,
        "invitation_seconds": 604_800, "max_access_token_seconds": null, "max_idle_seconds": null,
        "max_session_seconds": null, "languages": ["en"],
    });
    assert_eq!(read.expect(200), defaults);
    let change = json!({ "magic_link_seconds": 600, "languages": ["sv", "en"], "max_idle_seconds": 900 });
    let edit = || Answer::of(owner.request(Method::PATCH, &path).header("If-Match", &etag).json(&change));
    assert_eq!(edit().await.expect(200)["languages"], json!(["sv", "en"]));
    edit().await.problem(412, "precondition_failed");
    let events = owner.get(&tenant.path("/audit-events?action=account.settings_updated")).await.expect(200);
    let changes = json!([
        { "property": "languages", "before": ["en"], "after": ["sv", "en"] },
        { "property": "magic_link_seconds", "before": 300, "after": 600 },
        { "property": "max_idle_seconds", "before": null, "after": 900 },
    ]);
    assert_eq!(events["items"][0]["changes"], changes);
    let unlimited = owner.patch(&path, &json!({ "max_idle_seconds": null })).await.expect(200);
    assert_fields!(unlimited, { "max_idle_seconds": null, "magic_link_seconds": 600 });
}

/// Proves A6: every wrong property is named at once, with what would be right.
#[both_engines]
async fn wrong_settings_are_named(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/settings");
    let wrong = json!({
        "magic_link_seconds": 59, "invitation_seconds": 2_592_001, "max_session_seconds": 1, "languages": [],
        "allowed_networks": vec!["10.0.0.0/8"; 201],
    });
    let problem = app.operator().patch(&path, &wrong).await.problem(422, "invalid_input");
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    let expected =
        ["/allowed_networks", "/magic_link_seconds", "/invitation_seconds", "/max_session_seconds", "/languages"];
    assert_eq!(pointers, expected);
    for (property, value, right) in [
        ("allowed_networks", json!(["10.0.0.1"]), "CIDR"),
        ("languages", json!(["de"]), "sv"),
        ("magic_link_seconds", json!(null), "u32"),
    ] {
        let problem = app.operator().patch(&path, &json!({ property: value })).await.problem(422, "invalid_input");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(right), "{problem}");
    }
}

/// Proves A6: owners cannot shut themselves out, and are told their own address; an operator is not bound.
#[both_engines]
async fn a_change_that_would_exclude_the_caller_is_refused(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let path = tenant.path("/settings");
    let at_home = owner.forwarded_for("198.51.100.7");
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    let problem = at_home.patch(&path, &office).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/allowed_networks");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("198.51.100.7"), "{problem}");
    let pretending = owner.forwarded_for("203.0.113.9, 198.51.100.7");
    pretending.patch(&path, &office).await.problem(422, "invalid_input");
    assert_eq!(owner.get(&path).await.expect(200)["allowed_networks"], json!([]));
    owner.forwarded_for("203.0.113.9").patch(&path, &office).await.expect(200);
    let both = json!({ "allowed_networks": ["203.0.113.0/24", "198.51.100.77/24"] });
    let kept = app.operator().patch(&path, &both).await.expect(200);
    assert_eq!(kept["allowed_networks"], json!(["203.0.113.0/24", "198.51.100.0/24"]));
}

/// Proves A6, I3: a session is refreshed from an allowed network alone, whatever a client writes into its headers,
/// and goes on when its user is back.
#[both_engines]
async fn a_refresh_from_elsewhere_is_refused(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    for hops in
        ["198.51.100.7", "203.0.113.9, 198.51.100.7", "203.0.113.9, 198.51.100.7, 127.0.0.1", "nonsense, 198.51.100.7"]
    {
        let elsewhere = app.anonymous().forwarded_for(hops);
        let refused = tenant.refresh_as(&elsewhere, token).await.expect(400);
        assert_eq!(refused["error"], "invalid_grant", "{hops}");
        assert!(refused["error_description"].as_str().unwrap().contains("network"), "{refused}");
    }
    let inside = app.anonymous().forwarded_for("198.51.100.7, 203.0.113.9");
    tenant.refresh_as(&inside, token).await.expect(200);
}

/// Proves A6, H1: a response and a code from elsewhere give nothing, and the attempt says why and what to change.
#[both_engines]
async fn a_sign_in_from_elsewhere_is_refused(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (inside, outside) =
        (app.anonymous().forwarded_for("203.0.113.9"), app.anonymous().forwarded_for("198.51.100.7"));
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    let answer = async |client: &Client| {
        let pending = tenant.start(&app, None).await;
        let response = tenant.idp.sign(&tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"])));
        let fields = [("SAMLResponse", response.as_str()), ("RelayState", pending.relay_state.as_str())];
        client.form(&tenant.acs_path(), &fields).await.location()
    };
    assert_eq!(parameter(&answer(&outside).await, "error_code"), "network_not_allowed");
    let attempt = tenant.last_attempt(&app).await;
    assert_eq!(attempt["failure"]["reason"], "network_not_allowed");
    assert_eq!(attempt["failure"]["got"], "198.51.100.7");
    assert!(attempt["failure"]["fix"].as_str().unwrap().contains("allowed_networks"), "{attempt}");
    let users = app.operator().get(&tenant.path("/users?q=ann")).await.expect(200);
    assert_eq!(users["items"], json!([]), "a refused sign-in creates nobody");

    let code = parameter(&answer(&inside).await, "code");
    let refused = outside.form("/oauth/token", &tenant.exchange_form(&code)).await.expect(400);
    assert!(refused["error_description"].as_str().unwrap().contains("network"), "{refused}");
    inside.form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
}

/// Proves A6: no client's word is taken for the address where no proxy is trusted.
#[both_engines]
async fn an_untrusted_client_cannot_choose_its_address(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    let liar = app.anonymous().forwarded_for("203.0.113.9");
    tenant.refresh_as(&liar, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
}

/// Proves A6: the list is for the admin portal.
#[both_engines]
async fn self_service_is_refreshed_from_everywhere(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "acme", "self_service").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", None).await;
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);
}

/// Proves A6, I3: lifetimes that became tighter hold for a live session from its next refresh on.
#[both_engines]
async fn tighter_lifetimes_hold_for_live_sessions(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operator = app.operator();
    operator.patch(&tenant.path("/settings"), &json!({ "max_access_token_seconds": 300 })).await.expect(200);
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    assert_eq!(tokens["expires_in"], 300);
    app.world.clock.advance(SignedDuration::from_mins(20));
    let tight = json!({ "max_access_token_seconds": 120, "max_session_seconds": 1_800, "max_idle_seconds": 1_500 });
    operator.patch(&tenant.path("/settings"), &tight).await.expect(200);
    let refreshed = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(refreshed["expires_in"], 120);
    let access = claims(refreshed["access_token"].as_str().unwrap());
    assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 120);
    app.world.clock.advance(SignedDuration::from_secs(540));
    let last = tenant.refresh(&app, refreshed["refresh_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(last["expires_in"], 60, "the session began half an hour before its end");
    let loose = json!({ "max_access_token_seconds": null, "max_session_seconds": null, "max_idle_seconds": null });
    operator.patch(&tenant.path("/settings"), &loose).await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(1));
    tenant.refresh(&app, last["refresh_token"].as_str().unwrap()).await.expect(400);
}

/// Proves A6, I3: a session that is older than the account now allows is over.
#[both_engines]
async fn a_session_that_is_too_old_for_the_account_is_not_refreshed(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    app.world.clock.advance(SignedDuration::from_mins(20));
    app.operator().patch(&tenant.path("/settings"), &json!({ "max_session_seconds": 1_200 })).await.expect(200);
    tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
}
