-- Identities: what a revoked invitation's user went by, the names that accounts had, and columns that code must rewrite.

-- Just-in-time provisioning does not bring back whom an owner took back; set when the invitation is revoked.
ALTER TABLE invitations ADD COLUMN revoked_username TEXT;
ALTER TABLE invitations ADD COLUMN revoked_email TEXT;
CREATE INDEX invitations_revoked_username_idx ON invitations (account_id, portal, revoked_username)
    WHERE revoked_username IS NOT NULL;
CREATE INDEX invitations_revoked_email_idx ON invitations (account_id, portal, revoked_email)
    WHERE revoked_email IS NOT NULL;

-- Every name that an account has or had: one that was given up is its account's alone for a while.
CREATE TABLE account_names (
    name TEXT NOT NULL, -- in lower case
    account_id UUID NOT NULL,
    released_at BIGINT, -- none for the account's present name
    CONSTRAINT account_names_pkey PRIMARY KEY (name),
    CONSTRAINT account_names_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id)
);
CREATE INDEX account_names_account_idx ON account_names (account_id);

INSERT INTO account_names (name, account_id) SELECT name, id FROM accounts;

-- The account that a sandbox was made in; it counts for the quota also when the two are not linked any more.
ALTER TABLE accounts ADD COLUMN sandbox_of UUID;
CREATE INDEX accounts_sandbox_of_idx ON accounts (sandbox_of) WHERE sandbox_of IS NOT NULL;
UPDATE accounts SET sandbox_of = (SELECT account_id FROM account_links
    WHERE account_links.other_account_id = accounts.id AND account_links.relation = 'sandbox');

-- What is left to do after this step and cannot be written in SQL.
CREATE TABLE pending_rewrites (
    name TEXT NOT NULL,
    CONSTRAINT pending_rewrites_pkey PRIMARY KEY (name)
);

INSERT INTO pending_rewrites (name) VALUES ('identities');

-- A plan that was made before names were one namespace is made anew.
UPDATE sso_migrations SET state = 'superseded' WHERE state IN ('previewed', 'signed_off');
