//! Moments within what their sample size allows, the same values for the same key, and refusals in words.

use gradwise_core::{Key, Real};
use gradwise_init::*;
use ndarray::{Array, Array2, ArrayD, Axis, Slice};
use proptest::prelude::*;

struct Moments {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

fn moments(array: &ArrayD<f64>) -> Moments {
    let n = array.len() as f64;
    let mean = array.sum() / n;
    Moments {
        mean,
        std: (array.mapv(|x| (x - mean).powi(2)).sum() / n).sqrt(),
        min: array.iter().copied().fold(f64::INFINITY, f64::min),
        max: array.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// Mean and standard deviation of a large draw lie within five standard errors; `kurtosis` is `E[(x-μ)⁴]/σ⁴`, which sets the
/// standard error of the deviation: `σ √((kurtosis - 1) / 4n)`. No value lies beyond `bound`, and some come near it.
#[track_caller]
fn check(init: &dyn Init<f64>, shape: &[usize], mean: f64, std: f64, kurtosis: f64, bound: Option<f64>) {
    for seed in 0..3 {
        let array = init.array::<f64>(shape, Key::new(seed)).unwrap();
        let m = moments(&array);
        let n = array.len() as f64;
        assert!((m.mean - mean).abs() < 5.0 * std / n.sqrt(), "mean {} of {mean}", m.mean);
        let error = std * ((kurtosis - 1.0) / (4.0 * n)).sqrt();
        assert!((m.std - std).abs() < 5.0 * error, "std {} of {std}, standard error {error}", m.std);
        if let Some(bound) = bound {
            let reach = (m.max - mean).max(mean - m.min);
            assert!(reach <= bound && reach > 0.98 * bound, "reach {reach} of {bound}");
        }
    }
}

const UNIFORM: f64 = 1.8;
const NORMAL: f64 = 3.0;
/// Of the normal distribution cut off at two deviations.
const CUT: f64 = 2.37;

#[test]
fn moments_are_those_of_the_formula() {
    let shape = &[200, 50, 3, 3];
    let (fan_in, fan_out) = (450.0_f64, 1800.0_f64);
    let xavier = (2.0 / (fan_in + fan_out)).sqrt();
    let he = (2.0 / fan_in).sqrt();
    let lecun = fan_in.recip().sqrt();
    let root3 = 3.0_f64.sqrt();
    check(&XavierUniform::new(), shape, 0.0, xavier, UNIFORM, Some((6.0 / (fan_in + fan_out)).sqrt()));
    check(&XavierNormal::new(), shape, 0.0, xavier, NORMAL, None);
    check(
        &XavierNormal::new().for_activation(Nonlinearity::Tanh).unwrap(),
        shape,
        0.0,
        xavier * 5.0 / 3.0,
        NORMAL,
        None,
    );
    check(&HeUniform::new(), shape, 0.0, he, UNIFORM, Some((6.0 / fan_in).sqrt()));
    check(&HeNormal::new(), shape, 0.0, he, NORMAL, None);
    check(&HeNormal::new().with_mode(FanMode::Out), shape, 0.0, (2.0 / fan_out).sqrt(), NORMAL, None);
    check(&HeNormal::new().with_gain(0.5).unwrap(), shape, 0.0, 0.5 * lecun, NORMAL, None);
    check(&LecunUniform::new(), shape, 0.0, lecun, UNIFORM, Some(root3 * lecun));
    check(&LecunNormal::new(), shape, 0.0, lecun, NORMAL, None);
    let truncated = VarianceScaling::new(3.0, FanMode::Average, Distribution::TruncatedNormal).unwrap();
    let std = 3.0 / (0.5 * (fan_in + fan_out)).sqrt();
    check(&truncated, shape, 0.0, std, CUT, Some(2.0 * std / 0.879_625_661));
    check(&Uniform::new(-1.0, 3.0).unwrap(), shape, 1.0, 4.0 / 12.0_f64.sqrt(), UNIFORM, Some(2.0));
    check(&Normal::new(-2.0, 0.25).unwrap(), shape, -2.0, 0.25, NORMAL, None);
    check(&TruncatedNormal::new(1.0, 2.0).unwrap(), shape, 1.0, 2.0 * 0.879_625_661, CUT, Some(4.0));
    // Cut far inside, the normal is nearly uniform; its variance is c²/3 (1 - 2c²/15 + …).
    let narrow = TruncatedNormal::new(0.0, 1.0).unwrap().with_cut(0.1).unwrap();
    check(&narrow, shape, 0.0, 0.1 / root3 * (1.0 - 0.02 / 15.0_f64).sqrt(), UNIFORM, Some(0.1));
}

#[test]
fn fixed_values_are_exact() {
    let zeros = Zeros.array::<f32>(&[3, 2], Key::new(0)).unwrap();
    assert!(zeros.iter().all(|&x| x == 0.0));
    let constant = Constant::new(0.25).unwrap().param::<f32>(&[4], Key::new(0)).unwrap();
    assert!(constant.is_trainable() && constant.value.iter().all(|&x| x == 0.25));
    assert_eq!(Uniform::new(2.0, 2.0).unwrap().array::<f64>(&[], Key::new(0)).unwrap().sum(), 2.0);
}

/// `W Wᵀ`, or `Wᵀ W` of a tall matrix, is `gain² I`.
fn check_orthogonal<T: Real>(weight: &ArrayD<T>, gain: f64, tolerance: f64) {
    let rows = weight.shape()[0];
    let matrix = weight.mapv(|w| w.as_f64()).into_shape_with_order((rows, weight.len() / rows)).unwrap();
    let gram = if rows <= matrix.ncols() { matrix.dot(&matrix.t()) } else { matrix.t().dot(&matrix) };
    let error = gram - Array2::<f64>::eye(rows.min(matrix.ncols())) * (gain * gain);
    assert!(error.iter().all(|e| e.abs() < tolerance), "{error}");
}

#[test]
fn orthogonal_schemes_are() {
    for shape in [&[1, 1][..], &[4, 4], &[3, 8], &[8, 3], &[40, 7, 3, 3], &[5, 16, 3], &[64, 64]] {
        for (seed, gain) in [(0, 1.0), (1, 2.0_f64.sqrt())] {
            let scheme = Orthogonal::new(gain).unwrap();
            let key = Key::new(seed);
            check_orthogonal(&scheme.array::<f64>(shape, key).unwrap(), gain, 1e-12);
            check_orthogonal(&scheme.array::<f32>(shape, key).unwrap(), gain, 1e-5);
        }
    }
    for empty in [[0, 3], [3, 0]] {
        assert!(Orthogonal::new(1.0).unwrap().array::<f64>(&empty, Key::new(0)).unwrap().is_empty());
    }
    let delta = DeltaOrthogonal::new(1.5).unwrap();
    for shape in [&[6, 4, 3, 3][..], &[4, 4, 5], &[2, 1, 1, 3, 1]] {
        let weight = delta.array::<f64>(shape, Key::new(2)).unwrap();
        let mut middle = weight.view();
        for &size in &shape[2..] {
            middle = middle.index_axis_move(Axis(2), size / 2);
        }
        let middle = middle.to_owned();
        check_orthogonal(&middle, 1.5, 1e-12);
        assert_eq!(weight.iter().filter(|w| **w != 0.0).count(), middle.len());
    }
}

/// Angles of the first row and the determinant's sign of 2 x 2 orthogonal matrices are uniform.
#[test]
fn orthogonal_matrices_are_uniform() {
    let (mut quadrants, mut rotations) = ([0; 4], 0);
    for seed in 0..4000 {
        let w = Orthogonal::new(1.0).unwrap().array::<f64>(&[2, 2], Key::new(seed)).unwrap();
        quadrants[usize::from(w[[0, 0]] > 0.0) + 2 * usize::from(w[[0, 1]].abs() > w[[0, 0]].abs())] += 1;
        rotations += i32::from(w[[0, 0]] * w[[1, 1]] - w[[0, 1]] * w[[1, 0]] > 0.0);
    }
    // Five standard deviations.
    assert!(quadrants.iter().all(|&n: &i32| (n - 1000).abs() < 137), "{quadrants:?}");
    assert!((rotations - 2000).abs() < 158, "{rotations}");
}

#[test]
fn sparse_units_have_their_inputs() {
    let scheme = Sparse::new(5, 0.5).unwrap();
    let weight = scheme.array::<f64>(&[2000, 4, 3], Key::new(4)).unwrap();
    let mut chosen = [0; 12];
    let mut values = Vec::new();
    for unit in weight.outer_iter() {
        let taken: Vec<usize> = unit.iter().enumerate().filter(|(_, w)| **w != 0.0).map(|(i, _)| i).collect();
        assert_eq!(taken.len(), 5);
        taken.into_iter().for_each(|i| chosen[i] += 1);
        values.extend(unit.iter().filter(|w| **w != 0.0));
    }
    // Five standard deviations of a binomial with n = 2000, p = 5/12, and of a deviation of 10,000 normal numbers.
    assert!(chosen.iter().all(|&n: &i32| (n - 833).abs() < 111), "{chosen:?}");
    let std = (values.iter().map(|w: &f64| w * w).sum::<f64>() / 1e4).sqrt();
    assert!((std - 0.5).abs() < 5.0 * 0.5 / 2e4_f64.sqrt(), "{std}");
    let few = scheme.array::<f32>(&[3, 2], Key::new(0)).unwrap();
    assert!(few.iter().all(|w| *w != 0.0));
}

#[test]
fn identities_hand_on() {
    let identity = Identity::default();
    let square = identity.array::<f64>(&[3, 3], Key::new(0)).unwrap();
    assert_eq!(square, Array2::<f64>::eye(3).into_dyn());
    for (shape, ones) in [(&[2, 4, 3, 3][..], 2), (&[4, 2, 3], 2), (&[2, 2, 2, 4], 2), (&[0, 2], 0), (&[2, 2, 0], 0)] {
        let weight = identity.array::<f32>(shape, Key::new(0)).unwrap();
        assert_eq!(weight.sum(), ones as f32);
        if weight.ndim() == 4 {
            assert_eq!(weight[[1, 1, shape[2] / 2, shape[3] / 2]], 1.0);
        }
    }
}

#[test]
fn fans_follow_the_shape() {
    let rows: &[(Fan, usize, usize)] = &[
        (Fan::of_shape(&[]), 1, 1),
        (Fan::of_shape(&[7]), 7, 7),
        (Fan::of_shape(&[10, 20]), 20, 10),
        (Fan::of_shape(&[8, 3, 5]), 15, 40),
        (Fan::of_shape(&[8, 3, 5, 2]), 30, 80),
        (Fan::of_shape(&[8, 0, 5]), 0, 40),
        (Fan::grouped(&[32, 1, 3, 3], 32), 9, 9),
        (Fan::of_shape(&[3, 8, 5]).swapped(), 15, 40),
    ];
    for &(fan, inputs, outputs) in rows {
        assert_eq!(fan, Fan { inputs, outputs });
    }
    let weights = HeNormal::new().array_with::<f64>(&[4], Fan { inputs: 0, outputs: 0 }, Key::new(1)).unwrap();
    assert!(weights.iter().all(|x| x.is_finite()));
}

#[test]
fn gains_of_the_table_keep_the_second_moment() {
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    // The complementary error function through the normal integral, summed.
    let phi = |z: f64| {
        let n = 4000;
        let h = z / f64::from(n);
        let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
        0.5 + (0..n).map(|i| density((f64::from(i) + 0.5) * h)).sum::<f64>() * h
    };
    let rows: &[(Nonlinearity, &dyn Fn(f64) -> f64)] = &[
        (Nonlinearity::Linear, &|z| z),
        (Nonlinearity::Relu, &|z: f64| z.max(0.0)),
        (Nonlinearity::LeakyRelu { slope: 0.3 }, &|z: f64| if z > 0.0 { z } else { 0.3 * z }),
        (Nonlinearity::Elu, &|z: f64| if z > 0.0 { z } else { z.exp_m1() }),
        (Nonlinearity::Silu, &move |z| z * sigmoid(z)),
        (Nonlinearity::Mish, &|z: f64| z * z.exp().ln_1p().tanh()),
        (Nonlinearity::GeluTanh, &|z: f64| {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044_715 * z.powi(3));
            0.5 * z * (1.0 + u.tanh())
        }),
        (Nonlinearity::Softplus, &|z: f64| z.exp().ln_1p()),
        (Nonlinearity::LogSigmoid, &move |z| sigmoid(z).ln()),
        (Nonlinearity::Softsign, &|z: f64| z / (1.0 + z.abs())),
        (Nonlinearity::HardSigmoid, &|z: f64| (z / 6.0 + 0.5).clamp(0.0, 1.0)),
        (Nonlinearity::HardSwish, &|z: f64| z * (z / 6.0 + 0.5).clamp(0.0, 1.0)),
        (Nonlinearity::HardTanh, &|z: f64| z.clamp(-1.0, 1.0)),
        (Nonlinearity::Relu6, &|z: f64| z.clamp(0.0, 6.0)),
    ];
    for (activation, f) in rows {
        let computed = variance_gain(f);
        assert!(
            (activation.gain() - computed).abs() < 1e-6,
            "{}: {} is {computed}",
            activation.name(),
            activation.gain()
        );
    }
    // A coarser sum over the same range, because each value of Φ is a sum itself.
    let moment: f64 =
        (-800..=800).map(|i| f64::from(i) / 100.0).map(|z| (z * phi(z)).powi(2) * (-0.5 * z * z).exp()).sum::<f64>()
            / 100.0
            / (2.0 * std::f64::consts::PI).sqrt();
    assert!((Nonlinearity::Gelu.gain() - moment.sqrt().recip()).abs() < 1e-6, "{}", moment.sqrt().recip());
    assert_eq!(Nonlinearity::Selu.gain(), 0.75);
    assert_eq!(Nonlinearity::Sigmoid.gain(), 1.0);
    assert!(variance_gain(|_| 0.0).is_infinite());
}

#[test]
fn refusals_name_the_option() {
    let refuse =
        |result: gradwise_core::Result<()>, message: &str| assert_eq!(result.unwrap_err().to_string(), message);
    refuse(Constant::new(f64::NAN).map(drop), "constant: value: expected a finite number, got NaN");
    refuse(Uniform::new(1.0, 0.0).map(drop), "uniform: high: expected a finite number of at least 1, got 0");
    refuse(Uniform::new(f64::NEG_INFINITY, 0.0).map(drop), "uniform: low: expected a finite number, got -inf");
    refuse(Uniform::new(0.0, f64::NAN).map(drop), "uniform: high: expected a finite number of at least 0, got NaN");
    refuse(Normal::new(0.0, -1.0).map(drop), "normal: std: expected a finite number of at least 0, got -1");
    refuse(
        TruncatedNormal::new(0.0, f64::NAN).map(drop),
        "truncated normal: std: expected a finite number of at least 0, got NaN",
    );
    let normal = TruncatedNormal::new(0.0, 1.0).unwrap();
    refuse(normal.with_cut(0.0).map(drop), "truncated normal: cut: expected a positive number, got 0");
    refuse(
        HeNormal::new().with_gain(-1.0).map(drop),
        "variance scaling: gain: expected a finite number of at least 0, got -1",
    );
    for (slope, told) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let scheme = HeNormal::new().for_activation(Nonlinearity::LeakyRelu { slope });
        refuse(scheme.map(drop), &format!("leaky_relu: slope: expected a finite number, got {told}"));
    }
}

#[test]
fn shapes_without_meaning_are_refused() {
    let refuse = |scheme: &dyn Init<f64>, shape: &[usize], message: &str| {
        assert_eq!(scheme.array::<f64>(shape, Key::new(0)).unwrap_err().to_string(), message);
    };
    refuse(&Orthogonal::new(1.0).unwrap(), &[3], "orthogonal: expected two axes or more, got shape [3]");
    refuse(&Identity::default(), &[3], "identity: expected two axes or more, got shape [3]");
    refuse(&Sparse::new(1, 1.0).unwrap(), &[], "sparse: expected two axes or more, got shape []");
    let delta = DeltaOrthogonal::new(1.0).unwrap();
    let odd = "delta-orthogonal: expected [outputs, inputs, kernel…] with a kernel of odd size, got shape";
    refuse(&delta, &[3, 3], &format!("{odd} [3, 3]"));
    refuse(&delta, &[3, 3, 2], &format!("{odd} [3, 3, 2]"));
    let more = "delta-orthogonal: expected at least as many outputs as inputs, got shape [2, 3, 3]";
    refuse(&delta, &[2, 3, 3], more);
    refuse(&PriorBias::classes(&[1.0, 1.0]).unwrap(), &[3], "prior bias: expected [2], got shape [3]");
    let told = |result: gradwise_core::Result<()>| result.unwrap_err().to_string();
    for (result, what) in [
        (Orthogonal::new(-1.0).map(drop), "orthogonal: gain"),
        (DeltaOrthogonal::new(-1.0).map(drop), "delta-orthogonal: gain"),
        (Identity::new(-1.0).map(drop), "identity: gain"),
        (Sparse::new(1, -1.0).map(drop), "sparse: std"),
    ] {
        assert_eq!(told(result), format!("{what}: expected a finite number of at least 0, got -1"));
    }
    assert_eq!(told(Sparse::new(0, 1.0).map(drop)), "sparse: inputs a unit: expected at least 1, got 0");
    for prior in [0.0, 1.0, f64::NAN] {
        let message = format!("prior bias: share of positives: expected a number above 0 and below 1, got {prior}");
        assert_eq!(told(PriorBias::positive(prior).map(drop)), message);
        assert_eq!(told(PriorBias::positives(&[0.5, prior]).map(drop)), message);
    }
    let message = "prior bias: share of a class: expected a positive number, got 0";
    assert_eq!(told(PriorBias::classes(&[1.0, 0.0]).map(drop)), message);
    assert_eq!(told(PriorBias::classes(&[]).map(drop)), "prior bias: classes: expected at least one, got none");
}

#[test]
fn priors_come_out_again() {
    let biases = PriorBias::positives(&[0.2, 0.9]).unwrap().array::<f64>(&[2], Key::new(0)).unwrap();
    let share = |b: f64| 1.0 / (1.0 + (-b).exp());
    assert!((share(biases[[0]]) - 0.2).abs() < 1e-12 && (share(biases[[1]]) - 0.9).abs() < 1e-12);
    let biases = PriorBias::classes(&[3.0, 1.0]).unwrap().array::<f64>(&[2], Key::new(0)).unwrap();
    assert!((biases.mapv(f64::exp).sum() - 1.0).abs() < 1e-12 && (biases[[0]].exp() - 0.75).abs() < 1e-12);
}

fn schemes<T: Real>() -> Vec<Box<dyn Init<T>>> {
    vec![
        Box::new(Orthogonal::new(1.0).unwrap()),
        Box::new(Sparse::new(2, 1.0).unwrap()),
        Box::new(Identity::default()),
        Box::new(HeUniform::new()),
        Box::new(XavierNormal::new()),
        Box::new(TruncatedNormal::new(0.0, 1.0).unwrap()),
        Box::new(Uniform::new(-1.0, 1.0).unwrap()),
        Box::new(Constant::new(0.1).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Same key, same values, whatever the strides; f32 is f64, rounded; another key, other values.
    #[test]
    fn values_depend_on_key_and_shape_alone(rows in 0_usize..6, columns in 0_usize..6, seed: u64) {
        let (shape, key) = ([rows, columns], Key::new(seed));
        let fan = Fan::of_shape(&shape);
        for (double, single) in schemes::<f64>().iter().zip(schemes::<f32>()) {
            let expected = double.array::<f64>(&shape, key).unwrap();
            prop_assert_eq!(&expected, &double.array::<f64>(&shape, key).unwrap());
            prop_assert_eq!(&expected.mapv(|x| x as f32), &single.array::<f32>(&shape, key).unwrap());
            let mut wide = Array::from_elem((columns, 2 * rows), f64::NAN);
            let mut strided = wide.slice_axis_mut(Axis(1), Slice::new(0, None, 2)).reversed_axes().into_dyn();
            double.fill(&mut strided, fan, key).unwrap();
            prop_assert_eq!(&expected, &strided);
        }
        if rows * columns > 0 {
            let he = HeNormal::new();
            prop_assert_ne!(he.array::<f64>(&shape, key).unwrap(), he.array::<f64>(&shape, key.with(1)).unwrap());
        }
    }
}
