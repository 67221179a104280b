//! A Moodle's pages, as its administrators and users go through them.

use serde_json::json;

use crate::browser::Browser;
use crate::failure::{Failure, Held};
use crate::moodle::{Account, Moodle};
use crate::page::{Form, Page};

/// An administrator, signed in.
pub struct Administrator<'a> {
    moodle: &'a Moodle,
    browser: Browser,
}

/// How the boxes of one service are ticked for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked<'a> {
    /// The service, by its name.
    pub service: &'a str,
    /// Whether the peer may call it here.
    pub publish: bool,
    /// Whether this Moodle calls it there.
    pub subscribe: bool,
}

impl<'a> Ticked<'a> {
    /// Both boxes.
    #[must_use]
    pub fn both(service: &'a str) -> Self {
        Self {
            service,
            publish: true,
            subscribe: true,
        }
    }
}

impl<'a> Administrator<'a> {
    /// Signs the suite's administrator in.
    ///
    /// # Errors
    /// When Moodle does not let them in.
    pub fn of(moodle: &'a Moodle) -> Held<Self> {
        let mut browser = Browser::new()?;
        sign_in(&mut browser, moodle, &moodle.admin()?)?;
        Ok(Self { moodle, browser })
    }

    /// The kinds of sites that can be added, as the list on the page has them.
    ///
    /// # Errors
    /// When the page has no such list.
    pub fn applications(&mut self) -> Held<Vec<String>> {
        let form = self.new_peer_form()?;
        Ok(form
            .offered("applicationid")
            .into_iter()
            .map(str::to_owned)
            .collect())
    }

    /// Networking › Manage peers › Add a new host, without checking certificates for https, which a test site has not. The
    /// number that Moodle gives the peer.
    ///
    /// # Errors
    /// When Moodle does not take it up, with what the page says.
    pub fn add_peer(&mut self, wwwroot: &str, application: &str) -> Held<u64> {
        let form = self
            .new_peer_form()?
            .fill("wwwroot", wwwroot)?
            .choose("applicationid", application)?;
        let review = self.browser.press(&form, "submitbutton")?;
        let form = review.form_with("_qf__mnet_review_host_form")?;
        if !form
            .value("public_key")
            .is_some_and(|key| key.contains("BEGIN CERTIFICATE"))
        {
            return Err(review.lacks("the certificate of the peer in the form to review it"));
        }
        let form = form.fill("sslverification", "0")?;
        let saved = self.browser.press(&form, "submitbutton")?;
        host_number(&saved)
    }

    /// Manage peers › the peer › Services: ticks what is given, and nothing else, and looks whether it is kept so.
    ///
    /// # Errors
    /// When the page has not those services, or does not keep the ticks.
    pub fn tick_services(&mut self, host: u64, wanted: &[Ticked<'_>]) -> Held {
        let numbers = self.moodle.provision("services", &json!({}))?;
        let mut form = self.services_form(host)?;
        let boxes: Vec<String> = form
            .names()
            .into_iter()
            .filter(|name| is_service_box(name))
            .map(str::to_owned)
            .collect();
        for name in &boxes {
            form = form.tick(name, false)?;
        }
        for ticked in wanted {
            let number = numbers[ticked.service]
                .as_u64()
                .ok_or_else(|| self.no_service(ticked.service))?;
            form = form.tick(&format!("publish[{number}]"), ticked.publish)?;
            form = form.tick(&format!("subscribe[{number}]"), ticked.subscribe)?;
        }
        let meant: Vec<Option<String>> = values(&form, &boxes);
        self.browser.press(&form, "submitbutton")?.well()?;
        let kept = values(&self.services_form(host)?, &boxes);
        crate::failure::expect("the boxes on the Services page after saving", &meant, &kept)
    }

    /// Opens a page of the site.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open(&mut self, path: &str) -> Held<Page> {
        self.browser.open(&self.moodle.page(path))
    }

    /// Sends a form by one of its buttons.
    ///
    /// # Errors
    /// When there is no such button, or no answer.
    pub fn press(&mut self, form: &Form, button: &str) -> Held<Page> {
        self.browser.press(form, button)
    }

    /// Sends a form that has one button only.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn send(&mut self, form: &Form) -> Held<Page> {
        self.browser.send(form)
    }

    fn new_peer_form(&mut self) -> Held<Form> {
        self.open("/admin/mnet/peers.php")?
            .form_with("_qf__mnet_simple_host_form")
    }

    fn services_form(&mut self, host: u64) -> Held<Form> {
        self.open(&format!("/admin/mnet/services.php?hostid={host}"))?
            .form_with("_qf__mnet_services_form")
    }

    fn no_service(&self, service: &str) -> Failure {
        Failure::Moodle {
            moodle: self.moodle.url().to_owned(),
            action: "Services".to_owned(),
            reason: format!("there is no service {service} to tick"),
        }
    }
}

/// Signs somebody in by name and password.
///
/// # Errors
/// When Moodle does not let them in.
pub fn sign_in(browser: &mut Browser, moodle: &Moodle, who: &Account) -> Held<Page> {
    let form = browser
        .open(&moodle.page("/login/index.php"))?
        .form_with("logintoken")?;
    let form = form
        .fill("username", &who.username)?
        .fill("password", &who.password)?;
    let page = browser.send(&form)?;
    if page.has_link_to("/login/logout.php") {
        Ok(page)
    } else {
        Err(page.lacks("a way to sign out, after signing in"))
    }
}

/// Who is signed in at a Moodle: the name on the profile page, or nobody.
///
/// # Errors
/// When there is no answer.
pub fn who_is_signed_in(browser: &mut Browser, moodle: &Moodle) -> Held<Option<String>> {
    let page = browser.open(&moodle.page("/user/profile.php"))?;
    if page.url.path().contains("/login/") || !page.has_link_to("/login/logout.php") {
        return Ok(None);
    }
    Ok(page
        .texts_in("h1")
        .into_iter()
        .find(|name| !name.is_empty()))
}

/// Signs out by the link that every page has; where the browser is then.
///
/// # Errors
/// When nobody is signed in, or there is no answer.
pub fn sign_out(browser: &mut Browser, moodle: &Moodle) -> Held<Page> {
    let page = browser.open(&moodle.page("/user/profile.php"))?;
    let link = page.link_to("/login/logout.php")?;
    browser.open(link.as_str())
}

fn host_number(saved: &Page) -> Held<u64> {
    saved
        .url
        .query_pairs()
        .find(|(name, _)| name == "hostid")
        .and_then(|(_, number)| number.parse().ok())
        .ok_or_else(|| saved.lacks("the page of the peer, after saving it"))
}

fn is_service_box(name: &str) -> bool {
    name.starts_with("publish[") || name.starts_with("subscribe[")
}

fn values(form: &Form, names: &[String]) -> Vec<Option<String>> {
    names
        .iter()
        .map(|name| form.value(name).map(str::to_owned))
        .collect()
}
