//! Whole sign-ins at the mock identity provider, over HTTP: when all is well, and with everything that it can do wrong.

use mock_idp::MockIdp;
use mock_idp::RunningIdp;
use mock_idp::idp::{EncryptionOptions, Fault, Options};
use mock_idp::message::{ContentAlgorithm, KeyTransport};
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::browser::Place;
use tests::client::parameter;
use tests::databases::{Engine, TestDatabase, database};

use crate::organization::{LOGIN_PAGE, Organization, browser};

const ALICE: &str = "alice@example.test";
const PASSWORD: &str = "alice-password";

async fn organization_with_mock(app: &TestApp) -> (Organization, RunningIdp) {
    let organization = Organization::create(app.anonymous(), app.operator(), "acme").await;
    let idp = MockIdp::builder().start().await.unwrap();
    organization.connect(&json!({ "metadata_url": idp.metadata_url() })).await;
    (organization, idp)
}

/// Proves C5, D1, D4, I1: the same way as with other people's software, at the one that suites and demo use.
#[both_engines]
async fn a_person_signs_in_at_the_mock(db: TestDatabase) {
    let app = TestApp::start_development(db).await;
    let (organization, _idp) = organization_with_mock(&app).await;
    let redirected = organization.sign_in(ALICE, PASSWORD).await;
    let (claims, me) = organization.finish(&redirected).await;
    assert_eq!(claims["roles"], json!(["organization_owner"]));
    assert_eq!(me["user"]["email"], ALICE);
}

/// Proves C8, C10: a sign-in that begins at the identity provider is refused until the connection allows it, and
/// then leads to the frontend's login page, never to a code.
#[both_engines]
async fn a_sign_in_begun_at_the_identity_provider_leads_to_the_login_page(db: TestDatabase) {
    let app = TestApp::start_development(db).await;
    let (organization, idp) = organization_with_mock(&app).await;
    let acs = &organization.acs_url;
    let initiate = format!("{}/initiate?acs={acs}&audience={acs}&user={ALICE}", idp.base_url());
    let mut browser = browser();
    let answered = browser.visit(&initiate).await;
    let refused = browser.carry_on(answered).await.page();
    assert_eq!(refused.status, 400, "{}", refused.text);
    let attempt = organization.last_attempt().await;
    assert_eq!(attempt["failure"]["reason"], "unsolicited_response");
    assert!(refused.text.contains(attempt["id"].as_str().unwrap()), "{}", refused.text);

    organization.configure(&json!({ "allow_idp_initiated": true })).await;
    let answered = browser.visit(&initiate).await;
    let login = browser.carry_on(answered).await.application();
    assert!(login.as_str().starts_with(LOGIN_PAGE) && !login.as_str().contains("code="), "{login}");
    assert_eq!((parameter(&login, "account_name"), parameter(&login, "portal")), ("acme".into(), "admin".into()));
    let redirected = organization.sign_in(ALICE, PASSWORD).await;
    organization.finish(&redirected).await;
}

/// Outcomes of a response with a fault.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// The user is signed in in spite of the fault.
    Accepted,
    /// The frontend is told `saml_response_refused`, the attempt says why.
    Refused(&'static str),
}

/// Every fault and what becomes of it. The replay comes first, after an honest response.
fn outcomes() -> Vec<(Fault, Outcome)> {
    use Outcome::{Accepted, Refused};
    vec![
        (Fault::Replay, Refused("response_replayed")),
        (Fault::Expired, Refused("confirmation_expired")),
        (Fault::NotYetValid, Refused("assertion_not_yet_valid")),
        (Fault::WrongAudience, Refused("audience_mismatch")),
        (Fault::WrongRecipient, Refused("recipient_mismatch")),
        (Fault::WrongDestination, Refused("destination_mismatch")),
        (Fault::WrongIssuer, Refused("response_issuer_mismatch")),
        (Fault::Unsigned, Refused("signature_missing")),
        (Fault::WrongKey, Refused("signature_invalid")),
        (Fault::AlteredAfterSigning, Refused("signature_invalid")),
        (Fault::Sha1, Refused("sha1_not_allowed")),
        (Fault::StatusNotSuccess { second_level: "AuthnFailed".to_owned() }, Refused("status_not_success")),
        (Fault::ClockSkew { seconds: 600 }, Refused("issue_instant_in_future")),
        (Fault::ClockSkew { seconds: -7200 }, Refused("confirmation_expired")),
        (Fault::MissingEmail, Refused("username_attribute_missing")),
        (Fault::TwoUsernames, Refused("username_attribute_ambiguous")),
        (Fault::NoGroups, Accepted),
        (Fault::NoNameId, Accepted),
        (Fault::UnknownInResponseTo, Refused("in_response_to_unknown")),
        (Fault::Unsolicited, Refused("unsolicited_response")),
        (Fault::DifferentInResponseTo, Refused("in_response_to_mismatch")),
    ]
}

