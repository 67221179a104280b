//! Clients that take the server's time and room: each is cut off, and the others are served.

mod support;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mnetd::keys::Certificate;
use mnetd::rpc::{HttpLimits, MAX_HEADER_BYTES, SHORT_BODY_BYTES};
use mnetd::store::{Page, sections};
use mnetd::xmlrpc::{Encoding, MethodCall, encode_call};
use support::site::{NOW, Served, Site, Stranger, fields};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{interval, timeout};

/// Longer than anything here takes on a busy machine: what is not there by then does not come.
const DEADLINE: Duration = Duration::from_secs(30);

/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(300);

/// A socket's buffer where little is to be on the way between two ends.
const LITTLE_ROOM: u32 = 16 * 1024;

const PUBLIC_KEY: &str = "GET /mnet/publickey.php HTTP/1.1\r\nHost: a\r\n\r\n";

/// A connection that is written to and read from byte by byte.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await.unwrap();
        Self::over(stream)
    }

    /// As [`Connection::to`]; what is sent does not pile up on the way.
    async fn to_with_little_room(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(LITTLE_ROOM).unwrap();
        Self::over(within(socket.connect(address)).await.unwrap())
    }

    fn over(stream: TcpStream) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Reads one reply, its body by its Content-Length.
    async fn reply(&mut self) -> Reply {
        let head = self.receive_head().await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        while self.received.len() < length {
            assert!(self.receive().await, "cut off within the body: {head}");
        }
        Reply {
            status: status(&head),
            body: self.received.drain(..length).collect(),
        }
    }

    /// Waits until the server asks for the body: from then on the call is under way.
    async fn continues(&mut self) {
        let head = self.receive_head().await;
        assert_eq!(status(&head), 100, "{head}");
    }

    /// Reads until the server closes; what came by then.
    async fn rest(&mut self) -> String {
        while self.receive().await {}
        String::from_utf8_lossy(&self.received).into_owned()
    }

    async fn receive_head(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                let head: Vec<u8> = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.receive().await, "the connection ended before a reply");
        }
    }

    /// Reads once; false at the end of the connection.
    async fn receive(&mut self) -> bool {
        match within(self.stream.read_buf(&mut self.received)).await {
            Ok(length) => length > 0,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn has_a_reply(&mut self) -> bool {
        match self.stream.try_read_buf(&mut self.received) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}

async fn within<F: Future>(future: F) -> F::Output {
    timeout(DEADLINE, future).await.expect("it does not come")
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len())
        .position(|window| window == pattern)
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

fn served(limits: HttpLimits) -> (Served, Stranger) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(LITTLE_ROOM).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1024).unwrap();
    let site = Site::new(&format!("http://{}", listener.local_addr().unwrap()));
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[("register", true, false)]);
    (site.serve_within(listener, limits), stranger)
}

/// The head and the body of a call that makes one section.
fn new_section(stranger: &Stranger, to: &Certificate) -> (String, Vec<u8>) {
    let section = fields(&[("idnumber", "s1"), ("name", "Algebra")]);
    let call = MethodCall::new("register/new_section", vec![section]);
    let body = stranger.seal(&call, to, NOW);
    (post(body.len()), body)
}

fn post(length: usize) -> String {
    format!(
        "POST /mnet/xmlrpc/server.php HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn section_count(site: &Site) -> usize {
    let filter = sections::SectionFilter::default();
    site.store
        .read_blocking(|tx| sections::list(tx, &filter, Page::default()))
        .unwrap()
        .len()
}

/// Sends `bytes` over and over, one at a time, until the server has had enough of it.
async fn dribble(connection: &mut Connection, bytes: &[u8]) -> Duration {
    let started = Instant::now();
    let mut pause = interval(SHORT / 20);
    for byte in bytes.iter().cycle() {
        tokio::select! {
            _ = connection.stream.readable() => break,
            _ = pause.tick() => {}
        }
        if connection.stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "the server goes on waiting");
    }
    started.elapsed()
}

