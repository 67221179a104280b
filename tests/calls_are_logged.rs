//! Every call, in and out, stands in the log that administrators see; nobody can fill it with rubbish.

mod support;

use mnetd::store::PeerId;
use mnetd::store::calls::{self, CallFilter, Direction, LoggedCall};
use mnetd::xmlrpc::{MethodCall, Value};
use support::program::Program;
use support::site::{NOW, Site, Stranger, fields};

/// Rows at once for calls that nobody's signature proves, and what a slow machine's test may see come
/// on top, one every ten seconds.
const UNPROVEN: usize = 30;
const SLOW: usize = 6;

fn two() -> (Site, Stranger, PeerId) {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    let peer = site.befriend(&stranger, &[("register", true, true)]);
    (site, stranger, peer)
}

/// The log, the oldest first.
async fn logged(site: &Site) -> Vec<LoggedCall> {
    site.store.flush().await.unwrap();
    let mut rows = site
        .store
        .read_blocking(|tx| calls::list(tx, &CallFilter::default(), None, 1_000))
        .unwrap();
    rows.reverse();
    rows
}

fn list_services() -> MethodCall {
    MethodCall::new("system/listServices", Vec::new())
}

#[tokio::test]
async fn a_peers_call_stands_with_its_method_and_its_fault() {
    let (site, stranger, peer) = two();
    let section = fields(&[("idnumber", "s1"), ("name", "Algebra")]);
    let enrolment = fields(&[("sectionid", "none"), ("userid", "x"), ("role", "student")]);
    site.call(&stranger, "register/new_section", vec![section])
        .await
        .value();
    let fault = site
        .call(&stranger, "register/new_enrolment", vec![enrolment])
        .await;
    site.call(&stranger, "system/listServices", Vec::new())
        .await
        .value();
    let rows = logged(&site).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.method.as_str(), row.fault_code))
        .collect();
    assert_eq!(
        told,
        [
            ("register/new_section", None),
            ("register/new_enrolment", Some(8004)),
            ("system/listServices", None)
        ]
    );
    for row in &rows {
        assert_eq!((row.direction, row.peer), (Direction::In, Some(peer)));
        assert_eq!(row.origin.as_deref(), Some("127.0.0.1"));
        assert_eq!((row.at, row.attempts), (NOW, 1));
        assert!(row.microseconds > 0);
    }
    assert_eq!(rows[0].message, None);
    assert_eq!(rows[1].message.as_deref(), Some(fault.message()));
}

#[tokio::test]
async fn who_is_no_peer_stands_under_the_name_it_gave() {
    let (site, _, _) = two();
    let stranger = Stranger::new("http://nobody.example");
    let to = site.certificate();
    let message = stranger.seal(&list_services(), &to, NOW);
    site.answer(message).await.unwrap();
    assert!(site.answer(b"rubbish".to_vec()).await.is_err());
    let rows = logged(&site).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].peer, None);
    assert_eq!(rows[0].origin.as_deref(), Some("http://nobody.example"));
    assert_eq!(rows[0].fault_code, Some(7020));
    assert_eq!(rows[1].origin.as_deref(), Some("127.0.0.1"));
    assert_eq!(rows[1].method, "unread");
    assert!(rows[1].message.is_some() && rows[1].fault_code.is_none());
}

