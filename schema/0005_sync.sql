-- Synchronisations: a peer is asked for everything it has, and its rows in the register are made to agree.

-- One synchronisation of one peer. The latest fifty of a peer are kept.
CREATE TABLE sync_run (
    id           INTEGER PRIMARY KEY,
    peer         INTEGER NOT NULL REFERENCES peer (id),
    -- The peer's id of the only section it is about. NULL: everything.
    section      TEXT,
    -- Who wanted it: a name, or 'timer'.
    asked_by     TEXT    NOT NULL,
    -- 'interrupted': it was stopped, or the process that did it is gone.
    state        TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    -- What it is at, or was at last, in words.
    phase        TEXT    NOT NULL,
    -- Rows of the present list that were read, and how many the peer says it has. NULL: it did not say.
    read_rows    INTEGER NOT NULL DEFAULT 0,
    total_rows   INTEGER,
    started_at   INTEGER NOT NULL,
    -- While it runs, this is set every half minute at the least, by whichever process does the work.
    heartbeat_at INTEGER NOT NULL,
    finished_at  INTEGER,
    -- What it did, as JSON: counts for each list, the first rows that were refused.
    report       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(report)),
    -- Why it failed.
    error        TEXT,
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT;

CREATE INDEX sync_run_of_peer ON sync_run (peer, id);

-- One at a time for each peer, whichever process does it.
CREATE UNIQUE INDEX sync_run_at_a_time ON sync_run (peer) WHERE state = 'running';

-- The rows that a running synchronisation has been told of; emptied when it ends. `kind` is the place of the list in the order
-- they are read (1 users, 2 sections, 3 enrolments, 4 assessments, 5 grades). About 12 bytes a row, 60 MB for 5 million grades.
CREATE TABLE sync_seen (
    run    INTEGER NOT NULL REFERENCES sync_run (id),
    kind   INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),
    row_id INTEGER NOT NULL,
    PRIMARY KEY (run, kind, row_id)
) STRICT, WITHOUT ROWID;
