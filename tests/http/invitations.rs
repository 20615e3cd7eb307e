//! Invitations (E1 to E4): from the mail to the first sign-in, and every way in which they end.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const PASSWORD: &str = "tulip-anchor-copper-72";
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A tenant whose frontend has pages.
async fn tenant(app: &TestApp) -> Tenant {
    let tenant = Tenant::create(app, "acme").await;
    tenant.set_pages(app).await;
    tenant
}

fn member(email: &str) -> Value {
    json!({ "portal": "admin", "email": email, "roles": ["organization_member"], "accept_by": "password" })
}

async fn invite(app: &TestApp, tenant: &Tenant, body: &Value) -> Value {
    app.operator().post(&tenant.path("/invitations"), body).await.expect(201)
}

async fn act(app: &TestApp, tenant: &Tenant, invitation: &Value, verb: &str) -> tests::client::Answer {
    let id = invitation["id"].as_str().unwrap();
    let by_password = json!({ "accept_by": "password" });
    app.operator().post(&tenant.path(&format!("/invitations/{id}/{verb}")), &by_password).await
}

async fn read(app: &TestApp, tenant: &Tenant, invitation: &Value) -> Value {
    app.operator().get(&tenant.path(&format!("/invitations/{}", invitation["id"].as_str().unwrap()))).await.expect(200)
}

async fn user(app: &TestApp, tenant: &Tenant, invitation: &Value) -> tests::client::Answer {
    app.operator().get(&tenant.path(&format!("/users/{}", invitation["user_id"].as_str().unwrap()))).await
}

async fn token(app: &TestApp, email: &str) -> String {
    app.mailbox().await.last_to(email).token()
}

async fn inspect(app: &TestApp, token: &str) -> tests::client::Answer {
    app.anonymous().post("/v1/invitations/inspect", &json!({ "token": token })).await
}

async fn accept(app: &TestApp, token: &str) -> tests::client::Answer {
    app.anonymous().post("/v1/invitations/accept", &json!({ "token": token, "password": PASSWORD })).await
}

async fn newest_actions(app: &TestApp, tenant: &Tenant, count: usize) -> Vec<String> {
    let list = app.operator().get(&tenant.path(&format!("/audit-events?limit={count}"))).await.expect(200);
    list["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

/// Proves E1, E2: the email becomes the username, the mailed link shows what it is for, sets the password, and works
/// once.
#[both_engines]
async fn an_invited_person_sets_a_password_and_is_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let invited = owner.post(&tenant.path("/invitations"), &member("Ann@acme.test")).await;
    let me = owner.get("/v1/me").await.expect(200);
    let invitation = invited.expect(201);
    assert_fields!(invitation, { "state": "pending", "username": "Ann@acme.test" });
    assert_eq!(invitation["invited_by"], me["user"]["id"]);
    assert!(invited.header("location").ends_with(invitation["id"].as_str().unwrap()));
    let mail = app.mailbox().await.last_to("Ann@acme.test");
    assert!(
        mail.text().contains("boss@acme.test") && mail.link().as_str().starts_with("https://app.example.test/accept#")
    );
    let token = mail.token();
    for _ in 0..2 {
        let shown = inspect(&app, &token).await.expect(200);
        assert_fields!(shown, { "account_name": "acme", "username": "Ann@acme.test" });
        assert_eq!(shown["expires_at"], invitation["expires_at"]);
    }
    let accepted = accept(&app, &token).await.expect(200);
    let expected =
        json!({ "account_name": "acme", "portal": "admin", "username": "Ann@acme.test", "break_glass": false });
    assert_eq!(accepted, expected);
    let ann = user(&app, &tenant, &invitation).await.expect(200);
    assert_fields!(ann, { "status": "active", "roles": { "assigned": ["organization_member"] } });
    let after = read(&app, &tenant, &invitation).await;
    assert_fields!(after, { "state": "accepted", "accepted_method": "password" });
    assert_eq!(newest_actions(&app, &tenant, 2).await, ["user.updated", "invitation.accepted"]);
    accept(&app, &token).await.problem(409, "invitation_accepted");
    inspect(&app, &token).await.problem(409, "invitation_accepted");
    act(&app, &tenant, &invitation, "resend").await.problem(409, "invitation_accepted");
    act(&app, &tenant, &invitation, "revoke").await.problem(409, "invitation_accepted");
}

/// Proves E3: a mail that still waits is taken back with its link, when another replaces it, when the invitation is
/// revoked and when the user is deleted.
#[both_engines]
async fn a_mail_that_waits_goes_with_its_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let [ann, bo, cy] = ["ann@acme.test", "bo@acme.test", "cy@acme.test"].map(member);
    let (ann, bo, cy) =
        (invite(&app, &tenant, &ann).await, invite(&app, &tenant, &bo).await, invite(&app, &tenant, &cy).await);
    app.world.clock.advance(SignedDuration::from_secs(60));
    act(&app, &tenant, &ann, "resend").await.expect(200);
    act(&app, &tenant, &bo, "revoke").await.expect(200);
    let cy = tenant.path(&format!("/users/{}", cy["user_id"].as_str().unwrap()));
    assert_eq!(app.operator().delete(&cy).await.status, 204);
    let mailbox = app.mailbox().await;
    let mails = ["ann@acme.test", "bo@acme.test", "cy@acme.test"].map(|email| mailbox.to(email).len());
    assert_eq!(mails, [1, 0, 0]);
    accept(&app, &mailbox.last_to("ann@acme.test").token()).await.expect(200);
}

