-- Generated from the migrations by `./dev generate`.

CREATE TABLE account_branding (
    account_id BLOB NOT NULL,
    settings TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT account_branding_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_branding_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE account_links (
    account_id BLOB NOT NULL,
    other_account_id BLOB NOT NULL,
    id BLOB NOT NULL, -- of the link: the same on both sides
    relation TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    accepted_at INTEGER,
    CONSTRAINT account_links_pkey PRIMARY KEY (account_id, other_account_id),
    CONSTRAINT account_links_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT account_links_other_account_fkey FOREIGN KEY (other_account_id) REFERENCES accounts (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_names (
    name TEXT NOT NULL, -- in lower case
    account_id BLOB NOT NULL,
    released_at INTEGER, -- none for the account's present name
    CONSTRAINT account_names_pkey PRIMARY KEY (name),
    CONSTRAINT account_names_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_names_account_idx ON account_names (account_id);

CREATE TABLE account_pairs (
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    other_account_id BLOB NOT NULL,
    other_user_id BLOB NOT NULL,
    id BLOB NOT NULL, -- of the pair: the same on both sides
    credential_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT account_pairs_pkey PRIMARY KEY (account_id, user_id, other_account_id),
    CONSTRAINT account_pairs_id_key UNIQUE (account_id, id),
    CONSTRAINT account_pairs_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_other_user_fkey
        FOREIGN KEY (other_account_id, other_user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_link_fkey FOREIGN KEY (account_id, other_account_id)
        REFERENCES account_links (account_id, other_account_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX account_pairs_other_user_idx ON account_pairs (other_account_id, other_user_id);

CREATE TABLE accounts (
    id BLOB NOT NULL,
    name TEXT NOT NULL, -- in lower case
    display_name TEXT NOT NULL,
    search_text TEXT NOT NULL, -- name and display name, normalized
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}', -- what its owners set
    sandbox_of BLOB, -- the account that a sandbox was made in
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_name_key UNIQUE (name)
) STRICT;

CREATE INDEX accounts_sandbox_of_idx ON accounts (sandbox_of) WHERE sandbox_of IS NOT NULL;

CREATE TABLE api_keys (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hint TEXT NOT NULL, -- the beginning of the key
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER, -- to the hour
    CONSTRAINT api_keys_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE TABLE application_origins (
    application_id BLOB NOT NULL,
    account_id BLOB,
    origin TEXT NOT NULL,
    CONSTRAINT application_origins_pkey PRIMARY KEY (application_id, origin),
    CONSTRAINT application_origins_application_fkey
        FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX application_origins_origin_idx ON application_origins (origin);

CREATE TABLE applications (
    id BLOB NOT NULL,
    account_id BLOB, -- none for one that all accounts share
    portal TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    is_default INTEGER NOT NULL CONSTRAINT applications_is_default_check CHECK (is_default IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT applications_pkey PRIMARY KEY (id),
    CONSTRAINT applications_account_id_key UNIQUE (account_id, id),
    CONSTRAINT applications_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE UNIQUE INDEX applications_default_key ON applications (account_id, portal) WHERE is_default;

CREATE UNIQUE INDEX applications_shared_default_key ON applications (portal) WHERE is_default AND account_id IS NULL;

CREATE TABLE audit_events (
    id BLOB NOT NULL,
    account_id BLOB, -- none for what concerns the installation
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    changes TEXT NOT NULL,
    client_address TEXT,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX audit_events_account_idx ON audit_events (account_id, id);

CREATE TABLE idempotency_records (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request_digest BLOB NOT NULL,
    resource TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT idempotency_records_pkey PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_records_created_at_idx ON idempotency_records (created_at);

CREATE TABLE installation (
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (key)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    user_id BLOB NOT NULL,
    batch_id BLOB,
    username TEXT NOT NULL,
    email TEXT,
    search_text TEXT NOT NULL, -- username, email and display name, normalized
    invited_by BLOB, -- none for an operator
    invited_at INTEGER NOT NULL,
    mailed_at INTEGER, -- the last mail; none while it is staged
    expires_at INTEGER,
    sends INTEGER NOT NULL,
    accepted_at INTEGER,
    accepted_method TEXT,
    revoked_at INTEGER,
    -- The invitation of an account's first owner, whose link sets a password whatever the SSO mode is.
    first_owner INTEGER NOT NULL DEFAULT 0 CONSTRAINT invitations_first_owner_check CHECK (first_owner IN (0, 1)),
    -- Names of the user of a revoked invitation: just-in-time provisioning does not bring this user back.
    revoked_username TEXT,
    revoked_email TEXT,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_account_id_key UNIQUE (account_id, id),
    CONSTRAINT invitations_user_key UNIQUE (account_id, user_id),
    CONSTRAINT invitations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX invitations_batch_idx ON invitations (account_id, batch_id, id);

CREATE INDEX invitations_first_owner_idx ON invitations (account_id, id) WHERE first_owner;

CREATE INDEX invitations_revoked_email_idx ON invitations (account_id, portal, revoked_email)
    WHERE revoked_email IS NOT NULL;

CREATE INDEX invitations_revoked_username_idx ON invitations (account_id, portal, revoked_username)
    WHERE revoked_username IS NOT NULL;

CREATE TABLE known_logins (
    digest BLOB NOT NULL, -- SHA-256 of what was typed and the network
    seen_at INTEGER NOT NULL,
    CONSTRAINT known_logins_pkey PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_logins_seen_at_idx ON known_logins (seen_at);

CREATE TABLE mfa_codes (
    attempt_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    digest BLOB NOT NULL, -- of the code together with the sign-in's pending token, which is not stored
    tries INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    credential_epoch INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT mfa_codes_pkey PRIMARY KEY (account_id, attempt_id),
    CONSTRAINT mfa_codes_attempt_fkey
        FOREIGN KEY (account_id, attempt_id) REFERENCES sign_in_attempts (account_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE one_time_links (
    digest BLOB NOT NULL,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    purpose TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_reason TEXT,
    credential_epoch INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT one_time_links_pkey PRIMARY KEY (digest),
    CONSTRAINT one_time_links_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_links_expires_at_idx ON one_time_links (expires_at);

CREATE INDEX one_time_links_user_idx ON one_time_links (account_id, user_id, purpose, created_at);

CREATE TABLE operator_keys (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT operator_keys_pkey PRIMARY KEY (id),
    CONSTRAINT operator_keys_digest_key UNIQUE (digest)
) STRICT;

CREATE TABLE outbox (
    id BLOB NOT NULL,
    account_id BLOB, -- none for what concerns no account
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sealed_message BLOB, -- erased when it is delivered or of no use any more
    state TEXT NOT NULL,
    urgent INTEGER NOT NULL CONSTRAINT outbox_urgent_check CHECK (urgent IN (0, 1)),
    attempts INTEGER NOT NULL,
    due_at INTEGER, -- while it is being sent, when it may be taken for lost; none once it is settled
    last_error TEXT,
    expires_at INTEGER,
    settled_at INTEGER,
    created_at INTEGER NOT NULL,
    batch_id BLOB,
    user_id BLOB, -- whose secret it carries, where that is made when it is sent
    credential_epoch INTEGER, -- none where a mail carries nothing that lets a user in
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX outbox_due_idx ON outbox (urgent, due_at, id, account_id) WHERE due_at IS NOT NULL;

CREATE INDEX outbox_settled_at_idx ON outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE INDEX outbox_state_idx ON outbox (state, id);

CREATE TABLE outbox_batches (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    sealed_message BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT outbox_batches_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_batches_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE TABLE password_credentials (
    user_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    hash TEXT NOT NULL, -- in PHC form: algorithm, parameters, salt and argon2id's output
    must_change INTEGER NOT NULL CONSTRAINT password_credentials_must_change_check CHECK (must_change IN (0, 1)),
    set_at INTEGER NOT NULL,
    expires_at INTEGER, -- a temporary password stops working; one that the user chose does not
    drilled_at INTEGER, -- the last break-glass drill that proved this password and its user's mail
    CONSTRAINT password_credentials_pkey PRIMARY KEY (account_id, user_id),
    CONSTRAINT password_credentials_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE pending_rewrites (
    name TEXT NOT NULL,
    CONSTRAINT pending_rewrites_pkey PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh_tokens (
    digest BLOB NOT NULL,
    account_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    rotated_at INTEGER,
    -- What the repetition gives; erased with the grace, or when the successor is rotated itself.
    sealed_successor BLOB,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT refresh_tokens_session_fkey
        FOREIGN KEY (account_id, session_id) REFERENCES sessions (account_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX refresh_tokens_live_key ON refresh_tokens (session_id) WHERE rotated_at IS NULL;

CREATE INDEX refresh_tokens_sealed_successor_idx ON refresh_tokens (rotated_at) WHERE sealed_successor IS NOT NULL;

CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (account_id, session_id);

CREATE TABLE saml_connections (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    sp_hash TEXT NOT NULL,
    mode TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The last test that would have let a user in, and the version of the connection that it was of.
    tested_at INTEGER,
    tested_version INTEGER,
    CONSTRAINT saml_connections_pkey PRIMARY KEY (id),
    CONSTRAINT saml_connections_account_id_key UNIQUE (account_id, id),
    CONSTRAINT saml_connections_portal_key UNIQUE (account_id, portal),
    CONSTRAINT saml_connections_sp_hash_key UNIQUE (sp_hash),
    CONSTRAINT saml_connections_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE TABLE sessions (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    application_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    method TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    external_roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    refreshed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_reason TEXT,
    -- The user of another account whose session this one was switched from.
    home_account_id BLOB,
    home_user_id BLOB,
    credential_epoch INTEGER NOT NULL DEFAULT 0,
    home_credential_epoch INTEGER,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sessions_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sessions_application_fkey
        FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX sessions_application_idx ON sessions (application_id);

CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

CREATE INDEX sessions_home_idx ON sessions (home_account_id, home_user_id) WHERE home_account_id IS NOT NULL;

CREATE INDEX sessions_user_idx ON sessions (account_id, user_id, id);

CREATE TABLE sign_in_attempts (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    connection_id BLOB,
    application_id BLOB,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    outcome TEXT NOT NULL,
    failure TEXT,
    entered_email TEXT,
    user_id BLOB,
    warnings TEXT NOT NULL,
    saml_message TEXT,
    client_address TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- What waits: found by the id that its handle and its request carry. Its application is read anew when the answer
    -- comes, so no row of it is locked meanwhile.
    request_id TEXT,
    handle_digest BLOB, -- of what the browser carries meanwhile
    redirect_uri TEXT,
    state TEXT,
    code_challenge TEXT,
    expires_at INTEGER,
    assertion_digest BLOB, -- SHA-256 of the assertion's ID, whose length the identity provider chooses
    -- What came of it: the code, what it grants, and the session it was exchanged for. A code lives for a minute.
    code_digest BLOB,
    code_issued_at INTEGER,
    method TEXT,
    auth_time INTEGER,
    external_roles TEXT,
    session_not_on_or_after INTEGER,
    session_id BLOB,
    awaits TEXT, -- what comes after the right password: a code, or another password
    -- What a test sign-in found. Neither a test nor a break-glass drill ever becomes a code or a session.
    findings TEXT CONSTRAINT sign_in_attempts_test_check CHECK (
        kind NOT IN ('test', 'break_glass_drill')
        OR (code_digest IS NULL AND session_id IS NULL AND awaits IS NULL)),
    -- The user of another account whose session a switch began from.
    home_account_id BLOB,
    home_user_id BLOB,
    -- When the identity provider issued the assertion that a sign-in used up: an older one, used later, does not undo
    -- what a newer one said of its user's roles. Only set where a sign-in of a user used the assertion.
    assertion_issued_at INTEGER,
    -- The epochs of a pending step, and of the code that comes of it.
    credential_epoch INTEGER NOT NULL DEFAULT 0,
    home_credential_epoch INTEGER,
    client_key TEXT, -- the networks of the address, which sort side by side
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT sign_in_attempts_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sign_in_attempts_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX sign_in_attempts_assertion_issued_idx ON sign_in_attempts (account_id, user_id, assertion_issued_at)
    WHERE assertion_issued_at IS NOT NULL;

CREATE UNIQUE INDEX sign_in_attempts_assertion_key ON sign_in_attempts (connection_id, assertion_digest)
    WHERE assertion_digest IS NOT NULL;

CREATE INDEX sign_in_attempts_refused_form_idx ON sign_in_attempts (account_id, started_at, client_key)
    WHERE user_id IS NULL AND connection_id IS NULL;

CREATE INDEX sign_in_attempts_unlinked_idx ON sign_in_attempts (connection_id, started_at, client_key)
    WHERE user_id IS NULL;

CREATE TABLE signing_keys (
    id BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
) STRICT;

CREATE UNIQUE INDEX signing_keys_active_key ON signing_keys (state) WHERE state = 'active';

CREATE TABLE sp_keys (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    certificate_der BLOB NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    retires_at INTEGER,
    CONSTRAINT sp_keys_pkey PRIMARY KEY (id),
    CONSTRAINT sp_keys_connection_fkey
        FOREIGN KEY (account_id, connection_id) REFERENCES saml_connections (account_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX sp_keys_connection_idx ON sp_keys (account_id, connection_id, created_at);

CREATE TABLE sso_migration_rows (
    account_id BLOB NOT NULL,
    migration_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    version INTEGER NOT NULL, -- of the user whom the plan saw
    action TEXT NOT NULL,
    details TEXT NOT NULL,
    choices TEXT NOT NULL,
    before_snapshot TEXT NOT NULL,
    after_username TEXT,
    after_username_normalized TEXT,
    after_email TEXT,
    after_email_normalized TEXT,
    after_recovery_email TEXT,
    after_status TEXT,
    after_assigned_roles TEXT,
    after_exempt INTEGER CONSTRAINT sso_migration_rows_after_exempt_check CHECK (after_exempt IN (0, 1)),
    search_from INTEGER NOT NULL, -- where the search text goes on after the username
    tombstone TEXT, -- what the username gives way to, so that another user can have it
    mail_kind TEXT,
    mail_id BLOB,
    message_id TEXT,
    -- Whether the row voids what was issued to its user.
    voids INTEGER NOT NULL DEFAULT 0 CONSTRAINT sso_migration_rows_voids_check CHECK (voids IN (0, 1)),
    CONSTRAINT sso_migration_rows_pkey PRIMARY KEY (account_id, migration_id, user_id),
    CONSTRAINT sso_migration_rows_migration_fkey
        FOREIGN KEY (account_id, migration_id) REFERENCES sso_migrations (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sso_migrations (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    reverts BLOB, -- the migration that this one puts back
    options TEXT NOT NULL,
    decisions TEXT NOT NULL,
    digest TEXT NOT NULL,
    counts TEXT NOT NULL,
    blockers TEXT NOT NULL,
    created_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    signed_off_by BLOB,
    signed_off_at INTEGER,
    sign_off_expires_at INTEGER,
    applied_by BLOB,
    applied_at INTEGER,
    effects TEXT, -- what applying it did beside its rows
    -- An owner's word for a connection that no test sign-in has proved, and the version of it that the word is for.
    sign_off_override_reason TEXT,
    sign_off_override_version INTEGER,
    CONSTRAINT sso_migrations_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sso_migrations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE TABLE throttles (
    digest BLOB NOT NULL, -- SHA-256 of what is slowed down: an identity, an address, or one at the other
    clear_at INTEGER NOT NULL, -- when nothing is held against it any more
    CONSTRAINT throttles_pkey PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_clear_at_idx ON throttles (clear_at);

CREATE TABLE users (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    username TEXT NOT NULL,
    username_normalized TEXT NOT NULL,
    email TEXT,
    email_normalized TEXT,
    display_name TEXT,
    search_text TEXT NOT NULL, -- username, email and display name, normalized
    status TEXT NOT NULL,
    assigned_roles TEXT NOT NULL, -- arrays of names; beside the user, so that a sign-in reads and writes one row
    saml_roles TEXT NOT NULL,
    last_sign_in_at INTEGER,
    last_sign_in_method TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- An owner who gets in by form login, whatever the SSO mode is.
    break_glass INTEGER NOT NULL DEFAULT 0 CONSTRAINT users_break_glass_check CHECK (break_glass IN (0, 1)),
    recovery_email TEXT, -- where mail reaches a user who lost their mailbox
    -- Whether form logins ask for a mailed code, whatever the account's settings are.
    require_email_mfa INTEGER NOT NULL DEFAULT 0
        CONSTRAINT users_require_email_mfa_check CHECK (require_email_mfa IN (0, 1)),
    -- A user who keeps form login where SSO is required.
    exempt INTEGER NOT NULL DEFAULT 0 CONSTRAINT users_exempt_check CHECK (exempt IN (0, 1)),
    -- What is issued to a user is stamped with this number, and counts for nothing under another one.
    credential_epoch INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_account_id_key UNIQUE (account_id, id),
    CONSTRAINT users_username_key UNIQUE (account_id, portal, username_normalized),
    CONSTRAINT users_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX users_email_idx ON users (account_id, portal, email_normalized);
