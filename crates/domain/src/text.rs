//! Free text that people type: bounded, visible, without control characters.

use serde::{Deserialize, Serialize};

/// Most characters of a label. Long enough for any company's or person's name, short enough for a list.
pub const LABEL_MAX_CHARS: usize = 200;

/// A display name, a button text, the name of an application: one line that a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Why a text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Nothing to read in it.
    #[error("must not be empty")]
    Empty,
    /// Over [`LABEL_MAX_CHARS`].
    #[error("must have at most {LABEL_MAX_CHARS} characters")]
    TooLong,
    /// A line break or another control character.
    #[error("must be one line without control characters")]
    Control,
}

impl Label {
    /// Takes a text, without the space around it.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let text = text.trim();
        if text.is_empty() {
            Err(LabelError::Empty)
        } else if text.chars().count() > LABEL_MAX_CHARS {
            Err(LabelError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(LabelError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        Self::parse(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}
