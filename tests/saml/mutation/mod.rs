//! Whatever is done to an honest message, it is refused or still says what it said: a search, within a time.
//!
//! `tests/oracle` makes the changes of `bytes` and `tree` too, by a fixed seed, and asks samael.

mod bytes;
mod tree;

use std::sync::LazyLock;

use mock_idp::message::xml::Element;
use mock_idp::message::{ContentAlgorithm, Edits, KeyTransport, ResponseSpec, Shape, SignedParts};
use mock_idp::tamper::FORGED_IDENTITY;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use saml::{SignedElement, VerifiedResponse};

use crate::duration::search;
use crate::scene::{ATTACKER, RSA, encryption, spec, verify};

/// Most changes to one message: enough to wrap a signature by hand.
const CHANGES: std::ops::Range<usize> = 1..6;

/// An honest message, and parts that an attacker without the key can use.
struct Original {
    spec: ResponseSpec,
    tree: Element,
    xml: String,
    reading: VerifiedResponse,
    /// The same message as the attacker would write it, signed by the attacker.
    forged: Element,
}

impl Original {
    fn new(spec: ResponseSpec) -> Self {
        let tree = spec.build_tree(&RSA.identity, Edits::default()).unwrap();
        let xml = spec.document(&tree);
        let mut forged = spec.clone();
        forged.attributes[0].values = vec![FORGED_IDENTITY.to_owned()];
        let forged = forged.build_tree(&ATTACKER.identity, Edits::default()).unwrap();
        Self { reading: comparable(verify(&xml).unwrap()), tree, xml, forged, spec }
    }
}

/// Every shape with every choice of signed parts in the clear, and one choice of each encrypted.
static ORIGINALS: LazyLock<Vec<Original>> = LazyLock::new(|| {
    let parts = [SignedParts::Assertion, SignedParts::Response, SignedParts::Both];
    let contents = [ContentAlgorithm::Aes256Gcm, ContentAlgorithm::Aes128Cbc, ContentAlgorithm::Aes256Cbc];
    let mut originals = Vec::new();
    for (index, shape) in Shape::ALL.into_iter().enumerate() {
        originals.extend(parts.map(|parts| Original::new(spec(shape).signed(parts))));
        let encryption = encryption(contents[index % contents.len()], KeyTransport::OaepSha1);
        originals.push(Original::new(spec(shape).signed(parts[index % parts.len()]).encrypted(encryption)));
    }
    originals
});

/// Taking the outer one of two signatures away leaves a message that says the same.
fn comparable(reading: VerifiedResponse) -> VerifiedResponse {
    VerifiedResponse { signed: SignedElement::Assertion, ..reading }
}

/// Checks that the message is refused, or read as the original was; and that nothing breaks that diagnostics do
/// with it. A refusal may well be because the engines differ: that is what two of them are for.
fn check(original: &Original, changed: &str) -> Result<(), TestCaseError> {
    if let Ok(reading) = verify(changed) {
        prop_assert_eq!(&comparable(reading), &original.reading, "{}", changed);
    }
    let _ = saml::masked_message(changed);
    Ok(())
}

fn which() -> impl Strategy<Value = usize> {
    0..ORIGINALS.len()
}

/// Proves C10: no rearrangement of a message's elements makes it say anything else.
#[test]
fn a_rearranged_message_never_says_anything_else() {
    search(&(which(), prop::collection::vec(tree::change(), CHANGES)), |(which, changes)| {
        let original = &ORIGINALS[which];
        let mut tree = original.tree.clone();
        for change in &changes {
            change.apply(&mut tree, &original.forged);
        }
        check(original, &original.spec.document(&tree))
    });
}

/// Proves C10: no damage to a message's bytes makes it say anything else.
#[test]
fn a_damaged_message_never_says_anything_else() {
    search(&(which(), prop::collection::vec(bytes::change(), CHANGES)), |(which, changes)| {
        let original = &ORIGINALS[which];
        let mut bytes = original.xml.clone().into_bytes();
        for change in &changes {
            change.apply(&mut bytes);
        }
        check(original, &String::from_utf8_lossy(&bytes))
    });
}
