//! Times in messages: `xs:dateTime` with a time zone (core 1.3.3).

use jiff::Timestamp;

use crate::rejection::{Check, Rejection};

/// Most fraction digits: nanoseconds. Honest providers send zero, three or seven.
const MAX_FRACTION: usize = 9;

/// The time of a strict `xs:dateTime`. Without a time zone it would mean any of 27 hours, so that is refused.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked("2026-01-31T23:59:59".len())?;
    if !has_shape(seconds, "0000-00-00T00:00:00") {
        return None;
    }
    // 24:00:00 and leap seconds are not what clocks send, and libraries differ about them.
    let (_, clock) = seconds.split_once('T')?;
    if clock.starts_with("24") || clock.ends_with("60") {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let digits = fraction.len().checked_sub(zone.len())?;
            (1..=MAX_FRACTION).contains(&digits).then_some(zone)?
        }
        None => rest,
    };
    let offset = has_shape(zone, "+00:00") || has_shape(zone, "-00:00");
    if zone == "Z" || offset { text.parse().ok() } else { None }
}

/// Whether the text looks like the pattern, in which `0` stands for any digit.
fn has_shape(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            _ => byte == expected,
        })
}

/// An attribute's time, if the attribute is there.
pub(crate) fn optional(text: Option<&str>) -> Result<Option<Timestamp>, Rejection> {
    text.map(|text| parse(text).ok_or_else(|| invalid(text))).transpose()
}

/// An attribute's time, which the schema requires.
pub(crate) fn required(text: Option<&str>) -> Result<Timestamp, Rejection> {
    let text = text.unwrap_or_default();
    parse(text).ok_or_else(|| invalid(text))
}

fn invalid(text: &str) -> Rejection {
    Rejection::new(Check::Time, "time_invalid").wanted("xs:dateTime in UTC").got(text)
}

/// A time as requests and metadata write it: UTC, whole seconds.
pub(crate) fn format(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
