//! One identity of each kind and one ordinary response.

use std::sync::LazyLock;

use jiff::Timestamp;
use mock_idp::certificate::KeyKind;
use mock_idp::identity::{SigningIdentity, Validity};
use mock_idp::message::{NAME_ID_EMAIL, Parties, ResponseSpec};

pub static RSA: LazyLock<SigningIdentity> = LazyLock::new(|| identity(KeyKind::Rsa));
pub static P256: LazyLock<SigningIdentity> = LazyLock::new(|| identity(KeyKind::P256));
pub static P384: LazyLock<SigningIdentity> = LazyLock::new(|| identity(KeyKind::P384));

/// Characters that XML must escape, white space that attributes must escape, and letters beyond ASCII.
pub const AWKWARD: &str = "Zoë \"Müller\" & Søns <x> 'ok' ]]> \t\n\r end";

fn identity(kind: KeyKind) -> SigningIdentity {
    SigningIdentity::generate("Mock & Søns IdP", kind, Validity::LONG).expect("a key pair")
}

pub fn spec() -> ResponseSpec {
    let parties = Parties {
        issuer: "https://idp.example.test/metadata?a=1&b=2",
        audience: "https://sp.example.test/saml/0a1b",
        acs: "https://sp.example.test/saml/0a1b",
    };
    ResponseSpec::new(parties, now(), "9f86d081")
        .to_request("_request-1")
        .named("alice@example.test", NAME_ID_EMAIL)
        .attribute("displayName", [AWKWARD])
        .attribute("empty", [""])
        .attribute("none", [""; 0])
        .attribute("role", ["nac-team-lead", "other"])
}

pub fn now() -> Timestamp {
    "2026-11-22T05:00:00.123456789Z".parse().expect("a timestamp")
}
