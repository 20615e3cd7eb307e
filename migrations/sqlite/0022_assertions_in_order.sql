-- When the identity provider issued the assertion that a sign-in used up: an older one, used later, does not undo what a
-- newer one said of its user's roles. Only set where the assertion was used by a sign-in of a user.
ALTER TABLE sign_in_attempts ADD COLUMN assertion_issued_at INTEGER;
CREATE INDEX sign_in_attempts_assertion_issued_idx ON sign_in_attempts (account_id, user_id, assertion_issued_at)
    WHERE assertion_issued_at IS NOT NULL;
