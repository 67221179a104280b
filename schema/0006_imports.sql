-- What files of other systems brought, so that the next file of the same kind is held against it.
--
-- The rows of the register that an import makes have no `peer`: they are the school's own. Who they are to the other system
-- stands here: a system (`import_source`) and its id, which may be the id of somebody else in another system.

-- A system that gives ids: what IMS Enterprise calls the source of a sourcedid.
CREATE TABLE import_source (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A kind of file that comes again and again. What the last file of a feed held and the next does not hold is absent; what
-- another feed brought is no concern of it.
CREATE TABLE import_feed (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A person or a section by the id of a system. `row` is the row of `person` or of `section`.
CREATE TABLE import_key (
    id        INTEGER PRIMARY KEY,
    kind      TEXT    NOT NULL CHECK (kind IN ('person', 'section')),
    source    INTEGER NOT NULL REFERENCES import_source (id),
    key       TEXT    NOT NULL,
    "row"     INTEGER NOT NULL,
    -- The feed that spoke of it last.
    feed      INTEGER NOT NULL REFERENCES import_feed (id),
    -- A hash of what it said: one that says the same again is not looked at further.
    digest    INTEGER NOT NULL,
    -- Since when it is removed, or absent from the feed.
    absent_at INTEGER
) STRICT;

CREATE UNIQUE INDEX import_key_of_source ON import_key (source, kind, key);

-- A person in a section, as an import said.
CREATE TABLE import_membership (
    id        INTEGER PRIMARY KEY,
    -- Rows of import_key.
    section   INTEGER NOT NULL REFERENCES import_key (id),
    person    INTEGER NOT NULL REFERENCES import_key (id),
    role      TEXT    NOT NULL CHECK (role IN ('student', 'teacher')),
    enrolment INTEGER NOT NULL REFERENCES enrolment (id),
    feed      INTEGER NOT NULL REFERENCES import_feed (id),
    digest    INTEGER NOT NULL,
    absent_at INTEGER
) STRICT;

CREATE UNIQUE INDEX import_membership_of_section ON import_membership (section, person, role);

-- A section within a section: the parts of a cross-listed course, the classes of a year. Rows of import_key.
CREATE TABLE import_part (
    id        INTEGER PRIMARY KEY,
    whole     INTEGER NOT NULL REFERENCES import_key (id),
    part      INTEGER NOT NULL REFERENCES import_key (id),
    feed      INTEGER NOT NULL REFERENCES import_feed (id),
    absent_at INTEGER,
    UNIQUE (whole, part)
) STRICT;
