//! Whether Moodle's tables and the register say the same.
//!
//! Both are read past the programs that keep them: Moodle's tables by the provisioning script, with SQL of its own, and
//! mnetd.db with ours. Rows are matched by the ids under which the register knows things, and then compared member by
//! member.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::{Connection, Row, named_params};
use serde_json::{Value as Json, json};

use crate::case::Figure;
use crate::failure::{Failure, Held};
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;

/// How many differences of a kind are told in full.
const TOLD: usize = 3;

/// What a comparison found.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Kind by kind.
    pub kinds: Vec<Compared>,
}

/// What a comparison found of one kind of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// `users`, `sections`, …
    pub kind: &'static str,
    /// How many rows Moodle has.
    pub rows: usize,
    /// Each row that only one side has, or that says different things.
    pub differences: Vec<String>,
}

impl Agreement {
    /// Compares what a Moodle is to send with what stands in a register.
    ///
    /// # Errors
    /// When one of the two cannot be read.
    pub fn between(moodle: &Moodle, mnetd: &Mnetd) -> Held<Self> {
        let truth = moodle.provision("truth", &json!({}))?;
        Self::of(&truth, &mnetd.database()?, moodle.url())
    }

    /// Compares the witness's words with the rows that the peer `wwwroot` has in a database.
    ///
    /// # Errors
    /// When the database cannot be read, or the words are of another shape.
    pub fn of(truth: &Json, register: &Connection, wwwroot: &str) -> Held<Self> {
        let kinds = KINDS
            .iter()
            .map(|kind| kind.compare(truth, register, wwwroot))
            .collect::<Held<Vec<Compared>>>()?;
        Ok(Self { kinds })
    }

    /// How many rows were compared.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.kinds.iter().map(|kind| kind.rows).sum()
    }

    /// How many differences there are.
    #[must_use]
    pub fn differences(&self) -> usize {
        self.kinds.iter().map(|kind| kind.differences.len()).sum()
    }

    /// How many rows of each kind there are, as figures.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        self.kinds
            .iter()
            .map(|kind| Figure::count(kind.kind, kind.rows))
            .collect()
    }

    /// Holds that there are none.
    ///
    /// # Errors
    /// When there are, with the first of each kind.
    pub fn expect_none(&self) -> Held {
        self.expect_none_of(&KINDS.map(|kind| kind.name))
    }

    /// Holds that there are none of some kinds.
    ///
    /// # Errors
    /// When there are, with the first of each kind.
    pub fn expect_none_of(&self, kinds: &[&str]) -> Held {
        let told: Vec<&str> = self
            .kinds
            .iter()
            .filter(|kind| kinds.contains(&kind.kind))
            .flat_map(|kind| kind.differences.iter().take(TOLD))
            .map(String::as_str)
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        Err(Failure::Otherwise {
            what: format!("Moodle and the register, {self}"),
            expected: "no differences".to_owned(),
            seen: told.join("; "),
        })
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rows compared: ")?;
        for kind in &self.kinds {
            write!(f, "{} {}, ", kind.rows, kind.kind)?;
        }
        write!(f, "differences: {}", self.differences())
    }
}

/// One kind of rows: how the two sides tell it.
struct Kind {
    name: &'static str,
    /// Members that tell one row from another.
    key: &'static [&'static str],
    /// Members that have to be the same.
    same: &'static [&'static str],
    /// The peer's rows that stand in the register; columns are the key's and then the others, in that order.
    query: &'static str,
}

