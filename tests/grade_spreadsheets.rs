//! Grades from spreadsheets: what is read, what is left out, and that what was looked at is what is done.

mod support;

use mnetd::register::spreadsheet::{
    self, Applied, MAX_BYTES, MAX_COLUMNS, MAX_LINES, Plan, Spreadsheet, SpreadsheetError,
};
use mnetd::register::{Author, RegisterError, mark_grade_in_error};
use mnetd::store::accounts::AccountRole;
use mnetd::store::grades::GradeValue;
use mnetd::store::{AssessmentId, PersonId, assessments, grades};
use reqwest::StatusCode;
use support::classroom::Classroom;
use support::program::Program;
use support::site::{NOW, fields};
use support::visitor::{Page, Visitor};

fn plan(room: &Classroom, file: &[u8]) -> Result<Plan, SpreadsheetError> {
    let file = Spreadsheet::read(file)?;
    room.served
        .site
        .store
        .read_blocking(|tx| spreadsheet::plan(tx, room.section, &file, NOW))
}

fn planned(room: &Classroom, file: &str) -> Plan {
    plan(room, file.as_bytes()).unwrap()
}

/// Plans and applies, as an administrator called Astrid.
fn applied(room: &Classroom, file: &str) -> Applied {
    let file = Spreadsheet::read(file.as_bytes()).unwrap();
    let section = room.section;
    room.served
        .site
        .store
        .write_blocking::<_, RegisterError, _>(move |tx| {
            let plan = spreadsheet::plan(tx, section, &file, NOW).unwrap();
            spreadsheet::apply(tx, &astrid(), &plan, "a test", NOW)
        })
        .unwrap()
}

fn astrid() -> Author {
    Author::Admin {
        name: "Astrid".to_owned(),
    }
}

fn stands(room: &Classroom, assessment: AssessmentId, person: PersonId) -> Option<GradeValue> {
    let grade = room.read(|tx| grades::find(tx, assessment, person));
    grade.map(|grade| grade.value)
}

fn points(room: &Classroom, assessment: AssessmentId, person: PersonId) -> Option<f64> {
    stands(room, assessment, person)?.points_earned
}

/// The only problem of a plan, with its line.
fn problem(plan: &Plan) -> String {
    let [problem] = plan.problems.as_slice() else {
        panic!("not one problem: {:?}", plan.problems);
    };
    problem.to_string()
}

#[tokio::test]
async fn what_changes_is_done_and_a_second_time_changes_nothing() {
    let room = Classroom::open().await;
    room.graded("U1", "7");
    let file = "ID number,Name,Quiz & more,Essay (20)\nU1,Uma,8.5,ex\nU2,Ulf,,12\n";
    let plan = planned(&room, file);
    assert_eq!((plan.grades(), plan.left_out(), plan.same), (3, 0, 0));
    assert_eq!(plan.new_columns().count(), 1);
    let done = applied(&room, file);
    assert_eq!(
        done,
        Applied {
            assessments: 1,
            grades: 3
        }
    );
    assert_eq!(points(&room, room.quiz, room.uma), Some(8.5));
    assert_eq!(
        stands(&room, room.quiz, room.ulf),
        None,
        "empty is left as it is"
    );
    let essay = room
        .read(|tx| assessments::made_by_hand(tx, room.section, "Essay"))
        .unwrap();
    assert_eq!(essay.fields.pointval, Some(20.0));
    assert!(stands(&room, essay.id, room.uma).unwrap().excepted);
    let history = room.history(room.quiz, room.uma);
    assert_eq!(history.last().unwrap().note.as_deref(), Some("a test"));
    assert_eq!(history.last().unwrap().author, astrid());

    let again = planned(&room, file);
    assert!(again.is_empty());
    assert_eq!(again.same, 3);
    assert_eq!(applied(&room, file), Applied::default());
    assert_eq!(room.history(room.quiz, room.uma).len(), history.len());
}

