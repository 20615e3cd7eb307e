//! Times in messages: `xs:dateTime` with a time zone (core 1.3.3).
//!
//! The type has no last year, and products write "never" as one: `9999-12-31T23:59:59Z` is beyond what a
//! [`Timestamp`] holds already. Such a time is a time, far ahead or long gone, and is held to the nearest one that
//! can be kept and reckoned with.

use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use crate::reason::Reason;
use crate::rejection::{Check, Rejection};

/// Most fraction digits that count: nanoseconds. More than these are cut off; honest providers send zero, three or
/// seven.
const MAX_FRACTION: usize = 9;

/// Most digits of a fraction and of a year: far more than any product writes.
const MAX_DIGITS: usize = 32;

/// The latest time that is kept: a day less than a [`Timestamp`] holds, so that skew and zones can be added to it.
pub(crate) const FAR_AHEAD: Timestamp = Timestamp::constant(253_402_207_200 - 86_400, 0);

/// The earliest time that is kept, as far from the other end.
const LONG_GONE: Timestamp = Timestamp::constant(-377_705_023_201 + 86_400, 0);

/// The time of an `xs:dateTime`. Without a time zone it would mean any of 27 hours, so that is refused.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let (before_our_era, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (year, rest) = text.split_at_checked(text.find('-')?)?;
    let (clock, rest) = rest.split_at_checked("-01-31T23:59:59".len())?;
    if !is_year(year) || !has_shape(clock, "-00-00T00:00:00") {
        return None;
    }
    let (nanoseconds, zone) = fraction(rest)?;
    let offset = offset(zone)?;
    // The calendar repeats itself every 400 years, so any year of four digits tells which days there are.
    let (_, last_digits) = year.split_at_checked(year.len().checked_sub(4)?)?;
    let civil = civil(last_digits, clock, nanoseconds)?;
    if before_our_era {
        return Some(LONG_GONE);
    }
    if year.len() > 4 {
        return Some(FAR_AHEAD);
    }
    // Nothing of four digits is too early.
    Some(offset.to_timestamp(civil).map_or(FAR_AHEAD, |time| time.min(FAR_AHEAD)))
}

/// Four digits, or more without a leading zero (XML Schema 2, 3.2.7).
fn is_year(year: &str) -> bool {
    let digits = (4..=MAX_DIGITS).contains(&year.len()) && year.bytes().all(|byte| byte.is_ascii_digit());
    digits && (year.len() == 4 || !year.starts_with('0'))
}

/// The nanoseconds of a fraction, if there is one, and what comes after it.
fn fraction(rest: &str) -> Option<(i32, &str)> {
    let Some(fraction) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = fraction.get(..fraction.len().checked_sub(zone.len())?)?;
    if !(1..=MAX_DIGITS).contains(&digits.len()) {
        return None;
    }
    let counted = digits.get(..digits.len().min(MAX_FRACTION))?;
    Some((format!("{counted:0<MAX_FRACTION$}").parse().ok()?, zone))
}

/// The offset of a zone: `Z`, or hours and minutes up to 14:00.
fn offset(zone: &str) -> Option<Offset> {
    if zone == "Z" {
        return Some(Offset::UTC);
    }
    let forward = has_shape(zone, "+00:00");
    if !forward && !has_shape(zone, "-00:00") {
        return None;
    }
    let (hours, minutes): (i32, i32) = (zone.get(1..3)?.parse().ok()?, zone.get(4..6)?.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60;
    let fine = minutes < 60 && seconds <= 14 * 3_600;
    Offset::from_seconds(if forward { seconds } else { -seconds }).ok().filter(|_| fine)
}

/// The moment on the calendar. `24:00:00` is the next day's midnight (XML Schema 2, 3.2.7.1), and a leap second counts
/// as the second before it, as for the clocks of most systems.
fn civil(year: &str, clock: &str, nanoseconds: i32) -> Option<DateTime> {
    let (date, time) = clock.split_once('T')?;
    let date: jiff::civil::Date = format!("{year}{date}").parse().ok()?;
    if time == "24:00:00" {
        let next_day = date.checked_add(1.day()).unwrap_or(jiff::civil::Date::MAX);
        return (nanoseconds == 0).then(|| next_day.to_datetime(Time::midnight()));
    }
    let number = |range| time.get(range).and_then(|text: &str| text.parse::<i8>().ok());
    let (hour, minute, second) = (number(0..2)?, number(3..5)?, number(6..8)?);
    let leap = second == 60 && minute == 59;
    Some(date.to_datetime(Time::new(hour, minute, if leap { 59 } else { second }, nanoseconds).ok()?))
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
    Rejection::new(Check::Time, Reason::TimeInvalid).wanted("xs:dateTime in UTC").got(text)
}

/// A time as requests and metadata write it: UTC, whole seconds.
pub(crate) fn format(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
