//! Remote enrolment: peers enrol their users in the sections offered to them, we enrol ours in their
//! courses, and neither sees or changes anybody else's people.

mod support;

use mnetd::enrol::{EnrolError, RemoteEnrolment};
use mnetd::register::{self, Call};
use mnetd::store::accounts::{self, Account, AccountRole, NewAccount};
use mnetd::store::audit::{self, Actor};
use mnetd::store::enrolments::{self, EnrolmentFilter, ListedEnrolment};
use mnetd::store::peer_courses::{
    self, PeerCourse, PeerCourseEnrolment, PeerCourseEnrolmentFilter, PeerCourseFilter,
};
use mnetd::store::people::{self, PeopleFilter};
use mnetd::store::sections::{self, SectionFields};
use mnetd::store::{Author, Extra, Page, PeerId, SectionId, StoreError, WriteTx, offers};
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{Encoding, Limits, Value, decode_call, decode_response};
use serde_json::Value as Json;
use support::Vector;
use support::program::Program;
use support::site::{Answer, NOW, Served, Site, Stranger, fields, user};
use support::sso::until;

const SERVICE: (&str, bool, bool) = ("mnet_enrol", true, true);

fn function(name: &str) -> String {
    format!("enrol/mnet/enrol.php/{name}")
}

/// A site with a section of its own, offered to a stranger.
struct Offering {
    site: Site,
    stranger: Stranger,
    peer: PeerId,
    section: SectionId,
}

impl Offering {
    fn new() -> Self {
        let site = Site::new("http://register.example");
        let stranger = Stranger::new("http://moodle.example");
        let peer = site.befriend(&stranger, &[SERVICE, ("register", true, true)]);
        let section = add_section(&site, "Algebra");
        offer(&site, section, peer);
        Self {
            site,
            stranger,
            peer,
            section,
        }
    }

    async fn call(&self, name: &str, params: Vec<Value>) -> Answer {
        self.site
            .call(&self.stranger, &function(name), params)
            .await
    }

    fn courseid(&self) -> Value {
        Value::from(self.section.to_string())
    }

    async fn enrol(&self, name: &str) -> Answer {
        let params = vec![user(name), self.courseid()];
        self.call("enrol_user", params).await
    }
}

fn write<T: Send + 'static>(
    site: &Site,
    job: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    site.store.write_blocking(job).unwrap()
}

fn add_section(site: &Site, name: &'static str) -> SectionId {
    write(site, move |tx| {
        let fields = SectionFields {
            idnumber: Some(name.to_lowercase()),
            name: name.to_owned(),
            extra: Extra::default(),
        };
        sections::insert(tx, None, &fields, NOW)
    })
}

fn offer(site: &Site, section: SectionId, peer: PeerId) {
    assert!(write(site, move |tx| offers::offer(tx, section, peer, NOW)));
}

fn add_account(site: &Site, username: &'static str) -> Account {
    write(site, move |tx| {
        let new = NewAccount {
            username,
            firstname: "Zoë",
            lastname: "Prøbe",
            email: "zoe@example.org",
            role: AccountRole::Member,
            person: None,
            password_hash: "none",
        };
        accounts::insert(tx, &new, NOW)?;
        Ok(accounts::find(tx, username)?.unwrap())
    })
}

fn enrolled(site: &Site) -> Vec<ListedEnrolment> {
    let filter = EnrolmentFilter::default();
    let now = site.clock.now();
    site.store
        .read_blocking(|tx| enrolments::list(tx, &filter, now, Page::default()))
        .unwrap()
}

fn people_count(site: &Site) -> usize {
    let filter = PeopleFilter::default();
    site.store
        .read_blocking(|tx| people::list(tx, &filter, NOW, Page::default()))
        .unwrap()
        .len()
}

fn usernames(value: &Value) -> Vec<String> {
    let entries = value.as_array().unwrap().iter();
    entries
        .map(|entry| text(entry, "username").to_owned())
        .collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).unwrap().as_str().unwrap()
}

// Served.

