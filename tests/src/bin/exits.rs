//! A process that verifies a response on several threads and ends in the middle of it, as a server or a test may: what
//! libraries do at exit must not meet what threads still do. `tests/saml/exits.rs` starts it again and again.
#![allow(clippy::unwrap_used, reason = "a program for tests, which stops at the first surprise")]

use std::sync::{Arc, Barrier};
use std::thread;

use saml::engine::verify_with;
use saml::{Engines, parse_pem_certificates};

const MESSAGE: &str = include_str!("../../../crates/saml/tests/fixtures/signed-rsa-sha256.xml");
const CERTIFICATE: &str = include_str!("../../../crates/saml/tests/fixtures/idp.crt");

fn main() {
    let going_on = 4;
    let all_verified = Arc::new(Barrier::new(going_on + 1));
    for _ in 0..going_on {
        let all_verified = Arc::clone(&all_verified);
        thread::spawn(move || {
            verify();
            all_verified.wait();
            loop {
                // Threads that begin and end, and keys that are loaded and dropped, while the process ends.
                thread::spawn(verify).join().unwrap();
            }
        });
    }
    all_verified.wait();
}

fn verify() {
    let certificate = parse_pem_certificates(CERTIFICATE).unwrap().remove(0);
    let guarded = saml::guard::check(MESSAGE).unwrap();
    verify_with(Engines::Both, MESSAGE, &guarded, &certificate).unwrap();
}
