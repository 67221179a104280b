//! A Moodle with the plugin `local_mnetd`, played: it lists what the test puts into it.

use std::sync::{Arc, Mutex, MutexGuard};

use mnetd::peer::Peer;
use mnetd::store::peers::{self, PeerService};
use mnetd::store::{PeerId, StoreError};
use mnetd::sync::{Order, Report, SyncError, Synchroniser};
use mnetd::xmlrpc::{MethodResponse, Struct, Value};

use super::site::Site;
use super::sso::{Played, fault, success};

/// What happens before a page is answered: the function, and the page asked for, from 0. What it returns
/// is answered instead.
type Hook = Box<dyn FnMut(&str, usize) -> Option<MethodResponse> + Send>;

/// What the Moodle has, each list as it stands on the wire.
#[derive(Default)]
pub struct Lists {
    /// `list_users`.
    pub users: Vec<Value>,
    /// `list_sections`.
    pub sections: Vec<Value>,
    /// `list_enrolments`.
    pub enrolments: Vec<Value>,
    /// `list_assessments`.
    pub assessments: Vec<Value>,
    /// `list_grades`.
    pub grades: Vec<Value>,
    /// Rows on a page, where that is fewer than were asked for.
    pub rows_on_a_page: Option<usize>,
    /// Functions that it does not list.
    pub hidden: Vec<&'static str>,
    hook: Option<Hook>,
}

/// The Moodle.
pub struct Moodle {
    /// Its name, its keys, and what it was asked.
    pub played: Played,
    /// Our row of it.
    pub id: PeerId,
    lists: Arc<Mutex<Lists>>,
}

impl Moodle {
    /// A Moodle beside `site` with nothing in it, whose register we subscribe to.
    pub async fn beside(site: &Site) -> Self {
        let lists = Arc::new(Mutex::new(Lists::default()));
        let answering = Arc::clone(&lists);
        let played = Played::beside(site, move |method, params| {
            answer(&answering, method, params)
        })
        .await;
        let id = played.peer(site).id;
        let moodle = Self { played, id, lists };
        moodle.subscribe(site, true);
        moodle
    }

    /// Whether we subscribe to its register.
    pub fn subscribe(&self, site: &Site, subscribe: bool) {
        let right = PeerService {
            service: "register".to_owned(),
            publish: true,
            subscribe,
        };
        let id = self.id;
        site.store
            .write_blocking(move |tx| -> Result<(), StoreError> {
                peers::set_service(tx, id, &right)
            })
            .unwrap();
    }

    /// What it has.
    pub fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap()
    }

    /// What happens before a page is answered.
    pub fn before_a_page(
        &self,
        hook: impl FnMut(&str, usize) -> Option<MethodResponse> + Send + 'static,
    ) {
        self.lists().hook = Some(Box::new(hook));
    }

    /// Nothing happens any more.
    pub fn undisturbed(&self) {
        self.lists().hook = None;
    }

    /// As the site knows it.
    pub fn peer(&self, site: &Site) -> Peer {
        self.played.peer(site)
    }

    /// Synchronises it.
    pub async fn synchronise(&self, site: &Site) -> Result<Report, SyncError> {
        self.synchronise_as(site, order()).await
    }

    /// Synchronises it in some way.
    pub async fn synchronise_as(&self, site: &Site, order: Order) -> Result<Report, SyncError> {
        synchroniser(site)
            .run(&self.peer(site), order, &|_| {})
            .await
    }

    /// A school of `users` students and a teacher, with `sections` sections that everybody is in, each with
    /// an assessment in which every student has a grade.
    pub fn fill(&self, users: usize, sections: usize) {
        let mut lists = self.lists();
        lists.users.push(user("t1", 1));
        for number in 1..=users {
            lists.users.push(user(&format!("u{number}"), number + 1));
        }
        for section in 1..=sections {
            let id = format!("c{section}");
            lists.sections.push(self::section(&id, &["t1"]));
            lists
                .enrolments
                .push(enrolment(&id, "t1", "teacher", 1_700_000_000));
            let assessment = format!("a{section}");
            lists.assessments.push(self::assessment(&assessment, &id));
            for number in 1..=users {
                let user = format!("u{number}");
                lists
                    .enrolments
                    .push(enrolment(&id, &user, "student", 1_700_000_000));
                lists.grades.push(grade(&assessment, &user, 7.5));
            }
        }
    }
}

/// What synchronises a site.
pub fn synchroniser(site: &Site) -> Synchroniser {
    Synchroniser::new(site.store.clone(), site.client.clone(), site.clock.clone())
}

/// An order for everything, by the office.
pub fn order() -> Order {
    Order {
        asked_by: "office".to_owned(),
        ..Order::default()
    }
}

/// A user as `list_users` has it.
pub fn user(id: &str, moodle_id: usize) -> Value {
    Struct::new()
        .with("idnumber", id)
        .with("username", format!("name-{id}"))
        .with("firstname", "Zoë")
        .with("lastname", "Prøbe")
        .with("email", "zoe@example.org")
        .with("city", "")
        .with("suspended", false)
        .with("moodle_id", i32::try_from(moodle_id).unwrap())
        .into()
}