#[tokio::test]
async fn a_course_is_described_by_what_moodles_client_reads() {
    let offering = Offering::new();
    let answer = offering.call("available_courses", Vec::new()).await;
    let courses = answer.value().as_array().unwrap();
    assert_eq!(courses.len(), 1);
    assert_eq!(text(&courses[0], "remoteid"), offering.section.to_string());
    assert_eq!(text(&courses[0], "fullname"), "Algebra");
    assert_eq!(text(&courses[0], "shortname"), "algebra");
    // Member for member what a Moodle answered, all of them texts.
    let moodles = Vector::number("12");
    let recorded = moodles.json["result"][0].as_object().unwrap();
    let ours: Vec<&str> = courses[0]
        .as_struct()
        .unwrap()
        .iter()
        .map(|(name, _)| name)
        .collect();
    let theirs: Vec<&String> = recorded.keys().collect();
    assert_eq!(ours, theirs);
    for name in ours {
        assert!(courses[0].get(name).unwrap().as_str().is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_term_is_the_category_and_what_a_moodle_sent_is_handed_on() {
    let offering = Offering::new();
    let section = write(&offering.site, |tx| {
        let sent = serde_json::json!({
            "shortname": "BIO", "summary": "<p>Zellen</p>", "startdate": 1_790_000_000
        });
        let Json::Object(sent) = sent else {
            unreachable!()
        };
        let fields = SectionFields {
            idnumber: None,
            name: "Biology".to_owned(),
            extra: Extra::new(sent),
        };
        let id = sections::insert(tx, None, &fields, NOW)?;
        sections::add_segment(tx, id, "Autumn", NOW)?;
        Ok(id)
    });
    offer(&offering.site, section, offering.peer);
    let answer = offering.call("available_courses", Vec::new()).await;
    let courses = answer.value().as_array().unwrap();
    let biology = &courses[1];
    assert_eq!(text(biology, "cat_name"), "Autumn");
    assert_eq!(text(biology, "shortname"), "BIO");
    assert_eq!(text(biology, "summary"), "<p>Zellen</p>");
    assert_eq!(text(biology, "startdate"), "1790000000");
    assert_eq!(text(&courses[0], "cat_name"), "ongoing");
    assert_ne!(text(biology, "cat_id"), text(&courses[0], "cat_id"));
}

#[tokio::test]
async fn a_recorded_moodle_enrols_and_unenrols() {
    let offering = Offering::new();
    // The recorded calls are about a course 7.
    let mut section = offering.section;
    while section.0 < 7 {
        section = add_section_numbered(&offering.site, section.0 + 1);
    }
    offer(&offering.site, section, offering.peer);
    let limits = Limits::default();
    let mut answers = Vec::new();
    for number in ["30", "31", "32", "31", "33", "31"] {
        let vector = Vector::number(number);
        let payload = vector.text("request", "payload").unwrap();
        let call = decode_call(payload.as_bytes(), Encoding::Utf8, &limits).unwrap();
        let call = call.message;
        let site = &offering.site;
        let answer = site
            .call(&offering.stranger, &call.method, call.params)
            .await;
        answers.push(answer.value().clone());
    }
    assert_eq!(answers[0].as_array().unwrap().len(), 2);
    assert_eq!(answers[1], Value::Array(Vec::new()));
    assert_eq!(answers[2], Value::from(true));
    let listed = answers[3].as_array().unwrap();
    assert_eq!(usernames(&answers[3]), ["ssunglasses"]);
    assert_eq!(text(&listed[0], "enrol"), "mnet");
    assert_eq!(answers[4], Value::from(true));
    assert_eq!(answers[5], Value::Array(Vec::new()));
    // Member for member what a Moodle answered.
    let recorded = &Vector::number("14").json["result"][0];
    for name in recorded.as_object().unwrap().keys() {
        assert!(listed[0].get(name).unwrap().as_str().is_some(), "{name}");
    }
    let person = offering
        .site
        .store
        .read_blocking(|tx| people::by_sent_username(tx, Some(offering.peer), "ssunglasses"))
        .unwrap()
        .unwrap();
    assert_eq!(person.fields.lastname, "Sünglasses Ōta");
}

fn add_section_numbered(site: &Site, number: i64) -> SectionId {
    let id = write(site, move |tx| {
        let fields = SectionFields {
            idnumber: Some(format!("s{number}")),
            name: format!("Section {number}"),
            extra: Extra::default(),
        };
        sections::insert(tx, None, &fields, NOW)
    });
    assert_eq!(id.0, number);
    id
}

#[tokio::test]
async fn a_user_becomes_a_person_of_the_peer_and_its_student() {
    let offering = Offering::new();
    assert_eq!(*offering.enrol("zoe").await.value(), Value::from(true));
    let rows = enrolled(&offering.site);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].peer, Some(offering.peer));
    assert_eq!(rows[0].role.as_str(), "student");
    assert_eq!(rows[0].status.meaning.as_str(), "active");
    let history = offering
        .site
        .store
        .read_blocking(|tx| enrolments::history(tx, rows[0].id))
        .unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].author, Author::Peer { id: offering.peer });
}

