//! Killed at any moment under load, nothing that was promised is lost and nothing works twice (C10, D4).

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::authorization_code::CODE_LIFETIME;
use jiff::Timestamp;
use mock_idp::message::{NAME_ID_EMAIL, SignedParts};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::both_engines;
use tests::client::{Answer, Client, parameter};
use tests::databases::TestDatabase;
use tests::idp::{EMAIL_CLAIM, TestIdp};
use tests::process::Installation;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::organization::Organization;

/// Rounds of the test, each of which kills the process once.
const KILLS: u64 = 8;
/// Browsers at once: several for each processor, so that a kill meets requests in every stage.
const BROWSERS: usize = 6;
/// The kill comes after so many answers at least, and at most so many more; the seed says how many.
const ANSWERS_BEFORE_KILL: (u64, u64) = (12, 36);
/// Number of users, few enough that some of them sign in twice at once.
const PEOPLE: u64 = 40;
/// Changes when the kills come; a failure names the round.
const SEED: u64 = 0x5EED_1E55;
/// Remaining lifetime of a code below which the test does not judge whether it is still good.
const MARGIN: Duration = Duration::from_secs(5);

/// A sign-in as its browser and its frontend know it.
#[derive(Clone)]
struct SignIn {
    response: String,
    relay_state: String,
    /// The code and when it came, if the answer of the ACS arrived.
    code: Option<(String, Instant)>,
    exchange: Exchange,
}

#[derive(Clone)]
enum Exchange {
    /// The frontend has not tried yet.
    NotTried,
    /// The frontend tried, and the process was killed before the answer.
    Unanswered,
    /// The frontend has the tokens, which this holds.
    Answered(Value),
}

impl SignIn {
    /// Whether an answer did not arrive.
    fn was_interrupted(&self) -> bool {
        self.code.is_none() || matches!(self.exchange, Exchange::Unanswered)
    }
}

/// Sign-ins of an account's users under load, with the answers that each of them got.
struct Load {
    organization: Organization,
    idp: TestIdp,
    ledger: Mutex<Vec<SignIn>>,
    answers: watch::Sender<u64>,
}

/// Proves C10, D4: no code, session or assertion id is lost or usable twice over a `kill -9`.
#[both_engines]
async fn nothing_is_lost_or_usable_twice_over_a_kill(db: TestDatabase) {
    let mut installation = Installation::on_database(&db.url);
    installation.set("SERVER__TRUSTED_PROXIES", "127.0.0.1/32");
    let mut running = installation.serve().await;
    let load = Arc::new(Load::prepare(&installation).await);
    let (mut random, mut interrupted) = (SEED, 0);
    for round in 0..KILLS {
        let browsers: JoinSet<()> =
            (0..BROWSERS).map(|_| Arc::clone(&load).sign_in_until_killed(installation.anonymous())).collect();
        load.answered(next(&mut random)).await;
        running.kill();
        browsers.join_all().await;
        running = installation.serve().await;
        let sign_ins = std::mem::take(&mut *load.ledger.lock().unwrap());
        assert!(sign_ins.iter().any(|sign_in| sign_in.code.is_some()), "round {round}: nobody got anywhere");
        interrupted += sign_ins.iter().filter(|sign_in| sign_in.was_interrupted()).count();
        let audits: JoinSet<()> = sign_ins
            .into_iter()
            .map(|sign_in| Arc::clone(&load).audit(installation.anonymous(), sign_in, round))
            .collect();
        audits.join_all().await;
    }
    assert_ne!(interrupted, 0, "no kill came in the middle of anything");
}

/// Proves C10: a server that is stopped while it verifies responses ends in order, without a crash in the
/// libraries' exit handlers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_under_load_ends_in_order() {
    let mut installation = Installation::on_sqlite();
    installation.set("SERVER__TRUSTED_PROXIES", "127.0.0.1/32");
    let mut running = installation.serve().await;
    let (load, mut random) = (Arc::new(Load::prepare(&installation).await), SEED);
    for round in 0..KILLS {
        let browsers: JoinSet<()> =
            (0..BROWSERS).map(|_| Arc::clone(&load).sign_in_until_killed(installation.anonymous())).collect();
        load.answered(next(&mut random)).await;
        let status = running.terminate();
        assert!(status.success(), "round {round}: {status}");
        browsers.join_all().await;
        running = installation.serve().await;
    }
}

/// Draws the number of answers before the next kill (`SplitMix64`).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ANSWERS_BEFORE_KILL.0 + (mixed ^ (mixed >> 31)) % ANSWERS_BEFORE_KILL.1
}

impl Load {
    async fn prepare(installation: &Installation) -> Self {
        let key = installation.json(&["operator-key", "create", "--development", "--name", "tests"]);
        let operator = installation.anonymous().bearing(key["key"].as_str().unwrap());
        let organization = Organization::create(installation.anonymous(), operator, "acme").await;
        let idp = TestIdp::trusted();
        let settings = json!({
            "idp_entity_id": idp.entity_id, "login_url": "https://idp.example.test/sso", "probe_login_url": false,
            "certificates": [idp.identity.certificate_pem()],
        });
        organization.configure(&settings).await;
        organization.enable().await;
        Self { organization, idp, ledger: Mutex::default(), answers: watch::Sender::new(0) }
    }

    /// Comes back after so many more answers.
    async fn answered(&self, more: u64) {
        let mut answers = self.answers.subscribe();
        let wanted = *answers.borrow_and_update() + more;
        answers.wait_for(|count| *count >= wanted).await.unwrap();
    }

