//! Errors in words for a terminal and for the log.

use std::error::Error;

use service::Code;

/// Words for an error: the refusal, the wrong fields, what to do, and, for a fault of ours, its causes.
#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub fn of(error: service::Error) -> anyhow::Error {
    let what = error.detail.as_deref().unwrap_or(error.code.detail()).to_owned();
    let fields =
        error.violations.iter().map(|wrong| format!("{} {}", wrong.field.trim_start_matches('/'), wrong.detail));
    let text = std::iter::once(what).chain(fields).collect::<Vec<_>>().join("; ");
    let is_fault = matches!(error.code, Code::Internal | Code::Unavailable);
    let because = if is_fault { format!(" ({})", causes(&error)) } else { String::new() };
    anyhow::anyhow!("{text}{because}. Fix: {}", error.code.fix())
}

/// Causes of an error, the outermost first; empty if there are none.
pub fn causes(error: &dyn Error) -> String {
    let chain = std::iter::successors(error.source(), |&cause| cause.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::Violation;

    /// Proves that a refusal on the command line says what is wrong, in which field, and what to do.
    #[test]
    fn a_refusal_is_told_in_full() {
        let taken = service::Error::new(Code::AccountNameTaken);
        assert_eq!(of(taken).to_string(), "Another account has this name. Fix: Choose another name.");
        let wrong = |field: &str| Violation { field: format!("/{field}"), detail: "is wrong".into() };
        let invalid = service::Error::invalid_all(vec![wrong("a"), wrong("b")]).with_detail("No");
        assert_eq!(
            of(invalid).to_string(),
            "No; a is wrong; b is wrong. Fix: Correct the fields that are listed in errors."
        );
        let fault = service::Error::internal("the disk is full");
        assert!(of(fault).to_string().contains("(the disk is full)"));
    }
}