/// Proves A1: the first owner of an account is mailed where a shared frontend has the page, or once it does.
#[both_engines]
async fn the_first_owner_is_invited_with_the_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let create = async |name: &str| {
        let body = json!({ "name": name, "display_name": name, "owner_email": format!("first@{name}.test") });
        app.operator().post("/v1/accounts", &body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let first = async |account: &str| {
        let list = app.operator().get(&format!("/v1/accounts/{account}/invitations")).await.expect(200);
        list["items"][0].clone()
    };
    let early = create("early").await;
    assert_fields!(first(&early).await, { "state": "pending", "mailed_at": null });
    assert!(app.mailbox().await.is_empty());
    let application = json!({
        "portal": "admin", "name": "Shared", "redirect_uris": ["https://app.example.test/cb"], "is_default": true,
        "initiate_login_uri": "https://app.example.test/login",
        "pages": { "accept_invitation": "https://app.example.test/accept" },
    });
    app.operator().post("/v1/applications", &application).await.expect(201);
    let late = create("late").await;
    let token = token(&app, "first@late.test").await;
    assert_eq!(accept(&app, &token).await.expect(200)["username"], "first@late.test");
    let users = app.operator().get(&format!("/v1/accounts/{late}/users")).await.expect(200);
    let first_owner = &users["items"][0];
    assert_fields!(first_owner, { "break_glass": true, "invitation": { "state": "accepted" } });
    let id = first(&early).await["id"].as_str().unwrap().to_owned();
    let early = format!("/v1/accounts/{early}/invitations/{id}");
    app.operator().post(&format!("{early}/resend"), &json!({})).await.problem(429, "rate_limited");
    app.world.clock.advance(SignedDuration::from_secs(60));
    app.operator().post(&format!("{early}/resend"), &json!({})).await.expect(200);
    app.operator().post(&format!("{early}/revoke"), &json!({})).await.problem(409, "break_glass_required");
    assert_eq!(app.mailbox().await.to("first@early.test").len(), 2);
}

/// Proves E3: a resend makes a new link, the old one stops at once; not twice within a minute.
#[both_engines]
async fn a_resend_replaces_the_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let invitation = invite(&app, &tenant, &member("ann@acme.test")).await;
    let old = token(&app, "ann@acme.test").await;
    let soon = act(&app, &tenant, &invitation, "resend").await;
    soon.problem(429, "rate_limited");
    assert_eq!(soon.header("retry-after"), "60");
    app.world.clock.advance(SignedDuration::from_secs(60));
    let again = act(&app, &tenant, &invitation, "resend").await.expect(200);
    assert_eq!(again["sends"], 2);
    assert_eq!(newest_actions(&app, &tenant, 1).await, ["invitation.mailed"]);
    accept(&app, &old).await.problem(410, "link_replaced");
    let new = token(&app, "ann@acme.test").await;
    assert_ne!(old, new);
    accept(&app, &new).await.expect(200);
}

