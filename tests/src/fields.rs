//! Comparison of JSON answers by the fields that a test names: [`assert_fields!`](crate::assert_fields).

use std::fmt::{self, Write};

use serde_json::Value;

/// Asserts that a JSON object has these members with these values; it may have others.
///
/// `assert_fields!(row, { "action": "rename", "user": { "id": id } }, "in round {round}")`: an object that is wanted
/// is compared by its own named members in turn, and everything else, arrays too, as a whole. As in `value["name"]`,
/// a missing member counts as `null`. A failure shows the message, which may be left out, the path of each member
/// that differs, and the whole value.
///
/// An object that comes from a variable is compared by its members like any other: where it must have no further
/// ones, write `assert_eq!(value["name"], object)`.
#[macro_export]
macro_rules! assert_fields {
    ($value:expr, { $($wanted:tt)+ } $(,)?) => {
        $crate::assert_fields!($value, { $($wanted)+ }, "")
    };
    ($value:expr, { $($wanted:tt)+ }, $($context:tt)+) => {
        $crate::fields::assert(&$value, &::serde_json::json!({ $($wanted)+ }), format_args!($($context)+))
    };
}

/// Work of [`assert_fields!`](crate::assert_fields), which is how a test calls it.
#[track_caller]
pub fn assert(value: &Value, wanted: &Value, context: fmt::Arguments<'_>) {
    let mut found = String::new();
    differences(value, wanted, "", &mut found);
    assert!(found.is_empty(), "fields differ: {context}{found}\nvalue: {value:#}");
}

/// Writes a line for each member that differs, below the value at `path`.
fn differences(got: &Value, wanted: &Value, path: &str, found: &mut String) {
    match (got, wanted) {
        (Value::Object(_), Value::Object(members)) => {
            for (name, wanted) in members {
                differences(&got[name], wanted, &format!("{path}/{name}"), found);
            }
        }
        _ if got == wanted => {}
        _ => write!(found, "\n  {path}: wanted {wanted}, got {got}").unwrap(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(got: &Value, wanted: &Value) -> Vec<String> {
        let mut found = String::new();
        differences(got, wanted, "", &mut found);
        found.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    /// Proves that only the named members are compared, of inner objects too, and a missing one is null.
    #[test]
    fn members_that_are_not_named_may_be_anything() {
        let row = json!({ "action": "rename", "from": "ann", "user": { "id": 7, "roles": ["a", "b"] } });
        let user = &row["user"];
        assert_fields!(row, { "action": "rename", "user": { "id": 7, "email": null }, "reason": null });
        assert_fields!(user, { "roles": ["a", "b"] }, "{} of {}", 1, 2);
    }

    /// Proves that each member that differs is found: another value or type, a missing one, more or fewer items,
    /// items with further members, and what is not an object.
    #[test]
    fn every_member_that_differs_is_named() {
        let row = json!({ "a": 1, "b": { "c": null, "d": "x" }, "e": [{ "f": 1, "g": 2 }], "h": [1, 2] });
        let wanted = json!({ "a": "1", "b": { "c": {}, "d": "y" }, "e": [{ "f": 1 }], "h": [1], "i": false });
        let expected = [
            r#"/a: wanted "1", got 1"#,
            "/b/c: wanted {}, got null",
            r#"/b/d: wanted "y", got "x""#,
            r#"/e: wanted [{"f":1}], got [{"f":1,"g":2}]"#,
            "/h: wanted [1], got [1,2]",
            "/i: wanted false, got null",
        ];
        assert_eq!(lines(&row, &wanted), expected);
        assert_eq!(lines(&Value::Null, &json!({ "a": null })), [r#": wanted {"a":null}, got null"#]);
        assert_eq!(lines(&json!([{ "a": 1 }]), &json!({ "a": 1 })).len(), 1);
    }

    /// Proves that a failure shows the message, the member and the whole value.
    #[test]
    #[should_panic(
        expected = "fields differ: round 3\n  /a: wanted 2, got 1\nvalue: {\n  \"a\": 1,\n  \"b\": \"whole\"\n}"
    )]
    fn a_failure_shows_the_message_the_member_and_the_value() {
        assert_fields!(json!({ "a": 1, "b": "whole" }), { "a": 2 }, "round {}", 3);
    }
}
