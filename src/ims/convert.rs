//! From the records of a file to what they say to the register.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::record::{
    Bound, GradeResult, Group, Member, MemberType, Moment, Person, RecStatus, Record, Role,
    RoleType, SourcedId, Timeframe, UserId,
};
use crate::clock::UnixTime;
use crate::exchange::{Item, Key, Said, SkippedItem};
use crate::register::imports::{ImportedEnrolment, ImportedPerson, ImportedSection};
use crate::store::Extra;
use crate::store::enrolments::Role as RegisterRole;

/// Makes items of records. Remembers the names of systems and of terms: both are few.
#[derive(Debug)]
pub struct Converter {
    zone: TimeZone,
    sources: HashMap<String, Arc<str>>,
    /// Groups that are terms, by their key.
    terms: HashMap<Key, String>,
}

/// What a record became.
pub type Converted = Result<Item, SkippedItem>;

impl Converter {
    /// Dates of files are those of `zone`.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            sources: HashMap::new(),
            terms: HashMap::new(),
        }
    }

    /// What a record says: an item a role for members, none for terms.
    pub fn convert(&mut self, record: Record, out: &mut Vec<Converted>) {
        match record {
            Record::Person(person) => out.push(Ok(self.person(person))),
            Record::Group(group) => out.extend(self.group(group).map(Ok)),
            Record::Member(member) => match member.kind {
                MemberType::Person => self.memberships(&member, out),
                MemberType::Group => out.push(Ok(self.part(&member))),
            },
        }
    }

    fn key(&mut self, sourcedid: &SourcedId) -> Key {
        let source = if let Some(source) = self.sources.get(&sourcedid.source) {
            Arc::clone(source)
        } else {
            let source: Arc<str> = Arc::from(sourcedid.source.as_str());
            self.sources
                .insert(sourcedid.source.clone(), Arc::clone(&source));
            source
        };
        Key {
            source,
            id: sourcedid.id.clone(),
        }
    }

    fn person(&mut self, person: Person) -> Item {
        let line = person.line;
        let key = self.key(&person.sourcedids[0]);
        if person.recstatus == Some(RecStatus::Delete) {
            let said = Said::NoPerson(key);
            return Item { line, said };
        }
        let (firstname, lastname) = names(&person);
        let new = ImportedPerson {
            idnumber: key.id.clone(),
            username: username(&person).unwrap_or_else(|| key.id.clone()),
            firstname,
            lastname,
            email: person.email.clone().unwrap_or_default(),
            extra: person_extra(person),
        };
        Item {
            line,
            said: Said::Person(key, Box::new(new)),
        }
    }

    /// `None`: a term, which is no section.
    fn group(&mut self, group: Group) -> Option<Item> {
        let line = group.line;
        let key = self.key(&group.sourcedids[0]);
        let is_term = group
            .types
            .iter()
            .any(|kind| kind.value.eq_ignore_ascii_case("term"));
        if is_term {
            let name = group.long.or(group.short).unwrap_or_else(|| key.id.clone());
            self.terms.insert(key, name);
            return None;
        }
        if group.recstatus == Some(RecStatus::Delete) {
            let said = Said::NoSection(key);
            return Some(Item { line, said });
        }
        let new = ImportedSection {
            idnumber: key.id.clone(),
            name: section_name(&group).unwrap_or_else(|| key.id.clone()),
            segments: self.segments(&group),
            extra: group_extra(group),
        };
        Some(Item {
            line,
            said: Said::Section(key, Box::new(new)),
        })
    }

    /// The term that a group names, or the terms among the groups it belongs to.
    fn segments(&mut self, group: &Group) -> Vec<String> {
        if let Some(period) = &group.timeframe.period {
            return vec![period.clone()];
        }
        let mut segments = Vec::new();
        for relationship in &group.relationships {
            let key = self.key(&relationship.sourcedid);
            if let Some(term) = self.terms.get(&key)
                && !segments.contains(term)
            {
                segments.push(term.clone());
            }
        }
        segments
    }

    fn part(&mut self, member: &Member) -> Item {
        let whole = self.key(&member.group);
        let part = self.key(&member.sourcedid);
        Item {
            line: member.line,
            said: Said::Part {
                whole,
                part,
                active: member.roles.iter().any(is_active),
            },
        }
    }

    /// One for each role that the register knows. Somebody who is teacher and assistant is a teacher.
    fn memberships(&mut self, member: &Member, out: &mut Vec<Converted>) {
        let mut held: BTreeMap<&'static str, Vec<&Role>> = BTreeMap::new();
        for role in &member.roles {
            if let Some(known) = register_role(role.kind) {
                held.entry(known.as_str()).or_default().push(role);
            }
        }
        if held.is_empty() {
            let words: Vec<String> = member
                .roles
                .iter()
                .map(|role| format!("{:?}", role.kind))
                .collect();
            out.push(Err(SkippedItem {
                line: member.line,
                what: "member".to_owned(),
                id: format!("{} in {}", member.sourcedid.id, member.group.id),
                reason: format!(
                    "the register has no place for somebody who is only {}; it knows students (Learner) and teachers (Instructor, TeachingAssistant)",
                    words.join(" and ")
                ),
            }));
            return;
        }
        let section = self.key(&member.group);
        let person = self.key(&member.sourcedid);
        for roles in held.into_values() {
            let Some(role) = roles.first().and_then(|role| register_role(role.kind)) else {
                continue;
            };
            out.push(Ok(Item {
                line: member.line,
                said: Said::Membership {
                    section: section.clone(),
                    person: person.clone(),
                    role,
                    enrolment: Box::new(self.enrolment(&roles)),
                },
            }));
        }
    }

    fn enrolment(&self, roles: &[&Role]) -> ImportedEnrolment {
        let active = roles.iter().any(|role| is_active(role));
        let chosen = roles.iter().find(|role| is_active(role)).or(roles.first());
        let frame = chosen
            .map(|role| role.timeframe.clone())
            .unwrap_or_default();
        let restricted = |bound: Option<Bound>| bound.filter(|bound| bound.restrict);
        ImportedEnrolment {
            active,
            begins: restricted(frame.begin)
                .and_then(|bound| self.at(bound.moment, Time::midnight())),
            ends: restricted(frame.end).and_then(|bound| self.at(bound.moment, END_OF_DAY)),
            note: (!active).then(|| "inactive in the file".to_owned()),
            extra: role_extra(roles),
        }
    }

    fn at(&self, moment: Moment, otherwise: Time) -> Option<UnixTime> {
        let local = DateTime::from_parts(moment.date, moment.time.unwrap_or(otherwise));
        let timestamp = self.zone.to_timestamp(local).ok()?;
        Some(UnixTime(timestamp.as_second()))
    }
}

