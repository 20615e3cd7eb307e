//! Findings of the doctor, by level and subject.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Note,
    Warning,
    Failure,
}

/// Findings in the order in which it was looked at.
#[derive(Debug, Default)]
pub struct Findings(Vec<(Level, &'static str, String)>);

impl Findings {
    /// Adds that something is as it should be.
    pub fn good(&mut self, subject: &'static str, text: impl Into<String>) {
        self.0.push((Level::Good, subject, text.into()));
    }

    /// Adds a finding that is worth knowing.
    pub fn note(&mut self, subject: &'static str, text: impl Into<String>) {
        self.0.push((Level::Note, subject, text.into()));
    }

    /// Adds that something works, and deserves a look.
    pub fn warning(&mut self, subject: &'static str, text: impl Into<String>) {
        self.0.push((Level::Warning, subject, text.into()));
    }

    /// Adds that something does not work.
    pub fn failure(&mut self, subject: &'static str, text: impl Into<String>) {
        self.0.push((Level::Failure, subject, text.into()));
    }

    /// Whether anything does not work.
    pub fn hold_a_failure(&self) -> bool {
        self.0.iter().any(|(level, _, _)| *level == Level::Failure)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, subject, text) in &self.0 {
            let mark = match level {
                Level::Good => "ok",
                Level::Note => "note",
                Level::Warning => "warning",
                Level::Failure => "FAILURE",
            };
            writeln!(f, "{mark:<8} {subject}: {text}")?;
        }
        Ok(())
    }
}