/// What has to agree. `:peer` is the Moodle's wwwroot, `:now` in Unix seconds.
const KINDS: [Kind; 5] = [
    Kind {
        name: "users",
        key: &["idnumber"],
        same: &["username", "firstname", "lastname", "email", "suspended"],
        query: "SELECT u.idnumber, u.sent_username, u.firstname, u.lastname, u.email,
                       ifnull(json_extract(u.extra, '$.suspended'), 0) = 1 AND :now > 0
                  FROM person AS u JOIN peer AS o ON o.id = u.peer
                 WHERE o.wwwroot = :peer AND u.removed_at IS NULL",
    },
    Kind {
        name: "sections",
        key: &["idnumber"],
        same: &["name", "shortname", "visible"],
        query: "SELECT s.idnumber, s.name, json_extract(s.extra, '$.shortname'),
                       ifnull(json_extract(s.extra, '$.visible'), 0) = 1 AND :now > 0
                  FROM section AS s JOIN peer AS o ON o.id = s.peer
                 WHERE o.wwwroot = :peer AND s.removed_at IS NULL",
    },
    Kind {
        name: "enrolments",
        key: &["sectionid", "userid", "role"],
        same: &[],
        // A change dated ahead is in the history until it takes hold.
        query: "SELECT s.idnumber, u.idnumber, e.role
                  FROM enrolment AS e JOIN peer AS o ON o.id = e.peer
                  JOIN section AS s ON s.id = e.section JOIN person AS u ON u.id = e.person
                  JOIN enrolment_status AS t ON t.id = CASE WHEN e.changes_at <= :now
                       THEN (SELECT h.status FROM enrolment_history AS h
                              WHERE h.enrolment = e.id AND h.change = 'status' AND h.effective_at <= :now
                              ORDER BY h.effective_at DESC, h.id DESC LIMIT 1)
                       ELSE e.status END
                 WHERE o.wwwroot = :peer AND s.removed_at IS NULL AND u.removed_at IS NULL
                   AND e.removed_at IS NULL AND e.in_error_at IS NULL AND t.meaning = 'active'",
    },
    Kind {
        name: "assessments",
        key: &["idnumber"],
        same: &["sectionid", "name", "pointval"],
        query: "SELECT a.idnumber, s.idnumber, a.name, a.pointval
                  FROM assessment AS a JOIN peer AS o ON o.id = a.peer
                  JOIN section AS s ON s.id = a.section
                 WHERE o.wwwroot = :peer AND a.removed_at IS NULL AND s.removed_at IS NULL AND :now > 0",
    },
    Kind {
        name: "grades",
        key: &["assessmentid", "userid"],
        same: &["points_earned", "excepted"],
        query: "SELECT a.idnumber, u.idnumber, g.points_earned, g.excepted = 1
                  FROM grade AS g JOIN peer AS o ON o.id = g.peer
                  JOIN assessment AS a ON a.id = g.assessment JOIN section AS s ON s.id = a.section
                  JOIN person AS u ON u.id = g.person
                 WHERE o.wwwroot = :peer AND g.removed_at IS NULL AND g.in_error_at IS NULL
                   AND a.removed_at IS NULL AND s.removed_at IS NULL AND u.removed_at IS NULL AND :now > 0",
    },
];

/// Rows by their key, each as the members that have to be the same.
type Rows = BTreeMap<String, String>;

impl Kind {
    fn compare(&self, truth: &Json, register: &Connection, wwwroot: &str) -> Held<Compared> {
        let mut differences = Vec::new();
        let moodle = self.in_moodle(truth, &mut differences)?;
        let ours = self.in_register(register, wwwroot, &mut differences)?;
        for (key, row) in &moodle {
            match ours.get(key) {
                None => differences.push(format!("{} {key}: not in the register", self.name)),
                Some(other) if other != row => differences.push(format!(
                    "{} {key}: {row} in Moodle, {other} in the register",
                    self.name
                )),
                Some(_) => {}
            }
        }
        for key in ours.keys().filter(|key| !moodle.contains_key(*key)) {
            differences.push(format!("{} {key}: not in Moodle", self.name));
        }
        Ok(Compared {
            kind: self.name,
            rows: moodle.len(),
            differences,
        })
    }

    fn in_moodle(&self, truth: &Json, differences: &mut Vec<String>) -> Held<Rows> {
        let rows = truth[self.name].as_array().ok_or_else(|| Failure::Shape {
            what: format!("the {} that Moodle has", self.name),
            expected: "list",
            seen: truth[self.name].to_string(),
        })?;
        let told = rows.iter().map(|row| {
            let members = |names: &[&str]| names.iter().map(|name| row[*name].clone()).collect();
            (members(self.key), members(self.same))
        });
        Ok(self.by_key(told, "Moodle", differences))
    }

    fn in_register(
        &self,
        register: &Connection,
        wwwroot: &str,
        differences: &mut Vec<String>,
    ) -> Held<Rows> {
        let mut statement = register.prepare(self.query)?;
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_secs().cast_signed());
        let parameters = named_params! {":peer": wwwroot, ":now": now};
        let rows = statement
            .query_map(parameters, |row| {
                let keys = self.key.len();
                let key = (0..keys).map(|n| member(row, n, self.key[n]));
                let same = (0..self.same.len()).map(|n| member(row, keys + n, self.same[n]));
                Ok((
                    key.collect::<rusqlite::Result<Vec<Json>>>()?,
                    same.collect::<rusqlite::Result<Vec<Json>>>()?,
                ))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(self.by_key(rows.into_iter(), "the register", differences))
    }

    fn by_key(
        &self,
        rows: impl Iterator<Item = (Vec<Json>, Vec<Json>)>,
        side: &str,
        differences: &mut Vec<String>,
    ) -> Rows {
        let mut by_key = Rows::new();
        for (key, same) in rows {
            let key = Json::Array(key).to_string();
            if by_key
                .insert(key.clone(), Json::Array(same).to_string())
                .is_some()
            {
                differences.push(format!("{} {key}: more than once in {side}", self.name));
            }
        }
        by_key
    }
}

/// A column as JSON has it. Those that say yes or no are numbers in SQLite.
fn member(row: &Row<'_>, column: usize, name: &str) -> rusqlite::Result<Json> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) if matches!(name, "suspended" | "visible" | "excepted") => {
            json!(number == 1)
        }
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(_) => json!("bytes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = concat!(
        include_str!("../../schema/0001_peers.sql"),
        include_str!("../../schema/0002_register.sql")
    );

