-- An owner's word for a connection that no test sign-in has proved, and the version of the connection that it is for.
ALTER TABLE sso_migrations ADD COLUMN sign_off_override_reason TEXT;
ALTER TABLE sso_migrations ADD COLUMN sign_off_override_version INTEGER;
