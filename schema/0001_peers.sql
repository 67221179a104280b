-- Who we know, what each may call, and what keeps a call from being heard twice.

-- A site we exchange calls with.
CREATE TABLE peer (
    id                 INTEGER PRIMARY KEY,
    -- The address it calls itself by, compared letter by letter.
    wwwroot            TEXT    NOT NULL UNIQUE,
    -- The name people know it by.
    name               TEXT    NOT NULL,
    -- Decides the paths of its addresses.
    application        TEXT    NOT NULL DEFAULT 'moodle' CHECK (application IN ('moodle', 'mahara')),
    -- Its certificate, PEM. NULL: registered, but not met yet.
    certificate        TEXT,
    -- How text beyond ASCII has to be written so that it arrives: true UTF-8; Mahara's mixture; or UTF-8 bytes
    -- declared as ISO-8859-1, for PHP's old extension.
    text_dialect       TEXT    NOT NULL DEFAULT 'utf8' CHECK (text_dialect IN ('utf8', 'mahara', 'old-php')),
    -- 1: set by the administrator, so nothing found out later changes it.
    text_dialect_fixed INTEGER NOT NULL DEFAULT 0 CHECK (text_dialect_fixed IN (0, 1)),
    -- 1: it has sent a bound call, so from then on every register call of its has to be bound.
    binding_required   INTEGER NOT NULL DEFAULT 0 CHECK (binding_required IN (0, 1)),
    created_at         INTEGER NOT NULL,
    -- The last call in either direction that held.
    last_contact_at    INTEGER,
    -- Its clock minus ours in seconds, as last seen.
    clock_offset       INTEGER,
    -- The last call that failed, for the administrator.
    last_fault_at      INTEGER,
    last_fault_code    INTEGER,
    last_fault_text    TEXT,
    -- No longer a peer. Its rows in the register stay, and so does this one.
    removed_at         INTEGER
) STRICT;

-- What we agreed on with a peer, service by service; the words mean our side of it.
CREATE TABLE peer_service (
    peer_id   INTEGER NOT NULL REFERENCES peer (id),
    service   TEXT    NOT NULL,
    -- 1: the peer may call our methods of this service.
    publish   INTEGER NOT NULL DEFAULT 0 CHECK (publish IN (0, 1)),
    -- 1: we call the peer's methods of this service.
    subscribe INTEGER NOT NULL DEFAULT 0 CHECK (subscribe IN (0, 1)),
    PRIMARY KEY (peer_id, service)
) STRICT, WITHOUT ROWID;

-- Addresses a peer must call from, in CIDR notation. No row: it may call from anywhere.
CREATE TABLE peer_trusted_address (
    peer_id INTEGER NOT NULL REFERENCES peer (id),
    cidr    TEXT    NOT NULL,
    PRIMARY KEY (peer_id, cidr)
) STRICT, WITHOUT ROWID;

-- Hosts that may call in the clear, in CIDR notation.
CREATE TABLE clear_text_address (
    cidr TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Settings that are changed while the daemon runs; everything else stands in its configuration file.
CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Our own key pairs, by the SHA-256 of their certificate. The keys themselves are files.
CREATE TABLE key_pair (
    id          INTEGER PRIMARY KEY,
    fingerprint BLOB    NOT NULL UNIQUE CHECK (length(fingerprint) = 32)
) STRICT;

-- Requests heard, each by its session key: remembered as long as the key pair opens requests, since a sealed message can
-- be sent again for that long. The digest is 64 bits of a hash; a row takes about 16 bytes, a million calls 16 MB.
CREATE TABLE seen_request (
    key_pair INTEGER NOT NULL REFERENCES key_pair (id),
    digest   INTEGER NOT NULL,
    PRIMARY KEY (key_pair, digest)
) STRICT, WITHOUT ROWID;

-- Nonces of bound calls. They may be forgotten once their time is outside the window.
CREATE TABLE seen_nonce (
    peer_id INTEGER NOT NULL REFERENCES peer (id),
    nonce   BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (peer_id, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_nonce_by_time ON seen_nonce (at);
