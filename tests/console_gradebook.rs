//! The gradebook in the console: who may read it and who may change it, and what a change leaves behind.

mod support;

use mnetd::store::accounts::AccountRole;
use mnetd::store::assessments;
use mnetd::store::grades::GradeChange;
use mnetd::store::{AssessmentId, PersonId};
use reqwest::StatusCode;
use support::classroom::Classroom;
use support::site::fields;

fn grade_path(assessment: AssessmentId, person: PersonId) -> String {
    format!("/assessments/{}/grades/{}", assessment.0, person.0)
}

#[tokio::test]
async fn the_gradebook_shows_points_percent_exceptions_and_where_they_come_from() {
    let room = Classroom::open().await;
    room.graded("U1", "7.5");
    let excepted = [("assessmentid", "A1"), ("userid", "U2"), ("excepted", "1")];
    room.call("new_grade", fields(&excepted));
    let mut reader = room.office(AccountRole::Reader).await;
    let page = reader
        .get(&format!("/sections/{}/gradebook", room.section.0))
        .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for shown in ["7.5", "75 %", "excepted", "out of 10"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains("entered by hand</span>"));
    // Names come from other sites.
    assert!(
        page.text.contains("Uma &#60;Nordmann&#62;"),
        "{}",
        page.text
    );
    assert!(page.text.contains("Quiz &#38; more"));
    assert!(!page.text.contains("<Nordmann>"));
    assert!(page.text.contains(&grade_path(room.quiz, room.uma)));
    for action in ["New assessment", "Enter grades from a spreadsheet"] {
        assert!(!page.text.contains(action), "a reader changes nothing");
    }
}

