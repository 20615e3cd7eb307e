//! Escaping: no value from outside becomes markup.

use mock_idp::idp::User;

use crate::client::{get, post_form};
use crate::scene::{redirect, request, start, tree};

const SCRIPT: &str = "\"'><script>alert(1)</script>&";

/// Proves that RelayState is carried unchanged and cannot break out of its field.
#[tokio::test]
async fn relay_state_is_escaped_and_unchanged() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), SCRIPT)).await;
    assert!(!form.body.contains("<script>alert"));
    let handle = form.field("handle").expect("a handle");
    let fields = [("handle", handle.as_str()), ("username", "alice@example.test"), ("password", "alice-password")];
    let page = post_form(&format!("{}/login", idp.base_url()), &fields).await;
    assert!(!page.body.contains("<script>alert"));
    assert_eq!(page.field("RelayState").as_deref(), Some(SCRIPT));
}

/// Proves that users, issuers and error texts are escaped too.
#[tokio::test]
async fn names_and_problems_are_escaped() {
    let idp = start().await;
    idp.set_users(vec![User::new(SCRIPT, SCRIPT, &[SCRIPT])]);
    let hostile = request("").replace("</saml:Issuer>", "&lt;script&gt;alert(2)&lt;/script&gt;</saml:Issuer>");
    let form = get(&redirect(&idp, &hostile, "")).await;
    assert!(form.body.contains("&lt;script&gt;alert(1)"), "the user is listed");
    assert!(form.body.contains("&lt;script&gt;alert(2)"), "the audience is shown");
    assert!(!form.body.contains("<script>alert"));
    let refused = get(&redirect(&idp, &request("Destination=\"&lt;script&gt;alert(3)\""), "")).await;
    assert_eq!(refused.status, 400);
    assert!(!refused.body.contains("<script>alert"));
}

/// Proves that only the page's own script may run.
#[tokio::test]
async fn pages_carry_a_content_security_policy() {
    let idp = start().await;
    let form = get(&redirect(&idp, &request(""), "")).await;
    let head = form.head.to_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'"));
    assert!(head.contains("script-src 'sha256-"));
    assert!(head.contains("cache-control: no-store"));
}

/// Proves that values with markup survive in the response as values.
#[tokio::test]
async fn attribute_values_survive_as_they_are() {
    let idp = start().await;
    let answer = idp.initiate("zoe@example.test", crate::scene::ACS, crate::scene::ACS).expect("an answer");
    let response = tree(&answer.saml_response);
    let name = "http://schemas.microsoft.com/identity/claims/displayname";
    assert_eq!(crate::scene::values(&response, name), ["Zoë Müller & Søns <x>"]);
}
