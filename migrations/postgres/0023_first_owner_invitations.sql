-- The invitation of an account's first owner, whose link sets a password whatever the SSO mode is.
ALTER TABLE invitations ADD COLUMN first_owner BOOLEAN NOT NULL DEFAULT FALSE;

-- Of the accounts that there are: the first invitation, if it is an operator's and its user owns the account.
UPDATE invitations SET first_owner = TRUE
WHERE portal = 'admin' AND invited_by IS NULL AND batch_id IS NULL
AND NOT EXISTS (SELECT 1 FROM invitations AS earlier
    WHERE earlier.account_id = invitations.account_id AND earlier.id < invitations.id)
AND EXISTS (SELECT 1 FROM users WHERE users.account_id = invitations.account_id AND users.id = invitations.user_id
    AND CAST(users.assigned_roles AS TEXT) LIKE '%"organization_owner"%');

CREATE INDEX invitations_first_owner_idx ON invitations (account_id, id) WHERE first_owner;
