//! Costliest messages that are refused: of strangers, and of an attacker who moved a genuine signature onto
//! another body. Each has a body that takes as much work as the guard's bounds allow, and as many keys as a
//! connection may have.

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mock_idp::certificate::Certificate;
use mock_idp::message::{Canonicalization, NAME_ID_EMAIL, Parties, ResponseSpec, Shape, SignedParts};
use saml::certificate::MAX_CERTIFICATES;
use saml::{IdpCertificate, Rejection, Trust};

use crate::measure::{ROUNDS, Samples, Work, cpu_per_call};
use crate::responses::{ACS, IDP, Party, SP_CERTIFICATE};
use crate::table;

/// Most milliseconds of processor time that a stranger's message may take.
const BAR: f64 = 5.0;
/// Length of the text: as much as fits into a form, in base64.
const LENGTH: usize = 490_000;
/// Keys of others before ours, within the number that is tried.
const OTHER_KEYS: usize = 3;
/// Close to the bound of a `SignedInfo`.
const BLANKS: usize = 6_000;
/// Signature value, as long as base64 of the values that these keys take.
const RSA_VALUE: [u8; 1024] = [1; 1024];
const P521_VALUE: [u8; 132] = [1; 132];
const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
const ECDSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512";
const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";

/// The body that costs most with the keys that a connection ordinarily has.
const COSTLIEST: &str = "other namespaces each";

