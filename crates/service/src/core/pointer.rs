//! JSON pointers (RFC 6901), by which violations name what is wrong, and values that are read with them.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::core::error::{Error, Result};

/// The pointer to a member of an object.
pub(crate) fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The pointer to a place that was reached while reading, below another one.
pub fn pointer(at: &str, path: &Path) -> String {
    path.iter().fold(at.to_owned(), |pointer, segment| match segment {
        Segment::Map { key } => member(&pointer, key),
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// Reads a value that was parsed already, or names the place of the error, below the pointer to the value.
pub fn read_value<T: DeserializeOwned>(at: &str, value: Value) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|error| Error::invalid(pointer(at, error.path()), error.inner()))
}
