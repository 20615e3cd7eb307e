-- Proofs that ways in work, before anybody depends on them.

-- What a test sign-in found. Nothing makes a code, a session or a user's sign-in of one.
ALTER TABLE sign_in_attempts ADD COLUMN findings TEXT
    CONSTRAINT sign_in_attempts_test_check CHECK (
        kind <> 'test'
        OR (code_digest IS NULL AND session_id IS NULL AND user_id IS NULL AND awaits IS NULL));

-- The last test of a connection that would have let somebody in, and the version of the connection that it was of.
ALTER TABLE saml_connections ADD COLUMN tested_at INTEGER;
ALTER TABLE saml_connections ADD COLUMN tested_version INTEGER;