#[tokio::test]
async fn a_head_sent_too_slowly_ends_the_connection() {
    let limits = HttpLimits {
        header_timeout: SHORT,
        ..HttpLimits::default()
    };
    let (served, _) = served(limits);
    // One that says nothing at all, one in the middle of a line, one that never comes to the end.
    for beginning in ["", "POST /mnet/xml", "GET / HTTP/1.1\r\n"] {
        let started = Instant::now();
        let mut connection = Connection::to(served.address).await;
        connection.send(beginning).await;
        assert_eq!(connection.rest().await, "", "{beginning:?}");
        assert!(started.elapsed() >= SHORT, "{beginning:?}");
    }
    // What goes on sending is not longer waited for than what is silent.
    let mut connection = Connection::to(served.address).await;
    connection.send("GET / HTTP/1.1\r\n").await;
    assert!(dribble(&mut connection, b"a: b\r\n").await >= SHORT / 2);
    assert_eq!(connection.rest().await, "");
    // Nor is a connection that was used before and is idle.
    let mut connection = Connection::to(served.address).await;
    connection.send(PUBLIC_KEY).await;
    assert_eq!(connection.reply().await.status, 200);
    assert_eq!(connection.rest().await, "");
}

#[tokio::test]
async fn a_body_sent_too_slowly_is_given_up() {
    let limits = HttpLimits {
        body_timeout: SHORT,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let (head, body) = new_section(&stranger, &served.site.certificate());
    let mut silent = Connection::to(served.address).await;
    silent.send(&head).await;
    silent.continues().await;
    silent.send(&body[..100]).await;
    assert_eq!(silent.reply().await.status, 408);
    let mut slow = Connection::to(served.address).await;
    slow.send(&head).await;
    slow.continues().await;
    assert!(dribble(&mut slow, &body).await >= SHORT / 2);
    assert_eq!(slow.reply().await.status, 408);
    assert_eq!(section_count(&served.site), 0);
    let mut quick = Connection::to(served.address).await;
    quick.send(head).await;
    quick.continues().await;
    quick.send(body).await;
    assert_eq!(quick.reply().await.status, 200);
    assert_eq!(section_count(&served.site), 1);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (served, _) = served(HttpLimits::default());
    let request = |length: usize| {
        let (beginning, end) = ("GET / HTTP/1.1\r\nHost: a\r\na: ", "\r\n\r\n");
        let filling = "a".repeat(length - beginning.len() - end.len());
        format!("{beginning}{filling}{end}")
    };
    for (length, status) in [(MAX_HEADER_BYTES - 1, 200), (MAX_HEADER_BYTES + 1, 431)] {
        let mut connection = Connection::to(served.address).await;
        connection.send(request(length)).await;
        assert_eq!(connection.reply().await.status, status, "{length}");
    }
    let many = "a: b\r\n".repeat(200);
    let mut connection = Connection::to(served.address).await;
    connection
        .send(format!("GET / HTTP/1.1\r\n{many}\r\n"))
        .await;
    assert_eq!(connection.reply().await.status, 431);
    // A head without end is cut off as well.
    let mut connection = Connection::to(served.address).await;
    let endless = "a".repeat(MAX_HEADER_BYTES * 2);
    connection
        .send(format!("GET / HTTP/1.1\r\na: {endless}"))
        .await;
    assert_eq!(connection.reply().await.status, 431);
}

#[tokio::test]
async fn more_connections_than_the_limit_wait() {
    let limits = HttpLimits {
        max_connections: 2,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let (head, body) = new_section(&stranger, &served.site.certificate());
    let mut first = Connection::to(served.address).await;
    first.send(PUBLIC_KEY).await;
    first.reply().await;
    let mut second = Connection::to(served.address).await;
    second.send(head).await;
    second.continues().await;
    let mut third = Connection::to(served.address).await;
    third.send(PUBLIC_KEY).await;
    // Were the third accepted, it would be answered among these.
    for _ in 0..50 {
        first.send(PUBLIC_KEY).await;
        assert_eq!(first.reply().await.status, 200);
    }
    assert!(!third.has_a_reply());
    second.send(body).await;
    assert_eq!(second.reply().await.status, 200);
    drop(second);
    assert_eq!(third.reply().await.status, 200);
}

#[tokio::test]
async fn long_bodies_wait_for_each_other_and_short_ones_for_nobody() {
    let limits = HttpLimits {
        max_long_bodies: 1,
        long_body_grace: DEADLINE,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let to = served.site.certificate();
    let body = long_call(&stranger, &to);
    let mut first = Connection::to_with_little_room(served.address).await;
    first.send(post(body.len())).await;
    first.continues().await;
    // Far more than there is room for on the way: once it is sent, the server has read most of it.
    let (beginning, end) = body.split_at(body.len() - 1);
    first.send(beginning).await;
    let mut second = Connection::to_with_little_room(served.address).await;
    let request = [post(body.len()).as_bytes(), &body].concat();
    let sending = tokio::spawn(async move {
        second.send(request).await;
        second
    });
    for _ in 0..20 {
        let (head, body) = new_section(&stranger, &to);
        let mut other = Connection::to(served.address).await;
        other.send(head).await;
        other.continues().await;
        other.send(body).await;
        assert_eq!(other.reply().await.status, 200);
    }
    assert!(!sending.is_finished());
    first.send(end).await;
    stranger.open(&first.reply().await.body, &to).value();
    let mut second = within(sending).await.unwrap();
    second.continues().await;
    // It is the same message.
    let answer = stranger.open(&second.reply().await.body, &to);
    assert_eq!(answer.fault(), 8010);
}

#[tokio::test]
async fn a_long_body_that_waits_in_vain_may_be_sent_again() {
    let limits = HttpLimits {
        max_long_bodies: 0,
        body_timeout: SHORT,
        ..HttpLimits::default()
    };
    let (served, _) = served(limits);
    for (length, status) in [(SHORT_BODY_BYTES, 400), (SHORT_BODY_BYTES + 1, 503)] {
        let mut connection = Connection::to(served.address).await;
        connection.send(post(length)).await;
        connection.continues().await;
        connection.send(vec![b'a'; length]).await;
        assert_eq!(connection.reply().await.status, status, "{length}");
    }
}

#[tokio::test]
async fn long_bodies_sent_slowly_keep_no_places() {
    let limits = HttpLimits {
        max_long_bodies: 1,
        body_timeout: DEADLINE * 2,
        long_body_grace: SHORT,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let to = served.site.certificate();
    let body = long_call(&stranger, &to);
    let (beginning, rest) = body.split_at(SHORT_BODY_BYTES + 1);
    for dribbles in [false, true] {
        let mut slow = Connection::to(served.address).await;
        slow.send(post(body.len())).await;
        slow.continues().await;
        slow.send(beginning).await;
        if dribbles {
            dribble(&mut slow, rest).await;
        }
        assert_eq!(slow.reply().await.status, 408, "{dribbles}");
    }
    let mut quick = Connection::to(served.address).await;
    quick.send(post(body.len())).await;
    quick.continues().await;
    quick.send(&body).await;
    stranger.open(&quick.reply().await.body, &to).value();
}

#[tokio::test]
async fn a_long_body_that_keeps_the_pace_may_take_its_time() {
    let limits = HttpLimits {
        long_body_grace: SHORT,
        // So that half the body earns minutes.
        long_body_rate: 1024,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let to = served.site.certificate();
    let body = long_call(&stranger, &to);
    let mut steady = Connection::to_with_little_room(served.address).await;
    steady.send(post(body.len())).await;
    steady.continues().await;
    let (beginning, end) = body.split_at(body.len() / 2);
    steady.send(beginning).await;
    tokio::time::sleep(SHORT * 2).await;
    steady.send(end).await;
    stranger.open(&steady.reply().await.body, &to).value();
}

#[tokio::test]
async fn who_hangs_up_leaves_the_place_to_the_work_that_goes_on() {
    let limits = HttpLimits {
        max_long_bodies: 1,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let to = served.site.certificate();
    // A message with a bad signature makes us ask its peer, and this one does not answer.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("http://{}", silent.local_addr().unwrap());
    let known = Stranger::new(&name);
    served.site.befriend(&known, &[("register", true, false)]);
    let body = long_call(&Stranger::new(&name), &to);
    let mut first = Connection::to(served.address).await;
    first
        .send([post(body.len()).as_bytes(), &body].concat())
        .await;
    let (asked, _) = within(silent.accept()).await.unwrap();
    drop(first);

    let body = long_call(&stranger, &to);
    let mut second = Connection::to_with_little_room(served.address).await;
    let request = [post(body.len()).as_bytes(), &body].concat();
    let sending = tokio::spawn(async move {
        second.send(request).await;
        second
    });
    for _ in 0..20 {
        let (head, body) = new_section(&stranger, &to);
        let mut other = Connection::to(served.address).await;
        other.send(head).await;
        other.continues().await;
        other.send(body).await;
        assert_eq!(other.reply().await.status, 200);
    }
    assert!(!sending.is_finished());
    // With the question the work ends.
    drop((asked, silent));
    let mut second = within(sending).await.unwrap();
    second.continues().await;
    stranger.open(&second.reply().await.body, &to).value();
}

/// A call of more than a megabyte, most of it blank.
fn long_call(stranger: &Stranger, to: &Certificate) -> Vec<u8> {
    let call = MethodCall::new("system/listServices", Vec::new());
    let mut payload = encode_call(&call, Encoding::Utf8);
    payload.resize(payload.len() + (1 << 20), b'\n');
    stranger.seal_bytes(stranger.sign_payload(&payload, NOW), to)
}

#[tokio::test]
async fn who_takes_no_answers_does_not_keep_a_place() {
    let limits = HttpLimits {
        max_connections: 1,
        write_timeout: SHORT,
        ..HttpLimits::default()
    };
    let (served, _) = served(limits);
    for takes_a_little in [false, true] {
        let socket = TcpSocket::new_v4().unwrap();
        // So that little of the answers fits between the two.
        socket.set_recv_buffer_size(4096).unwrap();
        let greedy = within(socket.connect(served.address)).await.unwrap();
        let asking = tokio::spawn(ask_without_end(greedy, takes_a_little));
        let mut other = Connection::to(served.address).await;
        other.send(PUBLIC_KEY).await;
        assert_eq!(other.reply().await.status, 200);
        within(asking).await.unwrap();
    }
}

/// Asks again and again until the connection ends, and takes at most a byte now and then.
async fn ask_without_end(stream: TcpStream, takes_a_little: bool) {
    let (mut from, mut to) = stream.into_split();
    let taking = tokio::spawn(async move {
        let mut pause = interval(SHORT / 20);
        if takes_a_little {
            loop {
                pause.tick().await;
                let _ = from.read_u8().await;
            }
        }
        // Held open, else the server would notice.
        std::future::pending::<()>().await;
    });
    while to.write_all(PUBLIC_KEY.as_bytes()).await.is_ok() {}
    taking.abort();
}

#[tokio::test]
async fn a_stopping_server_lets_a_call_under_way_end_and_takes_no_new_one() {
    let (served, stranger) = served(HttpLimits::default());
    let address = served.address;
    let certificate = served.site.certificate();
    let (head, body) = new_section(&stranger, &certificate);
    let mut idle = Connection::to(address).await;
    idle.send(PUBLIC_KEY).await;
    idle.reply().await;
    let mut under_way = Connection::to(address).await;
    under_way.send(head).await;
    under_way.continues().await;
    let (site, serving) = served.stop();
    within(refused(address)).await;
    assert_eq!(idle.rest().await, "");
    assert!(!serving.is_finished());
    under_way.send(body).await;
    let reply = under_way.reply().await;
    stranger.open(&reply.body, &certificate).value();
    assert_eq!(under_way.rest().await, "");
    assert_eq!(section_count(&site), 1);
    within(serving).await.unwrap().unwrap();
}

/// Waits until nobody listens there any more.
async fn refused(address: SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_that_does_not_end_does_not_keep_the_server_from_stopping() {
    let limits = HttpLimits {
        shutdown_timeout: SHORT,
        body_timeout: DEADLINE * 2,
        ..HttpLimits::default()
    };
    let (served, stranger) = served(limits);
    let (head, _) = new_section(&stranger, &served.site.certificate());
    let mut endless = Connection::to(served.address).await;
    endless.send(head).await;
    endless.continues().await;
    let started = Instant::now();
    let (_site, serving) = served.stop();
    within(serving).await.unwrap().unwrap();
    assert!(started.elapsed() >= SHORT);
}
