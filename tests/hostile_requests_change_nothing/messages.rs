//! Envelopes, from the outside in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnetd::envelope;
use mnetd::xmlrpc::{Encoding, encode_call};
use openssl::hash::MessageDigest;

use super::forge::*;
use super::support::site::NOW;

/// No key of ours opens it, or so it looks.
const UNREADABLE: Outcome = Outcome::FaultInTheClear(7023);

pub fn table() -> Vec<Case> {
    [
        cut_short(),
        outer_envelopes(),
        session_keys(),
        rsa_blocks(),
        ciphers(),
        inside_the_seal(),
        signatures(),
        heard_before(),
        dates(),
        names(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Ends too early, layer by layer.
fn cut_short() -> Vec<Case> {
    use Outcome::{Fault, FaultInTheClear, Status};
    let mut cases: Vec<_> = [0, 1, 4, 43, 50, 300, 1000]
        .into_iter()
        .map(|length| {
            let name = format!("the envelope ends after {length} bytes");
            case(name, Status(400), move |forge| {
                forge.good()[..length].to_vec()
            })
        })
        .collect();
    cases.extend([
        case(
            "the envelope's last byte is missing",
            Status(400),
            |forge| {
                let mut message = forge.good();
                message.pop();
                message
            },
        ),
        case("the body's base64 ends early", FaultInTheClear(7023), |f| {
            edit(&f.good(), "CipherValue", 0, |text| {
                text[..text.len() - 1].into()
            })
        }),
        case("the RC4 body ends early", FaultInTheClear(7023), |forge| {
            edit(&forge.good(), "CipherValue", 0, |text| text[..400].into())
        }),
        case(
            "the RC4 body ends in the XML declaration",
            FaultInTheClear(7023),
            |f| f.seal(f.signed()[..20].to_vec()),
        ),
        case(
            "the session key's base64 ends early",
            FaultInTheClear(7023),
            |f| {
                edit(&f.good(), "CipherValue", 1, |text| {
                    text[..text.len() - 1].into()
                })
            },
        ),
        case(
            "the sealed session key ends early",
            FaultInTheClear(7023),
            |f| {
                edit(&f.good(), "CipherValue", 1, |text| {
                    text[..text.len() - 4].into()
                })
            },
        ),
        case(
            "the signed message's last byte is missing",
            FaultInTheClear(7023),
            |f| {
                let mut signed = f.signed();
                signed.pop();
                f.seal(signed)
            },
        ),
        case(
            "the payload's base64 ends early",
            Outcome::FaultUnsigned(711),
            |f| {
                f.seal(edit(&f.signed(), "object", 0, |text| {
                    text[..text.len() - 1].into()
                }))
            },
        ),
        case(
            "the payload ends early after it was signed",
            Fault(710),
            |f| f.seal(edit(&f.signed(), "object", 0, |text| text[..40].into())),
        ),
    ]);
    for length in [1, 22, 60, 100] {
        let name = format!("the payload ends after {length} bytes");
        cases.push(payload(name, Fault(713), move || {
            good_payload()[..length].to_vec()
        }));
    }
    cases
}

/// What is no envelope, or a monstrous one.
fn outer_envelopes() -> Vec<Case> {
    use Outcome::{FaultInTheClear, Status};
    vec![
        case("an empty body", Status(400), |_| Vec::new()),
        case("white space", Status(400), |_| vec![b' '; 10_000]),
        case("prose", Status(400), |_| b"hello".to_vec()),
        case("JSON", Status(400), |_| {
            b"{\"method\": \"new_grade\"}".to_vec()
        }),
        case("a form", Status(400), |_| {
            b"method=new_grade&points=100".to_vec()
        }),
        case("a million NULs", Status(400), |_| vec![0; 1_000_000]),
        case("every byte there is", Status(400), |_| (0..=255).collect()),
        case("8 MiB of <", Status(400), |_| {
            vec![b'<'; envelope::MAX_BYTES]
        }),
        case("an envelope in UTF-16", Status(400), |f| utf16(&f.good())),
        case("text before the envelope", Status(400), |f| {
            [b"hello ".to_vec(), f.good()].concat()
        }),
        case("text after the envelope", Status(400), |f| {
            [f.good(), b" hello".to_vec()].concat()
        }),
        case("two envelopes", Status(400), |f| {
            [f.good(), f.good()].concat()
        }),
        case("a wrong end tag", Status(400), |f| {
            replace(&f.good(), "</encryptedMessage>", "</signedMessage>")
        }),
        case("a DOCTYPE", Status(400), |f| {
            doctype(&f.good(), "<!DOCTYPE encryptedMessage>")
        }),
        case("an external DTD", Status(400), |f| {
            doctype(
                &f.good(),
                r#"<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">"#,
            )
        }),
        case("an external entity for a wwwroot", Status(400), |f| {
            let message = edit(&f.good(), "wwwroot", 0, |_| "&file;".into());
            doctype(
                &message,
                r#"<!DOCTYPE a [<!ENTITY file SYSTEM "file:///etc/passwd">]>"#,
            )
        }),
        case("an entity bomb", Status(400), |f| {
            doctype(
                &edit(&f.good(), "wwwroot", 0, |_| "&e9;".into()),
                &entity_bomb(),
            )
        }),
        case("an entity nobody declared", Status(400), |f| {
            edit(&f.good(), "wwwroot", 0, |_| "&file;".into())
        }),
        case("a reference to NUL", Status(400), |f| {
            edit(&f.good(), "wwwroot", 0, |_| "&#0;".into())
        }),
        case("a reference beyond Unicode", Status(400), |f| {
            edit(&f.good(), "wwwroot", 0, |_| "&#x110000;".into())
        }),
        case("elements 17 deep", Status(400), |f| {
            inserted(f, &nested(16))
        }),
        case("elements 100,000 deep", Status(400), |f| {
            inserted(f, &nested(100_000))
        }),
        case("elements that never close", Status(400), |f| {
            inserted(f, &"<a>".repeat(1_000_000))
        }),
        case("65 elements", Status(400), |f| {
            inserted(f, &"<a/>".repeat(65))
        }),
        case("a million elements", Status(400), |f| {
            inserted(f, &"<a/>".repeat(1_000_000))
        }),
        case(
            "a million references for a wwwroot",
            FaultInTheClear(7020),
            |f| edit(&f.good(), "wwwroot", 0, |_| "&amp;".repeat(1_000_000)),
        ),
        case("no wwwroot", FaultInTheClear(7020), |f| {
            without(&f.good(), "wwwroot")
        }),
        case("an empty wwwroot", FaultInTheClear(7020), |f| {
            edit(&f.good(), "wwwroot", 0, |_| " ".into())
        }),
    ]
}

/// Session keys that are none.
fn session_keys() -> Vec<Case> {
    let key_of = |length: usize| {
        let name = format!("a session key of {length} bytes");
        case(name, UNREADABLE, move |f| {
            f.seal_by_hand(&vec![9; length], &f.signed())
        })
    };
    vec![
        key_of(0),
        key_of(1),
        key_of(4),
        case("a session key nobody sealed", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| {
                STANDARD.encode([0x55; 256])
            })
        }),
        case("a sealed key beyond the modulus", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| {
                STANDARD.encode([0xFF; 256])
            })
        }),
        case("a sealed key of nought", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| STANDARD.encode([0; 256]))
        }),
        case("a sealed key of one byte", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| STANDARD.encode([1]))
        }),
        case("a sealed key of 64 KiB", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| {
                STANDARD.encode(vec![1; 65_536])
            })
        }),
    ]
}

