-- Pairs of users of two accounts, who are one person. Who had the same username and email in linked accounts pairs anew, and
-- sessions that came over a link by that end.

-- One row for each side, with the epoch of its own user. A pair goes with either user, and with the link.
CREATE TABLE account_pairs (
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    other_account_id BLOB NOT NULL,
    other_user_id BLOB NOT NULL,
    id BLOB NOT NULL, -- of the pair: the same on both sides
    credential_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT account_pairs_pkey PRIMARY KEY (account_id, user_id, other_account_id),
    CONSTRAINT account_pairs_id_key UNIQUE (account_id, id),
    CONSTRAINT account_pairs_user_fkey
        FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_other_user_fkey
        FOREIGN KEY (other_account_id, other_user_id) REFERENCES users (account_id, id) ON DELETE CASCADE,
    CONSTRAINT account_pairs_link_fkey
        FOREIGN KEY (account_id, other_account_id) REFERENCES account_links (account_id, other_account_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX account_pairs_other_user_idx ON account_pairs (other_account_id, other_user_id);

UPDATE sessions SET ended_at = refreshed_at, ended_reason = 'link_ended' WHERE home_account_id IS NOT NULL AND ended_at IS NULL;
