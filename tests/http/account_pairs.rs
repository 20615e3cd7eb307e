//! Pairs of users (G1): the ways to make them and the ones that do not, what voids them, and who ends them.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Client;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::mailbox::Received;
use tests::switching::{COMPLETE, PAIRINGS, actions, code, exchange, shared_frontend, switch, switched};
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const MINE: &str = "/v1/me/account-pairs";

/// Two linked accounts with the owner `ann` in each, signed in by form.
struct Two {
    one: Tenant,
    other: Tenant,
    link: String,
    mine: Client,
    theirs: Client,
    client_id: String,
}

impl Two {
    async fn linked(app: &TestApp) -> Self {
        let (one, other) = (Tenant::create(app, "one").await, Tenant::create(app, "other").await);
        let client_id = shared_frontend(app).await;
        let (mine, theirs) = (one.ann(app).await, other.ann(app).await);
        let link = one.link_with(app, &other, &theirs).await;
        Self { one, other, link, mine, theirs, client_id }
    }

    async fn switch(&self) -> tests::client::Answer {
        switch(&self.mine, &self.other.account_id, &self.client_id).await
    }

    #[track_caller]
    fn id(pair: &Value) -> &str {
        pair["id"].as_str().unwrap()
    }
}

async fn user_path(app: &TestApp, tenant: &Tenant, username: &str) -> String {
    let users = app.operator().get(&tenant.path(&format!("/users?q={username}"))).await.expect(200);
    let user = users["items"].as_array().unwrap().iter().find(|user| user["username"] == username).unwrap();
    tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()))
}

/// The newest mail to an address that says this: both accounts mail to it, about other things too.
async fn mail_with(app: &TestApp, address: &str, words: &str) -> Received {
    let found = app.mailbox().await.to(address).into_iter().rfind(|mail| mail.text().contains(words));
    found.unwrap_or_else(|| panic!("no mail to {address} says {words}"))
}

/// Proves G1: a form login in each account pairs the two users, by whatever names they go; both read it, in their
/// lists, their logs and their mail; and no session comes of what proved them.
#[both_engines]
async fn a_form_login_in_each_account_pairs_two_users(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    two.one.form_user(&app, "bo", Some("organization_member")).await;
    let there = two.other.form_user(&app, "robert", Some("organization_member")).await;
    let proof = two.one.proof(&app, "bo").await;
    let begun = app.anonymous().post(PAIRINGS, &proof).await.expect(200);
    assert_fields!(begun, { "account_name": "one", "username": "bo" });
    let token = begun["pairing_token"].as_str().unwrap();
    let pair = two.other.complete_pairing(&app, "robert", token).await.expect(200);
    assert_fields!(pair, {
        "username": "robert",
        "user_id": there,
        "other_account": { "name": "one" },
        "state": "current",
    });
    let bo = two.one.by_form(&app, "bo").await;
    let listed = bo.get(MINE).await.expect(200)["items"].clone();
    assert_fields!(listed[0], { "id": pair["id"], "other_user_id": there });
    assert_eq!(listed[1], Value::Null);
    let tokens = switched(&app, &bo, &two.other.account_id, &two.client_id).await;
    let there_now = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    assert_eq!(there_now.get("/v1/me").await.expect(200)["user"]["username"], "robert");
    for (tenant, username) in [(&two.one, "bo"), (&two.other, "robert")] {
        assert!(actions(&app, tenant).await.contains(&json!("account_pair.created")));
        let mail = app.mailbox().await.last_to(&format!("{username}@acme.test"));
        assert!(mail.text().contains("bo") && mail.text().contains("robert"), "{}", mail.text());
    }
    assert!(actions(&app, &two.one).await.contains(&json!("account_pair.begun")));
    let spent = exchange(&app, proof["code"].as_str().unwrap(), &two.one.client_id).await.expect(400);
    assert_eq!(spent["error"], "invalid_grant", "a code that proved a user gives no session");
}

