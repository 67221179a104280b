//! Remote enrolment, used: our accounts in courses of peers (docs/protocol.md, Remote enrolment).
//!
//! What peers offer and who of ours is there is kept in [`crate::store::peer_courses`]; this module asks
//! the peers and brings that up to date. The other side, our sections offered to peers, is a matter of
//! the register ([`crate::register::remote`]).

mod answers;
mod error;

pub use answers::{MAX_COURSES, MAX_ENROLLED, MAX_SUMMARY, courses as read_courses};
pub use error::EnrolError;

use crate::clock::Clock;
use crate::peer::{CallError, Client, Peer};
use crate::register::remote::SERVICE;
use crate::store::accounts::{self, Account};
use crate::store::audit::{self, Actor, Deed};
use crate::store::peer_courses::{self, PeerCourse, PeerCourseEnrolmentFilter};
use crate::store::{MAX_PAGE, Store, StoreError, WriteTx, people};
use crate::xmlrpc::{Struct, Value};

use answers::Enrolled;

/// Where Moodle and mnetd have the functions of remote enrolment.
const FUNCTIONS: &str = "enrol/mnet/enrol.php";

/// What Moodle's client says of how a user signs in at home. Moodle's server makes `mnet` of it.
const AUTH: &str = "manual";

/// Enrols our accounts at peers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RemoteEnrolment {
    store: Store,
    client: Client,
    clock: Clock,
}

/// What a look at a peer's courses brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// How many courses the peer offers.
    pub offered: usize,
    /// How many it had offered before and no longer does.
    pub withdrawn: usize,
}

impl RemoteEnrolment {
    /// Remote enrolment of the accounts in `store`.
    #[must_use]
    pub fn new(store: Store, client: Client, clock: Clock) -> Self {
        Self {
            store,
            client,
            clock,
        }
    }

