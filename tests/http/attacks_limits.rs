//! Large, long and slow requests: what costs us more than their sender (H1, D5).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::json;
use service::{AcsAnswer, Arrival, AuthorizationRequest, PostedResponse, StartSignIn};
use tests::app::{Limits, TestApp};
use tests::both_engines;
use tests::databases::{Engine, TestDatabase, database};
use tests::form::PASSWORD;
use tests::tenant::{REDIRECT_URI, Tenant, challenge};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

/// Longest time until a client that sends nothing more is let go: the bound on bodies, with room for a busy
/// machine.
const LET_GO_WITHIN: Duration = Duration::from_mins(1);
/// Slow clients at once.
const SLOW: usize = 200;
const CONNECTION_LIMIT: u32 = 40;
/// Logins at once, few enough that none is slowed down for those that failed.
const LOGINS_AT_ONCE: usize = 20;

/// Sends a beginning, then a byte at a time, and gives what came back before the connection was closed.
async fn trickle(address: String, beginning: String) -> String {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    writing.write_all(beginning.as_bytes()).await.unwrap();
    let dripping = async {
        let mut pace = interval(Duration::from_millis(500));
        loop {
            pace.tick().await;
            if writing.write_all(b"a").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let answer = async {
        let mut answer = vec![];
        // A connection that is reset has been let go too.
        let _ = reading.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::select! {
        () = dripping => unreachable!("it drips for ever"),
        answer = answer => answer,
    }
}

/// Proves D5: a client that sends a head or a body slowly is let go in bounded time, and keeps no other waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_let_go_and_keep_nobody_waiting() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let address = app.anonymous().request(reqwest::Method::GET, "/").build().unwrap().url().authority().to_owned();
    let body = |path: &str, kind: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: 5000\r\n\r\n")
    };
    let beginnings = [
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned(),
        body("/oauth/token", "application/x-www-form-urlencoded"),
        body(&tenant.acs_path(), "application/x-www-form-urlencoded"),
        body("/v1/sso-sign-ins", "application/json"),
        body("/healthz", "application/json"),
        body("/v1/accounts", "application/json"),
    ];
    let began = Instant::now();
    let slow = (0..SLOW).map(|n| {
        let trickling = trickle(address.clone(), beginnings[n % beginnings.len()].clone());
        tokio::spawn(timeout(LET_GO_WITHIN, trickling))
    });
    let slow: Vec<_> = slow.collect();
    timeout(Duration::from_secs(20), tenant.sign_in(&app, "ann@acme.test", Some(&["staff"]))).await.unwrap();
    for client in slow {
        let answer = client.await.unwrap().expect("a slow client is let go");
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    assert!(began.elapsed() < LET_GO_WITHIN);
}

/// Proves C10: a request that two readers could take for different ones is not answered twice.
#[tokio::test]
async fn an_ambiguous_request_is_one_request_at_most() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let address = app.anonymous().request(reqwest::Method::GET, "/").build().unwrap().url().authority().to_owned();
    let smuggled = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
    for head in [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", 5 + smuggled.len()),
        format!("content-length: 0\r\ncontent-length: {}\r\n", 5 + smuggled.len()),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "content-length: +5\r\n".to_owned(),
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request = format!("POST /healthz HTTP/1.1\r\nhost: x\r\n{head}\r\n0\r\n\r\n{smuggled}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![];
        let _ = timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("\"status\":\"ok\""), "{head}: {answer}");
    }
}

/// Proves B5: the surplus of a flood of form logins is told to come back, and the others are answered as ever.
#[tokio::test]
async fn the_surplus_of_a_login_flood_is_told_to_come_back() {
    let limits = Limits { passwords_at_once: 1, ..Limits::default() };
    let app = TestApp::start_with(database(Engine::Sqlite).await, limits).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let (anyone, somebody) = (app.anonymous(), |n: usize| format!("somebody-{n}"));
    let names: Vec<String> = (0..LOGINS_AT_ONCE).map(somebody).collect();
    let logins = names.iter().map(|name| tenant.form_login(&anyone, name, PASSWORD));
    let (mut refused, mut compared) = (0, 0);
    for answer in futures_util::future::join_all(logins).await {
        if answer.status == 503 {
            answer.problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), "2");
            refused += 1;
        } else {
            answer.problem(401, "login_incorrect_credentials");
            compared += 1;
        }
    }
    assert!(refused > 0 && compared > 0, "{refused} refused, {compared} compared");
    assert_eq!(app.world.passwords_compared(), compared);
    tenant.form_login(&anyone, "ann", PASSWORD).await.expect(200);
}