/// Proves G1: the second factor that an account asks for is a part of each proof; a code comes of nothing less.
#[both_engines]
async fn a_proof_has_the_second_factor_that_the_account_asks_for(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    app.operator().patch(&two.other.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    let token = two.one.pairing(&app, "ann").await;
    let step = two.other.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "mfa_required");
    let mut half =
        json!({ "pairing_token": token, "client_id": two.other.client_id, "redirect_uri": "x", "code_verifier": "x" });
    half["code"] = step["pending_token"].clone();
    app.anonymous().post(COMPLETE, &half).await.problem(400, "sign_in_code_refused");
    let mailed = mail_with(&app, "ann@acme.test", "Your code to sign in").await;
    let mailed = mailed.code();
    let answer = json!({ "pending_token": step["pending_token"], "code": mailed });
    let step = app.anonymous().post("/v1/form-sign-ins/mfa-code", &answer).await.expect(200);
    let mut proof = two.other.proof_of(&step);
    proof["pairing_token"] = json!(token);
    app.anonymous().post(COMPLETE, &proof).await.expect(200);
    let refused = two.switch().await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("code by mail"), "the pair is no way past it: {refused}");
}

/// Proves G1, A5: SSO, a switch, a session's code, an operator and a key prove no user; nor does a code with
/// another verifier, of another frontend, too late, or twice.
#[both_engines]
async fn only_a_fresh_form_login_proves_a_user(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    let refused = |body: Value, status, code: &'static str| {
        let anyone = app.anonymous();
        async move { anyone.post(PAIRINGS, &body).await.problem(status, code) }
    };
    let saml = two.one.code(&app, "eve@one.test", Some(&["staff"])).await;
    let good = two.one.proof(&app, "ann").await;
    let with = |field: &str, value: &str| {
        let mut body = good.clone();
        body[field] = json!(value);
        body
    };
    let detail = refused(with("code", &saml), 409, "pairing_refused").await;
    assert!(detail["detail"].as_str().unwrap().contains("form login"), "{detail}");
    for (field, value) in [
        ("client_id", two.other.client_id.as_str()),
        ("client_id", "nonsense"),
        ("redirect_uri", "https://evil.test/"),
        ("code_verifier", "another-verifier-that-is-long-enough-for-rfc-7636"),
        ("code", "vac_nonsense"),
        ("code", ""),
    ] {
        refused(with(field, value), 400, "sign_in_code_refused").await;
    }
    let session = two.one.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let tokens = two.one.exchange_step(&app, &session).await;
    refused(two.one.proof_of(&session), 400, "sign_in_code_refused").await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        two.one.refresh(&app, refresh).await.expect(400)["error"],
        "invalid_grant",
        "used twice, it ends its session"
    );
    two.one.pair_with(&app, &two.other, "ann").await;
    let step = two.switch().await.expect(200);
    let mut body = with("code", &code(&step));
    body["client_id"] = json!(two.client_id);
    refused(body, 409, "pairing_refused").await;
    let there = switched(&app, &two.mine, &two.other.account_id, &two.client_id).await;
    let there = app.anonymous().bearing(there["access_token"].as_str().unwrap());
    let back = switch(&there, &two.one.account_id, &two.client_id).await.expect(200);
    let mut body = with("code", &code(&back));
    body["client_id"] = json!(two.client_id);
    refused(body, 409, "pairing_refused").await;
    let late = two.one.proof(&app, "ann").await;
    app.world.clock.advance(SignedDuration::from_secs(60));
    refused(late, 400, "sign_in_code_refused").await;
}

