//! Documents keep pace with the sources: whatever they name is there.

use std::path::{Path, PathBuf};

use crate::root;

/// The folders in which documents lie.
const FOLDERS: [&str; 3] = ["", "docs", "tests"];

fn documents() -> Vec<PathBuf> {
    let markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let of_folder = |folder: &str| std::fs::read_dir(root().join(folder)).expect("a readable folder");
    let found = FOLDERS.into_iter().flat_map(of_folder).map(|entry| entry.expect("a readable entry").path());
    found.filter(markdown).collect()
}

/// Targets of a document's links: the text between `](` and `)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Proves that every link of a document to a file of the repository leads to one.
#[test]
fn every_link_of_a_document_leads_to_a_file() {
    let mut dead = vec![];
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("documents are UTF-8");
        let folder = path.parent().expect("a file is in a folder");
        let files = links(&text).filter(|link| !link.contains("://") && !link.starts_with('#'));
        let missing = files.filter(|link| !folder.join(link.split('#').next().unwrap_or_default()).exists());
        dead.extend(missing.map(|link| format!("{}: {link}", path.display())));
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// Proves that every path of a recipe is there, so that following one never ends at a file that was moved.
#[test]
fn every_path_of_a_recipe_exists() {
    let text = std::fs::read_to_string(root().join("docs/recipes.md")).expect("the recipes");
    let begins_with = |path: &&str| ["crates/", "tests/", "docs/", "migrations/"].iter().any(|at| path.starts_with(at));
    let paths: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(begins_with).filter(|path| !path.contains('*')).collect();
    assert!(paths.len() > 20, "the recipes name no paths: {paths:?}");
    let missing: Vec<&str> = paths.into_iter().filter(|path| !Path::new(&root().join(path)).exists()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
