//! Peers in the console: meeting one, agreeing on services, checking, accepting a key, removing; and the
//! links of single sign-on.

mod support;

use mnetd::sso::session::{self, Browser};
use mnetd::sso::user_agent_hash;
use mnetd::store::accounts::AccountRole;
use mnetd::store::peers::{self, Peer as Row, PeerService};
use mnetd::store::sessions::SignedIn;
use mnetd::store::{Page as Part, audit, people};
use reqwest::StatusCode;
use support::site::{NOW, Served, Site, Stranger, user};
use support::sso::{SSO, person_signed_in, stored, take_up};
use support::visitor::{Visitor, add_account};

const RUBBISH: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

/// Our site, with an administrator and a reader, and another that stands in for a Moodle.
struct Two {
    ours: Served,
    theirs: Served,
    base: String,
    there: String,
}

impl Two {
    async fn new() -> Self {
        let (ours, theirs) = (Site::served().await, Site::served().await);
        add_account(&ours.site, "admin", AccountRole::Administrator);
        add_account(&ours.site, "reader", AccountRole::Reader);
        add_account(&ours.site, "member", AccountRole::Member);
        let base = ours.site.wwwroot.to_string();
        let there = theirs.site.wwwroot.to_string();
        Self {
            ours,
            theirs,
            base,
            there,
        }
    }

    /// As [`Two::new`], and each knows the other, with these services as seen from each side.
    async fn acquainted(here: &[(&str, bool, bool)], there: &[(&str, bool, bool)]) -> (Self, i64) {
        let two = Self::new().await;
        let id = two
            .ours
            .site
            .register_peer(&two.there, &two.theirs.site.certificate(), here);
        two.theirs
            .site
            .register_peer(&two.base, &two.ours.site.certificate(), there);
        (two, id.0)
    }

    async fn admin(&self) -> Visitor {
        Visitor::signed_in(&self.base, "admin").await
    }

    async fn reader(&self) -> Visitor {
        Visitor::signed_in(&self.base, "reader").await
    }

    fn peers(&self) -> Vec<Row> {
        let store = &self.ours.site.store;
        store
            .read_blocking(|tx| peers::list(tx, Part::default()))
            .unwrap()
    }

    fn services(&self) -> Vec<PeerService> {
        let id = self.peers()[0].id;
        let store = &self.ours.site.store;
        store.read_blocking(|tx| peers::services(tx, id)).unwrap()
    }

    fn last_deed(&self) -> audit::Entry {
        let store = &self.ours.site.store;
        let mut noted = store.read_blocking(|tx| audit::list(tx, None, 1)).unwrap();
        noted.remove(0)
    }

    fn their_fingerprint(&self) -> String {
        self.theirs.site.certificate().fingerprint().to_string()
    }
}

fn right(service: &str, publish: bool, subscribe: bool) -> PeerService {
    PeerService {
        service: service.to_owned(),
        publish,
        subscribe,
    }
}

#[tokio::test]
async fn a_peer_is_met_shown_and_added() {
    let two = Two::new().await;
    let mut admin = two.admin().await;
    let fields = [("url", two.there.as_str()), ("application", "")];
    let page = admin.post_from("/peers/add", "/peers/add", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let fingerprint = two.their_fingerprint();
    assert!(page.text.contains(&fingerprint));
    assert!(page.text.contains("Moodle"));
    assert!(two.peers().is_empty(), "nothing is stored before the yes");

    let csrf = page.csrf();
    let agreed = [
        ("url", two.there.as_str()),
        ("application", "moodle"),
        ("fingerprint", fingerprint.as_str()),
        ("csrf", csrf.as_str()),
    ];
    let page = admin.post("/peers/add/confirm", &agreed).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let page = admin.get(&page.location.unwrap()).await;
    assert!(page.text.contains("The peer is added"), "{}", page.text);
    assert!(page.text.contains(&fingerprint));
    assert_eq!(two.peers().len(), 1);
    assert!(two.services().contains(&right("register", true, true)));
    let deed = two.last_deed();
    assert_eq!(
        (deed.action.as_str(), deed.object),
        ("peer added", two.there.clone())
    );

    // Once more: it is one already.
    let page = admin.post("/peers/add/confirm", &agreed).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("a peer already"), "{}", page.text);
}

