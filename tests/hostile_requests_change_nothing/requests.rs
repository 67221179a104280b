//! HTTP requests without a message in them.

use mnetd::envelope;

use super::forge::*;
use super::support::http::{self, RPC_PATH};

/// What is wrong before there is a message.
pub fn table() -> Vec<Case> {
    use Outcome::Status;
    let request = |name: &'static str, status, text: String| {
        raw(name, Status(status), move |_| text.clone().into_bytes())
    };
    let method = |name: &'static str, method: &str| {
        let text = format!("{method} {RPC_PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        request(name, 405, text)
    };
    let to = |path: &str, headers: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n")
    };
    vec![
        method("GET", "GET"),
        method("PUT", "PUT"),
        method("DELETE", "DELETE"),
        method("OPTIONS", "OPTIONS"),
        method("a method of its own", "MNET"),
        raw("a body of one byte more than 8 MiB", Status(413), |_| {
            http::post(&vec![b'<'; envelope::MAX_BYTES + 1])
        }),
        raw("a body of 32 MiB", Status(413), |_| {
            http::post(&vec![b' '; 32 * 1024 * 1024])
        }),
        request("a body of 10 exabytes", 413, {
            to(RPC_PATH, "Content-Length: 9999999999999999999\r\n")
        }),
        raw("32 MiB in chunks", Status(413), move |_| {
            let mut request = to(RPC_PATH, "Transfer-Encoding: chunked\r\n").into_bytes();
            for _ in 0..32 {
                request.extend_from_slice(b"100000\r\n");
                request.extend_from_slice(&vec![b' '; 0x10_0000]);
                request.extend_from_slice(b"\r\n");
            }
            request.extend_from_slice(b"0\r\n\r\n");
            request
        }),
        request("a chunk of no size", 400, {
            to(RPC_PATH, "Transfer-Encoding: chunked\r\n") + "zz\r\nhello\r\n0\r\n\r\n"
        }),
        request("no body", 400, to(RPC_PATH, "")),
        request(
            "a negative length",
            400,
            to(RPC_PATH, "Content-Length: -1\r\n"),
        ),
        request("two lengths", 400, {
            to(RPC_PATH, "Content-Length: 5\r\nContent-Length: 6\r\n") + "hello!"
        }),
        request("a way up", 404, to("/mnet/xmlrpc/../../etc/passwd", "")),
        request("another script", 404, to("/mnet/xmlrpc/client.php", "")),
        request("a call to the home page", 405, to("/", "")),
        request("no HTTP", 400, "hello\r\n\r\n".to_owned()),
        request("a header of NULs", 400, to(RPC_PATH, "X-A: \0\0\r\n")),
        request("200 headers", 431, to(RPC_PATH, &"X-A: b\r\n".repeat(200))),
        request("a header of 64 KiB", 431, {
            to(RPC_PATH, &format!("X-A: {}\r\n", "b".repeat(65_536)))
        }),
        raw("another TLS", Status(400), |_| {
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rubbish\r\n\r\n".to_vec()
        }),
    ]
}
