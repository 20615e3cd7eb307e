//! `vestibule demo` does what it says: the printed addresses and the printed commands, as a reader would try them.

use std::process::Command;

use serde_json::{Value, json};
use tests::browser::{Browser, Page};
use tests::client::{Answer, Client, parameter};
use tests::process::{Running, demo};
use tests::tenant::{VERIFIER, challenge};
use tests::tokens::verify;

use crate::organization::go;

/// A demo that runs, and what it printed.
fn started() -> (Running, String) {
    let running = demo();
    // The last of the printed commands reads /v1/me.
    let printed = running.printed_until(|line| line.starts_with("curl") && line.contains("/v1/me"));
    (running, printed)
}

/// The address that stands alone on its line before the line with these words.
#[track_caller]
fn address(printed: &str, words: &str) -> String {
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    let pair = lines.windows(2).find(|pair| pair[1].contains(words)).unwrap_or_else(|| panic!("{words}: {printed}"));
    pair[0].to_owned()
}

/// Settings that the page hands its script, as JSON.
#[track_caller]
fn settings(page: &Page) -> Value {
    let line = page.text.lines().find_map(|line| line.trim().strip_prefix("const settings = "));
    serde_json::from_str(line.unwrap().trim_end_matches(';')).unwrap()
}

/// Proves D1, D4, C8: from the printed page to the identity provider and back to the page with a code, which the page's
/// own script exchanges; and the same from the plain link.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_addresses_lead_to_a_token() {
    let (_demo, printed) = started();
    let front = Browser::new().visit(&address(&printed, "a frontend")).await.page();
    let plain = Browser::new().visit(&address(&printed, "the same by a plain link")).await.page();
    assert_eq!((front.status.as_u16(), plain.status.as_u16()), (200, 200));
    assert_eq!(parameter(&plain.url, "account_name"), "demo");
    assert_eq!(plain.text, front.text);
    for words in ["the API; as an operator", "the identity provider"] {
        let page = Browser::new().visit(&address(&printed, words)).await.page();
        assert!(page.status.is_success(), "{}: {}", page.url, page.status);
    }

    let settings = settings(&front);
    let text = |name: &str| settings[name].as_str().unwrap_or_else(|| panic!("{name}: {settings}")).to_owned();
    let api = Client::anonymous(&text("api"));
    let body = json!({
        "account_name": text("account_name"), "email": text("email"), "client_id": text("client_id"),
        "redirect_uri": text("redirect_uri"), "state": "s", "code_challenge": challenge(), "code_challenge_method": "S256",
    });
    let started = api.post(&text("sign_in_path"), &body).await.expect(200);
    let mut browser = Browser::new();
    let login = go(&mut browser, &started["handoff"]).await.page();
    let answered = browser.log_in(&login, "alice@example.test", "alice-password").await;
    let back = browser.carry_on(answered).await.page();
    assert!(back.url.as_str().starts_with(&text("redirect_uri")), "{}", back.url);
    assert_eq!(back.text, front.text);

    let code = parameter(&back.url, "code");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &text("client_id")),
        ("code", &code),
        ("redirect_uri", &text("redirect_uri")),
        ("code_verifier", VERIFIER),
    ];
    let origin = front.url.origin().ascii_serialization();
    let exchange = api.request(reqwest::Method::POST, &text("token_path")).header("Origin", &origin).form(&fields);
    let answer = Answer::of(exchange).await;
    assert_eq!(answer.header("access-control-allow-origin"), origin, "the page could not read the answer");
    let token = answer.expect(200)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(api.bearing(&token).get(&text("me_path")).await.expect(200)["user"]["username"], "alice@example.test");
}

/// Proves I1: the printed commands, run by bash as they stand, end with a token that verifies and with whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_commands_give_a_token() {
    let (_demo, printed) = started();
    let (_, script) = printed.split_once("In a shell").unwrap();
    let (_, script) = script.split_once('\n').unwrap();
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", script]).output().unwrap();
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
    let documents: Vec<Value> = serde_json::Deserializer::from_str(&told).into_iter().map(Result::unwrap).collect();
    let [started, tokens, jwks, me] = documents.as_slice() else { panic!("{told}\n{wrong}") };
    assert_eq!(started["status"], "redirect_required");
    let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let client_id = tests::tokens::claims(token)["client_id"].as_str().unwrap().to_owned();
    assert_eq!(verify(token, jwks, &client_id).unwrap().claims["account_name"], "demo");
    assert_eq!(me["user"]["username"], "alice@example.test");
}
