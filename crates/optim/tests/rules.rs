//! Every rule on every objective in both precisions, and every rule against the formula of its documentation.

use gradwise_core::{ArrayRefD, Real};
use gradwise_optim::ndarray::{Array1, Array2, ArrayD, ShapeBuilder, arr1};
use gradwise_optim::{
    Adam, AdamW, BoxRule, Clip, Cosine, Grads, Hyper, Optimizer, Param, Result, Rule, Sgd, State, Stored, sweep,
};
use proptest::prelude::*;

// ---- every rule × objective × type ------------------------------------------------------------------------------------

struct Objective {
    name: &'static str,
    start: [f64; 2],
    minimum: [f64; 2],
    gradient: fn([f64; 2]) -> [f64; 2],
}

const QUADRATIC: Objective = Objective {
    name: "quadratic of condition 20",
    start: [4.0, -3.0],
    minimum: [1.0, 2.0],
    gradient: |[x, y]| [x - 1.0, 20.0 * (y - 2.0)],
};

const ROSENBROCK: Objective = Objective {
    name: "Rosenbrock",
    start: [-1.2, 1.0],
    minimum: [1.0, 1.0],
    gradient: |[x, y]| [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)],
};

fn descend<T: Real>(rule: BoxRule<T>, rate: f64, steps: u64, objective: &Objective) {
    let name = rule.name();
    let mut params = vec![Param::new(arr1(&objective.start.map(T::of)))];
    let mut optimizer = Optimizer::new(rule, Cosine::new(rate, steps).unwrap()).weight_decay(0.0).unwrap();
    for _ in 0..steps {
        let at = [params[0].value[[0]].as_f64(), params[0].value[[1]].as_f64()];
        let gradient = arr1(&(objective.gradient)(at).map(T::of)).into_dyn();
        let mut grads = Grads::from_arrays(&params, vec![Some(gradient)]);
        optimizer.apply(&mut params, &mut grads).unwrap();
    }
    for (found, minimum) in params[0].value.iter().zip(objective.minimum) {
        let error = (found.as_f64() - minimum).abs();
        assert!(error < 2e-3, "{name} on {} in {}: off by {error}", objective.name, T::NAME);
    }
}

#[test]
fn every_rule_reaches_every_minimum_in_both_precisions() {
    fn table<T: Real>() {
        let momentum = || Sgd::with_momentum(0.9).unwrap();
        for (objective, rows) in [
            (
                QUADRATIC,
                [
                    (BoxRule::new(Sgd::new()), 0.05, 400),
                    (BoxRule::new(momentum()), 0.02, 400),
                    (BoxRule::new(momentum().nesterov().unwrap()), 0.02, 400),
                    (BoxRule::new(momentum().dampening(0.9).unwrap()), 0.1, 800),
                    (BoxRule::new(Adam::default()), 0.05, 1500),
                    (BoxRule::new(Adam::default().amsgrad()), 0.05, 1500),
                    (BoxRule::new(AdamW::default()), 0.05, 1500),
                    (BoxRule::new(AdamW::default().amsgrad()), 0.05, 1500),
                ],
            ),
            (
                ROSENBROCK,
                [
                    (BoxRule::new(Sgd::new()), 1e-3, 40_000),
                    (BoxRule::new(momentum()), 2e-4, 20_000),
                    (BoxRule::new(momentum().nesterov().unwrap()), 5e-4, 10_000),
                    (BoxRule::new(momentum().dampening(0.9).unwrap()), 1e-3, 40_000),
                    (BoxRule::new(Adam::default()), 0.05, 10_000),
                    (BoxRule::new(Adam::default().amsgrad()), 0.05, 10_000),
                    (BoxRule::new(AdamW::default()), 0.05, 10_000),
                    (BoxRule::new(AdamW::default().amsgrad()), 0.05, 10_000),
                ],
            ),
        ] {
            for (rule, rate, steps) in rows {
                descend::<T>(rule, rate, steps, &objective);
            }
        }
    }
    table::<f32>();
    table::<f64>();
}

