-- The school: people, sections, enrolments, assessments and grades, with their histories.
--
-- Whose a row is: `peer` names the peer that sent it, NULL means made here, by hand or by an import. An `idnumber` is the
-- id the owner uses for the row on the wire: an opaque text, unique among the owner's rows of that kind.
--
-- Who did it: a history row names its author by kind. 'peer' with `author_peer`; 'admin' with the administrator's name in
-- `author_name`; 'import' with the name of the file or feed there, and the peer in `author_peer` where it was a peer's.
--
-- `removed_at` takes a row out of use until it is sent again. `in_error_at` ("added in error") takes it out of every report,
-- for it never was so; only an administrator sets and lifts that mark.

CREATE TABLE person (
    id                    INTEGER PRIMARY KEY,
    peer                  INTEGER REFERENCES peer (id),
    -- NULL where the peer does not give ids to its users: then `sent_username` stands in for it.
    idnumber              TEXT,
    -- The spelling used here, unique in the whole register.
    username              TEXT    NOT NULL COLLATE NOCASE,
    -- The spelling the peer uses. Differs from `username` where another person had that name already.
    sent_username         TEXT    NOT NULL COLLATE NOCASE,
    firstname             TEXT    NOT NULL,
    lastname              TEXT    NOT NULL,
    email                 TEXT    NOT NULL,
    ircnick               TEXT,
    -- What else was sent, as given: a JSON object. Never holds a password or its hash.
    extra                 TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    -- The right to sign in that was given or denied to this very person. NULL: as the person's groups have it.
    may_sign_in           INTEGER CHECK (may_sign_in IN (0, 1)),
    -- The person's own enrolment in the school, as it stood when `school_enrolment_history` was last added to. NULL: nothing
    -- was ever said. When `school_changes_at` has come, the history has the word.
    school_status         INTEGER REFERENCES enrolment_status (id),
    school_changes_at     INTEGER,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    removed_at            INTEGER
) STRICT;

CREATE UNIQUE INDEX person_username ON person (username);
CREATE UNIQUE INDEX person_idnumber ON person (ifnull(peer, 0), idnumber) WHERE idnumber IS NOT NULL;
CREATE INDEX person_sent_username ON person (ifnull(peer, 0), sent_username);

-- The right to sign in that a group has as a whole. A person is in the group of every role held in an enrolment that has
-- neither ended nor been removed.
CREATE TABLE group_right (
    role        TEXT PRIMARY KEY CHECK (role IN ('student', 'teacher')),
    may_sign_in INTEGER NOT NULL CHECK (may_sign_in IN (0, 1))
) STRICT, WITHOUT ROWID;

INSERT INTO group_right (role, may_sign_in) VALUES ('student', 0), ('teacher', 0);

-- What an enrolment can be. The meaning is what the program goes by; code, title and outcome are the school's own.
CREATE TABLE enrolment_status (
    id       INTEGER PRIMARY KEY,
    -- 'section': of somebody in a section. 'school': of a person in the school.
    scope    TEXT    NOT NULL CHECK (scope IN ('section', 'school')),
    code     TEXT    NOT NULL COLLATE NOCASE,
    title    TEXT    NOT NULL COLLATE NOCASE,
    meaning  TEXT    NOT NULL CHECK (meaning IN ('pending', 'active', 'withdrawn', 'completed')),
    -- Where it ends an enrolment: how it ended.
    outcome  TEXT    CHECK (outcome IN ('passed', 'failing', 'no grade')),
    -- The order in lists. The first of a meaning is taken where a call gives the meaning alone.
    position INTEGER NOT NULL,
    -- No longer offered; enrolments that had it keep it.
    removed_at INTEGER,
    UNIQUE (scope, code),
    UNIQUE (scope, title),
    CHECK (outcome IS NULL OR meaning IN ('withdrawn', 'completed'))
) STRICT;

-- As SchoolTool had them.
INSERT INTO enrolment_status (scope, code, title, meaning, outcome, position) VALUES
    ('section', 'p', 'Pending',      'pending',   NULL, 1),
    ('section', 'a', 'Enrolled',     'active',    NULL, 2),
    ('section', 'i', 'Withdrawn',    'withdrawn', NULL, 3),
    ('section', 'c', 'Completed',    'completed', NULL, 4),
    ('school',  'p', 'Pending',      'pending',   NULL, 1),
    ('school',  'e', 'Pre-enrolled', 'pending',   NULL, 2),
    ('school',  'a', 'Enrolled',     'active',    NULL, 3),
    ('school',  'c', 'Graduated',    'completed', NULL, 4),
    ('school',  'i', 'Withdrawn',    'withdrawn', NULL, 5);

