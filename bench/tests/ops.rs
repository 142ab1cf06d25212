//! Every operation that is timed runs: in short form, once.

use gradwise_bench::ops::{self, Peak, Work};
use gradwise_core::Serial;
use gradwise_train::threads;
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_work_is_positive() {
    let entries = ops::all();
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names.len(), entries.len());
    for entry in &entries {
        let amount = match entry.work {
            Work::Flops(flops) => flops,
            Work::Memory(traffic) => traffic.bytes(),
        };
        assert!(amount > 0.0, "{}", entry.name);
    }
}

#[test]
fn every_operation_runs() {
    for entry in ops::all() {
        let name = entry.name.clone();
        let mut run = entry.start(threads(2).unwrap()).unwrap();
        run().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn peaks_count_the_work_of_the_operation() {
    let flops = Work::Flops(9.6e5);
    assert_eq!(Peak::new(flops, 1).run(flops, &Serial), 10.0);
    let entry = ops::all().into_iter().find(|entry| matches!(entry.work, Work::Memory(_))).unwrap();
    assert_eq!(Peak::new(entry.work, 1).run(entry.work, &Serial), 1.0);
}
