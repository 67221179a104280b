//! People: found among many, each with where they came from, and with the right to sign in or without.

use mnetd::store::accounts::AccountRole;
use mnetd::xmlrpc::Value;

use crate::office::Office;
use crate::school::{self, STUDENTS, user};

/// People on one page of a list.
const ROWS: usize = 50;

#[test]
fn people_are_found_by_a_part_of_the_name_and_by_where_they_came_from() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let other = office.moodle("Moodle of the neighbours");
    other.tell_all(&[("fetch_user", user(&["N-1", "ada", "Adalbert", "Stifter"]))]);
    let browser = &office.browser;
    browser.click("People");
    browser.wait_for_heading("People");
    browser.wait_for_text("14 people");

    browser.fill("Name, username, e-mail or id", "love");
    browser.click("Search");
    assert_eq!(browser.texts("tbody tr").len(), 1);
    let ada = browser.row("Lovelace, Ada").join(" ");
    for part in [
        "ada",
        "S-1001",
        "ada@school.example",
        "student",
        "Moodle of the test",
    ] {
        assert!(ada.contains(part), "{part}: {ada}");
    }

    office.goto("/people");
    browser.choose("Who", "teachers");
    browser.click("Search");
    assert_eq!(browser.texts("tbody tr").len(), 1);
    browser.wait_for_text("Curie, Marie");

    office.goto("/people");
    browser.choose("From", "Moodle of the neighbours");
    browser.click("Search");
    assert_eq!(browser.texts("tbody tr").len(), 1);
    // The name was taken: both spellings are shown.
    browser.click("Stifter, Adalbert");
    browser.wait_for_heading("Adalbert Stifter");
    browser.wait_for_text("ada1 (at Moodle of the neighbours: ada)");

    office.goto("/people?q=nobody-of-that-name");
    browser.wait_for_text("Nobody fits.");
    browser.assert_accessible("a search that found nobody");
}

#[test]
fn a_long_list_is_turned_page_by_page_and_back() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let many = 2 * ROWS + 3;
    let users: Vec<(&str, Value)> = (0..many)
        .map(|number| {
            let (id, username) = (format!("M-{number:03}"), format!("user{number:03}"));
            let lastname = format!("Person {number:03}");
            ("fetch_user", user(&[&id, &username, "Some", &lastname]))
        })
        .collect();
    moodle.tell_all(&users);

    let browser = &office.browser;
    office.goto("/people?q=person");
    let mut seen = browser.texts("tbody th");
    assert_eq!(seen.len(), ROWS);
    browser.assert_lacks("Previous page");
    browser.click("Next page →");
    browser.wait_for_text("Previous page");
    let second = browser.texts("tbody th");
    seen.extend(second.clone());
    browser.click("Next page →");
    browser.wait_for_text("Person 102");
    browser.assert_lacks("Next page");
    seen.extend(browser.texts("tbody th"));
    let expected: Vec<_> = (0..many)
        .map(|number| format!("Person {number:03}, Some"))
        .collect();
    assert_eq!(seen, expected, "each person once, in order");
    browser.click("← Previous page");
    browser.wait_for_text("Next page");
    assert_eq!(browser.texts("tbody th"), second);
}

#[test]
fn the_right_to_sign_in_is_given_to_a_group_and_taken_from_a_person() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let browser = &office.browser;
    browser.click("People");
    browser.click("Lovelace, Ada");
    browser.wait_for_heading("Ada Lovelace");
    browser.wait_for_text("May not sign in here");

    browser.click("People");
    browser.click("Who may sign in");
    browser.tick("Students, Moodle of the test", true);
    browser.click("Save");
    browser.wait_for_text("Groups that may sign in");

    for [_, _, firstname, lastname] in &STUDENTS[..2] {
        browser.click("People");
        browser.click(&format!("{lastname}, {firstname}"));
        browser.wait_for_text("May sign in here, coming from Moodle of the test");
    }
    browser.wait_for_heading("Alan Turing");
    browser.choose("This person", "may not sign in");
    browser.click("Save");
    browser.wait_for_text("May not sign in here");
    browser.wait_for_text("denied to this person");
}

#[test]
fn a_reader_sees_people_and_changes_nothing() {
    let Some(office) = Office::closed() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    office.add_account("principal", AccountRole::Reader);
    office.sign_in("principal");
    let browser = &office.browser;
    browser.click("People");
    browser.assert_lacks("by hand");
    browser.click("Lovelace, Ada");
    browser.wait_for_heading("Ada Lovelace");
    assert!(browser.texts("main button").is_empty());
    office.goto("/people/new");
    browser.wait_for_heading("Not for you");
    browser.assert_accessible("a page for somebody else");
}

#[test]
fn a_member_sees_nobody_else() {
    let Some(office) = Office::closed() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    office.add_account("grace", AccountRole::Member);
    office.sign_in("grace");
    for path in ["/people", "/people/2", "/sign-in-rights"] {
        office.goto(path);
        office.browser.wait_for_heading("Not for you");
        office.browser.assert_lacks("Lovelace");
    }
}
