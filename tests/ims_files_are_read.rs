//! IMS Enterprise files as student record systems write them, sound and broken, are read as they were meant.

use mnetd::ims::{
    GroupType, MemberType, Problem, ReadError, Reader, RecStatus, Record, Repair, RoleType,
    Skipped, SourcedId,
};

type Outcome = Result<Record, Skipped>;

struct Reading {
    records: Vec<Outcome>,
    repairs: Vec<(Repair, u64, Vec<u64>)>,
    cut_off: bool,
    encoding: &'static str,
    datasource: Option<String>,
}

fn read(file: &[u8]) -> Reading {
    let mut reader = Reader::new(file).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.read().unwrap() {
        records.push(record);
    }
    let repairs = reader
        .repairs()
        .iter()
        .map(|(repair, lines)| (repair.clone(), lines.count, lines.lines.clone()))
        .collect();
    Reading {
        records,
        repairs,
        cut_off: reader.is_cut_off(),
        encoding: reader.encoding(),
        datasource: reader.properties().datasource.clone(),
    }
}

fn banner() -> Reading {
    read(include_bytes!("ims/banner.xml"))
}

fn id(source: &str, id: &str) -> SourcedId {
    SourcedId {
        source: source.to_owned(),
        id: id.to_owned(),
    }
}

#[test]
fn a_person_keeps_all_that_was_said() {
    let reading = banner();
    let Some(Ok(Record::Person(kim))) = reading.records.get(3) else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(
        kim.sourcedids,
        [id("SCT Banner", "24680"), id("SIS 1998", "Z-77")]
    );
    let userids: Vec<_> = kim
        .userids
        .iter()
        .map(|userid| (userid.kind.as_deref().unwrap(), userid.value.as_str()))
        .collect();
    let expected = [
        ("Logon ID", "kfjord"),
        ("SCTID", "N00024680"),
        ("Email ID", "kim.fjord"),
        ("UDCIdentifier", "0F3A99"),
    ];
    assert_eq!(userids, expected);
    assert_eq!(kim.given.as_deref(), Some("Kim"));
    assert_eq!(kim.family.as_deref(), Some("Fjord"));
    assert_eq!(kim.nickname.as_deref(), Some("Kimmy"));
    assert_eq!(kim.birthday, Some("2004-02-29".parse().unwrap()));
    assert_eq!(kim.telephones[1].kind.as_deref(), Some("Mobile"));
    assert_eq!(kim.address.street, ["1 Shore Road", "Flat 2"]);
    assert_eq!(kim.address.country.as_deref(), Some("NO"));
    assert_eq!(
        kim.photo.as_deref(),
        Some("https://people.northfield.example/kim.jpg")
    );
    assert_eq!(kim.institution_roles, ["Student", "Staff"]);
    assert!(
        !format!("{kim:?}").contains("secret"),
        "a password was read"
    );
}

#[test]
fn groups_have_their_kind_their_place_and_their_time() {
    let reading = banner();
    let Some(Ok(Record::Group(biology))) = reading.records.get(1) else {
        panic!("{:?}", reading.records);
    };
    let course = GroupType {
        scheme: Some("Luminis".to_owned()),
        value: "CourseSection".to_owned(),
        level: Some("1".to_owned()),
    };
    assert_eq!(biology.types, [course]);
    assert_eq!(
        biology.long.as_deref(),
        Some("BIO-101-01 Biology & Ecology")
    );
    assert_eq!(biology.full.as_deref(), Some("Cells, tissues <and> organs"));
    assert_eq!(biology.units, ["Sciences", "Biology"]);
    assert_eq!(biology.timeframe.period.as_deref(), Some("Autumn 2026"));
    let end = biology.timeframe.end.unwrap();
    assert!(end.restrict);
    assert_eq!(end.moment.time, Some("23:59:59".parse().unwrap()));
    assert_eq!(
        biology.relationships[0].sourcedid,
        id("SCT Banner", "202610")
    );
    assert_eq!(biology.recstatus, None, "Banner's recstatus 0 says nothing");
}