#[tokio::test]
async fn a_repetition_is_true_and_changes_nothing() {
    let offering = Offering::new();
    offering.enrol("zoe").await;
    let before = enrolled(&offering.site);
    offering.site.clock.set(NOW.plus(60));
    assert_eq!(*offering.enrol("zoe").await.value(), Value::from(true));
    assert_eq!(enrolled(&offering.site), before);
    let unenrol = || {
        let params = vec![Value::from("zoe"), offering.courseid()];
        offering.call("unenrol_user", params)
    };
    assert_eq!(*unenrol().await.value(), Value::from(true));
    let after = enrolled(&offering.site);
    assert_eq!(after[0].status.meaning.as_str(), "withdrawn");
    offering.site.clock.set(NOW.plus(120));
    assert_eq!(*unenrol().await.value(), Value::from(true));
    assert_eq!(enrolled(&offering.site), after);
    assert_eq!(*offering.enrol("zoe").await.value(), Value::from(true));
    let again = enrolled(&offering.site);
    assert_eq!(again[0].id, before[0].id);
    assert_eq!(again[0].status.meaning.as_str(), "active");
}

#[tokio::test]
async fn a_user_who_is_known_needs_only_the_username() {
    let offering = Offering::new();
    let (site, stranger) = (&offering.site, &offering.stranger);
    let sent = site
        .call(stranger, "register/fetch_user", vec![user("zoe")])
        .await;
    sent.value();
    let params = vec![fields(&[("username", "zoe")]), offering.courseid()];
    let answer = offering.call("enrol_user", params.clone()).await;
    assert_eq!(*answer.value(), Value::from(true));
    // A Moodle that does not send ID numbers means the same person.
    let params = vec![
        fields(&[
            ("username", "zoe"),
            ("firstname", "Zoë"),
            ("lastname", "Prøbe"),
            ("email", "zoe@example.org"),
        ]),
        offering.courseid(),
    ];
    offering.call("enrol_user", params).await.value();
    assert_eq!(people_count(site), 1);
    assert_eq!(enrolled(site)[0].userid.as_deref(), Some("zoe"));
}

#[tokio::test]
async fn every_refusal_has_moodles_code_and_changes_nothing() {
    let offering = Offering::new();
    let hidden = add_section(&offering.site, "Hidden");
    let course = |number: i64| Value::from(number.to_string());
    let cases = [
        ("enrol_user", vec![user("zoe"), course(hidden.0)], 5013),
        ("enrol_user", vec![user("zoe"), course(999)], 5012),
        ("enrol_user", vec![user("zoe"), "algebra".into()], 5012),
        (
            "enrol_user",
            vec![fields(&[("firstname", "Zoë")]), offering.courseid()],
            5021,
        ),
        (
            "enrol_user",
            vec![fields(&[("username", "zoe")]), offering.courseid()],
            5011,
        ),
        ("enrol_user", vec!["zoe".into(), offering.courseid()], 5021),
        ("enrol_user", vec![user("zoe")], 8002),
        (
            "unenrol_user",
            vec!["nobody".into(), offering.courseid()],
            5014,
        ),
        ("unenrol_user", Vec::new(), 8002),
    ];
    for (name, params, code) in cases {
        let answer = offering.call(name, params.clone()).await;
        assert_eq!(answer.fault(), code, "{name} {params:?}");
        assert!(answer.message().len() > 20, "{}", answer.message());
    }
    assert_eq!(people_count(&offering.site), 0);
    assert!(enrolled(&offering.site).is_empty());
    offering.enrol("zoe").await.value();
    for (course, code) in [(course(hidden.0), 5013), (course(999), 5012)] {
        let params = vec![Value::from("zoe"), course];
        assert_eq!(offering.call("unenrol_user", params).await.fault(), code);
    }
}

