//! Examination of the signature engines in use.

use super::finding::Findings;
use crate::config::{Engines, Loaded};

/// Warns if one engine verifies alone: a choice that the operator should remember.
pub fn examine(loaded: &Loaded, findings: &mut Findings) {
    match loaded.values.saml.engines {
        Engines::Both => findings.good("SAML engines", "libxmlsec and bergshamra must both accept, and agree"),
        Engines::Libxmlsec => findings.warning("SAML engines", alone("libxmlsec")),
        Engines::Bergshamra => findings.warning("SAML engines", alone("bergshamra")),
    }
}

fn alone(engine: &str) -> String {
    format!("{engine} verifies alone; a flaw in it is not caught by the other one. Set saml.engines = \"both\"")
}