    /// One browser after the other, each with its frontend; two of three frontends exchange their code at once.
    async fn sign_in_until_killed(self: Arc<Self>, anyone: Client) {
        for number in 0_u64.. {
            let Some(index) = self.start(&anyone).await else { return };
            let sign_in = self.ledger.lock().unwrap()[index].clone();
            let Some(answer) = self.attempt(self.post(&anyone, &sign_in)).await else { return };
            let code = self.organization.code(&answer.location());
            self.change(index, |sign_in| sign_in.code = Some((code.clone(), Instant::now())));
            if number % 3 == 0 {
                continue;
            }
            self.change(index, |sign_in| sign_in.exchange = Exchange::Unanswered);
            let Some(answer) = self.attempt(self.exchange(&anyone, &code)).await else { return };
            let tokens = answer.expect(200);
            self.change(index, |sign_in| sign_in.exchange = Exchange::Answered(tokens));
        }
    }

    /// Begins a sign-in; the identity provider's response to it goes into the ledger before it is posted.
    async fn start(&self, anyone: &Client) -> Option<usize> {
        let body = self.organization.start_body(None);
        let answer =
            self.attempt(self.at_own_address(anyone.request(Method::POST, "/v1/sso-sign-ins")).json(&body)).await?;
        let url: url::Url = answer.expect(200)["handoff"]["url"].as_str().unwrap().parse().unwrap();
        let request = saml::decode_redirect_binding(&parameter(&url, "SAMLRequest")).unwrap();
        let request_id = request.split(" ID=\"").nth(1).unwrap().split('"').next().unwrap();
        let spec = self.idp.response(&self.organization.acs_url, Timestamp::now()).to_request(request_id);
        let email = format!("user-{}@acme.test", *self.answers.borrow() % PEOPLE);
        let spec = spec.named(&email, NAME_ID_EMAIL).attribute(EMAIL_CLAIM, [&email]).signed(SignedParts::Assertion);
        let response = self.idp.sign(&spec);
        let mut ledger = self.ledger.lock().unwrap();
        let relay_state = parameter(&url, "RelayState");
        ledger.push(SignIn { response, relay_state, code: None, exchange: Exchange::NotTried });
        Some(ledger.len() - 1)
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut SignIn)) {
        change(&mut self.ledger.lock().unwrap()[index]);
    }

    fn post(&self, anyone: &Client, sign_in: &SignIn) -> RequestBuilder {
        let fields = [("SAMLResponse", &sign_in.response), ("RelayState", &sign_in.relay_state)];
        self.at_own_address(anyone.request(Method::POST, &self.organization.acs_url)).form(&fields)
    }

    fn exchange(&self, anyone: &Client, code: &str) -> RequestBuilder {
        anyone.request(Method::POST, "/oauth/token").form(&self.organization.exchange_form(code))
    }

    /// Every browser has an address of its own; from one alone, so many attempts would be too many.
    fn at_own_address(&self, request: RequestBuilder) -> RequestBuilder {
        let [.., high, low] = self.answers.borrow().to_be_bytes();
        request.header("X-Forwarded-For", format!("100.64.{high}.{low}"))
    }

    /// The answer, or nothing where the process was killed meanwhile.
    async fn attempt(&self, request: RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.ok()?;
        self.answers.send_modify(|count| *count += 1);
        Some(Answer { status, headers, text })
    }

    /// Holds a sign-in of before the kill against what the restarted process says.
    async fn audit(self: Arc<Self>, anyone: Client, sign_in: SignIn, round: u64) {
        let known = sign_in.code.clone();
        let given = self.post_again(&anyone, &sign_in).await;
        let uses = given.len() + usize::from(known.is_some());
        assert!(uses <= 1, "round {round}: an assertion was used {uses} times");
        let Some((code, received)) = known.or_else(|| Some((given.first()?.clone(), Instant::now()))) else { return };

        let tokens = match sign_in.exchange {
            Exchange::Answered(tokens) => Some(tokens),
            Exchange::NotTried => Some(self.exchange_in_time(&anyone, &code, received, round).await),
            Exchange::Unanswered => {
                let answer = self.attempt(self.exchange(&anyone, &code)).await.unwrap();
                (answer.status == 200).then(|| answer.json())
            }
        };
        let session = tokens.map(|tokens| anyone.bearing(tokens["access_token"].as_str().unwrap()));
        if let Some(session) = &session {
            let me = session.get("/v1/me").await;
            assert_eq!(me.status, 200, "round {round}: a session was lost: {}", me.text);
        }
        let again = self.attempt(self.exchange(&anyone, &code)).await.unwrap();
        assert_eq!(again.expect(400)["error"], "invalid_grant", "round {round}: a code was used twice");
        if let Some(session) = session {
            session.get("/v1/me").await.problem(401, "session_expired");
        }
    }

    /// Posts the response once more, and twice where it is unknown whether it was used; gives the codes that came
    /// of it.
    async fn post_again(&self, anyone: &Client, sign_in: &SignIn) -> Vec<String> {
        let mut codes = vec![];
        for _ in 0..=usize::from(sign_in.code.is_none()) {
            let answer = self.attempt(self.post(anyone, sign_in)).await.unwrap();
            let code =
                answer.location().query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
            codes.extend(code);
        }
        codes
    }

    async fn exchange_in_time(&self, anyone: &Client, code: &str, received: Instant, round: u64) -> Value {
        let answer = self.attempt(self.exchange(anyone, code)).await.unwrap();
        let lifetime = Duration::try_from(CODE_LIFETIME).unwrap();
        assert!(received.elapsed() + MARGIN < lifetime, "round {round}: this machine is too slow to tell");
        assert_eq!(answer.status, 200, "round {round}: a code was lost: {}", answer.text);
        answer.json()
    }
}
