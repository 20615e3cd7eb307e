//! Files that hold secrets.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Bit of a file's mode that lets all users of the machine read it.
const READABLE_BY_OTHERS: u32 = 0o004;
/// Longest secret that is read: a database's URL, at most; a wrong path may lead to something endless.
const SECRET_FILE_MAX_BYTES: u64 = 64 * 1024;

/// Reads a secret, without the line break that editors and shells leave at its end.
pub fn read(path: &Path) -> io::Result<SecretString> {
    let about = fs::metadata(path)?;
    if !about.is_file() || about.len() > SECRET_FILE_MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a small file"));
    }
    let text = Zeroizing::new(fs::read_to_string(path)?);
    Ok(SecretString::from(text.trim()))
}

/// Whether every user of this machine can read the file; not, where there is none.
pub fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & READABLE_BY_OTHERS != 0)
}
