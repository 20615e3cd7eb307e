-- What concerns the whole installation: its keys, its operators, the audit log, and what keeps requests from being
-- carried out twice.

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

-- One key signs.
CREATE UNIQUE INDEX signing_keys_active_key ON signing_keys (state) WHERE state = 'active';

CREATE TABLE operator_keys (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT operator_keys_pkey PRIMARY KEY (id),
    CONSTRAINT operator_keys_digest_key UNIQUE (digest)
) STRICT;

-- The log outlives what it speaks of: actors and targets are names, not references.
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
