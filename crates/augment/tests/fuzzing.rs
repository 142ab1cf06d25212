//! Fuzzing without a fuzzer: texts of pipelines, right ones and ones with mistakes, for a moment here and for as long as one likes.

use crate::fuzz::{File, Input, Outcome, check};
use crate::random::{mix, spec};
use gradwise_augment::spec::{Registry, Spec};
use gradwise_augment::{Augment, Key, Kind, Shape};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use std::time::{Duration, Instant};

fn shapes() -> impl Strategy<Value = Shape> {
    (1..10_usize, 1..10_usize, 1..6_usize, any::<bool>()).prop_map(|(height, width, channels, planar)| {
        if planar { Shape::planar(channels, height, width) } else { Shape::interleaved(height, width, channels) }
    })
}

/// Descriptions of one to five transforms, and of what mixes the batch in one case of four.
fn pipelines() -> impl Strategy<Value = Vec<Spec>> {
    let registry = Registry::new();
    let names = |kinds: &mut dyn Iterator<Item = &str>| kinds.map(str::to_owned).collect::<Vec<_>>();
    let (kinds, mixes) = (names(&mut registry.kinds()), names(&mut registry.mixes()));
    let all = kinds.clone();
    let one = (proptest::sample::select(kinds), any::<u64>()).prop_map(move |(kind, seed)| {
        let kinds: Vec<&str> = all.iter().map(String::as_str).collect();
        spec(&kind, &kinds, seed)
    });
    let last = (proptest::sample::select(mixes), any::<u64>()).prop_map(|(kind, seed)| mix(&kind, seed));
    (proptest::collection::vec(one, 1..6), proptest::option::weighted(0.25, last)).prop_map(|(mut specs, last)| {
        specs.extend(last);
        specs
    })
}

/// Pipelines that can be built, on images of any small size. Nearly all are of values about 1; but no number may break anything.
fn inputs() -> impl Strategy<Value = Input> {
    let scale = proptest::sample::select(vec![1.0_f32, 1.0, 1.0, 1e-40, 1e20]);
    (pipelines(), shapes(), any::<bool>(), any::<u64>(), scale).prop_map(|(augment, shape, bytes, seed, scale)| Input {
        shape,
        kind: if bytes { Kind::U8 } else { Kind::F32 },
        seed,
        scale,
        is_plan: false,
        text: toml::to_string(&File { augment }).expect("what is described can be written"),
    })
}

/// What mistakes are made of: numbers at and beyond every limit, and pieces of other descriptions.
const PIECES: [&str; 30] = [
    "0",
    "-0.0",
    "1",
    "-1",
    "2",
    "0.5",
    "1e-45",
    "1e-320",
    "1e24",
    "1e308",
    "-1e39",
    "inf",
    "-inf",
    "nan",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "true",
    "\"edge\"",
    "\"nearest\"",
    "[]",
    "[0, 1]",
    "[1, 0]",
    "[nan, nan]",
    "[0, 0, 0, 0, 0]",
    "{ pixels = 1e6 }",
    "{ kind = \"flip\" }",
];

/// The places of numbers in a text.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e');
    let mut found = Vec::new();
    let mut start = None;
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match start {
            None if c.is_ascii_digit() || c == '-' => start = Some(i),
            Some(first) if !is_part(c) => {
                found.push((first, i));
                start = None;
            }
            _ => (),
        }
    }
    found
}

/// A text with some mistakes: numbers that are others, characters that are missing or too many.
fn mistaken(text: &str, mistakes: &[(u16, u8)]) -> String {
    let mut text = text.to_owned();
    for &(place, what) in mistakes {
        let piece = PIECES[usize::from(what) % PIECES.len()];
        let numbers = numbers(&text);
        if what < 192 && !numbers.is_empty() {
            let (start, end) = numbers[usize::from(place) % numbers.len()];
            text.replace_range(start..end, piece);
            continue;
        }
        let places: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
        let Some(&at) = places.get(usize::from(place) % places.len().max(1)) else { continue };
        match what % 4 {
            0 => drop(text.remove(at)),
            1 => text.insert_str(at, piece),
            2 => text.truncate(at),
            _ => text.insert(at, ['[', ']', '{', '}', '"', '=', '\n', ','][usize::from(place) % 8]),
        }
    }
    text
}