/// What RSA opens to something that is no session key; a server must not tell why.
fn rsa_blocks() -> Vec<Case> {
    let block = |name: &'static str, block: fn() -> Vec<u8>| {
        case(name, UNREADABLE, move |f| f.with_rsa_block(&block()))
    };
    vec![
        block("an RSA block for signatures", || {
            let mut block = vec![0xFF; 256];
            (block[0], block[1], block[239]) = (0, 1, 0);
            block
        }),
        block("an RSA block without an end of its padding", || {
            let mut block = vec![0xAA; 256];
            (block[0], block[1]) = (0, 2);
            block
        }),
        block("an RSA block with too little padding", || {
            let mut block = vec![0xAA; 256];
            (block[0], block[1], block[5]) = (0, 2, 0);
            block
        }),
        block("an RSA block without any padding", || {
            let mut block = vec![0; 256];
            block[240..].fill(7);
            block
        }),
    ]
}

/// Ciphers that are missing, too many, or not what they should be.
fn ciphers() -> Vec<Case> {
    use Outcome::{KeyChanged, Unchanged};
    vec![
        case("the ciphers swapped", UNREADABLE, |f| {
            let good = f.good();
            let (body, key) = (part(&good, "CipherValue", 0), part(&good, "CipherValue", 1));
            let swapped = edit(&good, "CipherValue", 0, |_| key);
            edit(&swapped, "CipherValue", 1, |_| body)
        }),
        case("an empty body", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 0, |_| String::new())
        }),
        case("an empty session key", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| String::new())
        }),
        case("no ciphers", UNREADABLE, |f| {
            without(&without(&f.good(), "CipherValue"), "CipherValue")
        }),
        case("one cipher", UNREADABLE, |f| {
            without(&f.good(), "CipherValue")
        }),
        case("an empty cipher before the others", UNREADABLE, |f| {
            replace_once(&f.good(), "<CipherValue>", "<CipherValue/><CipherValue>")
        }),
        case("a third cipher before the others", UNREADABLE, |f| {
            replace_once(
                &f.good(),
                "<CipherValue>",
                "<CipherValue>AAAA</CipherValue><CipherValue>",
            )
        }),
        case("a third cipher after the others", Unchanged, |f| {
            replace_once(
                &f.good(),
                "<wwwroot>",
                "<CipherValue>AAAA</CipherValue><wwwroot>",
            )
        }),
        case("a body that is no base64", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 0, |_| "!$%&amp;/()=?".into())
        }),
        case("a body in base64 for addresses", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 0, |_| "__--".repeat(100))
        }),
        case("a session key that is no base64", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 1, |_| "é".repeat(172))
        }),
        case("a body of 6 MiB of nothing", UNREADABLE, |f| {
            edit(&f.good(), "CipherValue", 0, |_| {
                STANDARD.encode(vec![0; 6_000_000])
            })
        }),
        case("the body of another message", UNREADABLE, |f| {
            let other = part(&f.good(), "CipherValue", 0);
            edit(&f.good(), "CipherValue", 0, |_| other)
        }),
        case("sealed to somebody else", UNREADABLE, |f| {
            f.peer.seal_bytes(f.signed(), f.unknown.pair.certificate())
        }),
        case("sealed to ourselves of last month", KeyChanged, |f| {
            f.peer.seal_bytes(f.signed(), &f.retired)
        }),
    ]
}

