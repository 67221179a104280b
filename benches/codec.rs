//! How fast messages are read and written, in bytes of the document a second: a small call as MNet's single sign-on
//! makes it, and a hundred grades in one call.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_call, decode_response,
    encode_call, encode_response,
};

/// How many grades a gradebook hands over in one call.
const GRADES: i32 = 100;

fn small_call() -> MethodCall {
    MethodCall::new(
        "auth/mnet/auth.php/user_authorise",
        vec![
            Value::from("3641aaca182eaa7c3cdd74935267447af5d0de7b"),
            Value::from("bb5b2959b09fb9c4cd7819bb3e15d6a733eb6261"),
        ],
    )
}

fn hundred_grades() -> Vec<Value> {
    (0..GRADES)
        .map(|number| {
            Value::Struct(
                Struct::new()
                    .with("section", format!("ALG1-{}", number % 7))
                    .with("assessment", "Quiz 3 – Quadratic equations & their graphs")
                    .with("person", format!("pupil{number:04}"))
                    .with("name", "Zoë Ōta")
                    .with("grade", f64::from(number) * 0.75)
                    .with("out_of", 100)
                    .with("final", number % 2 == 0)
                    .with("graded_at", "1795480239"),
            )
        })
        .collect()
}

fn calls(criterion: &mut Criterion) {
    let messages = [
        ("small call", small_call()),
        (
            "hundred grades",
            MethodCall::new("register/set_grades", vec![Value::Array(hundred_grades())]),
        ),
    ];
    for (name, call) in messages {
        let mut group = criterion.benchmark_group(name);
        for dialect in [Encoding::Utf8, Encoding::BytesAsLatin1] {
            let document = encode_call(&call, dialect);
            group.throughput(Throughput::Bytes(document.len() as u64));
            group.bench_function(format!("decode {dialect:?}"), |bencher| {
                bencher.iter(|| decode_call(black_box(&document), dialect, &Limits::default()));
            });
            group.bench_function(format!("encode {dialect:?}"), |bencher| {
                bencher.iter(|| encode_call(black_box(&call), dialect));
            });
        }
        group.finish();
    }
}

/// Responses to Moodle ≥ 4.1 are pure ASCII, with references: another path than calls take.
fn responses(criterion: &mut Criterion) {
    let response = MethodResponse::Success(Value::Array(hundred_grades()));
    let document = encode_response(&response, Encoding::Utf8);
    let mut group = criterion.benchmark_group("hundred grades as a response");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode_response(black_box(&document), Encoding::Utf8, &Limits::default()));
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| encode_response(black_box(&response), Encoding::Utf8));
    });
    group.finish();
}

criterion_group!(benches, calls, responses);
criterion_main!(benches);
