//! Time for which the searching suites search.

use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// Seconds for each search; `.ci/run` sets it higher.
const VARIABLE: &str = "VESTIBULE_FUZZ_SECONDS";
/// Time of a search in an ordinary run, short enough not to be noticed.
const DEFAULT: Duration = Duration::from_secs(3);
/// Number of cases that run between two looks at the clock.
const BATCH: u32 = 50;

/// Tries random input until time is up; fails with the smallest input that fails.
#[track_caller]
pub fn search<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let end = Instant::now() + duration();
    while Instant::now() < end {
        let config = Config { cases: BATCH, max_shrink_iters: 3000, failure_persistence: None, ..Config::default() };
        match TestRunner::new(config).run(strategy, &test) {
            Ok(()) => {}
            Err(TestError::Fail(reason, input)) => panic!("{reason}\nminimal failing input: {input:#?}"),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }
}

fn duration() -> Duration {
    match std::env::var(VARIABLE) {
        Ok(seconds) => Duration::from_secs(seconds.parse().expect("a whole number of seconds")),
        Err(_) => DEFAULT,
    }
}
