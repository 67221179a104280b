//! Scenario: a course that has no Moodle: section, students, assessments and grades by hand, and grades
//! from a spreadsheet.

use std::fs;

use crate::office::Office;
use crate::school;

#[test]
#[ignore = "the page is not there yet"]
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

    browser.click("Gradebook");
    browser.click("New assessment");
    browser.fill("Name", "50 m");
    browser.fill("Points", "20");
    browser.click("Make the assessment");
    browser.wait_for_text("50 m");
    browser.click_in_row("Ada Lovelace", "Grade");
    browser.fill("Points", "18.5");
    browser.click("Save");
    browser.wait_for_text("18.5");

    let sheet = office.program.directory().join("swimming.csv");
    fs::write(&sheet, "username,50 m,Diving\nada,19,7\nalan,12.5,\n").unwrap();
    browser.click("Import a spreadsheet");
    browser.fill("File", sheet.to_str().unwrap());
    browser.assert_accessible("importing a spreadsheet");
    browser.click("Look at it");
    browser.wait_for_text("Diving");
    browser.click("Import");
    browser.wait_for_text("Diving");
    let ada = browser.row("Ada Lovelace").join(" ");
    assert!(ada.contains("19") && ada.contains('7'), "{ada}");
    let alan = browser.row("Alan Turing").join(" ");
    assert!(alan.contains("12.5"), "{alan}");
}
