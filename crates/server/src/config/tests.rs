//! The configuration, from files and variables to words.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const KEY_HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Removes the path of the folder from a text.
    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The usable least: everything else has a default.
const LEAST: [(&str, &str); 2] =
    [("VESTIBULE_SERVER__BASE_URL", "https://login.example.com"), ("VESTIBULE_SECRETS__MASTER_KEY", KEY_HEX)];

fn problems_of(file: &str, pairs: &[(&str, &str)]) -> String {
    let files = Files::new();
    let path = files.write("vestibule.toml", file);
    let answer = load(Some(path.clone()), variables(pairs)).and_then(|loaded| loaded.check(false));
    let text = answer.unwrap_err().to_string();
    files.without_folder(text.strip_prefix("the configuration is not usable\n  ").unwrap())
}

/// Proves that a file configures, that a variable wins over it, and that both are read as what they mean.
#[test]
fn a_variable_wins_over_the_file() {
    let files = Files::new();
    let path = files.write(
        "vestibule.toml",
        "[server]\nbind = \"127.0.0.1:1\"\nworkers = 3\ntrusted_proxies = [\"10.0.0.0/8\"]\n[saml]\nprobe = false\n",
    );
    let given = [
        ("VESTIBULE_SERVER__BIND", "[::1]:2"),
        ("VESTIBULE_LIMITS__ACS_PER_MINUTE", "7"),
        ("VESTIBULE_TOKENS__ALGORITHM", "EdDSA"),
        ("VESTIBULE_METRICS__BIND", "127.0.0.1:9090"),
        ("VESTIBULE_LOG__FILTER", ""),
    ];
    let loaded = load(Some(path.clone()), variables(&[&given[..], &LEAST].concat())).unwrap();
    loaded.check(false).unwrap();
    let values = &loaded.values;
    assert_eq!(values.server.bind.to_string(), "[::1]:2");
    assert_eq!(values.server.workers.unwrap().get(), 3);
    assert_eq!(values.server.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(values.limits.acs_per_minute.get(), 7);
    assert_eq!(values.tokens.algorithm.as_str(), "EdDSA");
    assert!(!values.saml.probe);
    assert_eq!(values.metrics.bind, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(values.log.filter, "info", "an empty variable counts as not set");
}

/// Proves that a list can be given in a variable.
#[test]
fn a_variable_holds_a_list_with_commas() {
    let given = [("VESTIBULE_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")];
    let loaded = load(None, variables(&given)).unwrap();
    let wanted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    assert_eq!(loaded.values.server.trusted_proxies, wanted);
}

/// Proves that every bad value is named with its key, its source and what to do; and that no value is repeated.
#[test]
fn a_bad_value_is_named_with_its_source_and_the_fix() {
    let table = [
        (
            "[server]\nbind = \"localhost\"\n",
            &[][..],
            "server.bind (file vestibule.toml): the value is not valid. Fix: it must be an address and a port, such as 127.0.0.1:8080",
        ),
        (
            "",
            &[("VESTIBULE_SERVER__BIND", "8080")],
            "server.bind (environment variable VESTIBULE_SERVER__BIND): the value is not valid. Fix: it must be an address and a port, such as 127.0.0.1:8080",
        ),
        (
            "",
            &[("VESTIBULE_SERVER__BASE_URL", "login.example.com")],
            "server.base_url (environment variable VESTIBULE_SERVER__BASE_URL): the value is not valid. Fix: it must be an absolute URL, such as https://login.example.com",
        ),
        (
            "",
            &[("VESTIBULE_SERVER__TRUSTED_PROXIES", "10.0.0.0/33")],
            "server.trusted_proxies (environment variable VESTIBULE_SERVER__TRUSTED_PROXIES): the value is not valid. Fix: it must be a list of networks, such as [\"10.0.0.0/8\"]",
        ),
        (
            "[tokens]\nalgorithm = \"HS256\"\n",
            &[],
            "tokens.algorithm (file vestibule.toml): the value is not valid. Fix: it must be \"ES256\", \"EdDSA\" or \"RS256\"",
        ),
        (
            "[saml]\nengines = \"none\"\n",
            &[],
            "saml.engines (file vestibule.toml): the value is not valid. Fix: it must be \"both\", \"libxmlsec\" or \"bergshamra\"",
        ),
        (
            "[limits]\ntoken_per_minute = 0\n",
            &[],
            "limits.token_per_minute (file vestibule.toml): the value is not valid. Fix: it must be a number of requests from 1 on",
        ),
        (
            "[server]\nshutdown_seconds = -1\n",
            &[],
            "server.shutdown_seconds (file vestibule.toml): the value is not valid. Fix: it must be a number of seconds from 0 to 65535",
        ),
    ];
    for (file, given, wanted) in table {
        assert_eq!(problems_of(file, given), wanted);
    }
}

/// Proves that a key that does not exist is refused wherever it stands, all of them at once, with a guess at what
/// was meant.
#[test]
fn an_unknown_key_is_refused() {
    let file = "port = 1\n[server]\nbnd = \"127.0.0.1:1\"\n[smtp]\nhost = \"x\"\n";
    assert_eq!(
        problems_of(file, &[("VESTIBULE_SAML__ENGINE", "both")]),
        "port (file vestibule.toml): there is no such key. Fix: did you mean mail.port?\n  \
         saml.engine (environment variable VESTIBULE_SAML__ENGINE): there is no such key. Fix: did you mean saml.engines?\n  \
         server.bnd (file vestibule.toml): there is no such key. Fix: did you mean server.bind?\n  \
         smtp (file vestibule.toml): there is no such key. Fix: remove it; `vestibule config check` lists every key"
    );
    assert_eq!(
        problems_of("", &[("VESTIBULE_BASE_URL", "https://login.example.com")]),
        "VESTIBULE_BASE_URL (environment): this variable is not a setting. Fix: settings are named \
         VESTIBULE_SECTION__KEY, with two underscores; did you mean server.base_url?"
    );
    assert!(problems_of("server = 1\n", &[]).starts_with("server (file vestibule.toml): there is no such key"));
}

/// Proves that variables which others set under our prefix are left alone.
#[test]
fn variables_of_others_are_left_alone() {
    let given = [
        ("VESTIBULE_SERVICE_HOST", "10.0.0.1"),
        ("VESTIBULE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("VESTIBULE_TEST_POSTGRES_URL", "postgres://localhost"),
        ("VESTIBULE_CONFIG", "vestibule.toml"),
        ("PATH", "/bin"),
    ];
    assert!(load(None, variables(&given)).is_ok());
}

/// Proves that no secret has a default, and that a refusal says how to make one.
#[test]
fn what_has_no_default_is_asked_for() {
    assert_eq!(
        problems_of("", &[]),
        "server.base_url (not set): it is missing. Fix: set it to where browsers and identity providers reach Vestibule, \
         such as VESTIBULE_SERVER__BASE_URL=https://login.example.com\n  \
         secrets.master_key_file (not set): there is no master key. Fix: make one with `openssl rand -base64 32 > \
         master.key` and name that file in secrets.master_key_file"
    );
}

/// Proves I1: a base URL that would make access tokens too long is refused.
#[test]
fn a_base_url_that_is_too_long_is_refused() {
    let of = |bytes: usize| "https://login.example.com/".to_owned() + &"a".repeat(bytes - 26);
    let longest = load(None, variables(&[("VESTIBULE_SERVER__BASE_URL", &of(300))])).unwrap();
    assert_eq!(longest.base_url(false).unwrap().as_str().len(), 300);
    let refused = problems_of("", &[("VESTIBULE_SERVER__BASE_URL", &of(301)), LEAST[1]]);
    assert!(refused.contains("it is too long. Fix: use one of at most 300 bytes"), "{refused}");
}

/// Proves that keys which contradict each other, or mean nothing usable, are refused with words.
#[test]
fn what_cannot_be_used_is_refused() {
    let table = [
        (
            "",
            &[("VESTIBULE_SERVER__BASE_URL", "http://login.example.com")][..],
            "server.base_url (environment variable VESTIBULE_SERVER__BASE_URL): it does not begin with https://. Fix: use an https URL; plain http on this machine alone is for `--development`",
        ),
        (
            "",
            &[("VESTIBULE_SERVER__BASE_URL", "https://login.example.com/?a=b")],
            "server.base_url (environment variable VESTIBULE_SERVER__BASE_URL): it holds a query, a fragment, a user name or a password. Fix: leave scheme, host, port and path alone, such as https://login.example.com",
        ),
        (
            "[secrets]\nmaster_key = \"x\"\n",
            &[("VESTIBULE_SECRETS__MASTER_KEY", "")],
            "secrets.master_key (file vestibule.toml): a master key does not belong into the configuration's file. Fix: move the key to a file of its own and name it in secrets.master_key_file",
        ),
        (
            "",
            &[("VESTIBULE_SECRETS__MASTER_KEY", "c2hvcnQ=")],
            "secrets.master_key (environment variable VESTIBULE_SECRETS__MASTER_KEY): it is not 32 bytes in base64 or hexadecimal. Fix: make one with `openssl rand -base64 32 > master.key` and name that file in secrets.master_key_file",
        ),
        (
            "[secrets]\nmaster_key_file = \"/nonexistent/key\"\n",
            &[],
            "secrets.master_key_file (file vestibule.toml): secrets.master_key is set as well. Fix: keep one of secrets.master_key and secrets.master_key_file",
        ),
        (
            "",
            &[("VESTIBULE_DATABASE__URL", "mysql://root:secret@localhost/x")],
            "database.url (environment variable VESTIBULE_DATABASE__URL): it is not a URL of a SQLite or PostgreSQL database. Fix: write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE",
        ),
        (
            "[saml]\nattribute_prefix = \"\"\n",
            &[],
            "saml.attribute_prefix (file vestibule.toml): it is empty or holds white space. Fix: write the beginning of the attribute names, such as https://example.com/saml/attributes/",
        ),
        (
            "[database]\nurl_file = \"/nonexistent/url\"\n",
            &[],
            "database.url_file (file vestibule.toml): /nonexistent/url cannot be read: No such file or directory (os error 2). Fix: name a file that this user can read",
        ),
    ];
    for (file, given, wanted) in table {
        let mut all: std::collections::BTreeMap<&str, &str> = LEAST.into_iter().collect();
        all.extend(given.iter().copied());
        let all: Vec<_> = all.into_iter().collect();
        assert_eq!(problems_of(file, &all), wanted);
    }
}

/// Proves that a file which is no TOML is refused with the line, and a missing one by name.
#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let text = problems_of("[server\nbind = 1\n", &[]);
    assert!(text.starts_with("configuration (file vestibule.toml): it cannot be read: "), "{text}");
    assert!(text.contains("line 1"), "{text}");
    let missing = find_file(Some(Path::new("/nonexistent.toml"))).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent.toml is not a file that can be read"), "{missing}");
}

/// Proves that the master key is read in either notation, from a variable or a file, with or without a line break.
#[test]
fn a_master_key_is_read_in_either_notation() {
    let files = Files::new();
    for text in [KEY_HEX, KEY_BASE64] {
        let path = files.write("master.key", &format!("{text}\n"));
        let by_file = variables(&[("VESTIBULE_SECRETS__MASTER_KEY_FILE", path.to_str().unwrap())]);
        let by_variable = variables(&[("VESTIBULE_SECRETS__MASTER_KEY", text)]);
        for given in [by_file, by_variable] {
            let key = load(None, given).unwrap().master_key().unwrap();
            assert_eq!((key[0], key[1], key[31]), (0, 1, 31));
        }
    }
}

/// Proves that a secret which all users of the machine can read is warned about, and one that is not is left in
/// peace.
#[test]
fn an_exposed_secret_is_warned_about() {
    let files = Files::new();
    let path = files.write("master.key", KEY_HEX);
    let given = variables(&[("VESTIBULE_SECRETS__MASTER_KEY_FILE", path.to_str().unwrap())]);
    assert!(load(None, given.clone()).unwrap().warnings().is_empty());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = load(None, given).unwrap().warnings();
    assert_eq!(
        files.without_folder(&warnings.join("\n")),
        "secrets.master_key_file: every user of this machine can read master.key; run `chmod 600 master.key`"
    );
}

/// Proves that development permits plain http on this machine, and nothing but this machine.
#[test]
fn development_stays_on_this_machine() {
    let development = |bind: &str, url: &str| {
        let given = [("VESTIBULE_SERVER__BIND", bind), ("VESTIBULE_SERVER__BASE_URL", url), LEAST[1]];
        load(None, variables(&given)).unwrap().check(true)
    };
    assert!(development("127.0.0.1:8080", "http://localhost:8080").is_ok());
    assert!(development("127.0.0.1:8080", "https://login.example.com").is_ok());
    let error = development("0.0.0.0:8080", "http://localhost:8080").unwrap_err().to_string();
    assert!(error.contains("--development listens on this machine alone"), "{error}");
    assert!(development("127.0.0.1:8080", "http://login.example.com").is_err());
}

/// Proves that the listing shows every key with its source, and no secret.
#[test]
fn the_listing_shows_every_key_and_no_secret() {
    let database =
        ("VESTIBULE_DATABASE__URL", "postgres://vestibule:hunter2@db.example.com/vestibule?password=hunter2");
    let listing = load(None, variables(&[&LEAST[..], &[database]].concat())).unwrap().listing();
    for (key, _) in keys::KEYS {
        assert!(listing.contains(key), "{key} is missing in\n{listing}");
    }
    assert!(!listing.contains("hunter2") && !listing.contains(KEY_HEX), "{listing}");
    for line in [
        "server.bind = \"127.0.0.1:8080\"  # default",
        "server.base_url = \"https://login.example.com/\"  # environment variable VESTIBULE_SERVER__BASE_URL",
        "secrets.master_key = \"********\"  # environment variable VESTIBULE_SECRETS__MASTER_KEY",
        "database.url = \"postgres://vestibule:********@db.example.com/vestibule\"  # environment variable VESTIBULE_DATABASE__URL",
        "# metrics.bind is not set",
    ] {
        assert!(listing.lines().any(|candidate| candidate == line), "{line} is missing in\n{listing}");
    }
}

/// Proves that the table of keys and the typed sections know the same keys.
#[test]
fn the_table_of_keys_is_complete() {
    let values = serde_json::to_value(Configuration::default()).unwrap();
    let typed: std::collections::BTreeSet<String> = values
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(section, keys)| keys.as_object().unwrap().keys().map(move |key| format!("{section}.{key}")))
        .collect();
    assert_eq!(typed, keys::KEYS.iter().map(|(key, _)| (*key).to_owned()).collect());
}

/// Proves that a mail server is configured as a whole or not at all, and that mail does not travel in clear.
#[test]
fn a_mail_server_is_configured_as_a_whole() {
    let table = [
        (&[("MAIL__FROM", "a@b.example")][..], "mail.host", "it is missing"),
        (&[("MAIL__HOST", "smtp.example.com")], "mail.from", "it is missing"),
        (&[("MAIL__HOST", "h"), ("MAIL__FROM", "nobody")], "mail.from", "the value is not valid"),
        (
            &[("MAIL__HOST", "h"), ("MAIL__FROM", "a@b.example"), ("MAIL__SECURITY", "none")],
            "mail.security",
            "mail would travel in clear",
        ),
        (
            &[("MAIL__HOST", "h"), ("MAIL__FROM", "a@b.example"), ("MAIL__USERNAME", "u")],
            "mail.password_file",
            "it is missing",
        ),
        (&[("MAIL__TEMPLATES", "/nonexistent")], "mail.templates", "/nonexistent cannot be read"),
    ];
    for (given, key, what) in table {
        let given = given.iter().map(|(name, value)| (format!("VESTIBULE_{name}"), (*value).to_owned()));
        let all = variables(&LEAST).into_iter().chain(given);
        let problem = load(None, all).and_then(|loaded| loaded.check(false)).unwrap_err().to_string();
        assert!(problem.contains(key) && problem.contains(what), "{problem}");
    }
}

/// Proves that templates are read from their folder, and that one which cannot work is refused at the start.
#[test]
fn templates_are_checked_when_they_are_read() {
    let files = Files::new();
    let folder = files.0.path().join("templates");
    fs::create_dir_all(folder.join("sv")).unwrap();
    let given = || variables(&[&LEAST[..], &[("VESTIBULE_MAIL__TEMPLATES", folder.to_str().unwrap())]].concat());
    files.write("templates/sv/test.txt", "Prov\n\nav {{ brand.name }}");
    files.write("templates/.swp", "an editor's");
    assert!(load(None, given()).unwrap().check(false).is_ok());
    files.write("templates/sv/test.txt", "Prov\n\nav {{ brnd.name }}");
    let problem = load(None, given()).unwrap().check(false).unwrap_err().to_string();
    assert!(problem.contains("mail.templates") && problem.contains("sv/test.txt cannot be used"), "{problem}");
    files.write("templates/note.md", "x");
    let problem = load(None, given()).unwrap().check(false).unwrap_err().to_string();
    assert!(problem.contains("note.md is the name of no template"), "{problem}");
}
