//! The only place with HTML.

use crate::wwwroot::Wwwroot;

/// The home page. A peer takes our name from its title.
#[must_use]
pub fn home(wwwroot: &Wwwroot) -> String {
    let host = wwwroot.url().host_str().unwrap_or_default().to_owned();
    let host = quick_xml::escape::escape(&host);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>mnetd at {host}</title>\n</head>\n<body>\n<h1>mnetd at {host}</h1>\n<p>This is a peer for Moodle’s networking (MNet). An administrator of a Moodle adds it under <em>Site administration › Networking › Manage peers</em> by the address <code>{}</code>.</p>\n</body>\n</html>\n",
        quick_xml::escape::escape(wwwroot.as_str())
    )
}
