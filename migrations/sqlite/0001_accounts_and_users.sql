-- Accounts (tenants) and the people in their two portals.
--
-- Conventions of every migration: ids are UUIDv7, times are milliseconds since the Unix epoch and come from the
-- server's clock, constraints are named, and every table of account data carries account_id. References to account
-- data name the account too, so that no row of one account can point into another.

CREATE TABLE accounts (
    id BLOB NOT NULL,
    name TEXT NOT NULL, -- in lower case
    display_name TEXT NOT NULL,
    search_text TEXT NOT NULL, -- name and display name, normalized
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_name_key UNIQUE (name)
) STRICT;

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
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_account_id_key UNIQUE (account_id, id),
    CONSTRAINT users_username_key UNIQUE (account_id, portal, username_normalized),
    CONSTRAINT users_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX users_email_idx ON users (account_id, portal, email_normalized);
