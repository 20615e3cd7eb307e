-- A refresh token that was just rotated gives its client the same successor again, so a session has one live token.

-- Earlier, a repetition began a second line of tokens. Of a session's lines the newest goes on; who presents a token of
-- another one ends the session, because client and thief cannot be told apart.
UPDATE refresh_tokens SET rotated_at = issued_at
    WHERE rotated_at IS NULL AND EXISTS (SELECT 1 FROM refresh_tokens AS newer
        WHERE newer.account_id = refresh_tokens.account_id AND newer.session_id = refresh_tokens.session_id
        AND newer.rotated_at IS NULL AND (newer.issued_at > refresh_tokens.issued_at
            OR newer.issued_at = refresh_tokens.issued_at AND newer.digest > refresh_tokens.digest));

CREATE UNIQUE INDEX refresh_tokens_live_key ON refresh_tokens (session_id) WHERE rotated_at IS NULL;

-- What the repetition gives, sealed; erased with the grace, or when the successor is rotated itself.
ALTER TABLE refresh_tokens ADD COLUMN sealed_successor BYTEA;
CREATE INDEX refresh_tokens_sealed_successor_idx ON refresh_tokens (rotated_at) WHERE sealed_successor IS NOT NULL;
