//! Where a browser goes once it is signed in: only ever within the one site it may be sent to.
//!
//! `wantsurl` comes from whoever made the link, so it is resolved against a site and believed only
//! where it stays there. Moodle and Mahara put it behind their wwwroot as text; so a path counts from
//! the wwwroot, not from the host.

use url::Url;

use crate::wwwroot::Wwwroot;

/// The longest `wantsurl` looked at, in bytes: Moodle's own pages stay below 1,333 (`mnet_log.url`,
/// `log.url`), and browsers and proxies carry about 2,000 for certain.
pub const MAX_LENGTH: usize = 2_000;

/// The absolute address that `wantsurl` means within `site`, or the site's home where it means
/// nothing or anything outside.
///
/// Taken are a path below the site (`/sections/5?term=2`, with or without the first slash) and an
/// absolute address of the site itself. Whatever some browser could read as another host or scheme
/// (`//host`, `\\host`, `javascript:`, a user in front of an `@`, control characters, the same
/// percent-encoded) is not, nor a path that climbs out of a wwwroot with a path.
#[must_use]
pub fn within(site: &Wwwroot, wantsurl: &str) -> String {
    resolve(site, wantsurl).map_or_else(|| home(site), String::from)
}

/// [`within`], as the path that a Moodle or Mahara at `site` puts behind its wwwroot; empty for its
/// home.
#[must_use]
pub fn path_within(site: &Wwwroot, wantsurl: &str) -> String {
    let Some(url) = resolve(site, wantsurl) else {
        return String::new();
    };
    let below = url.path().get(base_path(site).len()..).unwrap_or_default();
    let mut path = below.trim_end_matches('/').to_owned();
    if path.len() != below.len() && !path.is_empty() {
        path.push('/');
    }
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            if path.is_empty() {
                path.push('/');
            }
            path.push(mark);
            path.push_str(part);
        }
    }
    path
}

/// The site's home page.
#[must_use]
pub fn home(site: &Wwwroot) -> String {
    site.join("/")
}

fn resolve(site: &Wwwroot, wantsurl: &str) -> Option<Url> {
    if wantsurl.len() > MAX_LENGTH || is_suspicious(wantsurl) {
        return None;
    }
    let url = if has_scheme(wantsurl) {
        Url::parse(wantsurl).ok()?
    } else {
        let below = wantsurl.strip_prefix('/').unwrap_or(wantsurl);
        Url::parse(&site.join(&format!("/{below}"))).ok()?
    };
    is_within(site, &url).then_some(url)
}

/// What no honest address holds, and what browsers and servers disagree about.
fn is_suspicious(wantsurl: &str) -> bool {
    let path = wantsurl
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    wantsurl.starts_with("//")
        || wantsurl.contains('\\')
        // Browsers drop tabs and line breaks wherever they stand, and white space at the ends.
        || wantsurl.chars().any(|c| c.is_control() || c.is_whitespace())
        // A slash, a backslash or a control character in disguise, for whoever decodes it.
        || ["%2f", "%5c", "%0", "%1", "%7f"].iter().any(|part| path.contains(part))
}

/// Whether a text begins as an address with a scheme does: then it is no path, whatever the scheme.
fn has_scheme(wantsurl: &str) -> bool {
    let first_segment = wantsurl.split(['/', '?', '#']).next().unwrap_or_default();
    first_segment.contains(':')
}

fn is_within(site: &Wwwroot, url: &Url) -> bool {
    let base = base_path(site);
    let below = url.path().strip_prefix(&base);
    url.origin() == site.url().origin()
        && url.username().is_empty()
        && url.password().is_none()
        && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        && !below.is_some_and(|below| below.starts_with("//"))
}

