//! Data sets: what they refuse, and that batches hold what was asked for.

use gradwise_data::{Batch, DataError, Labelled, Paired, Samples, Subset, Targets, gather_rows, one_hot, one_hot_into};
use ndarray::{ArrayD, Axis, IxDyn, array};
use proptest::prelude::*;
use std::sync::Arc;

fn numbered(n: usize) -> Labelled<f64> {
    let inputs = ArrayD::from_shape_fn(IxDyn(&[n, 2, 3]), |at| (at[0] * 100 + at[1] * 10 + at[2]) as f64);
    Labelled::new(inputs, (0..n).map(|i| i % 3).collect(), 3).unwrap()
}

#[test]
fn sets_refuse_what_is_none() {
    let x = array![[1.0], [2.0]].into_dyn();
    let told = |set: Result<Labelled<f64>, DataError>| set.unwrap_err().to_string();
    assert_eq!(
        told(Labelled::new(x.clone(), vec![0], 1)),
        "labelled set: expected 2 labels, one a sample, got shape [1]"
    );
    assert_eq!(
        told(Labelled::new(x.clone(), vec![0, 3], 3)),
        "labelled set: label: expected an index below 3, got 3 at position 1"
    );
    assert_eq!(
        told(Labelled::new(ArrayD::zeros(IxDyn(&[0, 4])), vec![], 3)),
        "labelled set: expected at least one sample, got shape [0, 4]"
    );
    assert!(Labelled::new(ArrayD::<f64>::zeros(IxDyn(&[])), vec![], 3).is_err());
    assert!(Paired::new(x.clone(), array![1.0].into_dyn()).is_err());
    assert!(Paired::new(x.clone(), ArrayD::zeros(IxDyn(&[0]))).is_err());
    let set = Labelled::new(x, vec![0, 1], 2).unwrap();
    assert!(set.clone().with_class_names(["one"]).is_err());
    assert_eq!(set.clone().with_class_names(["no", "yes"]).unwrap().class_name(1), "yes");
    assert_eq!(told(set.subset(&[])), "subset: expected at least one sample, got none");
    assert_eq!(told(set.subset(&[1, 2])), "gather: expected an index below 2, got 2 at position 1");
    assert!(Subset::new(&set, vec![]).is_err() && Subset::new(&set, vec![0, 9]).is_err());
}

#[test]
fn arrays_of_any_layout_are_taken() {
    let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].into_dyn();
    let set = Labelled::new(x.reversed_axes(), vec![0, 1, 0], 2).unwrap();
    let mut batch = Batch::default();
    set.gather(&[1], &mut batch).unwrap();
    assert_eq!(batch.inputs, array![[2.0, 5.0]].into_dyn());
    // The public helper takes any, too.
    let mut out = ArrayD::default(IxDyn(&[0]));
    gather_rows(&array![[1.0, 2.0], [3.0, 4.0]].reversed_axes().into_dyn(), &[1, 0], &mut out).unwrap();
    assert_eq!(out, array![[2.0, 4.0], [1.0, 3.0]].into_dyn());
    gather_rows(&ArrayD::<f64>::zeros(IxDyn(&[2, 0])), &[1, 0, 1], &mut out).unwrap();
    assert_eq!(out.shape(), [3, 0]);
}

#[test]
fn a_failed_batch_leaves_the_array_as_it_was() {
    let mut out = array![[7.0]].into_dyn();
    let error = gather_rows(&array![[1.0], [2.0]].into_dyn(), &[0, 2], &mut out).unwrap_err();
    assert_eq!(error.to_string(), "gather: expected an index below 2, got 2 at position 1");
    assert_eq!(out, array![[7.0]].into_dyn());
}

#[test]
fn pairs_are_gathered_together() {
    let set = Paired::new(array![[1.0], [2.0], [3.0]].into_dyn(), array![10.0, 20.0, 30.0].into_dyn()).unwrap();
    let mut batch = Batch::default();
    Arc::new(set.clone()).gather(&[2, 2, 0], &mut batch).unwrap();
    assert_eq!(batch.targets.view(), &array![30.0, 30.0, 10.0].into_dyn());
    let part = set.subset(&[1]).unwrap();
    assert_eq!((part.len(), part.targets()[[0]]), (1, 20.0));
}

#[test]
fn one_hot_refuses_labels_outside() {
    assert_eq!(
        one_hot::<f32>(&[0, 5], 3).unwrap_err().to_string(),
        "one-hot: label: expected an index below 3, got 5 at position 1"
    );
    let mut out = ArrayD::<f32>::ones(IxDyn(&[2, 2]));
    assert!(one_hot_into(&[0], &mut out).is_err() && one_hot_into(&[0, 2], &mut out).is_err());
    assert!(one_hot_into(&[0, 1], &mut ArrayD::<f32>::ones(IxDyn(&[4]))).is_err());
    assert_eq!(out, ArrayD::ones(IxDyn(&[2, 2])));
    one_hot_into(&[1, 0], &mut out).unwrap();
    assert_eq!(out, array![[0.0, 1.0], [1.0, 0.0]].into_dyn());
}

proptest! {
    #[test]
    fn a_batch_holds_what_was_asked_for(
        lists in prop::collection::vec(prop::collection::vec(0_usize..9, 0..12), 1..5), chosen in prop::collection::vec(0_usize..20, 9),
    ) {
        let set = numbered(20);
        let subset = Subset::new(&set, chosen.clone()).unwrap();
        let nested = Subset::new(subset.clone(), (0..9).rev().collect()).unwrap();
        // One memory for batches of all sizes.
        let mut batch = Batch::default();
        for list in lists {
            for (picked, samples) in [
                (list.clone(), &set as &dyn Samples<Batch = Batch<f64, Vec<usize>>>),
                (list.iter().map(|&i| chosen[i]).collect(), &subset),
                (list.iter().map(|&i| chosen[8 - i]).collect(), &nested),
            ] {
                samples.gather(&list, &mut batch).unwrap();
                prop_assert_eq!(&batch.inputs, &set.inputs().select(Axis(0), &picked));
                prop_assert_eq!(&batch.targets, &picked.iter().map(|i| i % 3).collect::<Vec<_>>());
                prop_assert_eq!(&batch.indices, &picked);
            }
        }
    }
}
