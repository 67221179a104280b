//! Pictures of the main pages for docs/, of the same school each time.

use crate::browser::Size;
use crate::office::Office;
use crate::school::{self, STUDENTS, day, withdrawal};

#[test]
fn the_main_pages_have_their_pictures_taken() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the school");
    moodle.told_at(day(2026, 10, 5), &school::whole());
    let dropped = withdrawal("MAT-7", STUDENTS[0][0], "Moved to the advanced course");
    moodle.told_at(day(2026, 10, 12), &[("drop_enrolment", dropped)]);
    let browser = &office.browser;
    for (page, name) in [
        ("/people", "people"),
        ("/sections/1", "section"),
        ("/sections/1/gradebook", "gradebook"),
        ("/assessments/4", "assessment"),
        ("/people/2/progress?at=2026-10-20", "progress-report"),
        ("/people/2/transcript?at=2026-10-20", "transcript"),
        ("/peers", "peers"),
        ("/activity", "activity"),
    ] {
        office.goto(page);
        browser.screenshot(name);
    }
    browser.turn_dark(true);
    office.goto("/sections/1/gradebook");
    browser.screenshot("gradebook-dark");
    browser.turn_dark(false);
    browser.resize(Size::Phone);
    office.goto("/sections/1");
    browser.screenshot("section-phone");
    let wide = browser.widths();
    assert!(wide.0 <= wide.1, "{wide:?}");
}
