//! Calls that can be read: methods that are none, fields that are wrong, keyswaps.

use mnetd::xmlrpc::{MethodCall, Struct, Value};

use super::forge::*;
use super::support::site::{NOW, fields};

pub fn table() -> Vec<Case> {
    [
        methods(),
        multicalls(),
        grade_fields(),
        grade_numbers(),
        other_fields(),
        bindings(),
        keyswaps(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn methods() -> Vec<Case> {
    use Outcome::Fault;
    let named = |name: &'static str, code, method: String| {
        call(name, Fault(code), method, vec![section("s9")])
    };
    vec![
        named("an empty method", 713, String::new()),
        named("a method of one dot", 713, ".".to_owned()),
        named("a method of 1 MB", 713, "a".repeat(1_000_000)),
        named("a path of 1 MB", 7012, "a/".repeat(500_000)),
        named("a way up", 7012, "../../../../etc/passwd".to_owned()),
        named(
            "a way up within",
            7012,
            "register/../register/new_section".to_owned(),
        ),
        named("an absolute path", 7012, "/etc/passwd".to_owned()),
        named(
            "a method of SQL",
            713,
            "register/new_section'; DROP TABLE section; --".to_owned(),
        ),
        named(
            "a line end in a method",
            713,
            "register/new\nsection".to_owned(),
        ),
        named(
            "a line for the log in a method",
            713,
            "a\r\n2026-01-01 peer=admin".to_owned(),
        ),
        named(
            "a method in capitals",
            7012,
            "REGISTER/NEW_SECTION".to_owned(),
        ),
        named(
            "a method beyond ASCII",
            713,
            "register/new_sectiön".to_owned(),
        ),
        named("a shell in a method", 713, "register/$(reboot)".to_owned()),
        named("a method of a service only", 713, "register".to_owned()),
        named(
            "a system method that is none",
            7018,
            "system/shutdown".to_owned(),
        ),
        named(
            "a system method with a path",
            7018,
            "system/../register/new_section".to_owned(),
        ),
        named(
            "too many parameters for listMethods",
            8002,
            "system/listMethods".to_owned(),
        ),
        call(
            "help for 1 MB",
            Fault(7019),
            "system/methodHelp",
            vec!["x".repeat(1_000_000).into()],
        ),
        call(
            "help for nothing",
            Fault(8002),
            "system/methodHelp",
            Vec::new(),
        ),
        call(
            "a signature of an array",
            Fault(8002),
            "system/methodSignature",
            vec![Value::Array(Vec::new())],
        ),
        payload("a reference to NUL in a method", Fault(713), || {
            edit(&good_payload(), "methodName", 0, |_| {
                "register/new_section&#0;".into()
            })
        }),
    ]
}

fn multicalls() -> Vec<Case> {
    use Outcome::{Entries, Fault};
    const METHOD: &str = "system/multicall";
    let many = |name: &'static str, outcome, entries: Vec<Value>| {
        call(name, outcome, METHOD, vec![Value::Array(entries)])
    };
    let entry = |method: &str, params: Value| -> Value {
        let entry = Struct::new().with("methodName", method);
        entry.with("params", params).into()
    };
    let good = |id: &str| entry("register/new_section", Value::Array(vec![section(id)]));
    let nested = entry(METHOD, Value::Array(vec![Value::Array(vec![good("s9")])]));
    vec![
        call("a multicall of nothing", Fault(8002), METHOD, Vec::new()),
        call(
            "a multicall of text",
            Fault(8002),
            METHOD,
            vec!["all".into()],
        ),
        call(
            "a multicall of a number",
            Fault(8002),
            METHOD,
            vec![7.into()],
        ),
        call(
            "a multicall of one call without its array",
            Fault(8002),
            METHOD,
            vec![good("s9")],
        ),
        call(
            "a multicall of two arrays",
            Fault(8002),
            METHOD,
            vec![
                Value::Array(vec![good("s9")]),
                Value::Array(vec![good("s9")]),
            ],
        ),
        many(
            "a multicall of 2,001 calls",
            Fault(8002),
            (0..2001).map(|n| good(&format!("m{n}"))).collect(),
        ),
        many("a multicall in a multicall", Entries(&[8002]), vec![nested]),
        many(
            "system methods in a multicall",
            Entries(&[8002, 8002]),
            vec![
                entry("system/keyswap", Value::Array(vec![PEER.into()])),
                entry("system.listMethods", Value::Array(Vec::new())),
            ],
        ),
        many(
            "a multicall of what are no calls",
            Entries(&[8002, 8002, 8002, 8002]),
            vec![
                1.into(),
                "register/new_section".into(),
                Value::Array(vec![section("s9")]),
                Value::Nil,
            ],
        ),
        many(
            "a multicall without names",
            Entries(&[8002, 8002, 713]),
            vec![
                Struct::new()
                    .with("params", Value::Array(vec![section("s9")]))
                    .into(),
                Struct::new()
                    .with("methodName", Value::Array(Vec::new()))
                    .into(),
                entry("", Value::Array(vec![section("s9")])),
            ],
        ),
        many(
            "a multicall without parameters",
            Entries(&[8001, 8002, 8001]),
            vec![
                Struct::new()
                    .with("methodName", "register/new_section")
                    .into(),
                entry("register/new_section", "s9".into()),
                entry("register/new_section", Value::Array(Vec::new())),
            ],
        ),
        many(
            "a multicall to nowhere",
            Entries(&[7012, 713, 7018]),
            vec![
                entry("a/b", Value::Array(vec![section("s9")])),
                entry("new section", Value::Array(vec![section("s9")])),
                entry("system/nothing", Value::Array(Vec::new())),
            ],
        ),
    ]
}

/// Calls that are whole, with fields that are not.
fn grade_fields() -> Vec<Case> {
    use Outcome::Fault;
    let lacking = |field: &'static str| {
        let mut grade = whole_grade();
        grade.remove(field);
        call(
            format!("a grade without {field}"),
            Fault(8001),
            GRADE,
            vec![grade.into()],
        )
    };
    vec![
        lacking("assessmentid"),
        lacking("userid"),
        lacking("points_earned"),
        call("a grade of nothing", Fault(8001), GRADE, Vec::new()),
        call("a grade of text", Fault(8002), GRADE, vec!["90".into()]),
        call(
            "a grade of a list",
            Fault(8002),
            GRADE,
            vec![Value::Array(vec![grade("90")])],
        ),
        changed("an empty id", 8001, "userid", "".into()),
        changed(
            "an id of a list",
            8002,
            "userid",
            Value::Array(vec!["zoe".into()]),
        ),
        changed(
            "an id of a struct",
            8002,
            "userid",
            fields(&[("id", "zoe")]),
        ),
        changed("an id with a fraction", 8002, "userid", Value::Double(0.5)),
        changed(
            "an id of bytes",
            8002,
            "userid",
            Value::Base64(b"zoe".to_vec()),
        ),
        changed(
            "an id of 256 characters",
            8002,
            "userid",
            "x".repeat(256).into(),
        ),
        changed(
            "an id of 1 MB",
            8002,
            "userid",
            "x".repeat(1_000_000).into(),
        ),
        changed("an id with a line end", 8002, "userid", "zoe\nadmin".into()),
        changed(
            "an id of SQL",
            8005,
            "assessmentid",
            "a1' OR '1'='1'; DROP TABLE grade; --".into(),
        ),
        changed("an id with a wildcard", 8005, "assessmentid", "%".into()),
        changed(
            "somebody unknown, who cannot be asked for",
            8003,
            "userid",
            "nobody".into(),
        ),
        changed(
            "an unknown field of 1 MB",
            8002,
            "other",
            "x".repeat(1_000_000).into(),
        ),
        changed(
            "50,000 values in an unknown field",
            8002,
            "other",
            Value::Array(vec![1.into(); 50_000]),
        ),
        changed("an unknown field under a name of 1 MB", 8002, "other", {
            Struct::new().with("n".repeat(1_000_000), 1).into()
        }),
    ]
}

