//! A problem as a plain page, for a person whose browser was sent here by an identity provider (D4).

use super::ProblemDocument;
use crate::page::{PlainPage, plain_page};

/// The page: our own words, the attempt and the request by name. It repeats nothing of what the request held.
pub fn error_page(problem: &ProblemDocument) -> String {
    let attempt = problem.attempt_id.as_deref().map(|id| ("Attempt", id));
    let told: Vec<(&str, &str)> =
        [("Code", problem.code)].into_iter().chain(attempt).chain([("Request", problem.request_id.as_str())]).collect();
    plain_page(&PlainPage { title: problem.title, heading: &problem.detail, text: problem.fix }, &told)
}
