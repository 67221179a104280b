//! A served site with a class in it: two sections of a peer, their teachers and students, an assessment.

use mnetd::register::{self, Author, Call, RegisterError, Reply};
use mnetd::sso::{NewMember, Password, accounts};
use mnetd::store::accounts::AccountRole;
use mnetd::store::grades::{self, GradeRecord};
use mnetd::store::{AssessmentId, PeerId, PersonId, ReadTx, SectionId, StoreError, audit};
use mnetd::xmlrpc::Value;

use super::site::{NOW, Served, Site, Stranger, fields};
use super::visitor::{PASSWORD, Visitor, add_account};

/// The class.
pub struct Classroom {
    /// The site it is in.
    pub served: Served,
    /// Where the console is.
    pub base: String,
    /// Whose rows they are.
    pub peer: PeerId,
    /// “Biology <1>”, taught by Thora, with the students Uma and Ulf.
    pub section: SectionId,
    /// “Chemistry”, taught by Tim, with nobody in it.
    pub other_section: SectionId,
    /// “Quiz & more” in the first, out of 10.
    pub quiz: AssessmentId,
    /// Teaches the first section.
    pub thora: PersonId,
    /// Teaches the other.
    pub tim: PersonId,
    /// A student, Uma <Nordmann>.
    pub uma: PersonId,
    /// Another.
    pub ulf: PersonId,
}

impl Classroom {
    /// Makes it.
    pub async fn open() -> Self {
        let served = Site::served().await;
        let stranger = Stranger::new("https://moodle.example.org");
        let peer = served.site.befriend(&stranger, &[]);
        let base = served.site.wwwroot.to_string();
        let mut room = Self {
            served,
            base,
            peer,
            section: SectionId(0),
            other_section: SectionId(0),
            quiz: AssessmentId(0),
            thora: PersonId(0),
            tim: PersonId(0),
            uma: PersonId(0),
            ulf: PersonId(0),
        };
        room.thora = PersonId(room.user("T1", "thora", "Thora", "Berg"));
        room.tim = PersonId(room.user("T2", "tim", "Tim", "Dahl"));
        room.uma = PersonId(room.user("U1", "uma", "Uma", "<Nordmann>"));
        room.ulf = PersonId(room.user("U2", "ulf", "Ulf", "Öberg"));
        room.section = SectionId(room.section("S1", "Biology <1>", "T1"));
        room.other_section = SectionId(room.section("S2", "Chemistry", "T2"));
        for userid in ["U1", "U2"] {
            room.enrol("S1", userid);
        }
        let quiz = [
            ("idnumber", "A1"),
            ("sectionid", "S1"),
            ("name", "Quiz & more"),
            ("pointval", "10"),
        ];
        room.quiz = AssessmentId(room.call("new_assessment", fields(&quiz)).id);
        room
    }

    /// A call of the peer's.
    #[track_caller]
    pub fn call(&self, method: &str, argument: Value) -> Reply {
        let call = Call::parse(method, &[argument]).unwrap().unwrap();
        let author = Author::Peer { id: self.peer };
        self.served
            .site
            .store
            .write_blocking::<_, RegisterError, _>(move |tx| {
                register::apply(tx, &author, &call, NOW)
            })
            .unwrap()
    }

    /// A user of the peer's.
    pub fn user(&self, idnumber: &str, username: &str, first: &str, last: &str) -> i64 {
        let user = [
            ("idnumber", idnumber),
            ("username", username),
            ("firstname", first),
            ("lastname", last),
            ("email", "somebody@example.org"),
        ];
        self.call("fetch_user", fields(&user)).id
    }

    fn section(&self, idnumber: &str, name: &str, teacher: &str) -> i64 {
        let section = [
            ("idnumber", idnumber),
            ("name", name),
            ("teacheridnumber", teacher),
        ];
        self.call("new_section", fields(&section)).id
    }

    /// Enrols a student.
    pub fn enrol(&self, sectionid: &str, userid: &str) {
        let enrolment = [
            ("sectionid", sectionid),
            ("userid", userid),
            ("role", "student"),
        ];
        self.call("new_enrolment", fields(&enrolment));
    }

    /// The peer grades the quiz.
    pub fn graded(&self, userid: &str, points: &str) {
        let grade = [
            ("assessmentid", "A1"),
            ("userid", userid),
            ("points_earned", points),
        ];
        self.call("new_grade", fields(&grade));
    }

    /// A browser of the office, with a new account called like the role.
    pub async fn office(&self, role: AccountRole) -> Visitor {
        add_account(&self.served.site, role.as_str(), role);
        Visitor::signed_in(&self.base, role.as_str()).await
    }

    /// A browser of somebody in the register, with a new account.
    pub async fn person(&self, person: PersonId, username: &str) -> Visitor {
        let member = NewMember {
            username: username.to_owned(),
            firstname: "A".to_owned(),
            lastname: "Person".to_owned(),
            email: "person@school.example".to_owned(),
            role: AccountRole::Member,
            person: Some(person),
        };
        let hash = Password::typed(PASSWORD).hash().unwrap();
        self.served
            .site
            .store
            .write_blocking(move |tx| accounts::add(tx, &member, &hash, NOW))
            .unwrap();
        Visitor::signed_in(&self.base, username).await
    }

    /// Reads the register.
    pub fn read<T>(&self, read: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.served.site.store.read_blocking(read).unwrap()
    }

    /// The history of somebody's grade; empty where there is none.
    pub fn history(&self, assessment: AssessmentId, person: PersonId) -> Vec<GradeRecord> {
        self.read(|tx| match grades::find(tx, assessment, person)? {
            Some(grade) => grades::history(tx, grade.id),
            None => Ok(Vec::new()),
        })
    }

    /// What stands in the audit log, the latest first.
    pub fn deeds(&self) -> Vec<String> {
        let entries = self.read(|tx| audit::list(tx, None, 100));
        entries.into_iter().map(|entry| entry.action).collect()
    }
}
