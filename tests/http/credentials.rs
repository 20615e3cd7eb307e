//! Every credential that is issued to a user and lets its holder in, and every event that voids it (A7): for the
//! table and the model of `credential_epochs`.

use domain::UserId;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Client, parameter};
use tests::form::PASSWORD;
use tests::mailbox::Received;
use tests::tenant::Tenant;

/// Password that an event gives to a user who had [`PASSWORD`].
const OTHER_PASSWORD: &str = "window-marble-lantern-45";

/// Password that the holder of a link or a pending step chooses.
const NEW_PASSWORD: &str = "harbour-violin-saddle-31";

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    FormCode,
    SamlCode,
    FormSession,
    SamlSession,
    MfaStep,
    PasswordStep,
    ResetLink,
    InvitationLink,
    MagicLink,
    MagicLinkCode,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::FormCode,
        Self::SamlCode,
        Self::FormSession,
        Self::SamlSession,
        Self::MfaStep,
        Self::PasswordStep,
        Self::ResetLink,
        Self::InvitationLink,
        Self::MagicLink,
        Self::MagicLinkCode,
    ];

    /// Whether it is for the `self_service` portal, which has neither passwords nor owners.
    const fn is_of_self_service(self) -> bool {
        matches!(self, Self::MagicLink | Self::MagicLinkCode)
    }
}

/// Events that void a user's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    PasswordChanged,
    PasswordReset,
    EmailChanged,
    UsernameChanged,
    RecoveryEmailChanged,
    Deactivated,
    Deleted,
    OwnerGained,
}

impl Event {
    pub const ALL: [Self; 8] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::UsernameChanged,
        Self::RecoveryEmailChanged,
        Self::Deactivated,
        Self::Deleted,
        Self::OwnerGained,
    ];

    /// Whether it can befall the holder of this kind.
    pub const fn can_befall(self, kind: Kind) -> bool {
        match self {
            Self::PasswordChanged | Self::PasswordReset => {
                !kind.is_of_self_service() && !matches!(kind, Kind::InvitationLink | Kind::SamlCode | Kind::SamlSession)
            }
            Self::OwnerGained => !kind.is_of_self_service(),
            _ => true,
        }
    }

    /// Whether the user may still sign in after it.
    pub const fn leaves_a_user(self) -> bool {
        !matches!(self, Self::Deactivated | Self::Deleted)
    }
}

/// Credential that was issued, as its holder would use it.
#[derive(Debug)]
pub enum Held {
    Code { code: String, is_of_self_service: bool },
    Session { access_token: String, refresh_token: String },
    MfaStep { token: String, code: String },
    PasswordStep(String),
    ResetLink(String),
    InvitationLink(String),
    MagicLink(String),
}

/// User who is issued credentials, with what is true of them now.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    username: String,
    email: String,
    password: &'static str,
    is_of_self_service: bool,
    /// Number of renames so far, so that each new name differs from the others.
    renamed: u32,
}

/// An account with a frontend for each portal, and people.
pub struct Scene<'a> {
    app: &'a TestApp,
    pub admins: Tenant,
    visitors: Tenant,
    people: std::cell::Cell<u32>,
}

/// State of a user in a sequence: what they hold, and whether it is of the present epoch.
pub struct Model<'a> {
    scene: &'a Scene<'a>,
    person: Person,
    held: Vec<(Kind, Held, bool)>,
    resets_left: u32,
    is_active: bool,
    is_owner: bool,
}

impl<'a> Model<'a> {
    pub async fn of_somebody(scene: &'a Scene<'a>) -> Self {
        let person = scene.person(Kind::FormCode).await;
        Self { scene, person, held: vec![], resets_left: 3, is_active: true, is_owner: false }
    }

    /// One step, which this number chooses: something is issued, happens or is used.
    pub async fn step(&mut self, number: u64) {
        let pick = usize::try_from(number >> 8).unwrap();
        match number % 5 {
            0 | 1 if self.is_active => self.issue(pick).await,
            2 => self.fire(pick).await,
            _ if !self.held.is_empty() => self.use_one(pick).await,
            _ => {}
        }
    }

    /// Uses all that is left.
    pub async fn finish(mut self) {
        while !self.held.is_empty() {
            self.use_one(0).await;
        }
    }

    async fn issue(&mut self, pick: usize) {
        const KINDS: [Kind; 4] = [Kind::FormCode, Kind::FormSession, Kind::MfaStep, Kind::ResetLink];
        let kind = KINDS[pick % KINDS.len()];
        if kind == Kind::ResetLink {
            if self.resets_left == 0 {
                return;
            }
            self.resets_left -= 1;
        }
        let held = self.scene.issue(kind, &self.person).await;
        self.held.push((kind, held, true));
    }

