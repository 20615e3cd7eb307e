-- Credentials have an epoch: what is issued to a user is stamped with theirs, and counts for nothing in another one.

ALTER TABLE users ADD COLUMN credential_epoch BIGINT NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN credential_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN home_credential_epoch BIGINT; -- of the user whom the session was switched from
UPDATE sessions SET home_credential_epoch = 0 WHERE home_account_id IS NOT NULL;

-- Of a pending step, and of the code that comes of it.
ALTER TABLE sign_in_attempts ADD COLUMN credential_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sign_in_attempts ADD COLUMN home_credential_epoch BIGINT;
UPDATE sign_in_attempts SET home_credential_epoch = 0 WHERE home_account_id IS NOT NULL;

ALTER TABLE mfa_codes ADD COLUMN credential_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE one_time_links ADD COLUMN credential_epoch BIGINT NOT NULL DEFAULT 0;

-- None where a mail carries nothing that lets anybody in.
ALTER TABLE outbox ADD COLUMN credential_epoch BIGINT;

-- Whether a plan's row voids what was issued to its user. Of plans that wait already, every row that changes something does.
ALTER TABLE sso_migration_rows ADD COLUMN voids BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE sso_migration_rows SET voids = TRUE WHERE after_username IS NOT NULL;