/// A body: its name, attributes of the root, and what stands inside.
type Body = (&'static str, String, String);

pub fn run(quick: bool) {
    let round = Duration::from_millis(if quick { 60 } else { 200 });
    let party = Party::new();
    let keys = keys();
    let mut rows = Vec::new();
    for (name, attributes, body) in &bodies() {
        for keys in &keys {
            let xml = keys.message(attributes, body);
            rows.push(measured(&format!("{name}, {}", keys.name), &xml, Some(BAR), round, &|xml| {
                party.judged(xml, &keys.certificates)
            }));
        }
    }
    for keys in &keys {
        let xml = keys.encrypted(&bodies()[1].2);
        let judge = |xml: &str| party.judged(xml, &keys.certificates);
        rows.push(measured(&format!("encrypted for us, {}", keys.name), &xml, Some(BAR), round, &judge));
    }
    print("Costliest messages of strangers", &rows);
    let mut rows = Vec::new();
    for (name, canonicalization) in
        [("exclusive", Canonicalization::EXCLUSIVE), ("inclusive", Canonicalization::Inclusive)]
    {
        let genuine = party.genuine(canonicalization);
        for (body, attributes, inside) in &bodies() {
            let value = genuine.find("AttributeValue>").unwrap() + "AttributeValue>".len();
            let mut xml = genuine.clone();
            xml.insert_str(value, inside);
            let xml = xml.replacen(" Version=", &format!("{attributes} Version="), 1);
            rows.push(measured(&format!("{body}, {name}"), &xml, None, round, &|xml| {
                party.judged(xml, &party.certificates)
            }));
        }
    }
    print("A genuine signature on a costly body", &rows);
}

/// A message of a stranger that costs as much as any.
pub fn costliest() -> String {
    let [rsa, _] = keys();
    let bodies = bodies();
    let (_, attributes, body) = bodies.iter().find(|(name, ..)| *name == COSTLIEST).expect("a body of this name");
    rsa.message(attributes, body)
}

fn keys() -> [Keys; 2] {
    [
        Keys::new("RSA 8192", include_str!("../../../fixtures/rsa8192.crt"), RSA_SHA512, &RSA_VALUE),
        Keys::new("P-521", include_str!("../../../fixtures/ec521.crt"), ECDSA_SHA512, &P521_VALUE),
    ]
}

fn print(title: &str, rows: &[Vec<String>]) {
    table::print(title, &["message", "bytes", "best ms", "median ms", "refused as", "bar", ""], rows);
}

fn measured(
    name: &str,
    xml: &str,
    bar: Option<f64>,
    round: Duration,
    judge: &dyn Fn(&str) -> Rejection,
) -> Vec<String> {
    let form_value = STANDARD.encode(xml);
    let refused = judge(&form_value).reason.as_str();
    let work: Work<'_> = Box::new(|| drop(black_box(judge(black_box(&form_value)))));
    let mut samples = Samples::default();
    for _ in 0..ROUNDS {
        samples.push(cpu_per_call(round, &work) * 1e3);
    }
    vec![
        name.to_owned(),
        xml.len().to_string(),
        format!("{:.2}", samples.best()),
        format!("{:.2}", samples.median()),
        refused.to_owned(),
        bar.map(|bar| format!("{bar}")).unwrap_or_default(),
        bar.map(|bar| table::verdict(samples.best(), bar).to_owned()).unwrap_or_default(),
    ]
}

/// Bodies that cost a reader most for their length, within the bounds of the guard.
fn bodies() -> Vec<Body> {
    let repeated = |unit: &str, count: usize| unit.repeat(count);
    let each = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().concat();
    let declared = each(20, &|one| format!(" xmlns:prefix{one:02}=\"urn:{one}\""));
    let long_name = "u".repeat(60);
    let names = each(5_900, &|one| format!("<a xmlns=\"{long_name}{:02}\"/>", one % 90));
    let attributes = each(32, &|one| format!(" attribute{one:02}=\"\""));
    vec![
        ("elements", String::new(), repeated("<a/>", 13_900)),
        ("elements with attributes", String::new(), repeated("<a b=\"1\"/>", 11_900)),
        ("many attributes each", String::new(), repeated(&format!("<a{attributes}/>"), 365)),
        ("prefixes from far outside", declared, repeated("<samlp:a samlp:b=\"\" samlp:c=\"\"/>", 4_200)),
        (COSTLIEST, String::new(), names),
        ("deep nesting", String::new(), repeated(&(repeated("<a>", 25) + &repeated("</a>", 25)), 550)),
        ("references", String::new(), format!("<a b=\"{}\"/>", repeated("&#65;", 13_900))),
        ("text", String::new(), "a".repeat(LENGTH - 40_000)),
        ("line ends", String::new(), "\r".repeat(LENGTH - 40_000)),
        ("comments", String::new(), repeated("<!--a-->&#65;", 6_900)),
    ]
}

/// The certificates of a connection, all with the costliest key of its kind.
struct Keys {
    name: &'static str,
    certificates: Vec<IdpCertificate>,
    algorithm: &'static str,
    value: String,
}

impl Keys {
    fn new(name: &'static str, pem: &str, algorithm: &'static str, value: &[u8]) -> Self {
        let certificate = saml::parse_pem_certificates(pem).expect("a certificate").remove(0);
        Self { name, certificates: vec![certificate; MAX_CERTIFICATES], algorithm, value: STANDARD.encode(value) }
    }

    /// A response whose two signatures look right but were made by no key.
    fn message(&self, attributes: &str, body: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
             ID=\"_r\" Version=\"2.0\"{attributes}>{}<samlp:Extensions>{body}</samlp:Extensions><samlp:Status><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:Assertion ID=\"_a\" Version=\"2.0\">\
             <saml:Issuer>x</saml:Issuer>{}</saml:Assertion></samlp:Response>",
            self.signature("_r"),
            self.signature("_a")
        )
    }

    /// The same inside of an assertion that really is encrypted for us, with as many keys as are tried before ours.
    fn encrypted(&self, body: &str) -> String {
        let assertion = format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\" Version=\"2.0\"><saml:Issuer>x\
             </saml:Issuer>{}<saml:Advice>{body}</saml:Advice></saml:Assertion>",
            self.signature("_a")
        );
        let mut content = assertion.into_bytes();
        let content_key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[0; 16]).expect("a key"));
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        content_key.seal_in_place_append_tag(nonce, Aad::empty(), &mut content).expect("sealed");
        let content = STANDARD.encode([[0; 12].as_slice(), &content].concat());
        let recipient = Certificate::from_der(SP_CERTIFICATE).expect("a certificate");
        let key = PublicEncryptingKey::from_der(recipient.public_key_info()).expect("a key");
        let key = OaepPublicEncryptingKey::new(key).expect("a key");
        let mut wrapped = vec![0; key.ciphertext_size()];
        key.encrypt(&OAEP_SHA1_MGF1SHA1, &[0; 16], &mut wrapped, None).expect("wrapped");
        let encrypted_key = |bytes: &[u8]| {
            format!(
                "<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>\
                 <xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
                STANDARD.encode(bytes)
            )
        };
        let others = encrypted_key(&vec![1; wrapped.len()]).repeat(OTHER_KEYS);
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r\" Version=\"2.0\"><samlp:Status>\
             <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:EncryptedAssertion \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"><xenc:EncryptedData>\
             <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/><xenc:CipherData><xenc:CipherValue>\
             {content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>{others}{}</saml:EncryptedAssertion></samlp:Response>",
            encrypted_key(&wrapped)
        )
    }

    fn signature(&self, id: &str) -> String {
        let Self { algorithm, value, .. } = self;
        let inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
        let blanks = "\r".repeat(BLANKS);
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>{blanks}<ds:CanonicalizationMethod \
             Algorithm=\"{inclusive}\"/><ds:SignatureMethod Algorithm=\"{algorithm}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform \
             Algorithm=\"{inclusive}\"/></ds:Transforms><ds:DigestMethod Algorithm=\"{SHA512}\"/><ds:DigestValue>AAAA</ds:DigestValue>\
             </ds:Reference></ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
    }
}

impl Party {
    /// The refusal of a form value, with what is kept of it for diagnostics.
    fn judged(&self, form_value: &str, certificates: &[IdpCertificate]) -> Rejection {
        let keys = vec![self.sp_keys[0].clone(); 3];
        let trust = Trust { certificates, decryption_keys: &keys, ..self.trust() };
        let xml = saml::decode_post_binding(form_value).expect("base64");
        let refused = saml::verify_response(&xml, &self.expected(), &trust).expect_err("a refusal");
        drop(black_box(saml::masked_message(&xml)));
        refused
    }

    fn genuine(&self, canonicalization: Canonicalization) -> String {
        let parties = Parties { issuer: IDP, audience: ACS, acs: ACS };
        let mut spec = ResponseSpec::new(parties, self.now, "7c0ffee1")
            .to_request("_request-1")
            .named("alice@example.test", NAME_ID_EMAIL)
            .attribute("groups", ["a"])
            .as_sent_by(Shape::Plain, "7c0ffee1")
            .signed(SignedParts::Assertion);
        spec.signing.canonicalization = canonicalization;
        spec.build(&self.identity).expect("a response")
    }
}