/// Reddi et al. 2018, section 3: gradient 1010 in every 101st step, −10 otherwise, on [−1, 1]. The optimum is −1. Adam forgets the rare
/// large gradient and goes to the other end; rates that never grow do not.
#[test]
fn amsgrad_and_gradient_descent_go_where_adam_does_not() {
    fn end(rule: BoxRule<f64>, rate: f64) -> f64 {
        let mut params = vec![Param::new(arr1(&[0.0]))];
        let decreasing = move |step: u64| rate / (1.0 + step as f64).sqrt();
        let mut optimizer = Optimizer::new(rule, decreasing);
        for step in 0..200_000 {
            let gradient = if step % 101 == 1 { 1010.0 } else { -10.0 };
            let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[gradient]).into_dyn())]);
            optimizer.apply(&mut params, &mut grads).unwrap();
            params[0].value.mapv_inplace(|x: f64| x.clamp(-1.0, 1.0));
        }
        params[0].value[[0]]
    }
    let adam = || Adam::new(0.9, 0.99, 1e-8).unwrap();
    assert!(end(BoxRule::new(adam()), 2.0) > 0.9);
    assert!(end(BoxRule::new(adam().amsgrad()), 2.0) < -0.9);
    assert!(end(BoxRule::new(Sgd::new()), 0.05) < -0.9);
}

// ---- every rule against slow formulas -----------------------------------------------------------------------------------

/// What one number of a parameter becomes, by the formulas as papers write them.
type Formula = fn(gradients: &[f64], start: f64, rate: f64, decay: f64) -> f64;

fn sgd_formula(gradients: &[f64], mut w: f64, rate: f64, decay: f64) -> f64 {
    for g in gradients {
        w -= rate * (g + decay * w);
    }
    w
}

fn velocity_formula(gradients: &[f64], mut w: f64, rate: f64, decay: f64, dampening: f64, nesterov: bool) -> f64 {
    let mut velocity: Option<f64> = None;
    for g in gradients {
        let d = g + decay * w;
        let v = velocity.map_or(d, |v| 0.9 * v + (1.0 - dampening) * d);
        velocity = Some(v);
        w -= rate * if nesterov { d + 0.9 * v } else { v };
    }
    w
}

fn adam_formula(gradients: &[f64], mut w: f64, rate: f64, decay: f64, amsgrad: bool, decoupled: bool) -> f64 {
    let (b1, b2, epsilon) = (0.8, 0.95, 1e-6);
    let (mut m, mut v, mut largest) = (0.0, 0.0, 0.0);
    for (t, g) in gradients.iter().enumerate() {
        let t = t as i32 + 1;
        let d = if decoupled { *g } else { g + decay * w };
        m = b1 * m + (1.0 - b1) * d;
        v = b2 * v + (1.0 - b2) * d * d;
        largest = f64::max(largest, v);
        let m_hat = m / (1.0 - f64::powi(b1, t));
        let v_hat = if amsgrad { largest } else { v } / (1.0 - f64::powi(b2, t));
        if decoupled {
            w -= rate * decay * w;
        }
        w -= rate * m_hat / (v_hat.sqrt() + epsilon);
    }
    w
}

/// Rules with their formula.
fn pairs<T: Real>() -> Vec<(BoxRule<T>, Formula)> {
    let momentum = Sgd::with_momentum(0.9).unwrap();
    let adam = Adam::new(0.8, 0.95, 1e-6).unwrap();
    let adamw = AdamW::new(0.8, 0.95, 1e-6).unwrap();
    vec![
        (BoxRule::new(Sgd::new()), sgd_formula),
        (BoxRule::new(momentum), |g, w, r, d| velocity_formula(g, w, r, d, 0.0, false)),
        (BoxRule::new(momentum.dampening(0.3).unwrap()), |g, w, r, d| velocity_formula(g, w, r, d, 0.3, false)),
        (BoxRule::new(momentum.nesterov().unwrap()), |g, w, r, d| velocity_formula(g, w, r, d, 0.0, true)),
        (BoxRule::new(adam), |g, w, r, d| adam_formula(g, w, r, d, false, false)),
        (BoxRule::new(adam.amsgrad()), |g, w, r, d| adam_formula(g, w, r, d, true, false)),
        (BoxRule::new(adamw), |g, w, r, d| adam_formula(g, w, r, d, false, true)),
        (BoxRule::new(adamw.amsgrad()), |g, w, r, d| adam_formula(g, w, r, d, true, true)),
    ]
}