-- A person's own enrolment in the school, change by change.
CREATE TABLE school_enrolment_history (
    id           INTEGER PRIMARY KEY,
    person       INTEGER NOT NULL REFERENCES person (id),
    status       INTEGER NOT NULL REFERENCES enrolment_status (id),
    -- From when it holds; may lie ahead, or behind.
    effective_at INTEGER NOT NULL,
    -- When it was written down.
    recorded_at  INTEGER NOT NULL,
    author_kind  TEXT    NOT NULL CHECK (author_kind IN ('peer', 'admin', 'import')),
    author_peer  INTEGER REFERENCES peer (id),
    author_name  TEXT,
    note         TEXT
) STRICT;

CREATE INDEX school_enrolment_history_of_person ON school_enrolment_history (person, effective_at);

-- A course as it is taught: what Moodle calls a course.
CREATE TABLE section (
    id         INTEGER PRIMARY KEY,
    peer       INTEGER REFERENCES peer (id),
    idnumber   TEXT,
    name       TEXT    NOT NULL,
    extra      TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX section_idnumber ON section (ifnull(peer, 0), idnumber) WHERE idnumber IS NOT NULL;

-- A segment is a term of the school, known by its name and shared by all peers. Peers bring segments in by naming them, and
-- change none.
CREATE TABLE segment (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- A section may run over several segments. One with no row here fits no term and stands under "ongoing".
CREATE TABLE section_segment (
    section INTEGER NOT NULL REFERENCES section (id),
    segment INTEGER NOT NULL REFERENCES segment (id),
    PRIMARY KEY (section, segment)
) STRICT, WITHOUT ROWID;

CREATE INDEX section_segment_by_segment ON section_segment (segment, section);

-- The teachers a section was given as a whole (`teacheridnumber`), apart from those enrolled in it with the role teacher.
CREATE TABLE section_teacher (
    section INTEGER NOT NULL REFERENCES section (id),
    person  INTEGER NOT NULL REFERENCES person (id),
    PRIMARY KEY (section, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX section_teacher_by_person ON section_teacher (person, section);

CREATE TABLE section_teacher_history (
    id          INTEGER PRIMARY KEY,
    section     INTEGER NOT NULL REFERENCES section (id),
    person      INTEGER NOT NULL REFERENCES person (id),
    change      TEXT    NOT NULL CHECK (change IN ('came', 'left')),
    recorded_at INTEGER NOT NULL,
    author_kind TEXT    NOT NULL CHECK (author_kind IN ('peer', 'admin', 'import')),
    author_peer INTEGER REFERENCES peer (id),
    author_name TEXT
) STRICT;

CREATE INDEX section_teacher_history_of_section ON section_teacher_history (section);

-- A person in a section, once for each role. What a peer says and what was entered by hand are two rows.
CREATE TABLE enrolment (
    id          INTEGER PRIMARY KEY,
    peer        INTEGER REFERENCES peer (id),
    section     INTEGER NOT NULL REFERENCES section (id),
    person      INTEGER NOT NULL REFERENCES person (id),
    role        TEXT    NOT NULL CHECK (role IN ('student', 'teacher')),
    -- As it stood when the history was last added to.
    status      INTEGER NOT NULL REFERENCES enrolment_status (id),
    -- When the history's next change takes hold; NULL: none lies ahead. Once that moment has come, the history has the word.
    changes_at  INTEGER,
    extra       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    in_error_at INTEGER,
    removed_at  INTEGER
) STRICT;

CREATE UNIQUE INDEX enrolment_of_person ON enrolment (person, section, role, ifnull(peer, 0));
CREATE INDEX enrolment_of_section ON enrolment (section);

CREATE TABLE enrolment_history (
    id           INTEGER PRIMARY KEY,
    enrolment    INTEGER NOT NULL REFERENCES enrolment (id),
    change       TEXT    NOT NULL CHECK (change IN ('status', 'in error', 'not in error', 'removed', 'restored')),
    -- What it became; only where the status is what changed.
    status       INTEGER REFERENCES enrolment_status (id),
    -- From when it holds; may lie ahead, or behind.
    effective_at INTEGER NOT NULL,
    -- When it was written down.
    recorded_at  INTEGER NOT NULL,
    author_kind  TEXT    NOT NULL CHECK (author_kind IN ('peer', 'admin', 'import')),
    author_peer  INTEGER REFERENCES peer (id),
    author_name  TEXT,
    note         TEXT,
    CHECK ((change = 'status') = (status IS NOT NULL))
) STRICT;

CREATE INDEX enrolment_history_of_enrolment ON enrolment_history (enrolment, effective_at);

-- A column of the gradebook.
CREATE TABLE assessment (
    id                 INTEGER PRIMARY KEY,
    -- NULL: made by hand, and no peer has sent one of that name yet.
    peer               INTEGER REFERENCES peer (id),
    idnumber           TEXT,
    section            INTEGER NOT NULL REFERENCES section (id),
    name               TEXT    NOT NULL,
    chapternum         TEXT,
    honors_required    INTEGER CHECK (honors_required IN (0, 1)),
    nonhonors_required INTEGER CHECK (nonhonors_required IN (0, 1)),
    extra_credit       INTEGER CHECK (extra_credit IN (0, 1)),
    -- The most points there are to earn, extra credit apart.
    pointval           REAL,
    extra              TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    -- When a row made by hand and a peer's of the same name became one.
    linked_at          INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    removed_at         INTEGER
) STRICT;

CREATE UNIQUE INDEX assessment_idnumber ON assessment (ifnull(peer, 0), idnumber) WHERE idnumber IS NOT NULL;
CREATE INDEX assessment_of_section ON assessment (section, name);

-- An entry of the gradebook as it stands now.
CREATE TABLE grade (
    id            INTEGER PRIMARY KEY,
    assessment    INTEGER NOT NULL REFERENCES assessment (id),
    person        INTEGER NOT NULL REFERENCES person (id),
    -- Who gave the value that stands: NULL is by hand.
    peer          INTEGER REFERENCES peer (id),
    -- NULL only where the person was excepted.
    points_earned REAL,
    excepted      INTEGER NOT NULL CHECK (excepted IN (0, 1)),
    attempt_num   INTEGER NOT NULL CHECK (attempt_num >= 1),
    extra         TEXT    NOT NULL DEFAULT '{}',
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    in_error_at   INTEGER,
    removed_at    INTEGER
) STRICT;

CREATE UNIQUE INDEX grade_of_person ON grade (person, assessment);
CREATE INDEX grade_of_assessment ON grade (assessment);

-- Every value an entry ever had, and every mark set on it.
CREATE TABLE grade_history (
    id            INTEGER PRIMARY KEY,
    grade         INTEGER NOT NULL REFERENCES grade (id),
    change        TEXT    NOT NULL CHECK (change IN ('value', 'in error', 'not in error', 'removed', 'restored')),
    points_earned REAL,
    excepted      INTEGER NOT NULL CHECK (excepted IN (0, 1)),
    attempt_num   INTEGER NOT NULL,
    recorded_at   INTEGER NOT NULL,
    author_kind   TEXT    NOT NULL CHECK (author_kind IN ('peer', 'admin', 'import')),
    author_peer   INTEGER REFERENCES peer (id),
    author_name   TEXT,
    note          TEXT
) STRICT;

CREATE INDEX grade_history_of_grade ON grade_history (grade);

-- Histories are append-only.

CREATE TRIGGER school_enrolment_history_keeps BEFORE UPDATE ON school_enrolment_history
BEGIN SELECT RAISE(ABORT, 'school_enrolment_history is append-only'); END;
CREATE TRIGGER school_enrolment_history_stays BEFORE DELETE ON school_enrolment_history
BEGIN SELECT RAISE(ABORT, 'school_enrolment_history is append-only'); END;

CREATE TRIGGER section_teacher_history_keeps BEFORE UPDATE ON section_teacher_history
BEGIN SELECT RAISE(ABORT, 'section_teacher_history is append-only'); END;
CREATE TRIGGER section_teacher_history_stays BEFORE DELETE ON section_teacher_history
BEGIN SELECT RAISE(ABORT, 'section_teacher_history is append-only'); END;

CREATE TRIGGER enrolment_history_keeps BEFORE UPDATE ON enrolment_history
BEGIN SELECT RAISE(ABORT, 'enrolment_history is append-only'); END;
CREATE TRIGGER enrolment_history_stays BEFORE DELETE ON enrolment_history
BEGIN SELECT RAISE(ABORT, 'enrolment_history is append-only'); END;

CREATE TRIGGER grade_history_keeps BEFORE UPDATE ON grade_history
BEGIN SELECT RAISE(ABORT, 'grade_history is append-only'); END;
CREATE TRIGGER grade_history_stays BEFORE DELETE ON grade_history
BEGIN SELECT RAISE(ABORT, 'grade_history is append-only'); END;
