-- What applying a migration did beside its rows.
ALTER TABLE sso_migrations ADD COLUMN effects JSONB;
