//! One person, one identity (A2, C3): what a portal's users go by is one namespace, wherever it is written or matched.

use domain::username::normalized;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use url::Url;

fn member(username: &str, email: Option<&str>) -> Value {
    json!({ "portal": "admin", "username": username, "email": email, "roles": ["organization_member"] })
}

async fn create(app: &TestApp, tenant: &Tenant, username: &str, email: Option<&str>) -> Answer {
    app.operator().post(&tenant.path("/users"), &member(username, email)).await
}

async fn invite(app: &TestApp, tenant: &Tenant, email: &str) -> Answer {
    let body = json!({ "portal": "admin", "email": email, "roles": ["organization_member"], "staged": true });
    app.operator().post(&tenant.path("/invitations"), &body).await
}

/// Signs in with an assertion of this username, and gives the address to which the browser is redirected.
async fn asserted(app: &TestApp, tenant: &Tenant, username: &str) -> Url {
    let pending = tenant.start(app, None).await;
    let response = tenant.response(app, &pending, username, Some(&["staff"]));
    tenant.post_response(app, &response, &pending.relay_state).await.location()
}

/// The error code that the browser brings back, if it does not bring a code.
fn refusal(location: &Url) -> Option<String> {
    location.query_pairs().find(|(name, _)| name == "error_code").map(|(_, code)| code.into_owned())
}

/// Exchanges the code of this redirect, and gives the id of the user who is signed in.
async fn signed_in(app: &TestApp, tenant: &Tenant, location: &Url) -> Value {
    let code = tests::client::parameter(location, "code");
    let tokens = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
    let client = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    client.get("/v1/me").await.expect(200)["user"]["id"].clone()
}

async fn users(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    let found = app.operator().get(&tenant.path("/users?portal=admin&limit=200")).await.expect(200);
    found["items"].as_array().unwrap().clone()
}

fn name(user: &Value, which: &str) -> Option<String> {
    user[which].as_str().map(normalized)
}

/// Fails where one user's username is another's username or email.
fn assert_one_namespace(users: &[Value]) {
    for user in users {
        let username = name(user, "username");
        for other in users.iter().filter(|other| other["id"] != user["id"]) {
            assert_ne!(username, name(other, "username"), "{users:#?}");
            assert_ne!(username, name(other, "email"), "{users:#?}");
        }
    }
}

/// Proves A2: whatever way a name comes, it is refused where another user goes by it, and the answer names that user.
#[both_engines]
async fn every_way_to_write_a_name_is_held_to_the_one_namespace(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let bo = create(&app, &tenant, "bo", Some("bo@x.test")).await.expect(201);
    let cy = create(&app, &tenant, "cy@x.test", None).await.expect(201);
    let named = |problem: &Value, pointer: &str, holder: &Value| {
        assert_eq!(problem["user_id"], holder["id"], "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(holder["username"].as_str().unwrap()), "{detail}");
    };
    named(&create(&app, &tenant, "BO@X.test", None).await.problem(409, "username_taken"), "/username", &bo);
    named(&create(&app, &tenant, "di", Some("Cy@x.test")).await.problem(409, "username_taken"), "/email", &cy);
    named(&invite(&app, &tenant, "bo@x.test").await.problem(409, "username_taken"), "/email", &bo);
    named(&invite(&app, &tenant, "cy@x.test").await.problem(409, "already_invited"), "/email", &cy);

    let rows =
        json!({ "users": [member("bo@x.test", None), member("di", Some("ed@x.test")), member("ed@x.test", None)] });
    let report = app.operator().post(&tenant.path("/user-imports"), &rows).await.expect(200);
    let statuses: Vec<&str> =
        report["results"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["refused", "created", "refused"]);
    assert_eq!(report["results"][2]["user_id"], report["results"][1]["user"]["id"], "a row is held to those before it");
    named(&report["results"][0], "/username", &bo);

    let rows = json!({ "portal": "admin", "staged": true, "invitations": [{ "email": "bo@x.test" }, { "email": "ed@x.test" }, { "email": "fay@x.test" }] });
    let batch = app.operator().post(&tenant.path("/invitation-batches"), &rows).await.expect(201);
    let codes: Vec<&Value> = batch["results"].as_array().unwrap().iter().map(|row| &row["code"]).collect();
    assert_eq!(codes, [&json!("username_taken"), &json!("username_taken"), &Value::Null]);

    let path = tenant.path(&format!("/users/{}", cy["id"].as_str().unwrap()));
    named(
        &app.operator().patch(&path, &json!({ "username": "Bo@x.test" })).await.problem(409, "username_taken"),
        "/username",
        &bo,
    );
    let path = tenant.path(&format!("/users/{}", bo["id"].as_str().unwrap()));
    named(
        &app.operator().patch(&path, &json!({ "email": "cy@x.test" })).await.problem(409, "username_taken"),
        "/email",
        &cy,
    );
    app.operator().patch(&path, &json!({ "username": "bo@x.test" })).await.expect(200);
    assert_one_namespace(&users(&app, &tenant).await);
}

/// Proves A2: an owner who is invited under another's email does not come between that user and their sign-ins, by SSO
/// or by form; and the key of an account cannot make a user who does.
#[both_engines]
async fn nobody_gets_between_a_user_and_their_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let boss = tenant.form_user(&app, "boss", Some("organization_owner")).await;
    let scopes = json!({ "name": "sync", "scopes": ["users:write"] });
    let owner = tenant.sign_in(&app, "chief@acme.test", Some(&["nac-team-lead"])).await;
    let key = owner.post(&tenant.path("/api-keys"), &scopes).await.expect(201);
    let key = app.anonymous().bearing(key["key"].as_str().or(key["secret"].as_str()).unwrap());
    let problem =
        key.post(&tenant.path("/users"), &member("boss@acme.test", None)).await.problem(409, "username_taken");
    assert_eq!(problem["errors"][0]["pointer"], "/username");
    invite(&app, &tenant, "boss@acme.test").await.problem(409, "username_taken");
    tenant.form_login(&app.anonymous(), " boss@acme.test ", PASSWORD).await.expect(200);
    let location = asserted(&app, &tenant, "boss@acme.test").await;
    assert_eq!(signed_in(&app, &tenant, &location).await, json!(boss.to_string()));
}

