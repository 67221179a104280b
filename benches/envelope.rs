//! What an envelope costs, layer by layer: `cargo bench --bench envelope`.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mnetd::clock::UnixTime;
use mnetd::envelope::{self, Outer};
use mnetd::keys::KeyPair;
use mnetd::wwwroot::Wwwroot;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// A bare call, and the size of a multicall of 100 grades.
const PAYLOADS: [(&str, usize); 2] = [("small", 150), ("multicall", 70_000)];

fn envelopes(criterion: &mut Criterion) {
    let wwwroot = Wwwroot::parse("http://moodle.example").unwrap();
    let ours = KeyPair::generate(&wwwroot, NOW, 28).unwrap();
    let theirs = KeyPair::generate(&wwwroot, NOW, 28).unwrap();
    let (site, recipient) = (wwwroot.as_str(), theirs.certificate().public_key());
    for (name, length) in PAYLOADS {
        let payload = format!("<?xml version=\"1.0\"?>{}", "x".repeat(length)).into_bytes();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(payload.len() as u64));
        let sign = || envelope::sign(&payload, site, NOW, ours.private_key()).unwrap();
        group.bench_function("sign", |bencher| bencher.iter(sign));
        let signed = sign();
        let seal = || envelope::seal(signed.clone(), site, recipient).unwrap();
        group.bench_function("seal", |bencher| bencher.iter(seal));
        let message = seal();
        let open = || {
            let Ok(Outer::Encrypted(sealed)) = Outer::read(&message) else {
                panic!("not sealed");
            };
            sealed.open(theirs.private_key()).unwrap()
        };
        group.bench_function("open", |bencher| bencher.iter(open));
        let read = || {
            let Ok(Outer::Signed(signed)) = Outer::read(&signed) else {
                panic!("not signed");
            };
            signed
        };
        let key = ours.certificate().public_key();
        group.bench_function("verify", |bencher| {
            bencher.iter(|| read().verify(key).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, envelopes);
criterion_main!(benches);