async fn begin(app: &TestApp, tenant: &Tenant, address: IpAddr) -> service::Result<service::StartedSignIn> {
    let start = StartSignIn {
        account_name: tenant.name.clone().try_into().unwrap(),
        email: None,
        authorization: AuthorizationRequest {
            client_id: tenant.client_id.parse().unwrap(),
            redirect_uri: REDIRECT_URI.to_owned(),
            state: None,
            code_challenge: challenge().try_into().unwrap(),
        },
        address,
    };
    app.service.sign_in.start_sign_in(start).await
}

/// Proves H1: rubbish from everywhere is capped where it is stored, and does not keep people from signing in.
#[tokio::test]
async fn rubbish_from_everywhere_keeps_nobody_out() {
    let limits = Limits { attempts_per_connection: CONNECTION_LIMIT, ..Limits::default() };
    let app = TestApp::start_with(database(Engine::Sqlite).await, limits).await;
    let tenant = Tenant::create(&app, "acme").await;
    let address = |n: u32| IpAddr::from(Ipv4Addr::from_bits(0xC633_6400 + n));
    let mut recorded = 0;
    for n in 0..CONNECTION_LIMIT {
        let posted = PostedResponse {
            sp_hash: Some(tenant.acs_url.rsplit('/').next().unwrap().parse().unwrap()),
            path: tenant.acs_path(),
            arrival: Arrival::Form,
            saml_response: "PHgvPg==".to_owned(),
            relay_state: None,
            address: address(n),
        };
        let AcsAnswer::Refused { attempt_id, .. } = app.service.sign_in.consume_response(posted).await.unwrap() else {
            panic!("rubbish was let in");
        };
        recorded += u32::from(attempt_id.is_some());
    }
    assert_eq!(recorded, CONNECTION_LIMIT / 2);
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    for n in 0..CONNECTION_LIMIT / 2 {
        begin(&app, &tenant, address(n)).await.unwrap();
    }
    let refused = begin(&app, &tenant, address(99)).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after), (service::Code::RateLimited, Some(900)));
    app.world.clock.advance(jiff::SignedDuration::from_mins(16));
    begin(&app, &tenant, address(99)).await.unwrap();
}

/// Proves C4, H1: an identity provider that sends thousands of groups leaves an attempt that can still be read.
#[both_engines]
async fn thousands_of_groups_leave_a_short_attempt(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let groups: Vec<String> = (0..2_000).map(|n| format!("group-{n}-{}", "x".repeat(60))).collect();
    let roles: Vec<&str> = groups.iter().map(String::as_str).chain(["staff"]).collect();
    tenant.sign_in(&app, "ann@acme.test", Some(&roles)).await;
    let warnings = tenant.last_attempt(&app).await["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 21);
    assert!(warnings[20].as_str().unwrap().starts_with("1980 more"), "{warnings}");
}

/// Proves A2: what nothing could match is not searched for.
#[both_engines]
async fn searches_are_bounded(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let long = "a".repeat(60_000);
    for path in ["/v1/accounts".to_owned(), tenant.path("/users")] {
        app.operator().get(&format!("{path}?q={long}")).await.problem(422, "invalid_input");
        for q in ["%25", "_", "!", "'", "%00", "%5C"] {
            app.operator().get(&format!("{path}?q={q}")).await.expect(200);
        }
    }
    let found = app.operator().get("/v1/accounts?q=%25").await.expect(200);
    assert_eq!(found["items"], json!([]));
}

/// Proves D3, C5: where we are sent to fetch or look is an https URL without credentials, of a sane length.
#[tokio::test]
async fn urls_that_we_are_to_follow_are_checked_when_they_are_set() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let long = format!("https://idp.example.test/{}", "a".repeat(5_000));
    let urls = [
        "http://idp.example.test/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "javascript:alert(1)",
        "https://user:secret@idp.example.test/",
        "https://idp.example.test/#x",
        "http://127.0.0.1:1/",
        "data:text/xml,x",
        &long,
    ];
    for url in urls {
        for field in ["login_url", "metadata_url"] {
            let answer = app.operator().patch(&tenant.connection_path(), &json!({ field: url })).await;
            answer.problem(422, "invalid_input");
        }
        app.world.publish(url, "<x/>");
        let path = format!("{}/idp-metadata", tenant.connection_path());
        let answer = app.operator().post(&path, &json!({ "metadata_url": url })).await;
        assert_eq!(answer.problem(422, "invalid_input")["errors"][0]["pointer"], "/metadata_url");
    }
}
