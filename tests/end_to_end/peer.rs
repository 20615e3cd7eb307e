//! SimpleSAMLphp, Debian's package, as a process beside the test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::app::TestApp;

use crate::organization::Organization;

/// Starts it, and ends it when its standard input closes.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/simplesamlphp.py");

/// An organization whose identity provider is a running SimpleSAMLphp.
pub struct Peer {
    /// Facts that the script reports once it runs, such as the URL of its metadata.
    pub facts: Value,
    child: Child,
    stdin: Option<ChildStdin>,
    _folder: TempDir,
}

impl Peer {
    /// Starts it for an organization, whose metadata it gets from the running Vestibule.
    pub async fn start(organization: &Organization, arguments: &[&str]) -> Self {
        let metadata = organization.anyone.get(&organization.acs_url).await;
        assert_eq!(metadata.status, 200, "{}", metadata.text);
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("sp.xml");
        std::fs::write(&file, metadata.text).unwrap();
        let mut command = Command::new("python3");
        command.arg(SCRIPT).arg("--dir").arg(folder.path().join("idp")).arg("--sp-metadata").arg(&file).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts = serde_json::from_str(&line).expect("SimpleSAMLphp starts");
        Self { facts, stdin: child.stdin.take(), child, _folder: folder }
    }

    /// Body of the request that imports its metadata from its URL.
    pub fn metadata(&self) -> Value {
        json!({ "metadata_url": self.facts["metadata_url"] })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // However it ended, it is gone.
        let _ = self.child.wait();
    }
}

/// Vestibule, an organization with these settings, and its SimpleSAMLphp.
pub async fn organization_with_peer(app: &TestApp, settings: Value, arguments: &[&str]) -> (Organization, Peer) {
    let organization = Organization::create(app.anonymous(), app.operator(), "acme").await;
    if settings != json!({}) {
        organization.configure(&settings).await;
    }
    let peer = Peer::start(&organization, arguments).await;
    organization.connect(&peer.metadata()).await;
    (organization, peer)
}
