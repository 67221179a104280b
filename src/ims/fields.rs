//! From the elements of a record to what it says.

use std::sync::Arc;

use jiff::civil::{Date, Time};

use super::element::Element;
use super::record::{
    Address, Bound, GradeResult, Group, GroupType, Member, MemberType, Moment, Person, Properties,
    RecStatus, Relationship, Role, RoleType, SourcedId, Telephone, Timeframe, UserId,
};
use super::repair::{Problem, Repair, Repairs};

pub fn properties(element: Element<'_>) -> Properties {
    Properties {
        datasource: text(element, "datasource"),
        kind: text(element, "type"),
        datetime: text(element, "datetime"),
    }
}

pub fn person(element: Element<'_>, repairs: &mut Repairs) -> Result<Person, Problem> {
    let name = element.first("name");
    let parts = name.and_then(|name| name.first("n"));
    let demographics = element.first("demographics");
    Ok(Person {
        line: element.line(),
        sourcedids: sourcedids(element, repairs)?,
        recstatus: recstatus(element, repairs),
        userids: element.all("userid").filter_map(userid).collect(),
        full_name: name.and_then(|name| text(name, "fn")),
        given: parts.and_then(|parts| text(parts, "given")),
        family: parts.and_then(|parts| text(parts, "family")),
        nickname: name.and_then(|name| text(name, "nickname")),
        email: text(element, "email"),
        url: text(element, "url"),
        telephones: element.all("tel").filter_map(telephone).collect(),
        address: element
            .first("adr")
            .map(|address| self::address(address, repairs))
            .unwrap_or_default(),
        photo: element
            .first("photo")
            .and_then(|photo| text(photo, "extref")),
        gender: demographics.and_then(|found| text(found, "gender")),
        birthday: demographics
            .and_then(|found| found.first("bday"))
            .and_then(|found| moment(found, repairs))
            .map(|moment| moment.date),
        institution_roles: element
            .all("institutionrole")
            .filter_map(|role| role.attribute("institutionroletype"))
            .filter(|role| !role.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

pub fn group(element: Element<'_>, repairs: &mut Repairs) -> Result<Group, Problem> {
    let description = element.first("description");
    let described = |name| description.and_then(|description| text(description, name));
    let organisation = element.first("org");
    Ok(Group {
        line: element.line(),
        sourcedids: sourcedids(element, repairs)?,
        recstatus: recstatus(element, repairs),
        types: element.all("grouptype").flat_map(group_types).collect(),
        short: described("short"),
        long: described("long"),
        full: described("full"),
        organisation: organisation.and_then(|found| text(found, "orgname")),
        units: organisation
            .map(|found| texts(found, "orgunit"))
            .unwrap_or_default(),
        timeframe: timeframe(element, repairs),
        email: text(element, "email"),
        url: text(element, "url"),
        relationships: element
            .all("relationship")
            .filter_map(|found| relationship(found, repairs))
            .collect(),
    })
}

pub fn member(
    element: Element<'_>,
    group: &Arc<SourcedId>,
    repairs: &mut Repairs,
) -> Result<Member, Problem> {
    let sourcedid = element
        .first("sourcedid")
        .and_then(|found| sourcedid(found, repairs))
        .ok_or(Problem::NoId)?;
    let kind = match element.value("idtype") {
        None => MemberType::Person,
        Some(word) => match word.trim_start_matches('0') {
            "1" => MemberType::Person,
            "2" => MemberType::Group,
            _ if word.eq_ignore_ascii_case("person") => MemberType::Person,
            _ if word.eq_ignore_ascii_case("group") => MemberType::Group,
            _ => return Err(Problem::IdType(shown(word))),
        },
    };
    let mut unknown = None;
    let mut roles = Vec::new();
    for found in element.all("role") {
        match role(found, repairs) {
            Ok(role) => roles.push(role),
            Err(word) => unknown = Some(word),
        }
    }
    if roles.is_empty() {
        return Err(Problem::NoRole(unknown.flatten()));
    }
    Ok(Member {
        line: element.line(),
        group: Arc::clone(group),
        sourcedid,
        kind,
        roles,
    })
}

/// `sourcedid`: `None` where it has no id.
pub fn sourcedid(element: Element<'_>, repairs: &mut Repairs) -> Option<SourcedId> {
    let id = element.value("id")?;
    let id = if id.contains(['\n', '\r', '\t']) {
        repairs.note(Repair::BrokenId, element.line());
        id.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        id.to_owned()
    };
    Some(SourcedId {
        source: text(element, "source").unwrap_or_default(),
        id,
    })
}

fn sourcedids(element: Element<'_>, repairs: &mut Repairs) -> Result<Vec<SourcedId>, Problem> {
    let ids: Vec<SourcedId> = element
        .all("sourcedid")
        .filter_map(|found| sourcedid(found, repairs))
        .collect();
    if ids.is_empty() {
        return Err(Problem::NoId);
    }
    Ok(ids)
}

/// An empty one, as SITS:Vision writes, is none.
fn userid(element: Element<'_>) -> Option<UserId> {
    Some(UserId {
        value: value(element)?,
        kind: attribute(element, "useridtype"),
        authentication: attribute(element, "authenticationtype"),
    })
}

fn telephone(element: Element<'_>) -> Option<Telephone> {
    Some(Telephone {
        number: value(element)?,
        kind: attribute(element, "teltype"),
    })
}

fn address(element: Element<'_>, repairs: &mut Repairs) -> Address {
    Address {
        street: texts(element, "street"),
        locality: text(element, "locality"),
        region: text(element, "region"),
        postcode: text(element, "pcode"),
        country: element
            .value("country")
            .map(|word| country(word, element.line(), repairs)),
    }
}

/// Two letters where they can be made out from two or three, or from the name in English.
fn country(word: &str, line: u64, repairs: &mut Repairs) -> String {
    let upper = word.to_ascii_uppercase();
    let found = match upper.len() {
        2 => rust_iso3166::from_alpha2(&upper),
        3 => rust_iso3166::from_alpha3(&upper),
        _ => rust_iso3166::ALL
            .iter()
            .find(|country| country.name.eq_ignore_ascii_case(word))
            .copied(),
    };
    let Some(found) = found else {
        return word.to_owned();
    };
    if found.alpha2 != word {
        let repair = Repair::Country(shown(word), found.alpha2.to_owned());
        repairs.note(repair, line);
    }
    found.alpha2.to_owned()
}

/// `grouptype`: a scheme, and values in it.
fn group_types(element: Element<'_>) -> Vec<GroupType> {
    let scheme = text(element, "scheme");
    element
        .all("typevalue")
        .filter_map(|found| {
            Some(GroupType {
                scheme: scheme.clone(),
                value: value(found)?,
                level: attribute(found, "level"),
            })
        })
        .collect()
}

fn relationship(element: Element<'_>, repairs: &mut Repairs) -> Option<Relationship> {
    let found = element.first("sourcedid")?;
    Some(Relationship {
        sourcedid: sourcedid(found, repairs)?,
        relation: attribute(element, "relation"),
        label: text(element, "label"),
    })
}

fn role(element: Element<'_>, repairs: &mut Repairs) -> Result<Role, Option<String>> {
    let word = element
        .attribute("roletype")
        .filter(|word| !word.is_empty())
        .or_else(|| element.value("roletype"))
        .ok_or(None)?;
    let kind = role_type(word).ok_or_else(|| Some(shown(word)))?;
    if word != code_of(kind) && word != format!("{kind:?}") {
        repairs.note(Repair::RoleType(shown(word), kind), element.line());
    }
    Ok(Role {
        line: element.line(),
        kind,
        subrole: text(element, "subrole"),
        active: is_active(element, repairs),
        recstatus: recstatus(element, repairs),
        userid: text(element, "userid"),
        timeframe: timeframe(element, repairs),
        interim: element.all("interimresult").filter_map(result).collect(),
        finals: element.all("finalresult").filter_map(result).collect(),
        cohort: element
            .first("extension")
            .and_then(|found| text(found, "cohort")),
    })
}

/// By its number, or by its name however it is written.
fn role_type(word: &str) -> Option<RoleType> {
    use RoleType::{
        Administrator, ContentDeveloper, Instructor, Learner, Manager, Member, Mentor,
        TeachingAssistant,
    };
    if let Ok(number) = word.parse::<u8>() {
        return match number {
            1 => Some(Learner),
            2 => Some(Instructor),
            3 => Some(ContentDeveloper),
            4 => Some(Member),
            5 => Some(Manager),
            6 => Some(Mentor),
            7 => Some(Administrator),
            8 => Some(TeachingAssistant),
            _ => None,
        };
    }
    let letters: String = word
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match letters.as_str() {
        "learner" | "student" => Some(Learner),
        "instructor" | "teacher" | "faculty" => Some(Instructor),
        "contentdeveloper" => Some(ContentDeveloper),
        "member" => Some(Member),
        "manager" => Some(Manager),
        "mentor" => Some(Mentor),
        "administrator" => Some(Administrator),
        "teachingassistant" => Some(TeachingAssistant),
        _ => None,
    }
}

/// The number as the specification writes it.
pub fn code_of(kind: RoleType) -> &'static str {
    match kind {
        RoleType::Learner => "01",
        RoleType::Instructor => "02",
        RoleType::ContentDeveloper => "03",
        RoleType::Member => "04",
        RoleType::Manager => "05",
        RoleType::Mentor => "06",
        RoleType::Administrator => "07",
        RoleType::TeachingAssistant => "08",
    }
}

fn is_active(role: Element<'_>, repairs: &mut Repairs) -> bool {
    let status = role.value("status").unwrap_or_default();
    match status {
        "1" | "01" => true,
        "0" | "00" => false,
        _ if status.eq_ignore_ascii_case("active") => true,
        _ if status.eq_ignore_ascii_case("inactive") => false,
        _ => {
            repairs.note(Repair::RoleStatus, role.line());
            true
        }
    }
}

fn result(element: Element<'_>) -> Option<GradeResult> {
    let values = element.first("values");
    Some(GradeResult {
        result: text(element, "result")?,
        mode: text(element, "mode"),
        list: values.map(|found| texts(found, "list")).unwrap_or_default(),
        min: values.and_then(|found| text(found, "min")),
        max: values.and_then(|found| text(found, "max")),
        comments: text(element, "comments"),
        kind: attribute(element, "resulttype"),
    })
}

fn recstatus(element: Element<'_>, repairs: &mut Repairs) -> Option<RecStatus> {
    let word = element
        .attribute("recstatus")
        .filter(|word| !word.is_empty())?;
    match word.trim_start_matches('0') {
        "1" => Some(RecStatus::Add),
        "2" => Some(RecStatus::Update),
        "3" => Some(RecStatus::Delete),
        _ => {
            repairs.note(Repair::RecStatus(shown(word)), element.line());
            None
        }
    }
}

fn timeframe(element: Element<'_>, repairs: &mut Repairs) -> Timeframe {
    let Some(frame) = element.first("timeframe") else {
        return Timeframe::default();
    };
    let bound = |name, repairs: &mut Repairs| {
        let found = frame.first(name)?;
        Some(Bound {
            moment: moment(found, repairs)?,
            restrict: found.attribute("restrict") == Some("1"),
        })
    };
    Timeframe {
        begin: bound("begin", repairs),
        end: bound("end", repairs),
        period: text(frame, "adminperiod"),
    }
}

/// A date as the specification has it, `2026-09-01` with or without a time; or as systems write it all the same:
/// `20260901`, `01/Sep/2026`, `01/09/2026`, `1.9.2026`.
fn moment(element: Element<'_>, repairs: &mut Repairs) -> Option<Moment> {
    let word = element.text();
    if word.is_empty() {
        return None;
    }
    let (day, time) = word
        .split_once(['T', ' '])
        .map_or((word, None), |(day, time)| (day, Some(time.trim())));
    let Some(date) = iso(day).or_else(|| day_month_year(day, element.line(), repairs)) else {
        repairs.note(Repair::NoDate(shown(word)), element.line());
        return None;
    };
    // A zone behind the time is left out: schools mean their own.
    let time = time.and_then(|time| {
        let end = time.find(['Z', '+', '-', '.']).unwrap_or(time.len());
        time[..end].parse::<Time>().ok()
    });
    Some(Moment { date, time })
}

fn iso(day: &str) -> Option<Date> {
    day.parse().ok()
}

fn day_month_year(day: &str, line: u64, repairs: &mut Repairs) -> Option<Date> {
    let parts: Vec<&str> = day.split(['/', '.', '-']).collect();
    let [first, month, year] = parts[..] else {
        return None;
    };
    if year.len() != 4 {
        return None;
    }
    let number = month.parse().ok().or_else(|| month_by_name(month))?;
    let date = Date::new(year.parse().ok()?, number, first.parse().ok()?).ok()?;
    repairs.note(Repair::DateForm(form_of(day)), line);
    Some(date)
}

fn month_by_name(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let beginning = word.get(..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| **month == beginning)?;
    i8::try_from(index + 1).ok()
}

/// The form of a date, so that a hundred thousand of them are one kind of repair.
fn form_of(day: &str) -> String {
    day.chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'A',
            other => other,
        })
        .collect()
}

fn text(element: Element<'_>, name: &'static str) -> Option<String> {
    element.value(name).map(str::to_owned)
}

fn texts(element: Element<'_>, name: &'static str) -> Vec<String> {
    element.all(name).filter_map(value).collect()
}

fn value(element: Element<'_>) -> Option<String> {
    Some(element.text())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn attribute(element: Element<'_>, name: &str) -> Option<String> {
    element
        .attribute(name)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

/// What stands in a message of somebody else's text.
fn shown(word: &str) -> String {
    word.chars().take(60).collect()
}
