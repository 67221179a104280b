//! Somebody's browser: cookies, redirects, forms filled in and sent.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, REFERER, SET_COOKIE, USER_AGENT};
use reqwest::redirect::Policy;
use url::Url;

use crate::failure::{Failure, Held};
use crate::page::{Form, Page};

/// What browsers call themselves, unless a case says otherwise.
pub const ORDINARY: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// How many redirects are followed. Browsers stop at 20; a sign-in over two sites takes five.
const REDIRECTS: usize = 20;

/// How long one page may take: a site on a busy machine, its caches empty.
const PAGE_TIMEOUT: Duration = Duration::from_mins(3);

/// Somebody's browser.
pub struct Browser {
    client: Client,
    user_agent: String,
    jar: Jar,
    at: Option<Url>,
}

/// Cookies as browsers keep them: by host, path and name. Ports make no difference, so that two sites on one host share
/// a jar and have to name their cookies apart.
#[derive(Debug, Default)]
struct Jar {
    cookies: BTreeMap<(String, String, String), String>,
}

impl Browser {
    /// A browser that knows no site yet.
    ///
    /// # Errors
    /// When there is no HTTP to be had.
    pub fn new() -> Held<Self> {
        Self::calling_itself(ORDINARY)
    }

    /// A browser with another name.
    ///
    /// # Errors
    /// When there is no HTTP to be had.
    pub fn calling_itself(user_agent: &str) -> Held<Self> {
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(PAGE_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| request_failure("a browser", &error))?;
        Ok(Self {
            client,
            user_agent: user_agent.to_owned(),
            jar: Jar::default(),
            at: None,
        })
    }

    /// What it calls itself.
    #[must_use]
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// Opens an address and follows where it leads.
    ///
    /// # Errors
    /// When there is no answer, or no end of redirects.
    pub fn open(&mut self, url: &str) -> Held<Page> {
        let page = self.open_only(url)?;
        self.follow(page)
    }

    /// Opens an address, and does not follow where it leads.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open_only(&mut self, url: &str) -> Held<Page> {
        let url = address(url)?;
        let request = self.client.get(url.clone());
        self.ask(url, request)
    }

    /// Sends a form by one of its buttons and follows where that leads.
    ///
    /// # Errors
    /// When there is no such button, no answer, or no end of redirects.
    pub fn press(&mut self, form: &Form, button: &str) -> Held<Page> {
        let page = self.send_only(form, Some(button))?;
        self.follow(page)
    }

    /// Sends a form as Enter does and follows where that leads.
    ///
    /// # Errors
    /// When there is no answer, or no end of redirects.
    pub fn send(&mut self, form: &Form) -> Held<Page> {
        let page = self.send_only(form, None)?;
        self.follow(page)
    }

    /// Sends a form, and does not follow where it leads.
    ///
    /// # Errors
    /// When there is no such button, or no answer.
    pub fn send_only(&mut self, form: &Form, button: Option<&str>) -> Held<Page> {
        let fields = form.pressed(button)?;
        let mut url = form.action.clone();
        if form.post {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let request = self
                .client
                .post(url.clone())
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Origin", url.origin().ascii_serialization())
                .body(body);
            self.ask(url, request)
        } else {
            url.query_pairs_mut().clear().extend_pairs(fields);
            let request = self.client.get(url.clone());
            self.ask(url, request)
        }
    }

    /// Follows where a page leads, as far as that goes.
    ///
    /// # Errors
    /// When there is no answer, or no end of redirects.
    pub fn follow(&mut self, mut page: Page) -> Held<Page> {
        let began = page.url.clone();
        for _ in 0..REDIRECTS {
            let Some(next) = page.location.clone() else {
                return Ok(page);
            };
            let request = self.client.get(next.clone());
            page = self.ask(next, request)?;
        }
        match page.location {
            None => Ok(page),
            Some(last) => Err(Failure::SentInCircles {
                url: began.to_string(),
                limit: REDIRECTS,
                last: last.to_string(),
            }),
        }
    }

    /// Opens an address of a site and follows where it leads within that site, up to where it leads away: that address, not
    /// opened.
    ///
    /// # Errors
    /// When it leads nowhere else, or there is no answer.
    pub fn way_out_of(&mut self, site: &str, url: &str) -> Held<Url> {
        let mut page = self.open_only(url)?;
        for _ in 0..REDIRECTS {
            match page.location.clone() {
                Some(next) if next.as_str().starts_with(site) => {
                    page = self.open_only(next.as_str())?;
                }
                Some(away) => return Ok(away),
                None => return Err(page.lacks("the way on to the other site")),
            }
        }
        Err(page.lacks("the way on to the other site"))
    }

    /// Forgets all cookies, as a browser that was closed.
    pub fn forget(&mut self) {
        self.jar = Jar::default();
        self.at = None;
    }

    /// The names of the cookies it would send to an address.
    ///
    /// # Errors
    /// When that is no address.
    pub fn cookies_for(&self, url: &str) -> Held<Vec<String>> {
        let url = address(url)?;
        Ok(self.jar.of(&url).map(|(name, _)| name.to_owned()).collect())
    }

    fn ask(&mut self, url: Url, request: RequestBuilder) -> Held<Page> {
        let mut request = request.header(USER_AGENT, &self.user_agent);
        if let Some(cookies) = self.jar.header(&url) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(at) = &self.at {
            request = request.header(REFERER, at.as_str());
        }
        let answer = request
            .send()
            .map_err(|error| request_failure(url.as_str(), &error))?;
        self.jar.keep(&url, answer.headers());
        let page = read(url, answer)?;
        if page.location.is_none() {
            self.at = Some(page.url.clone());
        }
        Ok(page)
    }
}

