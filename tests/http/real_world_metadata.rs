//! Identity providers' metadata as it is served and pasted in the real world (C5).

use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::idp::TestIdp;
use tests::tenant::Tenant;

/// Metadata of an identity provider with this entity id.
fn metadata(entity_id: &str) -> String {
    let text =
        include_str!("idp_metadata.xml").replace("CERTIFICATE", &TestIdp::trusted().identity.certificate().base64());
    let (before, rest) = text.split_once("entityID=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}entityID=\"{entity_id}\"{after}")
}

fn utf_16_le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

async fn upload(app: &TestApp, path: &str, body: Vec<u8>, kind: &str) -> Answer {
    let request = app.operator().request(Method::POST, path);
    Answer::of(request.header("Content-Type", kind).body(body)).await
}

fn detail(problem: &Value) -> (String, String) {
    let error = &problem["errors"][0];
    (error["pointer"].as_str().unwrap().to_owned(), error["detail"].as_str().unwrap().to_owned())
}

/// Proves C5: uploads, pastes and fetches are read in any encoding that XML allows, with what came before the
/// declaration.
#[both_engines]
async fn metadata_is_taken_in_every_encoding_and_way(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let import = format!("{}/idp-metadata", tenant.connection_path());
    let declared =
        |encoding: &str, id: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n{}", metadata(id));
    let latin = |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let id = "https://idp.test/\u{e5}";
    let bodies = [
        (format!("\u{feff}{}", declared("utf-8", id)).into_bytes(), "application/xml"),
        (format!("\r\n\r\n{}", declared("utf-8", id)).into_bytes(), "text/xml"),
        (utf_16_le(&format!("\u{feff}{}", declared("utf-16", id))), "application/samlmetadata+xml"),
        (utf_16_le(&metadata(id)), "application/xml"),
        (latin(declared("ISO-8859-1", id)), "application/xml; charset=utf-8"),
        (latin(metadata(id)), "text/xml; charset=\"windows-1252\""),
    ];
    let url = "https://idp.acme.test/metadata";
    for (round, (body, kind)) in bodies.into_iter().enumerate() {
        let reset = json!({ "idp_entity_id": "https://before.test" });
        app.operator().patch(&tenant.connection_path(), &reset).await.expect(200);
        let imported = upload(&app, &import, body.clone(), kind).await.expect(200);
        assert_eq!(imported["idp_entity_id"], id, "{round}");
        if kind.contains("charset=\"") {
            continue;
        }
        app.operator().patch(&tenant.connection_path(), &reset).await.expect(200);
        app.world.publish(url, body);
        let imported = app.operator().post(&import, &json!({ "metadata_url": url })).await.expect(200);
        assert_eq!(imported["idp_entity_id"], id, "{round}");
    }
    for text in [format!("\u{feff}\n{}", declared("utf-16", id)), format!("\n\n  {}", declared("iso-8859-1", id))] {
        app.operator().post(&import, &json!({ "metadata_xml": text })).await.expect(200);
    }
    let problem = upload(&app, &import, latin(metadata(id)), "application/xml").await.problem(422, "invalid_input");
    assert!(detail(&problem).1.contains("not text in UTF-8"), "{problem}");
}

/// Proves C5: of several identity providers one is chosen by its entity id; without that the answer says which there
/// are. A refresh keeps the choice.
#[both_engines]
async fn one_of_several_identity_providers_is_chosen(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let import = format!("{}/idp-metadata", tenant.connection_path());
    let (one, two) = ("https://one.test", "https://two.test");
    let both = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}</md:EntitiesDescriptor>",
        metadata(one),
        metadata(two)
    );
    let operator = app.operator();
    let problem = operator.post(&import, &json!({ "metadata_xml": both })).await.problem(422, "invalid_input");
    let (pointer, text) = detail(&problem);
    assert!(pointer == "/entity_id" && text.contains(one) && text.contains(two), "{problem}");
    let wrong = json!({ "metadata_xml": both, "entity_id": "https://three.test" });
    assert!(detail(&operator.post(&import, &wrong).await.problem(422, "invalid_input")).1.contains(two));
    let chosen = json!({ "metadata_xml": both, "entity_id": two });
    assert_eq!(operator.post(&import, &chosen).await.expect(200)["idp_entity_id"], two);
    let by_query = format!("{import}?entity_id=https%3A%2F%2Fone.test");
    let uploaded = upload(&app, &by_query, both.clone().into_bytes(), "application/xml").await.expect(200);
    assert_eq!(uploaded["idp_entity_id"], one);
    app.world.publish("https://idp.acme.test/all", both);
    let fetched = json!({ "metadata_url": "https://idp.acme.test/all", "entity_id": two });
    operator.post(&import, &fetched).await.expect(200);
    assert_eq!(operator.post(&import, &json!({ "refresh": true })).await.expect(200)["idp_entity_id"], two);
}

/// Proves C5: a body with none or several of the fields that exclude each other is told which they are.
#[both_engines]
async fn fields_that_exclude_each_other_are_named(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let import = format!("{}/idp-metadata", tenant.connection_path());
    for body in [
        json!({}),
        json!({ "entity_id": "https://idp.test" }),
        json!({ "metadata_xml": "<a/>", "metadata_url": "https://idp.test/metadata" }),
        json!({ "metadata_url": "https://idp.test/metadata", "refresh": true }),
    ] {
        let problem = app.operator().post(&import, &body).await.problem(422, "invalid_input");
        assert!(detail(&problem).1.contains("exactly one of metadata_xml, metadata_url, refresh"), "{problem}");
        let named = problem["errors"].as_array().unwrap();
        assert_eq!(named.len(), body.as_object().unwrap().len().clamp(1, 2), "{problem}");
    }
    for (body, pointer) in [(json!({ "refresh": false }), "/refresh"), (json!({ "metadata": "x" }), "/metadata")] {
        let problem = app.operator().post(&import, &body).await.problem(422, "invalid_input");
        assert_eq!(detail(&problem).0, pointer);
    }
}

/// Proves C5: what is pasted instead of metadata is called what it is.
#[both_engines]
async fn what_is_pasted_instead_of_metadata_is_called_what_it_is(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let import = format!("{}/idp-metadata", tenant.connection_path());
    let own = app.anonymous().get(&tenant.acs_path()).await.text;
    for (text, wanted) in [
        ("https://idp.test/FederationMetadata/2007-06/FederationMetadata.xml", "is a URL"),
        (include_str!("../fixtures/idp.crt"), "is a certificate"),
        ("<!DOCTYPE html><html></html>", "is a web page"),
        ("{\"keys\": []}", "is JSON"),
        ("PHNhbWxwOlJlc3BvbnNlLz4gICAgICAg", "is base64"),
        ("<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>", "is a SAML message"),
        (own.as_str(), "no identity provider"),
        ("", "is empty"),
    ] {
        let body = json!({ "metadata_xml": text });
        let problem = app.operator().post(&import, &body).await.problem(422, "invalid_input");
        assert!(detail(&problem).1.contains(wanted), "{problem}");
    }
}
