//! The identity provider itself: an HTTP server on loopback, with a login form for people and a control API for suites.

mod answer;
mod authn_request;
mod browser;
mod control;
mod fault;
mod metadata;
mod options;
mod page;
mod request_signature;
mod server;
mod state;
mod user;

pub use answer::{Answer, SignIn};
pub use authn_request::RequestError;
pub use fault::{Fault, Faults};
pub use options::{
    DEFAULT_ROLE_ATTRIBUTE, DEFAULT_USERNAME_ATTRIBUTE, EncryptionOptions, NameIdForm, Options, OptionsError,
};
pub use request_signature::SignatureError;
pub use server::{MockIdp, RespondError, RunningIdp, StartError};
pub use state::AnswerError;
pub use user::{User, default_users};