#[tokio::test]
async fn a_peers_equal_value_stays_the_peers_and_its_attempt_is_kept() {
    let room = Classroom::open().await;
    let graded = [
        ("assessmentid", "A1"),
        ("userid", "U1"),
        ("points_earned", "7"),
        ("attempt_num", "3"),
    ];
    room.call("new_grade", fields(&graded));
    assert_eq!(applied(&room, "Username,Quiz & more\numa,7.0\n").grades, 0);
    let grade = room
        .read(|tx| grades::find(tx, room.quiz, room.uma))
        .unwrap();
    assert_eq!(grade.peer, Some(room.peer));
    applied(&room, "Username,Quiz & more\nUMA,9\n");
    let value = stands(&room, room.quiz, room.uma).unwrap();
    assert_eq!((value.points_earned, value.attempt_num), (Some(9.0), 3));
}

#[tokio::test]
async fn every_way_a_spreadsheet_program_writes_is_read() {
    let room = Classroom::open().await;
    let sheet = "Username;Name;Prøve\numa;Öberg;7,5\n";
    let windows: Vec<u8> = sheet
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let utf_16: Vec<u8> = "\u{feff}Username\tPrøve\numa\t7,5\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (how, file) in [
        ("UTF-8 with semicolons", sheet.as_bytes().to_vec()),
        (
            "with a byte order mark",
            format!("\u{feff}{sheet}").into_bytes(),
        ),
        ("Windows-1252", windows),
        ("UTF-16 with tabs", utf_16),
        ("CRLF", sheet.replace('\n', "\r\n").into_bytes()),
        ("old Mac", sheet.replace('\n', "\r").into_bytes()),
        (
            "quoted",
            b"Username,\"Pr\xc3\xb8ve\"\n\"uma\",\"7,5\"\n".to_vec(),
        ),
    ] {
        let plan = plan(&room, &file).unwrap_or_else(|error| panic!("{how}: {error}"));
        assert_eq!(plan.columns[0].name, "Prøve", "{how}");
        assert_eq!(plan.rows[0].cells[0].new.points_earned, Some(7.5), "{how}");
        assert!(plan.problems.is_empty(), "{how}: {:?}", plan.problems);
    }
}

#[tokio::test]
async fn the_most_points_stand_in_the_header_or_in_a_line_below_it() {
    let room = Classroom::open().await;
    let most = |file: &str| planned(&room, file).columns[0].pointval;
    assert_eq!(
        most(
            "Username,Essay (7,5)\numa,1\n"
                .replace("7,5", "20")
                .as_str()
        ),
        Some(20.0)
    );
    assert_eq!(most("Username,Essay\nout of,20\numa,1\n"), Some(20.0));
    assert_eq!(most("Username,Essay\numa,1\n"), None);
    assert_eq!(most("Username,quiz & MORE\nOut of,10\numa,1\n"), Some(10.0));
    for other in [
        "Username,Quiz & more (20)\numa,1\n",
        "Username,Quiz & more\nout of,20\numa,1\n",
    ] {
        let error = plan(&room, other.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains("is out of 20 in the file, but 10"),
            "{error}"
        );
    }
    let error = plan(&room, b"Username,Essay\nout of,many\n").unwrap_err();
    assert!(error.to_string().contains("“many”"), "{error}");
    let beyond = planned(&room, "Username,Quiz & more\numa,75\n");
    assert_eq!(beyond.rows[0].cells[0].beyond(&beyond), Some(10.0));
}