#[tokio::test]
async fn a_certificate_that_is_not_the_one_shown_is_not_stored() {
    let two = Two::new().await;
    let mut admin = two.admin().await;
    let shown = two.their_fingerprint();
    // Between the two steps the site hands out another.
    two.theirs.site.keys.rotate(NOW.plus(1)).unwrap();
    for forged in [shown.as_str(), RUBBISH] {
        let agreed = [
            ("url", two.there.as_str()),
            ("application", "moodle"),
            ("fingerprint", forged),
        ];
        let page = admin
            .post_from("/peers/add", "/peers/add/confirm", &agreed)
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("another fingerprint"), "{}", page.text);
        assert!(page.text.contains(&two.their_fingerprint()));
        assert!(two.peers().is_empty());
    }
    let agreed = [
        ("url", two.there.as_str()),
        ("application", "moodle"),
        ("fingerprint", "none"),
    ];
    let page = admin
        .post_from("/peers/add", "/peers/add/confirm", &agreed)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(two.peers().is_empty());
}

#[tokio::test]
async fn what_cannot_be_met_is_told_and_what_was_typed_stays() {
    let two = Two::new().await;
    let mut admin = two.admin().await;
    // A port where nothing listens: it was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for (typed, expected) in [
        ("moodle.example.org", "expected something like"),
        (two.base.as_str(), "this site itself"),
        (dead.as_str(), "could not be reached"),
    ] {
        let fields = [("url", typed), ("application", "mahara")];
        let page = admin.post_from("/peers/add", "/peers/add", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(page.text.contains("role=\"alert\""), "{}", page.text);
        assert!(page.text.contains(expected), "{typed}: {}", page.text);
        assert!(
            page.text.contains(&format!("value=\"{typed}\"")),
            "{}",
            page.text
        );
        assert!(page.text.contains("value=\"mahara\" selected"));
    }
}

