//! Which signature engines guard the door.

use super::finding::Findings;
use crate::config::{Engines, Loaded};

/// One engine alone is a choice that somebody should remember having made.
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
