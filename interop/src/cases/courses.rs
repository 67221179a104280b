//! What happens to courses and those in them stands in the register after one run of cron.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect};
use crate::school::{Class, Kind, School};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-course-made-in-moodle-appears",
        shows: "A course made in Moodle is a section of the register after one cron run, and its teacher is in it.",
        needs: &[Need::LocalMnetd],
        run: made,
    },
    Case {
        name: "a-course-renamed-in-moodle-is-renamed",
        shows: "Another name of a course is another name of the section after one cron run.",
        needs: &[Need::LocalMnetd],
        run: renamed,
    },
    Case {
        name: "a-course-moved-out-of-what-is-sent-is-removed",
        shows: "A course moved to a category that is not sent is removed in the register after one cron run; moved back, it is there again with those in it.",
        needs: &[Need::LocalMnetd],
        run: moved,
    },
    Case {
        name: "a-course-deleted-in-moodle-is-removed",
        shows: "A course deleted in Moodle is removed in the register after one cron run, with its assessments.",
        needs: &[Need::LocalMnetd],
        run: deleted,
    },
    Case {
        name: "an-enrolment-in-moodle-appears",
        shows: "Who is enrolled in a course in Moodle is enrolled in the section after one cron run, in the same role.",
        needs: &[Need::LocalMnetd],
        run: enrolled,
    },
    Case {
        name: "a-change-of-role-ends-one-enrolment-and-begins-another",
        shows: "A student who is made a teacher is withdrawn as a student and enrolled as a teacher after one cron run.",
        needs: &[Need::LocalMnetd],
        run: role_changed,
    },
    Case {
        name: "an-unenrolment-in-moodle-ends-the-enrolment",
        shows: "Who is unenrolled in Moodle is withdrawn in the register after one cron run; the history has both.",
        needs: &[Need::LocalMnetd],
        run: unenrolled,
    },
    Case {
        name: "a-suspended-enrolment-ends-and-comes-back",
        shows: "A suspended enrolment is withdrawn in the register after one cron run, and active again when it is in Moodle.",
        needs: &[Need::LocalMnetd],
        run: suspended,
    },
];

/// A section's name, and whether it is there.
const SECTION: &str = "SELECT name, removed_at IS NULL FROM section WHERE idnumber = ?1";

/// How each enrolment in a section stands: the user's id, the role, and what the status means.
const ENROLMENTS: &str = "SELECT u.idnumber, e.role, t.meaning
                            FROM enrolment AS e JOIN section AS s ON s.id = e.section
                            JOIN person AS u ON u.id = e.person JOIN enrolment_status AS t ON t.id = e.status
                           WHERE s.idnumber = ?1 ORDER BY e.role";

fn made(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let teacher = school.user("teacher", json!({"idnumber": "INTEROP-T"}))?;
    let course = school.does(
        "course-create",
        &json!({
            "shortname": "interop-bio",
            "fullname": "Biology",
            "idnumber": "INTEROP-BIO",
            "category": school.category,
        }),
    )?;
    let enrolment = json!({"course": course["id"], "user": teacher, "role": "editingteacher"});
    school.does("enrol", &enrolment)?;
    school.cron()?;
    expect(
        "name, there",
        &json!(["Biology", 1]),
        &school.row(SECTION, &["INTEROP-BIO"])?,
    )?;
    expect(
        "the enrolments",
        &vec![json!(["INTEROP-T", "teacher", "active"])],
        &school.rows(ENROLMENTS, &["INTEROP-BIO"])?,
    )?;
    Ok(Outcome::Held)
}

fn renamed(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let course = school.course("hist")?;
    school.cron()?;
    school.does(
        "course-update",
        &json!({"id": course, "fullname": "History of Æthelred"}),
    )?;
    school.cron()?;
    let id = school.id(Kind::Course, course)?;
    expect(
        "name, there",
        &json!(["History of Æthelred", 1]),
        &school.row(SECTION, &[&id])?,
    )?;
    Ok(Outcome::Held)
}

