//! Discovery among few and among many accounts.

use domain::AccountId;
use domain::account::{Account, AccountName};
use domain::account_settings::AccountSettings;
use domain::text::Label;
use jiff::Timestamp;
use storage::Store;
use tests::databases::{Engine, database};
use uuid::Uuid;

use crate::measure::{ROUNDS, Samples};
use crate::server::installation;
use crate::site::{Cost, Site};
use crate::table;

/// Accounts beside the one that is looked up.
const FEW: usize = 10;
const MANY: usize = 100_000;
/// Accounts in one transaction.
const BATCH: usize = 10_000;
/// Most times the processor time that a lookup may take among many.
const BAR: f64 = 1.5;

pub async fn run(quick: bool) {
    let count = if quick { 300 } else { 2000 };
    let (few, many) = (measure(FEW, count).await, measure(MANY, count).await);
    let rows = [(FEW, &few), (MANY, &many)].map(|(accounts, (wall, cpu))| {
        let ratio = cpu.best() / few.1.best();
        vec![
            accounts.to_string(),
            format!("{:.0}", 1.0 / wall.best()),
            format!("{:.3}", cpu.best()),
            format!("{:.3}", cpu.median()),
            format!("{ratio:.2}"),
            if accounts == MANY { BAR.to_string() } else { String::new() },
            if accounts == MANY { table::verdict(ratio, BAR).to_owned() } else { String::new() },
        ]
    });
    let head = ["accounts", "best per s", "best CPU ms", "median CPU ms", "ratio", "bar", ""];
    table::print("Discovery with the start of a sign-in, on SQLite", &head, &rows);
}

/// Seconds and milliseconds of processor time for one lookup.
async fn measure(accounts: usize, count: usize) -> (Samples, Samples) {
    let database = database(Engine::Sqlite).await;
    insert(&database.store, accounts).await;
    let mut installation = installation(&database.url);
    // Nothing here is finished, and the callers' addresses are neighbours.
    for limit in ["UNFINISHED_PER_ADDRESS", "UNFINISHED_PER_CONNECTION", "DISCOVERY_PER_MINUTE"] {
        installation.set(&format!("LIMITS__{limit}"), "1000000");
    }
    let site = Site::start(&installation).await;
    let (mut wall, mut cpu) = (Samples::default(), Samples::default());
    for round in 0..ROUNDS {
        let mut cost = Cost::default();
        let email = |index| format!("person-{round}-{index}@acme.test");
        let bodies = (0..count).map(|index| site.start_body(&email(index))).collect();
        site.phase(&mut cost, bodies, 200, Site::start_request).await;
        let (seconds, milliseconds) = cost.each(count);
        wall.push(seconds);
        cpu.push(milliseconds);
    }
    (wall, cpu)
}

async fn insert(store: &Store, accounts: usize) {
    let now = Timestamp::now();
    for batch in (0..accounts).collect::<Vec<_>>().chunks(BATCH) {
        let mut tx = store.begin().await.expect("a transaction");
        for index in batch {
            let account = Account {
                id: AccountId::from_uuid(Uuid::now_v7()),
                name: AccountName::parse(&format!("account-{index}")).expect("a name"),
                display_name: Label::parse(&format!("Account {index}")).expect("a label"),
                settings: AccountSettings::default(),
                created_at: now,
                updated_at: now,
            };
            storage::accounts::insert(&mut tx, &account).await.expect("inserted");
        }
        tx.commit().await.expect("committed");
    }
}
