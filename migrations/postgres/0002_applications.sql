-- Applications: the registered frontends, of one account or shared by all, and the browser origins that may call the
-- API. What references an application cannot name its account too, because a shared one has none.

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
