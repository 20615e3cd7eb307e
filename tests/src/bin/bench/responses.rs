//! Cost of one response, stage by stage, as multiples of a floor: the RSA, SHA and AES operations that every
//! implementation needs, by the same library, in the same run.

use std::hint::black_box;
use std::time::Duration;

use jiff::Timestamp;
use mock_idp::certificate::Certificate;
use mock_idp::identity::SigningIdentity;
use mock_idp::message::{Encryption, NAME_ID_EMAIL, Parties, ResponseSpec, Shape, SignedParts};
use saml::engine::verify_with;
use saml::{Engines, Expected, IdpCertificate, SpKey, Trust};

use crate::floor::Floor;
use crate::measure::{ROUNDS, Samples, Work, cpu_per_call};
use crate::table;

pub const ACS: &str = "https://sp.example.test/saml/0a1b2c3d";
pub const IDP: &str = "https://idp.example.test/metadata";
/// Bytes of an ordinary response, of a user in a few dozen groups.
const LENGTH: usize = 8 * 1024;

/// Most that each stage of the both-signed response may cost, in floors.
const GUARD_BAR: f64 = 1.0;
const BERGSHAMRA_BAR: f64 = 4.0;
const LIBXMLSEC_BAR: f64 = 13.0;
const WHOLE_BAR: f64 = 22.0;

/// Measures the three kinds of response.
pub fn run(quick: bool) {
    let round = Duration::from_millis(if quick { 40 } else { 200 });
    let party = Party::new();
    for (title, shape, parts, encrypted) in [
        ("response and assertion signed", Shape::Okta, SignedParts::Both, false),
        ("assertion signed", Shape::EntraId, SignedParts::Assertion, false),
        ("assertion signed, then encrypted", Shape::EntraId, SignedParts::Assertion, true),
    ] {
        let xml = party.response(shape, parts, encrypted);
        let floor = Floor::of(&party.response(shape, parts, false), &party.identity, encrypted);
        let bars = parts == SignedParts::Both;
        measure(&format!("One response, {title}, {} bytes", xml.len()), round, &party.stages(&xml, floor, bars));
    }
}

/// Stage that is measured: a name, a bar if there is one, and the work. The first is the floor.
type Stage<'a> = (&'static str, Option<f64>, Work<'a>);

