//! What can be called: one file a service.

mod register;
pub mod system;

use crate::register as school;
use crate::service::{Method, Service};

use super::fault::Refusal;

pub use register::{AskBack, MAX_CALLS_IN_ONE, Order, answer as register};

/// Every service this side offers, in the order they are listed. The system methods belong to none:
/// every peer may call them.
pub static CATALOGUE: [&Service; 1] = [&school::SERVICE];

/// Whether `name` is a method of the register, by its full path or its bare name.
#[must_use]
pub fn is_register_method(name: &str) -> bool {
    find(name).is_some()
}

/// A method of the catalogue by its path; of the register by its bare name as well.
#[must_use]
pub fn find(name: &str) -> Option<(&'static Service, &'static Method)> {
    CATALOGUE.iter().copied().find_map(|service| {
        let method = service.methods.iter().find(|method| {
            method.path == name
                || method
                    .path
                    .strip_prefix(service.name)
                    .and_then(|rest| rest.strip_prefix('/'))
                    == Some(name)
        })?;
        Some((service, method))
    })
}

/// The name under which a method is counted; one word for all that do not exist.
#[must_use]
pub fn canonical(name: &str) -> &'static str {
    if let Some(method) = system::Method::named(name) {
        return method.path();
    }
    find(name).map_or("unknown", |(_, method)| method.path)
}

/// Which fault a name that nothing answers to brings, as Moodle has it: 7018 for `system/…`, 713 for
/// what is no path of a function, 7012 for a path that leads nowhere.
#[must_use]
pub fn no_such_method(name: &str) -> Refusal {
    let in_alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if name.starts_with("system/") || name.starts_with("system.") {
        Refusal::UnknownSystemMethod
    } else if name.contains('/') && name.chars().all(in_alphabet) {
        Refusal::UnknownMethod
    } else {
        Refusal::MalformedName
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_method_is_heard_by_both_names() {
        for name in ["register/new_grade", "new_grade"] {
            assert_eq!(find(name).unwrap().1.path, "register/new_grade");
        }
        for name in [
            "grade",
            "register/",
            "register",
            "",
            "register/new_grade/",
            "/new_grade",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn names_that_lead_nowhere_are_told_apart() {
        for (name, code) in [
            ("nothing", 713),
            ("", 713),
            ("a b/c", 713),
            ("local/none/lib.php/nothing", 7012),
            ("system/nothing", 7018),
            ("system.nothing", 7018),
        ] {
            assert_eq!(no_such_method(name).code(), code, "{name}");
        }
    }
}