fn inside_the_seal() -> Vec<Case> {
    use Outcome::FaultUnsigned;
    let inside = |name: &'static str, outcome, make: fn(&Forge) -> Vec<u8>| {
        case(name, outcome, move |f| f.seal(make(f)))
    };
    vec![
        inside("nothing sealed", UNREADABLE, |_| Vec::new()),
        inside("prose sealed", UNREADABLE, |_| b"hello".to_vec()),
        inside("an envelope in an envelope", FaultUnsigned(711), |f| {
            f.good()
        }),
        inside("a call sealed, but not signed", FaultUnsigned(711), |_| {
            good_payload()
        }),
        inside("a response sealed", FaultUnsigned(711), |_| {
            b"<methodResponse><params/></methodResponse>".to_vec()
        }),
        inside("an unsigned DOCTYPE bomb sealed", UNREADABLE, |_| {
            format!(
                "<?xml version=\"1.0\"?>{}<methodCall>&e9;</methodCall>",
                entity_bomb()
            )
            .into()
        }),
        inside("a DOCTYPE in the signed message", UNREADABLE, |f| {
            doctype(&f.signed(), "<!DOCTYPE signedMessage>")
        }),
        inside("an entity bomb in the signed message", UNREADABLE, |f| {
            doctype(
                &edit(&f.signed(), "object", 0, |_| "&e9;".into()),
                &entity_bomb(),
            )
        }),
        inside("a depth bomb in the signed message", UNREADABLE, |f| {
            replace(
                &f.signed(),
                "</signedMessage>",
                &(nested(10_000) + "</signedMessage>"),
            )
        }),
        inside(
            "a thousand elements in the signed message",
            UNREADABLE,
            |f| {
                replace(
                    &f.signed(),
                    "</signedMessage>",
                    &("<a/>".repeat(1_000) + "</signedMessage>"),
                )
            },
        ),
        inside(
            "a signed message without a payload",
            FaultUnsigned(711),
            |f| without(&f.signed(), "object"),
        ),
        inside(
            "a signed message with an empty payload",
            FaultUnsigned(711),
            |f| edit(&f.signed(), "object", 0, |_| String::new()),
        ),
        inside(
            "a signed message without a signature",
            FaultUnsigned(711),
            |f| without(&f.signed(), "SignatureValue"),
        ),
        inside("an empty signature", FaultUnsigned(711), |f| {
            edit(&f.signed(), "SignatureValue", 0, |_| String::new())
        }),
        inside("a signature that is no base64", FaultUnsigned(711), |f| {
            edit(&f.signed(), "SignatureValue", 0, |_| "?".into())
        }),
        inside("a signed message without a date", FaultUnsigned(711), |f| {
            without(&f.signed(), "timestamp")
        }),
        inside("a signed message without a name", FaultUnsigned(711), |f| {
            without(&f.signed(), "wwwroot")
        }),
    ]
}