    async fn fire(&mut self, pick: usize) {
        const EVENTS: [Event; 6] = [
            Event::PasswordChanged,
            Event::EmailChanged,
            Event::UsernameChanged,
            Event::RecoveryEmailChanged,
            Event::Deactivated,
            Event::OwnerGained,
        ];
        if !self.is_active {
            self.scene.patch(&self.person, &json!({ "status": "active" })).await;
            self.is_active = true;
            return;
        }
        let event = EVENTS[pick % EVENTS.len()];
        if event == Event::OwnerGained && std::mem::replace(&mut self.is_owner, true) {
            return;
        }
        self.scene.fire(event, &mut self.person).await;
        self.is_active = event.leaves_a_user();
        self.void();
    }

    async fn use_one(&mut self, pick: usize) {
        let (kind, held, is_current) = self.held.swap_remove(pick % self.held.len());
        assert_eq!(self.scene.works(&held).await, is_current, "{kind:?} {held:?}");
        if kind == Kind::ResetLink && is_current {
            self.person.password = NEW_PASSWORD;
            self.void();
        }
    }

    fn void(&mut self) {
        self.held.iter_mut().for_each(|(_, _, is_current)| *is_current = false);
    }
}

impl<'a> Scene<'a> {
    pub async fn set(app: &'a TestApp) -> Self {
        let admins = Tenant::create(app, "acme").await;
        admins.break_glass_owner(app, "root").await;
        let visitors = Tenant::create_for(app, "guests", "self_service").await;
        for tenant in [&admins, &visitors] {
            tenant.set_pages(app).await;
        }
        Self { app, admins, visitors, people: std::cell::Cell::new(0) }
    }

    fn tenant(&self, person: &Person) -> &Tenant {
        if person.is_of_self_service { &self.visitors } else { &self.admins }
    }

    fn path(&self, person: &Person) -> String {
        self.tenant(person).path(&format!("/users/{}", person.id))
    }

    /// Creates a user who can be issued this kind.
    pub async fn person(&self, kind: Kind) -> Person {
        let number = self.people.replace(self.people.get() + 1);
        let is_of_self_service = kind.is_of_self_service();
        let email = format!("person{number}@acme.test");
        let username =
            if matches!(kind, Kind::SamlCode | Kind::SamlSession) { email.clone() } else { format!("p{number}") };
        let roles = if is_of_self_service { json!([]) } else { json!(["organization_member"]) };
        let portal = if is_of_self_service { "self_service" } else { "admin" };
        let tenant = if is_of_self_service { &self.visitors } else { &self.admins };
        let body = json!({ "portal": portal, "username": username, "email": email, "roles": roles });
        let user = self.app.operator().post(&tenant.path("/users"), &body).await.expect(201);
        let id: UserId = user["id"].as_str().unwrap().parse().unwrap();
        let person = Person { id, username, email, password: PASSWORD, is_of_self_service, renamed: 0 };
        if kind != Kind::InvitationLink {
            self.app.operator().patch(&self.path(&person), &json!({ "status": "active" })).await.expect(200);
        }
        if !is_of_self_service && kind != Kind::InvitationLink {
            self.app.give_password(id, tenant.account_id.parse().unwrap(), PASSWORD).await;
        }
        person
    }

    /// Issues the user a credential of this kind.
    pub async fn issue(&self, kind: Kind, person: &Person) -> Held {
        match kind {
            Kind::FormCode => {
                let code = code_of(&self.form_login(person).await);
                Held::Code { code, is_of_self_service: false }
            }
            Kind::SamlCode => {
                let code = self.admins.code(self.app, &person.email, Some(&["staff"])).await;
                Held::Code { code, is_of_self_service: false }
            }
            Kind::FormSession => session(&self.admins.exchange_step(self.app, &self.form_login(person).await).await),
            Kind::SamlSession => session(&self.admins.tokens(self.app, &person.email, Some(&["staff"])).await),
            Kind::MfaStep => self.mfa_step(person).await,
            Kind::PasswordStep => self.password_step(person).await,
            Kind::ResetLink => Held::ResetLink(self.reset_link(person).await),
            Kind::InvitationLink => Held::InvitationLink(self.invitation_link(person).await),
            Kind::MagicLink => Held::MagicLink(self.magic_link(person).await),
            Kind::MagicLinkCode => {
                let token = self.magic_link(person).await;
                let step = self.complete_magic_link(&token).await.expect(200);
                Held::Code { code: code_of(&step), is_of_self_service: true }
            }
        }
    }