/// The last second of a day: whoever is in a course until the 18th is in it on the 18th.
const END_OF_DAY: Time = Time::constant(23, 59, 59, 0);

fn is_active(role: &Role) -> bool {
    role.active && role.recstatus != Some(RecStatus::Delete)
}

fn register_role(kind: RoleType) -> Option<RegisterRole> {
    match kind {
        RoleType::Learner => Some(RegisterRole::Student),
        RoleType::Instructor | RoleType::TeachingAssistant => Some(RegisterRole::Teacher),
        _ => None,
    }
}

/// Given and family name; where one is missing, what the whole name says besides the other.
fn names(person: &Person) -> (String, String) {
    let whole = person.full_name.as_deref().unwrap_or_default().trim();
    match (&person.given, &person.family) {
        (Some(given), Some(family)) => (given.clone(), family.clone()),
        (Some(given), None) => (given.clone(), rest(whole, given)),
        (None, Some(family)) => (rest(whole, family), family.clone()),
        (None, None) => match whole.rsplit_once(' ') {
            Some((given, family)) => (given.trim().to_owned(), family.to_owned()),
            None => (String::new(), whole.to_owned()),
        },
    }
}

fn rest(whole: &str, part: &str) -> String {
    let without = whole
        .strip_prefix(part)
        .or_else(|| whole.strip_suffix(part));
    without.unwrap_or_default().trim().to_owned()
}

