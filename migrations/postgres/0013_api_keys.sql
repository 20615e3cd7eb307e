-- API keys of an account's own automation. A key that is revoked is gone; the audit log keeps that it was there.

CREATE TABLE api_keys (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    scopes JSONB NOT NULL,
    hint TEXT NOT NULL, -- how the key begins
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT, -- to the hour
    CONSTRAINT api_keys_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);