fn signatures() -> Vec<Case> {
    use Outcome::Fault;
    let signature = |name: &'static str, make: fn(&Forge) -> Vec<u8>| {
        case(name, Fault(710), move |f| {
            let signature = STANDARD.encode(make(f));
            f.seal(edit(&f.signed(), "SignatureValue", 0, |_| signature))
        })
    };
    vec![
        signature("a signature of one byte", |_| vec![1]),
        signature("a signature of noughts", |_| vec![0; 256]),
        signature("a signature of ones", |_| vec![0xFF; 256]),
        signature("a signature of 64 KiB", |_| vec![3; 65_536]),
        signature("a signature of another payload", |f| {
            f.signature(MessageDigest::sha1(), b"<methodCall/>")
        }),
        signature("a signature by another hash", |f| {
            f.signature(MessageDigest::sha256(), &good_payload())
        }),
        signature("a signature with a byte flipped", |f| {
            let mut signature = f.signature(MessageDigest::sha1(), &good_payload());
            signature[100] ^= 1;
            signature
        }),
        signature("a signature over the digest only", |f| {
            let digest = openssl::hash::hash(MessageDigest::sha1(), &good_payload()).unwrap();
            f.signature(MessageDigest::sha1(), &digest)
        }),
        case("the right name, another key", Fault(710), |f| {
            f.forger.seal(&good_call(), &f.ours, NOW)
        }),
        case("signed by another peer", Fault(710), |f| {
            let signed = f.courier.sign(&good_call(), NOW);
            f.seal(edit(&signed, "wwwroot", 0, |_| PEER.into()))
        }),
        case(
            "an unsigned payload before the signed one",
            Fault(710),
            |f| {
                let other = STANDARD.encode(encode_call(&new_section("s9"), Encoding::Utf8));
                let both = format!("<object>{other}</object><object ");
                f.seal(replace_once(&f.signed(), "<object ", &both))
            },
        ),
        case(
            "passed on by another peer",
            Outcome::FaultToCourier(710),
            |f| f.courier.seal_bytes(f.signed(), &f.ours),
        ),
    ]
}