fn moved(scene: &Scene) -> Held<Outcome> {
    let (school, class, section) = class(scene)?;
    for (category, there) in [(school.outside, 0), (school.category, 1)] {
        school.does(
            "course-move",
            &json!({"id": class.course, "category": category}),
        )?;
        school.cron()?;
        expect(
            "name, there",
            &json!(["Course class", there]),
            &school.row(SECTION, &[&section])?,
        )?;
    }
    expect_student(&school, &section, "active")?;
    school
        .agreement()?
        .expect_none_of(&["sections", "enrolments", "assessments"])?;
    Ok(Outcome::Held)
}

fn deleted(scene: &Scene) -> Held<Outcome> {
    let (school, class, section) = class(scene)?;
    let assessments = "SELECT count(*) FROM assessment AS a JOIN section AS s ON s.id = a.section
                        WHERE s.idnumber = ?1 AND a.removed_at IS NULL";
    expect(
        "assessments before",
        &json!([1]),
        &school.row(assessments, &[&section])?,
    )?;
    school.does("course-delete", &json!({"id": class.course}))?;
    school.cron()?;
    expect(
        "name, there",
        &json!(["Course class", 0]),
        &school.row(SECTION, &[&section])?,
    )?;
    expect(
        "assessments that are left",
        &json!([0]),
        &school.row(assessments, &[&section])?,
    )?;
    Ok(Outcome::Held)
}

fn enrolled(scene: &Scene) -> Held<Outcome> {
    let (school, _, section) = class(scene)?;
    expect_student(&school, &section, "active")?;
    Ok(Outcome::Held)
}

fn role_changed(scene: &Scene) -> Held<Outcome> {
    let (school, class, section) = class(scene)?;
    let about = |role: &str| json!({"course": class.course, "user": class.student, "role": role});
    school.moodle.provision_all(&[
        ("role-assign", about("editingteacher")),
        ("role-unassign", about("student")),
    ])?;
    school.cron()?;
    expect(
        "the enrolments",
        &vec![
            json!(["INTEROP-S", "student", "withdrawn"]),
            json!(["INTEROP-S", "teacher", "active"]),
        ],
        &school.rows(ENROLMENTS, &[&section])?,
    )?;
    Ok(Outcome::Held)
}

fn unenrolled(scene: &Scene) -> Held<Outcome> {
    let (school, class, section) = class(scene)?;
    school.does(
        "unenrol",
        &json!({"course": class.course, "user": class.student}),
    )?;
    school.cron()?;
    expect_student(&school, &section, "withdrawn")?;
    expect_history(&school, &["active", "withdrawn"])?;
    Ok(Outcome::Held)
}

fn suspended(scene: &Scene) -> Held<Outcome> {
    let (school, class, section) = class(scene)?;
    for (suspended, meaning) in [(true, "withdrawn"), (false, "active")] {
        let about = json!({"course": class.course, "user": class.student, "suspended": suspended});
        school.does("enrolment-suspend", &about)?;
        school.cron()?;
        expect_student(&school, &section, meaning)?;
    }
    expect_history(&school, &["active", "withdrawn", "active"])?;
    Ok(Outcome::Held)
}

/// A class that stands in the register, and the section's id there.
fn class(scene: &Scene) -> Held<(School<'_>, Class, String)> {
    let school = School::open(scene)?;
    let class = school.class()?;
    school.cron()?;
    let section = school.id(Kind::Course, class.course)?;
    Ok((school, class, section))
}

fn expect_student(school: &School<'_>, section: &str, meaning: &str) -> Held {
    expect(
        "the enrolments",
        &vec![json!(["INTEROP-S", "student", meaning])],
        &school.rows(ENROLMENTS, &[section])?,
    )
}

fn expect_history(school: &School<'_>, meanings: &[&str]) -> Held {
    let query = "SELECT t.meaning FROM enrolment_history AS h JOIN enrolment_status AS t ON t.id = h.status ORDER BY h.id";
    let expected: Vec<Json> = meanings.iter().map(|meaning| json!([meaning])).collect();
    expect(
        "the history of the enrolment",
        &expected,
        &school.rows(query, &[])?,
    )
}