#[tokio::test]
async fn a_certificate_told_for_an_old_key_is_not_written_down() {
    let (site, stranger, _) = two();
    let message = stranger.seal(&list_services(), &site.certificate(), NOW);
    site.keys.rotate(NOW).unwrap();
    site.answer(message).await.unwrap();
    let row = logged(&site).await.remove(0);
    assert_eq!(row.fault_code, Some(7025));
    assert!(!row.message.unwrap().contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn rubbish_takes_a_bounded_number_of_rows_and_hides_no_peer() {
    let (site, stranger, peer) = two();
    for _ in 0..UNPROVEN + 20 {
        assert!(site.answer(b"rubbish".to_vec()).await.is_err());
    }
    // In the peer's name, but signed by somebody else.
    let forger = Stranger::new("http://moodle.example");
    let to = site.certificate();
    for _ in 0..UNPROVEN + 20 {
        let message = forger.seal(&list_services(), &to, NOW);
        site.answer(message).await.unwrap();
    }
    // A copy proves nothing either.
    let heard = stranger.seal(&list_services(), &to, NOW);
    for _ in 0..20 {
        site.answer(heard.clone()).await.unwrap();
    }
    site.call(&stranger, "system/listMethods", Vec::new())
        .await
        .value();
    let rows = logged(&site).await;
    let strangers = rows.iter().filter(|row| row.peer.is_none()).count();
    assert!(
        (UNPROVEN..=UNPROVEN + SLOW).contains(&strangers),
        "{strangers}"
    );
    let of_peer = rows.iter().filter(|row| row.peer == Some(peer));
    let (good, bad): (Vec<_>, Vec<_>) = of_peer.partition(|row| row.fault_code.is_none());
    assert!(
        (UNPROVEN..=UNPROVEN + SLOW).contains(&bad.len()),
        "{}",
        bad.len()
    );
    let good: Vec<_> = good.iter().map(|row| row.method.as_str()).collect();
    assert_eq!(good, ["system/listServices", "system/listMethods"]);
}

#[tokio::test]
async fn a_call_of_ours_stands_with_how_often_it_was_sent() {
    let (here, there) = (Site::served().await, Site::served().await);
    let id = here.site.register_peer(
        there.site.wwwroot.as_str(),
        &there.site.certificate(),
        &[("register", true, true)],
    );
    there.site.register_peer(
        here.site.wwwroot.as_str(),
        &here.site.certificate(),
        &[("register", true, true)],
    );
    let call = async |method: &str| {
        let peer = here.site.peer(&there.site.wwwroot);
        let client = &here.site.client;
        client.call(&peer, method, Vec::<Value>::new()).await
    };
    call("system/listServices").await.unwrap();
    call("system/nothing").await.unwrap_err();
    there.site.keys.rotate(NOW).unwrap();
    call("system/listMethods").await.unwrap();
    // Not allowed here, so nothing goes out.
    call("enrol/mnet/enrol.php/available_courses")
        .await
        .unwrap_err();
    let rows = logged(&here.site).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.method.as_str(), row.fault_code, row.attempts))
        .collect();
    assert_eq!(
        told,
        [
            ("system/listServices", None, 1),
            ("system/nothing", Some(7018), 1),
            ("system/listMethods", None, 2)
        ]
    );
    for row in &rows {
        assert_eq!((row.direction, row.peer), (Direction::Out, Some(id)));
        assert_eq!(row.origin, None);
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_told_in_words() {
    let site = Site::new("http://register.example");
    let silent = Stranger::new("http://127.0.0.1:9");
    site.befriend(&silent, &[]);
    let peer = site.peer(&silent.wwwroot);
    let failed = site
        .client
        .call(&peer, "system/listServices", Vec::new())
        .await;
    assert!(failed.is_err());
    let row = logged(&site).await.remove(0);
    assert_eq!(row.fault_code, None);
    assert!(row.message.unwrap().contains("127.0.0.1:9"));
}

#[test]
fn an_administrator_reads_the_log_at_the_terminal() {
    let (here, there) = (Program::new(), Program::new());
    let (here_running, there_running) = (here.serve(), there.serve());
    let wwwroot = there_running.wwwroot();
    here.done(&["peer", "add", &wwwroot, "--yes"]);
    there.done(&["peer", "add", &here_running.wwwroot(), "--yes"]);
    here.done(&["call", &wwwroot, "system/listServices"]);
    assert_eq!(here.run(&["call", &wwwroot, "nothing"]).code, 1);
    let read = |arguments: &[&str]| {
        let all = [&["activity", "--format", "json"], arguments].concat();
        let rows = here.run(&all).json();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["method"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(&["--out"]), ["nothing", "system/listServices"]);
    assert_eq!(read(&["--out", "--faults"]), ["nothing"]);
    assert_eq!(read(&["--peer", &wwwroot, "--limit", "1"]), ["nothing"]);
    assert_eq!(
        read(&["--method", "system/", "--out"]),
        ["system/listServices"]
    );
    let table = here.done(&["activity", "--out"]);
    assert!(table.contains(&wwwroot) && table.contains("713"), "{table}");
    assert_eq!(here.run(&["activity", "--in", "--out"]).code, 2);
}
