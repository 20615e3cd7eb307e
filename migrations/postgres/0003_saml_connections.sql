-- SAML connections, one per portal, and the service provider's own key pairs.

CREATE TABLE saml_connections (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    sp_hash TEXT NOT NULL,
    mode TEXT NOT NULL,
    settings JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT saml_connections_pkey PRIMARY KEY (id),
    CONSTRAINT saml_connections_account_id_key UNIQUE (account_id, id),
    CONSTRAINT saml_connections_portal_key UNIQUE (account_id, portal),
    CONSTRAINT saml_connections_sp_hash_key UNIQUE (sp_hash),
    CONSTRAINT saml_connections_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

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
