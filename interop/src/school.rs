//! A Moodle that feeds the register of an mnetd.

use rusqlite::types::ValueRef;
use serde_json::{Value as Json, json};

use crate::agreement::Agreement;
use crate::case::Scene;
use crate::failure::{Failure, Held, shortened};
use crate::introduction::allow;
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;

/// A Moodle that feeds the register of an mnetd of its own: courses in one category, and everybody.
pub struct School<'a> {
    /// The Moodle.
    pub moodle: &'a Moodle,
    /// The register.
    pub mnetd: Mnetd,
    /// The number in Moodle of the category whose courses are sent.
    pub category: i64,
    /// The number of another, whose courses are not.
    pub outside: i64,
}

/// What the register can be asked for by an object's id there.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A user.
    User,
    /// A course.
    Course,
    /// A grade item.
    Item,
}

impl<'a> School<'a> {
    /// Makes an mnetd and the Moodle known to each other for the service `register`, and has only one category's courses
    /// sent.
    ///
    /// # Errors
    /// When either side refuses.
    pub fn open(scene: &'a Scene) -> Held<Self> {
        let moodle = &scene.moodle;
        let mut mnetd = scene.mnetd()?;
        mnetd.start()?;
        let peer =
            json!({"wwwroot": mnetd.url(), "application": "mnetd", "services": ["register"]});
        let made = moodle.provision_all(&[
            ("category-create", json!({"idnumber": "interop-in"})),
            ("category-create", json!({"idnumber": "interop-out"})),
            ("pair", peer),
        ])?;
        let category = number(&made[0], "id")?;
        let outside = number(&made[1], "id")?;
        let setting =
            json!({"plugin": "local_mnetd", "name": "categories", "value": category.to_string()});
        moodle.provision("setting", &setting)?;
        mnetd.run(&["peer", "add", moodle.url(), "--yes"])?;
        allow(&mnetd, moodle, "register", true, true)?;
        Ok(Self {
            moodle,
            mnetd,
            category,
            outside,
        })
    }

    /// Has one thing done in Moodle.
    ///
    /// # Errors
    /// What Moodle complains of.
    pub fn does(&self, what: &str, with: &Json) -> Held<Json> {
        self.moodle.provision(what, with)
    }

    /// Makes a user `interop-…` with further fields of the user table. Its number in Moodle.
    ///
    /// # Errors
    /// What Moodle complains of.
    pub fn user(&self, name: &str, fields: Json) -> Held<i64> {
        let mut user = fields;
        user["username"] = json!(format!("interop-{name}"));
        number(&self.does("user", &user)?, "id")
    }

    /// Makes a course `interop-…` that is sent. Its number in Moodle.
    ///
    /// # Errors
    /// What Moodle complains of.
    pub fn course(&self, name: &str) -> Held<i64> {
        let course = json!({
            "shortname": format!("interop-{name}"),
            "fullname": format!("Course {name}"),
            "category": self.category,
        });
        number(&self.does("course-create", &course)?, "id")
    }

    /// Makes a course with one student and a grade item of 100 points that is graded by hand.
    ///
    /// # Errors
    /// What Moodle complains of.
    pub fn class(&self) -> Held<Class> {
        let course = self.course("class")?;
        let student = self.user("student", json!({"idnumber": "INTEROP-S"}))?;
        let made = self.moodle.provision_all(&[
            (
                "enrol",
                json!({"course": course, "user": student, "role": "student"}),
            ),
            (
                "item-create",
                json!({"course": course, "name": "Oral", "grademax": 100}),
            ),
        ])?;
        let item = number(&made[1], "item")?;
        Ok(Class {
            course,
            student,
            item,
        })
    }

    /// One run of Moodle's cron.
    ///
    /// # Errors
    /// When cron fails.
    pub fn cron(&self) -> Held {
        self.moodle.cron().map(drop)
    }

