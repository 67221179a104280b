//! A register with one peer, for tests of its rules.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by a panic

use mnetd::clock::UnixTime;
use mnetd::register::{self, Author, Call, FetchUser, RegisterError, Reply, Status};
use mnetd::store::peers::{self, Application, NewPeer, TextDialect};
use mnetd::store::{PeerId, ReadTx, Store, StoreError, WriteTx};
use mnetd::xmlrpc::Value;
use tempfile::TempDir;

/// When every test begins: 2027-01-15T08:00:00Z.
pub const START: UnixTime = UnixTime(1_800_000_000);

pub const DAY: i64 = 86_400;

/// A struct as a peer sends it.
#[macro_export]
macro_rules! record {
    ($($name:literal : $value:expr),* $(,)?) => {
        ::mnetd::xmlrpc::Value::from(::mnetd::xmlrpc::Struct::new()$(.with($name, $value))*)
    };
}

pub struct School {
    pub store: Store,
    pub peer: PeerId,
    pub now: UnixTime,
    folder: TempDir,
}

impl School {
    /// A register that has met one peer and nobody else.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("mnetd.db")).unwrap();
        let mut school = Self {
            store,
            peer: PeerId(0),
            now: START,
            folder,
        };
        school.peer = school.new_peer("https://moodle.example.org");
        school
    }

    /// With section S1 and the users T1 (a teacher), U1 and U2.
    pub fn in_term() -> Self {
        let school = Self::new();
        for (idnumber, username) in [("T1", "thora"), ("U1", "uma"), ("U2", "ulf")] {
            school.user(idnumber, username);
        }
        school.created("new_section", record! {"idnumber": "S1", "name": "Biology"});
        school
    }

    /// [`School::in_term`] with assessment A1 in S1.
    pub fn with_gradebook() -> Self {
        let school = Self::in_term();
        let quiz =
            record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz", "pointval": "10.00000"};
        school.created("new_assessment", quiz);
        school
    }

    pub fn new_peer(&self, wwwroot: &'static str) -> PeerId {
        let insert = move |tx: &WriteTx<'_>| {
            let peer = NewPeer {
                wwwroot,
                name: "A Moodle",
                application: Application::Moodle,
                certificate: None,
                text_dialect: TextDialect::Utf8,
            };
            peers::insert(tx, &peer, START)
        };
        self.store
            .write_blocking::<_, StoreError, _>(insert)
            .unwrap()
    }

    /// A second peer, the same one each time.
    pub fn new_peer_once(&self) -> PeerId {
        const WWWROOT: &str = "https://second.example.org";
        let known = self.read(|tx| peers::find(tx, WWWROOT));
        known.map_or_else(|| self.new_peer(WWWROOT), |peer| peer.id)
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("mnetd.db")
    }

    pub fn peer_author(&self) -> Author {
        Author::Peer { id: self.peer }
    }

    pub fn admin() -> Author {
        Author::Admin {
            name: "Astrid".to_owned(),
        }
    }

    pub fn call(&self, method: &str, argument: Value) -> Result<Reply, RegisterError> {
        self.call_as(self.peer_author(), method, argument)
    }

    pub fn call_as(
        &self,
        author: Author,
        method: &str,
        argument: Value,
    ) -> Result<Reply, RegisterError> {
        let call = Call::parse(method, &[argument])?.expect("a method of the register");
        self.apply(author, call)
    }

    pub fn apply(&self, author: Author, call: Call) -> Result<Reply, RegisterError> {
        let now = self.now;
        self.store
            .write_blocking(move |tx| register::apply(tx, &author, &call, now))
    }

    /// Calls, and expects a new row; its number.
    #[track_caller]
    pub fn created(&self, method: &str, argument: Value) -> i64 {
        self.status(method, argument, Status::Created)
    }

    /// Calls, and expects a row to change; its number.
    #[track_caller]
    pub fn updated(&self, method: &str, argument: Value) -> i64 {
        self.status(method, argument, Status::Updated)
    }

    /// Calls, and expects nothing to change; the number of the row.
    #[track_caller]
    pub fn unchanged(&self, method: &str, argument: Value) -> i64 {
        self.status(method, argument, Status::Unchanged)
    }

    #[track_caller]
    fn status(&self, method: &str, argument: Value, expected: Status) -> i64 {
        let reply = self.call(method, argument).unwrap();
        assert_eq!(reply.status, expected, "{method}");
        reply.id
    }

    /// Calls, and expects a fault; its text.
    #[track_caller]
    pub fn fault(&self, method: &str, argument: Value, code: i32) -> String {
        let error = self.call(method, argument).unwrap_err();
        assert_eq!(error.code(), Some(code), "{method}: {error}");
        error.to_string()
    }

    pub fn user(&self, idnumber: &str, username: &str) -> i64 {
        self.created("fetch_user", user(idnumber, username))
    }

    pub fn enrol(&self, userid: &str, role: &str) -> i64 {
        self.created("new_enrolment", enrolment(userid, role))
    }

    pub fn read<T>(&self, read: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.read_blocking(read).unwrap()
    }

    pub fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&WriteTx<'_>) -> Result<T, RegisterError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(write).unwrap()
    }

    /// A number from the database behind the register's back.
    pub fn count(&self, sql: &str) -> i64 {
        rusqlite::Connection::open(self.database())
            .unwrap()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }
}

pub fn user(idnumber: &str, username: &str) -> Value {
    record! {
        "idnumber": idnumber,
        "username": username,
        "firstname": "Kari",
        "lastname": "Nordmann",
        "email": "kari@example.org",
    }
}

pub fn enrolment(userid: &str, role: &str) -> Value {
    record! {"sectionid": "S1", "userid": userid, "role": role}
}

pub fn grade(userid: &str, points: impl Into<Value>) -> Value {
    record! {"assessmentid": "A1", "userid": userid, "points_earned": points}
}

/// Expects a user record that needs no asking back.
pub fn is_complete(call: &Call) -> bool {
    matches!(call, Call::FetchUser(FetchUser::Complete(_)))
}
