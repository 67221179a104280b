-- Who may sign in here, who is signed in, single sign-on both ways, remote enrolment, and what administrators and peers did.

-- An account of this site itself, with a password. People who come from a peer have none: their own site vouches for them.
CREATE TABLE account (
    id                  INTEGER PRIMARY KEY,
    username            TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    firstname           TEXT    NOT NULL,
    lastname            TEXT    NOT NULL,
    email               TEXT    NOT NULL,
    -- 'administrator' sees and changes everything, 'reader' sees everything, 'member' sees what is theirs.
    role                TEXT    NOT NULL CHECK (role IN ('administrator', 'reader', 'member')),
    -- Who in the register this is. NULL: nobody in it.
    person              INTEGER UNIQUE REFERENCES person (id),
    -- Argon2id, as a PHC string.
    password_hash       TEXT    NOT NULL,
    password_changed_at INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    last_sign_in_at     INTEGER,
    -- May not sign in any more. The row stays, for histories name it.
    disabled_at         INTEGER
) STRICT;

-- The right to sign in that a group has only where its people come from a certain peer. `group_right` is for all of it.
CREATE TABLE peer_group_right (
    peer        INTEGER NOT NULL REFERENCES peer (id),
    role        TEXT    NOT NULL CHECK (role IN ('student', 'teacher')),
    may_sign_in INTEGER NOT NULL CHECK (may_sign_in IN (0, 1)),
    PRIMARY KEY (peer, role)
) STRICT, WITHOUT ROWID;

-- The link by which the first administrator's account is made: the SHA-256 of what stands in it. One row at most.
CREATE TABLE setup_link (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),
    made_at    INTEGER NOT NULL
) STRICT;

-- A browser that is signed in, or was. What its cookie holds is kept as a SHA-256 alone.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- Who: an account of this site, or a person whom a peer vouched for.
    account    INTEGER REFERENCES account (id),
    person     INTEGER REFERENCES person (id),
    -- The peer that vouched, where one did.
    peer       INTEGER REFERENCES peer (id),
    -- SHA-1 of the browser's User-Agent in hex, as MNet compares it. Text of the peer's to compare with, no protection.
    user_agent TEXT    NOT NULL,
    -- The address it was begun from.
    address    TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    -- The last request, to the minute.
    seen_at    INTEGER NOT NULL,
    -- It ends when nothing was heard for as long as the idle limit says, and at this moment whatever was heard.
    expires_at INTEGER NOT NULL,
    -- When it was last told to the peer that vouched (keepalive_server).
    told_at    INTEGER,
    ended_at   INTEGER,
    ended_by   TEXT CHECK (ended_by IN ('sign-out', 'peer', 'administrator', 'expiry', 'another sign-in', 'account')),
    CHECK ((account IS NULL) <> (person IS NULL)),
    CHECK ((person IS NULL) = (peer IS NULL))
) STRICT;

CREATE INDEX session_of_account ON session (account) WHERE ended_at IS NULL;
CREATE INDEX session_of_person ON session (person);
CREATE INDEX session_by_seen ON session (seen_at) WHERE ended_at IS NULL;