#[test]
fn members_have_all_their_roles_and_results_and_may_be_groups() {
    let reading = banner();
    let Some(Ok(Record::Member(kim))) = reading.records.get(4) else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(*kim.group, id("SCT Banner", "10456.202610"));
    let roles: Vec<_> = kim
        .roles
        .iter()
        .map(|role| (role.kind, role.active))
        .collect();
    assert_eq!(
        roles,
        [
            (RoleType::Learner, true),
            (RoleType::TeachingAssistant, false)
        ]
    );
    let role = &kim.roles[0];
    assert!(!role.timeframe.begin.unwrap().restrict);
    assert!(role.timeframe.end.unwrap().restrict);
    assert_eq!(role.interim[0].kind.as_deref(), Some("MidTerm"));
    assert_eq!(
        (
            role.finals[0].result.as_str(),
            role.finals[0].max.as_deref()
        ),
        ("87,5", Some("100"))
    );
    assert_eq!(role.cohort.as_deref(), Some("Lab group 3"));
    let Some(Ok(Record::Member(section))) = reading.records.get(5) else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(section.kind, MemberType::Group);
    assert_eq!(reading.records.len(), 6, "somebody in a comment was read");
    assert_eq!(
        reading.datasource.as_deref(),
        Some("Northfield College SCT Banner")
    );
}

#[test]
fn a_file_in_one_line_says_the_same() {
    let strip = |reading: Reading| -> Vec<Record> {
        let records = reading.records.into_iter().map(Result::unwrap);
        records.map(without_lines).collect()
    };
    let one_line = read(include_bytes!("ims/one_line.xml"));
    assert_eq!(strip(one_line), strip(banner()));
}

fn without_lines(record: Record) -> Record {
    match record {
        Record::Person(mut person) => {
            person.line = 0;
            Record::Person(person)
        }
        Record::Group(mut group) => {
            group.line = 0;
            Record::Group(group)
        }
        Record::Member(mut member) => {
            member.line = 0;
            member.roles.iter_mut().for_each(|role| role.line = 0);
            Record::Member(member)
        }
    }
}

#[test]
fn padded_ids_empty_userids_and_british_dates_are_read() {
    let reading = read(include_bytes!("ims/sits.xml"));
    let [Ok(Record::Person(sian)), Ok(Record::Member(member))] = &reading.records[..] else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(sian.sourcedids, [id("SITS", "0012345")]);
    assert!(sian.userids.is_empty());
    assert_eq!(sian.family.as_deref(), Some("Nic a' Ghobhainn"));
    assert_eq!(sian.email.as_deref(), Some("sian@example.org"));
    assert_eq!(sian.address.country.as_deref(), Some("GB"));
    assert_eq!(member.group.id, "HIS1001-A");
    assert_eq!(member.roles[0].kind, RoleType::Learner);
    assert!(member.roles[0].active);
    let begin = member.roles[0].timeframe.begin.unwrap();
    assert_eq!(begin.moment.date, "2005-10-28".parse().unwrap());
    assert_eq!(member.roles[0].timeframe.end, None);
    let lines_of = |wanted: &Repair| {
        let found = reading.repairs.iter().find(|(repair, ..)| repair == wanted);
        found
            .unwrap_or_else(|| panic!("no {wanted} in {:?}", reading.repairs))
            .2
            .clone()
    };
    assert_eq!(lines_of(&Repair::DateForm("99/AAA/9999".to_owned())), [17]);
    assert_eq!(lines_of(&Repair::NoDate("not yet".to_owned())), [17]);
    assert_eq!(
        lines_of(&Repair::RoleType("1".to_owned(), RoleType::Learner)),
        [16]
    );
    assert_eq!(lines_of(&Repair::RoleStatus), [16]);
}

#[test]
fn another_encoding_and_a_document_type_disturb_nobody() {
    let reading = read(include_bytes!("ims/cerebrum.xml"));
    let [Ok(Record::Person(person)), Ok(Record::Group(group))] = &reading.records[..] else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(person.full_name.as_deref(), Some("Bjørn Ås"));
    assert_eq!(person.recstatus, Some(RecStatus::Update));
    assert_eq!(group.short.as_deref(), Some("Kull 1"));
    assert_eq!(reading.encoding, "windows-1252");
    assert!(reading.repairs.is_empty(), "{:?}", reading.repairs);
    assert!(!reading.cut_off);
}

