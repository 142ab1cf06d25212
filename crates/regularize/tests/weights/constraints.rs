//! Constraints hold afterwards, change nothing that holds already, and refuse what they have no meaning for.

use gradwise_core::Real;
use gradwise_regularize::ndarray::{Array2, ArrayD, Axis, IxDyn, arr1, arr2};
use gradwise_regularize::{
    Constraint, Constraints, Groups, MaxNorm, MinMaxNorm, NonNegative, Param, Params, Result, UnitNorm,
};
use proptest::prelude::*;

fn norms<T: Real>(weights: &ArrayD<T>, groups: Groups) -> Vec<f64> {
    let norm = |values: Vec<f64>| values.iter().map(|w| w * w).sum::<f64>().sqrt();
    match groups {
        Groups::All => vec![norm(weights.iter().map(|w| w.as_f64()).collect())],
        Groups::Axis(axis) => {
            let parts = (0..weights.len_of(Axis(axis))).map(|i| weights.index_axis(Axis(axis), i));
            parts.map(|part| norm(part.iter().map(|w| w.as_f64()).collect())).collect()
        }
    }
}

fn check<T: Real>(weights: &ArrayD<T>, groups: Groups, tolerance: f64) {
    let before = norms(weights, groups);
    let holds = |constraint: &dyn Constraint<T>, expected: &dyn Fn(f64) -> f64| {
        let mut constrained = weights.clone();
        constraint.apply(&mut constrained).unwrap();
        for (norm, &before) in norms(&constrained, groups).into_iter().zip(&before) {
            let expected = if before > 0.0 { expected(before) } else { 0.0 };
            assert!((norm - expected).abs() <= tolerance * (1.0 + expected), "{before} became {norm}, not {expected}");
        }
        // The direction of each weight stays, and a second time there is nothing to do.
        assert!(weights.iter().zip(&constrained).all(|(a, b)| *a * *b >= T::zero()));
        let again = constrained.clone();
        constraint.apply(&mut constrained).unwrap();
        assert!(again.iter().zip(&constrained).all(|(a, b)| (a.as_f64() - b.as_f64()).abs() <= tolerance));
    };
    holds(&MaxNorm::new(1.5, groups).unwrap(), &|n| n.min(1.5));
    holds(&MinMaxNorm::new(0.5, 1.5, groups).unwrap(), &|n| n.clamp(0.5, 1.5));
    holds(&UnitNorm::new(groups), &|_| 1.0);
    holds(&MaxNorm::new(0.0, groups).unwrap(), &|_| 0.0);
    let mut half = weights.clone();
    MinMaxNorm::new(0.5, 1.5, groups).unwrap().rate(0.5).unwrap().apply(&mut half).unwrap();
    for (norm, &before) in norms(&half, groups).into_iter().zip(&before) {
        let expected = if before > 0.0 { 0.5 * (before + before.clamp(0.5, 1.5)) } else { 0.0 };
        assert!((norm - expected).abs() <= tolerance * (1.0 + expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn norms_are_brought_into_range(
        rows in 0_usize..5, columns in 0_usize..5, values in prop::collection::vec(-2.0_f64..2.0, 25), turned: bool, zero: bool,
    ) {
        let mut weights = Array2::from_shape_vec((rows, columns), values[..rows * columns].to_vec()).unwrap();
        if zero && rows > 0 {
            weights.row_mut(0).fill(0.0);
        }
        let weights = if turned { weights.reversed_axes() } else { weights }.into_dyn();
        for groups in [Groups::All, Groups::Axis(0), Groups::Axis(1)] {
            check(&weights, groups, 1e-12);
            check(&weights.mapv(|w| w as f32), groups, 1e-5);
        }
    }
}

#[test]
fn what_is_not_negative_is_left_alone() {
    let mut weights = arr1(&[-1.0, 0.0, 2.0, f64::NAN, f64::NEG_INFINITY]).into_dyn();
    NonNegative.apply(&mut weights).unwrap();
    assert_eq!(weights.as_slice().unwrap()[..3], [0.0, 0.0, 2.0]);
    assert!(weights[[3]].is_nan() && weights[[4]] == 0.0);
    let mut weights = arr2(&[[f64::NAN, 1.0]]).into_dyn();
    for constraint in [&UnitNorm::new(Groups::All) as &dyn Constraint<f64>, &MaxNorm::new(0.1, Groups::All).unwrap()] {
        constraint.apply(&mut weights).unwrap();
        assert!(weights[[0, 0]].is_nan());
    }
}

fn refused<X>(result: Result<X>, expected: &str) {
    assert_eq!(result.map(drop).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_refused() {
    let all = Groups::All;
    refused(MaxNorm::new(-1.0, all), "max norm: maximum: expected a finite number of at least 0, got -1");
    refused(
        MinMaxNorm::new(f64::NAN, 1.0, all),
        "min-max norm: minimum: expected a finite number of at least 0, got NaN",
    );
    refused(MinMaxNorm::new(2.0, 1.0, all), "min-max norm: maximum: expected at least the minimum 2, got 1");
    let rate = MinMaxNorm::new(0.0, 1.0, all).unwrap().rate(1.5);
    refused(rate, "min-max norm: rate: expected a number in [0, 1], got 1.5");
    let mut vector = arr1(&[3.0, 4.0]).into_dyn();
    let second = MaxNorm::new(1.0, Groups::Axis(1)).unwrap();
    let message = "max norm: expected an array with an axis 1, whose indices are the groups, got shape [2]";
    refused(second.apply(&mut vector), message);
    assert_eq!(vector, arr1(&[3.0, 4.0]).into_dyn());
    MaxNorm::new(1.0, Groups::All).unwrap().apply(&mut ArrayD::<f32>::ones(IxDyn(&[]))).unwrap();
}

#[test]
fn models_are_constrained_where_patterns_say() {
    let matrix = || Param::new(arr2(&[[-6.0_f64, 8.0]]));
    let mut model = vec![[matrix(), Param::new(arr1(&[-6.0]))], [matrix(), Param::new(arr1(&[9.0]))]];
    model[1][0].freeze();
    let constraints = Constraints::new().on("*.0", MaxNorm::new(5.0, Groups::Axis(0)).unwrap()).unwrap();
    let mut constraints = constraints.on("**", NonNegative).unwrap();
    let dynamic: &mut dyn Params<f64> = &mut model;
    constraints.apply(dynamic).unwrap();
    // In their order: first shorter, then not negative. What is frozen stays.
    assert_eq!(model[0][0].value, arr2(&[[0.0, 4.0]]).into_dyn());
    assert_eq!(model[1][0].value, arr2(&[[-6.0, 8.0]]).into_dyn());
    assert_eq!((model[0][1].value[[0]], model[1][1].value[[0]]), (0.0, 9.0));

    let mut wrong = Constraints::new().on("0.*", MaxNorm::new(1.0, Groups::Axis(1)).unwrap()).unwrap();
    let message = "0.1: max norm: expected an array with an axis 1, whose indices are the groups, got shape [1]";
    refused(wrong.apply(&mut model), message);
    let mut none = Constraints::new().on("7", NonNegative).unwrap();
    let message =
        "constraints: expected a pattern that matches one of the model's parameters (0.0, 0.1, 1.0, 1.1), got `7`";
    refused(none.apply(&mut model), message);
    refused(
        constraints.apply(&mut model[0]),
        "constraints: number of parameters: expected the 4 that the model had before, got 2",
    );
    assert!(Constraints::<f32>::default().is_empty() && !constraints.is_empty());
    assert!(Constraints::<f32>::new().on("a..b", NonNegative).is_err());
}
