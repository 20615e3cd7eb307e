//! The demo's installation: the same configuration as any other, made up instead of read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::ports::Entropy as _;
use zeroize::Zeroizing;

use crate::adapters::{MASTER_KEY_BYTES, OsEntropy};
use crate::config::{self, Loaded};

/// The configuration of a demo that listens here; in memory, or in this folder.
pub fn configuration(address: SocketAddr, data: Option<&Path>) -> anyhow::Result<Loaded> {
    let key = match data {
        Some(folder) => ("VESTIBULE_SECRETS__MASTER_KEY_FILE", kept_master_key(folder)?),
        None => ("VESTIBULE_SECRETS__MASTER_KEY", new_master_key().to_string()),
    };
    let database = match data {
        Some(folder) => format!("sqlite:{}", folder.join("vestibule.db").display()),
        None => "sqlite::memory:".into(),
    };
    let variables = [
        ("VESTIBULE_SERVER__BIND", address.to_string()),
        ("VESTIBULE_SERVER__BASE_URL", format!("http://{address}")),
        ("VESTIBULE_SERVER__SHUTDOWN_SECONDS", "1".into()),
        ("VESTIBULE_DATABASE__URL", database),
        key,
    ];
    Ok(config::load(None, variables.map(|(name, value)| (name.to_owned(), value)))?)
}

fn new_master_key() -> Zeroizing<String> {
    let mut key = Zeroizing::new([0; MASTER_KEY_BYTES]);
    OsEntropy.fill(&mut *key);
    Zeroizing::new(STANDARD.encode(*key))
}

/// The path of the folder's master key, made at the first start.
fn kept_master_key(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("master.key");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => file.write_all(new_master_key().as_bytes())?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be made", path.display())),
    }
    path.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))
}
