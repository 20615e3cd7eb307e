//! Runs `xmlsec1`, which shares no code with this crate.

use std::process::{Command, Output};

use mock_idp::identity::SigningIdentity;
use quick_xml::events::Event;

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";
const RESPONSE: &str = "urn:oasis:names:tc:SAML:2.0:protocol:Response";

/// Whether the signature that is a direct child of that element verifies with the identity's certificate.
pub fn verifies(xml: &str, parent: &str, identity: &SigningIdentity) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = folder.path().join("certificate.pem");
    std::fs::write(&certificate, identity.certificate_pem()).expect("the certificate");
    let node = format!("//*[local-name()='{parent}']/*[local-name()='Signature']");
    let arguments = ["--verify", "--enabled-key-data", "x509", "--node-xpath", &node];
    let output = run(xml, &folder, &arguments, &["--pubkey-cert-pem", &certificate.to_string_lossy()]);
    output.status.success()
}

/// The document with its encrypted assertion replaced by the decrypted one.
pub fn decrypt(xml: &str, identity: &SigningIdentity) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key.pem");
    std::fs::write(&key, identity.private_key_pem()).expect("the key");
    let output = run(xml, &folder, &["--decrypt"], &["--privkey-pem", &key.to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn run(xml: &str, folder: &tempfile::TempDir, mode: &[&str], key: &[&str]) -> Output {
    let document = folder.path().join("response.xml");
    std::fs::write(&document, xml).expect("the document");
    Command::new("xmlsec1")
        .args(mode)
        .args(["--id-attr:ID", ASSERTION, "--id-attr:ID", RESPONSE])
        .args(key)
        .arg(document)
        .output()
        .expect("xmlsec1 is installed")
}

/// Reads the whole document with an independent parser.
pub fn assert_well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) => {
                for attribute in start.attributes() {
                    attribute.expect("well-formed attributes");
                }
            }
            _ => {}
        }
    }
}