#[tokio::test]
async fn a_section_that_is_offered_no_longer_is_closed_both_ways() {
    let offering = Offering::new();
    offering.enrol("zoe").await.value();
    let (section, peer) = (offering.section, offering.peer);
    assert!(write(&offering.site, move |tx| {
        offers::stop(tx, section, peer)
    }));
    assert_eq!(offering.enrol("tom").await.fault(), 5013);
    let params = vec![Value::from("zoe"), offering.courseid()];
    assert_eq!(offering.call("unenrol_user", params).await.fault(), 5013);
    let nothing = Value::Array(Vec::new());
    for (name, params) in [
        ("available_courses", Vec::new()),
        ("user_enrolments", Vec::new()),
        ("course_enrolments", vec![offering.courseid()]),
    ] {
        assert_eq!(
            *offering.call(name, params).await.value(),
            nothing,
            "{name}"
        );
    }
    // Who was enrolled stays so.
    assert_eq!(enrolled(&offering.site).len(), 1);
}

#[tokio::test]
async fn a_peer_neither_sees_nor_changes_anothers_people() {
    let offering = Offering::new();
    let other = Stranger::new("http://other.example");
    let other_id = offering.site.befriend(&other, &[SERVICE]);
    offer(&offering.site, offering.section, other_id);
    offering.enrol("zoe").await.value();
    let site = &offering.site;
    let course = offering.courseid();
    let listed = site
        .call(&other, &function("course_enrolments"), vec![course.clone()])
        .await;
    assert_eq!(*listed.value(), Value::Array(Vec::new()));
    let listed = site
        .call(&other, &function("user_enrolments"), Vec::new())
        .await;
    assert_eq!(*listed.value(), Value::Array(Vec::new()));
    let params = vec![Value::from("zoe"), course.clone()];
    let answer = site.call(&other, &function("unenrol_user"), params).await;
    assert_eq!(answer.fault(), 5014);
    // The other's zoe is somebody else, under another name here and the same name there.
    let params = vec![user("zoe"), course.clone()];
    let answer = site.call(&other, &function("enrol_user"), params).await;
    answer.value();
    assert_eq!(people_count(site), 2);
    let listed = site
        .call(&other, &function("course_enrolments"), vec![course.clone()])
        .await;
    assert_eq!(usernames(listed.value()), ["zoe"]);
    let params = vec![Value::from("zoe"), course];
    site.call(&other, &function("unenrol_user"), params)
        .await
        .value();
    let standing: Vec<_> = enrolled(site)
        .into_iter()
        .map(|row| (row.peer, row.status.meaning.as_str()))
        .collect();
    assert_eq!(
        standing,
        [
            (Some(offering.peer), "active"),
            (Some(other_id), "withdrawn")
        ]
    );
}

#[tokio::test]
async fn what_was_entered_by_hand_is_told_but_not_ended() {
    let offering = Offering::new();
    offering.enrol("zoe").await.value();
    let (section, peer) = (offering.section, offering.peer);
    write(&offering.site, move |tx| {
        let person = people::by_sent_username(tx, Some(peer), "zoe")?.unwrap();
        by_hand(tx, section, person.id)
    });
    let params = vec![Value::from("zoe"), offering.courseid()];
    offering.call("unenrol_user", params).await.value();
    let listed = offering
        .call("course_enrolments", vec![offering.courseid()])
        .await;
    let rows = listed.value().as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(text(&rows[0], "enrol"), "manual");
}

fn by_hand(
    tx: &WriteTx<'_>,
    section: SectionId,
    person: mnetd::store::PersonId,
) -> Result<(), StoreError> {
    use mnetd::store::enrolments::{EnrolmentChange, NewChange, NewEnrolment, Role};
    use mnetd::store::statuses::{self, Meaning, Scope};
    let status = statuses::first(tx, Scope::Section, Meaning::Active)?.unwrap();
    let extra = Extra::default();
    let new = NewEnrolment {
        owner: None,
        section,
        person,
        role: Role::Student,
        status: status.id,
        extra: &extra,
    };
    let id = enrolments::insert(tx, &new, NOW)?;
    let change = NewChange {
        change: EnrolmentChange::Status,
        status: Some(status.id),
        effective_at: NOW,
        note: None,
    };
    let author = Author::Admin {
        name: "office".to_owned(),
    };
    enrolments::add_change(tx, id, &change, &author, NOW)
}