-- Out: the right to be signed in at a peer, handed to a browser as a token of 160 bits, good once and for 30 seconds.
CREATE TABLE jump (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    session    INTEGER NOT NULL REFERENCES session (id),
    peer       INTEGER NOT NULL REFERENCES peer (id),
    -- SHA-1 in hex of the User-Agent of the browser that jumps.
    user_agent TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX jump_by_expiry ON jump (expires_at);

-- Out: where a session of ours is used. Log-out here ends it there.
CREATE TABLE session_at_peer (
    session     INTEGER NOT NULL REFERENCES session (id),
    peer        INTEGER NOT NULL REFERENCES peer (id),
    user_agent  TEXT    NOT NULL,
    -- When the peer confirmed it, and when it last said that it lives (keepalive_server).
    began_at    INTEGER NOT NULL,
    heard_at    INTEGER NOT NULL,
    -- When it was ended: there (kill_children) or from here (kill_child).
    ended_at    INTEGER,
    PRIMARY KEY (session, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_at_peer_by_peer ON session_at_peer (peer) WHERE ended_at IS NULL;

-- In: tokens a peer's users came with, so that each is used once whatever the peer does. Forgotten after an hour.
CREATE TABLE landing (
    peer       INTEGER NOT NULL REFERENCES peer (id),
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),
    at         INTEGER NOT NULL,
    PRIMARY KEY (peer, token_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX landing_by_time ON landing (at);

-- Log entries of our users' doings that peers sent (refresh_log), as they came.
CREATE TABLE peer_log_entry (
    id        INTEGER PRIMARY KEY,
    peer      INTEGER NOT NULL REFERENCES peer (id),
    account   INTEGER NOT NULL REFERENCES account (id),
    -- The peer's number of the entry, and when it says it happened.
    remote_id TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    entry     TEXT    NOT NULL CHECK (json_valid(entry)),
    UNIQUE (peer, remote_id)
) STRICT;

-- Remote enrolment, offered: sections that users of a peer may be enrolled in from there.
CREATE TABLE section_offer (
    section    INTEGER NOT NULL REFERENCES section (id),
    peer       INTEGER NOT NULL REFERENCES peer (id),
    offered_at INTEGER NOT NULL,
    PRIMARY KEY (section, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX section_offer_by_peer ON section_offer (peer, section);

-- Remote enrolment, used: courses of a peer as it last offered them, or as it named them when it told where our users are.
CREATE TABLE peer_course (
    id         INTEGER PRIMARY KEY,
    peer       INTEGER NOT NULL REFERENCES peer (id),
    -- The peer's own id of the course.
    remote_id  TEXT    NOT NULL,
    fullname   TEXT    NOT NULL,
    shortname  TEXT    NOT NULL,
    idnumber   TEXT    NOT NULL,
    summary    TEXT    NOT NULL,
    -- The name of the category it stands in there.
    category   TEXT    NOT NULL,
    starts_at  INTEGER,
    -- Whether we may enrol in it; 0: it is only known.
    offered    INTEGER NOT NULL CHECK (offered IN (0, 1)),
    fetched_at INTEGER NOT NULL,
    UNIQUE (peer, remote_id)
) STRICT;

-- Our accounts in courses of a peer.
CREATE TABLE peer_course_enrolment (
    account     INTEGER NOT NULL REFERENCES account (id),
    course      INTEGER NOT NULL REFERENCES peer_course (id),
    -- The role's name there, where it was told.
    role        TEXT    NOT NULL,
    -- 1: enrolled from here by enrol_user; 0: told by the peer.
    by_us       INTEGER NOT NULL CHECK (by_us IN (0, 1)),
    enrolled_at INTEGER NOT NULL,
    ended_at    INTEGER,
    PRIMARY KEY (account, course)
) STRICT, WITHOUT ROWID;

-- What administrators did.
CREATE TABLE audit_history (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    -- Who: an account's username; the name of the system's user for the command line.
    actor   TEXT    NOT NULL,
    -- From where: an address, or 'command line'.
    origin  TEXT    NOT NULL,
    -- What, as a short word such as 'peer added'.
    action  TEXT    NOT NULL,
    -- To what, as people name it.
    object  TEXT    NOT NULL,
    -- More, in words; never a secret.
    details TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER audit_history_keeps BEFORE UPDATE ON audit_history
BEGIN SELECT RAISE(ABORT, 'audit_history is append-only'); END;
CREATE TRIGGER audit_history_stays BEFORE DELETE ON audit_history
BEGIN SELECT RAISE(ABORT, 'audit_history is append-only'); END;

-- Calls, in and out, for the administrator's eyes. The oldest are dropped once there are more than the program keeps.
CREATE TABLE call_log (
    id           INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    direction    TEXT    NOT NULL CHECK (direction IN ('in', 'out')),
    -- NULL: nobody we know.
    peer         INTEGER REFERENCES peer (id),
    -- Who it said it was, where that is no peer; else where it came from.
    origin       TEXT,
    method       TEXT    NOT NULL,
    -- NULL: it went well.
    fault_code   INTEGER,
    -- What went wrong, in words, cut to a bounded length.
    message      TEXT,
    -- 2 for a call that was sent once more, over a key that changed.
    attempts     INTEGER NOT NULL DEFAULT 1,
    microseconds INTEGER NOT NULL
) STRICT;

CREATE INDEX call_log_of_peer ON call_log (peer, id);
CREATE INDEX call_log_of_faults ON call_log (id) WHERE fault_code IS NOT NULL OR message IS NOT NULL;
