//! Benchmarks: `./dev bench [parts] [--quick]`. What they show is for people: nothing here fails for being slow.
//!
//! | Part | Question |
//! | --- | --- |
//! | `saml` | cost of one response by stage, as multiples of bare cryptography; and the costliest that are refused |
//! | `sign-in` | sign-ins per second and the server's CPU time for each, on both databases; that of statements alone |
//! | `discovery` | whether looking an account up costs more among 100,000 than among 10 |
//! | `flood` | whether floods of logins, hostile responses and new passwords keep others out, and memory is bounded |
//! | `timing` | whether the time of a refusal tells which users there are |
//! | `memory` | whether the server's memory grows with the number of sign-ins |
//! | `migration` | how long 50,000 users take to move to SSO, and how long others wait meanwhile |
//! | `startup` | how soon a started server is ready |
//!
//! The server is the release binary in a process of its own, so that its CPU time and memory are its own; the callers
//! and the identity provider are here, and what they compute is outside the measured phases. Everything is measured
//! five times; the best round is the one that others on the machine disturbed least. To add a part: a module, and a
//! line in [`PARTS`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a program for developers, which measures real time and stops at the first surprise"
)]

mod bare;
mod callers;
mod discovery;
mod flood;
mod floods;
mod floor;
mod hostile;
mod measure;
mod memory;
mod migration;
mod responses;
mod server;
mod sign_in;
mod site;
mod startup;
mod table;
mod timing;

use std::process::ExitCode;

/// Allocator of the server, so that the code measured here allocates as it does there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names on the command line, in the order in which they run.
const PARTS: [&str; 8] = ["saml", "sign-in", "discovery", "flood", "timing", "memory", "migration", "startup"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [bare::ARGUMENT, port, database] = *arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        bare::serve(port, database);
        return ExitCode::SUCCESS;
    }
    let (options, mut parts): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| argument.starts_with('-'));
    let known = parts.iter().all(|part| PARTS.contains(&part.as_str())) && options.iter().all(|one| one == "--quick");
    if !known {
        eprintln!("usage: bench [--quick] [{}]", PARTS.join("] ["));
        return ExitCode::from(2);
    }
    if parts.is_empty() {
        parts = PARTS.map(str::to_owned).to_vec();
    }
    let quick = !options.is_empty();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for part in PARTS.into_iter().filter(|part| parts.iter().any(|wanted| wanted == part)) {
            run(part, quick).await;
        }
    });
    ExitCode::SUCCESS
}

async fn run(part: &str, quick: bool) {
    match part {
        "saml" => {
            responses::run(quick);
            hostile::run(quick);
        }
        "sign-in" => sign_in::run(quick).await,
        "discovery" => discovery::run(quick).await,
        "flood" => {
            flood::run(quick).await;
            floods::run(quick).await;
        }
        "timing" => timing::run(quick).await,
        "memory" => memory::run(quick).await,
        "migration" => migration::run(quick).await,
        _ => startup::run(quick).await,
    }
}
