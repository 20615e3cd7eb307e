-- Users who signed in from a network before, for whom login capacity is held in reserve. Asked about before it is known
-- whether there is such an account, so it names none.

CREATE TABLE known_logins (
    digest BLOB NOT NULL, -- SHA-256 of what was typed and the network
    seen_at INTEGER NOT NULL,
    CONSTRAINT known_logins_pkey PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_logins_seen_at_idx ON known_logins (seen_at);
