//! Every query there is, for the conformance suite.

use crate::sql::Query;

macro_rules! modules {
    ($($module:ident),* $(,)?) => {
        /// The queries of each module. A module that declares queries and is missing here fails the conformance suite.
        pub const QUERIES: &[(&str, &[Query])] = &[$((stringify!($module), crate::$module::QUERIES)),*];
    };
}

modules!(
    account_links,
    account_pairs,
    accounts,
    api_keys,
    applications,
    audit_events,
    authorization_codes,
    branding,
    break_glass,
    connections,
    direct_sign_ins,
    housekeeping,
    idempotency,
    installation,
    invitations,
    known_logins,
    mfa_codes,
    one_time_links,
    operator_keys,
    password_credentials,
    outbox,
    pending_sign_ins,
    refresh_tokens,
    rewrites,
    sessions,
    sign_in_attempts,
    signing_keys,
    sp_keys,
    sso_migration_effects,
    sso_migration_rows,
    sso_migrations,
    sso_readiness,
    test_sign_ins,
    throttles,
    users,
);
