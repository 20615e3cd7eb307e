//! A flood of form logins: what is not a login goes on, memory stays bounded, and the surplus is told to come back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use tests::client::{Answer, Client};
use tests::databases::{Engine, database};
use tokio::task::JoinSet;

use crate::server::{installation, resident_mib};
use crate::site::Site;
use crate::table;

/// Logins under way at once.
const AT_ONCE: usize = 200;
/// Pause between two looks at the server's memory.
const MEMORY_EVERY: Duration = Duration::from_millis(200);
/// Most times its idle value that the 99th percentile of another request may reach.
const LATENCY_BAR: f64 = 10.0;
/// Most memory of the server, in MiB.
const MEMORY_BAR: f64 = 150.0;

pub async fn run(quick: bool) {
    let time = Duration::from_secs(if quick { 5 } else { 20 });
    let database = database(Engine::Sqlite).await;
    let site = Site::start(&installation(&database.url)).await;
    let refresh_token = site.refresh_token().await;
    let (idle, refresh_token) = site.bystander(refresh_token, time / 4).await;
    let end = Instant::now() + time;
    let attacker = |caller| log_in_until((caller, end), site.anyone.clone(), site.form_body(""));
    let logins: JoinSet<_> = (0..AT_ONCE).map(attacker).collect();
    let memory = tokio::spawn(peak(site.running.id(), end));
    let (flooded, _) = site.bystander(refresh_token, time).await;
    let answers = logins.join_all().await.into_iter().fold(Answers::default(), Answers::and);
    print(&idle, &flooded, &answers, memory.await.expect("a measurement"));
}

fn print(idle: &Latencies, flooded: &Latencies, answers: &Answers, memory: f64) {
    let row = |name: &str, idle: f64, flooded: f64| {
        let ratio = flooded / idle;
        let number = |value: f64| format!("{value:.1}");
        let verdict = table::verdict(ratio, LATENCY_BAR).to_owned();
        vec![name.to_owned(), number(idle), number(flooded), number(ratio), number(LATENCY_BAR), verdict]
    };
    let rows = [
        row("discovery", idle.discovery.p99(), flooded.discovery.p99()),
        row("refresh", idle.refresh.p99(), flooded.refresh.p99()),
    ];
    let title = format!("Requests beside {AT_ONCE} form logins at once, 99th percentile");
    table::print(&title, &["", "idle ms", "flooded ms", "ratio", "bar", ""], &rows);
    let counts = answers.by_status.iter().map(|(status, count)| vec![status.to_string(), count.to_string()]);
    table::print("Answers to the logins", &["status", "count"], &counts.collect::<Vec<_>>());
    let verdict = table::verdict(memory, MEMORY_BAR).to_owned();
    let memory = vec!["peak".to_owned(), format!("{memory:.0}"), MEMORY_BAR.to_string(), verdict];
    table::print("Resident memory meanwhile, MiB", &["", "MiB", "bar", ""], &[memory]);
}

/// Number of answers with each status.
#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, u32>,
}

impl Answers {
    fn count(&mut self, answer: &Answer) {
        let retry = answer.header("retry-after");
        assert!(answer.status != StatusCode::SERVICE_UNAVAILABLE || !retry.is_empty(), "503 without Retry-After");
        *self.by_status.entry(answer.status.as_u16()).or_default() += 1;
    }

    fn and(mut self, other: Self) -> Self {
        for (status, count) in other.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
        self
    }
}

/// Milliseconds that requests took.
#[derive(Default)]
pub struct Durations(Vec<f64>);

impl Durations {
    pub async fn time(&mut self, request: impl Future<Output = Answer>) -> Answer {
        let begun = Instant::now();
        let answer = request.await;
        self.0.push(begun.elapsed().as_secs_f64() * 1000.0);
        answer
    }

    pub fn p99(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() * 99 / 100).min(sorted.len() - 1)]
    }

    pub fn longest(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }
}

/// Waiting times of a bystander, by kind of request.
#[derive(Default)]
pub struct Latencies {
    pub discovery: Durations,
    pub refresh: Durations,
}

/// Tries to log in under another username each time, from another address each time.
async fn log_in_until((caller, end): (usize, Instant), anyone: Client, mut body: Value) -> Answers {
    let mut answers = Answers::default();
    let mut number = 0;
    while Instant::now() < end {
        let client = anyone.forwarded_for(&format!("10.{caller}.{}.{}", number >> 8 & 255, number & 255));
        body["identifier"] = format!("nobody-{caller}-{number}").into();
        answers.count(&client.post("/v1/form-sign-ins", &body).await);
        number += 1;
    }
    answers
}

impl Site {
    /// Discovers and refreshes all the while as a user who is not part of the flood, one request after the other.
    pub async fn bystander(&self, mut refresh_token: String, time: Duration) -> (Latencies, String) {
        let (mut latencies, begun) = (Latencies::default(), Instant::now());
        let mut number = 0_usize;
        while begun.elapsed() < time {
            let client: Client = self.anyone.forwarded_for(&format!("172.16.{}.{}", number >> 8 & 255, number & 255));
            let body = self.start_body(&format!("bystander-{number}@acme.test"));
            latencies.discovery.time(client.post("/v1/sso-sign-ins", &body)).await.expect(200);
            let form = self.refresh_form(&refresh_token);
            let refreshed: Value = latencies.refresh.time(client.form("/oauth/token", &form)).await.expect(200);
            refreshed["refresh_token"].as_str().expect("a refresh token").clone_into(&mut refresh_token);
            number += 1;
        }
        (latencies, refresh_token)
    }
}

/// The most memory of a process until then, in MiB.
pub async fn peak(process: u32, end: Instant) -> f64 {
    let mut peak: f64 = 0.0;
    while Instant::now() < end {
        peak = peak.max(resident_mib(process));
        tokio::time::sleep(MEMORY_EVERY).await;
    }
    peak
}
