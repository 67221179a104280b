//! mnetd's pages, as people go through them.

use crate::browser::Browser;
use crate::failure::Held;
use crate::mnetd::Mnetd;
use crate::moodle::Account;
use crate::page::Page;

/// Makes an account of mnetd's own, one that sees what is its own and may jump to peers.
///
/// # Errors
/// When mnetd refuses.
pub fn make_member(
    mnetd: &Mnetd,
    username: &str,
    firstname: &str,
    lastname: &str,
) -> Held<Account> {
    let account = Account {
        username: username.to_owned(),
        password: "four words are long".to_owned(),
    };
    let arguments = [
        "admin",
        "add",
        username,
        "--password-stdin",
        "--role",
        "member",
    ];
    // The default is an address at this site, which has no name here, and not every Moodle takes an address without one.
    let email = format!("{username}@school.example");
    let person = [
        "--firstname",
        firstname,
        "--lastname",
        lastname,
        "--email",
        &email,
    ];
    mnetd.run_with_input(&[&arguments[..], &person[..]].concat(), &account.password)?;
    Ok(account)
}

/// Signs somebody in by name and password, on the page they are led to.
///
/// # Errors
/// When mnetd does not let them in.
pub fn sign_in(browser: &mut Browser, mnetd: &Mnetd, who: &Account) -> Held<Page> {
    let page = browser.open(&mnetd.page("/sign-in"))?;
    sign_in_at(browser, &page, who)
}

/// Signs somebody in on a page that asks for it.
///
/// # Errors
/// When mnetd does not let them in.
pub fn sign_in_at(browser: &mut Browser, page: &Page, who: &Account) -> Held<Page> {
    let form = page.form_with("password")?;
    let form = form
        .fill("username", &who.username)?
        .fill("password", &who.password)?;
    browser.send(&form)?.well()
}

/// Who is signed in at mnetd: what stands in the head of its pages, or nobody.
///
/// # Errors
/// When there is no answer.
pub fn who_is_signed_in(browser: &mut Browser, mnetd: &Mnetd) -> Held<Option<String>> {
    let page = browser.open(&mnetd.page("/"))?;
    Ok(signed_in_on(&page))
}

/// Who is signed in, as a page of mnetd's says.
#[must_use]
pub fn signed_in_on(page: &Page) -> Option<String> {
    let who = page.texts_with_class("who").into_iter().next()?;
    page.form_to("/sign-out").is_ok().then_some(who)
}

/// Signs out by the button that every page has; where the browser is then.
///
/// # Errors
/// When nobody is signed in, or there is no answer.
pub fn sign_out(browser: &mut Browser, mnetd: &Mnetd) -> Held<Page> {
    let page = browser.open(&mnetd.page("/"))?;
    let form = page.form_to("/sign-out")?;
    browser.send(&form)
}
