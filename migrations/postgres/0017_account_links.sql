-- Links between accounts, sandboxes among them, and the sessions that came over one.

-- One row for each side, so that each account finds its own.
CREATE TABLE account_links (
    account_id UUID NOT NULL,
    other_account_id UUID NOT NULL,
    id UUID NOT NULL, -- of the link: the same on both sides
    relation TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    accepted_at BIGINT,
    CONSTRAINT account_links_pkey PRIMARY KEY (account_id, other_account_id),
    CONSTRAINT account_links_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT account_links_other_account_fkey FOREIGN KEY (other_account_id) REFERENCES accounts (id)
);

-- Where whoever came over a link had proved who they are.
ALTER TABLE sign_in_attempts ADD COLUMN home_account_id UUID;
ALTER TABLE sign_in_attempts ADD COLUMN home_user_id UUID;
ALTER TABLE sessions ADD COLUMN home_account_id UUID;
ALTER TABLE sessions ADD COLUMN home_user_id UUID;

-- What ends somebody's sessions at home ends those elsewhere that rest on them.
CREATE INDEX sessions_home_idx ON sessions (home_account_id, home_user_id) WHERE home_account_id IS NOT NULL;