/// Proves A2, C3: an internationalized domain and its ASCII form are one person, in every place.
#[both_engines]
async fn a_domain_and_its_ascii_form_are_one_person(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = create(&app, &tenant, "ann@exämple.test", Some("ann@exämple.test ")).await.expect(201);
    assert_eq!(ann["email"], "ann@exämple.test");
    create(&app, &tenant, "Ann@xn--exmple-cua.test", None).await.problem(409, "username_taken");
    create(&app, &tenant, "other", Some("x@acme.test")).await.expect(201);
    invite(&app, &tenant, " ann@XN--exmple-cua.test").await.problem(409, "already_invited");
    app.operator().patch(&tenant.connection_path(), &json!({ "email_domains": ["EXÄMPLE.test"] })).await.expect(200);
    for same in ["ann@xn--exmple-cua.test", "ann@exämple.test", "ANN@EXÄMPLE.TEST"] {
        tenant.start(&app, Some(same)).await;
        let location = asserted(&app, &tenant, same).await;
        assert_eq!(signed_in(&app, &tenant, &location).await, ann["id"], "{same}");
    }
    app.give_password(ann["id"].as_str().unwrap().parse().unwrap(), tenant.account_id.parse().unwrap(), PASSWORD).await;
    tenant.form_login(&app.anonymous(), "ann@xn--exmple-cua.test\u{A0}", PASSWORD).await.expect(200);
}

/// Proves A2: what is not seen of a name is refused, by field; letters of all scripts are not.
#[both_engines]
async fn invisible_characters_are_refused_in_names(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for hidden in ["\u{200B}", "\u{202E}", "\u{2066}", "\u{FEFF}", "\u{AD}", "\u{3164}", "\u{2028}", "\u{E0041}"] {
        let problem = create(&app, &tenant, &format!("a{hidden}b"), None).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/username");
        let problem =
            create(&app, &tenant, "ann", Some(&format!("a{hidden}b@x.test"))).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/email");
        let mut named = member("ann", None);
        named["display_name"] = json!(format!("A{hidden}nn"));
        let problem = app.operator().post(&tenant.path("/users"), &named).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/display_name");
        let account = json!({ "name": "other", "display_name": format!("O{hidden}th"), "owner_email": "o@other.test" });
        app.operator().post("/v1/accounts", &account).await.problem(422, "invalid_input");
        let location = asserted(&app, &tenant, &format!("a{hidden}b@acme.test")).await;
        assert_eq!(refusal(&location).as_deref(), Some("saml_response_refused"));
    }
    for fine in ["Åsa Öberg", "محمد", "Владимир", "李小龍"] {
        create(&app, &tenant, fine, None).await.expect(201);
    }
}