fn heard_before() -> Vec<Case> {
    use Outcome::Fault;
    vec![
        case("sent a second time", Fault(8010), |f| f.heard_message(NOW)),
        case("sent a second time with another date", Fault(8010), |f| {
            f.heard_message(NOW.plus(1))
        }),
        case(
            "another call under a session key that was used",
            Fault(8010),
            |f| {
                let signed = f.peer.sign(&new_section("s9"), NOW);
                envelope::seal_with(&HEARD_KEY, signed, PEER, f.ours.public_key()).unwrap()
            },
        ),
    ]
}

fn dates() -> Vec<Case> {
    use Outcome::{Fault, FaultUnsigned};
    let dated = |timestamp: String, outcome| {
        let name = format!("dated {timestamp}");
        case(name, outcome, move |f| {
            f.seal(edit(&f.signed(), "timestamp", 0, |_| timestamp.clone()))
        })
    };
    [
        ((NOW.0 - 301).to_string(), Fault(8011)),
        ((NOW.0 + 16).to_string(), Fault(8011)),
        ("0".to_owned(), Fault(8011)),
        ("-1".to_owned(), Fault(8011)),
        (i64::MAX.to_string(), Fault(8011)),
        (i64::MIN.to_string(), Fault(8011)),
        ("9223372036854775808".to_owned(), FaultUnsigned(711)),
        ("9".repeat(300), FaultUnsigned(711)),
        ("1.8e9".to_owned(), FaultUnsigned(711)),
        ("1795480242.5".to_owned(), FaultUnsigned(711)),
        ("0x6B04C0B2".to_owned(), FaultUnsigned(711)),
        ("yesterday".to_owned(), FaultUnsigned(711)),
        (" ".to_owned(), FaultUnsigned(711)),
    ]
    .into_iter()
    .map(|(timestamp, outcome)| dated(timestamp, outcome))
    .collect()
}

fn names() -> Vec<Case> {
    use Outcome::{Fault, FaultInTheClear};
    let outer = |name: &'static str, text: String| {
        case(name, FaultInTheClear(7020), move |f| {
            edit(&f.good(), "wwwroot", 0, |_| text.clone())
        })
    };
    let inner = |name: &'static str, text: String| {
        case(name, Fault(710), move |f| {
            f.seal(edit(&f.signed(), "wwwroot", 0, |_| text.clone()))
        })
    };
    let long = || format!("http://{}.example", "a".repeat(100_000));
    vec![
        outer("an unknown name", "http://unknown.example".to_owned()),
        outer("a name with a slash at its end", format!("{PEER}/")),
        outer("a name in capitals", PEER.to_uppercase()),
        outer("a name with a NUL", format!("{PEER}\0")),
        outer(
            "a name with control characters",
            "http://\u{1}\u{1b}[2J\u{7}.example".to_owned(),
        ),
        outer("a name with a line end", format!("{PEER}\n{COURIER}")),
        outer("a name with a noncharacter", format!("{PEER}\u{ffff}")),
        outer(
            "a name that turns the line round",
            format!("{PEER}\u{202e}"),
        ),
        outer("a name of SQL", "' OR 1=1; DELETE FROM peer; --".to_owned()),
        outer("a name with a wildcard", "http://127.0.0.1:%".to_owned()),
        outer("a name of 100 KB", long()),
        outer("a name that is our own", "http://127.0.0.1".to_owned()),
        case("a name that is no UTF-8", FaultInTheClear(7020), |f| {
            let mut message = f.good();
            let at = find(&message, b"<wwwroot>") + 9;
            message.splice(at..at, [0xFF, 0xC0, 0x80]);
            message
        }),
        inner(
            "signed by nobody known",
            "http://unknown.example".to_owned(),
        ),
        inner("signed in another peer's name", COURIER.to_owned()),
        inner("an inner name of 100 KB", long()),
        inner(
            "an inner name with control characters",
            "http://\u{1}\u{1b}[2J".to_owned(),
        ),
        case("a call from an unknown site", FaultInTheClear(7020), |f| {
            f.unknown.seal(&good_call(), &f.ours, NOW)
        }),
    ]
}
