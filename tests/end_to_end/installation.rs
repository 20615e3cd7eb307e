//! The binary beside the API: what the command line makes, the API serves, and it stops when it is asked to.

use serde_json::json;
use tests::databases::{TestDatabase, database};
use tests::process::Installation;
use tests::{both_engines, databases};

/// Proves A1: an operator who begins at the command line goes on over HTTP, and a start finds what the last one left.
#[both_engines]
async fn what_the_command_line_makes_the_api_serves(db: TestDatabase) {
    let mut installation = Installation::on_database(&db.url);
    installation.set("SERVER__BASE_URL", "https://login.example.test");
    let account = ["account", "create", "--name", "acme", "--display-name", "Acme", "--owner-email", "o@acme.test"];
    let account = installation.json(&account);
    let waiting = json!({ "state": "waiting", "blocked_by": "page_not_configured" });
    assert_eq!(account["owner_invitation"], waiting);
    let key = installation.json(&["operator-key", "create", "--name", "first"]);
    let running = installation.serve().await;
    let operator = installation.anonymous().bearing(key["key"].as_str().unwrap());
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).await.expect(200)["name"], "acme");
    let keys = || async { installation.anonymous().get("/.well-known/jwks.json").await.expect(200) };
    let before = keys().await;
    running.kill();
    let _again = installation.serve().await;
    assert_eq!(operator.get(&path).await.expect(200)["display_name"], "Acme");
    assert_eq!(keys().await, before);
}

/// Proves that the doctor looks at the running installation, and that a container's health check asks it.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_knows_a_served_installation() {
    let installation = Installation::on_sqlite();
    let _running = installation.serve().await;
    let found = String::from_utf8(installation.run(&["doctor", "--development"]).stdout).unwrap();
    let base_url = format!("ok       base URL: {} leads to this installation", installation.base_url());
    for words in ["ok       master key: it is the one", "signs with ES256", "ok       clock:", &base_url] {
        assert!(found.contains(words), "{words}: {found}");
    }
    assert!(!found.contains("FAILURE"), "{found}");
    let strict = String::from_utf8(installation.run(&["doctor"]).stdout).unwrap();
    assert!(strict.contains("FAILURE  configuration: server.base_url"), "{strict}");
    let url = format!("{}/healthz", installation.base_url());
    for arguments in [&["healthcheck"][..], &["healthcheck", "--url", &url]] {
        let health = installation.run(arguments);
        assert!(health.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&health.stderr));
    }
}

/// Proves that a signal to stop is obeyed, and that nothing is listened on afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn serve_stops_when_it_is_asked_to() {
    let installation = Installation::on_sqlite();
    let mut running = installation.serve().await;
    assert!(running.terminate().success());
    assert!(installation.anonymous().request(reqwest::Method::GET, "/healthz").send().await.is_err());
}

/// Proves that the committed OpenAPI document is the one that the binary prints.
#[test]
fn the_binary_prints_the_committed_openapi_document() {
    let committed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json")).unwrap();
    let committed: serde_json::Value = serde_json::from_slice(&committed).unwrap();
    assert_eq!(Installation::on_sqlite().json(&["openapi"]), committed);
    assert_ne!(committed["paths"], json!({}));
}

/// Proves that two processes may share a PostgreSQL: both serve, with the same keys.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_a_database() {
    let db = database(databases::Engine::Postgres).await;
    let (one, two) = (Installation::on_database(&db.url), Installation::on_database(&db.url));
    let (_one, _two) = tokio::join!(one.serve(), two.serve());
    let keys = |replica: &Installation| {
        let anyone = replica.anonymous();
        async move { anyone.get("/.well-known/jwks.json").await.expect(200) }
    };
    assert_eq!(keys(&one).await, keys(&two).await);
}
