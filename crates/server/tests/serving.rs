//! The binary while it serves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running `vestibule`; killed with this value if it still runs.
struct Running {
    process: Child,
    _folder: TempDir,
}

impl Running {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(arguments).current_dir(folder.path()).env_clear().envs(environment.iter().copied());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { process, _folder: folder }
    }

    /// Reads its output up to a line that holds this text. The rest is read too: it would not survive a pipe
    /// without a reader.
    fn printed_until(stream: impl Read + Send + 'static, wanted: &str) -> String {
        let mut printed = String::new();
        let mut lines = BufReader::new(stream).lines();
        for line in lines.by_ref() {
            let line = line.unwrap();
            printed.push_str(&line);
            printed.push('\n');
            if line.contains(wanted) {
                std::thread::spawn(move || lines.for_each(drop));
                return printed;
            }
        }
        panic!("it ended without printing {wanted:?}:\n{printed}");
    }

    fn terminated(mut self) -> ExitStatus {
        let kill = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(kill.success());
        self.process.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[expect(clippy::disallowed_types, reason = "the tests stand for a browser")]
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Proves that `serve` listens, answers its health check, and ends well when an orchestrator asks it to.
#[test]
fn serve_answers_and_ends_when_it_is_asked_to() {
    let address = format!("127.0.0.1:{}", free_port());
    let base_url = format!("http://{address}");
    let mut running = Running::start(
        &["serve", "--development", "--migrate"],
        &[
            ("VESTIBULE_SERVER__BIND", &address),
            ("VESTIBULE_SERVER__BASE_URL", &base_url),
            ("VESTIBULE_SECRETS__MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ],
    );
    let log = running.process.stderr.take().unwrap();
    let lines = Running::printed_until(log, "\"listening\"");
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    let mut healthcheck = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    assert!(healthcheck.args(["healthcheck", "--url", &format!("{base_url}/healthz")]).status().unwrap().success());
    assert!(running.terminated().success());
}

/// Proves D4 as the demo shows it: from account name and work email, through the identity provider, to a token and
/// `/v1/me`, with the very values that the demo's page uses.
#[tokio::test]
async fn the_demo_signs_alice_in() {
    let mut running = Running::start(&["demo", "--port", "0", "--idp-port", "0", "--page-port", "0"], &[]);
    let instructions = Running::printed_until(running.process.stdout.take().unwrap(), ".access_token");
    let url_of = |marker: &str| {
        let line = instructions.lines().find(|line| line.contains(marker)).unwrap();
        line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned()
    };
    let control = url_of("/control/respond");
    let acs = url_of("%{redirect_url}");
    let page = instructions.lines().find(|line| line.starts_with("  http")).unwrap().trim().to_owned();
    let settings = settings_of(&browser().get(&page).send().await.unwrap().text().await.unwrap());
    let code = sign_in(&settings, &control, &acs).await;
    let tokens = exchange(&settings, &code).await;
    let me = browser().get(path(&settings, "me_path")).bearer_auth(tokens["access_token"].as_str().unwrap());
    let me: Value = me.send().await.unwrap().json_body().await;
    assert!(me.to_string().contains("alice@example.test"), "{me}");
    assert!(running.terminated().success());
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn settings_of(page: &str) -> Value {
    let line = page.lines().find_map(|line| line.strip_prefix("const settings = ")).unwrap();
    serde_json::from_str(line.trim_end_matches(';')).unwrap()
}

fn path(settings: &Value, name: &str) -> String {
    format!("{}{}", settings["api"].as_str().unwrap(), settings[name].as_str().unwrap())
}

/// Signs in as alice and gives the code that the browser brings back.
async fn sign_in(settings: &Value, control: &str, acs: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes());
    let start = json!({
        "account_name": settings["account_name"], "email": settings["email"], "client_id": settings["client_id"],
        "redirect_uri": settings["redirect_uri"], "state": "s", "code_challenge": URL_SAFE_NO_PAD.encode(digest),
        "code_challenge_method": "S256",
    });
    let started = post_json(&path(settings, "sign_in_path"), &start).await;
    let request = json!({ "username": settings["email"], "request": started["handoff"]["url"] });
    let answer = post_json(control, &request).await;
    let fields = [("SAMLResponse", answer["SAMLResponse"].as_str()), ("RelayState", answer["RelayState"].as_str())];
    let back = browser().post(acs).body(form(&fields)).header("content-type", FORM).send().await.unwrap();
    let location = back.headers()["location"].to_str().unwrap().to_owned();
    let location = url::Url::parse(&location).unwrap();
    location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

async fn exchange(settings: &Value, code: &str) -> Value {
    let fields = [
        ("grant_type", Some("authorization_code")),
        ("client_id", settings["client_id"].as_str()),
        ("code", Some(code)),
        ("redirect_uri", settings["redirect_uri"].as_str()),
        ("code_verifier", Some(VERIFIER)),
    ];
    let answer = browser().post(path(settings, "token_path")).body(form(&fields)).header("content-type", FORM);
    answer.send().await.unwrap().json_body().await
}

const FORM: &str = "application/x-www-form-urlencoded";

fn form(fields: &[(&str, Option<&str>)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields.iter().filter_map(|(name, value)| Some((*name, (*value)?))));
    form.finish()
}

async fn post_json(url: &str, body: &Value) -> Value {
    let request = browser().post(url).header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap().json_body().await
}

/// Reads a JSON answer that must be a success.
trait JsonBody {
    async fn json_body(self) -> Value;
}

impl JsonBody for reqwest::Response {
    async fn json_body(self) -> Value {
        let (status, text) = (self.status(), self.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}
