//! Sites made on the spot: ours with everything, and a peer that is nothing but a name and a key.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mnetd::clock::{Clock, UnixTime};
use mnetd::envelope::{self, Outer};
use mnetd::keys::{Certificate, KeyPair, KeyStore};
use mnetd::peer::{Client, ClientSettings, Peer, Transport};
use mnetd::rpc::{HttpLimits, Rejected, ServeError, Server, ServerSettings, router, serve};
use mnetd::store::peers::{self, Application, NewPeer, PeerService, TextDialect};
use mnetd::store::{PeerId, Store, StoreError};
use mnetd::web::{self, Console, ConsoleSettings};
use mnetd::workers::Workers;
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{
    self, Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_response,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// When nothing else is said: the second the traffic was recorded.
pub const NOW: UnixTime = UnixTime(1_795_480_242);

/// Where in-process calls come from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Our site.
pub struct Site {
    /// Its name.
    pub wwwroot: Wwwroot,
    /// Its clock, set by hand.
    pub clock: Clock,
    /// Its database.
    pub store: Store,
    /// Its keys.
    pub keys: Arc<KeyStore>,
    /// Its client.
    pub client: Client,
    /// Its server.
    pub server: Server,
    /// Where everything is, unless it is somebody else's.
    directory: Option<tempfile::TempDir>,
}

/// A site that listens; it stops when this is dropped.
pub struct Served {
    /// The site.
    pub site: Site,
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<Result<(), ServeError>>,
    stop: oneshot::Sender<()>,
}

/// A peer: a name and a key pair.
pub struct Stranger {
    /// Its name.
    pub wwwroot: Wwwroot,
    /// Its key pair.
    pub pair: KeyPair,
}

/// An answer with its wrapping taken off.
#[derive(Debug)]
pub struct Answer {
    /// What it says.
    pub response: MethodResponse,
    /// Whether it was sealed.
    pub sealed: bool,
    /// Whether it was signed.
    pub signed: bool,
}

impl Site {
    /// A site with fresh keys.
    pub fn new(wwwroot: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::in_directory(directory, wwwroot)
    }

    /// A site recognised by `pair`.
    pub fn with_keys(wwwroot: &str, pair: &KeyPair) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().join("keys");
        make_private(&keys);
        write_private(&keys.join("current.pem"), &pair.to_pem().unwrap());
        Self::in_directory(directory, wwwroot)
    }

    /// The site of that name whose keys and database are in `directory`, at another moment: what it is
    /// told there was told then.
    pub fn beside(directory: &Path, wwwroot: &str, now: UnixTime) -> Self {
        let site = Self::at(directory, wwwroot);
        site.clock.set(now);
        site
    }

    fn in_directory(directory: tempfile::TempDir, wwwroot: &str) -> Self {
        let mut site = Self::at(directory.path(), wwwroot);
        site.directory = Some(directory);
        site
    }

    fn at(directory: &Path, wwwroot: &str) -> Self {
        let wwwroot = Wwwroot::parse(wwwroot).unwrap();
        let clock = Clock::standing_at(NOW);
        let store = Store::open(&directory.join("mnetd.db")).unwrap();
        let keys = Arc::new(KeyStore::open(&directory.join("keys"), &wwwroot, NOW, 28).unwrap());
        let workers = Workers::new().unwrap();
        let client = Client::new(
            ClientSettings {
                wwwroot: wwwroot.clone(),
                max_ahead: 15,
            },
            store.clone(),
            Arc::clone(&keys),
            clock.clone(),
            Transport::new(Duration::from_secs(20), None).unwrap(),
            workers.clone(),
        );
        let server = Server::new(
            ServerSettings {
                wwwroot: wwwroot.clone(),
                max_age: 300,
                max_ahead: 15,
                register_all_hosts: false,
            },
            store.clone(),
            Arc::clone(&keys),
            clock.clone(),
            client.clone(),
            workers,
        );
        Self {
            wwwroot,
            clock,
            store,
            keys,
            client,
            server,
            directory: None,
        }
    }

    /// The same site, but unknown sites may register themselves.
    pub fn open_to_all(mut self) -> Self {
        self.server = Server::new(
            ServerSettings {
                wwwroot: self.wwwroot.clone(),
                max_age: 300,
                max_ahead: 15,
                register_all_hosts: true,
            },
            self.store.clone(),
            Arc::clone(&self.keys),
            self.clock.clone(),
            self.client.clone(),
            Workers::new().unwrap(),
        );
        self
    }

    /// The same site after a restart: everything opened anew from the same directory.
    pub fn restarted(self) -> Self {
        let Self {
            wwwroot,
            clock,
            store,
            server,
            client,
            directory,
            keys,
        } = self;
        drop((store, server, client, keys));
        let directory = directory.expect("a directory of its own");
        let again = Self::in_directory(directory, wwwroot.as_str());
        again.clock.set(clock.now());
        again
    }

    /// A site that listens on a port of its own.
    pub async fn served() -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::new(&format!("http://{address}")).serve(listener)
    }

    /// Lets the site listen.
    pub fn serve(self, listener: TcpListener) -> Served {
        self.serve_within(listener, HttpLimits::default())
    }

    /// As [`Site::serve`], with other limits.
    pub fn serve_within(self, listener: TcpListener, limits: HttpLimits) -> Served {
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let routes = router(self.server.clone(), Vec::new(), &limits, self.pages());
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(listener, routes, &limits, stopped).await
        });
        Served {
            site: self,
            address,
            serving,
            stop,
        }
    }

    /// The console.
    pub fn pages(&self) -> Router {
        web::router(Console::new(ConsoleSettings {
            wwwroot: self.wwwroot.clone(),
            store: self.store.clone(),
            keys: Arc::clone(&self.keys),
            clock: self.clock.clone(),
            client: self.client.clone(),
            trusted_proxies: Vec::new(),
        }))
    }

    /// Our present certificate.
    pub fn certificate(&self) -> Certificate {
        self.keys.ring().current().certificate().clone()
    }

    /// Makes a peer of `stranger`, with the rights `services`: (service, publish, subscribe).
    pub fn befriend(&self, stranger: &Stranger, services: &[(&str, bool, bool)]) -> PeerId {
        self.register_peer(
            stranger.wwwroot.as_str(),
            stranger.pair.certificate(),
            services,
        )
    }

    /// As [`Site::befriend`], for a peer of which only the certificate is known.
    pub fn register_peer(
        &self,
        wwwroot: &str,
        certificate: &Certificate,
        services: &[(&str, bool, bool)],
    ) -> PeerId {
        add_peer(&self.store, wwwroot, certificate, services)
    }

    /// What is known of a peer.
    pub fn peer(&self, wwwroot: &Wwwroot) -> Peer {
        self.store
            .read_blocking(|tx| Peer::find(tx, wwwroot.as_str()))
            .unwrap()
            .unwrap()
    }

    /// Answers a message that comes from this machine.
    pub async fn answer(&self, message: Vec<u8>) -> Result<Vec<u8>, Rejected> {
        self.server.answer(message, HERE).await
    }

    /// Sends a call in the name of `stranger`, signed and sealed now, and opens the answer.
    pub async fn call(&self, stranger: &Stranger, method: &str, params: Vec<Value>) -> Answer {
        let call = MethodCall::new(method, params);
        let message = stranger.seal(&call, &self.certificate(), self.clock.now());
        let answer = self.answer(message).await.unwrap();
        stranger.open(&answer, &self.certificate())
    }
}