    async fn form_login(&self, person: &Person) -> Value {
        self.admins.form_login(&self.app.anonymous(), &person.username, person.password).await.expect(200)
    }

    async fn mfa_step(&self, person: &Person) -> Held {
        let demand = async |wanted: bool| {
            let body = json!({ "require_email_mfa": wanted });
            self.app.operator().patch(&self.path(person), &body).await.expect(200)
        };
        let user = demand(true).await;
        let step = self.form_login(person).await;
        demand(false).await;
        let to = user["recovery_email"].as_str().unwrap_or(&person.email);
        let code = newest(&self.app.mailbox().await.to(to), is_code).code();
        Held::MfaStep { token: step["pending_token"].as_str().unwrap().to_owned(), code }
    }

    /// Gives the user a temporary password and takes their first sign-in to the point where they must choose
    /// another.
    async fn password_step(&self, person: &Person) -> Held {
        let account_id = self.admins.account_id.parse().unwrap();
        self.app.give_temporary_password(person.id, account_id, person.password).await;
        let step = self.form_login(person).await;
        assert_eq!(step["status"], "password_change_required", "{step}");
        Held::PasswordStep(step["pending_token"].as_str().unwrap().to_owned())
    }

    /// Asks for a reset by mail, which then waits to be sent.
    pub async fn ask_for_reset(&self, person: &Person) {
        let client_id = &self.admins.client_id;
        let body = json!({ "account_name": "acme", "identifier": person.username, "client_id": client_id });
        assert_eq!(self.app.anonymous().post("/v1/password-resets", &body).await.status, 202);
        self.app.service.people.link_requests_settled().await;
    }

    async fn reset_link(&self, person: &Person) -> String {
        self.ask_for_reset(person).await;
        newest(&self.app.mailbox().await.to(&person.email), has_token).token()
    }

    async fn invitation_link(&self, person: &Person) -> String {
        let list = self.app.operator().get(&self.admins.path("/invitations?limit=200")).await.expect(200);
        let of_person = |invitation: &&Value| invitation["user_id"] == person.id.to_string();
        let found = list["items"].as_array().unwrap().iter().find(of_person).unwrap();
        let invitation = found["id"].as_str().unwrap();
        let resend = self.admins.path(&format!("/invitations/{invitation}/resend"));
        self.app.operator().post(&resend, &json!({ "accept_by": "password" })).await.expect(200);
        newest(&self.app.mailbox().await.to(&person.email), has_token).token()
    }

    async fn magic_link(&self, person: &Person) -> String {
        let ask = self.visitors.start_body(Some(&person.email));
        assert_eq!(self.app.anonymous().post("/v1/magic-link-sign-ins", &ask).await.status, 202);
        self.app.service.people.link_requests_settled().await;
        newest(&self.app.mailbox().await.to(&person.email), has_token).token()
    }

    async fn complete_magic_link(&self, token: &str) -> tests::client::Answer {
        self.app.anonymous().post("/v1/magic-link-sign-ins/complete", &self.visitors.link_body(token)).await
    }

    /// Whether the holder gets anything for it; if it is refused, then with the words that are for it.
    pub async fn works(&self, held: &Held) -> bool {
        let anonymous = self.app.anonymous();
        match held {
            Held::Code { code, is_of_self_service } => {
                let tenant = if *is_of_self_service { &self.visitors } else { &self.admins };
                let answer = anonymous.form("/oauth/token", &tenant.exchange_form(code)).await;
                accepted(&answer, &[(400, "invalid_grant")])
            }
            Held::Session { access_token, refresh_token } => {
                let reads = anonymous.bearing(access_token).get("/v1/me").await;
                let refresh = self.admins.refresh(self.app, refresh_token).await;
                let reads = accepted(&reads, &[(401, "session_expired")]);
                let goes_on = accepted(&refresh, &[(400, "invalid_grant")]);
                assert_eq!(reads, goes_on, "access and refresh token are of one mind");
                reads
            }
            Held::MfaStep { token, code } => {
                let body = json!({ "pending_token": token, "code": code });
                let answer = anonymous.post("/v1/form-sign-ins/mfa-code", &body).await;
                accepted(&answer, &[(401, "session_expired")])
            }
            Held::PasswordStep(token) => {
                let body = json!({ "pending_token": token, "new_password": NEW_PASSWORD });
                let answer = anonymous.post("/v1/form-sign-ins/password", &body).await;
                accepted(&answer, &[(401, "session_expired")])
            }
            Held::ResetLink(token) => {
                let body = json!({ "token": token, "password": NEW_PASSWORD });
                self.link_works(("/v1/password-resets/inspect", "/v1/password-resets/complete"), &body).await
            }
            Held::InvitationLink(token) => {
                let body = json!({ "token": token, "password": NEW_PASSWORD });
                self.link_works(("/v1/invitations/inspect", "/v1/invitations/accept"), &body).await
            }
            Held::MagicLink(token) => accepted(&self.complete_magic_link(token).await, DEAD_LINK),
        }
    }

