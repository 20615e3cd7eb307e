-- Accounts take turns at having their mails sent: whose each is, is known from the index that finds what is due.

DROP INDEX outbox_due_idx;
CREATE INDEX outbox_due_idx ON outbox (urgent, due_at, id, account_id) WHERE due_at IS NOT NULL;