fn agrees<T: Real>(shape: [usize; 2], start: &[f64], gradients: &[Vec<f64>], rate: f64, decay: f64, tolerance: f64) {
    let array = |values: &[f64]| {
        let values = values[..shape[0] * shape[1]].iter().map(|&x| T::of(x)).collect();
        Array2::from_shape_vec(shape, values).unwrap()
    };
    for (rule, formula) in pairs::<T>() {
        // The same gradients in standard and in column-major layout: the fast and the slow way through a sweep.
        let mut results = Vec::new();
        for columns in [false, true] {
            let mut param = array(start).into_dyn();
            let mut state = rule.init(&param);
            let hyper = Hyper { weight_decay: decay, ..Hyper::new(rate) };
            for gradient in gradients {
                let mut grad = Array2::zeros(shape.set_f(columns));
                grad.assign(&array(gradient));
                rule.update(&hyper, &mut state, &mut param, &grad.into_dyn()).unwrap();
            }
            results.push(param);
        }
        assert_eq!(results[0], results[1], "{}: layouts disagree", rule.name());
        for (index, found) in results[0].iter().enumerate() {
            let of_this: Vec<f64> = gradients.iter().map(|g| T::of(g[index]).as_f64()).collect();
            let expected = formula(&of_this, T::of(start[index]).as_f64(), rate, decay);
            let error = (found.as_f64() - expected).abs();
            assert!(error <= tolerance * (1.0 + expected.abs()), "{}: {found} instead of {expected}", rule.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn fused_updates_agree_with_the_formulas(
        shape in [0_usize..4, 0_usize..7],
        start in prop::collection::vec(-2.0..2.0, 24),
        gradients in prop::collection::vec(prop::collection::vec(-3.0..3.0, 24), 1..6),
        rate in 0.0..0.1,
        decay in prop_oneof![Just(0.0), 0.0..0.5],
    ) {
        agrees::<f64>(shape, &start, &gradients, rate, decay, 1e-12);
        agrees::<f32>(shape, &start, &gradients, rate, decay, 1e-4);
    }
}

#[test]
fn momentum_is_an_argument_that_takes_the_rules_place() {
    let hyper = Hyper { momentum: Some(0.5), ..Hyper::new(1.0) };
    let g = arr1(&[1.0_f64]).into_dyn();
    let mut w = arr1(&[0.0]).into_dyn();
    let rule = Sgd::with_momentum(0.9).unwrap();
    let mut state = rule.init(&w);
    rule.update(&hyper, &mut state, &mut w, &g).unwrap();
    rule.update(&hyper, &mut state, &mut w, &g).unwrap();
    assert_eq!(w[[0]], -1.0 - 1.5);

    let mut w = [arr1(&[0.0_f64]).into_dyn(), arr1(&[0.0]).into_dyn()];
    let (told, own) = (Adam::new(0.9, 0.99, 1e-8).unwrap(), Adam::new(0.5, 0.99, 1e-8).unwrap());
    for (w, (rule, hyper)) in w.iter_mut().zip([(told, hyper), (own, Hyper::new(1.0))]) {
        let mut state = Rule::init(&rule, &*w);
        Rule::update(&rule, &hyper, &mut state, w, &g).unwrap();
        Rule::update(&rule, &hyper, &mut state, w, &(&g * 3.0)).unwrap();
    }
    assert_eq!(w[0], w[1]);
}

// ---- what is refused ---------------------------------------------------------------------------------------------------

#[test]
fn hyper_parameters_are_refused_in_words() {
    let refused = |result: Result<()>, expected: &str| assert_eq!(result.unwrap_err().to_string(), expected);
    let sgd = |momentum| Sgd::with_momentum(momentum);
    refused(sgd(1.0).map(drop), "sgd: momentum: expected a number in [0, 1), got 1");
    refused(sgd(f64::NAN).map(drop), "sgd: momentum: expected a number in [0, 1), got NaN");
    refused(Sgd::new().nesterov().map(drop), "sgd: momentum with nesterov: expected a number in (0, 1), got 0");
    let damped = sgd(0.9).and_then(|rule| rule.dampening(0.5));
    refused(damped.and_then(Sgd::nesterov).map(drop), "sgd: dampening with nesterov: expected 0, got 0.5");
    refused(Sgd::new().dampening(0.5).map(drop), "sgd: dampening without momentum: expected 0, got 0.5");
    refused(Adam::new(-0.1, 0.9, 1e-8).map(drop), "adam: beta1: expected a number in [0, 1), got -0.1");
    refused(AdamW::new(0.9, 0.9, 0.0).map(drop), "adam: epsilon: expected a finite number above 0, got 0");
    refused(Clip::global_norm(-1.0).map(drop), "clip: largest global norm: expected a finite number above 0, got -1");
}

#[test]
fn arrays_that_do_not_fit_are_an_error_and_change_nothing() {
    for (rule, _) in pairs::<f32>() {
        let mut w = Array1::<f32>::ones(3).into_dyn();
        let before = w.clone();
        let mut state = rule.init(&w);
        let error = rule.update(&Hyper::new(0.1), &mut state, &mut w, &Array1::<f32>::ones(4).into_dyn()).unwrap_err();
        let expected = format!("{}: expected the parameter's shape [3], got shape [4]", rule.name());
        assert_eq!((error.to_string(), &w), (expected, &before));
    }
}

#[test]
fn a_state_of_another_rule_is_an_error() {
    let (sgd, adam) = (BoxRule::<f32>::new(Sgd::new()), BoxRule::new(Adam::default()));
    let mut w = Array1::<f32>::ones(3).into_dyn();
    let g = w.clone();
    let mut state = sgd.init(&w);
    let error = adam.update(&Hyper::new(0.1), &mut state, &mut w, &g).unwrap_err();
    assert_eq!(error.to_string(), "adam: expected a state made by this rule, got another's");
}

// ---- a rule from outside -------------------------------------------------------------------------------------------------

/// Lion (Chen et al. 2023), as someone outside this crate would write it.
struct Lion;
struct LionState<T>(ArrayD<T>);

impl<T: Real> State<T> for LionState<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("momentum", Stored::Array(&mut self.0));
    }
}

impl<T: Real> Rule<T> for Lion {
    type State = LionState<T>;
    fn name(&self) -> &'static str {
        "lion"
    }
    fn init(&self, param: &ArrayRefD<T>) -> LionState<T> {
        LionState(ArrayD::zeros(param.raw_dim()))
    }
    fn update(&self, hyper: &Hyper, s: &mut LionState<T>, w: &mut ArrayRefD<T>, g: &ArrayRefD<T>) -> Result<()> {
        let (rate, b1, b2) = (T::of(hyper.learning_rate), T::of(0.9), T::of(0.99));
        sweep("lion", w, g, [&mut s.0], |w, g, [m]| {
            for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
                *w -= rate * (b1 * *m + (T::one() - b1) * g).signum();
                *m = b2 * *m + (T::one() - b2) * g;
            }
        })
    }
}

#[test]
fn a_rule_from_outside_is_used_like_the_built_in_ones() {
    descend::<f32>(BoxRule::new(Lion), 4e-3, 6000, &QUADRATIC);
    descend::<f64>(BoxRule::new(Lion), 4e-3, 6000, &QUADRATIC);
}
