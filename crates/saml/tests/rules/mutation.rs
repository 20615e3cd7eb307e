//! Whatever is done to a signed message: it is refused, or it still says what was signed.

use std::sync::LazyLock;

use crate::support::*;
use proptest::prelude::*;

static MESSAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let message = Message::default();
    vec![
        message.assertion_signed(),
        message.response_signed(),
        message.both_signed(),
        fixture!("signed-rsa-sha256.xml").into(),
        fixture!("signed-inclusive.xml").into(),
        fixture!("encrypted-aes128-gcm.xml").into(),
        fixture!("encrypted-aes256-cbc.xml").into(),
        fixture!("encrypted-in-signed-response.xml").into(),
    ]
});

/// Pieces that mean something to one parser or another.
const PIECES: [&str; 24] = [
    "<!-- -->",
    "<![CDATA[x]]>",
    "<?x y?>",
    "&#13;",
    "&amp;",
    "&e;",
    "\r\n",
    "\u{feff}",
    "\u{200b}",
    " ",
    "<x/>",
    "<x>",
    "</x>",
    " ID=\"_a1\"",
    " xmlns=\"urn:x\"",
    " xmlns:saml=\"urn:x\"",
    " xml:id=\"_a1\"",
    "<!DOCTYPE x>",
    "<saml:NameID>admin@example.com</saml:NameID>",
    "<saml:AttributeValue>admin@example.com</saml:AttributeValue>",
    "<saml:Audience>https://sp.example/saml/x1</saml:Audience>",
    "<saml:Assertion ID=\"_a2\" Version=\"2.0\"/>",
    "<ds:Signature/>",
    "admin@",
];

/// One change at places given as fractions of the message.
#[derive(Debug, Clone)]
enum Change {
    Insert(usize, usize),
    Replace(usize, char),
    Delete(usize, usize),
    Copy(usize, usize, usize),
    Move(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || 0..10_000_usize;
    prop_oneof![
        (place(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (place(), any::<char>()).prop_map(|(at, character)| Change::Replace(at, character)),
        (place(), place()).prop_map(|(from, to)| Change::Delete(from, to)),
        (place(), place(), place()).prop_map(|(from, to, at)| Change::Copy(from, to, at)),
        (place(), place(), place()).prop_map(|(from, to, at)| Change::Move(from, to, at)),
    ]
}

/// The nearest tag boundary or, for odd places, any character boundary.
fn position(xml: &str, place: usize) -> usize {
    let raw = xml.len() * place / 10_000;
    let wanted =
        |at: &usize| if place.is_multiple_of(4) { xml.is_char_boundary(*at) } else { xml[*at..].starts_with('<') };
    (raw..xml.len()).filter(|at| xml.is_char_boundary(*at)).find(wanted).unwrap_or(xml.len())
}

fn apply(xml: &str, change: &Change) -> String {
    let range = |a: usize, b: usize| {
        let (a, b) = (position(xml, a), position(xml, b));
        a.min(b)..a.max(b)
    };
    let inserted = |at: usize, text: &str| format!("{}{text}{}", &xml[..at], &xml[at..]);
    match *change {
        Change::Insert(at, piece) => inserted(position(xml, at), PIECES[piece]),
        Change::Replace(at, character) => {
            let at = position(xml, at);
            let rest = xml[at..].chars().next().map_or("", |old| &xml[at + old.len_utf8()..]);
            format!("{}{character}{rest}", &xml[..at])
        }
        Change::Delete(from, to) => {
            let range = range(from, to);
            format!("{}{}", &xml[..range.start], &xml[range.end..])
        }
        Change::Copy(from, to, at) => inserted(position(xml, at), &xml[range(from, to)]),
        Change::Move(from, to, at) => {
            let range = range(from, to);
            let rest = format!("{}{}", &xml[..range.start], &xml[range.end..]);
            let at = position(&rest, at);
            format!("{}{}{}", &rest[..at], &xml[range], &rest[at..])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Proves C10: no change to a signed message makes it say anything else, or anything break.
    #[test]
    fn a_changed_message_never_says_anything_else(
        which in 0..MESSAGES.len(),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let original = &MESSAGES[which];
        let changed = changes.iter().fold(original.clone(), |xml, change| apply(&xml, change));
        if let Ok(read) = verify(&changed) {
            prop_assert_eq!(read, verify(original).unwrap());
        }
        prop_assert!(saml::masked_message(&changed).len() < 65 * 1024 + 64);
    }

    /// Proves C10: no text at all makes anything break.
    #[test]
    fn arbitrary_text_never_breaks_anything(text in "[<>&;#/!?\\[\\]\"'=:a-z \u{0}-\u{ff}]{0,200}") {
        prop_assert!(verify(&text).is_err());
        let _ = saml::masked_message(&text);
        let _ = saml::decode_post_binding(&text);
        let _ = saml::decode_redirect_binding(&text);
        let _ = saml::parse_pem_certificates(&text);
        let _ = saml::parse_idp_metadata(&text, now(), &saml::MetadataOptions::default());
    }
}
