//! Agreement with samael on changed messages: the changes are those of `tests/saml/mutation`, always the same ones,
//! so that a disagreement comes again.
//!
//! Most changes break a signature; what Vestibule still accepts is changed outside of what is signed, or in what
//! canonicalization takes away, and there two readers can differ.

#[path = "../../../saml/mutation/bytes.rs"]
mod bytes;
#[path = "../../../saml/mutation/tree.rs"]
mod tree;

use std::fmt::Debug;
use std::ops::Range;

use mock_idp::message::xml::Element;
use mock_idp::message::{ContentAlgorithm, Edits, ResponseSpec, Shape, SignedParts};
use mock_idp::tamper::FORGED_IDENTITY;
use oracle::{attacker, spec, trusted};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::{Agreement, SIGNED, agree, encryption};

/// Number of messages of each kind of change: about ten seconds in a debug build.
const MESSAGES: usize = 1_000;
/// Changes to one message, few enough that many messages are still accepted.
const CHANGES: Range<usize> = 1..3;
/// Fewest changed messages of each kind that both must read alike; there are 64 damaged ones and 72 rearranged ones.
const FEWEST_READ: usize = 40;

/// An honest message, and the same one as an attacker signs it for another identity.
struct Original {
    name: String,
    spec: ResponseSpec,
    tree: Element,
    xml: String,
    forged: Element,
}

impl Original {
    fn new(name: String, spec: ResponseSpec) -> Self {
        let tree = spec.build_tree(&trusted(), Edits::default()).unwrap();
        let mut forged = spec.clone();
        forged.attributes[0].values = vec![FORGED_IDENTITY.to_owned()];
        let forged = forged.build_tree(&attacker(), Edits::default()).unwrap();
        Self { name, xml: spec.document(&tree), tree, forged, spec }
    }
}

/// Every shape with every choice of signed parts in the clear, and one encrypted. Those are signed outside too: samael
/// looks for a signature before it decrypts.
fn originals() -> Vec<Original> {
    let contents = [ContentAlgorithm::Aes128Gcm, ContentAlgorithm::Aes128Cbc].into_iter().cycle();
    let mut originals = Vec::new();
    for (shape, content) in Shape::ALL.into_iter().zip(contents) {
        originals.extend(SIGNED.map(|parts| Original::new(format!("{shape:?}, {parts:?}"), spec(shape).signed(parts))));
        let encrypted = spec(shape).signed(SignedParts::Both).encrypted(encryption(content));
        originals.push(Original::new(format!("{shape:?}, {content:?}"), encrypted));
    }
    originals
}

/// Changes honest messages by a fixed seed, and compares both readings of each; enough of them must be read at all.
fn agree_on_changed<C: Debug>(change: impl Strategy<Value = C>, apply: impl Fn(&Original, &[C]) -> String) {
    let originals = originals();
    let strategy = (0..originals.len(), vec(change, CHANGES));
    let mut runner = TestRunner::deterministic();
    let (mut read, mut excepted) = (0, 0);
    for _ in 0..MESSAGES {
        let (index, changes) = strategy.new_tree(&mut runner).unwrap().current();
        let original = &originals[index];
        let xml = apply(original, &changes);
        if xml == original.xml {
            continue;
        }
        match agree(&xml, &format!("{}, {changes:?}", original.name)) {
            Agreement::Refused => {}
            Agreement::Excepted => excepted += 1,
            Agreement::ReadAlike => read += 1,
        }
    }
    println!("{MESSAGES} messages: {read} read alike, {excepted} excepted");
    assert!(read >= FEWEST_READ, "of {MESSAGES} messages {read} were read");
}

/// Proves C10: a message with rearranged elements, if it is accepted at all, means the same to an independent reader.
#[test]
fn rearranged_messages_that_are_read_mean_the_same() {
    agree_on_changed(tree::change(), |original, changes| {
        let mut tree = original.tree.clone();
        for change in changes {
            change.apply(&mut tree, &original.forged);
        }
        original.spec.document(&tree)
    });
}

/// Proves C10: the same for a message with damaged bytes.
#[test]
fn damaged_messages_that_are_read_mean_the_same() {
    agree_on_changed(bytes::change(), |original, changes| {
        let mut bytes = original.xml.clone().into_bytes();
        for change in changes {
            change.apply(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
}
