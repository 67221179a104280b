//! What happens to people in Moodle stands in the register after one run of cron.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect};
use crate::school::{Kind, School};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-user-made-in-moodle-appears",
        shows: "A user made in Moodle stands in the register after one cron run, with names and e-mail address.",
        needs: &[Need::LocalMnetd],
        run: made,
    },
    Case {
        name: "a-user-renamed-in-moodle-is-renamed",
        shows: "Another name in Moodle is another name in the register after one cron run.",
        needs: &[Need::LocalMnetd],
        run: renamed,
    },
    Case {
        name: "a-user-suspended-in-moodle-is-marked-so",
        shows: "An account suspended in Moodle is marked as suspended in the register after one cron run, and no longer when it is let in again.",
        needs: &[Need::LocalMnetd],
        run: suspended,
    },
    Case {
        name: "a-user-deleted-in-moodle-is-removed",
        shows: "A user deleted in Moodle is removed in the register after one cron run; the row itself stays.",
        needs: &[Need::LocalMnetd],
        run: deleted,
    },
    Case {
        name: "an-id-once-given-stays",
        shows: "A user without an ID number has an id made of Moodle's own, and keeps it when the ID number is filled in later.",
        needs: &[Need::LocalMnetd],
        run: id_stays,
    },
    Case {
        name: "names-of-all-scripts-arrive-as-they-are",
        shows: "Names with ø, 日, <, &, quotes and emoji of four bytes stand in the register exactly as in Moodle.",
        needs: &[Need::LocalMnetd],
        run: names,
    },
];

/// Names, e-mail address, whether suspended, whether there.
const PERSON: &str = "SELECT firstname, lastname, email, ifnull(json_extract(extra, '$.suspended'), 0), removed_at IS NULL
                        FROM person WHERE idnumber = ?1";

fn made(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    uma(&school)?;
    school.cron()?;
    expect_uma(
        &school,
        &json!(["Uma", "Nordmann", "uma@interop.example", 0, 1]),
    )
}

fn renamed(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    uma(&school)?;
    school.cron()?;
    school.user("uma", json!({"lastname": "Südmann"}))?;
    school.cron()?;
    expect_uma(
        &school,
        &json!(["Uma", "Südmann", "uma@interop.example", 0, 1]),
    )
}

fn suspended(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    uma(&school)?;
    school.cron()?;
    for suspended in [1, 0] {
        school.user("uma", json!({"suspended": suspended}))?;
        school.cron()?;
        let row = json!(["Uma", "Nordmann", "uma@interop.example", suspended, 1]);
        expect_uma(&school, &row)?;
    }
    Ok(Outcome::Held)
}

fn deleted(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    uma(&school)?;
    school.cron()?;
    school.does("user-delete", &json!({"username": "interop-uma"}))?;
    school.cron()?;
    expect_uma(
        &school,
        &json!(["Uma", "Nordmann", "uma@interop.example", 0, 0]),
    )
}

fn id_stays(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let number = school.user("ida", json!({"firstname": "Ida"}))?;
    school.cron()?;
    let id = school.id(Kind::User, number)?;
    expect(
        "the id of a user without an ID number",
        &format!("moodle-user-{number}"),
        &id,
    )?;
    school.user(
        "ida",
        json!({"idnumber": "INTEROP-LATE", "firstname": "Ada"}),
    )?;
    school.cron()?;
    let query = "SELECT idnumber, firstname, json_extract(extra, '$.moodle_idnumber') FROM person
                  WHERE sent_username = 'interop-ida'";
    expect(
        "the rows of that user in the register",
        &vec![json!([id, "Ada", "INTEROP-LATE"])],
        &school.rows(query, &[])?,
    )?;
    Ok(Outcome::Held)
}

fn names(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let told = school.does(
        "user",
        &json!({
            "username": "interop-names",
            "idnumber": "INTEROP-ø日",
            "firstname": "Zoë 日本 A < B",
            "lastname": "O'Neil & Søn \"🎓\" 𝒜",
        }),
    )?;
    let course = school.does(
        "course-create",
        &json!({
            "shortname": "interop-names",
            "fullname": "Zellen & Ökologie: 1 < 2, it's 日 🎓",
            "category": school.category,
        }),
    )?;
    let item = json!({"course": course["id"], "name": "Übung 日 & <1> 'q' 🎓", "grademax": 10});
    school.does("item-create", &item)?;
    school.cron()?;
    let person = "SELECT firstname, lastname FROM person WHERE idnumber = ?1";
    expect(
        "the names of the user",
        &json!([told["firstname"], told["lastname"]]),
        &school.row(person, &["INTEROP-ø日"])?,
    )?;
    let section =
        "SELECT s.name, a.name FROM section AS s JOIN assessment AS a ON a.section = s.id";
    expect(
        "the names of the course and the grade item",
        &json!([course["fullname"], item["name"]]),
        &school.row(section, &[])?,
    )?;
    Ok(Outcome::Held)
}

/// Makes the user that most of these cases are about.
fn uma(school: &School<'_>) -> Held {
    let fields = json!({
        "idnumber": "INTEROP-UMA",
        "firstname": "Uma",
        "lastname": "Nordmann",
        "email": "uma@interop.example",
    });
    school.user("uma", fields).map(drop)
}

fn expect_uma(school: &School<'_>, row: &Json) -> Held<Outcome> {
    expect(
        "first name, last name, e-mail address, suspended, there",
        row,
        &school.row(PERSON, &["INTEROP-UMA"])?,
    )?;
    Ok(Outcome::Held)
}
