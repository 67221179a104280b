//! Every page of the console can be used by everybody: axe finds nothing wrong with it, in the light, in
//! the dark, and at a phone's width, where it fits the window as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::browser::Size;
use crate::office::Office;
use crate::school;

/// The pages that whoever passes by sees.
const PUBLIC: [&str; 2] = ["/", "/sign-in"];

/// The pages of a signed-in administrator: the address as the router has it, and as it is for the school
/// of the tests.
const PAGES: &[(&str, &str)] = &[
    ("/", "/"),
    ("/first-run", "/first-run"),
    ("/people", "/people"),
    ("/people/new", "/people/new"),
    // The teacher is the first that is told of; Ada the next.
    ("/people/{id}", "/people/1"),
    ("/people/{id}", "/people/2"),
    (
        r#"&format!("/people/{{id}}/{word}{end}")"#,
        "/people/2/progress",
    ),
    (
        r#"&format!("/people/{{id}}/{word}{end}")"#,
        "/people/2/transcript",
    ),
    ("/people/{id}/edit", "/people/1/edit"),
    ("/sections/{id}/edit", "/sections/1/edit"),
    ("/sign-in-rights", "/sign-in-rights"),
    ("/mine", "/mine"),
    ("/mine/password", "/mine/password"),
    (r#"&format!("/mine/{word}{end}")"#, "/mine/progress"),
    ("/sections", "/sections"),
    ("/sections/new", "/sections/new"),
    ("/sections/{id}", "/sections/1"),
    (
        r#"&format!("/sections/{{id}}/class-list{end}")"#,
        "/sections/1/class-list",
    ),
    ("/sections/{id}/gradebook", "/sections/1/gradebook"),
    ("/sections/{id}/distribution", "/sections/1/distribution"),
    (
        "/sections/{id}/assessments/new",
        "/sections/1/assessments/new",
    ),
    ("/sections/{id}/grades/import", "/sections/1/grades/import"),
    ("/assessments/{id}", "/assessments/1"),
    (
        "/assessments/{id}/grades/{person}",
        "/assessments/1/grades/2",
    ),
    ("/enrolments/{id}", "/enrolments/1"),
    ("/peers", "/peers"),
    ("/peers/add", "/peers/add"),
    ("/peers/{id}", "/peers/1"),
    ("/peers/{id}/remove", "/peers/1/remove"),
    ("/peers/{id}/courses", "/peers/1/courses"),
    ("/sections/{id}/offers", "/sections/1/offers"),
    ("/network", "/network"),
    ("/keys", "/keys"),
    ("/keys/rotate", "/keys/rotate"),
    ("/administration", "/administration"),
    ("/accounts", "/accounts"),
    ("/accounts/new", "/accounts/new"),
    ("/accounts/{id}", "/accounts/1"),
    ("/sessions", "/sessions"),
    ("/activity", "/activity"),
    ("/audit", "/audit"),
];

/// Addresses that answer with something other than a page, or that another test looks at.
const ELSEWHERE: &[&str] = &[
    // A style sheet, and a file to fill in.
    "/style.css",
    "/sections/{id}/grades/template.csv",
    // tests/browser/remote_enrolment.rs: a peer has to offer a course.
    "/courses/{id}",
    // tests/browser/first_run.rs: it needs the link of the log.
    "/setup",
    "/sign-in",
    // tests/browser/sso_in.rs and sso_out.rs: a peer has to take part. Both have several addresses.
    "land_path",
    "jump_path",
];

#[test]
fn no_page_is_forgotten_here() {
    let mut known: BTreeSet<String> = PAGES
        .iter()
        .map(|(route, _)| *route)
        .chain(ELSEWHERE.iter().copied())
        .map(str::to_owned)
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    for route in routes_below(&source) {
        assert!(known.remove(&route), "no test looks at the page {route}");
    }
    assert!(known.is_empty(), "the console has no such pages: {known:?}");
}

#[test]
fn a_visitors_pages_can_be_used_by_everybody() {
    let Some(office) = Office::closed() else {
        return;
    };
    office.moodle("Moodle of the test");
    judge(&office, PUBLIC.into_iter().chain(["/no-such-page"]));
}

#[test]
fn the_offices_pages_can_be_used_by_everybody() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    judge(&office, PAGES.iter().map(|(_, page)| *page));
}

/// Looks at pages in each light and at each size, and fails with all that is wrong with any of them.
pub fn judge<'a>(office: &Office, pages: impl Iterator<Item = &'a str>) {
    let browser = &office.browser;
    let looks = [
        ("light", false, Size::Desktop),
        ("dark", true, Size::Desktop),
        ("phone", false, Size::Phone),
    ];
    let mut wrong = Vec::new();
    for page in pages {
        office.goto(page);
        assert_eq!(browser.address().path(), page);
        for (look, dark, size) in looks {
            browser.turn_dark(dark);
            browser.resize(size);
            let (content, window) = browser.widths();
            if content > window {
                wrong.push(format!("{page}, {look}: {content} pixels in {window}"));
            }
            let found = browser.axe().unwrap_or_default();
            wrong.extend(
                found
                    .iter()
                    .map(|violation| format!("{page}, {look}: {violation:#?}")),
            );
        }
        browser.turn_dark(false);
        browser.resize(Size::Desktop);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The addresses for which the console's source has a handler of GET.
fn routes_below(directory: &Path) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes.append(&mut routes_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            // `.route("/address", get(handler))`, over one line or several.
            for route in source.split(".route(").skip(1) {
                let (address, handlers) = route.split_once(',').unwrap();
                if handlers[..end_of_call(handlers)].contains("get(") {
                    routes.insert(address.trim().trim_matches('"').to_owned());
                }
            }
        }
    }
    routes
}

/// Where the parenthesis that was open before `rest` closes.
fn end_of_call(rest: &str) -> usize {
    let mut open = 1;
    for (at, character) in rest.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    rest.len()
}
