//! The log of a running Vestibule, as a test reads it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

/// Filter that logs more than an operator ever does: our own crates altogether, and what the libraries below them
/// say in debugging. The clients of this test, which run in the same process, are left out.
const FILTER: &str = "info,api=trace,service=trace,storage=trace,domain=trace,saml=trace,server=trace,sqlx=debug,\
                      actix_web=debug,actix_http=debug,actix_server=debug,reqwest=off,hyper=off,hyper_util=off";

/// The lines that were logged since [`Lines::capture`], as JSON.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Captures the log of this process from now on; once in a process.
    pub fn capture() -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        let logged = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(FILTER));
        logged.with_writer(move || writer.clone()).init();
        lines
    }

    /// The lines so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
