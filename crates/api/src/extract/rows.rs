//! Rows of a request about many things: each is read by itself, so that a wrong one does not refuse the others.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use service::Error;

use super::json::parse_json;

/// One row, or what is wrong with it; pointers begin at the row.
#[derive(Debug)]
pub struct Row<T>(pub Result<T, Error>);

/// Reads at most `MAX` rows, and stops at the first one too many: a body full of tiny rows would take many times its
/// size. For `deserialize_with`.
pub fn rows<'de, T: DeserializeOwned, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<Row<T>>, D::Error> {
    deserializer.deserialize_seq(Rows::<T, MAX>(PhantomData))
}

struct Rows<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: DeserializeOwned, const MAX: usize> Visitor<'de> for Rows<T, MAX> {
    type Value = Vec<Row<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {MAX} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut rows = vec![];
        while let Some(raw) = sequence.next_element::<&RawValue>()? {
            if rows.len() == MAX {
                return Err(A::Error::custom(format_args!("must have at most {MAX} entries")));
            }
            rows.push(Row(parse_json(raw.get().as_bytes())));
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "rows::<_, _, 3>")]
        items: Vec<Row<u8>>,
    }

    /// Proves E1: a wrong row is told by itself, and too many are none.
    #[test]
    fn each_row_is_read_by_itself_and_their_number_is_bounded() {
        let items = parse_json::<Sample>(br#"{"items": [1, {"a": [2]}, 3]}"#).unwrap().items;
        assert_eq!(items.iter().map(|row| row.0.is_ok()).collect::<Vec<_>>(), [true, false, true]);
        let error = parse_json::<Sample>(br#"{"items": [1, 2, 3, 4]}"#).unwrap_err();
        assert_eq!(error.violations[0].field, "/items");
        assert!(parse_json::<Sample>(br#"{"items": 7}"#).is_err());
    }
}