#[tokio::test]
async fn an_administrators_withdrawal_is_not_undone_by_repeating() {
    let offering = Offering::new();
    offering.enrol("zoe").await.value();
    let id = enrolled(&offering.site)[0].id;
    offering
        .site
        .store
        .write_blocking(move |tx| {
            let author = Author::Admin {
                name: "office".to_owned(),
            };
            register::set_enrolment_status(tx, &author, id, "withdrawn", None, None, NOW.plus(1))
        })
        .unwrap();
    offering.site.clock.set(NOW.plus(2));
    assert_eq!(offering.enrol("zoe").await.fault(), 5019);
    let rows = enrolled(&offering.site);
    assert_eq!(rows[0].status.meaning.as_str(), "withdrawn");
}

#[tokio::test]
async fn roles_narrow_the_list() {
    let offering = Offering::new();
    offering.enrol("zoe").await.value();
    for (roles, count) in [
        (Value::from("student"), 1),
        ("teacher, student".into(), 1),
        ("teacher".into(), 0),
        (Value::Array(vec!["student".into()]), 1),
        ("".into(), 1),
    ] {
        let params = vec![offering.courseid(), roles.clone()];
        let listed = offering.call("course_enrolments", params).await;
        assert_eq!(listed.value().as_array().unwrap().len(), count, "{roles:?}");
    }
    let listed = offering.call("user_enrolments", Vec::new()).await;
    let rows = listed.value().as_array().unwrap();
    assert_eq!(text(&rows[0], "remoteid"), offering.section.to_string());
}

#[tokio::test]
async fn an_unpublished_service_is_closed() {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[("mnet_enrol", false, true)]);
    for (name, params) in [
        ("available_courses", Vec::new()),
        ("user_enrolments", Vec::new()),
        ("course_enrolments", vec!["1".into()]),
        ("enrol_user", vec![user("zoe"), "1".into()]),
        ("unenrol_user", vec!["zoe".into(), "1".into()]),
    ] {
        let answer = site.call(&stranger, &function(name), params).await;
        assert_eq!(answer.fault(), 707, "{name}");
    }
}