#[tokio::test]
async fn what_cannot_be_used_is_told_by_line_and_column() {
    let room = Classroom::open().await;
    for (lines, told) in [
        (
            "uma,,lots",
            "line 2, column “Quiz & more”: “lots” is no grade",
        ),
        (
            "uma,,=1+1",
            "line 2, column “Quiz & more”: “=1+1” is no grade",
        ),
        ("uma,,1.234.5", "“1.234.5” is no grade"),
        (
            "thora,,7",
            "line 2: no student of this section has the username “thora”",
        ),
        (
            ",U9,7",
            "line 2: no student of this section has the id number “U9”",
        ),
        ("ulf,U1,7", "the id number “U1” is not that of “ulf”"),
        (",,7", "neither id number nor username"),
        ("uma,,7\numa,,8", "line 3: uma stands in line 2 already"),
        ("uma,,7,8", "line 2: “8” stands in a column without a name"),
    ] {
        let plan = planned(&room, &format!("Username,ID number,Quiz & more\n{lines}\n"));
        let problem = problem(&plan);
        assert!(problem.contains(told), "{lines}: {problem}");
    }
    let mixed = "Username,Quiz & more\nnobody,7\n\n\nulf,x\numa,\"y\nz\"\numa2,8\n";
    for file in [
        mixed.to_owned(),
        mixed.replace('\n', "\r\n"),
        mixed.replace('\n', "\r"),
    ] {
        let plan = planned(&room, &file);
        let lines: Vec<u64> = plan.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(
            lines,
            [2, 5, 6, 8],
            "lines are counted as an editor does: {file:?}"
        );
    }
    let mixed = planned(&room, "Username,Quiz & more\nnobody,7\numa,8\nulf,x\n");
    assert_eq!((mixed.grades(), mixed.left_out()), (1, 2));
}

#[tokio::test]
async fn a_header_that_says_too_little_or_too_much_is_refused() {
    let room = Classroom::open().await;
    for (file, told) in [
        ("", "the file is empty"),
        ("Name,Quiz\nUma,7\n", "no column names the students"),
        ("Username\numa\n", "there is no column with an assessment"),
        ("Username,Quiz,quiz\n", "columns 2 and 3 are both called"),
        (
            "Username,username,Quiz\n",
            "columns 1 and 2 are both called",
        ),
        (
            "Username,Essay,Essay (5)\n",
            "columns 2 and 3 are both called",
        ),
        ("PK\u{3}\u{4}rest", "this is a workbook"),
        ("Username,Q\0uiz\n", "the file is no text"),
    ] {
        let error = plan(&room, file.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(told), "{file:?}: {error}");
    }
    let twin = [
        ("idnumber", "A2"),
        ("sectionid", "S1"),
        ("name", "Quiz & more"),
    ];
    room.call("new_assessment", fields(&twin));
    let error = plan(&room, b"Username,Quiz & more\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("2 assessments called"), "{error}");
}

#[tokio::test]
async fn a_file_has_its_bounds() {
    let room = Classroom::open().await;
    let refused = |file: &str| plan(&room, file.as_bytes()).unwrap_err().to_string();
    let long = format!("Username,Quiz\n{}", "x".repeat(MAX_BYTES));
    assert!(refused(&long).contains("KiB"));
    let lines = |count| format!("Username,Quiz\n{}", "uma,\n".repeat(count));
    assert!(plan(&room, lines(MAX_LINES).as_bytes()).is_ok());
    assert!(refused(&lines(MAX_LINES + 1)).contains("lines"));
    assert!(refused(&lines(MAX_LINES * 2 + 1)).contains("lines"));
    let columns = |count: usize| {
        let names: Vec<String> = (1..count).map(|number| format!("Q{number}")).collect();
        format!("Username,{}\n", names.join(","))
    };
    assert!(plan(&room, columns(MAX_COLUMNS).as_bytes()).is_ok());
    assert!(refused(&columns(MAX_COLUMNS + 1)).contains("columns"));
    // A quote that is never closed swallows the rest, and is told rather than taken for something.
    let open = planned(&room, "Username,Quiz & more\numa,\"7\nulf,8\n");
    assert_eq!((open.grades(), open.left_out()), (0, 1));
    let many = format!("Username,Quiz & more\n{}", "nobody,7\n".repeat(2_000));
    let plan = planned(&room, &many);
    assert_eq!(plan.left_out(), 2_000);
    assert!(plan.problems.len() <= 500);
}

#[tokio::test]
async fn a_grade_marked_as_added_in_error_is_left_alone() {
    let room = Classroom::open().await;
    room.graded("U1", "7");
    let grade = room
        .read(|tx| grades::find(tx, room.quiz, room.uma))
        .unwrap()
        .id;
    room.served
        .site
        .store
        .write_blocking::<_, RegisterError, _>(move |tx| {
            mark_grade_in_error(tx, &astrid(), grade, true, None, NOW)
        })
        .unwrap();
    let plan = planned(&room, "Username,Quiz & more\numa,9\n");
    assert!(plan.is_empty());
    assert!(problem(&plan).contains("lift the mark first"));
}

#[tokio::test]
async fn the_file_to_fill_in_comes_back_as_it_went_out() {
    let room = Classroom::open().await;
    room.user("=CMD|'/C calc'!A0", "formula", "@First", "+Last");
    room.enrol("S1", "=CMD|'/C calc'!A0");
    let mut reader = room.office(AccountRole::Reader).await;
    let file = reader
        .get(&format!("/sections/{}/grades/template.csv", room.section.0))
        .await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let text = file.text.trim_start_matches('\u{feff}').to_owned();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("ID number,Username,First name,Last name,Quiz & more (10)")
    );
    assert!(text.contains("U1,uma,Uma,<Nordmann>,\n"));
    assert!(
        text.contains("'=CMD|'/C calc'!A0,formula,'@First,'+Last,\n"),
        "{text}"
    );
    let filled: String = text
        .lines()
        .enumerate()
        .fold(String::new(), |all, (number, line)| {
            let points = if number == 0 { "" } else { "7" };
            format!("{all}{line}{points}\n")
        });
    let plan = planned(&room, &filled);
    assert_eq!(
        (plan.grades(), plan.left_out()),
        (3, 0),
        "{:?}",
        plan.problems
    );
    assert!(plan.new_columns().next().is_none());
}

