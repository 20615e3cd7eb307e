//! The mailbox of development: every mail is delivered into it, and can be read by the API.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use service::ports::{Delivery, Mailbox, Mailer, RenderedMail};

/// Most mails that are kept, of some ten kilobytes each; a person looks at the newest.
const KEPT_MAX: usize = 1_000;

/// Keeps mails in memory; clones share them.
#[derive(Clone, Default)]
pub struct InMemoryMailbox(Arc<Mutex<VecDeque<RenderedMail>>>);

impl InMemoryMailbox {
    fn kept(&self) -> MutexGuard<'_, VecDeque<RenderedMail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for InMemoryMailbox {
    async fn send(&self, mail: &RenderedMail) -> Delivery {
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(mail.clone());
        Delivery::Delivered
    }

    async fn rest(&self) {}
}

impl Mailbox for InMemoryMailbox {
    fn mails(&self) -> Vec<RenderedMail> {
        self.kept().iter().cloned().collect()
    }

    fn clear(&self) {
        self.kept().clear();
    }
}
