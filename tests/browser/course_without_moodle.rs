//! Scenario: a course that has no Moodle: section, students, assessments and grades by hand, and grades
//! from a spreadsheet.

use std::fs;

use crate::office::Office;
use crate::school;

/// What a cell of the gradebook says where there is nothing yet.
const NO_GRADE: &str = "–no grade";

#[test]
fn a_course_without_a_moodle_is_kept_by_hand_and_by_spreadsheet() {
    let Some(office) = Office::open() else {
        return;
    };
    // The students are known already, from the Moodle of other courses.
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let browser = &office.browser;

    browser.click("Sections");
    browser.click("Make a section by hand");
    browser.fill("Name", "Swimming");
    browser.fill("Id in the school", "SWIM-1");
    browser.fill("Terms", "Autumn 2026");
    browser.click("Make the section");
    browser.wait_for_heading("Swimming");
    browser.fill("Teacher’s username", "m.curie");
    browser.click("Give to this teacher");
    browser.wait_for_text("Marie Curie (m.curie)");
    for (student, name) in [("ada", "Lovelace, Ada"), ("alan", "Turing, Alan")] {
        browser.fill("Username", student);
        browser.click("Enrol");
        browser.wait_for_text(name);
        let row = browser.row(name).join(" ");
        assert!(row.contains("Enrolled"), "{row}");
    }
    // Somebody nobody knows is told of, and nothing is lost.
    browser.fill("Username", "nobody");
    browser.click("Enrol");
    browser.wait_for_text("nobody");
    browser.assert_accessible("enrolling somebody unknown");

    browser.click("New assessment");
    browser.wait_for_heading("New assessment in Swimming");
    browser.fill("Name", "50 m");
    browser.fill("Most points", "20");
    browser.click("Make the assessment");
    browser.wait_for_heading("50 m in Swimming");
    browser.click("Gradebook of Swimming");
    browser.click_in_row("Ada Lovelace", NO_GRADE);
    browser.wait_for_heading("50 m of Ada Lovelace");
    browser.fill("Points", "18.5");
    browser.click("Enter the grade");
    browser.wait_for_text("The grade is entered.");
    browser.click("Gradebook of Swimming");
    assert!(browser.row("Ada Lovelace")[1].starts_with("18.5"));

    // The rest from a spreadsheet: one grade changes, one comes, a column is new, and one line is wrong.
    let sheet = office.program.directory().join("swimming.csv");
    fs::write(
        &sheet,
        "Username;50 m;Diving (10)\nada;19;7,5\nalan;12,5;\nnobody;1;1\n",
    )
    .unwrap();
    browser.click("Enter grades from a spreadsheet");
    browser.fill("Spreadsheet as CSV", sheet.to_str().unwrap());
    browser.click("Look at what it would change");
    browser.wait_for_text("Nothing is changed yet.");
    browser.wait_for_text("Line 4");
    browser.wait_for_text("Diving, out of 10");
    browser.wait_for_text("18.5");
    browser.assert_accessible("what a spreadsheet would change");
    browser.click("Change this, without what is left out");
    browser.wait_for_heading("Gradebook of Swimming");
    browser.wait_for_text("Done:");
    let ada = browser.row("Ada Lovelace");
    assert!(
        ada[1].starts_with("19") && ada[2].starts_with("7.5"),
        "{ada:?}"
    );
    let alan = browser.row("Alan Turing");
    assert!(
        alan[1].starts_with("12.5") && alan[2].contains("no grade"),
        "{alan:?}"
    );
    // Every value is kept.
    browser.click_in_row("Ada Lovelace", "19");
    let history = browser.texts("tbody tr");
    assert_eq!(history.len(), 2, "{history:?}");
    assert!(
        history[0].contains("18.5") && history[1].contains("19"),
        "{history:?}"
    );
}
