//! The server's memory at rest and after many sign-ins: flat once everything has been used.

use tests::databases::{Engine, database};

use crate::server::{installation, resident_mib};
use crate::site::Site;
use crate::table;

const STEPS: usize = 4;
/// Sign-ins at once between two looks, so that the callers' own lists stay short.
const PORTION: usize = 500;

pub async fn run(quick: bool) {
    let step = if quick { PORTION } else { 10 * PORTION };
    let database = database(Engine::Sqlite).await;
    let site = Site::start(&installation(&database.url)).await;
    let mut seen = vec![("at rest".to_owned(), resident_mib(site.running.id()))];
    for done in 1..=STEPS {
        for _ in 0..step / PORTION {
            site.sign_in(PORTION).await;
        }
        seen.push((format!("after {} sign-ins", done * step), resident_mib(site.running.id())));
    }
    let mut before = None;
    let rows: Vec<_> = seen
        .into_iter()
        .map(|(when, mib)| {
            let change = before.replace(mib).map(|before| format!("{:+.1}", mib - before));
            vec![when, format!("{mib:.1}"), change.unwrap_or_default()]
        })
        .collect();
    table::print("Resident memory of the server, on SQLite", &["", "MiB", "change"], &rows);
}