/// Proves G1: a pairing's token is good once and for fifteen minutes, the newest of a user's; of two who complete
/// it at once, one is refused; and the accounts must be two that are linked.
#[both_engines]
async fn a_pairing_is_completed_once_in_time_between_linked_accounts(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    let third = Tenant::create(&app, "third").await;
    third.form_user(&app, "ann", Some("organization_owner")).await;
    let old = two.one.pairing(&app, "ann").await;
    let token = two.one.pairing(&app, "ann").await;
    two.other.complete_pairing(&app, "ann", &old).await.problem(401, "session_expired");
    for wrong in ["", "vpr_nonsense", &token.replace("vpr_", "vpl_")] {
        two.other.complete_pairing(&app, "ann", wrong).await.problem(401, "session_expired");
    }
    third.complete_pairing(&app, "ann", &token).await.problem(409, "pairing_refused");
    two.one.complete_pairing(&app, "ann", &token).await.problem(409, "pairing_refused");
    let (first, second) =
        tokio::join!(two.other.complete_pairing(&app, "ann", &token), two.other.complete_pairing(&app, "ann", &token));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", first.text, second.text);
    assert_eq!(two.mine.get(MINE).await.expect(200)["items"].as_array().unwrap().len(), 1);
    two.other.complete_pairing(&app, "ann", &token).await.problem(401, "session_expired");
    let late = two.one.pairing(&app, "ann").await;
    app.world.clock.advance(SignedDuration::from_mins(15));
    two.other.complete_pairing(&app, "ann", &late).await.problem(401, "session_expired");
    let token = two.one.pairing(&app, "ann").await;
    assert_eq!(app.operator().delete(&two.link).await.status, 204);
    two.other.complete_pairing(&app, "ann", &token).await.problem(409, "pairing_refused");
}

/// Proves G1: two pairings of the same users that are completed at once leave one pair.
#[both_engines]
async fn two_pairings_at_once_make_one_pair(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    let (here, there) = (two.one.pairing(&app, "ann").await, two.other.pairing(&app, "ann").await);
    let (first, second) =
        tokio::join!(two.other.complete_pairing(&app, "ann", &here), two.one.complete_pairing(&app, "ann", &there));
    for answer in [&first, &second] {
        assert!([200, 409, 412].contains(&answer.status.as_u16()), "{}", answer.text);
    }
    assert!(first.status == 200 || second.status == 200);
    for client in [&two.mine, &two.theirs] {
        assert_eq!(client.get(MINE).await.expect(200)["items"].as_array().unwrap().len(), 1);
    }
    two.switch().await.expect(200);
}

/// Proves A7, G1: a pairing that is under way is void where the first user's password changes meanwhile.
#[both_engines]
async fn a_pairing_under_way_is_void_where_the_first_users_password_changes(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    let token = two.one.pairing(&app, "ann").await;
    let change = json!({ "current_password": PASSWORD, "new_password": "gravel orbit seventeen lamps" });
    assert_eq!(two.mine.post("/v1/me/password", &change).await.status, 204);
    two.other.complete_pairing(&app, "ann", &token).await.problem(401, "session_expired");
}

