//! Splits and batches: every sample where it belongs, exactly once, for any seed.

use gradwise_data::{BatchPosition, Batches, k_folds, shuffle, split, stratified_k_folds, stratified_split};
use proptest::prelude::*;

fn sorted(mut list: Vec<usize>) -> Vec<usize> {
    list.sort_unstable();
    list
}

fn all(n: usize) -> Vec<usize> {
    (0..n).collect()
}

/// How many of the samples are of a class.
fn of_class(samples: &[usize], labels: &[usize], class: usize) -> usize {
    samples.iter().filter(|&&i| labels[i] == class).count()
}

#[test]
fn bad_options_are_refused_in_words() {
    let told = |result: Result<(), gradwise_data::DataError>| result.unwrap_err().to_string();
    let unit = |batches: Result<Batches, _>| batches.map(drop);
    assert_eq!(told(unit(Batches::new(0, 4))), "batches: samples: expected at least one sample, got an empty data set");
    assert_eq!(told(unit(Batches::new(4, 0))), "batches: batch size: expected at least 1, got 0");
    assert_eq!(
        told(unit(Batches::new(3, 4).and_then(Batches::drop_last))),
        "batches: batch size: expected at most the 3 samples where an incomplete batch is dropped, got 4"
    );
    assert_eq!(
        told(Batches::new(10, 4).unwrap().seek(BatchPosition { epoch: 0, batch: 3 })),
        "batches: position: expected a batch below 3, the number of batches in an epoch, got 3"
    );
    assert_eq!(told(split(10, &[0.5, 0.4], 0).map(drop)), "split: fractions: expected a sum of 1, got 0.9");
    assert_eq!(told(split(10, &[1.5, -0.5], 0).map(drop)), "split: fraction: expected a number above 0, got -0.5");
    assert!(split(10, &[f64::NAN, 0.5], 0).is_err());
    assert!(split(10, &[], 0).is_err());
    assert!(split(0, &[1.0], 0).is_err());
    assert_eq!(
        told(split(3, &[0.9, 0.1], 0).map(drop)),
        "split: expected at least one sample in each part, got none for a fraction of 0.1 of 3 samples"
    );
    for fraction in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
        assert!(stratified_split(&[0, 0, 1, 1], fraction, 0).is_err());
    }
    assert!(stratified_split(&[], 0.5, 0).is_err());
    assert!(stratified_split(&[0, 1], 0.1, 0).is_err());
    for k in [0, 1, 6] {
        assert!(k_folds(5, k, 0).is_err() && stratified_k_folds(&[0; 5], k, 0).is_err());
    }
}

