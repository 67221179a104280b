//! The console with no mouse.

use fantoccini::key::Key;

use crate::office::{Office, PASSWORD};

#[test]
fn the_office_signs_in_and_finds_a_person_by_keyboard_alone() {
    let Some(office) = Office::closed() else {
        return;
    };
    let browser = &office.browser;
    let (tab, enter) = (char::from(Key::Tab), char::from(Key::Enter));
    let (tab, enter) = (tab.to_string(), enter.to_string());
    office.goto("/sign-in");
    browser.type_keys(&tab);
    assert_eq!(browser.focus(), ("Skip to the content".to_owned(), true));
    browser.type_keys(&enter);
    browser.type_keys(&tab);
    assert_eq!(browser.focus(), ("username".to_owned(), true));
    browser.type_keys("office");
    browser.type_keys(&tab);
    assert_eq!(browser.focus(), ("password".to_owned(), true));
    browser.type_keys(PASSWORD);
    browser.type_keys(&enter);
    browser.wait_for_text("Grace of office");

    office.goto("/people");
    browser.type_keys(&tab);
    browser.type_keys(&enter);
    browser.type_keys(&tab);
    browser.type_keys("nobody of that name");
    browser.type_keys(&enter);
    browser.wait_for_text("Nobody fits.");
}