/// Numbers that are none, or beyond their bounds.
fn grade_numbers() -> Vec<Case> {
    vec![
        changed("points that are none", 8002, "points_earned", "NaN".into()),
        changed("infinite points", 8002, "points_earned", "inf".into()),
        changed(
            "points beyond all bounds",
            8002,
            "points_earned",
            "1e400".into(),
        ),
        changed(
            "points beyond their bounds",
            8002,
            "points_earned",
            Value::Double(1e308),
        ),
        changed(
            "a million points and one",
            8002,
            "points_earned",
            1_000_001.into(),
        ),
        changed("points in words", 8002, "points_earned", "many".into()),
        changed(
            "points in hexadecimal",
            8002,
            "points_earned",
            "0x10".into(),
        ),
        changed(
            "points of a list",
            8002,
            "points_earned",
            Value::Array(vec![90.into()]),
        ),
        changed("an attempt of nought", 8002, "attempt_num", 0.into()),
        changed("a negative attempt", 8002, "attempt_num", (-1).into()),
        changed(
            "the last attempt of all",
            8002,
            "attempt_num",
            Value::I8(i64::MAX),
        ),
        changed("half an attempt", 8002, "attempt_num", "1.5".into()),
        changed("an exception of 2", 8002, "excepted", 2.into()),
    ]
}

