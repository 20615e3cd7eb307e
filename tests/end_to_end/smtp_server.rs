//! aiosmtpd, Debian's package, as a process beside the test: a mail server that is not ours.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Notify;

/// The interpreter that Debian installs packages for; another one may come first in the path.
const PYTHON: &str = "/usr/bin/python3";
/// Starts it, and ends it when its standard input closes.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/smtp_server.py");

/// A running mail server.
pub struct SmtpServer {
    /// Port on 127.0.0.1 at which it listens.
    pub port: u16,
    /// The certificate to trust, in PEM.
    pub ca: String,
    events: Arc<Events>,
    child: Child,
    stdin: Option<ChildStdin>,
    _folder: TempDir,
}

#[derive(Default)]
struct Events {
    told: Mutex<Vec<Value>>,
    changed: Notify,
}

impl SmtpServer {
    /// Starts it with these options of the script.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(PYTHON);
        command.arg(SCRIPT).arg("--dir").arg(folder.path()).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("aiosmtpd starts (Debian: python3-aiosmtpd)").unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let events = Arc::new(Events::default());
        let telling = Arc::clone(&events);
        // Ends with the process, whose end of the pipe closes then.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                telling.told.lock().unwrap().push(serde_json::from_str(&line).unwrap());
                telling.changed.notify_waiters();
            }
        });
        Self {
            port: ready["port"].as_u64().unwrap().try_into().unwrap(),
            ca: std::fs::read_to_string(ready["ca"].as_str().unwrap()).unwrap(),
            events,
            stdin: child.stdin.take(),
            child,
            _folder: folder,
        }
    }

    /// Misbehaves from now on, as the script's text tells: once, or at every mail to one address.
    pub async fn fault(&mut self, fault: &Value) {
        let known = self.told("sync").len();
        writeln!(self.stdin.as_mut().unwrap(), "{fault}\n{}", serde_json::json!({ "sync": known })).unwrap();
        self.when(|server| server.told("sync").len() > known).await;
    }

    /// The mails that it took, the oldest first.
    pub fn mails(&self) -> Vec<Value> {
        self.told("mail")
    }

    /// Number of connections that clients opened so far.
    pub fn connections(&self) -> usize {
        self.told("connection").len()
    }

    /// Comes back when it has taken so many mails.
    pub async fn took(&self, mails: usize) {
        self.when(|server| server.mails().len() >= mails).await;
    }

    async fn when(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.events.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if is_so(self) {
                return;
            }
            changed.await;
        }
    }

    fn told(&self, what: &str) -> Vec<Value> {
        self.events
            .told
            .lock()
            .unwrap()
            .iter()
            .map(|event| event[what].clone())
            .filter(|fact| !fact.is_null())
            .collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // However it ended, it is gone.
        let _ = self.child.wait();
    }
}
