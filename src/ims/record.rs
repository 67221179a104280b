//! What a file says, record by record, as the IMS Enterprise Information Model 1.1 has it.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use serde::Serialize;

/// Who or what a record is about: the system that gave the id, and the id. Both are opaque.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SourcedId {
    /// The system, such as `SCT Banner`; may be empty.
    pub source: String,
    /// Its id.
    pub id: String,
}

/// What is to be done with what a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecStatus {
    /// `1`: add.
    Add,
    /// `2`: update.
    Update,
    /// `3`: delete.
    Delete,
}

/// `properties`: where the file comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The system that wrote it.
    pub datasource: Option<String>,
    /// What it is for: `CREATE`, `update`, ….
    pub kind: Option<String>,
    /// When it was written, as it stands there.
    pub datetime: Option<String>,
}

/// One of the names somebody signs in with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct UserId {
    /// The name.
    pub value: String,
    /// `useridtype`: what kind of name it is, such as `Logon ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `authenticationtype`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<String>,
}

/// A telephone number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Telephone {
    /// `teltype`: `Voice`, `Fax`, `Mobile`, `Pager`, or `1` to `4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The number.
    pub number: String,
}

/// Where somebody lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Address {
    /// Lines of the street.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub street: Vec<String>,
    /// `locality`: the town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// `region`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `pcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// `country`: two capital letters (ISO 3166-1) where they could be made out, else as it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// `person`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Person {
    /// The line it begins on.
    pub line: u64,
    /// The first is the identity.
    pub sourcedids: Vec<SourcedId>,
    /// `recstatus`.
    pub recstatus: Option<RecStatus>,
    /// The names to sign in with.
    pub userids: Vec<UserId>,
    /// `name/fn`: the whole name.
    pub full_name: Option<String>,
    /// `name/n/given`.
    pub given: Option<String>,
    /// `name/n/family`.
    pub family: Option<String>,
    /// `name/nickname`.
    pub nickname: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `url`.
    pub url: Option<String>,
    /// `tel`.
    pub telephones: Vec<Telephone>,
    /// `adr`.
    pub address: Address,
    /// `photo/extref`.
    pub photo: Option<String>,
    /// `demographics/gender`.
    pub gender: Option<String>,
    /// `demographics/bday`.
    pub birthday: Option<Date>,
    /// `institutionrole/@institutionroletype`: `Student`, `Faculty`, ….
    pub institution_roles: Vec<String>,
}

/// A day, or a moment of it, as schools write them: without a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// The time of the day, where one is given.
    pub time: Option<Time>,
}

/// One end of a time frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// When.
    pub moment: Moment,
    /// `restrict="1"`: outside it there is no access.
    pub restrict: bool,
}

/// `timeframe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timeframe {
    /// `begin`.
    pub begin: Option<Bound>,
    /// `end`. Where it has no time, the whole day belongs to it.
    pub end: Option<Bound>,
    /// `adminperiod`: the name of the term.
    pub period: Option<String>,
}

/// `grouptype/typevalue`: what kind of group it is, in some scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct GroupType {
    /// `scheme`.
    pub scheme: Option<String>,
    /// `typevalue`, such as `Term`, `CourseSection` or `CrossListedSection`.
    pub value: String,
    /// `typevalue/@level`.
    pub level: Option<String>,
}

/// `relationship`: what a group has to do with another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Relationship {
    /// The other.
    pub sourcedid: SourcedId,
    /// `relation`: `1` parent, `2` child, `3` known as.
    pub relation: Option<String>,
    /// `label`: in words.
    pub label: Option<String>,
}

/// `group`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Group {
    /// The line it begins on.
    pub line: u64,
    /// The first is the identity.
    pub sourcedids: Vec<SourcedId>,
    /// `recstatus`.
    pub recstatus: Option<RecStatus>,
    /// Its kinds.
    pub types: Vec<GroupType>,
    /// `description/short`.
    pub short: Option<String>,
    /// `description/long`.
    pub long: Option<String>,
    /// `description/full`.
    pub full: Option<String>,
    /// `org/orgname`.
    pub organisation: Option<String>,
    /// `org/orgunit`, from the outermost inwards.
    pub units: Vec<String>,
    /// `timeframe`.
    pub timeframe: Timeframe,
    /// `email`.
    pub email: Option<String>,
    /// `url`.
    pub url: Option<String>,
    /// `relationship`.
    pub relationships: Vec<Relationship>,
}

/// What a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MemberType {
    /// `idtype` 1: a person.
    #[default]
    Person,
    /// `idtype` 2: a group.
    Group,
}

/// A role by what Moodle and others know it as (`roletype` 01 to 08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoleType {
    /// `01`.
    Learner,
    /// `02`.
    Instructor,
    /// `03`.
    ContentDeveloper,
    /// `04`.
    Member,
    /// `05`.
    Manager,
    /// `06`.
    Mentor,
    /// `07`.
    Administrator,
    /// `08`.
    TeachingAssistant,
}

/// A result: what stands, and out of how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct GradeResult {
    /// `mode`: how it is to be read, such as `Letter Grade`.
    pub mode: Option<String>,
    /// `values/@valuetype` 1: one of a list; 0: a number within bounds.
    pub list: Vec<String>,
    /// `values/min`.
    pub min: Option<String>,
    /// `values/max`.
    pub max: Option<String>,
    /// `result`.
    pub result: String,
    /// `comments`.
    pub comments: Option<String>,
    /// `interimresult/@resulttype`: `MidTerm` and so on.
    pub kind: Option<String>,
}

/// `role`: what a member is in a group, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// The line it begins on.
    pub line: u64,
    /// `roletype`.
    pub kind: RoleType,
    /// `subrole`: what else it is called.
    pub subrole: Option<String>,
    /// `status`: 1 active, 0 inactive.
    pub active: bool,
    /// `recstatus`.
    pub recstatus: Option<RecStatus>,
    /// `userid`: by which name the member is known there.
    pub userid: Option<String>,
    /// `timeframe`.
    pub timeframe: Timeframe,
    /// `interimresult`.
    pub interim: Vec<GradeResult>,
    /// `finalresult`.
    pub finals: Vec<GradeResult>,
    /// `extension/cohort`: a group within the course.
    pub cohort: Option<String>,
}

/// `member`, with the group of the membership it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The line it begins on.
    pub line: u64,
    /// The group.
    pub group: Arc<SourcedId>,
    /// The member.
    pub sourcedid: SourcedId,
    /// What the member is.
    pub kind: MemberType,
    /// Every role: a member may have several.
    pub roles: Vec<Role>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Somebody.
    Person(Person),
    /// A course, a term, a class.
    Group(Group),
    /// Somebody or something in a group.
    Member(Member),
}
