-- What the lists that people page through and search in go by.
--
-- SQLite knows upper and lower case of ASCII alone, so the program writes folded text beside the names (src/store/names.rs).
-- NULL: not folded yet, as in rows from before this migration; the program does that when it opens the database.

-- Last and first name, in small letters and without accents, parted by U+0001.
ALTER TABLE person ADD COLUMN sort_name TEXT;

-- Names, usernames, e-mail address and id in small letters, a line each; those with accents once more without them.
ALTER TABLE person ADD COLUMN search_text TEXT;

-- Its name, in small letters and without accents.
ALTER TABLE section ADD COLUMN sort_name TEXT;

-- Name and id, as in `person`.
ALTER TABLE section ADD COLUMN search_text TEXT;

-- Everything that decides whether somebody is on a page: a search that finds nobody reads this index from end to end and no
-- row of the table, 15 MB and some 30 ms for 100,000 people.
CREATE INDEX person_by_name ON person (sort_name, id, search_text, peer, removed_at);
CREATE INDEX section_by_name ON section (sort_name, id, search_text, peer, removed_at);

-- Small enough to be counted for every page: about 1 MB for 100,000 people.
CREATE INDEX person_of_peer ON person (peer, removed_at);
CREATE INDEX section_of_peer ON section (peer, removed_at);
CREATE INDEX section_removed ON section (id) WHERE removed_at IS NOT NULL;

-- Who teaches, among many who do not.
CREATE INDEX enrolment_of_teacher ON enrolment (person) WHERE role = 'teacher';
