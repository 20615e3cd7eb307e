-- The whole schema, grouped by subject: accounts, applications, users, credentials, invitations, links between
-- accounts, connections, sign-in attempts, sessions, mail, SSO migrations, the installation.
--
-- Conventions of every migration: ids are UUIDv7, times are milliseconds since the Unix epoch and come from the
-- server's clock, constraints are named, and every table of account data carries account_id. References to account
-- data name the account too, so that no row of one account can point into another. A property that a JSON column lacks
-- has its default.


-- Accounts

-- Accounts (tenants).
CREATE TABLE accounts (
    id UUID NOT NULL,
    name TEXT NOT NULL, -- in lower case
    display_name TEXT NOT NULL,
    search_text TEXT NOT NULL, -- name and display name, normalized
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    settings JSONB NOT NULL DEFAULT '{}', -- what its owners set
    sandbox_of UUID, -- the account that a sandbox was made in
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_name_key UNIQUE (name)
);

-- A sandbox counts for the quota of the account that it was made in, also when the two are not linked any more.
CREATE INDEX accounts_sandbox_of_idx ON accounts (sandbox_of) WHERE sandbox_of IS NOT NULL;

-- Every name that an account has or had: one that was given up is its account's alone for a while.
CREATE TABLE account_names (
    name TEXT NOT NULL, -- in lower case
    account_id UUID NOT NULL,
    released_at BIGINT, -- none for the account's present name
    CONSTRAINT account_names_pkey PRIMARY KEY (name),
    CONSTRAINT account_names_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX account_names_account_idx ON account_names (account_id);

-- The look of an account's mails.
CREATE TABLE account_branding (
    account_id UUID NOT NULL,
    settings JSONB NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT account_branding_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_branding_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
);

-- API keys of an account's own automation. A key that is revoked is gone; the audit log keeps that it was there.
CREATE TABLE api_keys (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    scopes JSONB NOT NULL,
    hint TEXT NOT NULL, -- the beginning of the key
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT, -- to the hour
    CONSTRAINT api_keys_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);


-- Applications

-- The registered frontends, of one account or shared by all, and the browser origins that may call the API. A row that
-- references an application cannot name the application's account too, because a shared one has none.
CREATE TABLE applications (
    id UUID NOT NULL,
    account_id UUID, -- none for one that all accounts share
    portal TEXT NOT NULL,
    name TEXT NOT NULL,
    settings JSONB NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT applications_pkey PRIMARY KEY (id),
    CONSTRAINT applications_account_id_key UNIQUE (account_id, id),
    CONSTRAINT applications_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- At most one default application per portal of an account, and one shared one per portal.
CREATE UNIQUE INDEX applications_default_key ON applications (account_id, portal) WHERE is_default;
CREATE UNIQUE INDEX applications_shared_default_key ON applications (portal) WHERE is_default AND account_id IS NULL;

-- The origins of the settings once more, where a preflight request finds them by index.
CREATE TABLE application_origins (
    application_id UUID NOT NULL,
    account_id UUID,
    origin TEXT NOT NULL,
    CONSTRAINT application_origins_pkey PRIMARY KEY (application_id, origin),
    CONSTRAINT application_origins_application_fkey
        FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
);

CREATE INDEX application_origins_origin_idx ON application_origins (origin);


-- Users

-- The people in the two portals of an account.
CREATE TABLE users (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    username TEXT NOT NULL,
    username_normalized TEXT NOT NULL,
    email TEXT,
    email_normalized TEXT,
    display_name TEXT,
    search_text TEXT NOT NULL, -- username, email and display name, normalized
    status TEXT NOT NULL,
    assigned_roles JSONB NOT NULL, -- arrays of names; beside the user, so that a sign-in reads and writes one row
    saml_roles JSONB NOT NULL,
    last_sign_in_at BIGINT,
    last_sign_in_method TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- An owner who gets in by form login, whatever the SSO mode is.
    break_glass BOOLEAN NOT NULL DEFAULT FALSE,
    recovery_email TEXT, -- where mail reaches a user who lost their mailbox
    -- Whether form logins ask for a mailed code, whatever the account's settings are.
    require_email_mfa BOOLEAN NOT NULL DEFAULT FALSE,
    -- A user who keeps form login where SSO is required.
    exempt BOOLEAN NOT NULL DEFAULT FALSE,
    -- What is issued to a user is stamped with this number, and counts for nothing under another one.
    credential_epoch BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_account_id_key UNIQUE (account_id, id),
    CONSTRAINT users_username_key UNIQUE (account_id, portal, username_normalized),
    CONSTRAINT users_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX users_email_idx ON users (account_id, portal, email_normalized);


-- Credentials

CREATE TABLE password_credentials (
    user_id UUID NOT NULL,
    account_id UUID NOT NULL,
    hash TEXT NOT NULL, -- in PHC form: algorithm, parameters, salt and argon2id's output
    must_change BOOLEAN NOT NULL,
    set_at BIGINT NOT NULL,
    expires_at BIGINT, -- a temporary password stops working; one that the user chose does not
    drilled_at BIGINT, -- the last break-glass drill that proved this password and its user's mail
    CONSTRAINT password_credentials_pkey PRIMARY KEY (account_id, user_id),
    CONSTRAINT password_credentials_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
);

-- The one-time links that mails carry: to accept an invitation, to set a new password, to sign in. A link is found by
-- its digest alone; it goes with its user.
CREATE TABLE one_time_links (
    digest BYTEA NOT NULL,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_reason TEXT,
    credential_epoch BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT one_time_links_pkey PRIMARY KEY (digest),
    CONSTRAINT one_time_links_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
);

CREATE INDEX one_time_links_user_idx ON one_time_links (account_id, user_id, purpose, created_at);
CREATE INDEX one_time_links_expires_at_idx ON one_time_links (expires_at);

-- The pace of repeated guesses. It holds for accounts and users that do not exist too, so it names neither.
CREATE TABLE throttles (
    digest BYTEA NOT NULL, -- SHA-256 of what is slowed down: an identity, an address, or one at the other
    clear_at BIGINT NOT NULL, -- when nothing is held against it any more
    CONSTRAINT throttles_pkey PRIMARY KEY (digest)
);

CREATE INDEX throttles_clear_at_idx ON throttles (clear_at);

-- Users who signed in from a network before, for whom login capacity is held in reserve. It is read before it is known
-- whether there is such an account, so it names none.
CREATE TABLE known_logins (
    digest BYTEA NOT NULL, -- SHA-256 of what was typed and the network
    seen_at BIGINT NOT NULL,
    CONSTRAINT known_logins_pkey PRIMARY KEY (digest)
);

CREATE INDEX known_logins_seen_at_idx ON known_logins (seen_at);


-- Invitations

-- An invitation is a record that outlives a user who is removed: it references the account alone, and keeps the names.
CREATE TABLE invitations (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    user_id UUID NOT NULL,
    batch_id UUID,
    username TEXT NOT NULL,
    email TEXT,
    search_text TEXT NOT NULL, -- username, email and display name, normalized
    invited_by UUID, -- none for an operator
    invited_at BIGINT NOT NULL,
    mailed_at BIGINT, -- the last mail; none while it is staged
    expires_at BIGINT,
    sends BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_method TEXT,
    revoked_at BIGINT,
    -- The invitation of an account's first owner, whose link sets a password whatever the SSO mode is.
    first_owner BOOLEAN NOT NULL DEFAULT FALSE,
    -- Names of the user of a revoked invitation: just-in-time provisioning does not bring this user back.
    revoked_username TEXT,
    revoked_email TEXT,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_account_id_key UNIQUE (account_id, id),
    CONSTRAINT invitations_user_key UNIQUE (account_id, user_id),
    CONSTRAINT invitations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX invitations_batch_idx ON invitations (account_id, batch_id, id);
CREATE INDEX invitations_first_owner_idx ON invitations (account_id, id) WHERE first_owner;
CREATE INDEX invitations_revoked_username_idx ON invitations (account_id, portal, revoked_username)
    WHERE revoked_username IS NOT NULL;
CREATE INDEX invitations_revoked_email_idx ON invitations (account_id, portal, revoked_email)
    WHERE revoked_email IS NOT NULL;


-- Links between accounts

-- Links, those of sandboxes among them. One row for each side, so that each account finds its own.
CREATE TABLE account_links (
    account_id UUID NOT NULL,
    other_account_id UUID NOT NULL,
    id UUID NOT NULL, -- of the link: the same on both sides
    relation TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    accepted_at BIGINT,
    CONSTRAINT account_links_pkey PRIMARY KEY (account_id, other_account_id),
    CONSTRAINT account_links_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT account_links_other_account_fkey FOREIGN KEY (other_account_id) REFERENCES accounts (id)
);

-- Pairs of users of two accounts, who are one person. One row for each side, with the epoch of its own user. A pair
-- goes with either user, and with the link.
CREATE TABLE account_pairs (
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    other_account_id UUID NOT NULL,
    other_user_id UUID NOT NULL,
    id UUID NOT NULL, -- of the pair: the same on both sides
    credential_epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT account_pairs_pkey PRIMARY KEY (account_id, user_id, other_account_id),
    CONSTRAINT account_pairs_id_key UNIQUE (account_id, id),
    CONSTRAINT account_pairs_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_other_user_fkey
        FOREIGN KEY (other_account_id, other_user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_link_fkey FOREIGN KEY (account_id, other_account_id)
        REFERENCES account_links (account_id, other_account_id) ON DELETE CASCADE
);

CREATE INDEX account_pairs_other_user_idx ON account_pairs (other_account_id, other_user_id);


-- Connections

-- SAML connections, one per portal.
CREATE TABLE saml_connections (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    sp_hash TEXT NOT NULL,
    mode TEXT NOT NULL,
    settings JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- The last test that would have let a user in, and the version of the connection that it was of.
    tested_at BIGINT,
    tested_version BIGINT,
    CONSTRAINT saml_connections_pkey PRIMARY KEY (id),
    CONSTRAINT saml_connections_account_id_key UNIQUE (account_id, id),
    CONSTRAINT saml_connections_portal_key UNIQUE (account_id, portal),
    CONSTRAINT saml_connections_sp_hash_key UNIQUE (sp_hash),
    CONSTRAINT saml_connections_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- The service provider's own key pairs.
CREATE TABLE sp_keys (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    certificate_der BYTEA NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retires_at BIGINT,
    CONSTRAINT sp_keys_pkey PRIMARY KEY (id),
    CONSTRAINT sp_keys_connection_fkey
        FOREIGN KEY (account_id, connection_id) REFERENCES saml_connections (account_id, id) ON DELETE CASCADE
);

CREATE INDEX sp_keys_connection_idx ON sp_keys (account_id, connection_id, created_at);


-- Sign-in attempts

-- A sign-in is one row from its start to its session: what diagnostics show, what waits for the identity provider, the
-- assertion that answered, and the code that came of it. What an attempt names may be deleted before it: it is a
-- record, so it references the account alone. The ids are in order of time, so housekeeping needs no index of its own.
CREATE TABLE sign_in_attempts (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    connection_id UUID,
    application_id UUID,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    outcome TEXT NOT NULL,
    failure JSONB,
    entered_email TEXT,
    user_id UUID,
    warnings JSONB NOT NULL,
    saml_message TEXT,
    client_address TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- What waits: found by the id that its handle and its request carry. Its application is read anew when the answer
    -- comes, so no row of it is locked meanwhile.
    request_id TEXT,
    handle_digest BYTEA, -- of what the browser carries meanwhile
    redirect_uri TEXT,
    state TEXT,
    code_challenge TEXT,
    expires_at BIGINT,
    assertion_digest BYTEA, -- SHA-256 of the assertion's ID, whose length the identity provider chooses
    -- What came of it: the code, what it grants, and the session it was exchanged for. A code lives for a minute.
    code_digest BYTEA,
    code_issued_at BIGINT,
    method TEXT,
    auth_time BIGINT,
    external_roles JSONB,
    session_not_on_or_after BIGINT,
    session_id UUID,
    awaits TEXT, -- what comes after the right password: a code, or another password
    -- What a test sign-in found. Neither a test nor a break-glass drill ever becomes a code or a session.
    findings JSONB CONSTRAINT sign_in_attempts_test_check CHECK (
        kind NOT IN ('test', 'break_glass_drill')
        OR (code_digest IS NULL AND session_id IS NULL AND awaits IS NULL)),
    -- The user of another account whose session a switch began from.
    home_account_id UUID,
    home_user_id UUID,
    -- When the identity provider issued the assertion that a sign-in used up: an older one, used later, does not undo
    -- what a newer one said of its user's roles. Only set where a sign-in of a user used the assertion.
    assertion_issued_at BIGINT,
    -- The epochs of a pending step, and of the code that comes of it.
    credential_epoch BIGINT NOT NULL DEFAULT 0,
    home_credential_epoch BIGINT,
    client_key TEXT, -- the networks of the address, which sort side by side
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT sign_in_attempts_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sign_in_attempts_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- An assertion is used once.
CREATE UNIQUE INDEX sign_in_attempts_assertion_key ON sign_in_attempts (connection_id, assertion_digest)
    WHERE assertion_digest IS NOT NULL;
CREATE INDEX sign_in_attempts_assertion_issued_idx ON sign_in_attempts (account_id, user_id, assertion_issued_at)
    WHERE assertion_issued_at IS NOT NULL;

-- Attempts that anyone can cause, refused form logins among them, are counted before another one is stored.
CREATE INDEX sign_in_attempts_unlinked_idx ON sign_in_attempts (connection_id, started_at, client_key)
    WHERE user_id IS NULL;
CREATE INDEX sign_in_attempts_refused_form_idx ON sign_in_attempts (account_id, started_at, client_key)
    WHERE user_id IS NULL AND connection_id IS NULL;

-- The one-time codes that may be asked for after a password. One per sign-in: a code that is sent again takes the place
-- of the one before.
CREATE TABLE mfa_codes (
    attempt_id UUID NOT NULL,
    account_id UUID NOT NULL,
    digest BYTEA NOT NULL, -- of the code together with the sign-in's pending token, which is not stored
    tries BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    credential_epoch BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT mfa_codes_pkey PRIMARY KEY (account_id, attempt_id),
    CONSTRAINT mfa_codes_attempt_fkey
        FOREIGN KEY (account_id, attempt_id) REFERENCES sign_in_attempts (account_id, id) ON DELETE CASCADE
);


-- Sessions

CREATE TABLE sessions (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    application_id UUID NOT NULL,
    portal TEXT NOT NULL,
    method TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    external_roles JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    refreshed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_reason TEXT,
    -- The user of another account whose session this one was switched from.
    home_account_id UUID,
    home_user_id UUID,
    credential_epoch BIGINT NOT NULL DEFAULT 0,
    home_credential_epoch BIGINT,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sessions_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sessions_application_fkey
        FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
);

CREATE INDEX sessions_user_idx ON sessions (account_id, user_id, id);
CREATE INDEX sessions_application_idx ON sessions (application_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

-- What ends a user's sessions at home ends those elsewhere that rest on them.
CREATE INDEX sessions_home_idx ON sessions (home_account_id, home_user_id) WHERE home_account_id IS NOT NULL;

-- A refresh token that was just rotated gives its client the same successor again, so a session has one live token.
CREATE TABLE refresh_tokens (
    digest BYTEA NOT NULL,
    account_id UUID NOT NULL,
    session_id UUID NOT NULL,
    issued_at BIGINT NOT NULL,
    rotated_at BIGINT,
    -- What the repetition gives; erased with the grace, or when the successor is rotated itself.
    sealed_successor BYTEA,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT refresh_tokens_session_fkey
        FOREIGN KEY (account_id, session_id) REFERENCES sessions (account_id, id) ON DELETE CASCADE
);

CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (account_id, session_id);
CREATE UNIQUE INDEX refresh_tokens_live_key ON refresh_tokens (session_id) WHERE rotated_at IS NULL;
CREATE INDEX refresh_tokens_sealed_successor_idx ON refresh_tokens (rotated_at) WHERE sealed_successor IS NOT NULL;


-- Mail

-- The outbox, whose rows are written with the change that they tell of and sent after it.
CREATE TABLE outbox (
    id UUID NOT NULL,
    account_id UUID, -- none for what concerns no account
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sealed_message BYTEA, -- erased when it is delivered or of no use any more
    state TEXT NOT NULL,
    urgent BOOLEAN NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT, -- while it is being sent, when it may be taken for lost; none once it is settled
    last_error TEXT,
    expires_at BIGINT,
    settled_at BIGINT,
    created_at BIGINT NOT NULL,
    batch_id UUID,
    user_id UUID, -- whose secret it carries, where that is made when it is sent
    credential_epoch BIGINT, -- none where a mail carries nothing that lets a user in
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Accounts take turns at having their mails sent: the index that finds what is due tells the account of each mail too.
CREATE INDEX outbox_due_idx ON outbox (urgent, due_at, id, account_id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_state_idx ON outbox (state, id);
CREATE INDEX outbox_settled_at_idx ON outbox (settled_at) WHERE settled_at IS NOT NULL;

-- What many mails say alike, so that each of them is a short row.
CREATE TABLE outbox_batches (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    sealed_message BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT outbox_batches_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_batches_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);


-- SSO migrations

-- Requiring SSO and going back: plans with a row for each user.
CREATE TABLE sso_migrations (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    reverts UUID, -- the migration that this one puts back
    options JSONB NOT NULL,
    decisions JSONB NOT NULL,
    digest TEXT NOT NULL,
    counts JSONB NOT NULL,
    blockers JSONB NOT NULL,
    created_by UUID NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    signed_off_by UUID,
    signed_off_at BIGINT,
    sign_off_expires_at BIGINT,
    applied_by UUID,
    applied_at BIGINT,
    effects JSONB, -- what applying it did beside its rows
    -- An owner's word for a connection that no test sign-in has proved, and the version of it that the word is for.
    sign_off_override_reason TEXT,
    sign_off_override_version BIGINT,
    CONSTRAINT sso_migrations_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sso_migrations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- A record that outlives its users: it references the migration alone. The columns after_* are there where something
-- changes, all of them, so that one statement carries out every row.
CREATE TABLE sso_migration_rows (
    account_id UUID NOT NULL,
    migration_id UUID NOT NULL,
    user_id UUID NOT NULL,
    version BIGINT NOT NULL, -- of the user whom the plan saw
    action TEXT NOT NULL,
    details JSONB NOT NULL,
    choices JSONB NOT NULL,
    before_snapshot JSONB NOT NULL,
    after_username TEXT,
    after_username_normalized TEXT,
    after_email TEXT,
    after_email_normalized TEXT,
    after_recovery_email TEXT,
    after_status TEXT,
    after_assigned_roles JSONB,
    after_exempt BOOLEAN,
    search_from BIGINT NOT NULL, -- where the search text goes on after the username
    tombstone TEXT, -- what the username gives way to, so that another user can have it
    mail_kind TEXT,
    mail_id UUID,
    message_id TEXT,
    -- Whether the row voids what was issued to its user.
    voids BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT sso_migration_rows_pkey PRIMARY KEY (account_id, migration_id, user_id),
    CONSTRAINT sso_migration_rows_migration_fkey
        FOREIGN KEY (account_id, migration_id) REFERENCES sso_migrations (account_id, id)
);


-- The installation

-- Keys that sign access tokens.
CREATE TABLE signing_keys (
    id UUID NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    public_jwk JSONB NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
);

-- One key signs.
CREATE UNIQUE INDEX signing_keys_active_key ON signing_keys (state) WHERE state = 'active';

CREATE TABLE operator_keys (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT operator_keys_pkey PRIMARY KEY (id),
    CONSTRAINT operator_keys_digest_key UNIQUE (digest)
);

-- The audit log outlives what it speaks of: actors and targets are names, not references.
CREATE TABLE audit_events (
    id UUID NOT NULL,
    account_id UUID, -- none for what concerns the installation
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    changes JSONB NOT NULL,
    client_address TEXT,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX audit_events_account_idx ON audit_events (account_id, id);

-- What keeps requests from being carried out twice.
CREATE TABLE idempotency_records (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request_digest BYTEA NOT NULL,
    resource TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_records_pkey PRIMARY KEY (caller, key)
);

CREATE INDEX idempotency_records_created_at_idx ON idempotency_records (created_at);

-- Facts that are written once, such as what proves that the master key is the right one.
CREATE TABLE installation (
    key TEXT NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (key)
);

-- What a migration leaves to code because it cannot be written in SQL; taken out when it is done.
CREATE TABLE pending_rewrites (
    name TEXT NOT NULL,
    CONSTRAINT pending_rewrites_pkey PRIMARY KEY (name)
);
