-- Sign-ins under way: the attempts that diagnostics show, what waits for an identity provider's answer, and the
-- assertions that were already used.

-- What an attempt names may be deleted before it: it is a record, so it references the account alone.
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
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT sign_in_attempts_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sign_in_attempts_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX sign_in_attempts_started_at_idx ON sign_in_attempts (started_at);

-- Attempts that anyone can cause are counted before another one is stored.
CREATE INDEX sign_in_attempts_unlinked_idx ON sign_in_attempts (connection_id, started_at, client_address)
    WHERE user_id IS NULL;

-- Its application is read anew when the answer comes, so no reference (and no row of it locked) is needed meanwhile.
CREATE TABLE pending_sign_ins (
    attempt_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    connection_id BLOB NOT NULL,
    request_id TEXT NOT NULL,
    relay_state BLOB NOT NULL, -- its SHA-256
    entered_email TEXT,
    application_id BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,
    state TEXT,
    code_challenge TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed_at INTEGER,
    CONSTRAINT pending_sign_ins_pkey PRIMARY KEY (attempt_id),
    CONSTRAINT pending_sign_ins_request_id_key UNIQUE (connection_id, request_id),
    CONSTRAINT pending_sign_ins_relay_state_key UNIQUE (connection_id, relay_state),
    CONSTRAINT pending_sign_ins_connection_fkey
        FOREIGN KEY (account_id, connection_id) REFERENCES saml_connections (account_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX pending_sign_ins_expires_at_idx ON pending_sign_ins (expires_at);

CREATE TABLE consumed_assertions (
    connection_id BLOB NOT NULL,
    assertion_digest BLOB NOT NULL, -- SHA-256 of the assertion's ID, whose length the identity provider chooses
    account_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT consumed_assertions_pkey PRIMARY KEY (connection_id, assertion_digest),
    CONSTRAINT consumed_assertions_connection_fkey
        FOREIGN KEY (account_id, connection_id) REFERENCES saml_connections (account_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX consumed_assertions_expires_at_idx ON consumed_assertions (expires_at);
