//! Stand-in for a mail server until there is one: every mail waits.

use async_trait::async_trait;
use service::ports::{Delivery, Mailer, RenderedMail};

/// Sends nothing, and says why.
pub struct UnconfiguredMailer;

#[async_trait]
impl Mailer for UnconfiguredMailer {
    async fn send(&self, _: &RenderedMail) -> Delivery {
        Delivery::Unavailable("no mail server is configured (mail.host)".into())
    }

    async fn rest(&self) {}

    fn is_configured(&self) -> bool {
        false
    }
}
