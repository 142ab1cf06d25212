//! Penalties: their gradients against differences, and over models; constraints and pruning beside it.

#[path = "weights/constraints.rs"]
mod constraints;
#[path = "weights/pruning.rs"]
mod pruning;

use gradwise_core::{ArrayRefD, Real};
use gradwise_regularize::ndarray::{Array, Array2, ArrayD, Axis, IxDyn, arr1, arr2};
use gradwise_regularize::{
    ElasticNet, Error, Grads, GroupLasso, Groups, L1, L2, Orthogonality, Param, Params, Penalties, Penalty, Result,
};
use proptest::prelude::*;

fn all<T: Real>() -> Vec<(&'static str, Box<dyn Penalty<T>>)> {
    vec![
        ("l1", Box::new(L1::new(0.3).unwrap())),
        ("l2", Box::new(L2::new(0.7).unwrap())),
        ("elastic net", Box::new(ElasticNet::new(0.2, 0.5).unwrap())),
        ("elastic net by ratio", Box::new(ElasticNet::with_ratio(0.4, 0.25).unwrap())),
        ("nothing", Box::new(L1::new(0.0).unwrap())),
    ]
}

/// Those that take arrays of two axes and more.
fn of_matrices<T: Real>() -> Vec<(&'static str, Box<dyn Penalty<T>>)> {
    let mut penalties = all();
    for groups in [Groups::Axis(0), Groups::Axis(1), Groups::All] {
        let lasso = GroupLasso::new(0.4, groups).unwrap();
        penalties.push(("group lasso", Box::new(lasso)));
        penalties.push(("group lasso, unweighted", Box::new(lasso.unweighted())));
    }
    let orthogonality = Orthogonality::new(0.3).unwrap();
    penalties.push(("orthogonality", Box::new(orthogonality.clone())));
    penalties.push(("orthogonality of angles", Box::new(orthogonality.off_diagonal())));
    penalties
}

/// Central differences at every element; the gradient is added to something that is there already.
fn check(weights: &ArrayD<f64>) {
    let step = 1e-6;
    for (name, penalty) in of_matrices::<f64>() {
        let mut grad = ArrayD::from_elem(weights.raw_dim(), 100.0);
        penalty.add_gradient(weights, &mut grad).unwrap();
        for (i, found) in grad.iter().enumerate() {
            let moved = |by: f64| {
                let mut moved = weights.clone();
                *moved.iter_mut().nth(i).unwrap() += by;
                penalty.value(&moved)
            };
            let difference = (moved(step) - moved(-step)) / (2.0 * step);
            let tolerance = 1e-6 * (1.0 + difference.abs());
            assert!((found - 100.0 - difference).abs() < tolerance, "{name}: {} for {difference}", found - 100.0);
        }
    }
}

/// Away from 0, where L1 has a kink.
fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![-3.0..-0.01, 0.01..3.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn gradients_are_those_of_the_values(
        rows in 0_usize..4, columns in 0_usize..5, values in prop::collection::vec(weight(), 20), transposed: bool,
    ) {
        let weights = Array2::from_shape_vec((rows, columns), values[..rows * columns].to_vec()).unwrap();
        let weights = if transposed { weights.reversed_axes() } else { weights };
        check(&weights.into_dyn());
    }

    #[test]
    fn more_axes_are_one_matrix(values in prop::collection::vec(weight(), 24)) {
        let weights = Array::from_shape_vec((2, 3, 2, 2), values).unwrap().into_dyn();
        check(&weights);
        let mut permuted = weights.clone();
        permuted.swap_axes(0, 1);
        permuted.swap_axes(2, 3);
        check(&permuted);
    }

    #[test]
    fn single_precision_is_near_double(values in prop::collection::vec(weight(), 0..40)) {
        let (double, single) = (arr1(&values).into_dyn(), arr1(&values).mapv(|w| w as f32).into_dyn());
        let row = |x: ArrayD<f64>| x.into_shape_with_order((1, values.len())).unwrap().into_dyn();
        let (double, single) = (row(double), row(single.mapv(f64::from)).mapv(|w| w as f32));
        for ((name, double_penalty), (_, single_penalty)) in of_matrices::<f64>().into_iter().zip(of_matrices::<f32>()) {
            let (expected, found) = (double_penalty.value(&double), single_penalty.value(&single));
            prop_assert!((found - expected).abs() <= 1e-5 * (1.0 + expected), "{name}: {found} instead of {expected}");
            let (mut double_grad, mut single_grad) = (double.clone() * 0.0, single.clone() * 0.0);
            double_penalty.add_gradient(&double, &mut double_grad).unwrap();
            single_penalty.add_gradient(&single, &mut single_grad).unwrap();
            for (expected, found) in double_grad.iter().zip(&single_grad) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{name}");
            }
        }
    }
}