/// Proves C3: a user whose invitation an owner took back is not brought back by a sign-in; another one lets them
/// in.
#[both_engines]
async fn a_revoked_invitation_is_not_overridden_by_just_in_time_provisioning(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let invited = invite(&app, &tenant, "eve@acme.test").await.expect(201);
    let user = tenant.path(&format!("/users/{}", invited["user_id"].as_str().unwrap()));
    app.operator().patch(&user, &json!({ "email": "eve@home.test" })).await.expect(200);
    let revoke = tenant.path(&format!("/invitations/{}/revoke", invited["id"].as_str().unwrap()));
    app.operator().post(&revoke, &json!({})).await.expect(200);
    for identity in ["eve@acme.test", "EVE@home.test"] {
        assert_eq!(refusal(&asserted(&app, &tenant, identity).await).as_deref(), Some("sso_email_not_configured"));
        assert_eq!(tenant.last_attempt(&app).await["failure"]["reason"], "invitation_revoked");
        let entered = tenant.start_body(Some(identity));
        app.anonymous().post("/v1/sso-sign-ins", &entered).await.problem(404, "sso_email_not_configured");
    }
    invite(&app, &tenant, "eve@acme.test").await.expect(201);
    signed_in(&app, &tenant, &asserted(&app, &tenant, "eve@acme.test").await).await;
}

/// Proves A2: of rows that broke the rule before it was held, none is picked, by SSO, by form or at discovery; one
/// who is deactivated does not stand in the other's way.
#[both_engines]
async fn users_of_an_older_version_who_share_an_identity_are_refused_as_ambiguous(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let bo = tenant.form_user(&app, "bo", Some("organization_member")).await;
    let other = create(&app, &tenant, "other", None).await.expect(201);
    let id = other["id"].as_str().unwrap();
    app.tamper(
        "UPDATE users SET username = 'bo@acme.test', username_normalized = 'bo@acme.test' WHERE username = 'other'",
    )
    .await;
    assert_eq!(refusal(&asserted(&app, &tenant, "bo@acme.test").await).as_deref(), Some("sso_multiple_usernames"));
    let entered = tenant.start_body(Some("bo@acme.test"));
    app.anonymous().post("/v1/sso-sign-ins", &entered).await.problem(409, "sso_multiple_usernames");
    assert_ne!(tenant.form_login(&app.anonymous(), "bo@acme.test", PASSWORD).await.status, 200);
    let path = tenant.path(&format!("/users/{id}"));
    app.operator().patch(&path, &json!({ "display_name": "Still changed" })).await.expect(200);
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    tenant.form_login(&app.anonymous(), "bo@acme.test", PASSWORD).await.expect(200);
    assert_eq!(signed_in(&app, &tenant, &asserted(&app, &tenant, "bo@acme.test").await).await, json!(bo.to_string()));
    app.operator().patch(&path, &json!({ "status": "active" })).await.problem(409, "username_taken");
}

/// Proves A2: of many who take one name at once, by every way that there is, the namespace stays one.
#[both_engines]
async fn many_at_once_take_one_name(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for round in 0..4 {
        let wanted = format!("wanted-{round}@x.test");
        let renamed = create(&app, &tenant, &format!("renamed-{round}"), None).await.expect(201);
        let path = tenant.path(&format!("/users/{}", renamed["id"].as_str().unwrap()));
        let (rename, rows) = (json!({ "username": wanted }), json!({ "users": [member(&wanted, None)] }));
        let batch = json!({ "portal": "admin", "staged": true, "invitations": [{ "email": wanted, "roles": ["organization_member"] }] });
        let (operator, imports, batches) =
            (app.operator(), tenant.path("/user-imports"), tenant.path("/invitation-batches"));
        let (email, other) = (format!("email-{round}"), format!("other-{round}"));
        tokio::join!(
            create(&app, &tenant, &wanted, None),
            create(&app, &tenant, &wanted, Some(&wanted)),
            create(&app, &tenant, &email, Some(&wanted)),
            create(&app, &tenant, &other, Some(&wanted)),
            operator.post(&imports, &rows),
            operator.post(&batches, &batch),
            invite(&app, &tenant, &wanted),
            operator.patch(&path, &rename),
            asserted(&app, &tenant, &wanted),
            asserted(&app, &tenant, &wanted),
        );
        let users = users(&app, &tenant).await;
        let holders = users.iter().filter(|user| user["username"] == json!(wanted)).count();
        let by_email =
            users.iter().filter(|user| user["username"] != json!(wanted) && user["email"] == json!(wanted)).count();
        assert!(holders == 1 && by_email == 0 || holders == 0 && by_email > 0, "{users:#?}");
        assert_one_namespace(&users);
    }
}

