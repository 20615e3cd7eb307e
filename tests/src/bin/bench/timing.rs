//! Whether the time of an answer tells which users there are.
//!
//! The statistic is the area under the ROC curve (Mann and Whitney's U, divided by the number of pairs): how often a
//! login of a known user takes longer than one of an unknown user, where a half is pure chance. With that many samples
//! chance alone stays within 0.034 of it in 99 of 100 runs.

use std::num::NonZeroUsize;
use std::time::Instant;

use domain::AccountId;
use domain::password::{Password, PasswordCredential};
use jiff::Timestamp;
use server::adapters::{Argon2Hasher, HashingParameters};
use service::ports::{PASSWORD_SALT_BYTES, PasswordHasher as _};
use tests::databases::{Engine, TestDatabase, database};

use crate::server::installation;
use crate::site::{Site, person};
use crate::table;

/// Logins of each kind.
const SAMPLES: usize = 1_000;
/// Farthest that the statistic may be from a half.
const BAR: f64 = 0.034;

pub async fn run(quick: bool) {
    let count = if quick { SAMPLES / 10 } else { SAMPLES };
    let database = database(Engine::Sqlite).await;
    let site = Site::start(&installation(&database.url)).await;
    site.sign_in(1).await;
    give_password(&database, site.account_id, &person(0)).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..count {
        // In turns, and each kind first as often as the other.
        let order = if number % 2 == 0 { [true, false] } else { [false, true] };
        for is_known in order {
            let took = site.wrong_login(number, is_known).await;
            if is_known { known.push(took) } else { unknown.push(took) }
        }
    }
    let distance = (area_under_curve(&known, &unknown) - 0.5).abs();
    let row = |name: &str, times: &[f64]| vec![name.to_owned(), format!("{:.3}", median(times))];
    table::print("Wrong passwords, median ms", &["user", "ms"], &[row("known", &known), row("unknown", &unknown)]);
    let verdict = table::verdict(distance, BAR).to_owned();
    let row = vec![format!("{count} each"), format!("{distance:.4}"), BAR.to_string(), verdict];
    table::print("Distance of the area under the ROC curve from 0.5", &["samples", "distance", "bar", ""], &[row]);
}

impl Site {
    /// Milliseconds until a wrong password is refused.
    async fn wrong_login(&self, number: usize, is_known: bool) -> f64 {
        let network = if is_known { "10.1" } else { "10.2" };
        let client = self.anyone.forwarded_for(&format!("{network}.{}.{}", number >> 8 & 255, number & 255));
        let identifier = if is_known { person(0) } else { "somebody-0@acme.test".to_owned() };
        let body = self.form_body(&identifier);
        let begun = Instant::now();
        let answer = client.post("/v1/form-sign-ins", &body).await;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        answer.problem(401, "login_incorrect_credentials");
        took
    }
}

/// The password of those who have one.
pub const PASSWORD: &str = "tulip-anchor-copper-72";

/// Gives a user a password, hashed with the parameters that the server has by default.
pub async fn give_password(database: &TestDatabase, account_id: AccountId, identity: &str) {
    let (threads, queue) = (NonZeroUsize::MIN, NonZeroUsize::MIN);
    let hasher = Argon2Hasher::start(HashingParameters { memory_kib: 19_456, iterations: 2, threads, queue });
    let hasher = hasher.expect("a hasher");
    let password = Password::parse(PASSWORD).expect("a password");
    let hash = hasher.hash(&password, [7; PASSWORD_SALT_BYTES]).await.expect("a hash");
    let mut tx = database.store.begin().await.expect("a transaction");
    let portal = domain::portal::Portal::Admin;
    let users = storage::users::candidates(&mut tx, account_id, portal, identity).await.expect("users");
    let user_id = users.first().expect("the person").id;
    let credential = PasswordCredential {
        account_id,
        user_id,
        hash,
        must_change: false,
        set_at: Timestamp::now(),
        expires_at: None,
    };
    storage::password_credentials::set(&mut tx, &credential).await.expect("stored");
    tx.commit().await.expect("committed");
}

/// Fraction of pairs in which the one of the first is larger than the one of the second; equal ones count half.
fn area_under_curve(first: &[f64], second: &[f64]) -> f64 {
    let pairs = first.iter().flat_map(|one| second.iter().map(move |other| one.total_cmp(other)));
    let wins: f64 = pairs
        .map(|order| match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    wins / count(first) / count(second)
}

fn count(times: &[f64]) -> f64 {
    f64::from(u32::try_from(times.len()).expect("not that many"))
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
