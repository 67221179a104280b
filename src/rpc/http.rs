//! HTTP: addresses, limits on bodies, headers and slow senders, and a graceful end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use axum::routing::{get, post};
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service as _;
use tracing::{debug, info, warn};

use super::Server;
use super::fault::Rejected;
use super::incoming::{Bodies, LONG_BODY_GRACE, LONG_BODY_RATE, MAX_LONG_BODIES, Pace, Unread};
use super::outgoing::TimedWrites;
use crate::peer::{self, Application};
use crate::store::requests;

/// How long a client may take to send the head of a request.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send the body of a request.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a request's head is read. Moodle's has about 200 bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How many connections are open at a time; more wait to be accepted.
pub const MAX_CONNECTIONS: usize = 512;

/// How long a client may take to take an answer in: Moodle gives up a call after 60 s altogether.
pub const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// How long calls under way may take to end once the server is told to stop.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits on what clients may take of the server's time and room. The defaults are the constants
/// above.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// How many bytes of a request's head are read; 8 KiB at least.
    pub max_header_bytes: usize,
    /// How many connections are open at a time.
    pub max_connections: usize,
    /// How many bodies longer than [`SHORT_BODY_BYTES`](super::SHORT_BODY_BYTES) are read and answered
    /// at a time.
    pub max_long_bodies: usize,
    /// How many bytes a second such a body has to bring on the whole.
    pub long_body_rate: u32,
    /// How long the sender of such a body may fall behind that rate.
    pub long_body_grace: Duration,
    /// How long a client may take to take an answer in.
    pub write_timeout: Duration,
    /// How long calls under way may take to end once the server is told to stop.
    pub shutdown_timeout: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            header_timeout: HEADER_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
            max_header_bytes: MAX_HEADER_BYTES,
            max_connections: MAX_CONNECTIONS,
            max_long_bodies: MAX_LONG_BODIES,
            long_body_rate: LONG_BODY_RATE,
            long_body_grace: LONG_BODY_GRACE,
            write_timeout: WRITE_TIMEOUT,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
        }
    }
}

/// Why the server cannot serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The listening socket failed.
    #[error("listening failed: {0}")]
    Listen(#[from] io::Error),
}

/// What a handler needs.
#[derive(Clone)]
struct Site {
    server: Server,
    trusted_proxies: Arc<Vec<IpNet>>,
    bodies: Bodies,
}

/// Every address below the site, those of `pages` among them, under the path of its wwwroot as well where
/// it has one (a reverse proxy may or may not take that off). Handlers see the path below the site either
/// way.
pub fn router(
    server: Server,
    trusted_proxies: Vec<IpNet>,
    limits: &HttpLimits,
    pages: Router,
) -> Router {
    let path = server
        .state
        .wwwroot
        .url()
        .path()
        .trim_end_matches('/')
        .to_owned();
    let pace = Pace {
        rate: limits.long_body_rate,
        grace: limits.long_body_grace,
    };
    let site = Site {
        server,
        trusted_proxies: Arc::new(trusted_proxies),
        bodies: Bodies::new(limits.body_timeout, pace, limits.max_long_bodies),
    };
    let routes = Router::new()
        .route("/healthz", get(health))
        .route(
            Application::Moodle.rpc_path(),
            post(call).fallback(only_post),
        )
        .route(
            Application::Mahara.rpc_path(),
            post(call).fallback(only_post),
        )
        .route("/mnet/publickey.php", get(public_key))
        .route("/api/xmlrpc/publickey.php", get(public_key))
        .with_state(site)
        .merge(pages);
    if path.is_empty() {
        return routes;
    }
    under_a_path(path.into(), &routes)
}

/// The same addresses with `prefix` in front and without. Where both ways of reading an address lead
/// somewhere, the one with the prefix in front is meant: `/people` is the home of a site whose wwwroot ends
/// so, and `/people/7`, which leads nowhere below it, the page of a person. Not two sets of routes in one
/// router: they would overlap there.
fn under_a_path(prefix: Arc<str>, routes: &Router) -> Router {
    let bare = routes.clone();
    let as_it_came = routes.clone();
    let below = routes.clone().fallback(move |mut request: Request| {
        if let Some(AsItCame(uri)) = request.extensions_mut().remove() {
            *request.uri_mut() = uri;
        }
        routed(as_it_came.clone(), request)
    });
    Router::new().fallback(move |mut request: Request| {
        let Some(uri) = without_prefix(request.uri(), &prefix) else {
            return routed(bare.clone(), request);
        };
        let as_it_came = std::mem::replace(request.uri_mut(), uri);
        request.extensions_mut().insert(AsItCame(as_it_came));
        routed(below.clone(), request)
    })
}

/// The address of a request whose prefix was taken off.
#[derive(Clone)]
struct AsItCame(Uri);

async fn routed(mut router: Router, request: Request) -> Response<Body> {
    let answered: Result<_, Infallible> = router.call(request).await;
    let Ok(response) = answered;
    response
}

