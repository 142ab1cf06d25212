//! The loader: on a thread as on the spot, through errors, panics and early ends.

use gradwise_data::{Batch, BatchPosition, Batches, DataError, Labelled, Loader, Result, Samples};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Classes = Batch<f32, Vec<usize>>;

fn numbered(n: usize) -> Labelled<f32> {
    let inputs = ArrayD::from_shape_fn(IxDyn(&[n, 2]), |at| (at[0] * 2 + at[1]) as f32);
    Labelled::new(inputs, (0..n).map(|i| i % 3).collect(), 3).unwrap()
}

/// A transform that shows its position in the batch.
fn mark(batch: &mut Classes, position: BatchPosition) -> Result<()> {
    batch.inputs += (position.epoch * 1000 + position.batch * 100) as f32;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_thread_changes_nothing(
        n in 1_usize..40, batch_size in 1_usize..12, seed in any::<u64>(), skip in 0_usize..9, take in 0_usize..30,
    ) {
        let set = numbered(n);
        let mut batches = Batches::new(n, batch_size).unwrap().shuffled(seed);
        for _ in 0..skip {
            batches.next_batch();
        }
        std::thread::scope(|scope| {
            let mut loaders = [
                Loader::inline(&set, batches.clone(), mark).unwrap(),
                Loader::scoped(scope, &set, batches.clone(), mark).unwrap(),
                Loader::spawn(Arc::new(set.clone()), batches.clone(), mark).unwrap(),
            ];
            for _ in 0..take {
                let position = batches.position();
                let mut expected = Classes::default();
                set.gather(batches.next_batch(), &mut expected).unwrap();
                mark(&mut expected, position).unwrap();
                for loader in &mut loaders {
                    assert_eq!(loader.position(), position);
                    assert_eq!(loader.next_batch().unwrap(), &expected);
                }
            }
            // And all of them are dropped here, in the middle of their work.
        });
    }
}

#[test]
fn epochs_end_where_they_end() {
    let set = numbered(10);
    let batches = Batches::new(10, 4).unwrap().shuffled(1);
    let mut loader = Loader::spawn(set, batches, |_, _| Ok(())).unwrap();
    assert_eq!(loader.per_epoch(), 3);
    for epoch in 0..3 {
        let mut seen = Vec::new();
        while let Some(batch) = loader.next_in_epoch(epoch).unwrap() {
            seen.extend_from_slice(&batch.indices);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
    assert!(loader.next_in_epoch(0).unwrap().is_none());
    assert_eq!(loader.position(), BatchPosition { epoch: 3, batch: 0 });
}

/// Three loaders whose transform fails, by `fail`, at the third batch.
fn each_kind(fail: fn() -> Result<()>, check: fn(Loader<'_, Classes>)) {
    let transform = move |_: &mut Classes, at: BatchPosition| if at.batch == 2 { fail() } else { Ok(()) };
    let set = numbered(12);
    let batches = Batches::new(12, 3).unwrap();
    check(Loader::inline(&set, batches.clone(), transform).unwrap());
    check(Loader::spawn(set.clone(), batches.clone(), transform).unwrap());
    std::thread::scope(|scope| check(Loader::scoped(scope, &set, batches, transform).unwrap()));
}

#[test]
fn errors_come_in_their_turn() {
    let fail = || Err(DataError::Other(String::from("no such picture")));
    each_kind(fail, |mut loader| {
        loader.next_batch().unwrap();
        loader.next_batch().unwrap();
        assert_eq!(loader.next_batch().unwrap_err().to_string(), "no such picture");
        // It stays where it was, and says so for ever.
        assert_eq!(loader.position(), BatchPosition { epoch: 0, batch: 2 });
        for _ in 0..2 {
            assert_eq!(
                loader.next_batch().unwrap_err().to_string(),
                "loader: expected the next batch, got none, as an earlier batch failed"
            );
        }
    });
}

#[test]
fn panics_are_errors() {
    each_kind(
        || panic!("index {} of nothing", 7),
        |mut loader| {
            loader.next_batch().unwrap();
            loader.next_batch().unwrap();
            let told = loader.next_batch().unwrap_err().to_string();
            assert_eq!(told, "loader: expected the next batch, got a panic: index 7 of nothing");
            assert!(loader.next_batch().is_err());
        },
    );
}

#[test]
fn a_loader_that_is_dropped_unread_joins_after_an_error_and_a_panic_too() {
    each_kind(|| panic!("unseen"), |loader| drop(loader));
    each_kind(
        || Err(DataError::Other(String::from("unseen"))),
        |mut loader| {
            loader.next_batch().unwrap();
        },
    );
}

#[test]
fn the_thread_runs_ahead_by_a_bounded_number_of_batches() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let batches = Batches::new(100, 1).unwrap();
    let mut loader = Loader::spawn(numbered(100), batches, move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    })
    .unwrap();
    for taken in 1..20 {
        loader.next_batch().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(made.load(Ordering::SeqCst) <= taken + 2);
    }
    drop(loader);
    // Joined: nobody else holds the counter, and nobody counts any more.
    assert_eq!(Arc::strong_count(&made), 1);
}

#[test]
fn batches_of_another_set_are_refused() {
    let error = Loader::inline(numbered(5), Batches::new(6, 2).unwrap(), |_, _| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "loader: expected batches of the 5 samples of the set, got batches of 6");
}

#[test]
fn a_user_may_take_a_batch_away() {
    let mut loader = Loader::spawn(numbered(6), Batches::new(6, 2).unwrap(), |_, _| Ok(())).unwrap();
    let taken: Vec<Classes> = (0..6).map(|_| std::mem::take(loader.next_batch().unwrap())).collect();
    assert_eq!(taken[5].indices, [4, 5]);
}