    const ROWS: &str = "
        INSERT INTO peer (id, wwwroot, name, created_at) VALUES (1, 'http://m', 'M', 1), (2, 'http://n', 'N', 1);
        INSERT INTO person (id, peer, idnumber, username, sent_username, firstname, lastname, email, extra, created_at, updated_at)
            VALUES (1, 1, 'u1', 'uma', 'uma', 'Uma', 'Ø', 'u@x', '{\"suspended\":true}', 1, 1),
                   (2, 2, 'u2', 'ulf', 'ulf', 'Ulf', 'N', 'u@x', '{}', 1, 1);
        INSERT INTO section (id, peer, idnumber, name, extra, created_at, updated_at)
            VALUES (1, 1, 's1', 'Biology', '{\"shortname\":\"BIO\",\"visible\":true}', 1, 1);
        INSERT INTO enrolment (id, peer, section, person, role, status, created_at, updated_at)
            VALUES (1, 1, 1, 1, 'student', 2, 1, 1), (2, 1, 1, 1, 'teacher', 3, 1, 1);
        INSERT INTO assessment (id, peer, idnumber, section, name, pointval, created_at, updated_at)
            VALUES (1, 1, 'a1', 1, 'Test', 10, 1, 1);
        INSERT INTO grade (id, assessment, person, peer, points_earned, excepted, attempt_num, created_at, updated_at)
            VALUES (1, 1, 1, 1, 7.5, 0, 1, 1, 1);";

    fn register() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch(ROWS).unwrap();
        connection
    }

    fn truth() -> Json {
        json!({
            "users": [{"idnumber": "u1", "username": "uma", "firstname": "Uma", "lastname": "Ø", "email": "u@x", "suspended": true}],
            "sections": [{"idnumber": "s1", "name": "Biology", "shortname": "BIO", "visible": true}],
            "enrolments": [{"sectionid": "s1", "userid": "u1", "role": "student"}],
            "assessments": [{"idnumber": "a1", "sectionid": "s1", "name": "Test", "pointval": 10.0}],
            "grades": [{"assessmentid": "a1", "userid": "u1", "points_earned": 7.5, "excepted": false}],
        })
    }

    fn differences(truth: &Json, register: &Connection) -> Vec<String> {
        let agreement = Agreement::of(truth, register, "http://m").unwrap();
        agreement
            .kinds
            .into_iter()
            .flat_map(|kind| kind.differences)
            .collect()
    }

    #[test]
    fn two_sides_that_say_the_same_agree() {
        let agreement = Agreement::of(&truth(), &register(), "http://m").unwrap();
        agreement.expect_none().unwrap();
        assert_eq!(agreement.rows(), 5);
        assert_eq!(
            agreement.to_string(),
            "rows compared: 1 users, 1 sections, 1 enrolments, 1 assessments, 1 grades, differences: 0"
        );
    }

    #[test]
    fn a_row_that_the_register_lacks_is_a_difference() {
        let register = register();
        register
            .execute("UPDATE grade SET removed_at = 2", [])
            .unwrap();
        assert_eq!(
            differences(&truth(), &register),
            [r#"grades ["a1","u1"]: not in the register"#]
        );
    }

    #[test]
    fn a_row_that_moodle_lacks_is_a_difference() {
        let mut truth = truth();
        truth["enrolments"] = json!([]);
        assert_eq!(
            differences(&truth, &register()),
            [r#"enrolments ["s1","u1","student"]: not in Moodle"#]
        );
    }

    #[test]
    fn another_value_is_a_difference() {
        let mut truth = truth();
        truth["grades"][0]["points_earned"] = json!(7.25);
        assert_eq!(
            differences(&truth, &register()),
            [r#"grades ["a1","u1"]: [7.25,false] in Moodle, [7.5,false] in the register"#]
        );
    }

    #[test]
    fn rows_without_an_id_are_told_apart() {
        let mut truth = truth();
        truth["users"] =
            json!([{"idnumber": null, "username": "a"}, {"idnumber": null, "username": "b"}]);
        let told = differences(&truth, &register());
        assert!(
            told.iter()
                .any(|line| line.contains("more than once in Moodle")),
            "{told:?}"
        );
    }

    #[test]
    fn a_change_dated_ahead_holds_when_its_time_has_come() {
        let register = register();
        register
            .execute_batch(
                "INSERT INTO enrolment_history (enrolment, change, status, effective_at, recorded_at, author_kind, author_peer)
                     VALUES (1, 'status', 2, 1, 1, 'peer', 1), (1, 'status', 3, 5, 1, 'peer', 1);
                 UPDATE enrolment SET changes_at = 5 WHERE id = 1;",
            )
            .unwrap();
        assert_eq!(
            differences(&truth(), &register),
            [r#"enrolments ["s1","u1","student"]: not in the register"#]
        );
    }
}
