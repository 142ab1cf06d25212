//! Losses against their formulas, at their edges, and against finite differences; embeddings too.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Error, Loss, Op, Reduction};
use gradwise_tensor::ActivityPenalty;
use gradwise_tensor::eager::Eager;
use gradwise_tensor::embedding::Embedding;
use gradwise_tensor::loss::{
    BceWithLogitsLoss, BinaryCrossEntropyWithLogits, BinaryFocalLoss, CosineEmbedding, CosineSimilarityLoss,
    CrossEntropyLoss, FocalLoss, HingeError, HingeLoss, Huber, HuberLoss, KlDivLoss, MaeLoss, MeanAbsoluteError,
    MeanSquaredError, MseLoss, MultiMarginLoss, SoftmaxCrossEntropy, Targets, TripletMargin,
};
use ndarray::{ArrayD, arr1, arr2};
use proptest::prelude::*;
use support::{assert_close, cases, consistent, random, run, single, strided};

const REDUCTIONS: [Reduction; 3] = [Reduction::Mean, Reduction::Sum, Reduction::None];

fn values(op: &dyn Op<f64>, predictions: &ArrayD<f64>) -> ArrayD<f64> {
    Eager::default().forward(op, &[predictions.view()]).unwrap().0
}

/// What the reduction makes of the samples' losses, the mean dividing by `total`.
fn reduced(losses: &[f64], reduction: Reduction, total: f64) -> ArrayD<f64> {
    let sum: f64 = losses.iter().sum();
    match reduction {
        Reduction::Mean => ndarray::arr0(sum / total).into_dyn(),
        Reduction::Sum => ndarray::arr0(sum).into_dyn(),
        Reduction::None => arr1(losses).into_dyn(),
    }
}

