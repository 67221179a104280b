//! The page that everybody sees.

use crate::browser::Browser;
use crate::support::program::Program;

#[test]
fn a_visitor_reads_what_this_is_and_how_a_moodle_adds_it() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let program = Program::new();
    let running = program.serve();
    browser.goto(&running.wwwroot());
    assert_eq!(browser.title(), "mnetd at 127.0.0.1");
    browser.wait_for_heading("mnetd at 127.0.0.1");
    browser.wait_for_text(&running.wwwroot());
}