#[tokio::test]
async fn an_enrolment_is_heard_once() {
    let offering = Offering::new();
    let params = vec![user("zoe"), offering.courseid()];
    for (name, code) in [("enrol_user", None), ("available_courses", None)] {
        let call = mnetd::xmlrpc::MethodCall::new(function(name), params.clone());
        let site = &offering.site;
        let message = offering.stranger.seal(&call, &site.certificate(), NOW);
        for expected in [code, Some(8010)] {
            let answer = site.answer(message.clone()).await.unwrap();
            let answer = offering.stranger.open(&answer, &site.certificate());
            match expected {
                None => {
                    answer.value();
                }
                Some(code) => assert_eq!(answer.fault(), code, "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn the_functions_of_remote_enrolment_are_no_part_of_a_multicall() {
    let offering = Offering::new();
    let call = mnetd::xmlrpc::Struct::new()
        .with("methodName", function("enrol_user"))
        .with("params", vec![user("zoe"), offering.courseid()]);
    let params = vec![Value::Array(vec![call.into()])];
    let site = &offering.site;
    let answer = site
        .call(&offering.stranger, "system/multicall", params)
        .await;
    let ending = &answer.value().as_array().unwrap()[0];
    assert_eq!(ending.get("faultCode").unwrap().as_integer(), Some(7012));
    assert!(Call::parse("enrol_user", &[]).unwrap().is_none());
    assert!(enrolled(site).is_empty());
}

// Used.

/// Two sites over sockets: `here` enrols its accounts `there`.
struct Two {
    here: Served,
    there: Served,
    here_id: PeerId,
    section: SectionId,
    remote: RemoteEnrolment,
}

fn office() -> Actor {
    Actor {
        name: "office".to_owned(),
        origin: "command line".to_owned(),
    }
}

impl Two {
    async fn new() -> Self {
        Self::with_rights(SERVICE, SERVICE).await
    }

    async fn with_rights(here_may: (&str, bool, bool), there_may: (&str, bool, bool)) -> Self {
        let (here, there) = (Site::served().await, Site::served().await);
        here.site.register_peer(
            there.site.wwwroot.as_str(),
            &there.site.certificate(),
            &[here_may],
        );
        let here_id = there.site.register_peer(
            here.site.wwwroot.as_str(),
            &here.site.certificate(),
            &[there_may],
        );
        let section = add_section(&there.site, "Algebra");
        offer(&there.site, section, here_id);
        let site = &here.site;
        let remote =
            RemoteEnrolment::new(site.store.clone(), site.client.clone(), site.clock.clone());
        Self {
            here,
            there,
            here_id,
            section,
            remote,
        }
    }

    fn there_as_peer(&self) -> mnetd::peer::Peer {
        self.here.site.peer(&self.there.site.wwwroot)
    }

    fn courses(&self, all: bool) -> Vec<PeerCourse> {
        let filter = PeerCourseFilter { peer: None, all };
        self.here
            .site
            .store
            .read_blocking(|tx| peer_courses::list(tx, &filter, Page::default()))
            .unwrap()
    }

    async fn course(&self) -> PeerCourse {
        let peer = self.there_as_peer();
        self.remote.refresh_courses(&peer).await.unwrap();
        self.courses(false).remove(0)
    }

    fn known(&self, ended: bool) -> Vec<PeerCourseEnrolment> {
        let filter = PeerCourseEnrolmentFilter {
            ended,
            ..PeerCourseEnrolmentFilter::default()
        };
        self.here
            .site
            .store
            .read_blocking(|tx| peer_courses::enrolments(tx, &filter, None, 100))
            .unwrap()
    }

    fn deeds(&self) -> Vec<(String, String)> {
        let entries = self
            .here
            .site
            .store
            .read_blocking(|tx| audit::list(tx, None, 100))
            .unwrap();
        entries
            .into_iter()
            .rev()
            .map(|entry| (entry.action, entry.object))
            .collect()
    }
}

#[tokio::test]
async fn an_account_goes_into_a_peers_course_and_out_again() {
    let two = Two::new().await;
    let account = add_account(&two.here.site, "zoe");
    let course = two.course().await;
    assert_eq!(course.fields.fullname, "Algebra");
    assert_eq!(course.fields.remote_id, two.section.to_string());
    let peer = two.there_as_peer();
    let by = office();

    two.remote
        .enrol(&peer, &account, &course, &by)
        .await
        .unwrap();
    let there = enrolled(&two.there.site);
    assert_eq!(there.len(), 1);
    assert_eq!(
        (there[0].peer, &there[0].firstname[..]),
        (Some(two.here_id), "Zoë")
    );
    let here = two.known(false);
    assert_eq!(here.len(), 1);
    assert!(here[0].by_us && here[0].role.is_empty());

    let count = two.remote.refresh_enrolments(&peer, &course).await.unwrap();
    assert_eq!(count, 1);
    let here = two.known(false);
    assert!(here[0].by_us);
    assert_eq!(here[0].role, "Student");

    two.remote
        .unenrol(&peer, &account, &course, &by)
        .await
        .unwrap();
    assert_eq!(
        enrolled(&two.there.site)[0].status.meaning.as_str(),
        "withdrawn"
    );
    assert!(two.known(false).is_empty());
    assert_eq!(two.known(true).len(), 1);
    let zoe = || "zoe".to_owned();
    assert_eq!(
        two.deeds(),
        [
            ("account enrolled".to_owned(), zoe()),
            ("account unenrolled".to_owned(), zoe())
        ]
    );
}

#[tokio::test]
async fn a_course_that_is_offered_no_longer_is_only_known() {
    let two = Two::new().await;
    let account = add_account(&two.here.site, "zoe");
    let course = two.course().await;
    let (section, peer) = (two.section, two.here_id);
    write(&two.there.site, move |tx| offers::stop(tx, section, peer));
    // As long as nobody has asked again, the peer says so.
    let peer = two.there_as_peer();
    let refused = two.remote.enrol(&peer, &account, &course, &office()).await;
    assert!(
        matches!(refused, Err(EnrolError::NotOffered { .. })),
        "{refused:?}"
    );
    let refreshed = two.remote.refresh_courses(&peer).await.unwrap();
    assert_eq!((refreshed.offered, refreshed.withdrawn), (0, 1));
    assert!(two.courses(false).is_empty());
    let known = two.courses(true).remove(0);
    let refused = two.remote.enrol(&peer, &account, &known, &office()).await;
    assert!(matches!(refused, Err(EnrolError::NotOffered { .. })));
    assert!(two.known(true).is_empty() && two.deeds().is_empty());
}

#[tokio::test]
async fn what_the_peer_tells_replaces_what_was_thought() {
    let two = Two::new().await;
    let zoe = add_account(&two.here.site, "zoe");
    add_account(&two.here.site, "tom");
    let course = two.course().await;
    let peer = two.there_as_peer();
    two.remote
        .enrol(&peer, &zoe, &course, &office())
        .await
        .unwrap();
    // There, zoe is taken out and tom put in by hand.
    let (section, here_id) = (two.section, two.here_id);
    let zoe_there = enrolled(&two.there.site)[0].id;
    two.there
        .site
        .store
        .write_blocking(move |tx| {
            let author = Author::Admin {
                name: "office".to_owned(),
            };
            register::set_enrolment_status(tx, &author, zoe_there, "i", None, None, NOW)
        })
        .unwrap();
    let stranger_call = Call::parse("fetch_user", &[user("tom")]).unwrap().unwrap();
    two.there
        .site
        .store
        .write_blocking(move |tx| {
            register::apply(tx, &Author::Peer { id: here_id }, &stranger_call, NOW)
        })
        .unwrap();
    write(&two.there.site, move |tx| {
        let tom = people::by_sent_username(tx, Some(here_id), "tom")?.unwrap();
        by_hand(tx, section, tom.id)
    });
    let count = two.remote.refresh_enrolments(&peer, &course).await.unwrap();
    assert_eq!(count, 1);
    let known = two.known(false);
    assert_eq!(known.len(), 1);
    assert_eq!((&known[0].username[..], known[0].by_us), ("tom", false));
    let tom = add_or_find(&two.here.site, "tom");
    let refused = two.remote.unenrol(&peer, &tom, &course, &office()).await;
    assert!(
        matches!(refused, Err(EnrolError::TheirOwn { .. })),
        "{refused:?}"
    );
}

fn add_or_find(site: &Site, username: &str) -> Account {
    site.store
        .read_blocking(|tx| accounts::find(tx, username))
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_missing_agreement_is_named_with_what_to_tick() {
    let two = Two::with_rights(("mnet_enrol", false, false), SERVICE).await;
    let peer = two.there_as_peer();
    let error = two.remote.refresh_courses(&peer).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("mnetd peer allow"), "{error}");
    assert!(error.contains("mnet_enrol --subscribe"), "{error}");

    let two = Two::with_rights(SERVICE, ("mnet_enrol", false, true)).await;
    let peer = two.there_as_peer();
    let error = two.remote.refresh_courses(&peer).await.unwrap_err();
    assert!(matches!(error, EnrolError::NotPublished(_)), "{error:?}");
    let error = error.to_string();
    assert!(error.contains("Manage peers"), "{error}");
}

#[tokio::test]
async fn a_disabled_account_is_enrolled_nowhere() {
    let two = Two::new().await;
    let account = add_account(&two.here.site, "zoe");
    let course = two.course().await;
    let disabled = Account {
        disabled_at: Some(NOW),
        ..account
    };
    let peer = two.there_as_peer();
    let refused = two.remote.enrol(&peer, &disabled, &course, &office()).await;
    assert!(matches!(refused, Err(EnrolError::Disabled(_))));
    assert!(enrolled(&two.there.site).is_empty());
}

#[tokio::test]
async fn a_recorded_moodles_courses_are_read_whole() {
    let vector = Vector::number("12");
    let payload = vector.text("response", "payload").unwrap();
    let read = decode_response(payload.as_bytes(), Encoding::Utf8, &Limits::default()).unwrap();
    let mnetd::xmlrpc::MethodResponse::Success(courses) = read.message else {
        panic!("a fault was recorded");
    };
    let moodle = Wwwroot::parse("http://moodle.example").unwrap();
    let read = mnetd::enrol::read_courses(&moodle, &courses).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].remote_id, "3");
    assert_eq!(read[0].fullname, "Earth Science Internalized: No Escape");
    assert_eq!(read[0].category, "Category 1");
    assert_eq!(read[0].summary, "A <em>course</em> & more");
    assert_eq!(read[0].starts_at.unwrap().0, 1_790_000_000);
}

// At the terminal.

#[test]
fn sections_are_offered_and_accounts_enrolled_at_the_terminal() {
    let (here, there) = (Program::new(), Program::new());
    let (here_running, there_running) = (here.serve(), there.serve());
    let wwwroot = there_running.wwwroot();
    here.done(&["peer", "add", &wwwroot, "--yes"]);
    there.done(&["peer", "add", &here_running.wwwroot(), "--yes"]);
    let unknown = there.run(&["section", "offer", "1", "--peer", &here_running.wwwroot()]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("no section 1"), "{unknown:?}");
    let refused = here.run(&["enrol", "courses", &wwwroot]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--subscribe"), "{refused:?}");
    here.done(&["peer", "allow", &wwwroot, "mnet_enrol", "--subscribe"]);
    let refused = here.run(&["enrol", "courses", &wwwroot]);
    assert!(refused.err.contains("Manage peers"), "{refused:?}");
    let other = here_running.wwwroot();
    there.done(&["peer", "allow", &other, "mnet_enrol", "--publish"]);
    assert_eq!(here.done(&["enrol", "courses", &wwwroot]), "none\n");
    assert_eq!(here.done(&["enrol", "list"]), "none\n");
    for verb in ["add", "remove"] {
        let nobody = here.run(&["enrol", verb, "nobody", &wwwroot, "1"]);
        assert_eq!(nobody.code, 1);
        assert!(nobody.err.contains("nobody"), "{nobody:?}");
    }
}

#[tokio::test]
async fn a_user_is_enrolled_as_nobody_else_and_not_brought_back() {
    let offering = Offering::new();
    let said = |method: &str, argument: Value| {
        let call = Call::parse(method, &[argument]).unwrap().unwrap();
        let author = Author::Peer { id: offering.peer };
        let applied = offering
            .site
            .store
            .write_blocking(move |tx| register::apply(tx, &author, &call, NOW));
        applied.unwrap();
    };
    let everybody = || {
        let filter = PeopleFilter {
            removed: true,
            ..PeopleFilter::default()
        };
        let site = &offering.site;
        site.store
            .read_blocking(|tx| people::list(tx, &filter, NOW, Page::default()))
            .unwrap()
    };
    said("fetch_user", user("zoe"));
    said("fetch_user", user("tom"));
    said("remove_user", fields(&[("idnumber", "tom")]));
    let before = everybody();
    for (idnumber, username) in [
        ("zoe", "mallory"),
        ("other", "zoe"),
        ("tom", "tom"),
        ("", "tom"),
    ] {
        let record = fields(&[
            ("idnumber", idnumber),
            ("username", username),
            ("firstname", "Zoë"),
            ("lastname", "Prøbe"),
            ("email", "zoe@example.org"),
        ]);
        let params = vec![record, offering.courseid()];
        let answer = offering.call("enrol_user", params).await;
        assert_eq!(answer.fault(), 5011, "{idnumber} {username}");
        assert_eq!(everybody(), before, "{idnumber} {username}");
    }
    assert!(enrolled(&offering.site).is_empty());
}

#[tokio::test]
async fn an_enrolment_is_noted_though_the_browser_hangs_up() {
    let two = Two::new().await;
    let account = add_account(&two.here.site, "zoe");
    let course = two.course().await;
    let (peer, by) = (two.there_as_peer(), office());
    let hanging_up = two.remote.enrol(&peer, &account, &course, &by);
    tokio::time::timeout(std::time::Duration::ZERO, hanging_up)
        .await
        .unwrap_err();
    until("a note", || !two.deeds().is_empty()).await;
    assert_eq!(two.known(false).len(), 1);
    assert_eq!(enrolled(&two.there.site).len(), 1);
}