const GRADE: &str = "register/new_grade";

fn whole_grade() -> Struct {
    grade("90").as_struct().unwrap().clone()
}

/// A grade with one field that is not as it should be.
fn changed(name: &'static str, code: i32, field: &'static str, value: Value) -> Case {
    let grade = whole_grade().with(field, value);
    call(name, Outcome::Fault(code), GRADE, vec![grade.into()])
}

/// Other calls that are whole, with fields that are not.
fn other_fields() -> Vec<Case> {
    use Outcome::Fault;
    const SECTION: &str = "register/new_section";
    let deep = (0..20).fold(Value::from("x"), |inner, _| Value::Array(vec![inner]));
    vec![
        call(
            "a section without a name",
            Fault(8001),
            SECTION,
            vec![fields(&[("idnumber", "s9")])],
        ),
        call(
            "a section of a deep nothing",
            Fault(8002),
            SECTION,
            vec![deep],
        ),
        call("a section with a name of 1 MB", Fault(8002), SECTION, {
            vec![fields(&[
                ("idnumber", "s9"),
                ("name", &"x".repeat(1_000_000)),
            ])]
        }),
        call("a section with 101 teachers", Fault(8002), SECTION, {
            let teachers: Vec<Value> = (0..101).map(Value::from).collect();
            let section = section("s9").as_struct().unwrap().clone();
            vec![
                section
                    .with("teacheridnumber", Value::Array(teachers))
                    .into(),
            ]
        }),
        call(
            "an enrolment in a role that is none",
            Fault(8007),
            "register/new_enrolment",
            {
                let enrolment = enrolment().as_struct().unwrap().clone();
                vec![enrolment.with("role", "administrator").into()]
            },
        ),
        call(
            "an enrolment beyond the calendar",
            Fault(8002),
            "register/new_enrolment",
            {
                let enrolment = enrolment().as_struct().unwrap().clone();
                vec![enrolment.with("effective_at", Value::I8(i64::MAX)).into()]
            },
        ),
        call(
            "a removal of what is not there",
            Fault(8004),
            "register/remove_section",
            vec![fields(&[("idnumber", "s9")])],
        ),
    ]
}

/// Calls of the peer whose calls are bound.
fn bindings() -> Vec<Case> {
    use Outcome::FaultToCourier;
    const FRESH: &str = "ffeeddccbbaa99887766554433221100";
    vec![
        case("a call that is not bound", FaultToCourier(8012), |f| {
            f.courier.seal(&new_section("c9"), &f.ours, NOW)
        }),
        case("a call bound to somebody else", FaultToCourier(8013), |f| {
            f.bound("http://other.example", NOW.0, FRESH)
        }),
        case("a call bound to 1 MB", FaultToCourier(8013), |f| {
            f.bound(&"x".repeat(1_000_000), NOW.0, FRESH)
        }),
        case("a bound call of last week", FaultToCourier(8011), |f| {
            f.bound(&f.here, NOW.0 - 604_800, FRESH)
        }),
        case(
            "a bound call of the last day of all",
            FaultToCourier(8011),
            |f| f.bound(&f.here, i64::MAX, FRESH),
        ),
        case("a nonce that was used", FaultToCourier(8010), |f| {
            f.bound(&f.here, NOW.0, HEARD_NONCE)
        }),
        case("an empty nonce", FaultToCourier(8002), |f| {
            f.bound(&f.here, NOW.0, "")
        }),
        case("a nonce that is none", FaultToCourier(8002), |f| {
            f.bound(&f.here, NOW.0, &"g".repeat(32))
        }),
        case("a nonce of 1 MB", FaultToCourier(8002), |f| {
            f.bound(&f.here, NOW.0, &"0".repeat(1_000_000))
        }),
    ]
}

