//! `vestibule` as a process of its own: started, killed and started again, with its files in a folder that goes away.

mod binary;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::Client;

/// Longest time that a process may take to answer: much more than it needs on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// Pause between two questions whether it answers.
const POLL: Duration = Duration::from_millis(20);
/// Ports below the range that the kernel hands to outgoing connections, so that none of them takes the port of a
/// process which is just being restarted.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// The key of every installation here.
pub const MASTER_KEY_BYTES: [u8; 32] =
    *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
/// The same as it is configured.
const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Finds a port of this machine that is not listened on.
pub fn free_port() -> u16 {
    let spread = u16::from_ne_bytes(uuid::Uuid::new_v4().as_bytes()[..2].try_into().unwrap());
    let candidates = PORTS.cycle().skip(usize::from(spread % (PORTS.end - PORTS.start))).take(PORTS.len());
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    candidates.into_iter().find(free).expect("one of twelve thousand ports is free")
}

/// Things that one installation's processes share: folder, port, database, master key.
pub struct Installation {
    folder: TempDir,
    port: u16,
    variables: Vec<(String, String)>,
}

impl Installation {
    /// One for `serve --development` on this database.
    pub fn on_database(url: &str) -> Self {
        let port = free_port();
        let mut installation = Self { folder: TempDir::new().unwrap(), port, variables: vec![] };
        installation.set("SERVER__BIND", &format!("127.0.0.1:{port}"));
        installation.set("SERVER__BASE_URL", &format!("http://127.0.0.1:{port}"));
        installation.set("DATABASE__URL", url);
        installation.set("SECRETS__MASTER_KEY", MASTER_KEY);
        for limit in ["DISCOVERY", "ACS", "TOKEN"] {
            installation.set(&format!("LIMITS__{limit}_PER_MINUTE"), "1000000");
        }
        installation
    }

    /// One with a new SQLite file.
    pub fn on_sqlite() -> Self {
        let mut installation = Self::on_database("");
        let url = format!("sqlite:{}", installation.folder.path().join("vestibule.db").display());
        installation.set("DATABASE__URL", &url);
        installation
    }

    /// Sets `VESTIBULE_` and this.
    pub fn set(&mut self, name: &str, value: &str) {
        let name = format!("VESTIBULE_{name}");
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
    }

    /// URL at which it serves.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Client that calls it without credentials.
    pub fn anonymous(&self) -> Client {
        Client::anonymous(&self.base_url())
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that succeeds, and gives what it printed as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts it and waits until it answers.
    pub async fn serve(&self) -> Running {
        let running = Running::start(self.command(&["serve", "--development", "--migrate"]));
        running.ready(&format!("{}/readyz", self.base_url())).await
    }

    /// Prepares a command without the environment that the tests run in.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::path());
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(self.variables.iter().cloned());
        command
    }
}

/// `vestibule demo` on free ports.
pub fn demo() -> Running {
    let mut command = Command::new(binary::path());
    command.arg("demo").env_clear();
    for port in ["--port", "--idp-port", "--page-port"] {
        command.args([port, &free_port().to_string()]);
    }
    Running::start(command)
}

/// A process under way; it ends with this value at the latest.
pub struct Running {
    child: Child,
    output: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, output) = channel();
        // Ends with the process, whose end of the pipe closes then.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, output }
    }

    async fn ready(mut self, url: &str) -> Self {
        let (asking, deadline) = (Client::anonymous(""), Instant::now() + READY_WITHIN);
        loop {
            assert!(Instant::now() < deadline, "{url} does not answer");
            assert!(self.child.try_wait().unwrap().is_none(), "the process ended before it was ready");
            let asked = asking.request(reqwest::Method::GET, url).send().await;
            if asked.is_ok_and(|answer| answer.status() == 200) {
                return self;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The process id, by which it can be measured.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lines that it prints, up to and with the first one that fits.
    pub fn printed_until(&self, fits: impl Fn(&str) -> bool) -> String {
        let (mut text, deadline) = (String::new(), Instant::now() + READY_WITHIN);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.output.recv_timeout(left).unwrap_or_else(|error| panic!("{error} after:\n{text}"));
            text.push_str(&line);
            text.push('\n');
            if fits(&line) {
                return text;
            }
        }
    }

    /// Asks it to stop (SIGTERM), and comes back when it has.
    pub fn terminate(&mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success(), "the process cannot be asked to stop");
        self.child.wait().unwrap()
    }

    /// Kills it outright (SIGKILL), and comes back when it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
