-- Passwords, the one-time codes that may be asked for after one, and the pace of whoever tries to guess either.

CREATE TABLE password_credentials (
    user_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    hash TEXT NOT NULL, -- in PHC form: algorithm, parameters, salt and argon2id's output
    must_change INTEGER NOT NULL CONSTRAINT password_credentials_must_change_check CHECK (must_change IN (0, 1)),
    set_at INTEGER NOT NULL,
    CONSTRAINT password_credentials_pkey PRIMARY KEY (account_id, user_id),
    CONSTRAINT password_credentials_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
) STRICT;

-- One per sign-in: a code that is sent again takes the place of the one before.
CREATE TABLE mfa_codes (
    attempt_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    digest BLOB NOT NULL, -- of the code together with the sign-in's pending token, which is not stored
    tries INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    CONSTRAINT mfa_codes_pkey PRIMARY KEY (account_id, attempt_id),
    CONSTRAINT mfa_codes_attempt_fkey
        FOREIGN KEY (account_id, attempt_id) REFERENCES sign_in_attempts (account_id, id) ON DELETE CASCADE
) STRICT;

-- It is about whoever asks, also for accounts and users that do not exist, so it names neither.
CREATE TABLE throttles (
    digest BLOB NOT NULL, -- SHA-256 of what is slowed down: an identity, an address, or one at the other
    clear_at INTEGER NOT NULL, -- when nothing is held against it any more
    CONSTRAINT throttles_pkey PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_clear_at_idx ON throttles (clear_at);

-- What a sign-in waits for, its password being right: a code, or another password.
ALTER TABLE sign_in_attempts ADD COLUMN awaits TEXT;

-- Refused form logins, which anyone can cause, are counted before another one is stored.
CREATE INDEX sign_in_attempts_refused_form_idx ON sign_in_attempts (account_id, started_at, client_address)
    WHERE user_id IS NULL AND connection_id IS NULL;
