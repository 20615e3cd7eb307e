-- Requiring SSO and going back: plans with a row for each user, who keeps form login, and mails to many at once.

ALTER TABLE users ADD COLUMN exempt BOOLEAN NOT NULL DEFAULT FALSE;

-- A temporary password stops working; one that the user chose does not.
ALTER TABLE password_credentials ADD COLUMN expires_at BIGINT;

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
    tombstone TEXT, -- what the username gives way to, so that somebody else can have it
    mail_kind TEXT,
    mail_id UUID,
    message_id TEXT,
    CONSTRAINT sso_migration_rows_pkey PRIMARY KEY (account_id, migration_id, user_id),
    CONSTRAINT sso_migration_rows_migration_fkey
        FOREIGN KEY (account_id, migration_id) REFERENCES sso_migrations (account_id, id)
);

-- What many mails say alike, so that each of them is a short row.
CREATE TABLE outbox_batches (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    sealed_message BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT outbox_batches_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_batches_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

ALTER TABLE outbox ADD COLUMN batch_id UUID;
ALTER TABLE outbox ADD COLUMN user_id UUID; -- whose secret it carries, where that is made when it is sent
