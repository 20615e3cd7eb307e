//! Habits of the source that no lint checks. The length of functions is clippy's (`too-many-lines-threshold`).

use std::path::{Path, PathBuf};

use crate::root;

/// A longer file has two subjects.
const LONGEST_FILE_IN_LINES: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 11] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "shared", "types", "util", "utilities", "utils"];

/// Marks of unfinished work, written so that this file does not contain them.
const UNFINISHED: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ign", "ore"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
];

/// Every Rust file of the crates and the suites.
pub fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("sources are UTF-8")
}

/// Proves that every source file can be read in one sitting.
#[test]
fn no_source_file_is_too_long() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE_IN_LINES)
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE_IN_LINES} lines: {long:#?}");
}

/// Proves that nothing is left half done, and that no test is switched off.
#[test]
fn no_source_file_holds_unfinished_work() {
    for path in sources() {
        let text = read(&path);
        for mark in UNFINISHED {
            assert!(!text.contains(mark), "{} contains {mark}", path.display());
        }
    }
}

/// Proves that a file or folder is named for what it holds.
#[test]
fn no_module_has_an_empty_name() {
    for path in sources() {
        let relative = path.strip_prefix(root()).expect("sources lie below the root").with_extension("");
        for part in relative.iter().filter_map(|part| part.to_str()) {
            assert!(!EMPTY_NAMES.contains(&part), "{}: {part} says nothing", path.display());
        }
    }
}

/// Parameters of a function that are pairs of values rather than named ones, as they stand in its signature.
fn tuple_parameters(source: &str) -> Vec<String> {
    let mut found = vec![];
    for (at, _) in source.match_indices("fn ") {
        let signature: String = source[at..].chars().take_while(|character| !matches!(character, '{' | ';')).collect();
        let name: String =
            signature[3..].chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
        let parameters = signature.split("->").next().unwrap_or_default();
        let is_pair = ["): (", "): &("].iter().any(|mark| parameters.contains(mark));
        let typed = parameters.split(": (").skip(1).filter_map(|rest| rest.split(')').next());
        let of_equals = typed.filter(|types| types.matches("Id").count() + types.matches("Timestamp").count() > 1);
        if (is_pair && name != "from" && name != "of") || of_equals.count() > 0 {
            found.push(name);
        }
    }
    found
}

/// Proves that values which travel together have names: two ids in a tuple will be swapped one day.
#[test]
fn no_parameter_is_a_tuple() {
    let crates = root().join("crates");
    let product = sources().into_iter().filter(|path| path.starts_with(&crates));
    let found: Vec<(PathBuf, Vec<String>)> = product
        .map(|path| (path.clone(), tuple_parameters(&read(&path))))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    assert_eq!(tuple_parameters("fn f(&self, (a, b): (AId, BId)) -> X {"), ["f"], "the search finds nothing");
    assert!(found.is_empty(), "{found:#?}");
}
