-- Mail: the outbox, whose rows are written with the change that they tell of and sent after it, and how an account's
-- mails look.

CREATE TABLE outbox (
    id BLOB NOT NULL,
    account_id BLOB, -- none for what concerns no account
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sealed_message BLOB, -- erased when it is delivered or of no use any more
    state TEXT NOT NULL,
    urgent INTEGER NOT NULL CONSTRAINT outbox_urgent_check CHECK (urgent IN (0, 1)),
    attempts INTEGER NOT NULL,
    due_at INTEGER, -- while it is being sent, when it may be taken for lost; none once it is settled
    last_error TEXT,
    expires_at INTEGER,
    settled_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE INDEX outbox_due_idx ON outbox (urgent, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_state_idx ON outbox (state, id);
CREATE INDEX outbox_settled_at_idx ON outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE account_branding (
    account_id BLOB NOT NULL,
    settings TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT account_branding_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_branding_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) STRICT;
