//! Location of the binary, built from the sources as they are.

use std::env::{consts::EXE_SUFFIX, current_exe};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The path of `vestibule`, beside the tests. Cargo sets it for the binary's own package alone.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = current_exe().unwrap();
        if let Some(beside) = beside_program(&test) {
            return beside;
        }
        let profile = test.parent().and_then(Path::parent).expect("tests lie in target/PROFILE/deps").to_owned();
        let binary = profile.join(format!("vestibule{EXE_SUFFIX}"));
        // A test is linked anew whenever the libraries that the binary is made of change; the stamp says that cargo was
        // asked since then, also where it had nothing to do.
        let stamp = profile.join(".vestibule-is-built");
        if modified(&binary).max(modified(&stamp)) < modified(&test) {
            build(&profile);
            fs::write(&stamp, "").unwrap();
        }
        assert!(binary.exists(), "{} was not built", binary.display());
        binary
    })
}

/// Finds it beside a program such as the benchmark, which lies in `target/PROFILE` itself: `./dev bench` builds
/// both.
fn beside_program(program: &Path) -> Option<PathBuf> {
    let folder = program.parent().filter(|folder| !folder.ends_with("deps"))?;
    let binary = folder.join(format!("vestibule{EXE_SUFFIX}"));
    assert!(binary.exists(), "{} was not built: run `./dev bench`", binary.display());
    Some(binary)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Builds it together with the suite, so that cargo resolves the same features and compiles nothing twice.
fn build(profile: &Path) {
    let name = profile.file_name().and_then(|name| name.to_str()).unwrap();
    let profile_name = if name == "debug" { "dev" } else { name };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--workspace", "--bin", "vestibule", "--test", "end_to_end"]);
    cargo.args(["--profile", profile_name, "--target-dir"]).arg(profile.parent().unwrap());
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert!(cargo.status().unwrap().success(), "the binary `vestibule` cannot be built: run `cargo build -p server`");
}