impl Served {
    /// Tells the server to stop; what is returned ends when it has.
    pub fn stop(self) -> (Site, JoinHandle<Result<(), ServeError>>) {
        let _ = self.stop.send(());
        (self.site, self.serving)
    }
}

impl Stranger {
    /// A peer with a fresh key pair.
    pub fn new(wwwroot: &str) -> Self {
        let wwwroot = Wwwroot::parse(wwwroot).unwrap();
        let pair = KeyPair::generate(&wwwroot, NOW, 28).unwrap();
        Self { wwwroot, pair }
    }

    /// A `signedMessage` with this call.
    pub fn sign(&self, call: &MethodCall, at: UnixTime) -> Vec<u8> {
        let payload = xmlrpc::encode_call(call, Encoding::Utf8);
        self.sign_payload(&payload, at)
    }

    /// A `signedMessage` with these bytes.
    pub fn sign_payload(&self, payload: &[u8], at: UnixTime) -> Vec<u8> {
        envelope::sign(payload, self.wwwroot.as_str(), at, self.pair.private_key()).unwrap()
    }

    /// A whole message with this call.
    pub fn seal(&self, call: &MethodCall, to: &Certificate, at: UnixTime) -> Vec<u8> {
        self.seal_bytes(self.sign(call, at), to)
    }