#[tokio::test]
async fn a_check_compares_both_sides_and_names_the_boxes() {
    let (two, id) = Two::acquainted(
        &[("register", true, true), ("mnet_enrol", false, true)],
        &[("register", true, false), ("sso_idp", true, false)],
    )
    .await;
    let mut admin = two.admin().await;
    let path = format!("/peers/{id}");
    let page = admin.get(&path).await;
    assert!(page.text.contains("Not checked"), "{}", page.text);
    let page = admin.post_from(&path, &format!("{path}/check"), &[]).await;
    assert_eq!(page.location.as_deref(), Some(path.as_str()));
    let page = admin.get(&path).await;
    assert!(
        page.text.contains("answered, signed and sealed"),
        "{}",
        page.text
    );
    for expected in [
        "we publish, but the peer does not subscribe",
        "we subscribe, but the peer does not publish it to us",
        "the peer publishes it, but we do not subscribe",
    ] {
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
}

#[tokio::test]
async fn a_check_that_fails_says_why() {
    let (two, id) = Two::acquainted(&[], &[]).await;
    // Restored from nothing: its keys are new, and nothing proves them.
    let other = Stranger::new(&two.there);
    let pem = other.pair.certificate().pem().to_owned();
    let before = two.theirs.site.certificate().pem().to_owned();
    let peer = two.peers()[0].id;
    two.ours
        .site
        .store
        .write_blocking(move |tx| peers::set_certificate(tx, peer, &before, &pem))
        .unwrap();
    let mut admin = two.admin().await;
    let path = format!("/peers/{id}");
    let check = format!("{path}/check");
    admin.post_from(&path, &check, &[]).await;
    let page = admin.get(&path).await;
    assert!(page.text.contains("does not prove it"), "{}", page.text);
    assert!(page.text.contains("Accept a new key"));
    assert!(!page.text.contains("--accept-key"), "{}", page.text);

    // Only the key it hands out is taken, and only under its own fingerprint.
    let accept = format!("{path}/key");
    for (typed, expected) in [
        ("rubbish", "64 hexadecimal digits"),
        (RUBBISH, "another fingerprint"),
    ] {
        let fields = [("fingerprint", typed)];
        let page = admin.post_from(&path, &accept, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(expected), "{typed}: {}", page.text);
        assert!(page.text.contains(&format!("value=\"{typed}\"")));
    }
    let offered = two.their_fingerprint();
    let fields = [("fingerprint", offered.as_str())];
    let page = admin.post_from(&path, &accept, &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let deed = two.last_deed();
    assert_eq!(deed.action, "peer key accepted");
    assert!(deed.details.contains(&offered));
    admin.post_from(&path, &check, &[]).await;
    let page = admin.get(&path).await;
    assert!(
        page.text.contains("answered, signed and sealed"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn boxes_are_saved_and_only_those_that_were_shown() {
    let (two, id) =
        Two::acquainted(&[("register", true, true), ("hidden", true, false)], &[]).await;
    let mut admin = two.admin().await;
    let path = format!("/peers/{id}");
    let save = format!("{path}/services");
    let fields = [
        ("service", "register"),
        ("service", "sso_idp"),
        ("publish", "register"),
        ("subscribe", "sso_idp"),
    ];
    let page = admin.post_from(&path, &save, &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert_eq!(
        two.services(),
        [
            right("hidden", true, false),
            right("register", true, false),
            right("sso_idp", false, true),
        ]
    );
    let deed = two.last_deed();
    assert_eq!(deed.action, "peer services set");
    assert_eq!(
        deed.details,
        "register: publish yes, subscribe no; sso_idp: publish no, subscribe yes"
    );
    // Saved again as it is: nothing to note.
    admin.post_from(&path, &save, &fields).await;
    assert_eq!(two.last_deed().id, deed.id);
    let page = admin.get(&path).await;
    assert!(page.text.contains("Nothing was changed"), "{}", page.text);
}

#[tokio::test]
async fn dialect_addresses_and_binding_are_set() {
    let (two, id) = Two::acquainted(&[], &[]).await;
    let mut admin = two.admin().await;
    let path = format!("/peers/{id}");
    let peer = two.peers()[0].id;
    two.ours
        .site
        .store
        .write_blocking(move |tx| peers::set_binding_required(tx, peer, true))
        .unwrap();

    let fields = [("dialect", "old-php")];
    admin
        .post_from(&path, &format!("{path}/dialect"), &fields)
        .await;
    let row = two.peers().remove(0);
    assert_eq!(
        (row.text_dialect.as_str(), row.text_dialect_fixed),
        ("old-php", true)
    );
    let fields = [("dialect", "auto")];
    admin
        .post_from(&path, &format!("{path}/dialect"), &fields)
        .await;
    let row = two.peers().remove(0);
    assert_eq!(
        (row.text_dialect.as_str(), row.text_dialect_fixed),
        ("utf8", false)
    );

    let to = format!("{path}/addresses");
    let typed = [("addresses", "192.0.2.7\r\nnot an address")];
    let page = admin.post_from(&path, &to, &typed).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("role=\"alert\""));
    assert!(
        page.text.contains("192.0.2.7\r\nnot an address"),
        "what was typed stays"
    );
    let typed = [("addresses", "192.0.2.7\r\n2001:db8::/32")];
    admin.post_from(&path, &to, &typed).await;
    let known = two.ours.site.peer(&two.theirs.site.wwwroot);
    assert_eq!(known.source_addresses.len(), 2);
    assert_eq!(two.last_deed().details, "192.0.2.7/32, 2001:db8::/32");

    let page = admin.post_from(&path, &format!("{path}/unbind"), &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(!two.peers()[0].binding_required);
    assert_eq!(two.last_deed().action, "peer binding lifted");
}

#[tokio::test]
async fn a_peer_is_removed_after_a_question() {
    let (two, id) = Two::acquainted(&[("register", true, true)], &[]).await;
    let mut admin = two.admin().await;
    let path = format!("/peers/{id}/remove");
    let page = admin.get(&path).await;
    assert!(page.text.contains("stays in the register"), "{}", page.text);
    assert_eq!(two.peers().len(), 1, "asking removes nothing");
    let page = admin.post_from(&path, &path, &[]).await;
    assert_eq!(page.location.as_deref(), Some("/peers"));
    assert!(two.peers().is_empty());
    assert_eq!(two.last_deed().action, "peer removed");
    for gone in [format!("/peers/{id}"), path, "/peers/x".to_owned()] {
        assert_eq!(
            admin.get(&gone).await.status,
            StatusCode::NOT_FOUND,
            "{gone}"
        );
    }
    // It can be added again, and is as new.
    let fingerprint = two.their_fingerprint();
    let agreed = [
        ("url", two.there.as_str()),
        ("application", "moodle"),
        ("fingerprint", fingerprint.as_str()),
    ];
    let page = admin
        .post_from("/peers/add", "/peers/add/confirm", &agreed)
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert_eq!(two.peers()[0].id.0, id);
}

#[tokio::test]
async fn readers_see_but_change_nothing() {
    let (two, id) = Two::acquainted(&[("register", true, true)], &[]).await;
    let mut reader = two.reader().await;
    let path = format!("/peers/{id}");
    for (shown, button) in [
        ("/peers", "/peers/add"),
        ("/first-run", "/peers/add"),
        (path.as_str(), "<button>"),
    ] {
        let page = reader.get(shown).await;
        assert_eq!(page.status, StatusCode::OK, "{shown}");
        assert!(!page.text.contains(button), "{shown}: {}", page.text);
    }
    let fingerprint = two.their_fingerprint();
    for to in [
        "check",
        "services",
        "dialect",
        "addresses",
        "key",
        "unbind",
        "remove",
    ] {
        let fields = [
            ("service", "register"),
            ("dialect", "mahara"),
            ("addresses", "192.0.2.7"),
            ("fingerprint", fingerprint.as_str()),
        ];
        let page = reader
            .post_from(&path, &format!("{path}/{to}"), &fields)
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{to}");
    }
    for to in ["/peers/add", "/peers/add/confirm"] {
        let fields = [
            ("url", two.there.as_str()),
            ("application", "moodle"),
            ("fingerprint", fingerprint.as_str()),
        ];
        let page = reader.post_from("/peers", to, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{to}");
    }
    let row = two.peers().remove(0);
    assert_eq!(row.text_dialect.as_str(), "utf8");
    assert_eq!(two.services(), [right("register", true, true)]);
}

#[tokio::test]
async fn without_the_forms_token_nothing_happens() {
    let (two, id) = Two::acquainted(&[("register", true, true)], &[]).await;
    let mut admin = two.admin().await;
    for to in [
        "/peers/add".to_owned(),
        "/peers/add/confirm".to_owned(),
        format!("/peers/{id}/check"),
        format!("/peers/{id}/services"),
        format!("/peers/{id}/dialect"),
        format!("/peers/{id}/addresses"),
        format!("/peers/{id}/key"),
        format!("/peers/{id}/unbind"),
        format!("/peers/{id}/remove"),
    ] {
        let page = admin.post(&to, &[("service", "register")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{to}");
    }
    assert_eq!(two.peers().len(), 1);
    assert_eq!(two.services(), [right("register", true, true)]);
}

#[tokio::test]
async fn the_list_tells_of_a_failure_until_a_call_holds() {
    let (two, _) = Two::acquainted(&[("register", true, true)], &[]).await;
    let peer = two.peers()[0].id;
    let store = two.ours.site.store.clone();
    let failure = "it <b>broke</b>";
    store
        .write_blocking(move |tx| peers::note_failure(tx, peer, NOW, failure))
        .unwrap();
    let mut reader = two.reader().await;
    let page = reader.get("/peers").await;
    assert!(page.text.contains("Failed"), "{}", page.text);
    assert!(!page.text.contains(failure), "a peer's words are no markup");
    store
        .write_blocking(move |tx| peers::note_contact(tx, peer, NOW.plus(1), Some(40)))
        .unwrap();
    let page = reader.get("/peers").await;
    assert!(!page.text.contains("Failed"), "{}", page.text);
    assert!(page.text.contains("40 s ahead of ours"));
    assert!(page.text.contains("register (published, subscribed)"));
}

#[tokio::test]
async fn accounts_find_links_to_where_they_may_go() {
    let outward = [("sso_idp", true, false), ("sso_sp", false, true)];
    let (two, id) = Two::acquainted(&outward, &[]).await;
    let link = format!("/auth/mnet/jump.php?hostid={id}");
    let mut member = Visitor::signed_in(&two.base, "member").await;
    let page = member.get("/network").await;
    assert!(page.text.contains(&link), "{}", page.text);
    assert!(!page.text.contains("For administrators"));

    let mut admin = two.admin().await;
    let page = admin.get("/network").await;
    assert!(
        page.text
            .contains("tick here: Publish of SSO (Service Provider), sso_sp")
    );
    let check = format!("/peers/{id}/check");
    admin.post_from("/network", &check, &[]).await;
    let page = admin.get("/network").await;
    assert!(
        page.text
            .contains("tick there: Subscribe of SSO (Identity Provider), sso_idp")
    );

    let save = format!("/peers/{id}/services");
    admin
        .post_from("/network", &save, &[("service", "sso_sp")])
        .await;
    assert!(!member.get("/network").await.text.contains(&link));
}

#[tokio::test]
async fn who_came_from_a_peer_finds_only_the_way_back() {
    let outward = [("sso_idp", true, true), ("sso_sp", false, true)];
    let (two, id) = Two::acquainted(&outward, &[]).await;
    let peer = two.peers()[0].id;
    let person = take_up(&two.ours.site, Some(peer), user("zoe"));
    let browser = Browser {
        user_agent: user_agent_hash(b"Mozilla/5.0 (a test)"),
        address: "127.0.0.1".to_owned(),
    };
    let (token, _) = two
        .ours
        .site
        .store
        .write_blocking(move |tx| {
            people::set_may_sign_in(tx, person, Some(true))?;
            session::begin(tx, SignedIn::Person { person, peer }, &browser, None, NOW)
        })
        .unwrap();
    let mut guest = Visitor::new(&two.base);
    guest
        .cookies
        .insert("mnetd_session".to_owned(), token.reveal().to_owned());
    let page = guest.get("/network").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(
        !page.text.contains(&format!("hostid={id}")),
        "{}",
        page.text
    );
    assert!(page.text.contains("you cannot go on from here"));
    assert!(page.text.contains(&format!("href=\"{}\"", two.there)));
}

#[tokio::test]
async fn the_first_steps_name_what_to_enter_in_moodle() {
    let two = Two::new().await;
    let mut admin = two.admin().await;
    let page = admin.get("/peers").await;
    assert!(page.text.contains("/first-run"));
    let page = admin.get("/first-run").await;
    let fingerprint = two.ours.site.certificate().fingerprint().to_string();
    for expected in [
        two.base.as_str(),
        fingerprint.as_str(),
        "Add a new host",
        "Review host details",
        "moodle/site:mnetlogintoremote",
        "MNet authentication",
        "rc4",
        "/peers/add",
    ] {
        assert!(page.text.contains(expected), "{expected}");
    }
    let mut member = Visitor::signed_in(&two.base, "member").await;
    for path in ["/first-run", "/peers", "/peers/1"] {
        assert_eq!(
            member.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_came_from_a_peer_is_out_once_it_may_not_vouch() {
    for untick in [true, false] {
        let (two, id) = Two::acquainted(&SSO, &[]).await;
        let site = &two.ours.site;
        let peer = two.peers()[0].id;
        let other = site.befriend(&Stranger::new("https://other.example"), &SSO);
        let [live, others] = [peer, other].map(|peer| {
            let person = take_up(site, Some(peer), user("zoe"));
            site.store
                .write_blocking(move |tx| people::set_may_sign_in(tx, person, Some(true)))
                .unwrap();
            person_signed_in(site, person, peer)
        });
        let mut admin = two.admin().await;
        let page = format!("/peers/{id}");
        if untick {
            let save = format!("{page}/services");
            let shown = [("service", "sso_sp")];
            admin.post_from(&page, &save, &shown).await;
            assert!(stored(site, live.session.id).ended_at.is_none());
            let shown = [("service", "sso_idp"), ("publish", "sso_idp")];
            admin.post_from(&page, &save, &shown).await;
        } else {
            let remove = format!("{page}/remove");
            admin.post_from(&remove, &remove, &[]).await;
        }
        assert!(stored(site, live.session.id).ended_at.is_some(), "{untick}");
        assert!(stored(site, others.session.id).ended_at.is_none());
    }
}