impl Jar {
    fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            if let Ok(text) = header.to_str() {
                self.keep_one(url, text);
            }
        }
    }

    fn keep_one(&mut self, url: &Url, text: &str) {
        let mut parts = text.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut path = "/".to_owned();
        let mut gone = value.is_empty();
        for attribute in parts {
            match attribute.split_once('=') {
                Some((key, value)) if key.eq_ignore_ascii_case("path") => {
                    value.clone_into(&mut path);
                }
                Some((key, value)) if key.eq_ignore_ascii_case("max-age") => {
                    gone |= value.starts_with('-') || value == "0";
                }
                _ => {}
            }
        }
        // Moodle and PHP take a cookie back by this value and a date gone by.
        gone |= value == "deleted";
        let key = (host(url), path, name.to_owned());
        if gone {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }

    fn of<'a>(&'a self, url: &'a Url) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.cookies
            .iter()
            .filter(|((at, path, _), _)| *at == host(url) && covers(path, url.path()))
            .map(|((_, _, name), value)| (name.as_str(), value.as_str()))
    }

    fn header(&self, url: &Url) -> Option<String> {
        let pairs: Vec<String> = self
            .of(url)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Whether a cookie of `path` is sent to `requested` (RFC 6265, 5.1.4).
fn covers(path: &str, requested: &str) -> bool {
    requested
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || path.ends_with('/') || rest.starts_with('/'))
}

fn read(url: Url, answer: Response) -> Held<Page> {
    let status = answer.status();
    let location = answer
        .headers()
        .get(LOCATION)
        .filter(|_| status.is_redirection())
        .and_then(|location| location.to_str().ok())
        .and_then(|location| url.join(location).ok());
    let body = answer
        .text()
        .map_err(|error| request_failure(url.as_str(), &error))?;
    Ok(Page::new(url, status.as_u16(), location, body))
}

fn address(url: &str) -> Held<Url> {
    Url::parse(url).map_err(|error| Failure::Request {
        url: url.to_owned(),
        reason: error.to_string(),
    })
}

fn request_failure(url: &str, error: &reqwest::Error) -> Failure {
    // The reason proper stands at the end of the chain.
    let mut reason: &dyn std::error::Error = error;
    while let Some(deeper) = reason.source() {
        reason = deeper;
    }
    Failure::Request {
        url: url.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn cookies_go_by_host_and_not_by_port() {
        let mut jar = Jar::default();
        jar.keep_one(
            &url("http://127.0.0.1:8820/login"),
            "MoodleSession=a; path=/; HttpOnly",
        );
        assert_eq!(
            jar.header(&url("http://127.0.0.1:8950/")).unwrap(),
            "MoodleSession=a"
        );
        assert_eq!(jar.header(&url("http://localhost:8820/")), None);
    }

    #[test]
    fn a_later_cookie_of_that_name_takes_the_place() {
        let mut jar = Jar::default();
        let at = url("http://127.0.0.1/");
        jar.keep_one(&at, "s=a");
        jar.keep_one(&at, "s=b");
        assert_eq!(jar.header(&at).unwrap(), "s=b");
    }

    #[test]
    fn a_cookie_of_a_path_stays_within_it() {
        let mut jar = Jar::default();
        jar.keep_one(&url("http://h/moodle/"), "s=a; Path=/moodle");
        assert!(jar.header(&url("http://h/moodle/my/")).is_some());
        assert!(jar.header(&url("http://h/moodle")).is_some());
        assert!(jar.header(&url("http://h/moodle2/")).is_none());
        assert!(jar.header(&url("http://h/")).is_none());
    }

    #[test]
    fn a_cookie_that_is_taken_back_is_gone() {
        let mut jar = Jar::default();
        let at = url("http://h/");
        for back in [
            "s=; Max-Age=0",
            "s=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT",
            "s=x; max-age=-1",
        ] {
            jar.keep_one(&at, "s=a");
            jar.keep_one(&at, back);
            assert_eq!(jar.header(&at), None, "{back}");
        }
    }
}