/// The userid that is meant for signing in by its type, else the first.
fn username(person: &Person) -> Option<String> {
    let says_login = |userid: &&UserId| {
        let kind = userid
            .kind
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        ["logon", "login", "username", "user name"]
            .iter()
            .any(|word| kind.contains(word))
    };
    let chosen = person.userids.iter().find(says_login);
    chosen
        .or(person.userids.first())
        .map(|userid| userid.value.clone())
}

/// The long description is a course's name; a short one is its code.
fn section_name(group: &Group) -> Option<String> {
    group
        .long
        .clone()
        .or_else(|| group.short.clone())
        .or_else(|| group.full.clone())
}

/// What is kept of a person besides. Not: gender and birthday, which no report needs, and passwords, which are never
/// read.
fn person_extra(person: Person) -> Extra {
    let mut extra = Map::new();
    keep_list(&mut extra, "userids", &person.userids);
    keep_others(&mut extra, &person.sourcedids);
    keep(&mut extra, "fn", person.full_name);
    keep(&mut extra, "nickname", person.nickname);
    keep(&mut extra, "url", person.url);
    keep_list(&mut extra, "tel", &person.telephones);
    if person.address != super::record::Address::default() {
        keep(&mut extra, "adr", Some(&person.address));
    }
    keep(&mut extra, "photo", person.photo);
    keep_list(&mut extra, "institutionroles", &person.institution_roles);
    Extra::new(extra)
}

fn group_extra(group: Group) -> Extra {
    let mut extra = Map::new();
    keep_others(&mut extra, &group.sourcedids);
    keep(&mut extra, "short", group.short);
    keep(&mut extra, "full", group.full);
    keep_list(&mut extra, "types", &group.types);
    keep(&mut extra, "organisation", group.organisation);
    keep_list(&mut extra, "units", &group.units);
    keep_frame(&mut extra, &group.timeframe);
    keep(&mut extra, "email", group.email);
    keep(&mut extra, "url", group.url);
    keep_list(&mut extra, "relationships", &group.relationships);
    Extra::new(extra)
}

fn role_extra(roles: &[&Role]) -> Extra {
    let mut extra = Map::new();
    for role in roles {
        keep(&mut extra, "subrole", role.subrole.as_ref());
        keep(&mut extra, "cohort", role.cohort.as_ref());
        keep(&mut extra, "userid", role.userid.as_ref());
        keep_frame(&mut extra, &role.timeframe);
        keep_results(&mut extra, "interim", &role.interim);
        keep_results(&mut extra, "final", &role.finals);
    }
    if roles
        .iter()
        .any(|role| role.kind == RoleType::TeachingAssistant)
        && !roles.iter().any(|role| role.kind == RoleType::Instructor)
    {
        keep(&mut extra, "roletype", Some("TeachingAssistant"));
    }
    Extra::new(extra)
}

fn keep_results(extra: &mut Map<String, Value>, name: &str, results: &[GradeResult]) {
    keep_list(extra, name, results);
}

/// Further ids of the same person or group.
fn keep_others(extra: &mut Map<String, Value>, sourcedids: &[SourcedId]) {
    keep_list(extra, "sourcedids", &sourcedids[1..]);
}

/// As it stands in the file, so that it can be given out again.
fn keep_frame(extra: &mut Map<String, Value>, frame: &Timeframe) {
    for (name, bound) in [("begin", frame.begin), ("end", frame.end)] {
        if let Some(bound) = bound {
            let at = match bound.moment.time {
                Some(time) => format!("{}T{time}", bound.moment.date),
                None => bound.moment.date.to_string(),
            };
            extra.insert(
                name.to_owned(),
                json!({ "at": at, "restrict": bound.restrict }),
            );
        }
    }
}

fn keep(extra: &mut Map<String, Value>, name: &str, value: Option<impl Serialize>) {
    if let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) {
        extra.insert(name.to_owned(), value);
    }
}

fn keep_list<T: Serialize>(extra: &mut Map<String, Value>, name: &str, values: &[T]) {
    if !values.is_empty() {
        keep(extra, name, Some(values));
    }
}
