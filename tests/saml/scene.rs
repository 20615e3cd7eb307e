//! A connection: an identity provider's keys on one side, what the service provider expects on the other.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use mock_idp::certificate::{Certificate, KeyKind};
use mock_idp::identity::{SigningIdentity, Validity};
use mock_idp::message::{ContentAlgorithm, Encryption, KeyTransport, NAME_ID_EMAIL, Parties, ResponseSpec, Shape};
use saml::{Engines, Expected, IdpCertificate, Rejection, SpKey, Trust, VerifiedResponse};

pub const ACS: &str = "https://sp.example.test/saml/0a1b2c3d";
pub const IDP: &str = "https://idp.example.test/metadata?tenant=1&x=2";
pub const REQUEST: &str = "_request-1";
pub const USER: &str = "alice@example.test";
/// The attribute that a connection would take the username from.
pub const EMAIL_CLAIM: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
pub const ROLE_ATTRIBUTE: &str = "https://adminconsole.netsign-in.se/saml/attributes/role";
pub const ROLES: [&str; 2] = ["nac-team-lead", "Mitarbeiter & Gäste"];

/// An identity provider's key, and how its certificate reads here.
pub struct Provider {
    pub identity: SigningIdentity,
    pub certificates: Vec<IdpCertificate>,
}

impl Provider {
    pub fn new(identity: SigningIdentity) -> Self {
        let certificates = saml::parse_pem_certificates(identity.certificate_pem()).unwrap();
        Self { identity, certificates }
    }

    fn of_kind(kind: KeyKind) -> Self {
        Self::new(SigningIdentity::generate("idp.example.test", kind, Validity::LONG).unwrap())
    }
}

pub static RSA: LazyLock<Provider> = LazyLock::new(|| {
    let pem = (include_str!("../fixtures/idp.key"), include_str!("../fixtures/idp.crt"));
    Provider::new(SigningIdentity::from_pem(pem.0, pem.1).unwrap())
});
pub static P256: LazyLock<Provider> = LazyLock::new(|| Provider::of_kind(KeyKind::P256));
pub static P384: LazyLock<Provider> = LazyLock::new(|| Provider::of_kind(KeyKind::P384));
pub static ATTACKER: LazyLock<Provider> = LazyLock::new(|| {
    let pem = (include_str!("../fixtures/attacker.key"), include_str!("../fixtures/attacker.crt"));
    Provider::new(SigningIdentity::from_pem(pem.0, pem.1).unwrap())
});

const SP_CERTIFICATE: &[u8] = include_bytes!("../fixtures/sp.crt.der");
static SP_KEYS: LazyLock<Vec<SpKey>> =
    LazyLock::new(|| vec![SpKey::from_pkcs8_der(include_bytes!("../fixtures/sp.key.der"), SP_CERTIFICATE).unwrap()]);

pub fn now() -> Timestamp {
    "2027-01-15T09:30:00.123456789Z".parse().unwrap()
}

/// An honest answer to the request, by that provider's habits.
pub fn spec(shape: Shape) -> ResponseSpec {
    spec_at(shape, now())
}

pub fn spec_at(shape: Shape, time: Timestamp) -> ResponseSpec {
    ResponseSpec::new(Parties { issuer: IDP, audience: ACS, acs: ACS }, time, "7c0ffee1")
        .to_request(REQUEST)
        .named(USER, NAME_ID_EMAIL)
        .attribute(EMAIL_CLAIM, [USER])
        .attribute(ROLE_ATTRIBUTE, ROLES)
        .as_sent_by(shape, "7c0ffee1")
}

/// Encryption for the service provider.
pub fn encryption(content: ContentAlgorithm, key_transport: KeyTransport) -> Encryption {
    let recipient = Certificate::from_der(SP_CERTIFICATE).unwrap();
    Encryption { content, key_transport, ..Encryption::new(recipient, [42; 48]) }
}

pub fn expected() -> Expected<'static> {
    Expected { acs_url: ACS, sp_entity_id: ACS, idp_entity_id: IDP, now: now(), clock_skew: Duration::from_mins(2) }
}

pub fn trust(certificates: &[IdpCertificate]) -> Trust<'_> {
    Trust {
        certificates,
        allow_sha1: false,
        refuse_expired_certificates: false,
        decryption_keys: &SP_KEYS,
        engines: Engines::Both,
    }
}

/// Verifies with the certificate of the trusted RSA key.
pub fn verify(xml: &str) -> Result<VerifiedResponse, Rejection> {
    saml::verify_response(xml, &expected(), &trust(&RSA.certificates))
}

/// Verifies a message that must be accepted, by both engines together and by each alone, and returns the one reading.
#[track_caller]
pub fn accepted(xml: &str, certificates: &[IdpCertificate], what: &str) -> VerifiedResponse {
    let [both, libxmlsec, bergshamra] = [Engines::Both, Engines::Libxmlsec, Engines::Bergshamra].map(|engines| {
        let read = saml::verify_response(xml, &expected(), &Trust { engines, ..trust(certificates) });
        read.unwrap_or_else(|rejection| panic!("{what}, {engines:?}: {rejection:?}\n{xml}"))
    });
    assert_eq!(both, libxmlsec, "{what}");
    assert_eq!(both, bergshamra, "{what}");
    both
}

/// The values of an attribute, if it is there.
pub fn values<'a>(read: &'a VerifiedResponse, name: &str) -> Option<&'a [String]> {
    read.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.values.as_slice())
}
