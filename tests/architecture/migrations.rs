//! Both engines go through the same steps.

use std::collections::BTreeSet;

use crate::root;

fn migrations_of(engine: &str) -> BTreeSet<String> {
    let folder = root().join("migrations").join(engine);
    std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("names are UTF-8"))
        .collect()
}

/// Proves that each migration exists for both engines, under one number and one name.
#[test]
fn both_engines_have_the_same_migrations() {
    let sqlite = migrations_of("sqlite");
    assert!(!sqlite.is_empty(), "there is no migration at all");
    assert_eq!(sqlite, migrations_of("postgres"));
}

/// Proves that migrations are named `NNNN_what.sql` and numbered from 0001 with neither gap nor twin.
#[test]
fn migrations_are_numbered_without_gaps() {
    let names = migrations_of("sqlite");
    for (number, name) in (1..).zip(&names) {
        let expected = format!("{number:04}_");
        assert!(name.starts_with(&expected), "{name} should start with {expected}");
        let what = name[expected.len()..].strip_suffix(".sql").unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(!what.is_empty() && what.chars().all(plain), "{name} does not say what it does");
    }
}
