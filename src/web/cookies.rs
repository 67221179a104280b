//! Cookies: what a browser brings, and how ours are written.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::wwwroot::Wwwroot;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The token of a session. Not called as Moodle's, for cookies ignore ports, and a Moodle on the
    /// same host would lose its own.
    Session,
    /// A random text by which forms of somebody not signed in are recognised.
    Visit,
    /// What to tell on the next page.
    Notice,
}

impl Cookie {
    /// Its name. Under https at the root of a host its prefix keeps other hosts of the domain from
    /// setting it (RFC 6265bis, 4.1.3.2).
    fn name(self, wwwroot: &Wwwroot) -> String {
        let name = match self {
            Self::Session => "mnetd_session",
            Self::Visit => "mnetd_visit",
            Self::Notice => "mnetd_notice",
        };
        let at_root = wwwroot.url().path() == "/";
        match (wwwroot.is_https(), at_root) {
            (true, true) => format!("__Host-{name}"),
            (true, false) => format!("__Secure-{name}"),
            (false, _) => name.to_owned(),
        }
    }

    /// Its value, where the browser brings it once: of two with the same name, one was planted.
    #[must_use]
    pub fn read(self, headers: &HeaderMap, wwwroot: &Wwwroot) -> Option<String> {
        let name = self.name(wwwroot);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned());
        let first = values.next();
        match values.next() {
            None => first,
            Some(_) => None,
        }
    }

    /// The `Set-Cookie` header that gives it this value until the browser closes. `Lax`: it comes along
    /// when another site links here, which is how a jump from a peer ends, but with none of its forms.
    #[must_use]
    pub fn set(self, value: &str, wwwroot: &Wwwroot) -> String {
        self.header(value, "", wwwroot)
    }

    /// The `Set-Cookie` header that takes it away.
    #[must_use]
    pub fn clear(self, wwwroot: &Wwwroot) -> String {
        self.header("", "; Max-Age=0", wwwroot)
    }

    fn header(self, value: &str, more: &str, wwwroot: &Wwwroot) -> String {
        let secure = if wwwroot.is_https() { "; Secure" } else { "" };
        let url = wwwroot.url();
        let path = url.path();
        let name = self.name(wwwroot);
        format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{more}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(wwwroot: &str) -> Wwwroot {
        Wwwroot::parse(wwwroot).unwrap()
    }

    #[test]
    fn under_https_it_is_secure_and_bound_to_the_host() {
        assert_eq!(
            Cookie::Session.set("a", &site("https://a.example")),
            "__Host-mnetd_session=a; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Session.set("a", &site("https://a.example/school")),
            "__Secure-mnetd_session=a; Path=/school; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Session.clear(&site("http://a.example")),
            "mnetd_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn one_that_comes_twice_counts_as_none() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            Cookie::Session.read(&headers, &site("http://a.example"))
        };
        assert_eq!(read(&["x=1; mnetd_session=a"]).as_deref(), Some("a"));
        assert_eq!(read(&["mnetd_session=a; mnetd_session=b"]), None);
        assert_eq!(read(&["mnetd_session=a", "mnetd_session=b"]), None);
        assert_eq!(read(&["x=1"]), None);
    }
}