/// `ln softmax` of each row, by the formula.
fn log_softmax(x: &ArrayD<f64>) -> ArrayD<f64> {
    let mut out = x.clone();
    for mut row in out.outer_iter_mut() {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        row -= sum.ln();
    }
    out
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn cross_entropy_with_classes(
        n in 1_usize..6, c in 1_usize..7, seed: u64, smoothing in prop_oneof![Just(0.0), 0.0..1.0], weighted: bool, ignore: bool,
    ) {
        let logits = random(&[n, c], seed);
        let classes: Vec<usize> = (0..n).map(|i| (seed as usize >> i) % c).collect();
        let weights: Vec<f64> = random(&[c], !seed).iter().map(|w| w.abs()).collect();
        let ignored = if ignore { classes[0] } else { usize::MAX };
        let weight = |class: usize| if weighted { weights[class] } else { 1.0 };
        let log_p = log_softmax(&logits);
        let losses: Vec<f64> = (0..n).map(|i| {
            if classes[i] == ignored {
                return 0.0;
            }
            let all: f64 = (0..c).map(|k| -weight(k) * log_p[[i, k]]).sum();
            -(1.0 - smoothing) * weight(classes[i]) * log_p[[i, classes[i]]] + smoothing / c as f64 * all
        }).collect();
        let total: f64 = classes.iter().filter(|&&class| class != ignored).map(|&class| weight(class)).sum();
        prop_assume!(total > 0.0);

        for reduction in REDUCTIONS {
            let double = SoftmaxCrossEntropy::<f64>::new(Targets::Classes(&classes), reduction);
            let single = SoftmaxCrossEntropy::<f32>::new(Targets::Classes(&classes), reduction);
            let (mut double, mut single) = (double.ignored(ignored), single.ignored(ignored));
            double = double.label_smoothing(smoothing).unwrap();
            single = single.label_smoothing(smoothing).unwrap();
            if weighted {
                (double, single) = (double.class_weights(&weights).unwrap(), single.class_weights(&weights).unwrap());
            }
            assert_close("cross-entropy", &values(&double, &logits), &reduced(&losses, reduction, total), 1e-12);
            consistent(&single, &double, std::slice::from_ref(&logits), 1e-4);
            check::op(&double, std::slice::from_ref(&logits)).unwrap();
        }
    }

    #[test]
    fn cross_entropy_with_distributions(n in 1_usize..6, c in 1_usize..7, seed: u64, smoothing in 0.0..1.0) {
        let (logits, targets) = (random(&[n, c], seed), random(&[n, c], !seed).mapv(f64::abs));
        let weights: Vec<f64> = random(&[c], seed ^ 7).iter().map(|w| w.abs()).collect();
        let log_p = log_softmax(&logits);
        let loss = |i| (0..c).map(|k| -weights[k] * ((1.0 - smoothing) * targets[[i, k]] + smoothing / c as f64) * log_p[[i, k]]).sum();
        let losses: Vec<f64> = (0..n).map(loss).collect();
        let singles = single(&targets);
        let others = strided(&targets);
        for reduction in REDUCTIONS {
            let double = SoftmaxCrossEntropy::new(Targets::Soft(&others), reduction);
            let double = double.label_smoothing(smoothing).unwrap().class_weights(&weights).unwrap();
            let single = SoftmaxCrossEntropy::new(Targets::Soft(&singles), reduction);
            let single = single.label_smoothing(smoothing).unwrap().class_weights(&weights).unwrap();
            assert_close("cross-entropy", &values(&double, &logits), &reduced(&losses, reduction, n as f64), 1e-12);
            consistent(&single, &double, std::slice::from_ref(&logits), 1e-4);
            check::op(&double, std::slice::from_ref(&logits)).unwrap();
        }
    }

    #[test]
    fn losses_that_are_means_over_elements(shape in prop::collection::vec(1_usize..6, 1..4), seed: u64) {
        let (predictions, targets) = (random(&shape, seed), random(&shape, !seed));
        // Away from the kinks of the absolute error and of Huber's loss.
        let d = &predictions - &targets;
        let apart = |kink: f64| d.iter().all(|d| (d.abs() - kink).abs() > 1e-4);
        let labels = targets.mapv(|t| (t + 2.0) / 4.01);
        let positive: Vec<f64> = random(&[shape[1..].iter().product()], seed ^ 7).iter().map(|w| w.abs()).collect();
        let (targets32, labels32) = (single(&targets), single(&labels));
        let n = shape[0];
        let losses_by = |f: &dyn Fn(usize, f64, f64) -> f64, targets: &ArrayD<f64>| -> Vec<f64> {
            predictions.outer_iter().zip(targets.outer_iter()).map(|(p, t)| {
                p.iter().zip(&t).enumerate().map(|(j, (&p, &t))| f(j, p, t)).sum::<f64>() / p.len() as f64
            }).collect()
        };
        let verify = |single: &dyn Op<f32>, double: &dyn Op<f64>, losses: &[f64], reduction, differentiable: bool| {
            assert_close(double.name(), &values(double, &predictions), &reduced(losses, reduction, n as f64), 1e-12);
            if differentiable {
                consistent(single, double, std::slice::from_ref(&predictions), 1e-4);
                check::op(double, std::slice::from_ref(&predictions)).unwrap();
            }
        };
        for reduction in REDUCTIONS {
            let losses = losses_by(&|_, p, t| (p - t).powi(2), &targets);
            let ops = (MeanSquaredError::new(&targets32, reduction), MeanSquaredError::new(&targets, reduction));
            verify(&ops.0, &ops.1, &losses, reduction, true);

            let losses = losses_by(&|_, p, t| (p - t).abs(), &targets);
            let ops = (MeanAbsoluteError::new(&targets32, reduction), MeanAbsoluteError::new(&targets, reduction));
            verify(&ops.0, &ops.1, &losses, reduction, apart(0.0));

            let huber = |_: usize, p: f64, t: f64| {
                let d = (p - t).abs();
                if d <= 0.7 { d * d / 2.0 } else { 0.7 * (d - 0.35) }
            };
            let losses = losses_by(&huber, &targets);
            let ops = (Huber::new(&targets32, reduction, 0.7).unwrap(), Huber::new(&targets, reduction, 0.7).unwrap());
            verify(&ops.0, &ops.1, &losses, reduction, apart(0.7));

            let bce = |j: usize, x: f64, t: f64| {
                let p = 1.0 / (1.0 + (-x).exp());
                -positive[j] * t * p.ln() - (1.0 - t) * (1.0 - p).ln()
            };
            let losses = losses_by(&bce, &labels);
            let double = BinaryCrossEntropyWithLogits::new(&labels, reduction).unwrap().positive_weights(&positive).unwrap();
            let single = BinaryCrossEntropyWithLogits::new(&labels32, reduction).unwrap().positive_weights(&positive).unwrap();
            verify(&single, &double, &losses, reduction, true);

            let losses = losses_by(&|_, x: f64, t: f64| (1.0 + x.exp()).ln() - t * x, &labels);
            let double = BinaryCrossEntropyWithLogits::new(&labels, reduction).unwrap();
            let single = BinaryCrossEntropyWithLogits::new(&labels32, reduction).unwrap();
            verify(&single, &double, &losses, reduction, true);
        }
    }

    #[test]
    fn activity_penalty(shape in prop::collection::vec(0_usize..6, 0..4), seed: u64, l1 in 0.0..2.0, l2 in 0.0..2.0) {
        let x = random(&shape, seed);
        let op = ActivityPenalty::new(l1, l2).unwrap();
        let sum: f64 = x.iter().map(|x| l1 * x.abs() + 0.5 * l2 * x * x).sum();
        let n = shape.first().copied().unwrap_or(1).max(1) as f64;
        assert_close("activity_penalty", &values(&op, &x), &ndarray::arr0(sum / n).into_dyn(), 1e-12);
        consistent(&op, &op, std::slice::from_ref(&x), 1e-4);
        // Away from the kink.
        if x.iter().all(|x| x.abs() > 1e-4) {
            check::op(&op, &[x]).unwrap();
        }
    }

    #[test]
    fn embedding_reads_and_scatters(rows in 1_usize..6, width in 0_usize..5, n in 0_usize..9, seed: u64, padded: bool) {
        let table = random(&[rows, width], seed);
        let indices: Vec<usize> = (0..n).map(|i| (seed as usize >> i) % rows).collect();
        let shape = [n, 1];
        let mut op = Embedding::new(&indices, &shape).unwrap();
        if padded {
            op = op.padding(0);
        }
        let results = run(&mut Eager::default(), &op, std::slice::from_ref(&table));
        let grad = random(&[n, 1, width], 99);
        let mut expected = ArrayD::zeros(vec![rows, width]);
        for (i, &index) in indices.iter().enumerate() {
            for j in 0..width {
                assert_eq!(results[0][[i, 0, j]], table[[index, j]]);
                if !(padded && index == 0) {
                    expected[[index, j]] += grad[[i, 0, j]];
                }
            }
        }
        assert_close("embedding", &results[1], &expected, 1e-12);
        consistent(&op, &op, std::slice::from_ref(&table), 1e-5);
        if !padded {
            check::op(&op, &[table]).unwrap();
        }
    }
}