async fn upload(visitor: &mut Visitor, room: &Classroom, file: &[u8]) -> Page {
    let path = format!("/sections/{}/grades/import", room.section.0);
    let csrf = visitor.get("/nowhere").await.csrf();
    let file = ("file", "grades.csv", file);
    visitor.upload(&path, &[("csrf", &csrf)], file).await
}

/// The value of a hidden field.
fn hidden(page: &Page, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {name} in {}", page.text));
    rest.split('"').next().unwrap().to_owned()
}

/// Sends the form of a preview.
async fn apply(visitor: &mut Visitor, room: &Classroom, preview: &Page) -> Page {
    let path = format!("/sections/{}/grades/import/apply", room.section.0);
    let [csrf, digest, sheet] = ["csrf", "digest", "sheet"].map(|name| hidden(preview, name));
    let given = [
        ("csrf", csrf.as_str()),
        ("digest", &digest),
        ("sheet", &sheet),
    ];
    visitor.upload(&path, &given, ("nothing", "", b"")).await
}

const FILE: &[u8] = b"ID number,Quiz & more,<Essay>\nU1,8,ex\nU2,x,\nU7,1,\n";

#[tokio::test]
async fn in_the_console_nothing_happens_before_it_was_looked_at() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    let form = admin
        .get(&format!("/sections/{}/grades/import", room.section.0))
        .await;
    assert!(form.text.contains("enctype=\"multipart/form-data\""));
    let preview = upload(&mut admin, &room, FILE).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
    for shown in [
        "change 2 grades of 1 student",
        "&#60;Essay&#62;, without a maximum",
        "Line 3, column “Quiz &#38; more”",
        "Line 4",
        "“U7”",
    ] {
        assert!(preview.text.contains(shown), "{shown}: {}", preview.text);
    }
    assert_eq!(stands(&room, room.quiz, room.uma), None);

    let done = apply(&mut admin, &room, &preview).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(points(&room, room.quiz, room.uma), Some(8.0));
    assert_eq!(room.deeds(), ["grades entered from a spreadsheet"]);
    let book = admin
        .get(&format!("/sections/{}/gradebook", room.section.0))
        .await;
    assert!(
        book.text
            .contains("Done: 2 grades entered or changed, 1 assessment made.")
    );

    let again = upload(&mut admin, &room, FILE).await;
    assert!(again.text.contains("The file would change nothing"));
    assert!(!again.text.contains("name=\"sheet\""));
}