#[test]
fn batches_in_order_are_in_order() {
    let mut batches = Batches::new(7, 3).unwrap();
    let epoch: Vec<Vec<usize>> = batches.epoch(5).map(<[usize]>::to_vec).collect();
    assert_eq!(epoch, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    let mut dropped = Batches::new(7, 3).unwrap().drop_last().unwrap();
    assert_eq!((dropped.epoch(0).count(), dropped.per_epoch(), dropped.samples_per_epoch()), (2, 2, 6));
}

#[test]
fn epochs_and_seeds_have_orders_of_their_own() {
    let order = |seed, epoch| Batches::new(100, 100).unwrap().shuffled(seed).epoch(epoch).next().unwrap().to_vec();
    assert_ne!(order(0, 0), order(0, 1));
    assert_ne!(order(0, 0), order(1, 0));
    // Seeds and epochs are not added up somewhere.
    assert_ne!(order(0, 1), order(1, 0));
}

/// Any fraction, or one by which whole classes divide without a rest, where none may get one more.
fn fractions() -> impl Strategy<Value = f64> {
    prop_oneof![0.15_f64..0.85, Just(0.5), Just(0.25), Just(0.75)]
}

#[test]
fn the_largest_remainders_get_one_more() {
    // Shares of 1.25, 0.5, 2 and 1.75, together 5.5: of the 6 to be taken, 4 are whole, and the remainders ½ and ¾ are the largest.
    let labels: Vec<usize> = [5, 2, 8, 7].iter().enumerate().flat_map(|(class, &n)| vec![class; n]).collect();
    let test = stratified_split(&labels, 0.25, 0).unwrap().test;
    let counts: Vec<usize> = (0..4).map(|class| of_class(&test, &labels, class)).collect();
    assert_eq!(counts, [1, 1, 2, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_split_covers_all_exactly_once(n in 3_usize..500, cuts in (1_u32..20, 1_u32..20, 1_u32..20), seed in any::<u64>()) {
        let sum = f64::from(cuts.0 + cuts.1 + cuts.2);
        let fractions = [f64::from(cuts.0) / sum, f64::from(cuts.1) / sum, f64::from(cuts.2) / sum];
        match split(n, &fractions, seed) {
            Ok(parts) => {
                prop_assert_eq!(parts.len(), 3);
                for (part, fraction) in parts.iter().zip(fractions) {
                    prop_assert!((part.len() as f64 - fraction * n as f64).abs() < 1.0 + 1e-9);
                }
                prop_assert_eq!(sorted(parts.concat()), all(n));
                prop_assert_eq!(split(n, &fractions, seed).unwrap(), parts);
            }
            // A part may only be found empty where its share is small.
            Err(_) => prop_assert!(fractions.iter().any(|f| f * (n as f64) < 1.0)),
        }
    }

    #[test]
    fn a_stratified_split_gives_each_class_its_share(
        labels in prop::collection::vec(0_usize..6, 4..300), fraction in fractions(), seed in any::<u64>(),
    ) {
        let parts = stratified_split(&labels, fraction, seed).unwrap();
        prop_assert_eq!(parts.test.len(), (labels.len() as f64 * fraction).round() as usize);
        prop_assert_eq!(sorted([parts.train.clone(), parts.test.clone()].concat()), all(labels.len()));
        for class in 0..6 {
            let share = of_class(&all(labels.len()), &labels, class) as f64 * fraction;
            let got = of_class(&parts.test, &labels, class) as f64;
            prop_assert!((got - share).abs() < 1.0, "class {class}: {got} for {share}");
        }
        prop_assert_eq!(stratified_split(&labels, fraction, seed).unwrap(), parts);
    }

    #[test]
    fn folds_test_every_sample_once(
        labels in prop::collection::vec(0_usize..4, 10..100), k in 2_usize..10, seed in any::<u64>(),
    ) {
        let n = labels.len();
        for folds in [k_folds(n, k, seed).unwrap(), stratified_k_folds(&labels, k, seed).unwrap()] {
            prop_assert_eq!(folds.len(), k);
            let tested: Vec<Vec<usize>> = folds.iter().map(|fold| fold.test.clone()).collect();
            prop_assert_eq!(sorted(tested.concat()), all(n));
            for fold in &folds {
                prop_assert_eq!(sorted([fold.train.clone(), fold.test.clone()].concat()), all(n));
                prop_assert!(fold.test.len() == n / k || fold.test.len() == n.div_ceil(k));
            }
        }
        for class in 0..4 {
            let size = of_class(&all(n), &labels, class);
            for fold in stratified_k_folds(&labels, k, seed).unwrap() {
                let got = of_class(&fold.test, &labels, class);
                prop_assert!(got == size / k || got == size.div_ceil(k));
            }
        }
    }

    #[test]
    fn an_epoch_visits_every_sample_once(
        n in 1_usize..200, batch_size in 1_usize..50, seed in any::<u64>(), epochs in prop::collection::vec(any::<u64>(), 1..4),
    ) {
        let mut batches = Batches::new(n, batch_size).unwrap().shuffled(seed);
        for epoch in epochs {
            let per_epoch = batches.per_epoch() as usize;
            let lists: Vec<Vec<usize>> = batches.epoch(epoch).map(<[usize]>::to_vec).collect();
            prop_assert_eq!(lists.len(), per_epoch);
            prop_assert!(lists[..per_epoch - 1].iter().all(|list| list.len() == batch_size));
            prop_assert_eq!(sorted(lists.concat()), all(n));
            // Whatever was visited before, the order is that of the seed and the epoch.
            let mut order = all(n);
            shuffle(&mut order, seed, epoch);
            prop_assert_eq!(lists.concat(), order.clone());
            if n >= batch_size {
                let mut whole = Batches::new(n, batch_size).unwrap().shuffled(seed).drop_last().unwrap();
                let lists: Vec<Vec<usize>> = whole.epoch(epoch).map(<[usize]>::to_vec).collect();
                prop_assert!(lists.iter().all(|list| list.len() == batch_size));
                prop_assert_eq!(lists.len() as u64, whole.per_epoch());
                prop_assert_eq!(lists.concat(), &order[..whole.samples_per_epoch()]);
            }
        }
    }

    #[test]
    fn a_restored_position_goes_on_alike(
        n in 1_usize..60, batch_size in 1_usize..20, seed in prop::option::of(any::<u64>()), before in 0_usize..100,
    ) {
        let make = || {
            let batches = Batches::new(n, batch_size).unwrap();
            if let Some(seed) = seed { batches.shuffled(seed) } else { batches }
        };
        let mut first = make();
        for i in 0..before {
            let per_epoch = first.per_epoch();
            let expected = BatchPosition { epoch: i as u64 / per_epoch, batch: i as u64 % per_epoch };
            prop_assert_eq!(first.position(), expected);
            first.next_batch();
        }
        let mut second = make();
        second.seek(first.position()).unwrap();
        for _ in 0..20 {
            // Looking at another epoch in between changes nothing.
            second.epoch(3).next();
            prop_assert_eq!(first.next_batch(), second.next_batch());
            prop_assert_eq!(first.position(), second.position());
        }
    }
}
