//! The first owner of an account (A1, A4): invited with it, mailed as soon as that is possible, and in by password
//! whatever the SSO mode is.

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Answer, parameter};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const OWNER: &str = "owner@acme.test";

fn frontend(name: &str) -> Value {
    json!({
        "portal": "admin", "name": name, "redirect_uris": ["https://app.example.test/cb"], "is_default": true,
        "initiate_login_uri": "https://app.example.test/login",
        "pages": { "accept_invitation": "https://app.example.test/accept" },
    })
}

async fn create(app: &TestApp, name: &str) -> Value {
    let body = json!({ "name": name, "display_name": name, "owner_email": format!("first@{name}.test") });
    app.operator().post("/v1/accounts", &body).await.expect(201)
}

fn path(account: &Value, rest: &str) -> String {
    format!("/v1/accounts/{}{rest}", account["id"].as_str().unwrap())
}

/// The user of the tenant's first owner.
async fn owner(app: &TestApp, tenant: &Tenant) -> Value {
    let users = app.operator().get(&tenant.path(&format!("/users?q={OWNER}"))).await.expect(200);
    users["items"][0].clone()
}

async fn link(app: &TestApp) -> String {
    app.mailbox().await.last_to(OWNER).token()
}

async fn accept(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/v1/invitations/accept", &json!({ "token": token, "password": PASSWORD })).await
}

/// The refusal that a browser brings back from a sign-in through SSO.
async fn refused_by_sso(app: &TestApp, tenant: &Tenant, email: &str) -> String {
    let pending = tenant.start(app, Some(email)).await;
    let response = tenant.response(app, &pending, email, Some(&["nac-team-lead"]));
    let back = tenant.post_response(app, &response, &pending.relay_state).await.location();
    parameter(&back, "error_code")
}

/// Proves A1: where no page is registered the answer says what is missing, also when it is repeated; the mail goes
/// out by itself with the account's own page or a shared one, once.
#[both_engines]
async fn the_mail_waits_for_a_page_and_goes_out_by_itself(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let waiting = json!({ "state": "waiting", "blocked_by": "page_not_configured" });
    let mailed = json!({ "state": "mailed", "blocked_by": null });
    let early = create(&app, "early").await;
    assert_eq!(early["owner_invitation"], waiting);
    let other = create(&app, "other").await;
    let to = async |email: &str| app.mailbox().await.to(email).len();
    let half = json!({ "portal": "admin", "name": "Half", "redirect_uris": ["https://app.example.test/cb"] });
    let half = app.operator().post(&path(&early, "/applications"), &half).await.expect(201);
    assert_eq!(to("first@early.test").await, 0);
    let whole = json!({
        "is_default": true, "initiate_login_uri": "https://app.example.test/login",
        "pages": { "accept_invitation": "https://app.example.test/accept" },
    });
    let half = path(&early, &format!("/applications/{}", half["id"].as_str().unwrap()));
    app.operator().patch(&half, &whole).await.expect(200);
    app.operator().patch(&half, &json!({ "name": "Whole" })).await.expect(200);
    assert_eq!((to("first@early.test").await, to("first@other.test").await), (1, 0));
    app.operator().post("/v1/applications", &frontend("Shared")).await.expect(201);
    assert_eq!((to("first@early.test").await, to("first@other.test").await), (1, 1));
    let events = app.operator().get(&path(&other, "/audit-events?action=invitation.mailed")).await.expect(200);
    assert_eq!(events["items"][0]["actor"]["kind"], "system");
    app.service.people.mail_first_owners().await.unwrap();
    assert_eq!(to("first@other.test").await, 1);
    assert_eq!(create(&app, "late").await["owner_invitation"], mailed);
    let token = app.mailbox().await.last_to("first@other.test").token();
    assert_eq!(accept(&app, &token).await.expect(200)["break_glass"], true);
}

/// Proves A1: a repeat of the creation tells how the invitation stands now.
#[both_engines]
async fn a_repeated_creation_tells_what_became_of_the_mail(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let body = json!({ "name": "acme", "display_name": "Acme", "owner_email": OWNER });
    let create = async || {
        let request = app.operator().request(reqwest::Method::POST, "/v1/accounts").header("Idempotency-Key", "k1");
        Answer::of(request.json(&body)).await.expect(201)["owner_invitation"]["state"].clone()
    };
    assert_eq!(create().await, "waiting");
    app.operator().post("/v1/applications", &frontend("Shared")).await.expect(201);
    assert_eq!(create().await, "mailed");
    accept(&app, &link(&app).await).await.expect(200);
    assert_eq!(create().await, "accepted");
}

/// Proves A1: more accounts than one request mails are mailed all the same, and one whose own frontend has no page
/// keeps no other waiting.
#[both_engines]
async fn the_rest_is_mailed_in_the_background(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let stuck = create(&app, "stuck").await;
    let mut own = frontend("Own");
    own["pages"] = json!({});
    app.operator().post(&path(&stuck, "/applications"), &own).await.expect(201);
    for n in 0..110 {
        create(&app, &format!("account-{n}")).await;
    }
    app.operator().post("/v1/applications", &frontend("Shared")).await.expect(201);
    app.service.installation.tick().await.unwrap();
    let mailbox = app.mailbox().await;
    let mailed = (0..110).filter(|n| mailbox.to(&format!("first@account-{n}.test")).len() == 1).count();
    assert_eq!((mailed, mailbox.to("first@stuck.test").len()), (110, 0));
}

