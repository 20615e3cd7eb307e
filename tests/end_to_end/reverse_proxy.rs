//! Installation behind nginx, Debian's package, with its own way of passing on who the client is (A6, D5).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::header::HeaderValue;
use serde_json::json;
use tempfile::TempDir;
use tests::app::TestApp;
use tests::databases::{Engine, database};
use tests::process::free_port;
use tests::tenant::Tenant;

/// The address of nginx, as Vestibule sees it.
const PROXY: &str = "127.0.0.1";
/// Another address of this machine, for a client that is not the proxy.
const CLIENT: &str = "127.0.0.2";

/// A running nginx; it ends with this value at the latest.
struct Nginx {
    base_url: String,
    child: Child,
    _folder: TempDir,
}

impl Nginx {
    fn before(app: &TestApp) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let configuration = folder.path().join("nginx.conf");
        std::fs::write(&configuration, settings(&folder.path().display().to_string(), port, app.base_url())).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(&configuration).stderr(Stdio::piped());
        let mut child = command.spawn().expect("nginx starts (Debian: nginx-light)");
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(told.any(|line| line.contains("event method")), "nginx does not listen");
        // Ends with the process, whose end of the pipe closes then.
        std::thread::spawn(move || told.for_each(drop));
        Self { base_url: format!("http://{PROXY}:{port}"), child, _folder: folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // However it ended, it is gone.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// One process in the foreground, with all that it writes in this folder.
fn settings(folder: &str, port: u16, upstream: &str) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr notice;
        events {{}}
        http {{
            access_log off;
            {temporary}
            server {{
                listen {PROXY}:{port};
                location / {{
                    proxy_pass {upstream};
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                }}
            }}
        }}"
    )
}

/// Refreshes from this address of the machine, with these lines of `X-Forwarded-For`.
#[expect(clippy::disallowed_types, reason = "the client stands for a browser behind an address of its own")]
async fn refresh(nginx: &Nginx, tenant: &Tenant, token: &str, (from, lines): (&str, &[&[u8]])) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().local_address(Some(from.parse().unwrap())).build().unwrap();
    let mut request = client.post(format!("{}/oauth/token", nginx.base_url));
    for line in lines {
        request = request.header("X-Forwarded-For", HeaderValue::from_bytes(line).unwrap());
    }
    let form = [("grant_type", "refresh_token"), ("client_id", &tenant.client_id), ("refresh_token", token)];
    let answer = request.form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Proves A6: whatever a client writes, nginx's own header names the client, and never lets it pass as the proxy.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_does_not_pass_as_the_proxy_in_front_of_it() {
    let app = TestApp::start_behind(database(Engine::Sqlite).await, &format!("{PROXY}/32")).await;
    let tenant = Tenant::create(&app, "acme").await;
    let nginx = Nginx::before(&app);
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let networks = json!({ "allowed_networks": [format!("{PROXY}/32")] });
    app.operator().patch(&tenant.path("/settings"), &networks).await.expect(200);
    let forged: [&[&[u8]]; 8] = [
        &[],
        &[b"\xff"],
        &[b""],
        &[b"127.0.0.1"],
        &[b"unknown"],
        &[b"127.0.0.1, \xff", b"\xff"],
        &[b"127.0.0.1,127.0.0.1", b"_hidden"],
        &[b"127.0.0.1, 127.0.0.2,"],
    ];
    for lines in forged {
        let (status, text) = refresh(&nginx, &tenant, token, (CLIENT, lines)).await;
        assert!(status == 400 && text.contains("does not allow sign-ins from this network"), "{lines:?} {text}");
    }
    let (status, text) = refresh(&nginx, &tenant, token, (PROXY, &[b"\xff"])).await;
    assert!(status == 400 && text.contains("proxy_header_invalid"), "{text}");
    let (status, text) = refresh(&nginx, &tenant, token, (PROXY, &[])).await;
    assert_eq!(status, 200, "who sits on the proxy's host comes from there: {text}");
}
