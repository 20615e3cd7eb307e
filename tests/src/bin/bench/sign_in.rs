//! Whole sign-ins over HTTP: start, SAML response, code exchange.

use tests::databases::{Engine, database};

use crate::bare::Bare;
use crate::measure::{ROUNDS, Samples};
use crate::server::installation;
use crate::site::{Cost, Site};
use crate::table;

/// Most milliseconds of the server's processor time for one sign-in, on SQLite.
const CPU_BAR: f64 = 2.0;

/// Time and processor time of one sign-in, by round.
#[derive(Default)]
struct Rounds {
    seconds: Samples,
    cpu: Samples,
}

impl Rounds {
    fn push(&mut self, cost: Cost, count: usize) {
        let (seconds, milliseconds) = cost.each(count);
        self.seconds.push(seconds);
        self.cpu.push(milliseconds);
    }

    fn row(&self, name: &str, floor: Option<&Self>, bar: Option<f64>) -> Vec<String> {
        let ratio = floor.map(|floor| self.cpu.best() / floor.cpu.best());
        vec![
            name.to_owned(),
            format!("{:.0}", 1.0 / self.seconds.best()),
            format!("{:.0}", 1.0 / self.seconds.median()),
            format!("{:.2}", self.cpu.best()),
            format!("{:.2}", self.cpu.median()),
            ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            bar.map(|bar| format!("{bar}")).unwrap_or_default(),
            bar.map(|bar| table::verdict(self.cpu.best(), bar).to_owned()).unwrap_or_default(),
        ]
    }
}

pub async fn run(quick: bool) {
    let count = if quick { 100 } else { 500 };
    let (mut floor, mut sqlite, mut postgres) = (Rounds::default(), Rounds::default(), Rounds::default());
    let bare = Bare::start().await;
    for _ in 0..ROUNDS {
        floor.push(bare.sign_in(count).await, count);
    }
    drop(bare);
    for (engine, rounds) in [(Engine::Sqlite, &mut sqlite), (Engine::Postgres, &mut postgres)] {
        let database = database(engine).await;
        let site = Site::start(&installation(&database.url)).await;
        for _ in 0..ROUNDS {
            rounds.push(site.sign_in(count).await, count);
        }
    }
    let rows = [
        floor.row("statements alone, SQLite", None, None),
        sqlite.row("SQLite", Some(&floor), Some(CPU_BAR)),
        postgres.row("PostgreSQL", None, None),
    ];
    let head = ["", "best per s", "median per s", "best CPU ms", "median CPU ms", "to the floor", "bar", ""];
    table::print(&format!("Whole sign-ins, {count} in each round, 8 kB responses"), &head, &rows);
}