/// Proves E1: an invitation expires with its link, and a resend makes it pending again.
#[both_engines]
async fn an_expired_invitation_is_refused_until_it_is_resent(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let invitation = invite(&app, &tenant, &member("ann@acme.test")).await;
    let old = token(&app, "ann@acme.test").await;
    app.world.clock.advance(WEEK);
    assert_eq!(read(&app, &tenant, &invitation).await["state"], "expired");
    accept(&app, &old).await.problem(410, "invitation_expired");
    let listed = app.operator().get(&tenant.path("/users?q=ann@")).await.expect(200);
    assert_eq!(listed["items"][0]["invitation"]["state"], "expired");
    assert_eq!(listed["items"][0]["invitation"]["expires_at"], invitation["expires_at"]);
    let expired = app.operator().get(&tenant.path("/invitations?state=expired&q=ann")).await.expect(200);
    assert_eq!(expired["items"].as_array().unwrap().len(), 1);
    act(&app, &tenant, &invitation, "resend").await.expect(200);
    accept(&app, &old).await.problem(410, "link_replaced");
    accept(&app, &token(&app, "ann@acme.test").await).await.expect(200);
}

/// Proves E1: a revoked invitation does not let its user in, who is gone, and the same person may be invited anew.
#[both_engines]
async fn a_revoked_invitation_leaves_the_username_free(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let invitation = invite(&app, &tenant, &member("ann@acme.test")).await;
    let old = token(&app, "ann@acme.test").await;
    let revoked = act(&app, &tenant, &invitation, "revoke").await.expect(200);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(newest_actions(&app, &tenant, 2).await, ["invitation.revoked", "user.deleted"]);
    accept(&app, &old).await.problem(404, "link_invalid");
    user(&app, &tenant, &invitation).await.problem(404, "not_found");
    assert_eq!(read(&app, &tenant, &invitation).await["state"], "revoked");
    act(&app, &tenant, &invitation, "resend").await.problem(409, "invitation_revoked");
    act(&app, &tenant, &invitation, "revoke").await.problem(409, "invitation_revoked");
    invite(&app, &tenant, &member("ann@acme.test")).await;
}

/// Proves A3, E1: who was deactivated or removed meanwhile does not come in by an older link.
#[both_engines]
async fn a_deactivated_or_removed_user_is_not_let_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let inactive = invite(&app, &tenant, &member("inactive@acme.test")).await;
    let removed = invite(&app, &tenant, &member("removed@acme.test")).await;
    let path = |invitation: &Value| tenant.path(&format!("/users/{}", invitation["user_id"].as_str().unwrap()));
    let tokens = [token(&app, "inactive@acme.test").await, token(&app, "removed@acme.test").await];
    app.operator().patch(&path(&inactive), &json!({ "status": "inactive" })).await.expect(200);
    assert_eq!(app.operator().delete(&path(&removed)).await.status, 204);
    accept(&app, &tokens[0]).await.problem(409, "invitation_revoked");
    act(&app, &tenant, &inactive, "resend").await.problem(409, "user_inactive");
    accept(&app, &tokens[1]).await.problem(404, "link_invalid");
    assert_eq!(read(&app, &tenant, &removed).await["state"], "revoked");
}

/// Proves E2: with SSO the mail carries the SAML login URL and no secret, and the first SSO sign-in accepts it.
#[both_engines]
async fn a_first_sso_sign_in_accepts_the_invitation(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let body = json!({ "portal": "admin", "email": "ann@acme.test", "roles": ["organization_member"] });
    let invitation = invite(&app, &tenant, &body).await;
    let mail = app.mailbox().await.last_to("ann@acme.test");
    assert_eq!(mail.link().fragment(), None);
    let connection = app.operator().get(&tenant.connection_path()).await.expect(200);
    assert_eq!(mail.link().as_str(), connection["saml_login_url"].as_str().unwrap_or(mail.link().as_str()));
    let both_ways = invite(&app, &tenant, &member("bo@acme.test")).await;
    let link = token(&app, "bo@acme.test").await;
    for email in ["ann@acme.test", "bo@acme.test"] {
        tenant.sign_in(&app, email, None).await.get("/v1/me").await.expect(200);
    }
    for invitation in [&invitation, &both_ways] {
        let after = read(&app, &tenant, invitation).await;
        assert_fields!(after, { "state": "accepted", "accepted_method": "saml" });
    }
    accept(&app, &link).await.problem(409, "invitation_accepted");
}