    async fn link_works(&self, (inspect, complete): (&str, &str), body: &Value) -> bool {
        let shown = self.app.anonymous().post(inspect, &json!({ "token": body["token"] })).await;
        let done = self.app.anonymous().post(complete, body).await;
        let (shown, done) = (accepted(&shown, DEAD_LINK), accepted(&done, DEAD_LINK));
        assert_eq!(shown, done, "what is shown is what is done");
        done
    }

    /// Has this event happen to the user.
    pub async fn fire(&self, event: Event, person: &mut Person) {
        person.renamed += 1;
        let fresh = format!("n{}-{}", person.renamed, person.email);
        let roles = json!({ "roles": ["organization_owner"] });
        match event {
            Event::PasswordChanged => self.change_password(person).await,
            Event::PasswordReset => {
                let body = json!({ "token": self.reset_link(person).await, "password": OTHER_PASSWORD });
                let answer = self.app.anonymous().post("/v1/password-resets/complete", &body).await;
                assert_eq!(answer.status, 204, "{}", answer.text);
                person.password = OTHER_PASSWORD;
            }
            Event::EmailChanged => {
                self.patch(person, &json!({ "email": fresh })).await;
                person.email = fresh;
            }
            Event::UsernameChanged => {
                self.patch(person, &json!({ "username": fresh })).await;
                person.username = fresh;
            }
            Event::RecoveryEmailChanged => self.patch(person, &json!({ "recovery_email": fresh })).await,
            Event::Deactivated => self.patch(person, &json!({ "status": "inactive" })).await,
            Event::Deleted => {
                assert_eq!(self.app.operator().delete(&self.path(person)).await.status, 204);
            }
            Event::OwnerGained => self.patch(person, &roles).await,
        }
    }

    async fn patch(&self, person: &Person, body: &Value) {
        self.app.operator().patch(&self.path(person), body).await.expect(200);
    }

    /// Changes the password as the user themselves; the session in which they do it goes on.
    async fn change_password(&self, person: &mut Person) {
        let new = if person.password == PASSWORD { OTHER_PASSWORD } else { PASSWORD };
        // A user with a temporary password gets no session by it: another one is what they would be given.
        self.app.give_password(person.id, self.admins.account_id.parse().unwrap(), person.password).await;
        let tokens = self.admins.exchange_step(self.app, &self.form_login(person).await).await;
        let body = json!({ "current_password": person.password, "new_password": new });
        let client = self.bearing(&tokens);
        let answer = client.post("/v1/me/password", &body).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        person.password = new;
        assert!(self.works(&session(&tokens)).await, "one's own change leaves one's own session");
    }

    fn bearing(&self, tokens: &Value) -> Client {
        self.app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
    }
}

/// Refusals of a link that was withdrawn. A deactivated user's invitation is as good as revoked, and a removed
/// user's is gone with them.
const DEAD_LINK: &[(u16, &str)] =
    &[(410, "link_replaced"), (410, "link_invalid"), (404, "link_invalid"), (409, "invitation_revoked")];

/// The newest of these mails that is of the kind looked for: notices come in between.
fn newest(mails: &[Received], is_wanted: fn(&Received) -> bool) -> &Received {
    mails.iter().rev().find(|mail| is_wanted(mail)).expect("a mail of the kind")
}

fn has_token(mail: &Received) -> bool {
    mail.text().contains("#token=")
}

fn is_code(mail: &Received) -> bool {
    mail.subject().to_lowercase().contains("code")
}

#[track_caller]
fn accepted(answer: &tests::client::Answer, refusals: &[(u16, &str)]) -> bool {
    if answer.status.is_success() {
        return true;
    }
    let body = answer.json();
    let code = body["code"].as_str().or(body["error"].as_str()).unwrap_or_default().to_owned();
    assert!(refusals.contains(&(answer.status.as_u16(), &code)), "{} {}", answer.status, answer.text);
    false
}

fn session(tokens: &Value) -> Held {
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    Held::Session { access_token: token("access_token"), refresh_token: token("refresh_token") }
}

fn code_of(step: &Value) -> String {
    let url: url::Url = step["redirect_to"].as_str().unwrap_or_else(|| panic!("{step}")).parse().unwrap();
    parameter(&url, "code")
}