/// The address without `prefix`, where it has that in front up to a slash, or to the end.
fn without_prefix(uri: &Uri, prefix: &str) -> Option<Uri> {
    let below = uri.path().strip_prefix(prefix)?;
    if !below.is_empty() && !below.starts_with('/') {
        return None;
    }
    let path = if below.is_empty() { "/" } else { below };
    let address = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(address.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Serves until `shutdown` ends, then lets the calls under way end.
///
/// # Errors
/// When the socket fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpLimits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.max_header_bytes);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let mut make_service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, address, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: those that are open have to end first.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service: Result<_, Infallible> = make_service.call(address).await;
        let Ok(service) = service;
        let connection = builder.serve_connection(
            TokioIo::new(TimedWrites::new(stream, limits.write_timeout)),
            TowerToHyperService::new(service),
        );
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                debug!(%error, %address, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    info!("stopping: calls under way may end");
    if timeout(limits.shutdown_timeout, graceful.shutdown())
        .await
        .is_err()
    {
        warn!("some calls did not end in time");
    }
    Ok(())
}

/// Serves `/metrics` until `shutdown` ends.
///
/// # Errors
/// When the socket fails for good.
pub async fn serve_metrics(
    listener: TcpListener,
    handle: PrometheusHandle,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let metrics = move || async move {
        (
            [(CONTENT_TYPE, "text/plain; version=0.0.4")],
            handle.render(),
        )
    };
    let router = Router::new().route("/metrics", get(metrics));
    serve(listener, router, &HttpLimits::default(), shutdown).await
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address, place))
}

/// One MNet message. The HTTP status is 200 even for faults, as every peer expects.
async fn call(
    Shared(site): Shared<Site>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let from = client_address(address.ip(), request.headers(), &site.trusted_proxies);
    let held = match site.bodies.read(request.into_body()).await {
        Ok(held) => held,
        Err(unread) => return unread_body(unread),
    };
    let answered = match held.place {
        None => site.server.answer(held.bytes, from).await,
        Some(place) => answer_to_the_end(site.server, held.bytes, from, place).await,
    };
    match answered {
        Ok(answer) => respond(StatusCode::OK, "text/xml; charset=utf-8", answer),
        Err(rejected) => {
            let status = match rejected {
                Rejected::Malformed(_) => StatusCode::BAD_REQUEST,
                Rejected::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
                Rejected::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            };
            text(status, &rejected.to_string())
        }
    }
}

/// Answers a long message, and keeps its place until that is done, also where the client hangs up: the
/// work that was begun is carried out all the same, with all the room it takes.
async fn answer_to_the_end(
    server: Server,
    message: Vec<u8>,
    from: IpAddr,
    place: OwnedSemaphorePermit,
) -> Result<Vec<u8>, Rejected> {
    let answering = tokio::spawn(async move {
        let answered = server.answer(message, from).await;
        drop(place);
        answered
    });
    answering.await.unwrap_or(Err(Rejected::Interrupted))
}

fn unread_body(unread: Unread) -> Response<Body> {
    match unread {
        Unread::TooLong => text(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request is longer than a message may be (8 MiB).",
        ),
        Unread::BrokenOff => text(StatusCode::BAD_REQUEST, "The request is broken off."),
        Unread::TooSlow => text(StatusCode::REQUEST_TIMEOUT, "The request came too slowly."),
        Unread::Busy => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many long requests at a time; send it again, or in shorter parts.",
        ),
    }
}

async fn only_post() -> Response<Body> {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address takes MNet calls from Moodle and Mahara sites (HTTP POST). There is nothing here for a browser.",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn public_key(Shared(site): Shared<Site>) -> Response<Body> {
    let ring = site.server.state.keys.ring();
    text(StatusCode::OK, ring.current().certificate().pem())
}

/// Whether the server can do its work: it answers, and so does the database.
async fn health(Shared(site): Shared<Site>) -> Response<Body> {
    match site.server.state.store.read(requests::check).await {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(error) => {
            warn!(%error, "the health check failed");
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
        }
    }
}

/// Who sent a request: the other end of the connection, or, where that is a trusted proxy, the last
/// address in X-Forwarded-For that is not one itself.
pub(crate) fn client_address(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let connected = connected.to_canonical();
    if !peer::contains(trusted, connected) {
        return connected;
    }
    // As bytes: what a client wrote into the header may be beyond ASCII, and must not take away what
    // the proxy wrote behind it.
    let forwarded: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    for address in forwarded.into_iter().rev() {
        let address = str::from_utf8(address).ok().map(str::parse::<IpAddr>);
        match address {
            Some(Ok(address)) if peer::contains(trusted, address) => {}
            Some(Ok(address)) => return address.to_canonical(),
            _ => break,
        }
    }
    connected
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    respond(
        status,
        "text/plain; charset=utf-8",
        text.to_owned().into_bytes(),
    )
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        axum::http::header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_wwwroot_ends_at_a_slash_or_at_the_end() {
        let below = |uri: &str| {
            let below = without_prefix(&uri.parse().unwrap(), "/a");
            below.map(|uri| uri.to_string())
        };
        for (uri, expected) in [
            ("/a", Some("/")),
            ("/a/", Some("/")),
            ("/a?x=1", Some("/?x=1")),
            ("/a/b?x=/a/", Some("/b?x=/a/")),
            ("/a/a/b", Some("/a/b")),
            ("/a//evil.example", Some("//evil.example")),
            ("/accounts", None),
            ("/b/a", None),
            ("/", None),
        ] {
            assert_eq!(below(uri).as_deref(), expected, "{uri}");
        }
    }

    fn seen(connected: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append("x-forwarded-for", value);
        }
        let trusted = [peer::parse_network("10.0.0.0/8").unwrap()];
        client_address(connected.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn bytes_beyond_ascii_hide_nothing_behind_them() {
        assert_eq!(seen("10.0.0.1", &["zoë, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1", "zoë, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        // Nothing left of rubbish is believed.
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, zoë, 10.0.0.2"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "zoë"]), "10.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        // What the client itself wrote stands further left.
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(seen("10.0.0.1", &["rubbish"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }
}
