-- What a finished sign-in gives: a code, the session it is exchanged for, and that session's refresh tokens.

-- A code lives for a minute and is kept for a day. An exchange reads it together with its user and application, so one
-- that has lost either leads nowhere: it needs no references, which would make their removal search all codes.
CREATE TABLE authorization_codes (
    digest BLOB NOT NULL,
    account_id BLOB NOT NULL,
    application_id BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    attempt_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    method TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    external_roles TEXT NOT NULL,
    session_not_on_or_after INTEGER,
    issued_at INTEGER NOT NULL,
    used_at INTEGER,
    session_id BLOB,
    CONSTRAINT authorization_codes_pkey PRIMARY KEY (digest)
) STRICT;

CREATE INDEX authorization_codes_issued_at_idx ON authorization_codes (issued_at);

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
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_account_id_key UNIQUE (account_id, id),
    CONSTRAINT sessions_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sessions_application_fkey
        FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX sessions_user_idx ON sessions (account_id, user_id, id);
CREATE INDEX sessions_application_idx ON sessions (application_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    digest BLOB NOT NULL,
    account_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    rotated_at INTEGER,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT refresh_tokens_session_fkey
        FOREIGN KEY (account_id, session_id) REFERENCES sessions (account_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (account_id, session_id);
