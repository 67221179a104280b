//! The register describes the methods it has, and has those it describes.

use mnetd::register::{Call, RegisterError, SERVICE};

#[test]
fn every_described_method_is_there() {
    for method in SERVICE.methods {
        let bare = method.path.strip_prefix("register/").unwrap();
        for name in [method.path, bare] {
            // It wants its argument: so it is known.
            let error = Call::parse(name, &[]).unwrap_err();
            assert_eq!(error.code(), Some(8001), "{name}");
        }
        assert!(
            !method.help.is_empty() && method.parameters.len() == 1,
            "{bare}"
        );
    }
    assert_eq!(SERVICE.methods.len(), 13);
}

#[test]
fn others_are_not() -> Result<(), RegisterError> {
    for name in [
        "",
        "register/",
        "erase_user",
        "Register/new_section",
        "other/new_section",
    ] {
        assert_eq!(Call::parse(name, &[])?, None, "{name}");
    }
    Ok(())
}
