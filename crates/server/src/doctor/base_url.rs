//! The address that browsers and identity providers use: whether it leads here, and what time it is there.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use service::ports::Clock as _;
use url::Url;

use super::finding::Findings;
use crate::adapters::SystemClock;
use crate::adapters::outbound::{Answer, OwnAddress};

/// Path of our public keys, below the base URL.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// Difference of two clocks from which on it is reported: SAML messages live for minutes, and an HTTP date is only
/// true to the second.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// Asks the base URL for our public keys. `published` are the ids that it should know.
pub async fn examine(base_url: &Url, published: &[String], findings: &mut Findings) -> anyhow::Result<()> {
    let base = base_url.as_str().trim_end_matches('/');
    match OwnAddress::new()?.get(&Url::parse(&format!("{base}{JWKS_PATH}"))?).await {
        Ok(answer) => {
            examine_keys(base, &answer, published, findings);
            examine_clock(&answer, SystemClock.now(), findings);
        }
        Err(why) => {
            findings.warning("base URL", format!("{base} does not answer from here ({why}); is Vestibule running?"));
            findings.note("clock", "not compared, because the base URL does not answer");
        }
    }
    Ok(())
}

fn examine_keys(base: &str, answer: &Answer, published: &[String], findings: &mut Findings) {
    let keys: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let known = |id: &String| {
        let keys = keys.get("keys").and_then(Value::as_array);
        keys.is_some_and(|keys| keys.iter().any(|key| key.get("kid").and_then(Value::as_str) == Some(id)))
    };
    if answer.status == 200 && !published.is_empty() && published.iter().all(known) {
        findings.good("base URL", format!("{base} leads to this installation"));
    } else if answer.status == 200 && keys.get("keys").is_some() {
        findings.failure("base URL", format!("{base} leads to another installation: its keys are not this database's"));
    } else {
        let status = answer.status;
        findings.failure("base URL", format!("{base} answers with status {status} where Vestibule's keys should be"));
    }
}

fn examine_clock(answer: &Answer, now: Timestamp, findings: &mut Findings) {
    let Some(date) = answer.date else {
        findings.note("clock", "not compared, because the base URL's answer carries no date");
        return;
    };
    let apart = now.duration_since(date).abs();
    if apart > CLOCK_TOLERANCE {
        let seconds = apart.as_secs();
        findings.warning("clock", format!("{seconds} s apart from the base URL's; synchronize both (NTP)"));
    } else {
        findings.good("clock", "it agrees with the base URL's");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, date: i64) -> Answer {
        Answer { status, body: body.into(), date: Timestamp::from_second(date).ok() }
    }

    fn found(answer: &Answer, published: &[&str]) -> String {
        let mut findings = Findings::default();
        let published: Vec<String> = published.iter().map(|id| (*id).to_owned()).collect();
        examine_keys("https://login.example.com", answer, &published, &mut findings);
        examine_clock(answer, Timestamp::from_second(1_800_000_000).unwrap(), &mut findings);
        findings.to_string()
    }

    /// Proves that the doctor tells its own installation from another one, and from something else.
    #[test]
    fn the_base_url_is_recognized_by_its_keys() {
        let ours = r#"{"keys":[{"kid":"key_1"},{"kid":"key_2"}]}"#;
        assert_eq!(
            found(&answer(200, ours, 1_799_999_999), &["key_1", "key_2"]),
            "ok       base URL: https://login.example.com leads to this installation\n\
             ok       clock: it agrees with the base URL's\n"
        );
        assert!(
            found(&answer(200, ours, 0), &["key_3"])
                .contains("FAILURE  base URL: https://login.example.com leads to another")
        );
        assert!(
            found(&answer(404, "", 0), &["key_1"])
                .contains("FAILURE  base URL: https://login.example.com answers with status 404")
        );
    }

    /// Proves that clocks which are apart are warned about, whichever is ahead.
    #[test]
    fn clocks_that_are_apart_are_warned_about() {
        for date in [1_799_999_990, 1_800_000_010] {
            assert!(found(&answer(200, "", date), &[]).contains("warning  clock: 10 s apart"));
        }
    }
}