/// Proves A2, F3: a plan that is applied and users who are made at the same moment come one after the other: either the
/// plan knows of them, or they are refused.
#[both_engines]
async fn a_plan_is_applied_before_or_after_users_are_made(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let owner = tenant.break_glass_owner(&app, "boss").await;
    let bo = create(&app, &tenant, "bo", Some("bo@acme.test")).await.expect(201);
    let plan = tenant.preview(&owner.client, "require").await;
    tenant.sign_off(&owner.client, &plan).await.expect(200);
    let (applied, one, two, three, four) = tokio::join!(
        tenant.apply(&owner.client, &plan),
        create(&app, &tenant, "one", Some("bo@acme.test")),
        create(&app, &tenant, "two", Some("bo@acme.test")),
        create(&app, &tenant, "bo@acme.test", None),
        create(&app, &tenant, "three", Some("bo@acme.test")),
    );
    let made = [one, two, three, four].iter().filter(|answer| answer.status == 201).count();
    assert!((applied.status == 200) == (made == 0), "{} {made}", applied.text);
    assert_one_namespace(&users(&app, &tenant).await);
    drop(bo);
}

/// Names that mean five people, some of them in two spellings.
const NAMES: [&str; 9] =
    ["bo", "BO", "bo@x.test", "ann@exämple.test", "ANN@xn--exmple-cua.test", "cy@x.test", "cy", "di@x.test", "ann"];

/// Pseudorandom numbers, the same for a seed (Knuth's MMIX).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    fn email(&mut self) -> Option<&'static str> {
        Some(self.name()).filter(|name| name.contains('@'))
    }

    fn user(&mut self, users: &[Value]) -> String {
        users[self.below(users.len())]["id"].as_str().unwrap().to_owned()
    }
}

/// Makes one random change to the directory, whether it succeeds or is refused.
async fn change(app: &TestApp, tenant: &Tenant, (draws, users): (&mut Draws, &[Value])) {
    let operator: Client = app.operator();
    let path = tenant.path(&format!("/users/{}", draws.user(users)));
    match draws.below(8) {
        0 => drop(create(app, tenant, draws.name(), draws.email()).await),
        1 => {
            let rows = json!({ "users": [member(draws.name(), draws.email()), member(draws.name(), draws.email())] });
            operator.post(&tenant.path("/user-imports"), &rows).await.expect(200);
        }
        2 => drop(invite(app, tenant, draws.email().unwrap_or("di@x.test")).await),
        3 => drop(operator.patch(&path, &json!({ "username": draws.name() })).await),
        4 => drop(operator.patch(&path, &json!({ "email": draws.email() })).await),
        5 => drop(operator.patch(&path, &json!({ "status": "inactive" })).await),
        6 => drop(operator.patch(&path, &json!({ "status": "active" })).await),
        _ => drop(operator.delete(&path).await),
    }
}

/// Signs in by SSO, and holds what comes of it against who went by that before.
async fn sign_in(app: &TestApp, tenant: &Tenant, identity: &str, users: &[Value]) {
    let meant = Some(normalized(identity));
    let known: Vec<&Value> =
        users.iter().filter(|user| name(user, "username") == meant || name(user, "email") == meant).collect();
    let welcome: Vec<&&Value> = known.iter().filter(|user| user["status"] != "inactive").collect();
    let location = asserted(app, tenant, identity).await;
    match (welcome.as_slice(), refusal(&location).as_deref()) {
        ([], Some("sso_email_not_configured")) | ([_, _, ..], Some("sso_multiple_usernames")) => {}
        ([one], Some("break_glass_user")) => assert_eq!(one["break_glass"], true),
        ([one], Some("first_owner_sets_password")) => assert_eq!(one["status"], "invited"),
        ([], None) => {
            assert!(known.is_empty(), "{identity}: {known:#?}");
            let new = signed_in(app, tenant, &location).await;
            assert!(users.iter().all(|user| user["id"] != new));
        }
        ([one], None) => assert_eq!(signed_in(app, tenant, &location).await, one["id"], "{identity}"),
        (welcome, refused) => panic!("{identity}: {refused:?}, although these may sign in: {welcome:#?}"),
    }
}

/// Proves A2, C3: whatever is done in whatever order, no two who may sign in share an identity that one of them
/// signs in by, and a sign-in is as the one user who goes by it, as a new one, or refused.
#[both_engines]
async fn in_any_order_of_changes_nobody_signs_in_as_another(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let mut draws = Draws(20_261_125);
    for _ in 0..150 {
        let before = users(&app, &tenant).await;
        if draws.below(3) == 0 {
            let identity = draws.name();
            sign_in(&app, &tenant, identity, &before).await;
        } else {
            change(&app, &tenant, (&mut draws, &before)).await;
        }
        assert_one_namespace(&users(&app, &tenant).await);
    }
}
