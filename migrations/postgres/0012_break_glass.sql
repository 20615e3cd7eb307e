-- Owners who get in by form login whatever happens to SSO, and where mail reaches somebody who lost their mailbox.

ALTER TABLE users ADD COLUMN break_glass BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN recovery_email TEXT;
