//! What a peer may call of ours, and we of it.
//!
//! MNet grants by service: a side may call a method where it subscribes to the service and the other
//! publishes it (docs/protocol.md, Services and methods).

use crate::store::peers::PeerService;

/// What a newly added peer may do: call our register (and be asked back for what its calls name),
/// vouch for its users, and tell when those sign out. Everything else is off until an administrator
/// allows it.
#[must_use]
pub fn first_rights() -> [PeerService; 3] {
    [
        PeerService {
            service: "register".to_owned(),
            publish: true,
            subscribe: true,
        },
        PeerService {
            service: "sso_idp".to_owned(),
            publish: false,
            subscribe: true,
        },
        PeerService {
            service: "sso_sp".to_owned(),
            publish: true,
            subscribe: false,
        },
    ]
}

/// The functions of the services that peers publish, by the last part of their path: the same
/// function stands under different plugins (docs/protocol.md, Where MNet stands in Moodle).
const FUNCTIONS: [(&str, &[&str]); 4] = [
    (
        "sso_idp",
        &[
            "user_authorise",
            "keepalive_server",
            "kill_children",
            "refresh_log",
            "fetch_user_image",
            "fetch_theme_info",
            "update_enrolments",
        ],
    ),
    ("sso_sp", &["keepalive_client", "kill_child"]),
    (
        "mnet_enrol",
        &[
            "available_courses",
            "user_enrolments",
            "enrol_user",
            "unenrol_user",
            "course_enrolments",
        ],
    ),
    (
        "register",
        &[
            "get_user",
            "list_users",
            "list_sections",
            "list_enrolments",
            "list_assessments",
            "list_grades",
            "list_user_enrolments",
        ],
    ),
];

/// Services of Moodle that we have no functions of and somebody may want to grant all the same: portfolios
/// and remote repositories.
const OTHERS: [&str; 2] = ["pf", "remoterep"];

/// The names of services that are known to stand for something.
#[must_use]
pub fn known_services() -> Vec<&'static str> {
    FUNCTIONS
        .iter()
        .map(|(service, _)| *service)
        .chain(OTHERS)
        .collect()
}

/// The service a peer's method belongs to; `None` for `system/…` and for methods of services we do
/// not know, which only a person calls.
#[must_use]
pub fn service_of(method: &str) -> Option<&'static str> {
    if method.starts_with("system/") || method.starts_with("system.") {
        return None;
    }
    let function = method.rsplit('/').next()?;
    FUNCTIONS
        .iter()
        .find(|(_, functions)| functions.contains(&function))
        .map(|(service, _)| *service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_under_any_plugin() {
        assert_eq!(
            service_of("auth/mnet/auth.php/user_authorise"),
            Some("sso_idp")
        );
        assert_eq!(
            service_of("auth/mnetd/auth.php/user_authorise"),
            Some("sso_idp")
        );
        assert_eq!(service_of("system/listMethods"), None);
        assert_eq!(service_of("local/other/lib.php/something"), None);
    }
}
