-- What owners set for their account. A property that is not there has its default.

ALTER TABLE accounts ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
