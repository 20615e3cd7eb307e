//! Whole sign-ins at SimpleSAMLphp, an identity provider that is not ours.

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::{Engine, TestDatabase, database};
use tests::{assert_fields, both_engines};

use crate::organization::{browser, go};
use crate::peer::organization_with_peer;

/// Proves C1, C5, C7, D1, D4, I1: from SP metadata in one direction and IdP metadata in the other to a token that
/// any JOSE library verifies, through a browser.
#[both_engines]
async fn a_person_signs_in_at_simplesamlphp(db: TestDatabase) {
    let app = TestApp::start_development(db).await;
    let (organization, _peer) = organization_with_peer(&app, json!({}), &[]).await;
    let redirected = organization.sign_in("alice@example.test", "alice-password").await;
    let (claims, me) = organization.finish(&redirected).await;
    assert_eq!(claims["username"], "alice@example.test");
    assert_fields!(claims, { "portal": "admin", "amr": ["saml"] });
    assert_eq!(claims["roles"], json!(["organization_owner"]));
    assert_eq!(me["user"]["username"], "alice@example.test");
    let attempt = organization.last_attempt().await;
    assert_fields!(attempt, { "outcome": "succeeded", "stage": "session_issued" });
    assert_eq!(attempt["warnings"], json!([]));
}

/// Signs alice in where the peer was started so and the connection set up so.
async fn alice_signs_in(settings: Value, arguments: &[&str]) {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _peer) = organization_with_peer(&app, settings, arguments).await;
    let redirected = organization.sign_in("alice@example.test", "alice-password").await;
    let (claims, _) = organization.finish(&redirected).await;
    assert_eq!(claims["username"], "alice@example.test", "{arguments:?}");
    assert_eq!(claims["roles"], json!(["organization_owner"]), "{arguments:?}");
}

/// Proves C10: a signature over the whole response is as good as one over the assertion.
#[tokio::test(flavor = "multi_thread")]
async fn a_signed_response_is_accepted() {
    alice_signs_in(json!({}), &["--sign", "response"]).await;
}

/// Proves C10: both may be signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_with_both_signatures_is_accepted() {
    alice_signs_in(json!({}), &["--sign", "both"]).await;
}

/// Proves C6: an assertion that is encrypted for the key in our metadata.
#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_assertion_is_accepted() {
    alice_signs_in(json!({}), &["--encrypt"]).await;
}

/// Proves C2: the username comes from the NameID where the connection says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_id_is_the_username_where_the_connection_says_so() {
    let format = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    alice_signs_in(json!({ "username_source": "name_id", "name_id_format": format }), &["--nameid", "email"]).await;
}

/// Proves C10: SHA-1 only where the connection opts in.
#[tokio::test(flavor = "multi_thread")]
async fn sha1_is_refused_until_the_connection_opts_in() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _peer) = organization_with_peer(&app, json!({}), &["--sha1"]).await;
    let refused = organization.sign_in("alice@example.test", "alice-password").await;
    assert_eq!(parameter(&refused, "error_code"), "saml_response_refused");
    organization.configure(&json!({ "allow_sha1": true })).await;
    let redirected = organization.sign_in("alice@example.test", "alice-password").await;
    organization.finish(&redirected).await;
    let warnings = organization.last_attempt().await["warnings"].to_string();
    assert!(warnings.contains("SHA-1"), "{warnings}");
}

/// Proves C6: our requests are signed with the key in our metadata, and SimpleSAMLphp, which learned from there that
/// they are, takes no others.
#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_verifies_our_signed_requests() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _peer) = organization_with_peer(&app, json!({ "sign_requests": true }), &[]).await;
    let redirected = organization.sign_in("alice@example.test", "alice-password").await;
    organization.finish(&redirected).await;

    let started = organization.start(None).await.expect(200);
    let mut url: url::Url = started["handoff"]["url"].as_str().unwrap().parse().unwrap();
    let unsigned: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| !name.starts_with("Sig")).collect();
    url.query_pairs_mut().clear().extend_pairs(unsigned);
    let page = browser().visit(url.as_str()).await.page();
    assert!(page.text.contains("no signature found on message"), "{}", page.text);
}

/// Proves C7: requests also travel by HTTP-POST, signed within the XML.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_travels_by_post() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _peer) = organization_with_peer(&app, json!({ "sign_requests": true }), &[]).await;
    organization.configure(&json!({ "request_binding": "http_post" })).await;
    let redirected = organization.sign_in("alice@example.test", "alice-password").await;
    organization.finish(&redirected).await;

    let mut handoff = organization.start(None).await.expect(200)["handoff"].take();
    assert_eq!(handoff["method"], "post");
    let request = saml::decode_post_binding(handoff["fields"]["SAMLRequest"].as_str().unwrap()).unwrap();
    let changed = request.replacen("ID=\"_", "ID=\"_a", 1);
    handoff["fields"]["SAMLRequest"] = json!(mock_idp::message::form_value(&changed));
    let page = go(&mut browser(), &handoff).await.page();
    assert!(page.text.contains("Unhandled exception"), "a changed request is accepted: {}", page.text);
}

/// Proves C4: role values are mapped, several unite, none sent means the default, and the values of an identity
/// provider may hold any characters.
#[tokio::test(flavor = "multi_thread")]
async fn role_values_become_roles() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let mappings = json!({ "role_mappings": {
        "nac-team-lead": ["organization_owner"], "nac-auditor": ["organization_context_manager"],
        "Zoë's <team> & ÄÖÜ": ["organization_context_manager"],
    } });
    let (organization, _peer) = organization_with_peer(&app, mappings, &[]).await;
    for (name, mut wanted) in [
        ("alice", vec!["organization_owner"]),
        ("bob", vec!["organization_context_manager", "organization_owner"]),
        ("carol", vec!["organization_member"]),
        ("zoe", vec!["organization_context_manager"]),
    ] {
        let redirected = organization.sign_in(&format!("{name}@example.test"), &format!("{name}-password")).await;
        let (claims, _) = organization.finish(&redirected).await;
        let mut roles: Vec<&str> =
            claims["roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
        roles.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(roles, wanted, "{name}");
    }
    organization.configure(&json!({ "role_mappings": {} })).await;
    let refused = organization.sign_in("zoe@example.test", "zoe-password").await;
    assert_eq!(parameter(&refused, "error_code"), "no_role");
    let failure = organization.last_attempt().await["failure"].clone();
    assert!(failure["got"].as_str().unwrap().contains("Zoë's <team> & ÄÖÜ"), "{failure}");
}

/// Proves D1, D2: a user who cannot sign in over there does not come back, and may try again; one who comes back
/// as another user than was entered is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_stays_at_simplesamlphp() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _peer) = organization_with_peer(&app, json!({}), &[]).await;
    let mut browser = browser();
    let login = organization.begin(&mut browser, "alice@example.test").await.page();
    let again = browser.log_in(&login, "alice@example.test", "a wrong password").await.page();
    let attempt = organization.last_attempt().await;
    assert_fields!(attempt, { "outcome": "pending", "stage": "sent_to_idp" });
    let answered = browser.log_in(&again, "alice@example.test", "alice-password").await;
    let redirected = browser.carry_on(answered).await.application();
    organization.finish(&redirected).await;

    let mut other = self::browser();
    let login = organization.begin(&mut other, "bob@example.test").await.page();
    let answered = other.log_in(&login, "alice@example.test", "alice-password").await;
    let refused = other.carry_on(answered).await.application();
    assert_eq!(parameter(&refused, "error_code"), "login_incorrect_credentials");
}
