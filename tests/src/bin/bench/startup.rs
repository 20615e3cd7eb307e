//! Time from the start of the process until `/readyz` answers.

use std::time::Instant;

use tests::databases::{Engine, database};

use crate::measure::{ROUNDS, Samples};
use crate::server::installation;
use crate::table;

pub async fn run(quick: bool) {
    let rounds = if quick { 2 } else { ROUNDS };
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = database(engine).await;
        let installation = installation(&database.url);
        let mut samples = Samples::default();
        for _ in 0..rounds {
            let begun = Instant::now();
            let running = installation.serve().await;
            samples.push(begun.elapsed().as_secs_f64() * 1000.0);
            running.kill();
        }
        rows.push(vec![engine.to_string(), format!("{:.0}", samples.best()), format!("{:.0}", samples.median())]);
    }
    table::print("Start until ready", &["database", "best ms", "median ms"], &rows);
}
