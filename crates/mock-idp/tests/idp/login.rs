//! Sign-in as a browser sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mock_idp::RunningIdp;
use mock_idp::idp::{DEFAULT_ROLE_ATTRIBUTE, DEFAULT_USERNAME_ATTRIBUTE};
use mock_idp::message::xml::Element;

use crate::client::{Reply, get, post_form};
use crate::scene::{ACS, REQUEST_ID, redirect, request, start, tree, values};

async fn login(idp: &RunningIdp, form: &Reply, username: &str, password: &str) -> Reply {
    let handle = form.field("handle").expect("a handle");
    let fields = [("handle", handle.as_str()), ("username", username), ("password", password)];
    post_form(&format!("{}{}", idp.base_url(), form.action()), &fields).await
}

/// Proves C10's InResponseTo and C2's default attribute from the identity provider's side.
#[tokio::test]
async fn a_login_answers_the_request_with_the_user_s_attributes() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), "relay-1")).await;
    assert_eq!(form.status, 200);
    let page = login(&idp, &form, "alice@example.test", "alice-password").await;
    assert_eq!(page.action(), ACS);
    assert_eq!(page.field("RelayState").as_deref(), Some("relay-1"));
    let response = tree(&page.field("SAMLResponse").expect("a response"));
    assert_eq!(response.value("InResponseTo"), Some(REQUEST_ID));
    assert_eq!(response.find("Issuer").map(Element::text_content).as_deref(), Some(idp.entity_id()));
    assert_eq!(response.find("Audience").map(Element::text_content).as_deref(), Some(ACS));
    assert_eq!(values(&response, DEFAULT_USERNAME_ATTRIBUTE), ["alice@example.test"]);
    assert_eq!(values(&response, DEFAULT_ROLE_ATTRIBUTE), ["nac-team-lead"]);
    idp.stop().await;
}

/// Proves the HTTP-POST binding of requests.
#[tokio::test]
async fn a_posted_request_is_answered_as_well() {
    let idp = start().await;
    let value = BASE64.encode(request(""));
    let form = post_form(&idp.sso_url(), &[("SAMLRequest", &value)]).await;
    let page = login(&idp, &form, "bob@example.test", "bob-password").await;
    assert_eq!(page.field("RelayState"), None);
    let response = tree(&page.field("SAMLResponse").expect("a response"));
    assert!(values(&response, DEFAULT_ROLE_ATTRIBUTE).is_empty());
}

/// Proves that a wrong password shows the form again, and that the sign-in can still succeed.
#[tokio::test]
async fn a_wrong_password_shows_the_form_again() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), "")).await;
    let again = login(&idp, &form, "alice@example.test", "wrong").await;
    assert_eq!(again.status, 401);
    assert!(again.body.contains("role=\"alert\""));
    let page = login(&idp, &again, "alice@example.test", "alice-password").await;
    assert!(page.field("SAMLResponse").is_some());
}

/// Proves that a login form is answered once.
#[tokio::test]
async fn an_answered_form_is_spent() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), "")).await;
    login(&idp, &form, "alice@example.test", "alice-password").await;
    let second = login(&idp, &form, "alice@example.test", "alice-password").await;
    assert_eq!(second.status, 400);
}

/// Proves that the login form offers the faults, for people who demonstrate.
#[tokio::test]
async fn a_fault_chosen_on_the_form_is_in_the_response() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), "")).await;
    let (before, _) = form.body.split_once("\">wrong audience").expect("the choice");
    let (_, fault) = before.rsplit_once('"').expect("its value");
    let handle = form.field("handle").expect("a handle");
    let fields = [
        ("handle", handle.as_str()),
        ("username", "alice@example.test"),
        ("password", "alice-password"),
        ("fault", fault),
    ];
    let page = post_form(&format!("{}/login", idp.base_url()), &fields).await;
    let response = tree(&page.field("SAMLResponse").expect("a response"));
    assert_ne!(response.find("Audience").expect("an audience").text_content(), ACS);
}

/// Proves C10's unsolicited responses from the identity provider's side.
#[tokio::test]
async fn a_sign_in_begun_here_answers_no_request() {
    let idp = start().await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("acs", ACS)
        .append_pair("audience", ACS)
        .append_pair("user", "alice@example.test")
        .finish();
    let page = get(&format!("{}/initiate?{query}", idp.base_url())).await;
    assert_eq!(page.action(), ACS);
    let response = tree(&page.field("SAMLResponse").expect("a response"));
    assert_eq!(response.value("InResponseTo"), None);
}

/// Proves that a passive request is refused at once, as no user has a session here.
#[tokio::test]
async fn a_passive_request_is_answered_with_no_passive() {
    let idp = start().await;
    let page = get(&redirect(&idp, &request("IsPassive=\"true\""), "")).await;
    let response = tree(&page.field("SAMLResponse").expect("a response"));
    let status = response.find("StatusCode").and_then(|code| code.element("StatusCode"));
    assert_eq!(status.and_then(|code| code.value("Value")), Some("urn:oasis:names:tc:SAML:2.0:status:NoPassive"));
    assert!(response.find("Assertion").is_none());
}