/// Proves A1, A4: whatever the SSO mode is, the link sets a password and makes the break-glass user, which page
/// and mail say before; the password lets them in.
#[both_engines]
async fn the_link_sets_a_password_whatever_the_mode_is(db: TestDatabase) {
    let app = TestApp::start(db).await;
    for mode in ["off", "optional", "required"] {
        let tenant = Tenant { name: mode.into(), ..Tenant::create(&app, mode).await };
        let email = format!("owner@{mode}.test");
        tenant.register_pages(&app).await;
        match mode {
            "off" => tenant.disable_sso(&app).await,
            "required" => tenant.require_sso(&app).await,
            _ => {}
        }
        let mail = app.mailbox().await.last_to(&email).mail().clone();
        assert!(mail.text.contains("break-glass") && mail.html.contains("break-glass"), "{}", mail.text);
        let token = app.mailbox().await.last_to(&email).token();
        let inspected = app.anonymous().post("/v1/invitations/inspect", &json!({ "token": token })).await.expect(200);
        assert_eq!(inspected["break_glass"], true, "{mode}");
        assert_eq!(accept(&app, &token).await.expect(200)["break_glass"], true, "{mode}");
        tenant.form_session(&app, &email).await.get("/v1/me").await.expect(200);
    }
}

/// Proves A1, A4, H1: no sign-in through SSO accepts the first owner's invitation, mailed or not; the refusal says
/// what to do, a test sign-in finds the same, and nothing has changed.
#[both_engines]
async fn sso_does_not_accept_the_first_owners_invitation(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let before = owner(&app, &tenant).await;
    for round in 0..2 {
        assert_eq!(refused_by_sso(&app, &tenant, OWNER).await, "first_owner_sets_password");
        let attempt = tenant.last_attempt(&app).await;
        assert_eq!(attempt["failure"]["reason"], "first_owner_sets_password");
        assert!(attempt["failure"]["fix"].as_str().unwrap().contains("link of the mail"), "{attempt}");
        if round == 0 {
            assert_eq!(owner(&app, &tenant).await, before);
            tenant.register_pages(&app).await;
        }
    }
    let pending = tenant.start_test(&app).await;
    let response = tenant.response(&app, &pending, OWNER, Some(&["staff"]));
    tenant.post_response(&app, &response, &pending.relay_state).await;
    assert_eq!(tenant.test(&app, &pending).await["failure"]["reason"], "first_owner_sets_password");
    assert_eq!(owner(&app, &tenant).await["status"], "invited");
    accept(&app, &link(&app).await).await.expect(200);
    assert_eq!(refused_by_sso(&app, &tenant, OWNER).await, "break_glass_user");
}

/// Proves A1, F3: requiring SSO leaves the first owner's link alone, and sends them no invitation to a way that is not
/// theirs; a resend is the same mail again, and no other.
#[both_engines]
async fn requiring_sso_leaves_the_first_owners_link_alone(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.register_pages(&app).await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let plan = tenant.preview(&root.client, "require").await;
    let id = owner(&app, &tenant).await["id"].as_str().unwrap().to_owned();
    let row = tenant.row(&root.client, &plan, &id).await;
    assert_fields!(row, { "action": "keep", "reason": "first_owner", "mail": null });
    let token = link(&app).await;
    tenant.migrate(&root.client, "require").await;
    assert_eq!(app.mailbox().await.to(OWNER).len(), 1);
    app.anonymous().post("/v1/invitations/inspect", &json!({ "token": token })).await.expect(200);
    app.world.clock.advance(jiff::SignedDuration::from_mins(2));
    let invitations = app.operator().get(&tenant.path(&format!("/invitations?q={OWNER}"))).await.expect(200);
    let resend = tenant.path(&format!("/invitations/{}/resend", invitations["items"][0]["id"].as_str().unwrap()));
    let problem = app.operator().post(&resend, &json!({ "accept_by": "sso" })).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/accept_by");
    app.operator().post(&resend, &json!({ "language": "sv" })).await.expect(200);
    accept(&app, &token).await.problem(410, "link_replaced");
    accept(&app, &link(&app).await).await.expect(200);
    tenant.form_session(&app, OWNER).await.get("/v1/me").await.expect(200);
}

/// Proves A4: nothing but an owner's word and the link of an invitation that says so sets the mark: no reset, no
/// sign-in.
#[both_engines]
async fn nothing_sets_the_mark_silently(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.register_pages(&app).await;
    let boss = json!({
        "portal": "admin", "username": "boss", "email": "boss@acme.test", "roles": ["organization_owner"],
    });
    let boss = app.operator().post(&tenant.path("/users"), &boss).await.expect(201);
    let boss = boss["id"].as_str().unwrap();
    tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let ask = json!({ "account_name": "acme", "identifier": "boss", "client_id": tenant.client_id });
    assert_eq!(app.anonymous().post("/v1/password-resets", &ask).await.status, 202);
    app.service.people.link_requests_settled().await;
    let token = app.mailbox().await.last_to("boss@acme.test").token();
    let reset = json!({ "token": token, "password": PASSWORD });
    assert_eq!(app.anonymous().post("/v1/password-resets/complete", &reset).await.status, 204);
    tenant.form_session(&app, "boss").await.get("/v1/me").await.expect(200);
    assert_eq!(tenant.user(&app, boss).await["break_glass"], false);
    tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await.get("/v1/me").await.expect(200);
    accept(&app, &link(&app).await).await.expect(200);
    assert_eq!(owner(&app, &tenant).await["break_glass"], true);
    let second =
        json!({ "portal": "admin", "email": "di@acme.test", "roles": ["organization_owner"], "accept_by": "password" });
    app.operator().post(&tenant.path("/invitations"), &second).await.expect(201);
    let token = app.mailbox().await.last_to("di@acme.test").token();
    assert_eq!(accept(&app, &token).await.expect(200)["break_glass"], false);
}