/// A loss in both number types: the same in `f32`, on threads and with odd strides, and with the right gradients.
fn verify(single_op: &dyn Op<f32>, double_op: &dyn Op<f64>, inputs: &[ArrayD<f64>]) {
    consistent(single_op, double_op, inputs, 1e-4);
    check::op(double_op, inputs).unwrap();
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn losses_over_elements_by_other_formulas(
        n in 1_usize..5, c in 1_usize..5, seed: u64, gamma in prop_oneof![Just(0.0), Just(2.0), 0.3..3.0], alpha in 0.0..1.0,
    ) {
        let (x, y) = (random(&[n, c], seed), random(&[n, c], !seed));
        let signs = y.mapv(f64::signum);
        let labels = y.mapv(|y| (y + 2.0) / 4.01);
        let apart = x.iter().zip(&signs).all(|(x, t)| (1.0 - x * t).abs() > 1e-4);
        for reduction in REDUCTIONS {
            for squared in [false, true] {
                let loss = HingeLoss(HingeError { squared });
                let (signs32, value) = (single(&signs), |x: f64, t: f64| (1.0 - x * t).max(0.0));
                let mean = |(x, t): (ndarray::ArrayViewD<'_, f64>, ndarray::ArrayViewD<'_, f64>)| {
                    let all = x.iter().zip(&t).map(|(&x, &t)| value(x, t).powi(if squared { 2 } else { 1 }));
                    all.sum::<f64>() / c as f64
                };
                let losses: Vec<f64> = x.outer_iter().zip(signs.outer_iter()).map(mean).collect();
                let double = loss.op(&*signs, reduction).unwrap();
                assert_close("hinge", &values(&*double, &x), &reduced(&losses, reduction, n as f64), 1e-12);
                if apart {
                    verify(&*loss.op(&*signs32, reduction).unwrap(), &*double, std::slice::from_ref(&x));
                }
            }
            let loss = BinaryFocalLoss::new(gamma).unwrap().alpha(alpha).unwrap();
            let labels32 = single(&labels);
            let (single_op, double) = (loss.op(&*labels32, reduction).unwrap(), loss.op(&*labels, reduction).unwrap());
            verify(&*single_op, &*double, std::slice::from_ref(&x));
            let (single_op, double) = (KlDivLoss.op(&*labels32, reduction).unwrap(), KlDivLoss.op(&*labels, reduction).unwrap());
            verify(&*single_op, &*double, std::slice::from_ref(&x));
        }
    }

    #[test]
    fn losses_over_rows(n in 1_usize..5, c in 1_usize..5, seed: u64, gamma in prop_oneof![Just(0.0), Just(2.0), 0.3..3.0]) {
        let (x, y, z) = (random(&[n, c], seed), random(&[n, c], !seed), random(&[n, c], seed ^ 7));
        let classes: Vec<usize> = (0..n).map(|i| (seed as usize >> i) % c).collect();
        let weights: Vec<f64> = random(&[c], seed ^ 9).iter().map(|w| w.abs()).collect();
        let alike: Vec<bool> = (0..n).map(|i| seed >> i & 1 == 0).collect();
        let y32 = single(&y);
        for reduction in REDUCTIONS {
            let one = std::slice::from_ref(&x);
            let focal = FocalLoss::new(gamma).unwrap().class_weights(weights.clone()).unwrap();
            let (single_op, double) = (focal.op(&classes[..], reduction).unwrap(), focal.op(&classes[..], reduction).unwrap());
            verify(&*single_op, &*double, one);
            let smooth = MultiMarginLoss::new(0.7).unwrap().squared();
            let (single_op, double) = (smooth.op(&classes[..], reduction).unwrap(), smooth.op(&classes[..], reduction).unwrap());
            verify(&*single_op, &*double, one);
            // With one feature the cosine is a sign, whose gradient is 0.
            if c > 1 {
                let cosine = CosineSimilarityLoss;
                let (single_op, double) = (cosine.op(&*y32, reduction).unwrap(), cosine.op(&*y, reduction).unwrap());
                verify(&*single_op, &*double, one);
                // A margin that no cosine is near to: the loss is smooth.
                let op = CosineEmbedding::new(&alike, -1.0, reduction).unwrap();
                verify(&op, &op, &[x.clone(), y.clone()]);
            }
            let op = TripletMargin::new(100.0, reduction).unwrap();
            verify(&op, &op, &[x.clone(), y.clone(), z.clone()]);
        }
    }
}

