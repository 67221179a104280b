//! The kit itself: a check that finds nothing must have been able to find something.

use std::panic::AssertUnwindSafe;

use mnetd::xmlrpc::Value;

use crate::browser::{Browser, Size};
use crate::moodle::Moodle;
use crate::support::program::Program;

/// A page as an address.
fn page(body: &str) -> String {
    let body: String = url::form_urlencoded::byte_serialize(body.as_bytes()).collect();
    format!("data:text/html;charset=utf-8,{}", body.replace('+', "%20"))
}

#[test]
fn fields_and_buttons_are_found_by_what_they_say() {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.goto(&page(
        "<label for=a>Name</label><input id=a value=old>\
         <label>Colour <select><option>red<option>blue</select></label>\
         <label><input type=checkbox> I agree</label>\
         <label>Day <input type=date></label>\
         <table><tr><td>Ada<td><button onclick=\"document.title = 'Ada'\">Show</button>\
         <tr><td>Grace<td><button onclick=\"document.title = 'Grace'\">Show</button></table>\
         <a href='#' onclick=\"document.title = 'followed'; return false\">Follow</a>",
    ));
    browser.fill("Name", "new");
    assert_eq!(browser.value("Name"), "new");
    browser.choose("Colour", "blue");
    assert_eq!(browser.value("Colour"), "blue");
    browser.tick("I agree", true);
    browser.fill("Day", "2026-07-01");
    assert_eq!(browser.value("Day"), "2026-07-01");
    assert_eq!(browser.row("Grace"), ["Grace", "Show"]);
    browser.press_in_row("Grace", "Show");
    assert_eq!(browser.title(), "Grace");
    browser.press("Follow");
    assert_eq!(browser.title(), "followed");
}

#[test]
fn pages_are_seen_at_a_phones_width_and_in_the_dark() {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.goto(&page(
        "<meta name=viewport content='width=device-width'>\
         <style>p { display: none }\
         @media (prefers-color-scheme: dark) { .dark { display: block } }\
         @media (max-width: 400px) { .narrow { display: block } }</style>\
         <p class=dark>dark<p class=narrow>narrow",
    ));
    assert_eq!(browser.text(), "");
    browser.turn_dark(true);
    assert_eq!(browser.text(), "dark");
    browser.turn_dark(false);
    browser.resize(Size::Phone);
    assert_eq!(browser.text(), "narrow");
}

#[test]
fn a_page_too_wide_for_a_phone_is_noticed() {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.resize(Size::Phone);
    browser.goto(&page(
        "<meta name=viewport content='width=device-width'><p style='width: 900px'>wide",
    ));
    let (content, window) = browser.widths();
    assert!(content >= 900 && window < 400, "{content} in {window}");
}

#[test]
fn scripts_of_a_page_can_be_kept_from_running() {
    let Some(browser) = Browser::without_scripts() else {
        return;
    };
    browser.goto(&page(
        "<label for=a>Name</label><input id=a><p id=p>silent</p>\
         <script>document.getElementById('p').textContent = 'running'</script>",
    ));
    browser.fill("Name", "Ada");
    assert_eq!(browser.value("Name"), "Ada");
    browser.wait_for_text("silent");
}

#[test]
fn axe_finds_what_is_wrong() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // The policy of the page keeps scripts out of it, but not the check.
    browser.goto(&page(
        "<!DOCTYPE html><html lang=en><title>t</title>\
         <meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">\
         <main><h1>Form</h1><input></main>",
    ));
    let Some(found) = browser.axe() else {
        return;
    };
    let rules: Vec<_> = found.iter().map(|violation| &violation.rule).collect();
    assert_eq!(rules, ["label"], "{found:#?}");
    assert!(found[0].elements[0].contains("input"), "{found:#?}");
}

#[test]
fn a_test_moodle_and_the_program_understand_each_other() {
    let program = Program::new();
    let running = program.serve();
    let moodle = Moodle::known_to(&program, &running, "Moodle of the test");
    let told = moodle.tell(
        "fetch_user",
        &[
            ("idnumber", "s1"),
            ("username", "ada"),
            ("firstname", "Ada"),
            ("lastname", "Lovelace"),
            ("email", "ada@example.org"),
        ],
    );
    assert_eq!(told.get("status").and_then(Value::as_str), Some("created"));
    program.done(&["peer", "check", moodle.wwwroot()]);
    assert_eq!(moodle.heard("listServices").len(), 1);
}

#[test]
fn nothing_of_a_browser_is_left_behind_where_a_test_panics() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let processes = browser.processes();
    assert_eq!(processes.len(), 2);
    let ended = std::panic::catch_unwind(AssertUnwindSafe(move || {
        browser.goto("about:blank");
        // Not a panic of its own: that would print what looks like a failure.
        std::panic::resume_unwind(Box::new(()))
    }));
    assert!(ended.is_err());
    for process in processes {
        let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // Z: ended, and nobody has asked how.
        assert!(status.is_empty() || status.contains(") Z "), "{status}");
    }
}
