//! The families of the use-cases: folders of `crates/service/src` that name what they use, without circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::root;
use crate::sources::{read, sources};

/// Line of a family's documentation that names what it uses.
const USES: &str = "//! Uses: ";
/// Most files that a newcomer sees beside the families' folders: `lib.rs`, and each family's own.
const FAMILIES_MOST: usize = 10;

/// References between the families, by what the sources of each name.
fn references() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("crates/service/src");
    let library = read(&folder.join("lib.rs"));
    let module = |line: &str| Some(line.trim().strip_prefix("mod ")?.strip_suffix(';')?.to_owned());
    let families: BTreeSet<String> = library.lines().filter_map(module).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> =
        families.iter().map(|family| (family.clone(), BTreeSet::new())).collect();
    for path in sources() {
        let Ok(inside) = path.strip_prefix(&folder) else { continue };
        let first = inside.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
        let own = first.trim_end_matches(".rs").to_owned();
        let Some(uses) = found.get_mut(&own) else { continue };
        let text = read(&path);
        let named = families.iter().filter(|family| **family != own && text.contains(&format!("crate::{family}::")));
        uses.extend(named.cloned());
    }
    found
}

/// Proves that each family names the others that it uses, and no more than those.
#[test]
fn each_family_names_what_it_uses() {
    let found = references();
    assert!(found.len() > 5 && found.len() <= FAMILIES_MOST, "{:?}", found.keys());
    for (family, uses) in found {
        let text = read(&root().join(format!("crates/service/src/{family}.rs")));
        let line = text.lines().find_map(|line| line.strip_prefix(USES)?.strip_suffix('.'));
        let named: BTreeSet<String> = line
            .unwrap_or_default()
            .split(", ")
            .filter(|name| *name != "nothing")
            .map(|name| name.trim_matches('`').to_owned())
            .collect();
        assert_eq!(named, uses, "{family}.rs says \"{USES}…\"");
    }
}

/// Proves that no family uses one that uses it in turn: one after the other can be understood by itself.
#[test]
fn families_have_no_circles() {
    let mut left = references();
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, uses)| uses.iter().all(|used| !left.contains_key(used)))
            .map(|(family, _)| family.clone())
            .collect();
        assert!(!free.is_empty(), "these use each other in a circle: {left:?}");
        left.retain(|family, _| !free.contains(family));
    }
}

/// Proves that reasons and checks are types where something is decided by them: neither the verification of messages nor
/// the use-cases take or keep one as text. (Actions and codes of the log and the catalogue have no other constructor.)
#[test]
fn reasons_are_types() {
    let folders = ["crates/saml/src", "crates/service/src"].map(|folder| root().join(folder));
    let mut found = vec![];
    for path in sources().iter().filter(|path| folders.iter().any(|folder| path.starts_with(folder))) {
        let text = read(path);
        let by_name = |line: &&str| {
            let field = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            ["reason: ", "check: "].iter().any(|name| {
                let kind = field.strip_prefix(name).unwrap_or_default().trim_start_matches("Option<");
                ["&'static str", "&str", "&'a str", "String"].iter().any(|text| kind.starts_with(text))
            })
        };
        found.extend(text.lines().filter(by_name).map(|line| format!("{}: {line}", path.display())));
    }
    assert!(found.is_empty(), "{found:#?}");
}