/// The path of the wwwroot, without a slash at its end.
fn base_path(site: &Wwwroot) -> String {
    site.url().path().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Wwwroot {
        Wwwroot::parse("https://register.example").unwrap()
    }

    fn with_path() -> Wwwroot {
        Wwwroot::parse("https://school.example/register").unwrap()
    }

    #[test]
    fn paths_and_own_addresses_are_honoured() {
        for (wantsurl, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/sections", "/sections"),
            ("sections/5", "/sections/5"),
            (
                "/sections/5?term=2&to=https://a/b#top",
                "/sections/5?term=2&to=https://a/b#top",
            ),
            ("/a/../b", "/b"),
            ("?q=1", "/?q=1"),
            ("/search?q=%2F%2Fevil", "/search?q=%2F%2Fevil"),
            ("/a@b:c", "/a@b:c"),
            ("/prøve", "/pr%C3%B8ve"),
        ] {
            for site in [plain(), with_path()] {
                assert_eq!(within(&site, wantsurl), site.join(expected), "{wantsurl}");
            }
        }
        for (site, wantsurl) in [
            (plain(), "https://register.example/sections"),
            (plain(), "HTTPS://REGISTER.EXAMPLE:443/sections"),
        ] {
            assert_eq!(
                within(&site, wantsurl),
                site.join("/sections"),
                "{wantsurl}"
            );
        }
        let site = with_path();
        assert_eq!(
            within(&site, "https://school.example/register/sections"),
            "https://school.example/register/sections"
        );
        assert_eq!(
            within(&site, "https://school.example/register"),
            "https://school.example/register"
        );
    }

    #[test]
    fn whatever_leads_out_leads_home() {
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for wantsurl in [
            "//evil.example",
            "///evil.example",
            "////evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "java\nscript:alert(1)",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "javascript://register.example/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "http://register.example/",
            "http:evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://evil.example/",
            "https://register.example.evil.example/",
            "https://evil.example/register.example",
            "https://register.example@evil.example/",
            "https://user@register.example/",
            "https://user:pw@register.example/",
            "https://register.example:8443/",
            "https://school.example:8443/register/",
            "ftp://register.example/",
            "%2f%2fevil.example",
            "/%2f%2fevil.example",
            "/%2F/evil.example",
            "/%5cevil.example",
            "%5C%5Cevil.example",
            "/%09/evil.example",
            "/%0d%0aSet-Cookie:a",
            "/\u{0}",
            "/\u{2028}/evil.example",
            "/./%2e%2e//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            long.as_str(),
        ] {
            for site in [plain(), with_path()] {
                assert_eq!(within(&site, wantsurl), home(&site), "{wantsurl:?}");
                assert_eq!(path_within(&site, wantsurl), "", "{wantsurl:?}");
            }
        }
    }

    #[test]
    fn a_wwwroot_with_a_path_is_not_left() {
        let site = with_path();
        for wantsurl in [
            "/../admin",
            "../admin",
            "/%2e%2e/admin",
            "/a/../../admin",
            "https://school.example/",
            "https://school.example/admin",
            "https://school.example/registers",
            "https://school.example/register/../admin",
            "https://school.example/register/%2e%2e/admin",
        ] {
            assert_eq!(within(&site, wantsurl), home(&site), "{wantsurl}");
        }
    }

    #[test]
    fn the_longest_is_taken() {
        let longest = format!("/{}", "a".repeat(MAX_LENGTH - 1));
        assert_eq!(within(&plain(), &longest), plain().join(&longest));
    }

    #[test]
    fn a_peer_gets_what_it_puts_behind_its_wwwroot() {
        for site in [plain(), with_path()] {
            for (wantsurl, expected) in [
                ("", ""),
                ("/", ""),
                ("@evil.example/", "/@evil.example/"),
                (".evil.example/", "/.evil.example/"),
                ("/course/view.php?id=2", "/course/view.php?id=2"),
                ("?id=2", "/?id=2"),
                ("/my/", "/my/"),
            ] {
                assert_eq!(path_within(&site, wantsurl), expected, "{wantsurl}");
            }
            let own = site.join("/course/view.php?id=2");
            assert_eq!(path_within(&site, &own), "/course/view.php?id=2");
        }
    }
}