fn measure(title: &str, round: Duration, stages: &[Stage<'_>]) {
    let mut samples = vec![Samples::default(); stages.len()];
    for _ in 0..ROUNDS {
        for ((_, _, work), samples) in stages.iter().zip(&mut samples) {
            samples.push(cpu_per_call(round, work) * 1e6);
        }
    }
    let floor = samples[0].clone();
    let rows: Vec<_> = stages.iter().zip(&samples).map(|((name, bar, _), one)| row(name, *bar, one, &floor)).collect();
    table::print(title, &["stage", "best µs", "median µs", "best ratio", "median ratio", "bar", ""], &rows);
}

fn row(name: &str, bar: Option<f64>, samples: &Samples, floor: &Samples) -> Vec<String> {
    let ratio = samples.best() / floor.best();
    vec![
        name.to_owned(),
        format!("{:.1}", samples.best()),
        format!("{:.1}", samples.median()),
        format!("{ratio:.2}"),
        format!("{:.2}", samples.median() / floor.median()),
        bar.map(|bar| format!("{bar}")).unwrap_or_default(),
        bar.map(|bar| table::verdict(ratio, bar).to_owned()).unwrap_or_default(),
    ]
}

/// Both ends of a connection.
pub struct Party {
    pub identity: SigningIdentity,
    pub certificates: Vec<IdpCertificate>,
    pub sp_keys: Vec<SpKey>,
    pub now: Timestamp,
}

impl Party {
    pub fn new() -> Self {
        let (key, certificate) = (include_str!("../../../fixtures/idp.key"), include_str!("../../../fixtures/idp.crt"));
        Self {
            identity: SigningIdentity::from_pem(key, certificate).expect("the identity provider's key"),
            certificates: saml::parse_pem_certificates(certificate).expect("its certificate"),
            sp_keys: vec![SpKey::from_pkcs8_der(SP_KEY, SP_CERTIFICATE).expect("the service provider's key")],
            now: "2027-01-15T09:30:00Z".parse().expect("a time"),
        }
    }

    /// A response of [`LENGTH`] before encryption, filled up with groups.
    fn response(&self, shape: Shape, parts: SignedParts, encrypted: bool) -> String {
        let parties = Parties { issuer: IDP, audience: ACS, acs: ACS };
        let spec = ResponseSpec::new(parties, self.now, "7c0ffee1")
            .to_request("_request-1")
            .named("alice@example.test", NAME_ID_EMAIL)
            .as_sent_by(shape, "7c0ffee1")
            .signed(parts);
        let built = |groups: usize| {
            let groups = (0..groups).map(|group| format!("cn=group-{group:04},ou=groups,dc=example,dc=test"));
            spec.clone().attribute("groups", groups).build(&self.identity).expect("a response").len()
        };
        let groups = (0..LENGTH).find(|groups| built(*groups) >= LENGTH).unwrap_or_default();
        let names = (0..groups).map(|group| format!("cn=group-{group:04},ou=groups,dc=example,dc=test"));
        let mut spec = spec.attribute("groups", names);
        if encrypted {
            let recipient = Certificate::from_der(SP_CERTIFICATE).expect("the service provider's certificate");
            spec = spec.encrypted(Encryption::new(recipient, [42; 48]));
        }
        spec.build(&self.identity).expect("a response")
    }

    fn stages<'a>(&'a self, xml: &'a str, floor: Floor, bars: bool) -> Vec<Stage<'a>> {
        let bar = |bar: f64| bars.then_some(bar);
        let guard: Work<'a> = Box::new(move || drop(black_box(saml::guard::check(black_box(xml)).expect("guarded"))));
        let mut stages: Vec<Stage<'a>> =
            vec![("floor", None, Box::new(move || floor.run())), ("guard", bar(GUARD_BAR), guard)];
        if !xml.contains("EncryptedAssertion") {
            stages.push(("bergshamra", bar(BERGSHAMRA_BAR), self.engine(xml, Engines::Bergshamra)));
            stages.push(("libxmlsec", bar(LIBXMLSEC_BAR), self.engine(xml, Engines::Libxmlsec)));
            stages.push(("both engines, compared", None, self.engine(xml, Engines::Both)));
        }
        stages.push(("all of it, bergshamra alone", None, self.whole(xml, Engines::Bergshamra)));
        stages.push(("all of it, libxmlsec alone", None, self.whole(xml, Engines::Libxmlsec)));
        stages.push(("all of it", bar(WHOLE_BAR), self.whole(xml, Engines::Both)));
        stages
    }

    fn engine<'a>(&'a self, xml: &'a str, engines: Engines) -> Work<'a> {
        let guarded = saml::guard::check(xml).expect("guarded");
        let [certificate] = self.certificates.as_slice() else { unreachable!("the fixture has one certificate") };
        Box::new(move || drop(black_box(verify_with(engines, xml, &guarded, certificate).expect("verified"))))
    }

    fn whole<'a>(&'a self, xml: &'a str, engines: Engines) -> Work<'a> {
        let (expected, trust) = (self.expected(), Trust { engines, ..self.trust() });
        Box::new(move || drop(black_box(saml::verify_response(xml, &expected, &trust).expect("accepted"))))
    }

    pub fn expected(&self) -> Expected<'static> {
        Expected {
            acs_url: ACS,
            sp_entity_id: ACS,
            idp_entity_id: IDP,
            now: self.now,
            clock_skew: Duration::from_mins(2),
        }
    }

    pub fn trust(&self) -> Trust<'_> {
        Trust {
            certificates: &self.certificates,
            allow_sha1: false,
            refuse_expired_certificates: false,
            decryption_keys: &self.sp_keys,
            engines: Engines::Both,
        }
    }
}

pub const SP_KEY: &[u8] = include_bytes!("../../../fixtures/sp.key.der");
pub const SP_CERTIFICATE: &[u8] = include_bytes!("../../../fixtures/sp.crt.der");
