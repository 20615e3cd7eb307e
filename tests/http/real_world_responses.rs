//! Responses as identity providers send them in the real world: taken, or refused by their true name (C2, C10,
//! C12, H1).

use jiff::SignedDuration;
use mock_idp::message::{DateTime, NAME_ID_TRANSIENT};
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::idp::{EMAIL_CLAIM, USERNAME_ATTRIBUTE};
use tests::tenant::{Pending, Tenant};
use tests::{assert_fields, both_engines};

/// The newest attempt's failure.
async fn failure(app: &TestApp, tenant: &Tenant) -> Value {
    let failure = tenant.last_attempt(app).await["failure"].clone();
    assert!(failure["fix"].as_str().is_some_and(|fix| fix.len() > 20), "{failure}");
    failure
}

fn honest(app: &TestApp, tenant: &Tenant, pending: &Pending) -> String {
    tenant.idp.sign(&tenant.response(app, pending, "ann@acme.test", Some(&["staff"])))
}

/// Proves C2: a transient NameID is not a username, and the refusal names the settings on both sides.
#[both_engines]
async fn a_transient_name_id_is_refused_with_the_setting_to_change(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let by_name_id = json!({ "username_source": "name_id" });
    app.operator().patch(&tenant.connection_path(), &by_name_id).await.expect(200);
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let response = response.named("_8f2c6a", NAME_ID_TRANSIENT);
    let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "saml_response_refused");
    let failure = failure(&app, &tenant).await;
    assert_fields!(failure, { "reason": "name_id_transient", "got": NAME_ID_TRANSIENT });
    let fix = failure["fix"].as_str().unwrap();
    assert!(fix.contains("username_source") && fix.contains("name_id_format"), "{fix}");
    let users = app.operator().get(&tenant.path("/users?q=8f2c6a")).await.expect(200);
    assert_eq!(users["items"], json!([]));
    let asks = json!({ "name_id_format": NAME_ID_TRANSIENT });
    let problem = app.operator().patch(&tenant.connection_path(), &asks).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/name_id_format");
}

/// Proves C2: equal values of the username attributes count once, and different ones are refused.
#[both_engines]
async fn equal_usernames_count_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let equal = response.clone().attribute(EMAIL_CLAIM, ["Ann@ACME.test"]);
    let equal = equal.attribute(USERNAME_ATTRIBUTE, ["ann@acme.test", "ANN@acme.test"]);
    let location = tenant.post_response(&app, &equal, &pending.relay_state).await.location();
    parameter(&location, "code");
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let different = response.attribute(USERNAME_ATTRIBUTE, ["bob@acme.test"]);
    tenant.post_response(&app, &different, &pending.relay_state).await.location();
    assert_eq!(failure(&app, &tenant).await["reason"], "username_attribute_ambiguous");
}

/// Proves C12: a session that has ended at the identity provider, also within the tolerance for clocks, is refused by
/// its name, and makes no dead token; one that ends soon caps ours.
#[both_engines]
async fn an_ended_idp_session_is_refused_and_a_short_one_caps_ours(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let begin = async |seconds: i64| {
        let pending = tenant.start(&app, None).await;
        let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        let end = app.now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
        response.session_not_on_or_after = Some(DateTime::from(end));
        tenant.post_response(&app, &response, &pending.relay_state).await.location()
    };
    for seconds in [-100, -30, 0] {
        let location = begin(seconds).await;
        assert_eq!(parameter(&location, "error_code"), "saml_response_refused", "{seconds}");
        assert_eq!(failure(&app, &tenant).await["reason"], "idp_session_ended", "{seconds}");
    }
    let code = parameter(&begin(90).await, "code");
    let tokens = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
    assert!(matches!(tokens["expires_in"].as_u64(), Some(89..=90)), "{}", tokens["expires_in"]);
    let me = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    me.get("/v1/me").await.expect(200);
    let code = parameter(&begin(30).await, "code");
    app.world.clock.advance(SignedDuration::from_secs(31));
    let refused = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await;
    assert_eq!(refused.expect(400)["error"], "invalid_grant");
}

/// Proves C10, C12: times that no clock comes to are far ahead.
#[both_engines]
async fn times_that_mean_never_are_far_ahead(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999Z", "10000-01-01T00:00:00Z"] {
        let pending = tenant.start(&app, None).await;
        let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        let time = || Some(DateTime::Verbatim(never.to_owned()));
        (response.not_on_or_after, response.confirmation_not_on_or_after) = (time(), time());
        response.session_not_on_or_after = time();
        let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
        let code = parameter(&location, "code");
        app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
    }
}

