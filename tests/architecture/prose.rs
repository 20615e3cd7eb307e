//! The words that people read (docs/style.md), as far as a program can judge them.

use serde_json::Value;

use crate::root;
use crate::sources::{read, sources};

/// First words that say nothing yet. "Whether" is fine: it is how the documentation of a boolean begins.
const QUESTION_WORDS: [&str; 10] = ["What", "Who", "Whose", "Whom", "Which", "How", "Where", "When", "Why", "Of"];
/// Most doc comments in a hundred that may begin with one.
const QUESTIONS_PERCENT: usize = 3;
/// Fewest words that describe something of the API.
const FEWEST_WORDS: usize = 4;

/// Whether a text begins with a question word.
fn asks(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    QUESTION_WORDS.contains(&first)
}

/// The doc comments of a source, each as its first line.
fn first_lines(source: &str) -> Vec<&str> {
    let comment =
        |line: &'_ str| ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark).map(str::len));
    let mut found = vec![];
    let mut inside = false;
    for line in source.lines() {
        match comment(line) {
            Some(length) if !inside => found.push(line[line.len() - length..].trim()),
            _ => {}
        }
        inside = comment(line).is_some();
    }
    found
}

/// Proves that doc comments begin with a noun or a verb: a reader scans first words.
#[test]
fn few_doc_comments_begin_with_a_question_word() {
    let texts: Vec<String> = sources().iter().map(|path| read(path)).collect();
    let comments: Vec<&str> = texts.iter().flat_map(|text| first_lines(text)).collect();
    let asking: Vec<&&str> = comments.iter().filter(|comment| asks(comment)).collect();
    assert!(comments.len() > 5_000, "the doc comments were not found");
    assert!(
        asking.len() * 100 < comments.len() * QUESTIONS_PERCENT,
        "{} of {}: {asking:#?}",
        asking.len(),
        comments.len()
    );
}

/// Proves that each description of the API says more than its name does.
#[test]
fn every_description_of_the_api_has_some_words() {
    let document: Value = serde_json::from_str(&read(&root().join("openapi/openapi.json"))).expect("JSON");
    let (mut short, mut found) = (vec![], 0);
    collect(&document, &mut |description| {
        found += 1;
        if description.split_whitespace().count() < FEWEST_WORDS || asks(description) {
            short.push(description.to_owned());
        }
    });
    assert!(found > 1_000, "the descriptions were not found");
    assert!(short.is_empty(), "these have fewer than {FEWEST_WORDS} words, or begin with a question word: {short:#?}");
}

fn collect(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "description" => take(text),
                    _ => collect(field, take),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, take)),
        _ => {}
    }
}