#[test]
fn values_by_hand() {
    let weights = arr1(&[3.0, -4.0]).into_dyn();
    let values: Vec<f64> = all::<f64>().iter().map(|(_, penalty)| penalty.value(&weights)).collect();
    let expected = [0.3 * 7.0, 0.35 * 25.0, 0.2 * 7.0 + 0.25 * 25.0, 0.1 * 7.0 + 0.15 * 25.0, 0.0];
    assert!(values.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{values:?}");
}

#[test]
fn groups_and_angles_by_hand() {
    let weights = arr2(&[[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]).into_dyn();
    let lasso = |groups| GroupLasso::new(0.5, groups).unwrap();
    assert!((lasso(Groups::Axis(0)).value(&weights) - 0.5 * 3_f64.sqrt() * 5.0).abs() < 1e-12);
    assert!((lasso(Groups::Axis(1)).value(&weights) - 0.5 * 2_f64.sqrt() * 7.0).abs() < 1e-12);
    assert_eq!(lasso(Groups::All).unweighted().value(&weights), 2.5);
    // A group of zeros has no gradient, as far as anything is known of one.
    let mut grad = ArrayD::zeros(IxDyn(&[2, 3]));
    lasso(Groups::Axis(0)).add_gradient(&weights, &mut grad).unwrap();
    assert!(grad.index_axis(Axis(0), 1).iter().all(|&g| g == 0.0));

    // Two rows of length 1 and 2 whose product is 1; and the same as columns.
    let rows = arr2(&[[1.0, 0.0, 0.0], [1.0, 3_f64.sqrt(), 0.0]]).into_dyn();
    let orthogonality = Orthogonality::new(2.0).unwrap();
    let (lengths, angles) = (9.0, 2.0);
    assert!((orthogonality.value(&rows) - 2.0 * (lengths + angles)).abs() < 1e-12);
    assert!((orthogonality.value(&rows.t().to_owned()) - 2.0 * (lengths + angles)).abs() < 1e-12);
    assert!((orthogonality.off_diagonal().value(&rows) - 2.0 * angles).abs() < 1e-12);
}

#[test]
fn arrays_without_groups_or_rows_are_refused() {
    let vector = arr1(&[1.0, 2.0]).into_dyn();
    let second = GroupLasso::new(1.0, Groups::Axis(1)).unwrap();
    let orthogonality = Orthogonality::new(1.0).unwrap();
    assert!(second.value(&vector).is_nan() && Penalty::<f64>::value(&orthogonality, &vector).is_nan());
    let mut grad = arr1(&[0.0, 0.0]).into_dyn();
    let message = "group lasso: expected an array with an axis 1, whose indices are the groups, got shape [2]";
    refused(second.add_gradient(&vector, &mut grad), message);
    let message = "orthogonality: expected two axes or more, got shape [2]";
    refused(orthogonality.add_gradient(&vector, &mut grad), message);
    refused(
        GroupLasso::new(-1.0, Groups::All),
        "group lasso: strength: expected a finite number of at least 0, got -1",
    );
    refused(Orthogonality::new(f64::NAN), "orthogonality: strength: expected a finite number of at least 0, got NaN");
    assert_eq!(orthogonality, orthogonality.clone());
}

#[test]
fn a_million_small_weights_lose_no_digits_in_single_precision() {
    let weights = Array::from_elem(1_000_000, 1e-3_f32).into_dyn();
    let exact = f64::from(1e-3_f32);
    assert!((L2::new(2.0).unwrap().value(&weights) - 1e6 * exact * exact).abs() < 1e-9);
    assert!((L1::new(1.0).unwrap().value(&weights) - 1e6 * exact).abs() < 1e-6);
}

#[test]
fn l1_has_no_gradient_at_zero_and_nan_stays_nan() {
    let mut grad = arr1(&[0.0, 0.0, 0.0]).into_dyn();
    L1::new(1.0).unwrap().add_gradient(&arr1(&[0.0, -0.0, f64::NAN]).into_dyn(), &mut grad).unwrap();
    assert_eq!((grad[[0]], grad[[1]]), (0.0, 0.0));
    assert!(grad[[2]].is_nan());
}

fn refused<X>(result: Result<X>, expected: &str) {
    assert_eq!(result.map(drop).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_refused() {
    refused(L1::new(f64::NAN), "l1: strength: expected a finite number of at least 0, got NaN");
    refused(L2::new(f64::INFINITY), "l2: strength: expected a finite number of at least 0, got inf");
    refused(ElasticNet::new(0.1, -1.0), "elastic net: l2 strength: expected a finite number of at least 0, got -1");
    refused(ElasticNet::with_ratio(0.1, 1.5), "elastic net: l1 ratio: expected a number in [0, 1], got 1.5");
    for (_, penalty) in of_matrices::<f32>() {
        let mut grad = arr2(&[[1.0, 2.0, 3.0]]).into_dyn();
        let error = penalty.add_gradient(&arr2(&[[1.0, 2.0]]).into_dyn(), &mut grad).unwrap_err().to_string();
        assert!(error.ends_with("expected a gradient of the weights' shape [1, 2], got shape [1, 3]"), "{error}");
        assert_eq!(grad, arr2(&[[1.0, 2.0, 3.0]]).into_dyn());
    }
}

// ---- over models ----------------------------------------------------------------------------------------------------------

type Layer = [Param<f64>; 2];

/// Paths 0.0, 0.1, 1.0, 1.1.
fn model() -> [Layer; 2] {
    let layer = |w: f64| [Param::new(Array2::from_elem((2, 2), w)), Param::new(arr1(&[w]))];
    [layer(1.0), layer(-2.0)]
}

fn zeros(model: &[Layer; 2]) -> Grads<f64> {
    let arrays = model.iter().flatten().map(|p| Some(ArrayD::zeros(p.value.raw_dim()))).collect();
    Grads::from_arrays(model, arrays)
}

#[test]
fn patterns_choose_and_penalties_add_up() {
    let mut model = model();
    let mut penalties = Penalties::new().on("*.0", L2::new(0.1).unwrap()).unwrap();
    penalties = penalties.on("1.**", L1::new(0.5).unwrap()).unwrap();
    let mut grads = zeros(&model);
    let value = penalties.apply(&model, &mut grads).unwrap();
    // 0.1/2 (4 · 1 + 4 · 4) + 0.5 (4 · 2 + 2)
    assert!((value - (1.0 + 5.0)).abs() < 1e-12);
    assert!((penalties.value(&model).unwrap() - value).abs() < 1e-12);
    let firsts: Vec<f64> = grads.iter().map(|(_, g)| *g.first().unwrap()).collect();
    let expected = [0.1, 0.0, -0.2 - 0.5, -0.5];
    assert!(firsts.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{firsts:?}");

    // Frozen parameters have no penalty: there is nothing that could be done about it.
    model[1][0].freeze();
    assert!((penalties.value(&model).unwrap() - (0.2 + 0.5 * 2.0)).abs() < 1e-12);
    let mut grads = zeros(&model);
    let dynamic: &dyn Params<f64> = &model;
    assert!((penalties.apply(dynamic, &mut grads).unwrap() - 1.2).abs() < 1e-12);
    let there: Vec<usize> = grads.iter().map(|(i, _)| i).collect();
    assert_eq!(there, [0, 1, 3]);
}

#[test]
fn what_the_loss_did_not_reach_is_left_alone() {
    let model = model();
    let mut penalties = Penalties::new().on("**", L2::new(1.0).unwrap()).unwrap();
    let reached = Some(ArrayD::zeros(IxDyn(&[1])));
    let mut grads = Grads::from_arrays(&model, vec![None, reached, None, None]);
    assert_eq!(penalties.apply(&model, &mut grads).unwrap(), 0.5);
    assert_eq!(grads.get(1).unwrap(), &arr1(&[1.0]).into_dyn());
    assert_eq!(grads.unreached().collect::<Vec<_>>(), [0, 2, 3]);
    // ½ (5 · 1 + 5 · 4): the value does not ask whom a loss reached.
    assert_eq!(penalties.value(&model).unwrap(), 12.5);
}

#[test]
fn what_does_not_fit_is_an_error_and_adds_nothing() {
    let model = model();
    let penalties = || Penalties::new().on("**", L2::new(1.0).unwrap()).unwrap();
    let mut grads = zeros(&model);
    *grads.get_mut(3).unwrap() = ArrayD::zeros(IxDyn(&[2]));
    refused(
        penalties().apply(&model, &mut grads),
        "1.1: penalties: expected a gradient of the parameter's shape [1], got shape [2]",
    );
    assert_eq!(grads.global_norm(), 0.0);
    refused(
        penalties().apply(&model, &mut Grads::new()),
        "penalties: gradients: expected one for each of the model's 4 parameters, got 0",
    );
    refused(
        Penalties::new().on("2.*", L2::new(1.0).unwrap()).unwrap().value(&model),
        "penalties: expected a pattern that matches one of the model's parameters (0.0, 0.1, 1.0, 1.1), got `2.*`",
    );
    assert!(Penalties::<f64>::new().on("a..b", L2::new(1.0).unwrap()).is_err());
    let mut known = penalties();
    known.value(&model).unwrap();
    refused(known.value(&model[0]), "penalties: number of parameters: expected the 4 that the model had before, got 2");
    assert_eq!(Penalties::<f64>::new().value(&model).unwrap(), 0.0);
    assert!(Penalties::<f64>::default().is_empty() && !known.is_empty());
}

#[test]
fn an_error_of_a_penalty_from_outside_names_the_parameter() {
    struct Matrices;
    impl Penalty<f64> for Matrices {
        fn value(&self, weights: &ArrayRefD<f64>) -> f64 {
            weights.sum()
        }
        fn add_gradient(&self, weights: &ArrayRefD<f64>, _: &mut ArrayRefD<f64>) -> Result<()> {
            if weights.ndim() == 2 { Ok(()) } else { Err(Error::shape("matrices", "two axes", weights.shape())) }
        }
    }
    let model = model();
    let mut penalties = Penalties::new().on("**", Matrices).unwrap();
    refused(penalties.apply(&model, &mut zeros(&model)), "0.1: matrices: expected two axes, got shape [1]");
}