/// Proves C10, H1: a response that comes by GET is written down, with what to change at the identity provider; the
/// metadata is still there.
#[both_engines]
async fn a_response_by_get_is_written_down(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let deflated = "fZHBTsMwDIZfJcp9bdpuHUTrpIldJsGFTRy4IDd1WaQ2LrELjKcnLUKABNwsx5//77e3BH03mH040xge8GVEFvXZ";
    for (name, relay_state) in [("SAMLResponse", pending.relay_state.as_str()), ("SAMLart", "")] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([(name, deflated), ("RelayState", relay_state), ("SigAlg", "x"), ("Signature", "y")])
            .finish();
        for path in [tenant.acs_path(), format!("{}/", tenant.acs_path())] {
            let answer = app.anonymous().get(&format!("{path}?{query}")).await;
            if relay_state.is_empty() {
                assert!(answer.problem(400, "saml_response_refused")["attempt_id"].is_string());
            } else {
                assert_eq!(parameter(&answer.location(), "error_code"), "saml_response_refused");
                assert_eq!(
                    parameter(&answer.location(), "attempt_id"),
                    pending.started["attempt_id"].as_str().unwrap()
                );
            }
            let failure = failure(&app, &tenant).await;
            assert_eq!(failure["reason"], "response_by_get");
            assert!(failure["fix"].as_str().unwrap().contains("HTTP-POST"), "{failure}");
        }
    }
    assert_eq!(app.anonymous().get(&tenant.acs_path()).await.status, 200);
    assert_eq!(app.anonymous().get(&format!("{}/", tenant.acs_path())).await.status, 200);
    app.anonymous().get(&format!("{}/more", tenant.acs_path())).await.problem(404, "not_found");
}

/// Proves C10, H1: a path that resembles the ACS reaches its connection, where the address in the message is refused
/// by what is wrong with it.
#[both_engines]
async fn a_path_that_resembles_the_acs_leads_to_the_cause(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let hash = tenant.acs_path().rsplit('/').next().unwrap().to_owned();
    let resembling = [
        format!("/saml/{hash}/"),
        format!("/saml/{}", hash.to_uppercase()),
        format!("/SAML/{hash}"),
        format!("//saml/{hash}"),
        format!("/saml/{hash}/acs"),
        format!("/saml/{hash}/login"),
    ];
    for path in resembling {
        let pending = tenant.start(&app, None).await;
        let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        let address = format!("{}{path}", app.issuer());
        (response.destination, response.recipient) = (Some(address.clone()), Some(address.clone()));
        let value = tenant.idp.sign(&response);
        let fields = [("SAMLResponse", value.as_str()), ("RelayState", pending.relay_state.as_str())];
        let location = app.anonymous().form(&path, &fields).await.location();
        assert_eq!(parameter(&location, "attempt_id"), pending.started["attempt_id"].as_str().unwrap(), "{path}");
        let failure = failure(&app, &tenant).await;
        assert_eq!(failure["reason"], "destination_mismatch", "{path}");
        assert_fields!(failure, { "wanted": tenant.acs_url, "got": address });
    }
    app.anonymous().form("/saml/not-a-hash/", &[("SAMLResponse", "x")]).await.problem(404, "not_found");
}

/// Proves A5, H1: an answer that came to another account's ACS, or to none, is told to the account whose sign-in
/// it is, and to no other.
#[both_engines]
async fn an_answer_at_another_acs_is_told_to_the_account_that_waits(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let nowhere = "/saml/00000000000000000000".to_owned();
    for path in [other.acs_path(), nowhere, "/saml/typing-error".to_owned()] {
        let pending = tenant.start(&app, Some("ann@acme.test")).await;
        let value = honest(&app, &tenant, &pending);
        let fields = [("SAMLResponse", value.as_str()), ("RelayState", pending.relay_state.as_str())];
        let refused = app.anonymous().form(&path, &fields).await.problem(400, "saml_response_refused");
        let attempt = tenant.last_attempt(&app).await;
        assert_eq!(refused["attempt_id"], attempt["id"]);
        let failure = failure(&app, &tenant).await;
        assert_fields!(failure, { "reason": "sent_to_another_address", "wanted": tenant.acs_url });
        assert_eq!(failure["got"], format!("{}{path}", app.issuer()));
        assert!(!attempt.to_string().contains(&other.account_id), "{attempt}");
        let location = app.anonymous().form(&tenant.acs_path(), &fields).await.location();
        parameter(&location, "code");
    }
    let attempts = app.operator().get(&other.path("/sign-in-attempts")).await.expect(200);
    assert_eq!(attempts["items"], json!([]));
    let forged = format!("{}x", tenant.start(&app, None).await.relay_state);
    let fields = [("SAMLResponse", "PHgvPg=="), ("RelayState", forged.as_str())];
    app.anonymous().form("/saml/typing-error", &fields).await.problem(404, "not_found");
}
