//! The server's process as Linux sees it.

use std::time::Duration;

use tests::process::Installation;

/// `USER_HZ`: the unit of times in `/proc/PID/stat`, which Linux fixes on every architecture in use.
const TICKS_PER_SECOND: u64 = 100;
/// Index of `utime` in `/proc/PID/stat`, counted behind the command's name; `stime` follows.
const UTIME_FIELD: usize = 11;

/// Creates an installation whose callers come from many addresses, and whose identity provider is not probed.
pub fn installation(database_url: &str) -> Installation {
    let mut installation = Installation::on_database(database_url);
    installation.set("SERVER__TRUSTED_PROXIES", "127.0.0.1/32");
    installation.set("SAML__PROBE", "false");
    // Otherwise the log of every request would be measured with it, written to a terminal.
    installation.set("LOG__FILTER", "warn");
    installation
}

/// Processor time of a process so far, in user and kernel mode, with all its threads.
pub fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("a running process");
    let (_, fields) = stat.rsplit_once(')').expect("a command's name");
    let ticks =
        fields.split_whitespace().skip(UTIME_FIELD).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 1000 / TICKS_PER_SECOND)
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
    kib / 1024.0
}
