//! One file per resource: its wire types and its handlers.

mod account_links;
mod account_pairs;
mod account_settings;
mod account_switches;
mod accounts;
mod answer;
mod api_keys;
mod applications;
mod audit_events;
mod authorization_request;
mod branding;
mod break_glass;
pub mod documents;
mod form_sign_ins;
mod invitation_acceptance;
mod invitation_batches;
mod invitations;
mod login;
mod magic_link_sign_ins;
mod mailbox;
mod mails;
mod me;
mod merged;
mod names;
mod oauth;
mod operation;
mod password_resets;
mod saml;
mod saml_connection_settings;
mod saml_connections;
mod sessions;
mod shared_applications;
mod sign_in_attempts;
mod sp_keys;
mod sso_migration_rows;
mod sso_migrations;
mod sso_readiness;
mod test_sign_ins;
mod user_imports;
mod users;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every operation. A path is looked for in this order, each pattern with a regular expression, so the
/// operations that people wait for stand first.
pub fn register(config: &mut ServiceConfig<'_>) {
    oauth::register(config);
    login::register(config);
    saml::register(config);
    form_sign_ins::register(config);
    magic_link_sign_ins::register(config);
    me::register(config);
    account_switches::register(config);
    account_pairs::register(config);
    operation::register(config);
    accounts::register(config);
    account_settings::register(config);
    account_links::register(config);
    users::register(config);
    user_imports::register(config);
    invitations::register(config);
    invitation_batches::register(config);
    invitation_acceptance::register(config);
    api_keys::register(config);
    applications::register(config);
    shared_applications::register(config);
    saml_connections::register(config);
    sp_keys::register(config);
    sso_readiness::register(config);
    sso_migrations::register(config);
    sso_migration_rows::register(config);
    test_sign_ins::register(config);
    sign_in_attempts::register(config);
    sessions::register(config);
    audit_events::register(config);
    branding::register(config);
    mails::register(config);
    mailbox::register(config);
    break_glass::register(config);
    password_resets::register(config);
    documents::register(config);
    saml::register_resembling(config);
}
