//! Delivery of mails: to a mail server, in development into a mailbox, and nowhere until one is configured.

mod mailbox;
mod smtp;
mod unconfigured;

pub use mailbox::InMemoryMailbox;
pub use smtp::{Security, SmtpMailer, SmtpSettings, SmtpSetupError};
pub use unconfigured::UnconfiguredMailer;
