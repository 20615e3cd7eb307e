//! The binary, as an operator meets it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_MASTER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A folder with a configuration that is usable, and the binary in it.
struct Installation {
    folder: TempDir,
}

impl Installation {
    fn new() -> Self {
        let installation = Self { folder: TempDir::new().unwrap() };
        installation.write("master.key", MASTER_KEY);
        installation.write(
            "vestibule.toml",
            "[server]\nbase_url = \"https://login.invalid\"\n[secrets]\nmaster_key_file = \"master.key\"\n",
        );
        installation
    }

    fn migrated() -> Self {
        let installation = Self::new();
        installation.succeed(&["migrate"]);
        installation
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary without the environment of the test run.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stdout(&output));
        stderr(&output)
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Proves that no secret has a default: without the master key nothing starts, and the refusal says how to make one.
#[test]
fn serve_refuses_to_start_without_a_master_key() {
    let installation = Installation::new();
    installation.write("vestibule.toml", "[server]\nbase_url = \"https://login.invalid\"\n");
    let refusal = installation.fail(&["serve"]);
    assert!(refusal.contains("there is no master key"), "{refusal}");
    assert!(refusal.contains("openssl rand -base64 32 > master.key"), "{refusal}");
}

/// Proves that a database is not changed without being asked to, and that the refusal names what is missing.
#[test]
fn serve_refuses_a_database_that_lacks_migrations() {
    let refusal = Installation::new().fail(&["serve"]);
    assert!(refusal.contains("the database lacks these migrations: 0001 "), "{refusal}");
    assert!(refusal.contains("Run `vestibule migrate` first, or start with --migrate"), "{refusal}");
}

/// Proves that plain http needs `--development`, and that this listens on loopback alone.
#[test]
fn development_must_be_asked_for_and_stays_on_loopback() {
    let installation = Installation::new();
    let file = |bind: &str| {
        format!(
            "[server]\nbind = \"{bind}\"\nbase_url = \"http://localhost:8080\"\n[secrets]\nmaster_key_file = \"master.key\"\n"
        )
    };
    installation.write("vestibule.toml", &file("127.0.0.1:8080"));
    assert!(installation.fail(&["serve"]).contains("plain http on this machine alone is for `--development`"));
    installation.write("vestibule.toml", &file("0.0.0.0:8080"));
    assert!(installation.fail(&["serve", "--development"]).contains("--development listens on this machine alone"));
}

/// Proves that another master key than the database's is refused, by every command that would use it.
#[test]
fn another_master_key_is_refused() {
    let installation = Installation::migrated();
    installation.succeed(&["operator-key", "create", "--name", "first"]);
    installation.write("master.key", OTHER_MASTER_KEY);
    for arguments in [&["serve"][..], &["operator-key", "create", "--name", "second"]] {
        let refusal = installation.fail(arguments);
        assert!(refusal.contains("the master key is not the one that this database was made with"), "{refusal}");
    }
    let output = installation.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("FAILURE  master key"), "{}", stdout(&output));
}

/// Proves that migrating twice is fine, and says what was done.
#[test]
fn migrate_says_what_it_applied() {
    let installation = Installation::new();
    let first = installation.succeed(&["migrate"]);
    assert!(first.contains("applied 0001 "), "{first}");
    assert_eq!(installation.succeed(&["migrate"]), "sqlite:vestibule.db is up to date\n");
}

/// Proves A1: the command line creates an account with its first owner, and refuses a name that is taken.
#[test]
fn an_account_is_created_once() {
    let installation = Installation::migrated();
    let create =
        ["account", "create", "--name", "Acme", "--display-name", "Acme Inc", "--owner-email", "a@acme.example"];
    let account = json(&installation.succeed(&create));
    assert!(account["id"].as_str().unwrap().starts_with("acc_"), "{account}");
    assert_eq!((&account["name"], &account["owner_email"]), (&"acme".into(), &"a@acme.example".into()));
    let refusal = installation.fail(&create);
    assert_eq!(refusal, "vestibule: Another account has this name. Fix: Choose another name.\n");
}

/// Proves that what is typed wrongly is refused with the rule it breaks.
#[test]
fn a_bad_account_name_is_refused_with_the_rule() {
    let arguments = ["account", "create", "--name", "a b", "--display-name", "A", "--owner-email", "a@acme.example"];
    let output = Installation::new().run(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("may hold only the letters a to z, digits and hyphens"), "{}", stderr(&output));
}

/// Proves that an operator's key is printed when it is made, and kept nowhere in clear.
#[test]
fn an_operator_key_is_printed_once() {
    let installation = Installation::migrated();
    let made = json(&installation.succeed(&["operator-key", "create", "--name", "terraform"]));
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("vop_"), "{made}");
    for file in fs::read_dir(installation.folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()));
    }
}

