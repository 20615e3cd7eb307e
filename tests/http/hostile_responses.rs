//! Hostile SAML responses over HTTP: none signs a user in, none is answered 5xx, nothing is left behind (C10,
//! saml.md).

use mock_idp::message::{ContentAlgorithm, DigestAlgorithm, Encryption, KeyTransport, SignedParts, form_value};
use mock_idp::tamper;
use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::databases::TestDatabase;
use tests::idp::TestIdp;
use tests::tenant::Tenant;

/// Proves C10: each move that broke a service provider is refused, told to the browser in one generic way, and
/// written down with its reason; and the honest response that they were made from is accepted afterwards.
#[both_engines]
async fn no_hostile_document_lets_anybody_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let honest = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let cases = tamper::all(&honest, &tenant.idp.identity, &TestIdp::attacker().identity).unwrap();
    assert!(cases.len() > 40, "{}", cases.len());
    for case in cases.iter().filter(|case| case.may_be_accepted_as.is_none()) {
        let answer = tenant.post_value(&app, &case.form_value(), &pending.relay_state).await;
        let refused = match answer.status.as_u16() {
            303 => answer.location().query_pairs().any(|(name, value)| name == "error_code" && !value.is_empty()),
            400 | 403 | 413 => true,
            _ => false,
        };
        assert!(refused, "{} ({}): {} {:?} {}", case.name, case.attack, answer.status, answer.headers, answer.text);
        assert!(!answer.text.contains("forged-owner"), "{} is echoed", case.name);
    }
    let users = app.operator().get(&tenant.path("/users")).await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 1, "somebody was created: {users}");
    let accepted = tenant.post_response(&app, &honest, &pending.relay_state).await.location();
    assert!(accepted.as_str().contains("code=vac_"), "{accepted}: {}", tenant.last_attempt(&app).await);
}

/// Proves C10: what the form carries is bounded and strict before anything else looks at it.
#[both_engines]
async fn no_hostile_form_value_lets_anybody_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let honest = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let xml = honest.build(&tenant.idp.identity).unwrap();
    for case in tamper::form_values(&xml) {
        let answer = tenant.post_value(&app, &case.value, &pending.relay_state).await;
        let status = answer.status.as_u16();
        assert!(matches!(status, 303 | 400 | 403 | 413), "{}: {status} {}", case.name, answer.text);
        assert!(!answer.header("location").contains("code=vac_"), "{}", case.name);
    }
    for fields in [
        vec![],
        vec![("RelayState", "x")],
        vec![("SAMLResponse", "")],
        vec![("SAMLResponse", "PA=="), ("SAMLResponse", "PA==")],
    ] {
        let answer = app.anonymous().form(&tenant.acs_path(), &fields).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403 | 422), "{fields:?} {}", answer.text);
    }
    let answer = app.anonymous().post(&tenant.acs_path(), &json!({ "SAMLResponse": "x" })).await;
    answer.problem(415, "unsupported_media_type");
}

/// Proves C5, C10: unsigned, or signed by a key that was not pinned, a response signs in no user; by a second
/// pinned key it does.
#[both_engines]
async fn only_pinned_keys_are_trusted(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let attacker = TestIdp::attacker();
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let forged = attacker.sign(&response);
    let answer = tenant.post_value(&app, &forged, &pending.relay_state).await;
    assert!(answer.location().as_str().contains("saml_response_refused"));
    assert_eq!(tenant.last_attempt(&app).await["failure"]["check"], "signature");
    let unsigned = tenant.idp.sign(&response.clone().signed(SignedParts::None));
    let answer = tenant.post_value(&app, &unsigned, &pending.relay_state).await;
    assert!(answer.location().as_str().contains("saml_response_refused"));
    let both = json!({ "certificates": [tenant.idp.identity.certificate_pem(), attacker.identity.certificate_pem()] });
    app.operator().patch(&tenant.connection_path(), &both).await.expect(200);
    let answer = tenant.post_value(&app, &forged, &pending.relay_state).await;
    assert!(answer.location().as_str().contains("code=vac_"), "rollover: {}", tenant.last_attempt(&app).await);
}

/// Proves C6: encrypted assertions are read with our key; what fails to decrypt fails in one way.
#[both_engines]
async fn an_encrypted_assertion_is_decrypted_with_our_key(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pem = app.operator().get(&format!("{}/sp-certificate", tenant.connection_path())).await;
    let recipient = mock_idp::certificate::Certificate::from_pem(&pem.text).unwrap();
    let encryption = Encryption::new(recipient, [9; 48]);
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"])).encrypted(encryption);
    let answer = tenant.post_response(&app, &response, &pending.relay_state).await;
    assert!(answer.location().as_str().contains("code=vac_"), "{}", tenant.last_attempt(&app).await);

    let stranger =
        mock_idp::certificate::Certificate::from_pem(TestIdp::attacker().identity.certificate_pem()).unwrap();
    let pending = tenant.start(&app, None).await;
    let encryption = Encryption::new(stranger, [9; 48]);
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"])).encrypted(encryption);
    tenant.post_response(&app, &response, &pending.relay_state).await.location();
    let attempt = tenant.last_attempt(&app).await;
    assert_eq!(attempt["failure"]["reason"], "decryption_failed");
    assert_eq!(attempt["failure"]["got"], json!(null));
}

/// Proves C6, C9: every parameter set of OAEP is read, other recipients' keys are skipped, and an algorithm that is
/// refused is named in the attempt, while the browser gets the answer that every failure gets.
#[both_engines]
async fn a_refused_encryption_algorithm_is_named_in_the_attempt_alone(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pem = app.operator().get(&format!("{}/sp-certificate", tenant.connection_path())).await;
    let recipient = mock_idp::certificate::Certificate::from_pem(&pem.text).unwrap();
    let key_transport = KeyTransport::Oaep { digest: Some(DigestAlgorithm::Sha256), mask: None };
    let content = ContentAlgorithm::Aes192Gcm;
    let encryption = Encryption { content, key_transport, ..Encryption::new(recipient, [9; 48]) };
    let rsa_15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    let oaep = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    let (start, end) = ("<xenc:EncryptedKey>", "</xenc:EncryptedKey>");
    let answered = async |change: &dyn Fn(&str) -> String| {
        let pending = tenant.start(&app, None).await;
        let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"])).encrypted(encryption.clone());
        let xml = response.signed(SignedParts::Assertion).build(&tenant.idp.identity).unwrap();
        let ours = xml[xml.find(start).unwrap()..xml.find(end).unwrap() + end.len()].to_owned();
        let changed = xml.replacen(&ours, &change(&ours), 1);
        tenant.post_value(&app, &form_value(changed), &pending.relay_state).await.location()
    };
    let beside = answered(&|ours| format!("{}{ours}", ours.replace(oaep, rsa_15))).await;
    assert!(beside.as_str().contains("code=vac_"), "{beside}: {}", tenant.last_attempt(&app).await);

    let refused = answered(&|ours| ours.replace(oaep, rsa_15)).await;
    assert!(refused.as_str().contains("saml_response_refused") && !refused.as_str().contains("rsa-1_5"), "{refused}");
    let attempt = tenant.last_attempt(&app).await;
    assert_eq!(attempt["failure"]["reason"], "decryption_failed");
    assert_eq!(attempt["failure"]["got"], rsa_15);
}