    /// How the exchange with the register stands, as the plugin's own command tells it.
    ///
    /// # Errors
    /// When it cannot be run, or knows nothing of this register.
    pub fn status(&self) -> Held<Json> {
        let peer = format!("--peer={}", self.mnetd.url());
        let printed = self
            .moodle
            .run_script("local/mnetd/cli/status.php", &["--json", &peer])?;
        let all: Option<Json> = serde_json::from_str(&printed).ok();
        let ours = all.as_ref().map_or(&Json::Null, |all| &all[0]);
        if ours["wwwroot"] == json!(self.mnetd.url()) {
            return Ok(ours.clone());
        }
        Err(Failure::Shape {
            what: "local/mnetd/cli/status.php".to_owned(),
            expected: "JSON that tells of this register",
            seen: shortened(&printed),
        })
    }

    /// How many jobs wait in Moodle for the register, read from its database.
    ///
    /// # Errors
    /// When Moodle cannot say.
    pub fn waiting(&self) -> Held<i64> {
        let sql = "SELECT COUNT(1) AS jobs FROM {local_mnetd_queue} q JOIN {mnet_host} h ON h.id = q.hostid
                    WHERE h.wwwroot = ? AND q.state = 'waiting'";
        let rows = self.does("select", &json!({"sql": sql, "params": [self.mnetd.url()]}))?;
        number(&rows[0], "jobs")
    }

    /// Sends what waits, by the plugin's own command, which does not keep the pause after calls that failed.
    ///
    /// # Errors
    /// When something could not be sent.
    pub fn send(&self) -> Held {
        let peer = format!("--peer={}", self.mnetd.url());
        self.moodle
            .run_script("local/mnetd/cli/send.php", &[&peer])
            .map(drop)
    }

    /// The id under which the register knows something of Moodle's.
    ///
    /// # Errors
    /// When none was ever given.
    pub fn id(&self, kind: Kind, object: i64) -> Held<String> {
        let ids = self.does("ids", &json!({"kind": kind.name(), "ids": [object]}))?;
        let id = &ids[format!("of {object}")];
        id.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::Shape {
                what: format!("the register's id of {} {object}", kind.name()),
                expected: "text",
                seen: id.to_string(),
            })
    }

    /// The first row that a query finds in the register, as a list of its columns; null if there is none.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn row(&self, query: &str, ids: &[&str]) -> Held<Json> {
        Ok(self
            .rows(query, ids)?
            .into_iter()
            .next()
            .unwrap_or(Json::Null))
    }

    /// All rows that a query finds in the register, each as a list of its columns.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn rows(&self, query: &str, ids: &[&str]) -> Held<Vec<Json>> {
        let database = self.mnetd.database()?;
        let mut statement = database.prepare(query)?;
        let columns = statement.column_count();
        let rows = statement.query_map(rusqlite::params_from_iter(ids), |row| {
            let values = (0..columns).map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Json::Null,
                    ValueRef::Integer(number) => json!(number),
                    ValueRef::Real(number) => json!(number),
                    ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                    ValueRef::Blob(_) => json!("bytes"),
                })
            });
            values
                .collect::<rusqlite::Result<Vec<Json>>>()
                .map(Json::Array)
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<Json>>>()?)
    }

    /// Holds everything that Moodle is to send against everything that the register has.
    ///
    /// # Errors
    /// When one of the two cannot be read.
    pub fn agreement(&self) -> Held<Agreement> {
        Agreement::between(self.moodle, &self.mnetd)
    }
}

/// A course with a student and a grade item, by their numbers in Moodle.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// The course.
    pub course: i64,
    /// The student, whose id is INTEROP-S.
    pub student: i64,
    /// The item, of 100 points, graded by hand.
    pub item: i64,
}

impl Kind {
    /// As the script names it.
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Course => "course",
            Self::Item => "item",
        }
    }
}

/// A number in an answer of the script's. Moodle's database drivers give numbers as texts.
///
/// # Errors
/// When there is none.
pub fn number(answer: &Json, member: &str) -> Held<i64> {
    let value = &answer[member];
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or_else(|| Failure::Shape {
            what: format!("“{member}” in Moodle's answer"),
            expected: "number",
            seen: shortened(&answer.to_string()),
        })
}