/// Proves E1, E2: an expired invitation does not let its user in through SSO either, and a staged one does.
#[both_engines]
async fn through_sso_a_staged_invitation_admits_and_an_expired_one_does_not(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let staged =
        json!({ "portal": "admin", "email": "staged@acme.test", "roles": ["organization_owner"], "staged": true });
    let staged = invite(&app, &tenant, &staged).await;
    let mailed = json!({ "portal": "admin", "email": "late@acme.test", "roles": ["organization_owner"] });
    let mailed = invite(&app, &tenant, &mailed).await;
    app.world.clock.advance(WEEK);
    let pending = tenant.start(&app, Some("late@acme.test")).await;
    let response = tenant.response(&app, &pending, "late@acme.test", Some(&["staff"]));
    let answer = tenant.post_response(&app, &response, &pending.relay_state).await;
    assert_eq!(parameter(&answer.location(), "error_code"), "invitation_expired");
    let attempt = tenant.last_attempt(&app).await;
    assert!(attempt["failure"]["fix"].as_str().unwrap().contains("resend"), "{attempt}");
    assert_eq!(user(&app, &tenant, &mailed).await.expect(200)["status"], "invited");
    tenant.sign_in(&app, "staged@acme.test", None).await.get("/v1/me").await.expect(200);
    assert_eq!(read(&app, &tenant, &staged).await["state"], "accepted");
    act(&app, &tenant, &mailed, "resend").await.expect(200);
    tenant.sign_in(&app, "late@acme.test", None).await.get("/v1/me").await.expect(200);
}

/// Proves E1: users who are created or imported are staged, and a resend mails them at the email they have then.
#[both_engines]
async fn created_users_are_staged_and_mailed_later(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let body = json!({ "portal": "admin", "username": "bo", "roles": ["organization_member"] });
    let bo = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let staged = app.operator().get(&tenant.path("/invitations?staged=true&q=bo")).await.expect(200);
    let invitation = staged["items"][0].clone();
    assert_eq!(invitation["user_id"], bo["id"]);
    let resend = tenant.path(&format!("/invitations/{}/resend", invitation["id"].as_str().unwrap()));
    let by_password = json!({ "accept_by": "password", "language": "sv" });
    let refused = app.operator().post(&resend, &by_password).await.problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["pointer"], "/email");
    let path = tenant.path(&format!("/users/{}", bo["id"].as_str().unwrap()));
    app.operator().patch(&path, &json!({ "email": "bo@acme.test" })).await.expect(200);
    assert_eq!(app.operator().post(&resend, &by_password).await.expect(200)["email"], "bo@acme.test");
    let mail = app.mailbox().await.last_to("bo@acme.test");
    assert!(mail.text().contains("inbjuden"), "{}", mail.text());
    assert_eq!(accept(&app, &mail.token()).await.expect(200)["username"], "bo");
}

/// Proves E2, B6: end users are invited to the page where they ask for a magic link.
#[both_engines]
async fn end_users_are_invited_to_sign_in_by_magic_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "customers", "self_service").await;
    tenant.set_pages(&app).await;
    let body = |accept_by: &str| json!({ "portal": "self_service", "email": "eve@x.test", "accept_by": accept_by });
    let path = tenant.path("/invitations");
    for (accept_by, with) in [("password", "magic_link for self_service"), ("carrier", "expected")] {
        let refused = app.operator().post(&path, &body(accept_by)).await.problem(422, "invalid_input");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains(with), "{refused}");
    }
    invite(&app, &tenant, &body("magic_link")).await;
    assert_eq!(app.mailbox().await.last_to("eve@x.test").link().as_str(), "https://app.example.test/login");
}

/// Proves E1, E4: what cannot be mailed is refused with what is missing, and leaves neither user nor mail.
#[both_engines]
async fn an_invitation_that_leads_nowhere_is_refused_whole(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/invitations");
    let refused = app.operator().post(&path, &member("ann@acme.test")).await.problem(409, "page_not_configured");
    assert_eq!(refused["errors"][0]["pointer"], "/pages/accept_invitation");
    tenant.set_pages(&app).await;
    let no_role = json!({ "portal": "admin", "email": "ann@acme.test", "accept_by": "password" });
    let refused = app.operator().post(&path, &no_role).await.problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["pointer"], "/roles");
    let emails = ["ann@acme.test\r\nBcc: x@x.test", "ann", "a@b@c", "<ann@acme.test>", "\"ann\"@acme.test"];
    for email in emails {
        app.operator().post(&path, &member(email)).await.problem(422, "invalid_input");
    }
    let mut named = member("ann@acme.test");
    named["display_name"] = json!("Ann\r\nBcc: x@x.test");
    app.operator().post(&path, &named).await.problem(422, "invalid_input");
    let found = app.operator().get(&tenant.path("/users?q=ann")).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 0);
    assert_eq!(app.mailbox().await.len(), 0);
    invite(&app, &tenant, &member("ann@acme.test")).await;
    app.operator().post(&path, &member("ANN@acme.test")).await.problem(409, "already_invited");
    tenant.sign_in(&app, "bo@acme.test", Some(&["staff"])).await;
    app.operator().post(&path, &member("bo@acme.test")).await.problem(409, "username_taken");
}

