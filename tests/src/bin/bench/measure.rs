//! Repeated measurements, and what is made of them.

use std::time::{Duration, Instant};

/// Number of times that everything is measured: enough for a best one and an honest middle.
pub const ROUNDS: usize = 5;

/// Results of the rounds, in any unit of which less is better.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// The least disturbed round.
    pub fn best(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Work to do again and again while it is measured.
pub type Work<'a> = Box<dyn Fn() + 'a>;

/// CPU seconds of this thread that one call takes, over as many calls as fit into `duration`. Processor time, so that
/// other programs on the machine disturb less.
pub fn cpu_per_call(duration: Duration, work: &Work<'_>) -> f64 {
    let (begun, cpu) = (Instant::now(), thread_cpu());
    let mut calls = 0_u32;
    while begun.elapsed() < duration {
        work();
        calls += 1;
    }
    thread_cpu().saturating_sub(cpu).as_secs_f64() / f64::from(calls)
}

/// Processor time of this thread: the first number of `schedstat`, in nanoseconds.
fn thread_cpu() -> Duration {
    let numbers = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    let nanoseconds = numbers.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number of nanoseconds"))
}
