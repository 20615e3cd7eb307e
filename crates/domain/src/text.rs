//! Free text that people type: bounded, visible, without control characters.

use std::fmt::Display;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::{Deserialize, Deserializer, Serialize};

/// Most characters of a label. Long enough for any company's or person's name, short enough for a list.
pub const LABEL_MAX_CHARS: usize = 200;

/// Blanks that come along when a name is typed or pasted. Line breaks are none of them: a name never has any.
const BLANKS: [char; 4] = [' ', '\t', '\u{A0}', '\u{3000}'];
/// A pattern without dots looks like a space, although Unicode calls it a symbol.
const BRAILLE_BLANK: char = '\u{2800}';

/// A display name, a button text, the name of an application: one line that a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Error of a text that is not a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The text has nothing to read in it.
    #[error("must not be empty")]
    Empty,
    /// The text has more than [`LABEL_MAX_CHARS`] characters.
    #[error("must have at most {LABEL_MAX_CHARS} characters")]
    TooLong,
    /// A line break or another control character.
    #[error("must be one line without control characters")]
    Control,
    /// A character that is not seen, or that turns the text around.
    #[error(
        "must not hold invisible, zero-width or bidirectional control characters; type it anew instead of pasting it"
    )]
    Invisible,
}

impl Label {
    /// Takes a text, without the space around it.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let label = Self::stored(text.trim().to_owned())?;
        if label.0.chars().any(is_invisible) { Err(LabelError::Invisible) } else { Ok(label) }
    }

    /// Text of the label, as it is shown.
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

impl Stored for Label {
    type Error = LabelError;

    fn stored(text: String) -> Result<Self, LabelError> {
        if text.trim().is_empty() {
            Err(LabelError::Empty)
        } else if text.chars().count() > LABEL_MAX_CHARS {
            Err(LabelError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(LabelError::Control)
        } else {
            Ok(Self(text))
        }
    }
}

/// A text that was taken once and is read again. The rules for new texts may be stricter by now; what was taken
/// under the older ones stays readable, or its account could not be mended.
pub trait Stored: Sized {
    /// Error of a text that was never a value of this type.
    type Error: Display;

    /// Reads a text that was stored.
    fn stored(text: String) -> Result<Self, Self::Error>;
}

/// Reads a stored text in a stored document. For `deserialize_with`.
pub fn stored<'de, T: Stored, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::stored(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Reads a stored text that may be absent. For `deserialize_with`.
pub fn optional_stored<'de, T: Stored, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(T::stored).transpose().map_err(serde::de::Error::custom)
}

/// A typed text without the blanks around it.
pub fn without_blanks(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

/// Whether a character shows nothing by itself, or changes how others are shown, so that two texts with and without
/// it look alike: controls, formats, separators of lines, code points without a meaning, and all that programs may
/// leave out when they show a text (Unicode's `Default_Ignorable_Code_Point`).
pub fn is_invisible(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned};
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(category, Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate | Unassigned)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || character == BRAILLE_BLANK
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Invisible characters: one of each general category and property that hides a character.
    pub const HIDDEN: [char; 14] = [
        '\u{200B}',
        '\u{200D}',
        '\u{202E}',
        '\u{2066}',
        '\u{FEFF}',
        '\u{AD}',
        '\u{2028}',
        '\u{2029}',
        '\u{3164}',
        '\u{FE0F}',
        '\u{E0041}',
        '\u{34F}',
        '\u{2800}',
        '\u{E000}',
    ];

    /// Proves A2: what people see of a name is all that it holds.
    #[test]
    fn labels_hold_the_letters_of_all_scripts_and_nothing_that_is_not_seen() {
        for good in ["Åsa Öberg", "山田　太郎", "محمد", "Ελένη", "Владимир", "अनिल", "e\u{301}", "R&D – Kiruna", "🚀"]
        {
            assert!(Label::parse(good).is_ok(), "{good}");
        }
        for hidden in HIDDEN {
            assert_eq!(Label::parse(&format!("a{hidden}b")), Err(LabelError::Invisible), "{hidden:?}");
        }
        assert_eq!(Label::parse("a\u{7}b"), Err(LabelError::Control));
        assert_eq!(Label::parse(" \u{A0} "), Err(LabelError::Empty));
    }

    /// Proves A2: a label that was taken under an older rule is still read.
    #[test]
    fn a_stored_label_is_read_by_the_rule_of_its_time() {
        assert_eq!(Label::stored("a\u{200B}b".to_owned()).unwrap().as_str(), "a\u{200B}b");
    }
}
