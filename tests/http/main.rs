//! Vestibule as its users meet it: over HTTP, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test fails it"
)]

mod account_links;
mod account_pairs;
mod account_settings;
mod account_switches;
mod accounts;
mod api_keys;
mod applications;
mod attacks_browsers;
mod attacks_fuzz;
mod attacks_identities;
mod attacks_limits;
mod attacks_logs;
mod attacks_test_sign_ins;
mod attacks_tokens;
mod attempts;
mod audit;
mod authorization;
mod break_glass;
mod break_glass_contract;
mod break_glass_reach;
mod connections;
mod credential_epochs;
mod credentials;
mod discovery;
mod ended_sessions;
mod faults;
mod first_owners;
mod form_login;
mod hostile_responses;
mod identities;
mod invitation_batches;
mod invitations;
mod load;
mod magic_link;
mod mails;
mod mfa;
mod password_resets;
mod passwords;
mod provisioning;
mod proxies;
mod real_world_metadata;
mod real_world_responses;
mod refresh;
mod required_sso;
mod revocation;
mod role_values;
mod roles_set_anew;
mod sandboxes;
mod sessions;
mod sign_in;
mod sso_migrations;
mod sso_readiness;
mod sso_reversals;
mod sso_sign_off;
mod surface;
mod test_sign_ins;
mod tokens;
mod users;
