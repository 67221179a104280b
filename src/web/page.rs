//! The frame round each page, and the headers it goes out with.

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Response, StatusCode};
use url::Url;

use super::Console;
use super::cookies::Cookie;
use super::error::WebError;
use super::visitor::{Access, Visitor};
use crate::wwwroot::Wwwroot;

/// The most characters of a notice: it travels in a cookie.
const MAX_NOTICE: usize = 400;

/// A place in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The overview.
    Home,
    /// The signed-in person's own data.
    Mine,
    /// People.
    People,
    /// Sections.
    Sections,
    /// Peers.
    Peers,
    /// Links to peers.
    Network,
    /// Calls in and out.
    Activity,
    /// Keys, accounts, sessions, audit log, settings.
    Administration,
    /// None of them.
    Elsewhere,
}

/// An entry of the navigation.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its address.
    pub href: String,
    /// Its text.
    pub text: &'static str,
    /// Whether the page belongs there.
    pub here: bool,
}

/// Where a visitor came from by single sign-on.
#[derive(Clone, Debug)]
pub struct CameFrom {
    /// The peer's name.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// What the frame of a page needs. Every page's struct has one, called `layout`.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The page's title and first heading.
    pub title: String,
    /// The site's name.
    pub site: String,
    /// What stands before every path in a link.
    pub base: String,
    /// The navigation, as far as this visitor may go.
    pub links: Vec<Link>,
    /// Who is signed in.
    pub user: Option<String>,
    /// Where the visitor came from by single sign-on.
    pub came_from: Option<CameFrom>,
    /// What the last form did.
    pub notice: Option<String>,
    /// The token every form carries in a field called `csrf`.
    pub csrf: String,
    /// Sites outside that a form of this page may lead to in the end.
    form_targets: Vec<String>,
    /// `Set-Cookie` headers that go out with the page.
    set_cookies: Vec<String>,
}

impl Layout {
    /// The frame of a page called `title` for a visitor.
    #[must_use]
    pub fn new(
        console: &Console,
        visitor: &Visitor,
        place: Place,
        title: impl Into<String>,
    ) -> Self {
        let base = console.base();
        Self {
            title: title.into(),
            site: site_name(console.wwwroot()),
            links: links(&base, visitor.access(), place),
            user: visitor.live().map(|live| live.user.full_name()),
            came_from: visitor.came_from().cloned(),
            set_cookies: set_cookies(console.wwwroot(), visitor),
            notice: visitor.notice().map(str::to_owned),
            csrf: visitor.csrf().to_owned(),
            form_targets: visitor
                .came_from()
                .map(|came_from| came_from.url.clone())
                .into_iter()
                .collect(),
            base,
        }
    }

    /// The same frame for a page with a form whose answer leads to another site: browsers hold a
    /// redirect after a form against `form-action` too.
    #[must_use]
    pub fn leading_to(mut self, wwwroot: &Wwwroot) -> Self {
        self.form_targets.push(wwwroot.to_string());
        self
    }

    /// No script, no frame, nothing from elsewhere.
    fn content_security_policy(&self) -> String {
        let mut targets = String::new();
        for url in self
            .form_targets
            .iter()
            .filter_map(|url| Url::parse(url).ok())
        {
            targets.push(' ');
            targets.push_str(&url.origin().ascii_serialization());
        }
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'{targets}; frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

/// A page, with status 200.
pub fn ok(page: &impl Template, layout: &Layout) -> Response<Body> {
    respond(StatusCode::OK, page, layout)
}

/// A page.
pub fn respond(status: StatusCode, page: &impl Template, layout: &Layout) -> Response<Body> {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a template could not be filled in");
            let text = WebError::Internal.to_string();
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return content(status, "text/plain; charset=utf-8", text.into_bytes());
        }
    };
    let mut response = content(status, "text/html; charset=utf-8", html.into_bytes());
    let headers = response.headers_mut();
    put(
        headers,
        CONTENT_SECURITY_POLICY,
        &layout.content_security_policy(),
    );
    for cookie in &layout.set_cookies {
        put(headers, SET_COOKIE, cookie);
    }
    response
}

/// To another page of ours; `path` begins with a slash. `notice` is told there.
pub fn see_other(console: &Console, path: &str, notice: Option<&str>) -> Response<Body> {
    let mut response = redirect(&format!("{}{path}", console.base()));
    if let Some(notice) = notice {
        let text: String = notice.chars().take(MAX_NOTICE).collect();
        let value: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let cookie = Cookie::Notice.set(&value, console.wwwroot());
        put(response.headers_mut(), SET_COOKIE, &cookie);
    }
    response
}

/// To any address, which must have been checked.
pub fn redirect(address: &str) -> Response<Body> {
    let mut response = content(
        StatusCode::SEE_OTHER,
        "text/plain; charset=utf-8",
        Vec::new(),
    );
    put(response.headers_mut(), LOCATION, address);
    response
}

/// Adds a cookie to an answer.
pub fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    put(response.headers_mut(), SET_COOKIE, cookie);
    response
}

/// What an error says, as a sentence: they begin small, to stand behind a colon. An address at its
/// beginning stays as it is spelt.
pub fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let first_word = text.split(' ').next().unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    if first_word.contains("://") {
        return format!("{text}{end}");
    }
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(letters)
        .chain(end.chars())
        .collect()
}

/// Anything that is not to be kept by caches.
pub fn content(status: StatusCode, content_type: &str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    put(headers, CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    harden(headers);
    response
}

/// A file to be kept under `name`, of which letters, digits and `. _ -` are left.
pub fn download(content_type: &str, name: &str, body: Vec<u8>) -> Response<Body> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name
        .chars()
        .map(|c| if safe(c) { c } else { '-' })
        .collect();
    let mut response = content(StatusCode::OK, content_type, body);
    let disposition = format!("attachment; filename=\"{name}\"");
    put(response.headers_mut(), CONTENT_DISPOSITION, &disposition);
    response
}

/// Headers of every answer.
fn harden(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // To a peer only where one comes from, never which page; addresses hold tokens.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// A header whose value is text of ours; one that cannot stand in a header is left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}

fn set_cookies(wwwroot: &Wwwroot, visitor: &Visitor) -> Vec<String> {
    let mut cookies = Vec::new();
    if let Some(visit) = visitor.new_visit() {
        cookies.push(Cookie::Visit.set(visit, wwwroot));
    }
    if visitor.notice().is_some() {
        cookies.push(Cookie::Notice.clear(wwwroot));
    }
    cookies
}

/// The name by which people know the site: Moodle takes it from the title of the home page.
fn site_name(wwwroot: &Wwwroot) -> String {
    let url = wwwroot.url();
    format!("mnetd at {}", url.host_str().unwrap_or_default())
}

fn links(base: &str, access: Access, place: Place) -> Vec<Link> {
    let all: [(Place, &str, &str, Access); 8] = [
        (Place::Home, "/", "Overview", Access::Reader),
        (Place::People, "/people", "People", Access::Reader),
        (Place::Sections, "/sections", "Sections", Access::Reader),
        (Place::Mine, "/mine", "My page", Access::Member),
        (Place::Network, "/network", "Network", Access::Member),
        (Place::Peers, "/peers", "Peers", Access::Reader),
        (Place::Activity, "/activity", "Activity", Access::Reader),
        (
            Place::Administration,
            "/administration",
            "Administration",
            Access::Administrator,
        ),
    ];
    all.into_iter()
        .filter(|(_, _, _, needed)| access >= *needed)
        .map(|(entry, path, text, _)| Link {
            href: format!("{base}{path}"),
            text,
            here: entry == place,
        })
        .collect()
}
