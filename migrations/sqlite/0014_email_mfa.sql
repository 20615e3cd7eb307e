-- Whose form logins ask for a mailed code, whatever their account says.

ALTER TABLE users ADD COLUMN require_email_mfa INTEGER NOT NULL DEFAULT 0
    CONSTRAINT users_require_email_mfa_check CHECK (require_email_mfa IN (0, 1));
