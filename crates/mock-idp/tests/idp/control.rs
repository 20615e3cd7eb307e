//! Control API: faults, users, options and answers without a browser.

use mock_idp::idp::DEFAULT_USERNAME_ATTRIBUTE;
use serde_json::json;

use crate::client::{get, send_json};
use crate::scene::{ACS, deflated, redirect, request, start, tree, values};

/// Proves that a suite can sign in without a browser, from the URL or from the bare value.
#[tokio::test]
async fn respond_answers_a_url_or_a_value_without_a_browser() {
    let idp = start().await;
    let url = format!("{}/respond", idp.control_url());
    for value in [redirect(&idp, &request(""), "relay-7"), deflated(&request(""))] {
        let body = json!({"username": "alice@example.test", "request": value});
        let reply = send_json("POST", &url, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["action"], ACS);
        let response = tree(reply.json()["SAMLResponse"].as_str().expect("a response"));
        assert_eq!(values(&response, DEFAULT_USERNAME_ATTRIBUTE), ["alice@example.test"]);
        let expected = if value.starts_with("http") { json!("relay-7") } else { json!(null) };
        assert_eq!(reply.json()["RelayState"], expected);
    }
}

/// Proves that options change the response and that fields left out are the defaults.
#[tokio::test]
async fn options_change_the_response_and_reset() {
    let idp = start().await;
    let url = format!("{}/options", idp.control_url());
    let options = json!({
        "shape": "keycloak", "signed": "both", "name_id": "persistent",
        "username_attribute": "mail", "role_attribute": null, "session_lifetime_seconds": 60,
    });
    assert_eq!(send_json("PUT", &url, &options).await.status, 200);
    let answer = idp.initiate("alice@example.test", ACS, ACS).expect("an answer");
    let response = tree(&answer.saml_response);
    assert_eq!(values(&response, "mail"), ["alice@example.test"]);
    assert!(response.element("Signature").is_some());
    assert!(response.find("AuthnStatement").is_some_and(|statement| statement.value("SessionNotOnOrAfter").is_some()));
    let reset = send_json("PUT", &url, &json!({})).await;
    assert_eq!(reset.json()["shape"], "plain");
    assert_eq!(get(&url).await.json(), reset.json());
}

/// Proves that encryption is an option, for the certificate of the service provider.
#[tokio::test]
async fn encryption_is_an_option() {
    let idp = start().await;
    let encryption = json!({"certificate_pem": idp.certificate_pem(), "content": "aes128_gcm"});
    let url = format!("{}/options", idp.control_url());
    let reply = send_json("PUT", &url, &json!({"encryption": encryption})).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer = idp.initiate("alice@example.test", ACS, ACS).expect("an answer");
    let response = tree(&answer.saml_response);
    assert!(response.element("EncryptedAssertion").is_some());
    assert!(response.element("Assertion").is_none());
}

/// Proves that refusals name the field to correct.
#[tokio::test]
async fn refusals_name_the_field() {
    let idp = start().await;
    let cases = [
        ("PUT", "options", json!({"shape": "nobody"}), "shape"),
        ("PUT", "options", json!({"shapes": "okta"}), "shapes"),
        ("PUT", "options", json!({"request_certificate_pem": "nonsense"}), "request_certificate_pem"),
        ("PUT", "options", json!({"encryption": {"certificate_pem": "x"}}), "encryption.certificate_pem"),
        ("PUT", "options", json!({"assertion_lifetime_seconds": 0}), "assertion_lifetime_seconds"),
        ("PUT", "faults", json!({"next": [{"fault": "clock_skew"}]}), "next"),
        ("PUT", "users", json!([{"username": "a", "email": "a"}, {"username": "b"}]), "[1].email"),
        ("PUT", "users", json!([{"username": "a", "email": 7}]), "[0].email"),
        ("POST", "users", json!({"username": "alice@example.test", "email": "x"}), "username"),
        ("POST", "respond", json!({"username": "nobody"}), "username"),
        ("POST", "respond", json!({"username": "bob@example.test"}), "acs"),
        ("POST", "respond", json!({"username": "bob@example.test", "acs": "https://example.test"}), "acs"),
        ("POST", "respond", json!({"username": "bob@example.test", "request": "AAAA"}), "request"),
    ];
    for (method, path, body, field) in cases {
        let reply = send_json(method, &format!("{}/{path}", idp.control_url()), &body).await;
        assert_eq!((reply.status, reply.json()["field"].as_str()), (422, Some(field)), "{body}");
        assert!(reply.json()["error"].as_str().is_some_and(|error| !error.is_empty()));
    }
}

/// Proves that users and faults read back as they were set.
#[tokio::test]
async fn users_and_faults_read_back() {
    let idp = start().await;
    let users = format!("{}/users", idp.control_url());
    let eve =
        json!({"username": "eve", "password": "p", "email": "eve@example.test", "attributes": {"groups": ["a", "b"]}});
    assert_eq!(send_json("POST", &users, &eve).await.status, 201);
    let answer = idp.initiate("eve", ACS, ACS).expect("an answer");
    assert_eq!(values(&tree(&answer.saml_response), "groups"), ["a", "b"]);
    assert_eq!(send_json("PUT", &users, &json!([eve])).await.status, 200);
    assert_eq!(get(&users).await.json().as_array().map(Vec::len), Some(1));
    let faults = json!({"next": [{"fault": "clock_skew", "seconds": 5}], "always": [{"fault": "unsigned"}]});
    let url = format!("{}/faults", idp.control_url());
    send_json("PUT", &url, &faults).await;
    assert_eq!(get(&url).await.json(), faults);
}
