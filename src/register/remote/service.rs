//! How remote enrolment describes itself to the other side.

use crate::service::{Method, Parameter, Service};

/// The service of remote enrolment, under the paths that Moodle's own client calls.
pub static SERVICE: Service = Service {
    name: "mnet_enrol",
    api_version: 1,
    methods: &[
        Method {
            path: "enrol/mnet/enrol.php/available_courses",
            help: "The courses (sections) that users of the calling site may be enrolled in from there.",
            parameters: &[],
            returns: "array",
            returns_help: "structs {remoteid, fullname, shortname, idnumber, summary, summaryformat, \
                 sortorder, startdate, cat_id, cat_name, cat_description, cat_descriptionformat, cost, \
                 currency, defaultroleid, defaultrolename}, all members texts",
        },
        Method {
            path: "enrol/mnet/enrol.php/user_enrolments",
            help: "Which users of the calling site are enrolled in the courses offered to it.",
            parameters: &[],
            returns: "array",
            returns_help: "structs {username, remoteid, shortname, name, enrol, timemodified}",
        },
        Method {
            path: "enrol/mnet/enrol.php/enrol_user",
            help: "Enrols a user of the calling site as a student, and takes the user up where it is not \
                 known yet. Faults: 5011 the user cannot be taken up, 5012 no such course, 5013 not \
                 offered to the caller, 5019 an administrator here decided otherwise, 5021 no username.",
            parameters: &[
                Parameter {
                    name: "user",
                    kind: "struct",
                    help: "username, firstname, lastname, email, idnumber, and any other",
                },
                COURSE,
            ],
            returns: "boolean",
            returns_help: "true; also where the user was enrolled already",
        },
        Method {
            path: "enrol/mnet/enrol.php/unenrol_user",
            help: "Ends the enrolment that the calling site made. What was entered here by hand stays. \
                 Faults: 5014 no such user, 5012 no such course, 5013 not offered to the caller.",
            parameters: &[
                Parameter {
                    name: "username",
                    kind: "string",
                    help: "the user, as the calling site spells it",
                },
                COURSE,
            ],
            returns: "boolean",
            returns_help: "true; also where the user was not enrolled",
        },
        Method {
            path: "enrol/mnet/enrol.php/course_enrolments",
            help: "Which users of the calling site are enrolled in a course, by whomever.",
            parameters: &[
                COURSE,
                Parameter {
                    name: "roles",
                    kind: "string",
                    help: "only these roles: student, teacher, or both with a comma between them; left \
                         out: all",
                },
            ],
            returns: "array",
            returns_help: "structs {username, shortname, name, enrol, timemodified}; enrol is mnet where \
                 the calling site made the enrolment, else manual",
        },
    ],
};

const COURSE: Parameter = Parameter {
    name: "courseid",
    kind: "string",
    help: "the remoteid of the course",
};
