//! Dependencies between the crates, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::root;

/// All the arrows there are between the product's crates. The tests' are left out: they may see everything.
const ARROWS: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("saml", &[]),
    ("mock-idp", &[]),
    ("storage", &["domain"]),
    ("service", &["domain", "saml", "storage"]),
    ("api", &["service", "domain"]),
    ("server", &["api", "service", "storage", "domain", "mock-idp"]),
];

/// Outside crates that only the listed crates may name, in any kind of dependency.
const ONLY_NAMED_BY: [(&str, &[&str]); 7] = [
    ("sqlx", &["storage", "tests"]),
    ("actix-web", &["api", "mock-idp", "tests"]),
    ("utoipa", &["api"]),
    ("libxml", &["saml"]),
    ("bergshamra", &["saml"]),
    ("quick-xml", &["saml", "mock-idp"]),
    ("reqwest", &["server", "tests"]),
];

fn members() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata describes the workspace");
    metadata.packages
}

/// The crates that the product is made of.
fn product() -> impl Iterator<Item = Package> {
    let folder = root().join("crates");
    members().into_iter().filter(move |package| package.manifest_path.as_std_path().starts_with(&folder))
}

/// The crates of this workspace that `package` needs when it is built, not only when it is tested.
fn arrows_of(package: &Package) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some() && dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.clone())
        .collect()
}

fn name_set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Proves that the crates and their arrows are those of ARCHITECTURE.md, no more and no fewer.
#[test]
fn the_crates_depend_on_each_other_as_drawn() {
    let found: BTreeMap<String, BTreeSet<String>> =
        product().map(|package| (package.name.to_string(), arrows_of(&package))).collect();
    let drawn: BTreeMap<String, BTreeSet<String>> =
        ARROWS.iter().map(|(name, to)| ((*name).to_owned(), name_set(to))).collect();
    assert_eq!(found, drawn);
}

/// Proves that no crate reaches upwards in its unit tests either: what needs the crates above it is a suite.
/// `mock-idp` may be named there: it stands for a server of another party.
#[test]
fn development_dependencies_point_the_same_way() {
    let allowed: BTreeMap<&str, BTreeSet<String>> = ARROWS.iter().map(|(name, to)| (*name, name_set(to))).collect();
    for package in product() {
        let downwards = &allowed[package.name.as_str()];
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let name = &dependency.name;
            let fine = downwards.contains(name) || name == "mock-idp";
            assert!(fine, "{} must not name {name}, not even for its tests", package.name);
        }
    }
}

/// Proves that SQL, HTTP, OpenAPI, the signature engines, XML and outgoing HTTP each have their home.
#[test]
fn each_outside_technology_is_named_by_its_own_crate_alone() {
    let owners: BTreeMap<&str, &[&str]> = ONLY_NAMED_BY.into_iter().collect();
    for package in members() {
        for dependency in &package.dependencies {
            if let Some(allowed) = owners.get(dependency.name.as_str()) {
                let fine = allowed.contains(&package.name.as_str());
                assert!(fine, "{} must not name {}: only {allowed:?} may", package.name, dependency.name);
            }
        }
    }
}

/// Proves that no crate leaves the workspace's lints: a crate has to take them in its own manifest.
#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in members() {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
    }
}
