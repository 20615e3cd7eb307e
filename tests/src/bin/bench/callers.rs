//! Callers who send at once, each from an address of its own.

use std::sync::Arc;

use reqwest::RequestBuilder;
use tests::client::Answer;
use tokio::task::JoinSet;

/// Requests under way at once: enough to keep the server busy, few enough not to make it wait for itself.
const AT_ONCE: usize = 8;

/// Sends one request for each item and gives the answers in the same order; they must have this status.
pub async fn send_all<T, F>(items: Vec<T>, status: u16, request: F) -> Vec<Answer>
where
    T: Send + Sync + 'static,
    F: Fn(&T) -> RequestBuilder + Send + Sync + 'static,
{
    let (items, request) = (Arc::new(items), Arc::new(request));
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let (items, request) = (Arc::clone(&items), Arc::clone(&request));
        callers.spawn(async move {
            let mut answers = Vec::new();
            for index in (caller..items.len()).step_by(AT_ONCE) {
                let call = request(&items[index]).header("x-forwarded-for", address(index));
                let answer = Answer::of(call).await;
                assert_eq!(answer.status, status, "{}", answer.text);
                answers.push((index, answer));
            }
            answers
        });
    }
    let mut answers: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// An address that no other call of the same phase comes from.
fn address(index: usize) -> String {
    format!("10.{}.{}.{}", index >> 16 & 255, index >> 8 & 255, index & 255)
}