    /// Asks a peer which courses it offers, and notes them.
    ///
    /// # Errors
    /// As [`EnrolError`] says; nothing is then changed here.
    pub async fn refresh_courses(&self, peer: &Peer) -> Result<Refreshed, EnrolError> {
        let answer = self.call(peer, "available_courses", Vec::new()).await?;
        let courses = answers::courses(&peer.wwwroot, &answer)?;
        let (id, now) = (peer.id, self.clock.now());
        let noted = move |tx: &WriteTx<'_>| -> Result<Refreshed, StoreError> {
            let numbers = courses
                .iter()
                .map(|course| peer_courses::note_offered(tx, id, course, now))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Refreshed {
                offered: numbers.len(),
                withdrawn: peer_courses::withdraw_others(tx, id, &numbers)?,
            })
        };
        Ok(self.store.write(noted).await?)
    }

    /// Asks a peer who of ours is in one of its courses, and notes it; how many those are. Users the
    /// peer names whom we do not have are passed over.
    ///
    /// # Errors
    /// As [`EnrolError`] says; nothing is then changed here.
    pub async fn refresh_enrolments(
        &self,
        peer: &Peer,
        course: &PeerCourse,
    ) -> Result<usize, EnrolError> {
        let params = vec![course_number(&course.fields.remote_id)];
        let answer = self.call(peer, "course_enrolments", params).await?;
        let enrolled = answers::enrolled(&peer.wwwroot, &answer)?;
        let (course, now) = (course.id, self.clock.now());
        let noted = move |tx: &WriteTx<'_>| -> Result<usize, StoreError> {
            let mut ours = Vec::new();
            for user in &enrolled {
                let Some(account) = accounts::find(tx, &user.username)? else {
                    continue;
                };
                let Enrolled { role, by_us, .. } = user;
                let since = user.since.unwrap_or(now);
                peer_courses::note_enrolment(tx, account.id, course, role, *by_us, since)?;
                ours.push(account.id);
            }
            let filter = PeerCourseEnrolmentFilter {
                course: Some(course),
                ..PeerCourseEnrolmentFilter::default()
            };
            let mut after = None;
            loop {
                let rows = peer_courses::enrolments(tx, &filter, after, MAX_PAGE)?;
                let Some(last) = rows.last() else {
                    return Ok(ours.len());
                };
                after = Some((last.account, last.course));
                for row in rows.iter().filter(|row| !ours.contains(&row.account)) {
                    peer_courses::end_enrolment(tx, row.account, course, now)?;
                }
            }
        };
        Ok(self.store.write(noted).await?)
    }

    /// Enrols an account of ours in a peer's course, and notes who wanted it. One that is enrolled
    /// already stays so.
    ///
    /// # Errors
    /// As [`EnrolError`] says. Where the peer was asked and the database then fails, the peer has
    /// enrolled; [`RemoteEnrolment::refresh_enrolments`] finds it.
    pub async fn enrol(
        &self,
        peer: &Peer,
        account: &Account,
        course: &PeerCourse,
        by: &Actor,
    ) -> Result<(), EnrolError> {
        let (this, peer, account) = (self.clone(), peer.clone(), account.clone());
        let (course, by) = (course.clone(), by.clone());
        // A browser that hangs up once the peer was asked does not keep it from being noted.
        let enrolling =
            tokio::spawn(async move { this.enrol_and_note(&peer, &account, &course, &by).await });
        enrolling
            .await
            .unwrap_or(Err(EnrolError::Store(StoreError::Panicked)))
    }

    async fn enrol_and_note(
        &self,
        peer: &Peer,
        account: &Account,
        course: &PeerCourse,
        by: &Actor,
    ) -> Result<(), EnrolError> {
        if account.disabled_at.is_some() {
            return Err(EnrolError::Disabled(account.username.clone()));
        }
        if !course.offered {
            return Err(EnrolError::not_offered(peer, course));
        }
        let user = self.user(peer, account).await?;
        let courseid = Value::from(course.fields.remote_id.as_str());
        self.command(peer, course, "enrol_user", vec![user, courseid])
            .await?;
        let (account, course, by) = (account.clone(), course.clone(), by.clone());
        let (now, wwwroot) = (self.clock.now(), peer.wwwroot.to_string());
        let noted = move |tx: &WriteTx<'_>| -> Result<(), StoreError> {
            peer_courses::note_enrolment(tx, account.id, course.id, "", true, now)?;
            let deed = Deed {
                action: "account enrolled",
                object: &account.username,
                details: &place(&course, &wwwroot),
            };
            audit::note(tx, &by, &deed, now)
        };
        Ok(self.store.write(noted).await?)
    }

    /// Ends an enrolment that was made from here, and notes who wanted it.
    ///
    /// # Errors
    /// As [`EnrolError`] says; [`EnrolError::TheirOwn`] where the peer enrolled the user itself.
    pub async fn unenrol(
        &self,
        peer: &Peer,
        account: &Account,
        course: &PeerCourse,
        by: &Actor,
    ) -> Result<(), EnrolError> {
        let (this, peer, account) = (self.clone(), peer.clone(), account.clone());
        let (course, by) = (course.clone(), by.clone());
        // A browser that hangs up once the peer was asked does not keep it from being noted.
        let ending =
            tokio::spawn(async move { this.unenrol_and_note(&peer, &account, &course, &by).await });
        ending
            .await
            .unwrap_or(Err(EnrolError::Store(StoreError::Panicked)))
    }

    async fn unenrol_and_note(
        &self,
        peer: &Peer,
        account: &Account,
        course: &PeerCourse,
        by: &Actor,
    ) -> Result<(), EnrolError> {
        let (id, course_id) = (account.id, course.id);
        let standing = self.store.read(move |tx| -> Result<_, StoreError> {
            peer_courses::find_enrolment(tx, id, course_id)
        });
        let standing = standing.await?;
        if standing.is_some_and(|row| row.ended_at.is_none() && !row.by_us) {
            return Err(EnrolError::TheirOwn {
                peer: peer.wwwroot.clone(),
                username: account.username.clone(),
                course: course.fields.fullname.clone(),
            });
        }
        let params = vec![
            Value::from(account.username.as_str()),
            Value::from(course.fields.remote_id.as_str()),
        ];
        self.command(peer, course, "unenrol_user", params).await?;
        let (account, course, by) = (account.clone(), course.clone(), by.clone());
        let (now, wwwroot) = (self.clock.now(), peer.wwwroot.to_string());
        let noted = move |tx: &WriteTx<'_>| -> Result<(), StoreError> {
            peer_courses::end_enrolment(tx, account.id, course.id, now)?;
            let deed = Deed {
                action: "account unenrolled",
                object: &account.username,
                details: &place(&course, &wwwroot),
            };
            audit::note(tx, &by, &deed, now)
        };
        Ok(self.store.write(noted).await?)
    }

    /// What a peer learns of a user who is enrolled: Moodle's forced fields, and the ID number where the
    /// account belongs to somebody in the register and the peer may know it.
    async fn user(&self, peer: &Peer, account: &Account) -> Result<Value, EnrolError> {
        let mut user = Struct::with_capacity(6)
            .with("auth", AUTH)
            .with("username", account.username.as_str())
            .with("firstname", account.firstname.as_str())
            .with("lastname", account.lastname.as_str())
            .with("email", account.email.as_str());
        if let Some(person) = account.person {
            let person = self
                .store
                .read(move |tx| -> Result<_, StoreError> { people::get(tx, person) })
                .await?;
            if let Some(idnumber) = person
                .as_ref()
                .and_then(|found| found.idnumber_for(peer.id))
            {
                user.insert("idnumber", idnumber);
            }
        }
        Ok(user.into())
    }

    /// A call that a peer answers with `true` or a fault.
    async fn command(
        &self,
        peer: &Peer,
        course: &PeerCourse,
        function: &'static str,
        params: Vec<Value>,
    ) -> Result<(), EnrolError> {
        let answer = self.call(peer, function, params).await;
        let answer = answer.map_err(|error| error.about(course))?;
        if answer.to_boolean() == Some(true) {
            return Ok(());
        }
        Err(EnrolError::Answer {
            peer: peer.wwwroot.clone(),
            function,
            problem: format!("a {} that is not true; expected true", answer.kind()),
        })
    }

    async fn call(
        &self,
        peer: &Peer,
        function: &'static str,
        params: Vec<Value>,
    ) -> Result<Value, EnrolError> {
        let answer = match self.path(peer, function).await {
            Ok(path) => self.client.call(peer, &path, params).await,
            Err(error) => Err(error),
        };
        answer.map_err(EnrolError::from_call)
    }

    /// Where a peer has a function: plugins may stand anywhere.
    async fn path(&self, peer: &Peer, function: &str) -> Result<String, CallError> {
        let usual = format!("{FUNCTIONS}/{function}");
        if !peer.we_may_call(SERVICE.name) {
            // The call will say so.
            return Ok(usual);
        }
        match self.client.find_function(peer, function).await {
            Ok(Some(path)) => Ok(path),
            // It may hide its list, or publish the service since; what it does not offer it refuses.
            Ok(None) | Err(CallError::Fault { .. }) => Ok(usual),
            Err(error) => Err(error),
        }
    }
}

/// Moodle's own client sends the id of a course as an int where it asks, and as a text where it enrols.
fn course_number(remote_id: &str) -> Value {
    match remote_id.parse::<i32>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::from(remote_id),
    }
}

/// A course of a peer, for the history of what administrators did.
fn place(course: &PeerCourse, wwwroot: &str) -> String {
    format!(
        "in {} (course {} of {wwwroot})",
        course.fields.fullname, course.fields.remote_id
    )
}