fn keyswaps() -> Vec<Case> {
    use Outcome::{FaultInTheClear, OurCertificate};
    const REFUSED: Outcome = FaultInTheClear(8002);
    const NEW: &str = "http://new.example";
    let swap = |name: &'static str, outcome, make: fn(&Forge) -> Vec<Value>| {
        case(name, outcome, move |f| plain("system/keyswap", make(f)))
    };
    vec![
        swap("a keyswap of nothing", OurCertificate, |_| Vec::new()),
        swap("a keyswap of a list", OurCertificate, |_| {
            vec![Value::Array(Vec::new())]
        }),
        swap(
            "a known name with another certificate",
            OurCertificate,
            |f| {
                vec![
                    PEER.into(),
                    f.forger.pair.certificate().pem().into(),
                    "moodle".into(),
                ]
            },
        ),
        swap("a known name with junk", OurCertificate, |_| {
            vec![PEER.into(), "junk".into()]
        }),
        swap("our own name", OurCertificate, |f| {
            vec![
                f.here.as_str().into(),
                f.forger.pair.certificate().pem().into(),
            ]
        }),
        swap("a keyswap without a certificate", REFUSED, |_| {
            vec![NEW.into()]
        }),
        swap("a keyswap with junk", REFUSED, |_| {
            vec![NEW.into(), "junk".into()]
        }),
        swap("a keyswap with a number", REFUSED, |_| {
            vec![NEW.into(), 7.into()]
        }),
        swap("a keyswap with 1 MB of junk", REFUSED, |_| {
            vec![NEW.into(), "junk ".repeat(200_000).into()]
        }),
        swap("a keyswap with a broken certificate", REFUSED, |_| {
            let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            vec![NEW.into(), broken.into()]
        }),
        swap("a keyswap with half a certificate", REFUSED, |f| {
            let pem = f.unknown.pair.certificate().pem();
            vec![
                f.unknown.wwwroot.as_str().into(),
                pem[..pem.len() / 2].into(),
            ]
        }),
        swap("a keyswap with another site's certificate", REFUSED, |f| {
            vec![NEW.into(), f.unknown.pair.certificate().pem().into()]
        }),
        swap("a keyswap with our own certificate", REFUSED, |f| {
            vec![NEW.into(), f.ours.pem().into()]
        }),
        swap("a keyswap with a private key", REFUSED, |f| {
            let pem = f.unknown.pair.to_pem().unwrap();
            let key = pem.split("-----BEGIN CERTIFICATE").next().unwrap();
            vec![f.unknown.wwwroot.as_str().into(), key.into()]
        }),
        swap("a keyswap by no address", REFUSED, |f| {
            vec!["junk".into(), f.unknown.pair.certificate().pem().into()]
        }),
        swap("a keyswap by a file", REFUSED, |f| {
            vec![
                "file:///etc/passwd".into(),
                f.unknown.pair.certificate().pem().into(),
            ]
        }),
        swap("a keyswap by 1 MB", REFUSED, |f| {
            let long = format!("http://{}.example", "a".repeat(1_000_000));
            vec![long.into(), f.unknown.pair.certificate().pem().into()]
        }),
        case(
            "a sealed keyswap with another certificate",
            Outcome::Fault(8002),
            |f| {
                let pem = f.forger.pair.certificate().pem();
                let params = vec![NEW.into(), pem.into(), "moodle".into()];
                f.with_call(&MethodCall::new("system/keyswap", params))
            },
        ),
    ]
}
