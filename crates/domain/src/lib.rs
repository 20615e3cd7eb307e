//! The rules of Vestibule as functions over values.
//!
//! What it is for: the words of the product (account, user, role, application, session, SAML connection) and every
//! decision about them that can be made from facts alone: is this name valid, may this role do that, whom does an
//! asserted identity stand for, which roles does a sign-in leave, may this refresh token be rotated.
//!
//! What it does not know: HTTP, SQL, XML, time, randomness. `now`, ids and random bytes come in as arguments, so each
//! decision can be tested as a table.
//!
//! How to add one more noun: a module of its name, newtypes that cannot hold an invalid value (`parse` returns a
//! small error enum whose `Display` names the problem and the fix), and `decide` functions that take `now` and
//! facts. Then a file of the same name in `storage` (its rows), in `service` (its use-cases) and in `api/routes`
//! (its wire form).

mod guessability;
mod id;
mod named;

pub mod account;
pub mod account_link;
pub mod account_pair;
pub mod account_settings;
pub mod account_switch;
pub mod api_key;
pub mod application;
pub mod audit;
pub mod authorization_code;
pub mod branding;
pub mod break_glass;
pub mod credential_epoch;
pub mod direct_sign_in;
pub mod directory;
pub mod email;
pub mod form_login;
pub mod idempotency;
pub mod invitation;
pub mod language;
pub mod login_slowdown;
pub mod magic_link;
pub mod mail;
pub mod mfa_code;
pub mod network;
pub mod one_time_link;
pub mod operator_key;
pub mod owner_invitation;
pub mod password;
pub mod password_reset;
pub mod pkce;
pub mod portal;
pub mod role;
pub mod secret;
pub mod session;
pub mod sign_in_attempt;
pub mod signing_key;
pub mod sso;
pub mod sso_migration;
pub mod sso_readiness;
pub mod text;
pub mod throttle;
pub mod user;
pub mod username;

pub use id::{
    AccountId, AccountLinkId, AccountPairId, ApiKeyId, ApplicationId, AttemptId, AuditEventId, ConnectionId, IdError,
    InvitationBatchId, InvitationId, MailBatchId, MailId, OperatorKeyId, SessionId, SigningKeyId, SpKeyId,
    SsoMigrationId, UserId,
};