#[test]
fn sure_predictions_and_equal_rows_have_finite_gradients() {
    let certain = arr2(&[[1e4, -1e4], [1e4, 1e4], [-1e4, -1e4]]).into_dyn();
    let labels = arr2(&[[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]).into_dyn();
    let zeros = ArrayD::<f64>::zeros(vec![3, 2]);
    let same = random(&[3, 2], 4);
    let triplet = TripletMargin::new(1.0, Reduction::Sum).unwrap();
    let cosine = CosineEmbedding::new(&[true, true, false], 0.0, Reduction::Sum).unwrap();
    for gamma in [0.0, 0.5, 2.0] {
        let (binary, focal) = (BinaryFocalLoss::new(gamma).unwrap(), FocalLoss::new(gamma).unwrap());
        let binary = binary.op(&*labels, Reduction::Sum).unwrap();
        let focal = Loss::<f64, [usize]>::op(&focal, &[0, 1, 0], Reduction::Sum).unwrap();
        let cases: [(&dyn Op<f64>, Vec<ArrayD<f64>>); 4] = [
            (&*binary, vec![certain.clone()]),
            (&*focal, vec![certain.clone()]),
            (&triplet, vec![same.clone(), same.clone(), same.clone()]),
            (&cosine, vec![zeros.clone(), same.clone()]),
        ];
        for (op, inputs) in cases {
            for result in run(&mut Eager::default(), op, &inputs) {
                assert!(result.iter().all(|x| x.is_finite()), "{} with gamma {gamma}: {result}", op.name());
            }
        }
    }
}

#[test]
fn targets_that_do_not_fit_other_losses_are_named() {
    let (x, odd) = (random(&[2, 3], 1), arr2(&[[1.0, 0.0, -1.0]]).into_dyn());
    let message = |result: gradwise_core::Result<Box<dyn Op<f64> + '_>>| result.err().unwrap().to_string();
    assert_eq!(message(HingeLoss::default().op(&*odd, Reduction::Mean)), "hinge: target: expected -1 or 1, got 0");
    let negative = "kl_div: target: expected a finite number, at least 0, got -1";
    assert_eq!(message(KlDivLoss.op(&*odd, Reduction::Mean)), negative);
    let focal = BinaryFocalLoss::new(2.0).unwrap();
    assert_eq!(message(focal.op(&*odd, Reduction::Mean)), "binary_focal: target: expected a number in [0, 1], got -1");
    assert!(BinaryFocalLoss::new(-1.0).is_err() && focal.alpha(1.5).is_err() && FocalLoss::new(f64::NAN).is_err());
    assert!(FocalLoss::new(1.0).unwrap().class_weights(vec![-1.0]).is_err() && MultiMarginLoss::new(0.0).is_err());
    assert!(CosineEmbedding::new(&[true], 2.0, Reduction::Mean).is_err());
    assert!(TripletMargin::new(f64::INFINITY, Reduction::Mean).is_err());

    let error = |op: &dyn Op<f64>, inputs: &[ArrayD<f64>]| {
        let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
        Eager::default().forward(op, &views).unwrap_err()
    };
    let margin = MultiMarginLoss::new(1.0).unwrap();
    let op = margin.op(&[0_usize, 3][..], Reduction::Mean).unwrap();
    assert_eq!(
        error(&*op, std::slice::from_ref(&x)).to_string(),
        "multi_margin: expected an index below 3, got 3 at position 1"
    );
    let op = margin.op(&[0_usize][..], Reduction::Mean).unwrap();
    assert!(matches!(error(&*op, std::slice::from_ref(&x)), Error::Shape { .. }));
    let weighted = FocalLoss::new(1.0).unwrap().class_weights(vec![1.0]).unwrap();
    assert!(matches!(
        error(&*weighted.op(&[0_usize, 1][..], Reduction::Mean).unwrap(), std::slice::from_ref(&x)),
        Error::Shape { .. }
    ));
    assert!(matches!(
        error(&*CosineSimilarityLoss.op(&*odd, Reduction::Mean).unwrap(), std::slice::from_ref(&x)),
        Error::Shape { .. }
    ));
    let op = CosineEmbedding::new(&[true], 0.0, Reduction::Mean).unwrap();
    assert!(matches!(error(&op, &[x.clone(), x.clone()]), Error::Shape { .. }));
    let op = TripletMargin::new(1.0, Reduction::Mean).unwrap();
    assert!(matches!(error(&op, &[x.clone(), x.clone(), odd]), Error::Shape { .. }));
    assert!(matches!(error(&op, &[x]), Error::Arity { .. }));
}

#[test]
fn large_arrays_are_consistent() {
    let (logits, targets) = (random(&[700, 90], 1), random(&[700, 90], 2).mapv(|t| (t + 2.0) / 4.01));
    let targets32 = single(&targets);
    let classes: Vec<usize> = (0..700).map(|i| i * 31 % 90).collect();
    for reduction in REDUCTIONS {
        let hard = SoftmaxCrossEntropy::<f32>::new(Targets::Classes(&classes), reduction);
        let double = SoftmaxCrossEntropy::<f64>::new(Targets::Classes(&classes), reduction);
        consistent(&hard, &double, std::slice::from_ref(&logits), 1e-4);
        let soft = SoftmaxCrossEntropy::new(Targets::Soft(&targets32), reduction);
        let double = SoftmaxCrossEntropy::new(Targets::Soft(&targets), reduction);
        consistent(&soft, &double, std::slice::from_ref(&logits), 1e-4);
        let bce = BinaryCrossEntropyWithLogits::new(&targets32, reduction).unwrap();
        let double = BinaryCrossEntropyWithLogits::new(&targets, reduction).unwrap();
        consistent(&bce, &double, std::slice::from_ref(&logits), 1e-4);
    }
    let indices: Vec<usize> = (0..3000).map(|i| i * 7 % 700).collect();
    let lookup = Embedding::new(&indices, &[3000]).unwrap();
    consistent(&lookup, &lookup, &[logits], 1e-4);
}

#[test]
fn huge_logits_do_not_overflow() {
    let logits = arr2(&[[1e30_f32, -1e30, 0.0], [1e30, 1e30, -1e30], [-1e30, -1e30, -1e30]]).into_dyn();
    let op = SoftmaxCrossEntropy::new(Targets::Classes(&[0, 1, 2]), Reduction::None);
    let (losses, saved) = Eager::default().forward(&op, &[logits.view()]).unwrap();
    let expected = arr1(&[0.0, 2.0_f64.ln(), 3.0_f64.ln()]).into_dyn();
    assert_close("losses", &losses, &expected, 1e-6);
    let grad =
        Eager::default().backward(&op, &[logits.view()], &losses, &saved, &ArrayD::ones(vec![3])).unwrap().remove(0);
    let third = 1.0 / 3.0;
    let expected = arr2(&[[0.0, 0.0, 0.0], [0.5, -0.5, 0.0], [third, third, third - 1.0]]).into_dyn();
    assert_close("gradients", &grad, &expected, 1e-6);

    let wrong = SoftmaxCrossEntropy::new(Targets::Classes(&[1, 2, 0]), Reduction::None);
    let (losses, _) = Eager::default().forward(&wrong, &[logits.view()]).unwrap();
    assert!(losses.iter().all(|loss| loss.is_finite() && *loss >= 0.0), "{losses}");

    let logits = arr1(&[1e30_f32, -1e30, 1e30, -1e30, 100.0]).into_dyn();
    let labels = arr1(&[1.0_f32, 0.0, 0.0, 1.0, 0.5]).into_dyn();
    let op = BinaryCrossEntropyWithLogits::new(&labels, Reduction::None).unwrap();
    let (losses, saved) = Eager::default().forward(&op, &[logits.view()]).unwrap();
    assert_eq!(losses.as_slice().unwrap(), [0.0, 0.0, 1e30, 1e30, 50.0]);
    let grad =
        Eager::default().backward(&op, &[logits.view()], &losses, &saved, &ArrayD::ones(vec![5])).unwrap().remove(0);
    assert_eq!(grad.as_slice().unwrap(), [0.0, 0.0, 1.0, -1.0, 0.5]);
}

#[test]
fn infinite_logits_mask_and_nan_shows() {
    let infinity = f64::INFINITY;
    let logits = arr2(&[[0.0, -infinity, 0.0]]).into_dyn();
    for targets in [Targets::Classes(&[0]), Targets::Soft(&arr2(&[[1.0, 0.0, 0.0]]).into_dyn())] {
        let op = SoftmaxCrossEntropy::new(targets, Reduction::Mean);
        let results = run(&mut Eager::default(), &op, std::slice::from_ref(&logits));
        assert!((results[0][[]] - 2.0_f64.ln()).abs() < 1e-12);
        assert!(results[1].iter().all(|g| g.is_finite()));
    }
    let masked = arr1(&[infinity, -infinity]).into_dyn();
    let labels = arr1(&[1.0, 0.0]).into_dyn();
    assert_eq!(values(&BinaryCrossEntropyWithLogits::new(&labels, Reduction::Sum).unwrap(), &masked)[[]], 0.0);

    let nan = arr2(&[[0.0, f64::NAN]]).into_dyn();
    assert!(values(&SoftmaxCrossEntropy::new(Targets::Classes(&[0]), Reduction::Mean), &nan)[[]].is_nan());
    let labels = arr2(&[[0.5, 0.5]]).into_dyn();
    assert!(values(&BinaryCrossEntropyWithLogits::new(&labels, Reduction::Mean).unwrap(), &nan)[[]].is_nan());
    assert!(values(&MeanAbsoluteError::new(&labels, Reduction::Mean), &nan)[[]].is_nan());
    assert!(values(&Huber::new(&labels, Reduction::Mean, 1.0).unwrap(), &nan)[[]].is_nan());
}

#[test]
fn a_batch_of_ignored_samples_has_loss_and_gradient_zero() {
    let logits = arr2(&[[0.0, f64::NAN]]).into_dyn();
    let op = SoftmaxCrossEntropy::new(Targets::Classes(&[7]), Reduction::Mean).ignored(7);
    let results = run(&mut Eager::default(), &op, &[logits]);
    assert_eq!((results[0][[]], results[1].as_slice().unwrap()), (0.0, &[0.0, 0.0][..]));
}

#[test]
fn losses_pass_their_own_check() {
    let (predictions, classes) = (random(&[5, 3], 1), vec![0_usize, 2, 1, 1, 0]);
    let targets = random(&[5, 3], 2);
    let labels = targets.mapv(|t| (t + 2.0) / 4.01);
    let smooth = CrossEntropyLoss::default().label_smoothing(0.1).unwrap().class_weights(vec![1.0, 2.0, 0.5]).unwrap();
    check::loss(&smooth, &predictions, &classes[..]).unwrap();
    check::loss(&smooth, &predictions, &*labels).unwrap();
    check::loss(&MseLoss, &predictions, &*targets).unwrap();
    check::loss(&MaeLoss, &predictions, &*targets).unwrap();
    check::loss(&HuberLoss::new(0.5).unwrap(), &predictions, &*targets).unwrap();
    check::loss(&BceWithLogitsLoss::default(), &predictions, &*labels).unwrap();
    let weighted = BceWithLogitsLoss::default().positive_weights(vec![2.0]).unwrap();
    check::loss(&weighted, &predictions, &*labels).unwrap();
}

#[test]
fn empty_batches() {
    let none = ArrayD::<f64>::zeros(vec![0, 3]);
    for op in [
        &SoftmaxCrossEntropy::new(Targets::Classes(&[]), Reduction::Sum) as &dyn Op<f64>,
        &MeanSquaredError::new(&none, Reduction::Sum),
    ] {
        assert_eq!(run(&mut Eager::default(), op, std::slice::from_ref(&none))[0][[]], 0.0);
    }
    let mean = SoftmaxCrossEntropy::<f64>::new(Targets::Classes(&[]), Reduction::Mean);
    let error = mean.out_shape(&[&[0, 3]]).unwrap_err();
    assert!(error.to_string().contains("at least one sample for a mean"), "{error}");
    let no_elements = ArrayD::<f64>::zeros(vec![2, 0]);
    let results = run(
        &mut Eager::default(),
        &MeanSquaredError::new(&no_elements, Reduction::Mean),
        std::slice::from_ref(&no_elements),
    );
    assert_eq!(results[0][[]], 0.0);
}

#[test]
fn mistakes_are_named() {
    let logits = random(&[2, 3], 1);
    let error = |op: &dyn Op<f64>, x: &ArrayD<f64>| Eager::default().forward(op, &[x.view()]).unwrap_err();
    let hard = |classes| SoftmaxCrossEntropy::<f64>::new(Targets::Classes(classes), Reduction::Mean);
    assert_eq!(
        error(&hard(&[0, 3]), &logits).to_string(),
        "softmax_cross_entropy: expected an index below 3, got 3 at position 1"
    );
    assert!(matches!(error(&hard(&[0]), &logits), Error::Shape { .. }));
    assert!(matches!(error(&hard(&[0, 1]), &random(&[2, 3, 1], 1)), Error::Shape { .. }));
    assert!(matches!(error(&hard(&[0, 1]).class_weights(&[1.0]).unwrap(), &logits), Error::Shape { .. }));
    let soft = random(&[3, 2], 2);
    assert!(matches!(
        error(&SoftmaxCrossEntropy::new(Targets::Soft(&soft), Reduction::Sum), &logits),
        Error::Shape { .. }
    ));
    assert!(matches!(error(&MeanSquaredError::new(&soft, Reduction::Mean), &logits), Error::Shape { .. }));
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(
            hard(&[0, 1]).label_smoothing(bad).is_err() && CrossEntropyLoss::default().label_smoothing(bad).is_err()
        );
    }
    assert!(hard(&[0, 1]).class_weights(&[-1.0]).is_err());
    assert!(CrossEntropyLoss::default().class_weights(vec![f64::NAN]).is_err());
    assert!(HuberLoss::new(0.0).is_err() && Huber::new(&logits, Reduction::Mean, f64::NAN).is_err());
    let labels = arr1(&[0.5, 2.0]).into_dyn();
    assert_eq!(
        BinaryCrossEntropyWithLogits::new(&labels, Reduction::Mean).unwrap_err().to_string(),
        "bce_with_logits: target: expected a number in [0, 1], got 2"
    );
    let weights = BinaryCrossEntropyWithLogits::new(&logits.mapv(|_| 0.5), Reduction::Mean)
        .and_then(|op| op.positive_weights(&[1.0, 2.0])?.out_shape(&[&[2, 3]]));
    assert!(matches!(weights, Err(Error::Shape { .. })));
    let negative = arr2(&[[1.5, -0.5, 0.0], [1.0, 0.0, 0.0]]).into_dyn();
    assert!(Loss::<f64, _>::op(&CrossEntropyLoss::default(), &*negative, Reduction::Mean).is_err());

    assert!(Embedding::new(&[0, 1], &[3]).is_err() && Embedding::new(&[], &[usize::MAX, 2]).is_err());
    let lookup = Embedding::new(&[0, 5], &[2]).unwrap();
    assert!(matches!(error(&lookup, &logits), Error::Index { index: 5, bound: 2, position: 1, .. }));
    assert!(matches!(error(&lookup, &random(&[4], 1)), Error::Shape { .. }));
}

#[test]
fn losses_of_samples_and_what_they_count_make_the_mean() {
    let loss = CrossEntropyLoss::default().class_weights(vec![0.5, 2.0, 0.0]).unwrap().ignored(9);
    let (classes, logits) = ([0, 1, 9, 2, 1], random(&[5, 3], 3));
    let loss: &dyn Loss<f64, [usize]> = &loss;
    let value = |reduction| {
        let op = loss.op(&classes, reduction).unwrap();
        Eager::default().forward(&*op, &[logits.view()]).unwrap().0
    };
    let counts: f64 = (0..5).map(|i| loss.weight(&classes, i)).sum();
    assert_eq!(counts, 0.5 + 2.0 + 2.0);
    assert!((value(Reduction::None).sum() / counts - value(Reduction::Mean)[[]]).abs() < 1e-12);
}
