//! SAML connections as an administrator sets them up (C1 to C9).

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::idp::TestIdp;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Metadata of an identity provider with this key.
fn metadata(idp: &TestIdp, location: &str) -> String {
    include_str!("idp_metadata.xml")
        .replace("CERTIFICATE", &idp.identity.certificate().base64())
        .replace("https://idp.acme.test", location)
}

fn pointers(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

/// Proves C1: entity id and ACS are one URL of this account and portal, which answers SP metadata, signed on request.
#[both_engines]
async fn the_entity_id_answers_sp_metadata(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let self_service = Tenant::create_for(&app, "other", "self_service").await;
    assert_ne!(tenant.acs_url, self_service.acs_url);
    let answer = app.anonymous().get(&tenant.acs_path()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/samlmetadata+xml");
    assert!(answer.text.contains(&format!("entityID=\"{}\"", tenant.acs_url)), "{}", answer.text);
    assert!(answer.text.contains("use=\"signing\"") && answer.text.contains("use=\"encryption\""));
    assert!(!answer.text.contains("SignatureValue"));
    let signed = app.anonymous().get(&format!("{}?signed=true", tenant.acs_path())).await;
    assert!(signed.text.contains("SignatureValue"));
    app.anonymous().get("/saml/00000000000000000000").await.problem(404, "not_found");
    app.anonymous().get("/saml/not-a-hash").await.problem(404, "not_found");
}

/// Proves C5, C7: metadata is read and explained; by text and from its URL, and refreshed from there.
#[both_engines]
async fn idp_metadata_is_imported_and_refreshed(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (old, new) = (TestIdp::trusted(), TestIdp::attacker());
    let import = format!("{}/idp-metadata", tenant.connection_path());
    let operator = app.operator();
    let xml = metadata(&old, "https://idp.acme.test");
    let report = operator.post(&import, &json!({ "metadata_xml": xml })).await.expect(200);
    let connection = &report;
    assert_eq!(connection["login_url"], "https://idp.acme.test/redirect");
    assert_eq!(connection["request_binding"], "http_redirect");
    assert_eq!(connection["certificates"].as_array().unwrap().len(), 1);
    assert!(connection["certificates"][0]["not_after"].is_string());

    let url = "https://idp.acme.test/metadata";
    operator.post(&import, &json!({ "metadata_url": url })).await.problem(422, "metadata_unavailable");
    app.world.publish(url, xml.as_str());
    operator.post(&import, &json!({ "metadata_url": url })).await.expect(200);
    app.world.publish(url, metadata(&new, "https://idp2.acme.test"));
    let refreshed = operator.post(&import, &json!({ "refresh": true })).await.expect(200);
    assert_eq!(refreshed["login_url"], "https://idp2.acme.test/redirect");
    for bad in ["", "<a/>", "<!DOCTYPE a><a/>", &xml.replace("https://idp.acme.test", "http://idp.acme.test"), "{}"] {
        operator.post(&import, &json!({ "metadata_xml": bad })).await.problem(422, "invalid_input");
    }
}

/// Proves C5: certificates are explained on save, bad ones refused with the reason.
#[both_engines]
async fn certificates_are_checked_on_save(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.connection_path();
    let weak = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    for bad in [weak, "nonsense", ""] {
        let problem =
            app.operator().patch(&path, &json!({ "certificates": [bad] })).await.problem(422, "invalid_input");
        assert_eq!(pointers(&problem), ["/certificates/0"]);
    }
    let good = tenant.idp.identity.certificate_pem();
    let saved = app.operator().patch(&path, &json!({ "certificates": [good, good] })).await.expect(200);
    let kept = &saved["certificates"][0];
    assert_eq!(saved["certificates"].as_array().unwrap().len(), 1, "the same one twice is one");
    assert_eq!(kept["key"], "RSA 2048");
    assert_eq!(kept["sha256_fingerprint"].as_str().unwrap().len(), 64);
}

/// Proves C5: an expired certificate goes on verifying with a warning, unless the connection refuses it.
#[both_engines]
async fn an_expired_certificate_is_warned_about_and_refused_on_request(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.world.clock.advance(jiff::SignedDuration::from_hours(24 * 36_500));
    let connection = app.operator().get(&tenant.connection_path()).await.expect(200);
    assert_eq!(connection["certificate_warnings"].as_array().unwrap().len(), 1, "{connection}");
    tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let warnings = tenant.last_attempt(&app).await["warnings"].to_string();
    assert!(warnings.contains("expired"), "{warnings}");
    let refuse = json!({ "refuse_expired_certificates": true });
    let problem = app.operator().patch(&tenant.connection_path(), &refuse).await.problem(409, "connection_incomplete");
    assert_eq!(pointers(&problem).len(), 1);
}

/// Proves C6: requests are signed when the connection asks, with the key that can be downloaded; a rotation leaves
/// the old key decrypting.
#[both_engines]
async fn requests_are_signed_with_our_own_key(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.operator().patch(&tenant.connection_path(), &json!({ "sign_requests": true })).await.expect(200);
    let pending = tenant.start(&app, None).await;
    let url: url::Url = pending.started["handoff"]["url"].as_str().unwrap().parse().unwrap();
    assert_eq!(parameter(&url, "SigAlg"), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    assert!(!parameter(&url, "Signature").is_empty());
    let certificate = app.operator().get(&format!("{}/sp-certificate", tenant.connection_path())).await;
    assert!(certificate.text.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(certificate.header("content-disposition").contains("attachment"));
    let keys = format!("{}/sp-keys", tenant.connection_path());
    app.operator().post(&keys, &json!({})).await.expect(201);
    let listed = app.operator().get(&keys).await.expect(200);
    let retiring: Vec<bool> =
        listed["items"].as_array().unwrap().iter().map(|key| !key["retires_at"].is_null()).collect();
    assert_eq!(retiring, [false, true]);
    assert!(!listed.to_string().contains("PRIVATE"));
    app.world.clock.advance(jiff::SignedDuration::from_hours(24 * 31));
    let listed = app.operator().get(&keys).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "the overlap is over");
}

/// Proves C7: the HTTP-POST binding hands the login page a form.
#[both_engines]
async fn the_post_binding_gives_a_form(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.operator().patch(&tenant.connection_path(), &json!({ "request_binding": "http_post" })).await.expect(200);
    let started = app.anonymous().post("/v1/sso-sign-ins", &tenant.start_body(None)).await.expect(200);
    let handoff = &started["handoff"];
    assert_fields!(handoff, { "method": "post", "action": "https://idp.example.test/sso" });
    let request = saml::decode_post_binding(handoff["fields"]["SAMLRequest"].as_str().unwrap()).unwrap();
    assert!(request.contains(&format!("AssertionConsumerServiceURL=\"{}\"", tenant.acs_url)), "{request}");
    assert!(handoff["fields"]["RelayState"].as_str().unwrap().starts_with("vrs_"));
}

/// Proves C9: until it is on, everything is saved and nothing is used; an incomplete one cannot be switched on, and
/// says all that it lacks.
#[both_engines]
async fn nothing_is_used_until_the_switch_is_on(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operator = app.operator();
    let path = tenant.connection_path();
    let pending = tenant.start(&app, None).await;
    operator.post(&format!("{path}/disable"), &json!({})).await.expect(200);
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    tenant.post_response(&app, &response, &pending.relay_state).await.problem(404, "sso_account_not_configured");
    let patch = json!({ "login_url": null, "certificates": [], "idp_entity_id": null });
    let saved = operator.patch(&path, &patch).await.expect(200);
    assert_eq!(saved["mode"], "off");
    assert_eq!(saved["missing"].as_array().unwrap().len(), 3);
    let problem = operator.post(&format!("{path}/enable"), &json!({})).await.problem(409, "connection_incomplete");
    assert_eq!(pointers(&problem), ["/idp_entity_id", "/login_url", "/certificates"]);
    assert_eq!(operator.delete(&path).await.status, 204);
    operator.get(&path).await.problem(404, "not_found");
}

/// Proves C9: an enabled connection can be neither made incomplete nor removed.
#[both_engines]
async fn an_enabled_connection_stays_complete(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.connection_path();
    let problem =
        app.operator().patch(&path, &json!({ "certificates": [] })).await.problem(409, "connection_incomplete");
    assert_eq!(pointers(&problem), ["/certificates"]);
    app.operator().delete(&path).await.problem(409, "connection_enabled");
    let second = json!({ "portal": "admin" });
    app.operator().post(&tenant.path("/saml-connections"), &second).await.problem(409, "connection_exists");
}

/// Proves C3, C4, C7: each wrong setting is named.
#[both_engines]
async fn every_wrong_setting_is_named(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.connection_path();
    for (field, value) in [
        ("login_url", json!("http://idp.acme.test/sso")),
        ("login_url", json!("javascript:alert(1)")),
        ("clock_skew_seconds", json!(301)),
        ("email_domains", json!(["@acme.test"])),
        ("role_mappings", json!({ "x": ["emperor"] })),
        ("default_roles", json!(["emperor"])),
        ("button_text", json!("")),
        ("idp_entity_id", json!("")),
        ("provisioning", json!("sometimes")),
        ("username_attributes", json!([""])),
        ("metadata_url", json!("https://user:pw@idp.acme.test/")),
    ] {
        let mut body = json!({});
        body[field] = value.clone();
        let answer = app.operator().patch(&path, &body).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{field} {value}: {}", answer.text);
        assert!(answer.text.contains(field), "{field} {value}: {}", answer.text);
    }
}
