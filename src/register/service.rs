//! How the register describes itself to the other side.

use crate::service::{Method, Parameter, Service};

/// The register's service.
pub static SERVICE: Service = Service {
    name: "register",
    api_version: 1,
    methods: &[
        method(
            "register/fetch_user",
            "Tells the register to take up one user. With username, firstname, lastname and email in hand it \
             stores them; with less, but an idnumber or a username, it asks the caller back for the user. \
             Passwords and their hashes are never stored.",
            &[argument(
                "username, firstname, lastname, idnumber, email, ircnick, and any other",
            )],
        ),
        method(
            "register/update_user",
            "Changes what is sent about the user named by idnumber, or else by username.",
            &[argument(
                "idnumber or username, and what changes: username, firstname, lastname, email, ircnick, any other",
            )],
        ),
        method(
            "register/remove_user",
            "Marks a user as removed. Nothing is erased: fetch_user brings the user back.",
            &[argument("idnumber, or else username")],
        ),
        method(
            "register/new_section",
            "A section, such as a course; or, where the idnumber is known, what changes about it.",
            &[argument(
                "idnumber, name, teacheridnumber (an id or a list of ids), segment (a term or a list of terms; \
                 empty for an ongoing section), and any other",
            )],
        ),
        method(
            "register/update_section",
            "Changes what is sent about a known section.",
            &[argument(
                "idnumber, and what changes: name, teacheridnumber, segment, any other",
            )],
        ),
        method(
            "register/remove_section",
            "Marks a section as removed. Nothing is erased: new_section brings it back.",
            &[argument("idnumber")],
        ),
        method(
            "register/new_enrolment",
            "A user is in a section, as student or teacher. User and section must have been sent before.",
            &[argument(
                "sectionid, userid, role (student or teacher), effective_at (unix seconds, may lie ahead; \
                 left out: now), and any other",
            )],
        ),
        method(
            "register/drop_enrolment",
            "Ends an enrolment. The row and its history stay.",
            &[argument(
                "sectionid, userid, role, status (a code or title that ends an enrolment; left out: withdrawn), \
                 note (why), effective_at (unix seconds, may lie ahead; left out: now), and any other",
            )],
        ),
        method(
            "register/new_assessment",
            "A column of a section's gradebook; or, where the idnumber is known, what changes about it. It \
             becomes one with an assessment of exactly that name that was made by hand in the section.",
            &[argument(
                "sectionid, name, idnumber, chapternum, honors_required, nonhonors_required, extra_credit, \
                 pointval, and any other",
            )],
        ),
        method(
            "register/update_assessment",
            "Changes what is sent about a known assessment.",
            &[argument(
                "idnumber, and what changes: sectionid, name, chapternum, honors_required, nonhonors_required, \
                 extra_credit, pointval, any other",
            )],
        ),
        method(
            "register/remove_assessment",
            "Marks an assessment as removed. Nothing is erased: new_assessment brings it back.",
            &[argument("idnumber")],
        ),
        method(
            "register/new_grade",
            "What a user got in an assessment. Earlier values and attempts stay in its history.",
            &[argument(
                "assessmentid, userid, points_earned (may be left out where excepted), excepted, attempt_num \
                 (from 1), and any other",
            )],
        ),
        method(
            "register/remove_grade",
            "Marks a grade as removed. Nothing is erased: new_grade brings it back.",
            &[argument("assessmentid, userid")],
        ),
    ],
};

const fn method(
    path: &'static str,
    help: &'static str,
    parameters: &'static [Parameter],
) -> Method {
    Method {
        path,
        help,
        parameters,
        returns: "struct",
        returns_help: "status: created, updated or unchanged; id: the register's number of the row",
    }
}

const fn argument(members: &'static str) -> Parameter {
    Parameter {
        name: "record",
        kind: "struct",
        help: members,
    }
}
