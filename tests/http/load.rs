//! Load by some, and what is left for the others (A4, B5, D5).

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::{Limits, TestApp};
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;

/// Form logins of a flood: many times what is looked at and what may wait here.
const FLOOD: usize = 60;
/// A client of the flood: a network of its own for each login, all in one of 48 bits.
fn flooding(anyone: &Client, n: usize) -> Client {
    anyone.forwarded_for(&format!("2001:db8:1:{n:x}::1"))
}

/// Floods an account with logins until all who can be refused at once are, and one more was displaced by others;
/// counts those that were refused.
async fn flood(app: &TestApp, tenant: &Tenant, refused: &AtomicUsize) {
    let anyone = app.anonymous();
    let login = async |n: usize| {
        let answer = tenant.form_login(&flooding(&anyone, n), &format!("nobody{n}"), "a-wrong-password").await;
        if answer.status == 503 {
            answer.problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), "2");
            refused.fetch_add(1, Ordering::SeqCst);
        }
    };
    join_all((0..FLOOD).map(login)).await;
}

async fn until(refused: &AtomicUsize, count: usize) {
    while refused.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

/// Proves A4: a flood that takes all ordinary login capacity keeps out neither a user who signed in from there
/// before, be it in the network that it comes from and after a restart, nor another account's users, nor SSO.
#[both_engines]
async fn a_flood_of_logins_keeps_no_other_out(db: TestDatabase) {
    let limits = Limits { passwords_at_once: 1, ..Limits::default() };
    let app = TestApp::start_behind_proxy_with(db, limits).await;
    let (acme, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    acme.form_user(&app, "root", Some("organization_owner")).await;
    other.form_user(&app, "ann", Some("organization_member")).await;
    acme.form_login(&flooding(&app.anonymous(), 7), "root", PASSWORD).await.expect(200);
    let app = app.restart_behind_proxy(limits).await;
    let (held, refused) = (app.world.hold_passwords().await, AtomicUsize::new(0));
    let others = async {
        // Two are looked at and eight wait.
        until(&refused, FLOOD - 10).await;
        other.sign_in(&app, "bob@other.test", Some(&["staff"])).await;
        let release = async {
            until(&refused, FLOOD - 9).await;
            drop(held);
        };
        let (root_at, ann_at) = (flooding(&app.anonymous(), 7), app.anonymous().forwarded_for("198.51.100.7"));
        let root = acme.form_login(&root_at, "root", PASSWORD);
        tokio::join!(root, other.form_login(&ann_at, "ann", PASSWORD), release)
    };
    let ((), (root, ann, ())) = tokio::join!(flood(&app, &acme, &refused), others);
    root.expect(200);
    ann.expect(200);
}

/// Proves B5: two hundred wrong passwords from as many addresses of one network are not all looked at, and other
/// networks are not slowed.
#[both_engines]
async fn one_network_has_few_tries_whatever_addresses_it_sends_from(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let networks: [fn(usize) -> String; 2] = [|n| format!("2001:db8:7:{:x}::1", n * 256), |n| format!("203.0.113.{n}")];
    for address in networks {
        let (mut judged, anyone) = ((0, 0), app.anonymous());
        for n in 0..200 {
            let client = anyone.forwarded_for(&address(n));
            let at_one = tenant.form_login(&client, &format!("ann-{}", address(0)), "a-wrong-password").await;
            judged.1 += usize::from(at_one.status == 401);
            let over_all = tenant.form_login(&client, &format!("nobody{n}"), "a-wrong-password").await;
            judged.0 += usize::from(over_all.status == 401);
        }
        assert_eq!((judged.0 + judged.1, judged.1), (100, 10));
    }
    let elsewhere = app.anonymous().forwarded_for("2001:db8:8::1");
    tenant.form_login(&elsewhere, "ann", PASSWORD).await.expect(200);
}

/// Proves A4, B5: a user who signed in from an address before is let in there though all of its network is slowed.
#[both_engines]
async fn neighbours_slow_down_no_user_who_was_there_before(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for user in ["ann", "bob"] {
        tenant.form_user(&app, user, Some("organization_member")).await;
    }
    let anyone = app.anonymous();
    let at = |n: usize| anyone.forwarded_for(&format!("203.0.113.{n}"));
    tenant.form_login(&at(1), "ann", PASSWORD).await.expect(200);
    for n in 0..110 {
        tenant.form_login(&at(n), &format!("nobody{n}"), "a-wrong-password").await;
    }
    tenant.form_login(&at(1), "bob", PASSWORD).await.problem(429, "rate_limited");
    tenant.form_login(&at(1), "ann", PASSWORD).await.expect(200);
}

/// Proves D5: a client that presents credentials that are not valid again and again is told to wait, from every
/// address of the network; valid ones of the same network go on, and so do others.
#[both_engines]
async fn wrong_credentials_are_limited_by_network(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let (anyone, operator) = (app.anonymous(), app.operator());
    for (network, kind) in ["vop_", "vak_", "eyJ."].iter().enumerate() {
        let at = |n: usize| format!("203.0.{network}.{n}");
        let wrong = |n: usize| anyone.bearing(&format!("{kind}{n:0>43}")).forwarded_for(&at(n / 64));
        let mut told = 0;
        for n in 0..200 {
            let answer = wrong(n).get("/v1/me").await;
            if answer.status == 429 {
                answer.problem(429, "rate_limited");
                assert!(!answer.header("retry-after").is_empty());
            } else {
                answer.problem(401, "unauthenticated");
                told += 1;
            }
        }
        assert_eq!(told, 120, "{kind}");
        ann.forwarded_for(&at(1)).get("/v1/me").await.expect(200);
        operator.forwarded_for(&at(200)).get("/v1/accounts").await.expect(200);
        app.world.clock.advance(SignedDuration::from_mins(3));
        wrong(1).get("/v1/me").await.problem(401, "unauthenticated");
    }
}

/// Proves B4, B6, D5: requests for links to users of one account are limited by network, known or not, and other
/// networks and accounts are not concerned.
#[both_engines]
async fn requests_for_links_are_limited_by_network_and_account(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let acme = Tenant::create(&app, "acme").await;
    let portal = Tenant::create_for(&app, "portal", "self_service").await;
    acme.set_pages(&app).await;
    portal.set_pages(&app).await;
    let reset =
        |account: &str| json!({ "account_name": account, "identifier": "ann@x.test", "client_id": acme.client_id });
    let link = portal.start_body(Some("ann@x.test"));
    for (path, body) in [
        ("/v1/password-resets", reset("acme")),
        ("/v1/password-resets", reset("no-such-account")),
        ("/v1/magic-link-sign-ins", link),
    ] {
        let taken = ask_from_one_network(&app, path, &body).await;
        assert_eq!(taken, 40, "{path} {body}");
        let elsewhere = app.anonymous().forwarded_for("198.51.100.1");
        assert_eq!(settled(&app, elsewhere.post(path, &body).await).await.status, 202);
    }
}

/// Asks from a hundred addresses of one network, as often as one of them may from each; how many requests were taken.
async fn ask_from_one_network(app: &TestApp, path: &str, body: &Value) -> usize {
    let (mut taken, anyone) = (0, app.anonymous());
    for n in 0..100 {
        let client = anyone.forwarded_for(&format!("2001:db8:1:{:x}::1", n * 128));
        let answer = settled(app, client.post(path, body).await).await;
        if answer.status == 429 {
            assert_eq!(answer.problem(429, "rate_limited")["code"], "rate_limited");
            assert!(!answer.header("retry-after").is_empty());
        } else {
            taken += usize::from(answer.status == 202);
        }
    }
    taken
}

async fn settled(app: &TestApp, answer: Answer) -> Answer {
    app.service.people.link_requests_settled().await;
    answer
}