    /// An `encryptedMessage` with these bytes.
    pub fn seal_bytes(&self, bytes: Vec<u8>, to: &Certificate) -> Vec<u8> {
        envelope::seal(bytes, self.wwwroot.as_str(), to.public_key()).unwrap()
    }

    /// Takes the wrapping off an answer; a signature must be `signer`'s.
    pub fn open(&self, answer: &[u8], signer: &Certificate) -> Answer {
        let (payload, sealed, signed) = self.unwrap(answer, signer);
        let decoded = decode_response(&payload, Encoding::Utf8, &Limits::default()).unwrap();
        Answer {
            response: decoded.message,
            sealed,
            signed,
        }
    }

    /// The payload of a message sealed to us and signed by `signer`, as it was written.
    pub fn open_payload(&self, message: &[u8], signer: &Certificate) -> Vec<u8> {
        let (payload, sealed, signed) = self.unwrap(message, signer);
        assert!(sealed && signed, "sealed: {sealed}, signed: {signed}");
        payload
    }

    fn unwrap(&self, message: &[u8], signer: &Certificate) -> (Vec<u8>, bool, bool) {
        let (body, sealed) = match Outer::read(message).unwrap() {
            Outer::Encrypted(envelope) => {
                let opened = envelope.open(self.pair.private_key()).unwrap();
                (opened.body, true)
            }
            Outer::Signed(_) | Outer::Plain => (message.to_vec(), false),
        };
        match Outer::read(&body).unwrap() {
            Outer::Signed(message) => {
                let verified = message.verify(signer.public_key()).unwrap();
                (verified.payload().to_vec(), sealed, true)
            }
            _ => (body, sealed, false),
        }
    }
}

impl Answer {
    /// The fault's code; panics on a success.
    pub fn fault(&self) -> i32 {
        match &self.response {
            MethodResponse::Fault(fault) => fault.code,
            MethodResponse::Success(value) => panic!("no fault, but {value:?}"),
        }
    }

    /// The fault's text; panics on a success.
    pub fn message(&self) -> &str {
        match &self.response {
            MethodResponse::Fault(fault) => &fault.message,
            MethodResponse::Success(value) => panic!("no fault, but {value:?}"),
        }
    }

    /// The value; panics on a fault.
    pub fn value(&self) -> &Value {
        match &self.response {
            MethodResponse::Success(value) => value,
            MethodResponse::Fault(fault) => panic!("fault {}: {}", fault.code, fault.message),
        }
    }
}

/// Makes a peer of a Moodle, with the rights `services`: (service, publish, subscribe).
pub fn add_peer(
    store: &Store,
    wwwroot: &str,
    certificate: &Certificate,
    services: &[(&str, bool, bool)],
) -> PeerId {
    let (wwwroot, pem) = (wwwroot.to_owned(), certificate.pem().to_owned());
    let services: Vec<_> = services
        .iter()
        .map(|(service, publish, subscribe)| PeerService {
            service: (*service).to_owned(),
            publish: *publish,
            subscribe: *subscribe,
        })
        .collect();
    store
        .write_blocking(move |tx| -> Result<PeerId, StoreError> {
            let peer = NewPeer {
                wwwroot: &wwwroot,
                name: "a peer",
                application: Application::Moodle,
                certificate: Some(&pem),
                text_dialect: TextDialect::Utf8,
            };
            let id = peers::register(tx, &peer, NOW)?;
            for service in &services {
                peers::set_service(tx, id, service)?;
            }
            Ok(id)
        })
        .unwrap()
}

/// A struct of texts.
pub fn fields(members: &[(&str, &str)]) -> Value {
    members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect::<Struct>()
        .into()
}

/// A whole user.
pub fn user(id: &str) -> Value {
    fields(&[
        ("idnumber", id),
        ("username", id),
        ("firstname", "Zoë"),
        ("lastname", "Prøbe"),
        ("email", "zoe@example.org"),
    ])
}

fn make_private(directory: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .unwrap();
}

fn write_private(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}