/// Proves G1, A7: a change by anyone but the user voids a pair, on whichever side: of the username, the email, the
/// recovery email, the password, the standing; and pairing anew mends it.
#[both_engines]
async fn what_anybody_else_changes_of_a_user_voids_their_pair(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    for tenant in [&two.one, &two.other] {
        tenant.form_user(&app, "bo", Some("organization_member")).await;
    }
    let changes = [
        json!({ "email": "bo@elsewhere.test" }),
        json!({ "recovery_email": "bo@home.test" }),
        json!({ "roles": ["organization_owner"] }),
        json!({ "status": "inactive" }),
    ];
    for (tenant, owner) in [(&two.other, &two.theirs), (&two.one, &two.mine)] {
        let user = user_path(&app, tenant, "bo").await;
        for change in &changes {
            let pair = two.one.pair_with(&app, &two.other, "bo").await;
            let tokens =
                switched(&app, &two.one.by_form(&app, "bo").await, &two.other.account_id, &two.client_id).await;
            let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
            there.get("/v1/me").await.expect(200);
            owner.patch(&user, change).await.expect(200);
            assert_eq!(there.get("/v1/me").await.status, 401, "{change}");
            owner.patch(&user, &json!({ "status": "active" })).await.expect(200);
            let bo = two.one.by_form(&app, "bo").await;
            let refused = switch(&bo, &two.other.account_id, &two.client_id).await.problem(409, "switch_needs_setup");
            assert!(refused["detail"].as_str().unwrap().contains("void"), "{change} {refused}");
            let listed = bo.get(MINE).await.expect(200)["items"][0].clone();
            assert_fields!(listed, { "id": pair["id"], "state": "void" }, "{change}");
        }
        owner.patch(&user, &json!({ "username": "bosse" })).await.expect(200);
        owner.patch(&user, &json!({ "username": "bo" })).await.expect(200);
    }
    two.one.pair_with(&app, &two.other, "bo").await;
    let reset = json!({ "account_name": "other", "identifier": "bo", "client_id": two.other.client_id });
    two.other.set_pages(&app).await;
    assert_eq!(app.anonymous().post("/v1/password-resets", &reset).await.status, 202);
    app.service.people.link_requests_settled().await;
    let token = mail_with(&app, "bo@elsewhere.test", "#token=").await.token();
    let reset = json!({ "token": token, "password": PASSWORD });
    assert_eq!(app.anonymous().post("/v1/password-resets/complete", &reset).await.status, 204);
    let bo = two.one.by_form(&app, "bo").await;
    switch(&bo, &two.other.account_id, &two.client_id).await.problem(409, "switch_needs_setup");
}

/// Proves A7, G1: a change of one's own takes the pair along, on either side, and never revives one that was void.
#[both_engines]
async fn a_change_of_ones_own_takes_the_pair_along(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    two.one.pair_with(&app, &two.other, "ann").await;
    let new = "gravel orbit seventeen lamps";
    let change = json!({ "current_password": PASSWORD, "new_password": new });
    assert_eq!(two.theirs.post("/v1/me/password", &change).await.status, 204);
    let factor = json!({ "recovery_email": "ann@home.test", "current_password": PASSWORD });
    two.mine.patch("/v1/me/second-factor", &factor).await.expect(200);
    two.switch().await.expect(200);
    let user = user_path(&app, &two.one, "ann").await;
    app.operator().patch(&user, &json!({ "email": "ann@elsewhere.test" })).await.expect(200);
    let mine = two.one.by_form(&app, "ann").await;
    let factor = json!({ "recovery_email": "ann@else.test", "current_password": PASSWORD });
    mine.patch("/v1/me/second-factor", &factor).await.expect(200);
    assert_eq!(mine.get(MINE).await.expect(200)["items"][0]["state"], "void");
    switch(&mine, &two.other.account_id, &two.client_id).await.problem(409, "switch_needs_setup");
}

/// Proves G1: a pair goes with either user and with the link, and does not come back with a new link or a namesake.
#[both_engines]
async fn a_pair_goes_with_its_users_and_with_the_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    for tenant in [&two.one, &two.other] {
        tenant.form_user(&app, "bo", Some("organization_member")).await;
    }
    two.one.pair_with(&app, &two.other, "bo").await;
    let bo = two.one.by_form(&app, "bo").await;
    let tokens = switched(&app, &bo, &two.other.account_id, &two.client_id).await;
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let user = user_path(&app, &two.one, "bo").await;
    assert_eq!(two.mine.delete(&user).await.status, 204);
    assert_eq!(there.get("/v1/me").await.status, 401, "whom they switched from is gone");
    two.one.form_user(&app, "bo", Some("organization_member")).await;
    let bo = two.one.by_form(&app, "bo").await;
    let refused = switch(&bo, &two.other.account_id, &two.client_id).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("no paired users"), "{refused}");
    two.one.pair_with(&app, &two.other, "bo").await;
    assert_eq!(two.theirs.delete(&user_path(&app, &two.other, "bo").await).await.status, 204);
    assert_eq!(bo.get(MINE).await.expect(200)["items"], json!([]));

    two.one.pair_with(&app, &two.other, "ann").await;
    assert_eq!(two.mine.delete(&two.link).await.status, 204);
    assert_eq!(two.mine.get(MINE).await.expect(200)["items"], json!([]));
    two.one.link_with(&app, &two.other, &two.theirs).await;
    two.switch().await.problem(409, "switch_needs_setup");
}

