//! The token endpoint: codes, access tokens, refresh tokens (D4, I1, I2).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::{ORIGIN, Tenant};
use tests::tokens::{claims, verify};
use tests::{assert_fields, both_engines};

/// Proves I1: the shape of RFC 9068, verified by a JOSE library against the published keys.
#[both_engines]
async fn an_access_token_verifies_with_any_jose_library(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let token = tokens["access_token"].as_str().unwrap();
    let jwks = app.anonymous().get("/.well-known/jwks.json").await.expect(200);
    let data = verify(token, &jwks, &tenant.client_id).unwrap();
    assert_eq!(data.header.typ.as_deref(), Some("at+jwt"));
    let claims = data.claims;
    assert_eq!(claims["iss"], json!(app.issuer()));
    assert_eq!(claims["client_id"], json!(tenant.client_id));
    assert_eq!(claims["account_id"], json!(tenant.account_id));
    assert_fields!(claims, { "portal": "admin", "amr": ["saml"] });
    assert_eq!(claims["roles"], json!(["organization_member"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    for name in ["sub", "jti", "sid", "auth_time"] {
        assert!(!claims[name].is_null(), "{name}");
    }
    assert!(jwks["keys"][0].get("d").is_none(), "a private key is published");
    assert!(verify(token, &jwks, "somebody-else").is_err());
}

/// Proves I1: a token of another shape, key or time stands for no caller.
#[both_engines]
async fn a_forged_or_stale_access_token_is_nobody(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let good = tokens["access_token"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = good.split('.').collect();
    let none_header = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let forged = [
        String::new(),
        "x".into(),
        "x.y.z".into(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{none_header}.{}.", parts[1]),
        format!("{}.{}.{}", none_header, parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[0], parts[2]),
        good.to_uppercase(),
        "a".repeat(20_000),
    ];
    for token in forged {
        app.anonymous().bearing(&token).get("/v1/me").await.problem(401, "unauthenticated");
    }
    let answer = app.anonymous().get("/v1/me").await;
    answer.problem(401, "unauthenticated");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    app.anonymous().bearing(&good).get("/v1/me").await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(11));
    app.anonymous().bearing(&good).get("/v1/me").await.problem(401, "session_expired");
}

/// Proves D4: a code is good once, for sixty seconds, for the frontend and verifier that began; a second use ends
/// its session.
#[both_engines]
async fn a_code_is_exchanged_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let good = tenant.exchange_form(&code);
    let with = |name: &'static str, value: &'static str| {
        let mut form = good;
        form.iter_mut().find(|(key, _)| *key == name).unwrap().1 = value;
        form
    };
    for (form, error) in [
        (with("code_verifier", "another-code-verifier-that-is-long-enough-for-it"), "invalid_grant"),
        (with("redirect_uri", "https://app.example.test/other"), "invalid_grant"),
        (with("client_id", "app_00000000000000000000000000000000"), "invalid_grant"),
        (with("client_id", "nonsense"), "invalid_client"),
        (with("code", "vac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "invalid_grant"),
        (with("grant_type", "password"), "unsupported_grant_type"),
    ] {
        let answer = app.anonymous().form("/oauth/token", &form).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401));
        assert_eq!(answer.json()["error"], error, "{form:?}");
    }
    let tokens = app.anonymous().form("/oauth/token", &good).await.expect(200);
    let again = app.anonymous().form("/oauth/token", &good).await;
    assert_eq!(again.expect(400)["error"], "invalid_grant");
    app.anonymous()
        .bearing(tokens["access_token"].as_str().unwrap())
        .get("/v1/me")
        .await
        .problem(401, "session_expired");
    tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);

    let late = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    app.world.clock.advance(SignedDuration::from_secs(60));
    let answer = app.anonymous().form("/oauth/token", &tenant.exchange_form(&late)).await;
    assert_eq!(answer.expect(400)["error"], "invalid_grant");
}

/// Proves D4: of two frontends that exchange one code at once, one gets a session at most.
#[both_engines]
async fn two_at_once_exchange_one_code(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let form = tenant.exchange_form(&code);
    let anyone = app.anonymous();
    let (one, two) = tokio::join!(anyone.form("/oauth/token", &form), anyone.form("/oauth/token", &form));
    let given = [one, two].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(given, 1);
}

/// Proves I2: a refresh token is good for its own client alone, until it was idle too long.
#[both_engines]
async fn a_refresh_token_is_bound_and_expires_when_idle(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(other.refresh(&app, token).await.expect(400)["error"], "invalid_grant");
    tenant.refresh(&app, "vrt_nonsense").await.expect(400);
    app.world.clock.advance(SignedDuration::from_hours(2));
    tenant.refresh(&app, token).await.expect(400);
}

/// Proves I2: an application may have its refresh token in a cookie that scripts cannot read, and that only its own
/// pages can use.
#[both_engines]
async fn a_cookie_carries_the_refresh_token_for_the_applications_own_pages(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path(&format!("/applications/{}", tenant.client_id));
    app.operator().patch(&path, &json!({ "refresh_delivery": "cookie" })).await.expect(200);
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let post = |origin: Option<&'static str>, cookie: String, fields: Vec<(String, String)>| {
        let mut request = app.anonymous().request(Method::POST, "/oauth/token");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        if !cookie.is_empty() {
            request = request.header("Cookie", cookie);
        }
        Answer::of(request.form(&fields))
    };
    let owned =
        |fields: &[(&str, &str)]| fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
    let exchange = owned(&tenant.exchange_form(&code));
    assert_eq!(post(None, String::new(), exchange.clone()).await.expect(400)["error"], "unauthorized_client");
    let answer = post(Some(ORIGIN), String::new(), exchange).await;
    assert!(answer.expect(200).get("refresh_token").is_none());
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["HttpOnly", "Secure", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap().to_owned();
    let refresh = owned(&[("grant_type", "refresh_token"), ("client_id", &tenant.client_id)]);
    for evil in [None, Some("https://evil.test"), Some("null"), Some("https://app.example.test.evil.test")] {
        let refused = post(evil, pair.clone(), refresh.clone()).await;
        assert!(refused.status.is_client_error(), "{evil:?} {}", refused.text);
    }
    let refreshed = post(Some(ORIGIN), pair.clone(), refresh.clone()).await;
    refreshed.expect(200);
    assert_ne!(refreshed.header("set-cookie").split(';').next().unwrap(), pair);
    let stolen = pair.split_once('=').unwrap().1.to_owned();
    let in_body =
        owned(&[("grant_type", "refresh_token"), ("client_id", &tenant.client_id), ("refresh_token", &stolen)]);
    assert_eq!(post(Some(ORIGIN), String::new(), in_body).await.expect(400)["error"], "invalid_request");
}

/// Proves I1: keys rotate without a token that fails, in either direction.
#[both_engines]
async fn signing_keys_rotate_without_a_failed_request(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let kid = |tokens: &serde_json::Value| {
        jsonwebtoken::decode_header(tokens["access_token"].as_str().unwrap()).unwrap().kid.unwrap()
    };
    let jwks = || async { app.anonymous().get("/.well-known/jwks.json").await.expect(200) };
    let before = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    app.operator().post("/v1/signing-keys/rotations", &json!({})).await.expect(202);
    assert_eq!(jwks().await["keys"].as_array().unwrap().len(), 2, "the next key is published before it signs");
    app.service.installation.tick().await.unwrap();
    assert_eq!(kid(&tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await), kid(&before));
    app.world.clock.advance(SignedDuration::from_mins(61));
    app.service.installation.tick().await.unwrap();
    let after = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    assert_ne!(kid(&after), kid(&before));
    let published = jwks().await;
    assert!(published["keys"].as_array().unwrap().iter().any(|key| key["kid"] == json!(kid(&before))));
    app.world.clock.advance(SignedDuration::from_hours(2));
    app.service.installation.tick().await.unwrap();
    assert_eq!(jwks().await["keys"].as_array().unwrap().len(), 1);
    assert_eq!(claims(after["access_token"].as_str().unwrap())["iss"], json!(app.issuer()));
}