/// Pipelines, and plans that were drawn from them, with up to four mistakes.
fn mistaken_inputs() -> impl Strategy<Value = Input> {
    let mistakes = proptest::collection::vec((any::<u16>(), any::<u8>()), 1..5);
    (inputs(), mistakes, proptest::bool::weighted(0.3)).prop_map(|(input, mistakes, is_plan)| {
        let mut text = input.text.clone();
        if is_plan {
            let file: File = toml::from_str(&text).expect("it was written");
            let pipeline = Registry::new().pipeline("augment", &file.augment).expect("it can be built");
            let plan = pipeline.samples.plan(input.shape, input.kind, Key::new(input.seed)).unwrap_or_default();
            text = serde_json::to_string(&plan).expect("a plan can be saved");
        }
        Input { is_plan, text: mistaken(&text, &mistakes), ..input }
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_becomes_nan(input in inputs()) {
        check(&input);
    }

    #[test]
    fn mistakes_are_refused_or_run(input in mistaken_inputs()) {
        check(&input);
    }
}

/// The examples are of use: most of them run, and so do some of those with mistakes.
#[test]
fn most_inputs_run() {
    let mut runner = TestRunner::deterministic();
    let mut share = |strategy: &dyn Fn(&mut TestRunner) -> Input| {
        (0..100).filter(|_| check(&strategy(&mut runner)) == Outcome::Ran).count()
    };
    let value = |strategy: &BoxedStrategy<Input>, runner: &mut TestRunner| strategy.new_tree(runner).unwrap().current();
    let (inputs, mistaken) = (inputs().boxed(), mistaken_inputs().boxed());
    let (right, wrong) = (share(&|runner| value(&inputs, runner)), share(&|runner| value(&mistaken, runner)));
    assert!(right > 60 && (5..80).contains(&wrong), "{right} and {wrong} of 100");
}

/// Bytes of any kind are an input, or none.
#[test]
fn bytes_are_read() {
    assert!(Input::of(b"short").is_none() && Input::of(b"\x01\x02\x03\x00\x00\x00\x00\xff").is_none());
    let input = Input::of(b"\x07\x0c\x02\x03\x04\x01\x01[[augment]]\nkind = \"flip\"\n").unwrap();
    assert_eq!((input.shape, input.kind), (Shape::planar(3, 8, 1), Kind::F32));
    assert_eq!((input.seed, input.scale, input.is_plan), (257, 1e-40, false));
    assert_eq!(check(&input), Outcome::Ran);
}

/// `cargo xtask fuzz`: for as many seconds as `GRADWISE_FUZZ_SECONDS` says. What fails is made as small as can be, told, and kept in
/// `fuzz/regressions.txt`, where every later run begins.
#[test]
#[ignore = "it takes as long as one likes"]
fn for_a_while() {
    let seconds = std::env::var("GRADWISE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let mut n = 0_u64;
    while start.elapsed() < limit {
        let persistence = FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/regressions.txt"));
        let config =
            ProptestConfig { cases: 500, failure_persistence: Some(Box::new(persistence)), ..Default::default() };
        let mut runner = TestRunner::new(config);
        let checked = |input: Input| {
            check(&input);
            Ok(())
        };
        let result = runner.run(&inputs(), checked).and_then(|()| runner.run(&mistaken_inputs(), checked));
        if let Err(failure) = result {
            panic!("{failure}");
        }
        n += 1000;
    }
    report(n, start.elapsed());
}

/// On the terminal, for whoever asked for it.
#[allow(clippy::print_stderr)]
fn report(n: u64, time: Duration) {
    eprintln!("{n} inputs in {:.0} s", time.as_secs_f64());
}
