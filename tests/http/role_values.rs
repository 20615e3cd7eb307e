//! Role values in access tokens: bounded, with a word in diagnostics (C4, I1).

use domain::signing_key::SigningAlgorithm;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::{Engine, TestDatabase, database};
use tests::idp::{EMAIL_CLAIM, ROLE_ATTRIBUTE};
use tests::tenant::Tenant;
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

/// The longest header that nginx, for one, takes by default.
const HEADER_MAX_BYTES: usize = 8 * 1024;

/// Names of groups as a directory with a group for everything sends them.
fn groups(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("CN=GRP-{number:04}-Nordic-Operations-Readers,OU=Groups,DC=corp,DC=acme,DC=test"))
        .collect()
}

/// Signs in by this username with these role values; gives the tokens.
async fn sign_in(app: &TestApp, tenant: &Tenant, username: &str, roles: &[String]) -> Value {
    let pending = tenant.start(app, None).await;
    let spec = tenant.idp.response(&tenant.acs_url, app.now()).to_request(&pending.request_id);
    let spec = spec.attribute(EMAIL_CLAIM, [username]).attribute(ROLE_ATTRIBUTE, roles.iter().map(String::as_str));
    let location = tenant.post_response(app, &spec, &pending.relay_state).await.location();
    let code = parameter(&location, "code");
    app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200)
}

/// The claims of an access token that is good here and fits into a header.
async fn usable(app: &TestApp, tokens: &Value) -> Value {
    let token = tokens["access_token"].as_str().unwrap();
    assert!(token.len() <= HEADER_MAX_BYTES, "{} bytes", token.len());
    app.anonymous().bearing(token).get("/v1/me").await.expect(200);
    claims(token)
}

/// Proves C4, I1, H1: four hundred groups do not make a token that no server takes; what is left out stands in the
/// attempt, with what to change.
#[both_engines]
async fn too_many_groups_are_left_out_of_the_token_with_a_warning(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "acme", "self_service").await;
    let sent = groups(400);
    let tokens = sign_in(&app, &tenant, "eva@customer.test", &sent).await;
    let kept = usable(&app, &tokens).await["external_roles"].clone();
    let count = kept.as_array().unwrap().len();
    assert_eq!(kept, json!(sent[..count]), "the first ones are kept, whole");
    let attempt = tenant.last_attempt(&app).await;
    let warnings = attempt["warnings"].to_string();
    let left_out = format!("{} role values were left out of the token", sent.len() - count);
    assert!(warnings.contains(&left_out) && warnings.contains(&sent[count]), "{warnings}");
    assert!(warnings.contains("only the groups that are assigned to this application"), "{warnings}");
    let refreshed = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(usable(&app, &refreshed).await["external_roles"], kept);

    let few = sign_in(&app, &tenant, "eva@customer.test", &groups(5)).await;
    assert_eq!(usable(&app, &few).await["external_roles"], json!(groups(5)));
    assert_eq!(tenant.last_attempt(&app).await["warnings"], json!([]));
}

/// Proves C9: a test sign-in tells what a token would not hold.
#[both_engines]
async fn a_test_sign_in_tells_what_would_be_left_out(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "acme", "self_service").await;
    let pending = tenant.start_test(&app).await;
    let sent = groups(60);
    let roles: Vec<&str> = sent.iter().map(String::as_str).collect();
    let spec = tenant.response(&app, &pending, "eva@customer.test", Some(&roles));
    tenant.post_response(&app, &spec, &pending.relay_state).await;
    let found = tenant.test(&app, &pending).await;
    let origins: Vec<&Value> = found["roles"].as_array().unwrap().iter().map(|entry| &entry["origin"]).collect();
    assert_eq!(origins[0], "token", "{found}");
    assert_eq!(origins[59], "left_out", "{found}");
    assert!(found["warnings"].to_string().contains("left out of the token"), "{found}");
}

/// Proves I1: groups that grant nothing in the admin portal do not reach the token at all.
#[both_engines]
async fn groups_of_administrators_stay_out_of_the_token(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let sent = [groups(400), vec!["staff".to_owned()]].concat();
    let claims = usable(&app, &sign_in(&app, &tenant, "ann@acme.test", &sent).await).await;
    assert_eq!(claims["roles"], json!(["organization_member"]));
    assert_eq!(claims.get("external_roles"), None);
}

/// Proves I1: with every name as long as it may be, and each algorithm, an access token fits into a header.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_names_and_roles_make_a_token_that_fits() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256] {
        for portal in ["self_service", "admin"] {
            let app = TestApp::start_signing(database(Engine::Sqlite).await, algorithm).await;
            let tenant = Tenant::create_for(&app, &"n".repeat(63), portal).await;
            let username = "\u{20000}".repeat(254);
            let quotes: Vec<String> = (0..400).map(|number| format!("\"\\\u{20000}{number}")).collect();
            let roles = [quotes, groups(400), vec!["staff".to_owned(), "nac-team-lead".to_owned()]].concat();
            sign_in(&app, &tenant, &username, &roles).await;
            let users = app.operator().get(&tenant.path(&format!("/users?portal={portal}"))).await.expect(200);
            let mut listed = users["items"].as_array().unwrap().iter();
            let user = listed.find(|user| user["username"] == json!(username)).unwrap();
            let email = format!("{}@customer.test", "e".repeat(254 - "@customer.test".len()));
            let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
            app.operator().patch(&path, &json!({ "email": email, "display_name": "d".repeat(200) })).await.expect(200);
            let claims = usable(&app, &sign_in(&app, &tenant, &username, &roles).await).await;
            assert_fields!(claims, { "username": username, "email": email }, "{algorithm:?}");
        }
    }
}