/// Proves G1, A5, I3: either user and an owner of either account end a pair, with the sessions and codes that came
/// over it; to all other callers it is not there.
#[both_engines]
async fn either_user_and_either_owner_ends_a_pair(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    for tenant in [&two.one, &two.other] {
        tenant.form_user(&app, "bo", Some("organization_member")).await;
    }
    let [here, there] = [two.one.by_form(&app, "bo").await, two.other.by_form(&app, "bo").await];
    let stranger = Tenant::create(&app, "third").await.ann(&app).await;
    for end in ["mine", "theirs", "owner", "other owner", "operator"] {
        let pair = two.one.pair_with(&app, &two.other, "bo").await;
        let id = Two::id(&pair);
        let tokens = switched(&app, &here, &two.other.account_id, &two.client_id).await;
        let over = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
        let under_way = code(&switch(&here, &two.other.account_id, &two.client_id).await.expect(200));
        let (of_one, of_other) = (two.one.path(&format!("/pairs/{id}")), two.other.path(&format!("/pairs/{id}")));
        for outsider in [&stranger, &two.theirs] {
            outsider.delete(&format!("{MINE}/{id}")).await.problem(404, "not_found");
            outsider.delete(&of_one).await.problem(404, "not_found");
        }
        here.delete(&of_one).await.problem(403, "forbidden");
        let listed = two.mine.get(&two.one.path("/pairs")).await.expect(200)["items"].clone();
        assert_fields!(listed[0], { "id": pair["id"], "username": "bo" });
        let answer = match end {
            "mine" => here.delete(&format!("{MINE}/{id}")).await,
            "theirs" => there.delete(&format!("{MINE}/{id}")).await,
            "owner" => two.mine.delete(&of_one).await,
            "other owner" => two.theirs.delete(&of_other).await,
            _ => app.operator().delete(&of_other).await,
        };
        assert_eq!(answer.status, 204, "{end}: {}", answer.text);
        assert_eq!(over.get("/v1/me").await.status, 401, "{end}");
        assert_eq!(exchange(&app, &under_way, &two.client_id).await.expect(400)["error"], "invalid_grant");
        here.get("/v1/me").await.expect(200);
        for tenant in [&two.one, &two.other] {
            assert_eq!(actions(&app, tenant).await[0], "account_pair.ended", "{end}");
        }
        switch(&here, &two.other.account_id, &two.client_id).await.problem(409, "switch_needs_setup");
        here.delete(&format!("{MINE}/{id}")).await.problem(404, "not_found");
    }
}

/// Proves G1: a user is one user of another account at most: who pairs anew, pairs instead.
#[both_engines]
async fn a_new_pair_takes_the_place_of_an_earlier_one(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let two = Two::linked(&app).await;
    two.other.form_user(&app, "second", Some("organization_member")).await;
    let first = two.one.pair_with(&app, &two.other, "ann").await;
    let tokens = switched(&app, &two.mine, &two.other.account_id, &two.client_id).await;
    let over = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let token = two.one.pairing(&app, "ann").await;
    let second = two.other.complete_pairing(&app, "second", &token).await.expect(200);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(over.get("/v1/me").await.status, 401);
    assert_eq!(two.theirs.get(MINE).await.expect(200)["items"], json!([]));
    let tokens = switched(&app, &two.mine, &two.other.account_id, &two.client_id).await;
    let over = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    assert_eq!(over.get("/v1/me").await.expect(200)["user"]["username"], "second");
}
