-- Invitations, and the one-time links that mails carry: to accept an invitation, to set a new password, to sign in.

-- A link is found by its digest alone; it goes with its user.
CREATE TABLE one_time_links (
    digest BYTEA NOT NULL,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_reason TEXT,
    CONSTRAINT one_time_links_pkey PRIMARY KEY (digest),
    CONSTRAINT one_time_links_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE
);

CREATE INDEX one_time_links_user_idx ON one_time_links (account_id, user_id, purpose, created_at);
CREATE INDEX one_time_links_expires_at_idx ON one_time_links (expires_at);

-- An invitation is a record that outlives a user who is removed: it references the account alone, and keeps the names.
CREATE TABLE invitations (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    portal TEXT NOT NULL,
    user_id UUID NOT NULL,
    batch_id UUID,
    username TEXT NOT NULL,
    email TEXT,
    search_text TEXT NOT NULL, -- username, email and display name, normalized
    invited_by UUID, -- none for an operator
    invited_at BIGINT NOT NULL,
    mailed_at BIGINT, -- the last mail; none while it is staged
    expires_at BIGINT,
    sends BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_method TEXT,
    revoked_at BIGINT,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_account_id_key UNIQUE (account_id, id),
    CONSTRAINT invitations_user_key UNIQUE (account_id, user_id),
    CONSTRAINT invitations_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX invitations_batch_idx ON invitations (account_id, batch_id, id);
