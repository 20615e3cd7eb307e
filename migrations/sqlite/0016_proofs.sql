-- Proofs that ways in work, before anybody depends on them.

-- What a test sign-in found. Neither a test nor a break-glass drill ever becomes a code or a session.
ALTER TABLE sign_in_attempts ADD COLUMN findings TEXT
    CONSTRAINT sign_in_attempts_test_check CHECK (
        kind NOT IN ('test', 'break_glass_drill')
        OR (code_digest IS NULL AND session_id IS NULL AND awaits IS NULL));

-- The last test of a connection that would have let somebody in, and the version of the connection that it was of.
ALTER TABLE saml_connections ADD COLUMN tested_at INTEGER;
ALTER TABLE saml_connections ADD COLUMN tested_version INTEGER;

-- When the bearer of this password last proved, in a break-glass drill, that they would get in by it.
ALTER TABLE password_credentials ADD COLUMN drilled_at INTEGER;
