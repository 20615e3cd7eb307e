//! Whole sign-ins over HTTP: start, SAML response, code exchange.

use tests::databases::{Engine, database};

use crate::measure::{ROUNDS, Samples};
use crate::server::installation;
use crate::site::Site;
use crate::table;

/// Most milliseconds of the server's processor time for one sign-in, on SQLite.
const CPU_BAR: f64 = 2.0;

pub async fn run(quick: bool) {
    let count = if quick { 100 } else { 500 };
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = database(engine).await;
        let site = Site::start(&installation(&database.url)).await;
        let (mut cpu, mut wall) = (Samples::default(), Samples::default());
        for _ in 0..ROUNDS {
            let (seconds, milliseconds) = site.sign_in(count).await.each(count);
            cpu.push(milliseconds);
            wall.push(seconds);
        }
        let bar = (engine == Engine::Sqlite).then_some(CPU_BAR);
        rows.push(vec![
            engine.to_string(),
            format!("{:.0}", 1.0 / wall.best()),
            format!("{:.0}", 1.0 / wall.median()),
            format!("{:.2}", cpu.best()),
            format!("{:.2}", cpu.median()),
            bar.map(|bar| format!("{bar}")).unwrap_or_default(),
            bar.map(|bar| table::verdict(cpu.best(), bar).to_owned()).unwrap_or_default(),
        ]);
    }
    let head = ["database", "best per s", "median per s", "best CPU ms", "median CPU ms", "bar", ""];
    table::print(&format!("Whole sign-ins, {count} in each round, 8 kB responses"), &head, &rows);
}
