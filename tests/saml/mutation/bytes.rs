//! Changes to a message as bytes, at places that are given as fractions of its length.

use std::ops::Range;

use proptest::prelude::*;

/// Pieces that mean something to one parser or another.
const PIECES: [&str; 28] = [
    "<!--x-->",
    "<![CDATA[x]]>",
    "<![CDATA[",
    "]]>",
    "<?x y?>",
    "&#13;",
    "&#x0;",
    "&amp;",
    "&e;",
    "\r\n",
    "\u{feff}",
    "\u{200b}",
    "\0",
    " ",
    "<x/>",
    "<x>",
    "</x>",
    "/>",
    "\"",
    "'",
    " ID=\"_1\"",
    " Id='_1'",
    " xmlns=\"\"",
    " xmlns:saml=\"urn:x\"",
    " xml:space=\"preserve\"",
    "<!DOCTYPE x>",
    "forged-owner@example.test",
    "@",
];

/// A place in any message, in millionths.
type Place = u32;

#[derive(Clone, Debug)]
pub enum Change {
    Flip(Place, u8),
    Overwrite(Place, u8),
    Insert(Place, usize),
    InsertAtTag(Place, usize),
    Delete(Place, usize),
    Copy(Place, usize, Place),
    CopyTags(Place, Place, Place),
    Cut(Place),
}

pub fn change() -> impl Strategy<Value = Change> {
    let place = || 0..1_000_000_u32;
    let short = || 0..200_usize;
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Overwrite(at, byte)),
        (place(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (place(), 0..PIECES.len()).prop_map(|(at, piece)| Change::InsertAtTag(at, piece)),
        (place(), short()).prop_map(|(at, length)| Change::Delete(at, length)),
        (place(), short(), place()).prop_map(|(from, length, to)| Change::Copy(from, length, to)),
        (place(), place(), place()).prop_map(|(from, until, to)| Change::CopyTags(from, until, to)),
        place().prop_map(Change::Cut),
    ]
}

impl Change {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Flip(at, bit) => {
                if let Some(byte) = {
                    let at = index(bytes, at);
                    bytes.get_mut(at)
                } {
                    *byte ^= 1 << bit;
                }
            }
            Self::Overwrite(at, new) => {
                if let Some(byte) = {
                    let at = index(bytes, at);
                    bytes.get_mut(at)
                } {
                    *byte = new;
                }
            }
            Self::Insert(at, piece) => insert(bytes, index(bytes, at), PIECES[piece].as_bytes()),
            Self::InsertAtTag(at, piece) => insert(bytes, tag(bytes, at), PIECES[piece].as_bytes()),
            Self::Delete(at, length) => drop(bytes.drain(range(bytes, at, length))),
            Self::Copy(from, length, to) => {
                let copy = bytes[range(bytes, from, length)].to_vec();
                insert(bytes, index(bytes, to), &copy);
            }
            Self::CopyTags(from, until, to) => {
                let (from, until) = (tag(bytes, from), tag(bytes, until));
                let copy = bytes[from.min(until)..from.max(until)].to_vec();
                insert(bytes, tag(bytes, to), &copy);
            }
            Self::Cut(at) => bytes.truncate(index(bytes, at)),
        }
    }
}

fn index(bytes: &[u8], place: Place) -> usize {
    bytes.len() * place as usize / 1_000_000
}

/// The next beginning of a tag.
fn tag(bytes: &[u8], place: Place) -> usize {
    let from = index(bytes, place);
    bytes[from..].iter().position(|byte| *byte == b'<').map_or(bytes.len(), |offset| from + offset)
}

fn range(bytes: &[u8], place: Place, length: usize) -> Range<usize> {
    let from = index(bytes, place);
    from..bytes.len().min(from + length)
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}
