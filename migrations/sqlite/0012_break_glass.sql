-- Owners who get in by form login whatever happens to SSO, and where mail reaches somebody who lost their mailbox.

ALTER TABLE users ADD COLUMN break_glass INTEGER NOT NULL DEFAULT 0
    CONSTRAINT users_break_glass_check CHECK (break_glass IN (0, 1));
ALTER TABLE users ADD COLUMN recovery_email TEXT;
