//! The evidence-based criterion: its formula, what it is for noise, and that it stops where the held-out loss has its minimum.

use gradwise_core::Key;
use gradwise_regularize::ndarray::{Array1, Array2, ArrayD, IxDyn, arr1};
use gradwise_regularize::{Decision, EvidenceBased, GradientEvidence, Grads, Param};

/// Nearly normal numbers: twelve uniform ones, summed.
fn normal(key: Key, n: u64) -> f64 {
    (0..12).map(|i| key.uniform(n * 12 + i)).sum::<f64>() - 6.0
}

fn grads(parts: &[&[f64]]) -> Grads<f64> {
    let model: Vec<Param<f64>> = parts.iter().map(|part| Param::new(arr1(part))).collect();
    Grads::from_arrays(&model, parts.iter().map(|part| Some(arr1(part).into_dyn())).collect())
}

#[test]
fn it_is_the_formula() {
    let parts = [[1.0, 0.0, -3.0], [2.0, 0.0, 1.0], [4.0, 0.0, 2.0], [-1.0, 0.0, 0.5], [0.5, 0.0, 0.25]];
    let mut evidence = GradientEvidence::new();
    for round in 0..2 {
        evidence.reset();
        for (n, part) in parts.iter().enumerate() {
            assert_eq!(evidence.value().is_nan(), n < 4, "{round}");
            evidence.add(&grads(&[&part[..2], &part[2..]])).unwrap();
        }
        // The second weight says nothing.
        let ratio = |k: usize| {
            let mean = parts.iter().map(|part| part[k]).sum::<f64>() / 5.0;
            let variance = parts.iter().map(|part| (part[k] - mean).powi(2)).sum::<f64>() / 4.0;
            mean * mean / variance
        };
        let published = 1.0 - 5.0 * (ratio(0) + ratio(2)) / 2.0;
        assert!((evidence.published() - published).abs() < 1e-12);
        assert!((evidence.value() - (1.0 - 0.5 * (1.0 - published))).abs() < 1e-12);
        assert_eq!(evidence.parts(), 5);
    }
    let other = grads(&[&[1.0, 2.0]]);
    let told = evidence.add(&other).unwrap_err().to_string();
    assert_eq!(told, "gradient evidence: gradients: expected those of 2 parameters, as in the parts before, got 1");
    let told = evidence.add(&grads(&[&[1.0], &[2.0]])).unwrap_err().to_string();
    let expected =
        "gradient evidence: gradients: expected as many numbers for parameter 0 as in the parts before (2), got 1";
    assert_eq!((told.as_str(), evidence.parts()), (expected, 5));
    // A gradient that never changes is certain; one of zeros alone tells nothing.
    let mut sure = GradientEvidence::new();
    let mut dead = GradientEvidence::new();
    for _ in 0..6 {
        sure.add(&grads(&[&[1.0]])).unwrap();
        dead.add(&grads(&[&[0.0]])).unwrap();
    }
    assert_eq!(sure.value(), f64::NEG_INFINITY);
    assert!(dead.value().is_nan() && GradientEvidence::new().value().is_nan());
}

#[test]
fn noise_has_none_on_average_however_few_the_parts_are() {
    for (parts, tolerance) in [(6, 0.2), (8, 0.1), (30, 0.05)] {
        let mut evidence = GradientEvidence::new();
        for part in 0..parts {
            let noise = ArrayD::from_shape_fn(IxDyn(&[4000]), |at| normal(Key::new(3).with(part), at[0] as u64));
            let model = Param::new(noise.clone());
            evidence.add(&Grads::from_arrays(&model, vec![Some(noise)])).unwrap();
        }
        assert!(evidence.value().abs() < tolerance, "{} with {parts} parts", evidence.value());
    }
}

/// A linear model of 40 inputs, of which 4 matter, on 60 noisy samples: it fits the noise if it is trained for long.
#[test]
fn it_stops_before_the_noise_is_learned() {
    let (n, d, noise) = (60, 40, 2.0);
    let draw = |key: Key, n: usize| {
        let x = Array2::from_shape_fn((n, d), |(i, j)| normal(key, (i * d + j) as u64));
        let truth = |i: usize| (0..4).map(|j| x[[i, j]]).sum::<f64>() + noise * normal(key.with(9), i as u64);
        let y = Array1::from_shape_fn(n, truth);
        (x, y)
    };
    for seed in 0..5 {
        let ((x, y), (x_test, y_test)) = (draw(Key::new(seed), n), draw(Key::new(seed).with(1), 2000));
        let held_out = |w: &Array1<f64>| (x_test.dot(w) - &y_test).mapv(|r| r * r).mean().unwrap();
        let mut w = Array1::zeros(d);
        let mut criterion = EvidenceBased::new(1).unwrap();
        let mut evidence = GradientEvidence::new();
        let (mut stopped, mut least) = (None, f64::INFINITY);
        for step in 0..400 {
            let residual = x.dot(&w) - &y;
            evidence.reset();
            for i in 0..n {
                let gradient = (&x.row(i) * residual[i]).into_dyn();
                evidence.add(&Grads::from_arrays(&Param::new(gradient.clone()), vec![Some(gradient)])).unwrap();
            }
            let loss = held_out(&w);
            least = f64::min(least, loss);
            if stopped.is_none() && criterion.update(evidence.value()) == Decision::Stop {
                stopped = Some((step, loss));
            }
            w = &w - &(x.t().dot(&residual) * (0.05 / n as f64));
        }
        let (first, last) = (held_out(&Array1::zeros(d)), held_out(&w));
        let (step, loss) = stopped.expect("the gradient vanishes in the end");
        assert!(
            loss < last && loss < first && loss < 1.3 * least,
            "{seed}: {loss} at {step} of {first} to {last}, {least}"
        );
    }
}

#[test]
fn what_is_refused_and_what_is_resumed() {
    let error = EvidenceBased::new(0).unwrap_err().to_string();
    assert_eq!(error, "evidence-based stopping: patience: expected at least 1, got 0");
    let mut criterion = EvidenceBased::new(3).unwrap();
    assert_eq!(
        [0.1, f64::NAN, 0.2].map(|e| criterion.update(e)),
        [Decision::Wait(1), Decision::Wait(1), Decision::Wait(2)]
    );
    let mut resumed = EvidenceBased::new(3).unwrap();
    resumed.resume(criterion.waited());
    assert_eq!(resumed.update(0.1), Decision::Stop);
}
