//! A school's office: the program with its console, and a browser in front of it.
#![allow(dead_code, reason = "the kit is there before every test that uses it")]

use mnetd::clock::Clock;
use mnetd::sso::{NewMember, Password, accounts};
use mnetd::store::Store;
use mnetd::store::accounts::AccountRole;

use crate::browser::Browser;
use crate::moodle::Moodle;
use crate::support::program::{Program, Running};

/// The password of every account made here.
pub const PASSWORD: &str = "four words are long";

/// A browser, and the program whose console it shows.
pub struct Office {
    /// The browser.
    pub browser: Browser,
    /// The program.
    pub running: Running,
    /// Its directory.
    pub program: Program,
}

impl Office {
    /// An office whose administrator, `office`, is signed in; `None` where there is no browser.
    pub fn open() -> Option<Self> {
        let office = Self::with(Browser::start()?);
        office.sign_in("office");
        Some(office)
    }

    /// An office with an administrator, `office`, who is not signed in.
    pub fn closed() -> Option<Self> {
        Some(Self::with(Browser::start()?))
    }

    /// As [`Office::closed`], in this browser.
    pub fn with(browser: Browser) -> Self {
        let program = Program::new();
        let running = program.serve();
        let office = Self {
            browser,
            running,
            program,
        };
        office.add_account("office", AccountRole::Administrator);
        office
    }

    /// Makes an account whose password is [`PASSWORD`].
    pub fn add_account(&self, username: &str, role: AccountRole) {
        let member = NewMember {
            username: username.to_owned(),
            firstname: "Grace".to_owned(),
            lastname: format!("of {username}"),
            email: format!("{username}@school.example"),
            role,
            person: None,
        };
        let (hash, now) = (
            Password::typed(PASSWORD).hash().unwrap(),
            Clock::System.now(),
        );
        self.store()
            .write_blocking(move |tx| accounts::add(tx, &member, &hash, now))
            .unwrap();
    }

    /// A Moodle that is a peer with every right.
    pub fn moodle(&self, title: &str) -> Moodle {
        Moodle::known_to(&self.program, &self.running, title)
    }

    /// The database, beside the running program.
    pub fn store(&self) -> Store {
        Store::open(&self.program.directory().join("mnetd.db")).unwrap()
    }

    /// Opens a page of the console.
    pub fn goto(&self, path: &str) {
        self.browser
            .goto(&format!("{}{path}", self.running.wwwroot()));
    }

    /// Signs in an account made by [`Office::add_account`].
    pub fn sign_in(&self, username: &str) {
        self.goto("/sign-in");
        self.try_to_sign_in(username, PASSWORD);
        self.browser.wait_for_text("Sign out");
    }

    /// Fills in the sign-in form that is shown, and sends it.
    pub fn try_to_sign_in(&self, username: &str, password: &str) {
        self.browser.fill("Username", username);
        self.browser.fill("Password", password);
        self.browser.click_within("//main", "Sign in");
    }

    /// Signs out whoever is signed in.
    pub fn sign_out(&self) {
        self.browser.click("Sign out");
        self.browser.wait_for_text("You are signed out.");
    }
}