/// Proves that keys are listed without the keys themselves, and that a revoked one is shown as such.
#[test]
fn operator_keys_are_listed_and_revoked() {
    let installation = Installation::migrated();
    let made = json(&installation.succeed(&["operator-key", "create", "--name", "terraform"]));
    let id = made["id"].as_str().unwrap();
    let listed = installation.succeed(&["operator-key", "list"]);
    assert!(!listed.contains(made["key"].as_str().unwrap()), "{listed}");
    assert!(json(&listed)[0]["revoked_at"].is_null(), "{listed}");
    installation.succeed(&["operator-key", "revoke", id]);
    let listed = json(&installation.succeed(&["operator-key", "list"]));
    assert_eq!((&listed[0]["id"], listed[0]["revoked_at"].is_string()), (&made["id"], true));
    let unknown = installation.fail(&["operator-key", "revoke", "opk_00000000000000000000000000000000"]);
    assert!(unknown.contains("There is no such thing"), "{unknown}");
}

/// Proves that the effective configuration shows where each value comes from, and no secret.
#[test]
fn config_check_shows_sources_and_masks_secrets() {
    let installation = Installation::new();
    let listing = installation.succeed(&["config", "check"]);
    assert!(listing.starts_with("# vestibule.toml\n"), "{listing}");
    assert!(listing.contains("server.base_url = \"https://login.invalid/\"  # file "), "{listing}");
    assert!(listing.contains("saml.engines = \"both\"  # default"), "{listing}");
    assert!(!listing.contains(MASTER_KEY), "{listing}");
    installation.write("vestibule.toml", "[server]\nbnd = \"127.0.0.1:1\"\n");
    let refusal = installation.fail(&["config", "check"]);
    assert!(refusal.contains("there is no such key. Fix: did you mean server.bind?"), "{refusal}");
}

/// Proves that the doctor names what is wrong, fails for it, and changes nothing.
#[test]
fn the_doctor_names_what_is_wrong_and_changes_nothing() {
    let installation = Installation::new();
    let output = installation.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("FAILURE  database: vestibule.db does not exist yet; run `vestibule migrate`"));
    assert!(!installation.path("vestibule.db").exists());
}

/// Proves that the doctor is content with an installation that is fine, and honest about what it cannot see.
#[test]
fn the_doctor_is_content_with_a_sound_installation() {
    let findings = Installation::migrated().succeed(&["doctor"]);
    for wanted in [
        "ok       configuration: every value is usable",
        "ok       database: SQLite answers and is up to date",
        "note     master key: the first start will tie the database to it",
        "warning  base URL: https://login.invalid does not answer from here",
        "ok       SAML engines: libxmlsec and bergshamra must both accept, and agree",
        "warning  mail: no mail server is configured",
    ] {
        assert!(findings.contains(wanted), "{wanted} is missing in\n{findings}");
    }
}

/// Proves that a health check fails if no server listens.
#[test]
fn a_health_check_of_nobody_fails() {
    let refusal = Installation::new().fail(&["healthcheck", "--url", "http://127.0.0.1:1/healthz"]);
    assert!(refusal.contains("does not answer"), "{refusal}");
}

/// Proves that the OpenAPI document is printed without any configuration.
#[test]
fn the_openapi_document_needs_no_configuration() {
    let installation = Installation { folder: TempDir::new().unwrap() };
    let document = json(&installation.succeed(&["openapi"]));
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
}

/// Proves that the database, which holds password hashes and sealed keys, is its owner's alone, whatever the
/// umask; that an older one stays as it is; and that the doctor tells of one that others can read.
#[test]
fn a_new_database_is_readable_by_its_owner_alone() {
    let installation = Installation::new();
    let mode = |name: &str| fs::metadata(installation.path(name)).unwrap().permissions().mode() & 0o777;
    let binary = env!("CARGO_BIN_EXE_vestibule");
    let loose = Command::new("sh")
        .args(["-c", &format!("umask 0; exec {binary} migrate")])
        .current_dir(installation.folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(loose.status.success(), "{}", stderr(&loose));
    let files: Vec<String> = fs::read_dir(installation.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("vestibule.db"))
        .collect();
    assert!(!files.is_empty());
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    fs::set_permissions(installation.path("vestibule.db"), fs::Permissions::from_mode(0o644)).unwrap();
    installation.succeed(&["migrate"]);
    assert_eq!(mode("vestibule.db"), 0o644);
    let findings = stdout(&installation.run(&["doctor"]));
    assert!(findings.contains("every user of this machine can read vestibule.db"), "{findings}");
}