/// Proves E1: a repeated request with its key invites once and mails once.
#[both_engines]
async fn an_idempotent_invitation_is_mailed_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let send = async || {
        let request = app.operator().request(reqwest::Method::POST, &tenant.path("/invitations"));
        let request = request.header("idempotency-key", "k1").json(&member("ann@acme.test"));
        tests::client::Answer::of(request).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(app.mailbox().await.to("ann@acme.test").len(), 1);
}

/// Proves E2: of two who accept at the same moment one does, and its password is the one that stands.
#[both_engines]
async fn two_who_accept_at_once_accept_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    invite(&app, &tenant, &member("ann@acme.test")).await;
    let token = token(&app, "ann@acme.test").await;
    let (one, other) = tokio::join!(accept(&app, &token), accept(&app, &token));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{} {}", one.text, other.text);
    assert!((400..500).contains(&statuses[1]), "{} {}", one.text, other.text);
}

/// Proves A3, A5, B5: tokens of other kinds, invented tokens and passwords that are weak are refused without using
/// anything up.
#[both_engines]
async fn what_is_no_invitation_accepts_nothing(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    invite(&app, &tenant, &member("ann@acme.test")).await;
    let token = token(&app, "ann@acme.test").await;
    let altered = format!("{}A", &token[..token.len() - 1]);
    let other_kind = token.replacen("vil_", "vpl_", 1);
    for wrong in ["", "vil_", "x", altered.as_str(), other_kind.as_str(), &"v".repeat(10_000)] {
        if wrong != token {
            accept(&app, wrong).await.problem(404, "link_invalid");
        }
    }
    let reset = json!({ "token": token, "password": PASSWORD });
    app.anonymous().post("/v1/password-resets/complete", &reset).await.problem(404, "link_invalid");
    for weak in ["short", "tulip-anchor-acme-72", "password1234"] {
        let body = json!({ "token": token, "password": weak });
        let refused = app.anonymous().post("/v1/invitations/accept", &body).await.problem(422, "invalid_input");
        assert_eq!(refused["errors"][0]["pointer"], "/password");
        assert!(!refused.to_string().contains(weak));
    }
    accept(&app, &token).await.expect(200);
}

/// Proves A3, A5: members and context managers may not invite, and another account's owner sees and changes
/// nothing.
#[both_engines]
async fn only_owners_of_the_account_invite(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (tenant(&app).await, Tenant::create(&app, "other").await);
    let manager = member("manager@acme.test");
    let manager =
        json!({ "roles": ["organization_context_manager"], "portal": manager["portal"], "email": manager["email"] });
    invite(&app, &tenant, &manager).await;
    let manager = tenant.sign_in(&app, "manager@acme.test", None).await;
    let stranger = other.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let invitation = invite(&app, &tenant, &member("ann@acme.test")).await;
    let id = invitation["id"].as_str().unwrap();
    let mut as_owner = member("evil@acme.test");
    as_owner["roles"] = json!(["organization_owner"]);
    manager.post(&tenant.path("/invitations"), &as_owner).await.problem(403, "forbidden");
    manager.get(&tenant.path("/invitations")).await.expect(200);
    for verb in ["resend", "revoke"] {
        manager.post(&tenant.path(&format!("/invitations/{id}/{verb}")), &json!({})).await.problem(403, "forbidden");
        let theirs = other.path(&format!("/invitations/{id}/{verb}"));
        stranger.post(&theirs, &json!({})).await.problem(404, "not_found");
        stranger.post(&tenant.path(&format!("/invitations/{id}/{verb}")), &json!({})).await.problem(404, "not_found");
    }
    stranger.get(&other.path(&format!("/invitations/{id}"))).await.problem(404, "not_found");
    assert_eq!(read(&app, &tenant, &invitation).await["state"], "pending");
}
