//! Reports in the console: on screen, as CSV and as PDF, at any date, and for whom.

mod support;

use mnetd::store::accounts::AccountRole;
use reqwest::StatusCode;
use support::classroom::Classroom;
use support::site::fields;
use support::visitor::Visitor;

#[tokio::test]
async fn each_report_is_a_page_a_spreadsheet_and_a_pdf() {
    let room = Classroom::open().await;
    room.graded("U1", "7.5");
    let mut reader = room.office(AccountRole::Reader).await;
    let uma = room.uma.0;
    for (path, shown, file) in [
        (format!("/people/{uma}/progress"), "7.5", "progress-uma-"),
        (
            format!("/people/{uma}/transcript"),
            "Biology &#60;1&#62;",
            "transcript-uma-",
        ),
        (
            format!("/sections/{}/class-list", room.section.0),
            "&#60;Nordmann&#62;",
            "class-list-section-",
        ),
    ] {
        let page = reader.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(page.text.contains(shown), "{path}: {}", page.text);
        assert!(!page.text.contains("<Nordmann>") && !page.text.contains(" style="));
        for (end, content_type, start) in [
            (".csv", "text/csv; charset=utf-8", ""),
            (".pdf", "application/pdf", "%PDF-"),
        ] {
            assert!(
                page.text.contains(&format!("{path}{end}\"")),
                "{path} links to its {end}"
            );
            let given = reader.get(&format!("{path}{end}")).await;
            assert_eq!(given.status, StatusCode::OK, "{path}{end}");
            assert_eq!(given.headers["content-type"], content_type);
            let disposition = given.headers["content-disposition"].to_str().unwrap();
            assert!(
                disposition.starts_with(&format!("attachment; filename=\"{file}")),
                "{disposition}"
            );
            assert!(given.text.starts_with(start));
        }
    }
}

#[tokio::test]
async fn a_file_is_called_by_harmless_letters_alone() {
    let room = Classroom::open().await;
    let strange = room.user("U3", "o\"brien/..\\;x", "Pat", "O’Brien");
    let mut reader = room.office(AccountRole::Reader).await;
    let given = reader
        .get(&format!("/people/{strange}/transcript.csv"))
        .await;
    let disposition = given.headers["content-disposition"].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"transcript-o-brien-..--x-"),
        "{disposition}"
    );
}

#[tokio::test]
async fn a_report_is_as_things_stood_at_the_date_asked_for() {
    let room = Classroom::open().await;
    room.graded("U1", "7.5");
    let mut reader = room.office(AccountRole::Reader).await;
    let path = format!("/people/{}/progress", room.uma.0);
    let before = reader.get(&format!("{path}?at=2026-11-01")).await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(!before.text.contains("7.5"), "graded on the 24th");
    assert!(
        before.text.contains("value=\"2026-11-01\""),
        "what was asked for stays"
    );
    let link = "progress.csv?at=2026-11-01";
    assert!(before.text.contains(link), "the files are of that date too");
    let after = reader.get(&format!("{path}?at=2026-11-30")).await;
    assert!(after.text.contains("7.5"));

    let wrong = reader.get(&format!("{path}?at=soon")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("“soon” is no date"));
    let wrong = reader.get(&format!("{path}.csv?at=soon")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_had_left_is_listed_where_that_is_asked_for() {
    let room = Classroom::open().await;
    let drop = [("sectionid", "S1"), ("userid", "U2"), ("role", "student")];
    room.call("drop_enrolment", fields(&drop));
    let mut reader = room.office(AccountRole::Reader).await;
    let path = format!("/sections/{}/class-list", room.section.0);
    assert!(!reader.get(&path).await.text.contains("Öberg"));
    assert!(
        reader
            .get(&format!("{path}?ended=yes"))
            .await
            .text
            .contains("Öberg")
    );
}

#[tokio::test]
async fn everybody_sees_their_own_reports_and_nobody_elses() {
    let room = Classroom::open().await;
    room.graded("U1", "7.5");
    let mut uma = room.person(room.uma, "uma").await;
    for end in ["", ".csv", ".pdf"] {
        for word in ["progress", "transcript"] {
            let own = uma.get(&format!("/mine/{word}{end}")).await;
            assert_eq!(own.status, StatusCode::OK, "{word}{end}");
            // Not even one's own by the office's way: there others could be asked for.
            for person in [room.ulf.0, room.uma.0, 999] {
                let other = uma.get(&format!("/people/{person}/{word}{end}")).await;
                assert_eq!(other.status, StatusCode::FORBIDDEN, "{person} {word}{end}");
                assert!(!other.text.contains("Öberg"));
            }
        }
        let list = uma
            .get(&format!("/sections/{}/class-list{end}", room.section.0))
            .await;
        assert_eq!(list.status, StatusCode::FORBIDDEN);
    }
    assert!(uma.get("/mine/progress").await.text.contains("7.5"));
    let mut nobody = Visitor::new(&room.base);
    assert_eq!(
        nobody.get("/mine/progress").await.status,
        StatusCode::SEE_OTHER
    );
    let transcript = format!("/people/{}/transcript.pdf", room.uma.0);
    assert_eq!(nobody.get(&transcript).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_dated_ahead_is_the_offices_alone() {
    let room = Classroom::open().await;
    let mut uma = room.person(room.uma, "uma").await;
    let mut reader = room.office(AccountRole::Reader).await;
    for word in ["progress", "transcript"] {
        let ahead = format!("{word}.csv?at=2030-01-01");
        let own = uma.get(&format!("/mine/{ahead}")).await;
        let file = own.headers["content-disposition"].to_str().unwrap();
        assert!(file.contains("2026-11-24"), "{file}");
        let offices = reader.get(&format!("/people/{}/{ahead}", room.uma.0)).await;
        let file = offices.headers["content-disposition"].to_str().unwrap();
        assert!(file.contains("2030-01-01"), "{file}");
    }
}

#[tokio::test]
async fn a_teacher_has_the_class_list_of_the_section_they_teach() {
    let room = Classroom::open().await;
    let mut thora = room.person(room.thora, "thora").await;
    let mut tim = room.person(room.tim, "tim").await;
    let path = format!("/sections/{}/class-list", room.section.0);
    for end in ["", ".csv", ".pdf"] {
        let given = thora.get(&format!("{path}{end}")).await;
        assert_eq!(given.status, StatusCode::OK, "{end}");
        let refused = tim.get(&format!("{path}{end}")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{end}");
    }
    let other = thora.get(&format!("/people/{}/progress", room.uma.0)).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let room = Classroom::open().await;
    let mut reader = room.office(AccountRole::Reader).await;
    for path in [
        "/people/999/progress",
        "/people/999/transcript.pdf",
        "/sections/999/class-list.csv",
        "/people/x/progress",
    ] {
        let page = reader.get(path).await;
        assert!(page.status.is_client_error(), "{path}: {}", page.status);
    }
    // An account of the office that stands for nobody has no reports of its own.
    let page = reader.get("/mine/transcript").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("stands for nobody"));
}
