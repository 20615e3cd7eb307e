//! Signing out at the revocation endpoint (RFC 7009).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

async fn revoke(app: &TestApp, tenant: &Tenant, token: &str, hint: Option<&str>) -> Answer {
    let mut form = vec![("client_id", tenant.client_id.as_str()), ("token", token)];
    form.extend(hint.map(|hint| ("token_type_hint", hint)));
    app.anonymous().form("/oauth/revoke", &form).await
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// Proves I4: either token of a session ends it, whatever hint comes with it, and the audit log tells of it.
#[both_engines]
async fn either_token_signs_out_whatever_the_hint(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let hints = [None, Some("access_token"), Some("refresh_token"), Some("nonsense"), Some("")];
    for kind in ["access_token", "refresh_token"] {
        for hint in hints {
            let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
            let ann = app.anonymous().bearing(text(&tokens, "access_token"));
            ann.get("/v1/me").await.expect(200);
            assert_eq!(revoke(&app, &tenant, text(&tokens, kind), hint).await.status, 200, "{kind} {hint:?}");
            ann.get("/v1/me").await.problem(401, "session_expired");
            tenant.refresh(&app, text(&tokens, "refresh_token")).await.expect(400);
            assert_eq!(revoke(&app, &tenant, text(&tokens, kind), hint).await.status, 200, "again");
        }
    }
    let events = app.operator().get(&tenant.path("/audit-events?action=session.ended")).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 2 * hints.len());
    assert_eq!(events.to_string().matches("ended_by_user").count(), 2 * hints.len(), "{events}");
}

/// Proves I4: an access token whose time is over still signs out, so that a session does not outlive a pause.
#[both_engines]
async fn an_expired_access_token_signs_out(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    app.world.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(revoke(&app, &tenant, text(&tokens, "access_token"), None).await.status, 200);
    tenant.refresh(&app, text(&tokens, "refresh_token")).await.expect(400);
}

/// Proves I4, A5: a token of another client is refused and its session goes on; a value that is not a token is not
/// an error.
#[both_engines]
async fn only_the_client_that_a_token_was_issued_to_revokes_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let access = text(&tokens, "access_token");
    for kind in ["access_token", "refresh_token"] {
        assert_eq!(revoke(&app, &other, text(&tokens, kind), None).await.expect(400)["error"], "invalid_grant");
    }
    let forged = access.replace('.', ".e30");
    let unsigned = format!("{}.", access.rsplit_once('.').unwrap().0);
    let long = "a".repeat(10_000);
    for unknown in ["vrt_unknown", "vop_key", "a.b.c", &long, &forged, &unsigned] {
        assert_eq!(revoke(&app, &tenant, unknown, None).await.status, 200, "{unknown}");
    }
    app.anonymous().bearing(access).get("/v1/me").await.expect(200);
    tenant.refresh(&app, text(&tokens, "refresh_token")).await.expect(200);
    let missing = app.anonymous().form("/oauth/revoke", &[("client_id", tenant.client_id.as_str())]).await;
    assert_eq!(missing.expect(400)["error"], json!("invalid_request"));
}
