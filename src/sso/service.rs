//! How the two services of single sign-on describe themselves, under the paths Moodle's own plugin has.

use crate::service::{Method, Parameter, Service};

/// What the sites ask and tell to which our accounts jump.
pub static IDENTITY_PROVIDER: Service = Service {
    name: "sso_idp",
    api_version: 1,
    methods: &[
        Method {
            path: "auth/mnet/auth.php/user_authorise",
            help: "Tells who came with a token: once, within 30 seconds, to the site the token was made \
                 for. Faults: 1 no such session, 2 timed out, 3 user mismatch.",
            parameters: &[
                Parameter {
                    name: "token",
                    kind: "string",
                    help: "the token the browser came with",
                },
                USER_AGENT,
            ],
            returns: "struct",
            returns_help: "{auth, username, firstname, lastname, email, idnumber where there is one, \
                 lang, country, city, wwwroot, session.gc_maxlifetime, myhosts}",
        },
        Method {
            path: "auth/mnet/auth.php/keepalive_server",
            help: "Keeps the sessions of users alive here who are active at the calling site.",
            parameters: &[Parameter {
                name: "usernames",
                kind: "array",
                help: "at most 1,000 usernames",
            }],
            returns: "struct",
            returns_help: "{code, message, last log id}; code 0 all ok, 1 the message names users \
                 without a session at the calling site",
        },
        Method {
            path: "auth/mnet/auth.php/kill_children",
            help: "Ends the session of a user who signed out at the calling site, here and at every \
                 other site it is used at.",
            parameters: &[USERNAME, USER_AGENT],
            returns: "string",
            returns_help: "what was done, in words",
        },
        Method {
            path: "auth/mnet/auth.php/refresh_log",
            help: "Takes log entries about users of this site. Entries about others are passed over.",
            parameters: &[Parameter {
                name: "entries",
                kind: "array",
                help: "at most 1,000 structs {remoteid, time, username, …}",
            }],
            returns: "struct",
            returns_help: "{code, message}; code 0 all ok",
        },
        Method {
            path: "auth/mnet/auth.php/fetch_user_image",
            help: "The picture of a user of this site. There are none here.",
            parameters: &[USERNAME],
            returns: "array",
            returns_help: "an empty array: no picture",
        },
        Method {
            path: "auth/mnet/auth.php/fetch_theme_info",
            help: "The theme of this site.",
            parameters: &[],
            returns: "struct",
            returns_help: "{themename, logourl}; logourl is empty: no logo",
        },
        Method {
            path: "auth/mnet/auth.php/update_enrolments",
            help: "Takes the list of courses that a user of this site is in at the calling site. \
                 Courses that are not in it the user is not in any more.",
            parameters: &[
                USERNAME,
                Parameter {
                    name: "courses",
                    kind: "struct",
                    help: "by id of the course: {id, fullname, shortname, idnumber, summary, startdate, \
                         cat_name, defaultrolename, …}; an array of the same; empty for none",
                },
            ],
            returns: "boolean",
            returns_help: "true; false where the user has no session at the calling site",
        },
    ],
};

/// What the sites tell from which people come here.
pub static SERVICE_PROVIDER: Service = Service {
    name: "sso_sp",
    api_version: 1,
    methods: &[
        Method {
            path: "auth/mnet/auth.php/keepalive_client",
            help: "Asks this site to tell which users are active. It does so every few minutes by \
                 itself, by keepalive_server.",
            parameters: &[],
            returns: "boolean",
            returns_help: "true",
        },
        Method {
            path: "auth/mnet/auth.php/kill_child",
            help: "Ends the session here of a user of the calling site who signed out there.",
            parameters: &[USERNAME, USER_AGENT],
            returns: "boolean",
            returns_help: "true; false where there was none",
        },
    ],
};

const USERNAME: Parameter = Parameter {
    name: "username",
    kind: "string",
    help: "the username in the spelling of the user's own site",
};

const USER_AGENT: Parameter = Parameter {
    name: "useragent",
    kind: "string",
    help: "SHA-1 of the browser's raw User-Agent header, in hex",
};
