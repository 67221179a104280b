//! HTTP by hand: requests no proper client would send, and a look at each byte that comes back.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where a Moodle takes calls.
pub const RPC_PATH: &str = "/mnet/xmlrpc/server.php";

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A POST of `body` to the address for calls; the connection closes after it.
pub fn post(body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {RPC_PATH} HTTP/1.1\r\nHost: here\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// Sends `request` as it is and reads until the server closes; `None` where no whole answer came.
///
/// Sending goes on beside reading: a server may answer before it has read everything, and may close
/// on the rest.
pub async fn exchange(address: SocketAddr, request: Vec<u8>) -> io::Result<Option<Reply>> {
    let (mut from, mut to) = TcpStream::connect(address).await?.into_split();
    let sending = tokio::spawn(async move {
        let sent = to.write_all(&request).await;
        (to, sent)
    });
    let mut received = Vec::new();
    let end = from.read_to_end(&mut received).await;
    sending.abort();
    match Reply::read(&received) {
        None if received.is_empty() => end.map(|_| None),
        reply => Ok(reply),
    }
}

impl Reply {
    /// The one reply in `received`; `None` where it is not whole.
    pub fn read(received: &[u8]) -> Option<Self> {
        let end = received.windows(4).position(|part| part == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let status = head.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
        let body = &received[end + 4..];
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(Some(0), |length| length.trim().parse().ok())?;
        Some(Self {
            status,
            body: body.get(..length)?.to_vec(),
            head,
        })
    }
}