#[tokio::test]
async fn students_are_turned_a_page_at_a_time_both_ways() {
    let room = Classroom::open().await;
    for number in 0..60 {
        let (id, name) = (format!("X{number}"), format!("x{number}"));
        room.user(&id, &name, "Some", &format!("Body{number:02}"));
        room.enrol("S1", &id);
    }
    let mut reader = room.office(AccountRole::Reader).await;
    let first = reader
        .get(&format!("/sections/{}/gradebook", room.section.0))
        .await;
    let link = |text: &str, rel: &str| {
        let (_, rest) = text.split_once(&format!("rel=\"{rel}\" href=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert!(first.text.contains("Body48") && !first.text.contains("Body49"));
    let second = reader.get(&link(&first.text, "next")).await;
    assert!(second.text.contains("Body49") && second.text.contains("Öberg"));
    let back = reader.get(&link(&second.text, "prev")).await;
    assert!(back.text.contains("Body48") && !back.text.contains("Body49"));
}

#[tokio::test]
async fn a_teacher_reads_the_section_they_teach_and_no_other() {
    let room = Classroom::open().await;
    let mut thora = room.person(room.thora, "thora").await;
    let mut tim = room.person(room.tim, "tim").await;
    let mut uma = room.person(room.uma, "uma").await;
    let paths = [
        format!("/sections/{}/gradebook", room.section.0),
        format!("/sections/{}/grades/template.csv", room.section.0),
        format!("/assessments/{}", room.quiz.0),
        grade_path(room.quiz, room.uma),
    ];
    for path in &paths {
        assert_eq!(thora.get(path).await.status, StatusCode::OK, "{path}");
        for other in [&mut tim, &mut uma] {
            assert_eq!(
                other.get(path).await.status,
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
    }
    // What is not there looks the same to them as what is not theirs.
    assert_eq!(
        tim.get("/sections/999/gradebook").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        tim.get("/assessments/999").await.status,
        StatusCode::FORBIDDEN
    );
    assert!(!thora.get(&paths[3]).await.text.contains("Enter a grade"));

    let change = [("idnumber", "S1"), ("teacheridnumber", "T2")];
    room.call("update_section", fields(&change));
    assert_eq!(thora.get(&paths[0]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(tim.get(&paths[0]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_but_an_administrator_changes_anything() {
    let room = Classroom::open().await;
    room.graded("U1", "7");
    let grade = grade_path(room.quiz, room.uma);
    let section = room.section.0;
    let forms = [
        grade.clone(),
        format!("{grade}/in-error"),
        format!("/sections/{section}/assessments/new"),
        format!("/assessments/{}", room.quiz.0),
        format!("/assessments/{}/remove", room.quiz.0),
    ];
    let given = [
        ("points", "1"),
        ("attempt", "1"),
        ("in_error", "yes"),
        ("name", "X"),
    ];
    let mut reader = room.office(AccountRole::Reader).await;
    let mut thora = room.person(room.thora, "thora").await;
    for form in &forms {
        for visitor in [&mut reader, &mut thora] {
            let page = visitor.post_from("/nowhere", form, &given).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{form}");
        }
    }
    assert_eq!(room.history(room.quiz, room.uma).len(), 1);
    assert!(room.deeds().is_empty());
    let mut nobody = support::visitor::Visitor::new(&room.base);
    let page = nobody.get(&format!("/sections/{section}/gradebook")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_grade_is_entered_with_a_note_marked_and_the_mark_lifted() {
    let room = Classroom::open().await;
    room.graded("U1", "7");
    let mut admin = room.office(AccountRole::Administrator).await;
    let path = grade_path(room.quiz, room.uma);
    let given = [
        ("points", "8,5"),
        ("attempt", "2"),
        ("note", "sat again <late>"),
    ];
    let page = admin.post_from(&path, &path, &given).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let page = admin.get(&path).await;
    for shown in [
        "8.5 (attempt 2), 85 %",
        "sat again &#60;late&#62;",
        "The grade is entered.",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let mark = format!("{path}/in-error");
    admin
        .post_from(&path, &mark, &[("in_error", "yes"), ("note", "not hers")])
        .await;
    let page = admin.get(&path).await;
    assert!(page.text.contains("as added in error") && page.text.contains("Lift the mark"));
    let assessment = admin.get(&format!("/assessments/{}", room.quiz.0)).await;
    assert!(assessment.text.contains("Added in error"));
    admin.post_from(&path, &mark, &[("in_error", "no")]).await;

    let history = room.history(room.quiz, room.uma);
    let changes: Vec<GradeChange> = history.iter().map(|record| record.change).collect();
    assert_eq!(
        changes,
        [
            GradeChange::Value,
            GradeChange::Value,
            GradeChange::InError,
            GradeChange::NotInError
        ]
    );
    assert_eq!(history[1].note.as_deref(), Some("sat again <late>"));
    assert_eq!(history[2].note.as_deref(), Some("not hers"));
    assert_eq!(
        room.deeds(),
        [
            "mark of a grade lifted",
            "grade marked as added in error",
            "grade entered"
        ]
    );
    let again = admin
        .post_from(&path, &path, &[("points", "8.5"), ("attempt", "2")])
        .await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(
        room.history(room.quiz, room.uma).len(),
        4,
        "it stood so already"
    );
}

#[tokio::test]
async fn what_cannot_be_a_grade_comes_back_with_what_was_typed() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    let path = grade_path(room.quiz, room.uma);
    for (points, attempt) in [
        ("a lot", "1"),
        ("1e9", "1"),
        ("", "1"),
        ("5", "0"),
        ("5", "x"),
        ("99999999", "1"),
    ] {
        let given = [
            ("points", points),
            ("attempt", attempt),
            ("note", "typed before"),
        ];
        let page = admin.post_from(&path, &path, &given).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{points} {attempt}"
        );
        assert!(page.text.contains("role=\"alert\""));
        assert!(page.text.contains("typed before"));
        assert!(page.text.contains(&format!("value=\"{points}\"")));
    }
    let long = "x".repeat(4_001);
    let given = [("points", "5"), ("attempt", "1"), ("note", long.as_str())];
    let page = admin.post_from(&path, &path, &given).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(room.history(room.quiz, room.uma).is_empty());
    // A teacher is no student of the section.
    let page = admin.get(&grade_path(room.quiz, room.thora)).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let excepted = [("points", ""), ("excepted", "yes"), ("attempt", "1")];
    let page = admin.post_from(&path, &path, &excepted).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert!(room.history(room.quiz, room.uma)[0].value.excepted);
}

#[tokio::test]
async fn an_assessment_made_by_hand_can_be_renamed_removed_and_brought_back() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    let new = format!("/sections/{}/assessments/new", room.section.0);
    let page = admin
        .post_from(&new, &new, &[("name", " "), ("points", "5")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("value=\"5\""), "what was typed stays");
    let page = admin
        .post_from(&new, &new, &[("name", "Essay"), ("points", "2,5")])
        .await;
    let path = page.location.unwrap();
    let id = AssessmentId(path.rsplit('/').next().unwrap().parse().unwrap());
    let stored = || room.read(|tx| assessments::get(tx, id)).unwrap();
    assert_eq!(stored().fields.pointval, Some(2.5));

    admin
        .post_from(&path, &path, &[("name", "Long essay"), ("points", "")])
        .await;
    assert_eq!(
        (stored().fields.name.as_str(), stored().fields.pointval),
        ("Long essay", None)
    );
    admin.post_from(&path, &format!("{path}/remove"), &[]).await;
    assert!(stored().removed_at.is_some());
    let back = [("name", "Long essay"), ("points", "5")];
    admin.post_from(&path, &path, &back).await;
    assert!(stored().removed_at.is_none());
    assert_eq!(room.deeds().len(), 4);
}

#[tokio::test]
async fn a_peers_assessment_is_changed_there() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    let path = format!("/assessments/{}", room.quiz.0);
    let page = admin.get(&path).await;
    assert!(!page.text.contains("Change this assessment"));
    for form in [path.clone(), format!("{path}/remove")] {
        let given = [("name", "Mine now"), ("points", "1")];
        let page = admin.post_from(&path, &form, &given).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("was sent by a peer"), "{}", page.text);
    }
    let stored = room.read(|tx| assessments::get(tx, room.quiz)).unwrap();
    assert_eq!(stored.fields.name, "Quiz & more");
}

#[tokio::test]
async fn the_class_is_drawn_with_a_table_of_the_same_numbers() {
    let room = Classroom::open().await;
    room.graded("U1", "9");
    room.graded("U2", "4.5");
    let mut reader = room.office(AccountRole::Reader).await;
    let page = reader.get(&format!("/assessments/{}", room.quiz.0)).await;
    assert!(
        page.text.contains("2 students have points"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("<rect class=\"bar\"").count(), 10);
    let table = |band: &str, count: u32| {
        page.text.contains(&format!(
            "<th scope=\"row\">{band}</th><td class=\"number\">{count}</td>"
        ))
    };
    assert!(table("90 +", 1) && table("40–49", 1) && table("0–9", 0));
    assert!(!page.text.contains(" style="), "the policy forbids it");
}
