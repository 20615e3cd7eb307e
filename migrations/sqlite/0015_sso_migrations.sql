-- Requiring SSO and going back: plans with a row for each user, who keeps form login, and mails to many at once.

ALTER TABLE users ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0
    CONSTRAINT users_exempt_check CHECK (exempt IN (0, 1));

-- A temporary password stops working; one that the user chose does not.
ALTER TABLE password_credentials ADD COLUMN expires_at INTEGER;

CREATE TABLE sso_migrations (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    portal TEXT NOT NULL,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    reverts BLOB, -- the migration that this one puts back
    options TEXT NOT NULL,
    decisions TEXT NOT NULL,
    digest TEXT NOT NULL,
    counts TEXT NOT NULL,
    blockers TEXT NOT NULL,
    created_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    signed_off_by BLOB,
    signed_off_at INTEGER,
    sign_off_expires_at INTEGER,
    applied_by BLOB,
    applied_at INTEGER,
    CONSTRAINT sso_migrations_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sso_migrations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

-- A record that outlives its users: it references the migration alone. The columns after_* are there where something
-- changes, all of them, so that one statement carries out every row.
CREATE TABLE sso_migration_rows (
    account_id BLOB NOT NULL,
    migration_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    version INTEGER NOT NULL, -- of the user whom the plan saw
    action TEXT NOT NULL,
    details TEXT NOT NULL,
    choices TEXT NOT NULL,
    before_snapshot TEXT NOT NULL,
    after_username TEXT,
    after_username_normalized TEXT,
    after_email TEXT,
    after_email_normalized TEXT,
    after_recovery_email TEXT,
    after_status TEXT,
    after_assigned_roles TEXT,
    after_exempt INTEGER CONSTRAINT sso_migration_rows_after_exempt_check CHECK (after_exempt IN (0, 1)),
    search_from INTEGER NOT NULL, -- where the search text goes on after the username
    tombstone TEXT, -- what the username gives way to, so that somebody else can have it
    mail_kind TEXT,
    mail_id BLOB,
    message_id TEXT,
    CONSTRAINT sso_migration_rows_pkey PRIMARY KEY (account_id, migration_id, user_id),
    CONSTRAINT sso_migration_rows_migration_fkey
        FOREIGN KEY (account_id, migration_id) REFERENCES sso_migrations (account_id, id)
) STRICT, WITHOUT ROWID;

-- What many mails say alike, so that each of them is a short row.
CREATE TABLE outbox_batches (
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    sealed_message BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT outbox_batches_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_batches_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

ALTER TABLE outbox ADD COLUMN batch_id BLOB;
ALTER TABLE outbox ADD COLUMN user_id BLOB; -- whose secret it carries, where that is made when it is sent