/// A section as `list_sections` has it.
pub fn section(id: &str, teachers: &[&str]) -> Value {
    let teachers: Value = teachers.iter().map(|id| Value::from(*id)).collect();
    Struct::new()
        .with("idnumber", id)
        .with("name", format!("Course {id}"))
        .with("teacheridnumber", teachers)
        .with("category", "Science / First year")
        .with("visible", true)
        .into()
}

/// An enrolment as `list_enrolments` has it.
pub fn enrolment(section: &str, user: &str, role: &str, since: i64) -> Value {
    Struct::new()
        .with("sectionid", section)
        .with("userid", user)
        .with("role", role)
        .with("effective_at", since)
        .into()
}

/// An assessment as `list_assessments` has it.
pub fn assessment(id: &str, section: &str) -> Value {
    Struct::new()
        .with("sectionid", section)
        .with("idnumber", id)
        .with("name", format!("Test {id}"))
        .with("pointval", 10.0)
        .with("extra_credit", false)
        .with("itemtype", "mod")
        .into()
}

/// A grade as `list_grades` has it.
pub fn grade(assessment: &str, user: &str, points: f64) -> Value {
    Struct::new()
        .with("assessmentid", assessment)
        .with("userid", user)
        .with("points_earned", points)
        .with("excepted", false)
        .with("graded_at", 1_700_000_000_i64)
        .into()
}

/// A struct with another value for a member.
pub fn changed(value: &Value, member: &str, to: impl Into<Value>) -> Value {
    let mut members = value.as_struct().unwrap().clone();
    members.insert(member, to);
    members.into()
}

fn answer(lists: &Mutex<Lists>, method: &str, params: &[Value]) -> MethodResponse {
    let function = method.rsplit('/').next().unwrap();
    let mut lists = lists.lock().unwrap();
    match function {
        "listMethods" => success(methods(&lists)),
        "get_user" => success(found(&lists, &params[0])),
        _ if function.starts_with("list_") => list(&mut lists, function, params),
        _ => fault(7012, "no such function"),
    }
}

fn methods(lists: &Lists) -> Vec<Value> {
    [
        "get_user",
        "list_users",
        "list_sections",
        "list_enrolments",
        "list_assessments",
        "list_grades",
    ]
    .into_iter()
    .filter(|name| !lists.hidden.contains(name))
    .map(|name| Value::from(format!("local/mnetd/register.php/{name}")))
    .collect()
}

fn found(lists: &Lists, question: &Value) -> Value {
    let wanted = question.get("idnumber");
    let mut users = lists.users.iter();
    match users.find(|user| user.get("idnumber") == wanted) {
        Some(user) => user.clone(),
        None => Value::Array(Vec::new()),
    }
}

fn list(lists: &mut Lists, function: &str, params: &[Value]) -> MethodResponse {
    // The question, and the binding.
    assert_eq!(params.len(), 2, "{function} has to be bound");
    assert!(params[1].get("mnetd_nonce").is_some(), "{function}");
    let question = &params[0];
    let cursor = question.get("cursor").and_then(Value::as_str).unwrap();
    let start: usize = if cursor.is_empty() {
        0
    } else {
        cursor.parse().unwrap()
    };
    let limit = question.get("limit").and_then(Value::to_integer).unwrap();
    let asked = usize::try_from(limit).unwrap();
    let rows = lists.rows_on_a_page.map_or(asked, |rows| rows.min(asked));
    if let Some(hook) = &mut lists.hook
        && let Some(answer) = hook(function, start / rows)
    {
        return answer;
    }
    let section = question.get("sectionid");
    let all = match function {
        "list_users" => &lists.users,
        "list_sections" => &lists.sections,
        "list_enrolments" => &lists.enrolments,
        "list_assessments" => &lists.assessments,
        "list_grades" => &lists.grades,
        _ => return fault(7012, "no such function"),
    };
    let of_section = |item: &&Value| {
        let Some(section) = section else { return true };
        let own = item.get("sectionid").or_else(|| {
            let of = |assessment: &&Value| assessment.get("idnumber") == item.get("assessmentid");
            lists.assessments.iter().find(of)?.get("sectionid")
        });
        own == Some(section)
    };
    let all: Vec<&Value> = all.iter().filter(of_section).collect();
    let items: Vec<Value> = all
        .iter()
        .skip(start)
        .take(rows)
        .map(|item| (*item).clone())
        .collect();
    let end = start + items.len();
    let total = if start == 0 {
        i64::try_from(all.len()).unwrap()
    } else {
        -1
    };
    success(page(items, (end < all.len()).then_some(end), total))
}

/// A page as it stands on the wire; `next`: where the next one begins.
pub fn page(items: Vec<Value>, next: Option<usize>, total: i64) -> Struct {
    Struct::new()
        .with("items", items)
        .with("next", next.map_or(String::new(), |next| next.to_string()))
        .with("total", total)
        .with("as_of", 1_795_480_242_i64)
}