#[tokio::test]
async fn what_would_be_done_otherwise_than_looked_at_is_not_done() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    let preview = upload(&mut admin, &room, FILE).await;
    room.graded("U1", "5");
    let refused = apply(&mut admin, &room, &preview).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(
        refused
            .text
            .contains("The register has changed since you looked")
    );
    assert_eq!(points(&room, room.quiz, room.uma), Some(5.0));
    assert!(room.deeds().is_empty());
    // The new look is one that can be gone on from.
    let done = apply(&mut admin, &room, &refused).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(points(&room, room.quiz, room.uma), Some(8.0));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused_in_words() {
    let room = Classroom::open().await;
    let mut admin = room.office(AccountRole::Administrator).await;
    for (file, told) in [
        (&b""[..], "Choose a file first"),
        (b"PK\x03\x04", "workbook"),
        (b"<script>alert(1)</script>", "&#60;script&#62;"),
    ] {
        let page = upload(&mut admin, &room, file).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(
            page.text.contains("role=\"alert\"") && page.text.contains(told),
            "{}",
            page.text
        );
        assert!(!page.text.contains("<script"));
    }
    let page = upload(&mut admin, &room, &vec![b'x'; MAX_BYTES + 1]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = upload(&mut admin, &room, &vec![b'x'; 5 * 1024 * 1024]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_an_administrator_gives_a_spreadsheet_and_only_from_our_page() {
    let room = Classroom::open().await;
    let mut reader = room.office(AccountRole::Reader).await;
    let mut thora = room.person(room.thora, "thora").await;
    for visitor in [&mut reader, &mut thora] {
        assert_eq!(
            upload(visitor, &room, FILE).await.status,
            StatusCode::FORBIDDEN
        );
        let path = format!("/sections/{}/grades/import/apply", room.section.0);
        let csrf = visitor.get("/nowhere").await.csrf();
        let page = visitor
            .upload(&path, &[("csrf", &csrf)], ("x", "x", b"x"))
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    let mut admin = room.office(AccountRole::Administrator).await;
    let path = format!("/sections/{}/grades/import", room.section.0);
    let file = ("file", "grades.csv", FILE);
    let page = admin.upload(&path, &[("csrf", "guessed")], file).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[test]
fn on_the_command_line_a_file_is_looked_at_and_then_entered() {
    let program = Program::new();
    program.done(&["demo", "--people", "60", "--years", "1"]);
    let enrolled = program
        .run(&["register", "enrolments", "--all", "--format", "json"])
        .json();
    let student = enrolled
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["role"] == "student")
        .unwrap();
    let section = format!("#{}", student["section"]);
    let username = student["username"].as_str().unwrap();
    let path = program.directory().join("grades.csv");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        format!("Username,A new essay (10)\n{username},7\nnobody,8\n"),
    )
    .unwrap();
    let import = ["register", "import-grades", section.as_str(), file];

    let looked = program.run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(looked.code, 1, "as it would end: {looked:?}");
    assert!(
        looked.out.contains("assessment A new essay would be made"),
        "{looked:?}"
    );
    assert!(
        looked.err.contains("line 3: no student of this section"),
        "{looked:?}"
    );
    let refused = program.run(&import);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--skip-problems"), "{refused:?}");
    let skipping = [&import[..], &["--skip-problems"]].concat();
    let done = program.done(&skipping);
    assert!(
        done.starts_with("Grades entered or changed: 1. Assessments made: 1."),
        "{done}"
    );
    let again = program.done(&skipping);
    assert!(
        again.contains("changed: 0. Assessments made: 0. Grades that stood so already: 1"),
        "{again}"
    );
}