/// Signs alice in with what goes wrong picked in the login form.
async fn sign_in_with(organization: &Organization, fault: &Fault) -> Place {
    let index = Fault::choices().iter().position(|(choice, _)| choice == fault).unwrap();
    let mut browser = browser();
    let login = organization.begin(&mut browser, ALICE).await.page();
    let form = login.login_form().with("username", ALICE).with("password", PASSWORD);
    let answered = browser.submit(form.with("fault", &index.to_string())).await;
    browser.carry_on(answered).await
}

/// Proves C10, H1: each mistake of an identity provider is refused with one code for the browser and its own reason in
/// the attempt; what is none is let in.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_outcome() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, _idp) = organization_with_mock(&app).await;
    let table = outcomes();
    for (fault, _) in Fault::choices() {
        assert!(table.iter().any(|(known, _)| *known == fault), "{fault:?} is not in the table");
    }
    let redirected = organization.sign_in(ALICE, PASSWORD).await;
    organization.finish(&redirected).await;
    for (fault, outcome) in table {
        let place = sign_in_with(&organization, &fault).await;
        let attempt = organization.last_attempt().await;
        match outcome {
            Outcome::Accepted => drop(organization.finish(&place.application()).await),
            Outcome::Refused(reason) => {
                assert_eq!(attempt["failure"]["reason"], reason, "{fault:?}: {attempt}");
                let url = place.application();
                assert_eq!(parameter(&url, "error"), "access_denied", "{fault:?}");
                assert_eq!(parameter(&url, "error_code"), "saml_response_refused", "{fault:?}");
                assert_eq!(json!(parameter(&url, "attempt_id")), attempt["id"], "{fault:?}");
            }
        }
    }
}

/// Proves C6: every cipher that identity providers use for the key in our metadata.
#[tokio::test(flavor = "multi_thread")]
async fn encrypted_assertions_of_every_kind_are_read() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, idp) = organization_with_mock(&app).await;
    let certificate_pem = organization.certificate().await;
    for content in [ContentAlgorithm::Aes128Gcm, ContentAlgorithm::Aes256Gcm, ContentAlgorithm::Aes256Cbc] {
        for key_transport in [KeyTransport::OaepSha1, KeyTransport::OaepSha256] {
            let encryption = EncryptionOptions { certificate_pem: certificate_pem.clone(), content, key_transport };
            idp.set_options(Options { encryption: Some(encryption), ..Options::default() }).unwrap();
            let redirected = organization.sign_in(ALICE, PASSWORD).await;
            organization.finish(&redirected).await;
        }
    }
}

/// Proves C6, C7: where the identity provider demands signed requests it gets them, by either binding.
#[tokio::test(flavor = "multi_thread")]
async fn signed_requests_are_accepted_by_either_binding() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, idp) = organization_with_mock(&app).await;
    let request_certificate_pem = Some(organization.certificate().await);
    idp.set_options(Options { request_certificate_pem, ..Options::default() }).unwrap();
    let page = organization.begin(&mut browser(), ALICE).await.page();
    assert_eq!(page.status, 400, "an unsigned request is accepted");
    organization.configure(&json!({ "sign_requests": true })).await;
    for binding in ["http_redirect", "http_post"] {
        organization.configure(&json!({ "request_binding": binding })).await;
        let redirected = organization.sign_in(ALICE, PASSWORD).await;
        organization.finish(&redirected).await;
    }
}

/// Proves D3: an identity provider that has gone is told before the browser is sent there.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_that_has_gone_is_unreachable() {
    let app = TestApp::start_development(database(Engine::Sqlite).await).await;
    let (organization, idp) = organization_with_mock(&app).await;
    idp.stop().await;
    let problem: Value = organization.start(Some(ALICE)).await.problem(503, "idp_unreachable");
    assert_eq!(problem["detail"], "Unable to connect to your identity provider. Please try again later");
}
