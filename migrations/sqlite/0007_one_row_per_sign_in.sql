-- A sign-in is one row from its start to its session: what waited for the identity provider, the assertion that
-- answered, and the code that came of it. Sign-ins under way are begun again; attempts stay.

DROP TABLE authorization_codes;
DROP TABLE consumed_assertions;
DROP TABLE pending_sign_ins;

-- What waits: found by the id that its handle and its request carry.
ALTER TABLE sign_in_attempts ADD COLUMN request_id TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN handle_digest BLOB; -- of what the browser carries meanwhile
ALTER TABLE sign_in_attempts ADD COLUMN redirect_uri TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN state TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN code_challenge TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN expires_at INTEGER;

-- What answered: SHA-256 of the assertion's ID, whose length the identity provider chooses.
ALTER TABLE sign_in_attempts ADD COLUMN assertion_digest BLOB;
CREATE UNIQUE INDEX sign_in_attempts_assertion_key ON sign_in_attempts (connection_id, assertion_digest)
    WHERE assertion_digest IS NOT NULL;

-- What came of it: the code, what it grants, and the session it was exchanged for.
ALTER TABLE sign_in_attempts ADD COLUMN code_digest BLOB;
ALTER TABLE sign_in_attempts ADD COLUMN code_issued_at INTEGER;
ALTER TABLE sign_in_attempts ADD COLUMN method TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN auth_time INTEGER;
ALTER TABLE sign_in_attempts ADD COLUMN external_roles TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN session_not_on_or_after INTEGER;
ALTER TABLE sign_in_attempts ADD COLUMN session_id BLOB;

-- The ids are in order of time, so housekeeping needs no index of its own.
DROP INDEX sign_in_attempts_started_at_idx;