#[test]
fn a_broken_file_gives_what_can_be_read_and_says_what_cannot() {
    let reading = read(include_bytes!("ims/broken.xml"));
    let told: Vec<String> = reading
        .records
        .iter()
        .map(|record| match record {
            Ok(Record::Person(person)) => format!("person {}", person.sourcedids[0].id),
            Ok(Record::Group(group)) => format!("group {}", group.sourcedids[0].id),
            Ok(Record::Member(member)) => {
                format!("member {} of {}", member.sourcedid.id, member.group.id)
            }
            Err(skipped) => format!(
                "{} {} on {}: {:?}",
                skipped.what, skipped.id, skipped.line, skipped.problem
            ),
        })
        .collect();
    let expected = [
        "person p 1",
        "person  on 9: NoId",
        "person p2",
        "person p3",
        "member p3 on 13: NoGroup",
        "member p3 of c1",
        "member p3 on 17: NoRole(Some(\"99\"))",
        "member p3 on 18: IdType(\"7\")",
        "member p4 of c1",
        "person p5 on 21: CutOff",
    ];
    assert_eq!(told, expected);
    assert!(reading.cut_off);
    let Ok(Record::Person(first)) = &reading.records[0] else {
        panic!();
    };
    assert_eq!(first.sourcedids[0].source, "A & B School");
    assert_eq!(first.family.as_deref(), Some("Mülleré\u{a0}&unheard;"));
    assert_eq!(first.given.as_deref(), Some("Jo <b> & Co"));
    assert_eq!(first.email.as_deref(), Some("ab@example.org"));
    let repaired: Vec<String> = reading
        .repairs
        .iter()
        .map(|(repair, ..)| format!("{repair:?}"))
        .collect();
    for repair in [
        "WrongBytes(\"UTF-8\")",
        "HtmlEntity(\"eacute\")",
        "UnknownEntity(\"unheard\")",
        "ControlCharacter",
        "NotEnded(\"person\")",
        "NotEnded(\"member\")",
        "StrayEnd(\"stray\")",
        "RecStatus(\"9\")",
        "RoleType(\"Student\", Learner)",
        "BrokenId",
    ] {
        assert!(
            repaired.iter().any(|found| found == repair),
            "no {repair} in {repaired:?}"
        );
    }
}

#[test]
fn a_record_without_end_does_not_fill_the_memory() {
    let mut file = "<enterprise><person><sourcedid><id>p1</id></sourcedid>".to_owned();
    for _ in 0..100_000 {
        file.push_str("<comments>and so on</comments>");
    }
    file.push_str("</person><person><sourcedid><id>p2</id></sourcedid></person></enterprise>");
    let reading = read(file.as_bytes());
    let [Err(first), Ok(Record::Person(second))] = &reading.records[..] else {
        panic!("{} records", reading.records.len());
    };
    assert_eq!(
        (first.problem.clone(), first.id.as_str()),
        (Problem::TooLong, "p1")
    );
    assert_eq!(second.sourcedids[0].id, "p2");
}

#[test]
fn one_text_without_end_does_not_fill_the_memory_either() {
    let long = "x".repeat(3 * mnetd::ims::MAX_RECORD);
    let file = format!(
        "<enterprise><person><sourcedid><id>p1</id></sourcedid><comments>{long}</comments></person>\
         <person><sourcedid><id>p2</id></sourcedid></person></enterprise>"
    );
    let reading = read(file.as_bytes());
    let [Err(first), Ok(Record::Person(second))] = &reading.records[..] else {
        panic!("{:?}", reading.records);
    };
    assert_eq!(
        (first.problem.clone(), first.id.as_str()),
        (Problem::TooLong, "p1")
    );
    assert_eq!(second.sourcedids[0].id, "p2");
}

#[test]
fn a_comment_that_never_ends_is_told() {
    let file = format!("<enterprise><!-- {}", "x".repeat(40 * 1024 * 1024));
    let error = Reader::new(file.as_bytes()).unwrap().read().unwrap_err();
    assert!(error.to_string().contains("its end is missing"), "{error}");
}

#[test]
fn elements_that_nest_without_end_are_given_up() {
    let file = format!(
        "<enterprise><person>{}<person><sourcedid><id>p2</id></sourcedid></person></enterprise>",
        "<deep>".repeat(10_000)
    );
    let reading = read(file.as_bytes());
    assert!(matches!(&reading.records[0], Err(skipped) if skipped.problem == Problem::TooDeep));
}

#[test]
fn what_is_no_such_file_is_told() {
    let error = |file: &[u8]| {
        let mut reader = Reader::new(file).unwrap();
        reader.read().unwrap_err()
    };
    assert!(matches!(error(b""), ReadError::Empty));
    assert!(
        matches!(error(b"<html><body/></html>"), ReadError::NotEnterprise(name) if name == "html")
    );
    assert!(matches!(
        error(b"PK\x03\x04 <\x00\x01"),
        ReadError::NotXml { .. } | ReadError::Empty
    ));
}
