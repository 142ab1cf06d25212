//! Masks hold the right number of the right weights, for good; and smooth labels.

use gradwise_regularize::ndarray::{Array2, ArrayD, IxDyn, arr1, arr2};
use gradwise_regularize::{Grads, LabelSmoothing, Mask, Param, ParamsExt, Pruner, Result, Scope, SparsitySchedule};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_smallest_go_and_stay_gone(
        values in prop::collection::vec(-4_i32..5, 0..150), first in 0.0..1.0, second in 0.0..1.0, turned: bool,
    ) {
        let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
        let weights = Array2::from_shape_vec((values.len() / 3, 3), values[..values.len() / 3 * 3].to_vec()).unwrap();
        let mut weights = if turned { weights.reversed_axes() } else { weights }.into_dyn();
        let mut mask = Mask::full(&weights);
        prop_assert_eq!(mask.n_kept(), weights.len());
        let mut before = mask.clone();
        for sparsity in [first, second] {
            mask.prune(&weights, sparsity).unwrap();
            let expected = ((sparsity * weights.len() as f64).round() as usize).max(weights.len() - before.n_kept());
            prop_assert_eq!(weights.len() - mask.n_kept(), expected);
            let magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
            let (now, then) = (&mask, &before);
            let of = move |keep: bool| (0..then.len()).filter(move |&i| then.is_kept(i) && now.is_kept(i) == keep);
            let least = of(true).map(|i| magnitudes[i]).fold(f32::INFINITY, f32::min);
            prop_assert!(of(false).all(|i| magnitudes[i] <= least));
            // Of equal ones, the first go.
            let last_gone = of(false).filter(|&i| magnitudes[i] == least).max();
            let first_kept = of(true).find(|&i| magnitudes[i] == least);
            prop_assert!(last_gone.is_none_or(|gone| first_kept.is_none_or(|kept| gone < kept)));
            prop_assert!((0..weights.len()).all(|i| before.is_kept(i) || !mask.is_kept(i)));
            mask.apply(&mut weights).unwrap();
            for (i, (w, magnitude)) in weights.iter().zip(&magnitudes).enumerate() {
                prop_assert_eq!(w.abs(), if mask.is_kept(i) { *magnitude } else { 0.0 });
            }
            before = mask.clone();
            // Weights that grow again are not taken back.
            weights.mapv_inplace(|w| w + 0.5);
        }
        prop_assert!(!mask.is_kept(weights.len()));
    }
}

#[test]
fn masks_refuse_other_arrays() {
    let weights = arr1(&[1.0_f64, f64::NAN, 0.5]).into_dyn();
    let mut mask = Mask::full(&weights);
    refused(mask.prune(&weights, 1.5), "pruning: sparsity: expected a number in [0, 1], got 1.5");
    let mut other = arr1(&[1.0, 2.0]).into_dyn();
    refused(mask.prune(&other, 0.5), "mask: expected an array of the mask's 3 weights, got shape [2]");
    refused(mask.apply(&mut other), "mask: expected an array of the mask's 3 weights, got shape [2]");
    // A NaN is no small weight.
    mask.prune(&weights, 0.67).unwrap();
    assert!(mask.is_kept(1) && mask.n_kept() == 1);
    mask.prune(&weights, 1.0).unwrap();
    assert_eq!((mask.n_kept(), mask.sparsity(), mask.len(), mask.is_empty()), (0, 1.0, 3, false));
    assert_eq!(Mask::full(&ArrayD::<f32>::zeros(IxDyn(&[0]))).sparsity(), 0.0);
}

fn refused<X>(result: Result<X>, expected: &str) {
    assert_eq!(result.map(drop).unwrap_err().to_string(), expected);
}

type Model = Vec<[Param<f64>; 2]>;

fn model() -> Model {
    let weight = |scale: f64| Param::new(Array2::from_shape_fn((2, 3), |(i, j)| scale * (3 * i + j + 1) as f64));
    vec![[weight(1.0), Param::new(arr1(&[0.01]))], [weight(-0.1), Param::new(arr1(&[0.01]))]]
}

fn zeros(model: &Model) -> Vec<usize> {
    let mut zeros = Vec::new();
    model.visit(|_, param| zeros.push(param.value.iter().filter(|&&w| w == 0.0).count()));
    zeros
}

