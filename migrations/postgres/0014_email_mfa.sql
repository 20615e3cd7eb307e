-- Whose form logins ask for a mailed code, whatever their account says.

ALTER TABLE users ADD COLUMN require_email_mfa BOOLEAN NOT NULL DEFAULT FALSE;
