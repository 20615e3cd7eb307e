-- Attempts that anyone can cause are counted with the networks of their address, which sort side by side.
ALTER TABLE sign_in_attempts ADD COLUMN client_key TEXT;

DROP INDEX sign_in_attempts_unlinked_idx;
CREATE INDEX sign_in_attempts_unlinked_idx ON sign_in_attempts (connection_id, started_at, client_key)
    WHERE user_id IS NULL;

DROP INDEX sign_in_attempts_refused_form_idx;
CREATE INDEX sign_in_attempts_refused_form_idx ON sign_in_attempts (account_id, started_at, client_key)
    WHERE user_id IS NULL AND connection_id IS NULL;