#[test]
fn scopes_differ_in_who_is_compared() {
    let mut layers = model();
    let mut pruner = Pruner::new(Scope::Layer, "*.0").unwrap();
    pruner.prune(&mut layers, 0.5).unwrap();
    assert_eq!(zeros(&layers), [3, 0, 3, 0]);
    let mut global = model();
    let mut pruner = Pruner::new(Scope::Global, "0.0").unwrap().and_on("1.0").unwrap();
    assert_eq!(pruner.sparsity(), 0.0);
    pruner.prune(&mut global, 0.5).unwrap();
    assert_eq!((zeros(&global), pruner.sparsity()), (vec![0, 0, 6, 0], 0.5));
    assert!(pruner.masks()[1].is_none() && pruner.masks()[3].is_none());

    // Whatever moves them, removed weights go back to zero, and their gradients are none; a smaller share takes nothing back.
    global.visit_mut(|_, param| param.value += 1.0);
    pruner.prune(&mut global, 0.2).unwrap();
    assert_eq!(zeros(&global), [0, 0, 6, 0]);
    let ones = |model: &Model| {
        let mut arrays = Vec::new();
        model.visit(|_, param| arrays.push(Some(ArrayD::ones(param.value.raw_dim()))));
        arrays
    };
    let mut grads = Grads::from_arrays(&global, ones(&global));
    pruner.apply_to_grads(&mut grads).unwrap();
    assert_eq!(grads.iter().map(|(_, grad)| grad.sum()).collect::<Vec<_>>(), [6.0, 1.0, 0.0, 1.0]);

    // Another one goes on with its masks, on parameters that were frozen meanwhile, too.
    let mut resumed = Pruner::new(Scope::Global, "*.0").unwrap();
    resumed.resume(pruner.masks().to_vec());
    global[0][0].freeze();
    resumed.prune(&mut global, 0.75).unwrap();
    assert_eq!(zeros(&global), [3, 0, 6, 0]);
    refused(resumed.apply(&mut global[0]), "pruner: number of parameters: expected the 4 of the masks, got 2");
    global[1][0] = Param::new(arr1(&[1.0]));
    refused(resumed.prune(&mut global, 0.9), "1.0: pruner: expected the mask's 6 weights, got shape [1]");
    refused(
        Pruner::new(Scope::Layer, "x").unwrap().prune(&mut layers, 0.5),
        "pruner: expected a pattern that matches one of the model's parameters (0.0, 0.1, 1.0, 1.1), got `x`",
    );
    refused(
        Pruner::new(Scope::Layer, "*.0").unwrap().prune(&mut layers, f64::NAN),
        "pruning: sparsity: expected a number in [0, 1], got NaN",
    );
}

#[test]
fn sparsity_follows_the_cubic() {
    let schedule = SparsitySchedule::new(0.1, 0.9, 10..110, 30).unwrap();
    let cubic = |t: f64| 0.9 + (0.1 - 0.9) * (1.0 - (t - 10.0) / 100.0).powi(3);
    for step in 10..=110_u32 {
        assert!((schedule.at(u64::from(step)) - cubic(f64::from(step))).abs() < 1e-12);
    }
    assert_eq!((schedule.at(9), schedule.at(u64::MAX)), (0.0, 0.9));
    assert_eq!((0..200).filter(|&t| schedule.is_due(t)).collect::<Vec<u64>>(), [10, 40, 70, 100, 110]);
    let refuse = |initial, last, steps, every, expected: &str| {
        refused(SparsitySchedule::new(initial, last, steps, every), &format!("sparsity schedule: {expected}"));
    };
    refuse(-0.1, 0.5, 0..9, 1, "initial sparsity: expected a number in [0, 1], got -0.1");
    refuse(0.1, 1.5, 0..9, 1, "final sparsity: expected a number in [0, 1], got 1.5");
    refuse(0.5, 0.1, 0..9, 1, "final sparsity: expected at least the initial one, 0.5, got 0.1");
    refuse(0.0, 0.1, 9..9, 1, "steps: expected a range with at least one step, got 9..9");
    refuse(0.0, 0.1, 0..9, 0, "steps between masks: expected at least 1, got 0");
}

#[test]
fn smooth_labels_are_probabilities() {
    let smoothing = LabelSmoothing::new(0.3).unwrap();
    let targets = smoothing.one_hot::<f32>(&[2, 0], 3).unwrap();
    assert!(targets.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
    let mut hard = arr2(&[[0.0_f32, 0.0, 1.0], [1.0, 0.0, 0.0]]).into_dyn();
    smoothing.apply(&mut hard).unwrap();
    assert!((&hard - &targets).iter().all(|d| d.abs() < 1e-7));
    // Mixed targets stay mixed: 0.7 · 0.5 + 0.3 / 2.
    let mut mixed = arr2(&[[0.5_f64, 0.5]]).into_dyn();
    smoothing.apply(&mut mixed).unwrap();
    assert!((mixed[[0, 0]] - 0.5).abs() < 1e-12);
    let mut binary = arr1(&[0.0_f64, 1.0]).into_dyn();
    smoothing.apply_binary(&mut binary);
    assert!((binary[[0]] - 0.15).abs() < 1e-12 && (binary[[1]] - 0.85).abs() < 1e-12);

    refused(LabelSmoothing::new(1.1), "label smoothing: epsilon: expected a number in [0, 1], got 1.1");
    refused(smoothing.one_hot::<f32>(&[0, 3], 3), "label smoothing: expected an index below 3, got 3 at position 1");
    let mut out = ArrayD::<f32>::ones(IxDyn(&[2, 2]));
    refused(smoothing.one_hot_into(&[0], &mut out), "label smoothing: expected [1, classes], got shape [2, 2]");
    assert!(out.iter().all(|&y| y == 1.0));
    let mut scalar = ArrayD::<f32>::ones(IxDyn(&[]));
    refused(smoothing.apply(&mut scalar), "label smoothing: expected a last axis of classes, got shape []");
    smoothing.one_hot::<f64>(&[], 0).unwrap();
}

#[cfg(feature = "serde")]
#[test]
fn masks_are_saved() {
    let weights = ArrayD::from_shape_fn(IxDyn(&[100]), |at| ((at[0] * 37) % 100) as f64);
    let mut mask = Mask::full(&weights);
    mask.prune(&weights, 0.4).unwrap();
    assert_eq!(serde_json::from_str::<Mask>(&serde_json::to_string(&mask).unwrap()).unwrap(), mask);
    for wrong in [r#"{"len":65,"words":[1]}"#, r#"{"len":3,"words":[8]}"#] {
        let error = serde_json::from_str::<Mask>(wrong).unwrap_err().to_string();
        assert!(error.contains("no bit beyond"), "{error}");
    }
}
