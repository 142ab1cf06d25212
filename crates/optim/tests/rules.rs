//! Every rule on every objective in both precisions, and every rule against the formula of its documentation.

use gradwise_core::{ArrayRefD, Key, Real};
use gradwise_optim::ndarray::{self, Array1, Array2, ArrayD, ShapeBuilder, arr1, arr2};
use gradwise_optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, BoxRule, Clip, Cosine, Grads, Hyper, Lamb, Lars, Lion, Muon,
    Nadam, Optimizer, Param, RAdam, Result, RmsProp, Rprop, Rule, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, State,
    Stepper, Stored, sweep,
};
use proptest::prelude::*;

mod every;

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

/// Where a rule comes to: rates fall along a cosine, unless it is one that needs no schedule, and the point is the one it evaluates by.
fn descend<T: Real>(rule: BoxRule<T>, rate: f64, steps: u64, objective: &Objective, noise: f64) -> [f64; 2] {
    let mut params = vec![Param::new(arr2(&[objective.start.map(T::of)]))];
    let end = if rule.name().starts_with("schedule-free") { rate } else { 0.0 };
    let schedule = Cosine::new(rate, steps).unwrap().ending_at(end).unwrap();
    let mut optimizer = Optimizer::new(rule, schedule).weight_decay(0.0).unwrap();
    for step in 0..steps {
        let at = [0, 1].map(|i| params[0].value[[0, i]].as_f64());
        let key = Key::new(step);
        let mut gradient = (objective.gradient)(at);
        gradient.iter_mut().zip(0..).for_each(|(g, i)| *g += noise * (2.0 * key.uniform(i) - 1.0));
        let mut grads = Grads::from_arrays(&params, vec![Some(arr2(&[gradient.map(T::of)]).into_dyn())]);
        if optimizer.apply(&mut params, &mut grads).is_err() {
            return [f64::NAN; 2];
        }
    }
    optimizer.swap_averages(&mut params).unwrap();
    [0, 1].map(|i| params[0].value[[0, i]].as_f64())
}

/// A rate and a number of steps for the quadratic objective, and for Rosenbrock's, of each rule in its order.
const RATES: [[(f64, u64); 2]; 30] = [
    [(0.05, 400), (1e-3, 40_000)],   // gradient descent
    [(0.02, 400), (1e-3, 10_000)],   // momentum
    [(0.02, 400), (1e-3, 10_000)],   // with dampening
    [(0.02, 400), (1e-3, 10_000)],   // Nesterov's
    [(0.1, 1000), (0.05, 10_000)],   // Adam
    [(0.1, 1000), (0.1, 10_000)],    // AMSGrad
    [(0.1, 1000), (0.05, 10_000)],   // AdamW
    [(0.1, 1000), (0.1, 10_000)],    // AMSGrad
    [(3.0, 1000), (0.5, 20_000)],    // Adagrad
    [(10.0, 1000), (0.3, 20_000)],   // Adadelta
    [(0.05, 1000), (2e-3, 10_000)],  // RMSprop
    [(0.05, 1000), (2e-3, 10_000)],  // centered
    [(0.01, 1000), (1e-3, 10_000)],  // with momentum
    [(0.01, 1000), (1e-3, 10_000)],  // both
    [(0.3, 1000), (0.05, 10_000)],   // Adamax
    [(0.1, 1000), (0.05, 10_000)],   // Nadam
    [(0.1, 1000), (0.05, 10_000)],   // decoupled
    [(0.1, 1000), (1.5e-3, 50_000)], // RAdam
    [(0.1, 1000), (1.5e-3, 50_000)], // decoupled
    [(4e-3, 6000), (2e-3, 10_000)],  // Lion
    [(0.1, 1000), (0.05, 10_000)],   // LARS
    [(0.1, 1000), (0.05, 10_000)],   // Nesterov's
    [(0.02, 1000), (0.02, 10_000)],  // LAMB
    [(0.3, 1000), (0.3, 10_000)],    // with a bound
    [(0.05, 1000), (0.01, 20_000)],  // Adafactor
    [(0.05, 1000), (0.01, 10_000)],  // Muon
    [(0.1, 1000), (0.02, 10_000)],   // as AdamW
    [(0.01, 400), (0.01, 4000)],     // Rprop
    [(0.3, 5000), (2e-3, 40_000)],   // schedule-free
    [(0.1, 5000), (0.05, 20_000)],   // with AdamW
];

#[test]
fn every_rule_reaches_every_minimum_in_both_precisions() {
    fn table<T: Real>() -> Vec<String> {
        let mut failed = Vec::new();
        for (index, rates) in RATES.iter().enumerate() {
            let rule = || every::rules::<T>().swap_remove(index);
            let name = rule().name();
            let mut check = |what: &str, objective: &Objective, at: [f64; 2], limit: f64| {
                let errors = at.iter().zip(objective.minimum).map(|(at, minimum)| (at - minimum).abs());
                let error = errors.fold(0.0, |worst, error| if error <= worst { worst } else { error });
                if error.is_nan() || error >= limit {
                    failed.push(format!("{index}: {name} on {what} in {}: off by {error:.1e}", T::NAME));
                }
            };
            // An average of all steps forgets where it began as one over their number.
            let limits = if name.starts_with("schedule-free") { [1e-2, 5e-2] } else { [2e-3; 2] };
            for ((objective, &(rate, steps)), limit) in [QUADRATIC, ROSENBROCK].iter().zip(rates).zip(limits) {
                check(objective.name, objective, descend(rule(), rate, steps, objective, 0.0), limit);
            }
            // Rprop goes by the signs of two gradients in a row, which noise makes up: whole batches only.
            let (rate, steps) = rates[0];
            if name != "rprop" {
                check("a noisy bowl", &QUADRATIC, descend(rule(), rate, steps, &QUADRATIC, 3.0), 0.2);
            }
        }
        failed
    }
    assert_eq!(every::rules::<f32>().len(), RATES.len());
    let failed = [table::<f32>(), table::<f64>()].concat();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
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
fn hyper_parameters_of_every_rule_have_a_range() {
    let refused = |result: Result<()>, expected: &str| assert_eq!(result.unwrap_err().to_string(), expected);
    let above = "expected a finite number above 0";
    let below = "expected a number in [0, 1)";
    refused(Adagrad::new(-1.0, 1.0).map(drop), "adagrad: initial sum: expected a finite number of at least 0, got -1");
    refused(Adadelta::new(1.0, 1e-6).map(drop), &format!("adadelta: rho: {below}, got 1"));
    refused(RmsProp::new(0.9, 0.0).map(drop), &format!("rmsprop: epsilon: {above}, got 0"));
    refused(RmsProp::default().momentum(1.0).map(drop), &format!("rmsprop: momentum: {below}, got 1"));
    refused(Adamax::new(0.9, f64::NAN, 1.0).map(drop), &format!("adamax: beta2: {below}, got NaN"));
    refused(Nadam::new(1.0, 0.9, 1.0).map(drop), &format!("nadam: beta1: {below}, got 1"));
    refused(RAdam::new(0.9, 0.9, f64::INFINITY).map(drop), &format!("radam: epsilon: {above}, got inf"));
    refused(Lion::new(0.9, 1.0).map(drop), &format!("lion: beta2: {below}, got 1"));
    refused(Lars::new(0.9, 0.0).map(drop), &format!("lars: trust coefficient: {above}, got 0"));
    let still = Lars::new(0.0, 1.0).and_then(Lars::nesterov);
    refused(still.map(drop), "lars: momentum with nesterov: expected a number in (0, 1), got 0");
    refused(Lamb::default().ratio_at_most(-1.0).map(drop), &format!("lamb: largest ratio: {above}, got -1"));
    let least = "expected a finite number of at least 1";
    refused(Adafactor::default().clip_at(0.5).map(drop), &format!("adafactor: largest update: {least}, got 0.5"));
    refused(Muon::default().iterations(0).map(drop), "muon: iterations: expected between 1 and 99, got 0");
    refused(Rprop::new(1.0, 1.2).map(drop), "rprop: factor that shrinks: expected a number in (0, 1), got 1");
    refused(Rprop::new(0.5, 1.0).map(drop), "rprop: factor that grows: expected a finite number above 1, got 1");
    refused(Rprop::default().steps(2.0, 3.0).map(drop), "rprop: smallest step: expected at most 1, got 2");
    refused(ScheduleFreeSgd::new(0.0).map(drop), "schedule-free sgd: beta: expected a number in (0, 1), got 0");
    let bad = ScheduleFreeAdamW::new(0.9, 1.0, 1.0).map(drop);
    refused(bad, &format!("schedule-free adamw: beta2: {below}, got 1"));
}

#[test]
fn arrays_that_do_not_fit_are_an_error_and_change_nothing() {
    for rule in every::rules::<f32>() {
        let mut w = Array2::<f32>::ones((3, 2)).into_dyn();
        let before = w.clone();
        let mut state = rule.init(&w);
        let wrong = Array2::<f32>::ones((4, 2)).into_dyn();
        let error = rule.update(&Hyper::new(0.1), &mut state, &mut w, &wrong).unwrap_err();
        let expected = format!("{}: expected the parameter's shape [3, 2], got shape [4, 2]", rule.name());
        assert_eq!((error.to_string(), &w), (expected, &before));
    }
}

/// Shapes without axes, without numbers, and with several axes; gradients in two layouts.
#[test]
fn every_rule_takes_every_shape_and_layout() {
    fn all<T: Real>() {
        for shape in [&[][..], &[0], &[3, 0], &[0, 3], &[1], &[5], &[1, 1], &[3, 4], &[4, 3], &[2, 3, 4], &[17, 33]] {
            for rule in every::rules::<T>() {
                let number = |i: usize| T::of(((i * 7) % 5) as f64 - 2.0);
                let n: usize = shape.iter().product();
                let array =
                    |from: usize| ArrayD::from_shape_vec(shape, (from..from + n).map(number).collect()).unwrap();
                let rows = array(1);
                let mut columns = ArrayD::zeros(shape.f());
                columns.assign(&rows);
                let hyper = Hyper { weight_decay: 0.01, ..Hyper::new(0.01) };
                let results = [rows, columns].map(|grad| {
                    let mut param = array(0);
                    let mut state = rule.init(&param);
                    for _ in 0..3 {
                        rule.update(&hyper, &mut state, &mut param, &grad).unwrap();
                    }
                    param
                });
                assert_eq!(results[0], results[1], "{}, {shape:?}: layouts disagree", rule.name());
                assert!(results[0].iter().all(|x| x.is_finite()), "{}, {shape:?}: {}", rule.name(), results[0]);
                let moved = n == 0 || results[0] != array(0);
                assert!(moved, "{}, {shape:?}: nothing has moved", rule.name());
            }
        }
    }
    all::<f32>();
    all::<f64>();
}

/// A gradient that an optimizer clips is scaled within the rule: as if it had been scaled before.
#[test]
fn every_rule_scales_gradients_as_it_says() {
    for rule in every::rules::<f64>() {
        assert!(rule.scales_gradients(), "{}", rule.name());
        let results = [0.25, 1.0].map(|scale| {
            let mut param = arr2(&[[1.0, -2.0, 0.5], [0.1, 3.0, -1.0]]).into_dyn();
            let mut state = rule.init(&param);
            for step in 1..5 {
                let grad = param.mapv(|x: f64| (x + f64::from(step)).sin() * 0.25 / scale);
                let hyper = Hyper { gradient_scale: scale, weight_decay: 0.1, ..Hyper::new(0.01) };
                rule.update(&hyper, &mut state, &mut param, &grad).unwrap();
            }
            param
        });
        assert_eq!(results[0], results[1], "{}", rule.name());
    }
}

/// Orthogonal is what Muon's step is: singular values between 0.6 and 1.3, whatever the gradient's.
#[test]
fn muon_steps_are_nearly_orthogonal() {
    for (rows, columns) in [(4, 6), (6, 4), (5, 5)] {
        let gradient = Array2::from_shape_fn((rows, columns), |(i, j)| {
            let key = Key::new((i * 10 + j) as u64);
            (key.uniform(0) - 0.5) * 10_f64.powi(j as i32 % 3)
        });
        let rule = Muon::new(0.0).unwrap().without_nesterov();
        let mut param = Array2::<f64>::zeros((rows, columns)).into_dyn();
        let mut state = rule.init(&param);
        rule.update(&Hyper::new(1.0), &mut state, &mut param, &gradient.into_dyn()).unwrap();
        let ratio = (rows as f64 / columns as f64).max(1.0).sqrt();
        let step = param.into_dimensionality::<ndarray::Ix2>().unwrap() / -ratio;
        let gram = if rows <= columns { step.dot(&step.t()) } else { step.t().dot(&step) };
        // The trace is the sum, the norm the root of the sum of fourth powers of the singular values.
        let n = gram.nrows() as f64;
        let mean = gram.diag().sum() / n;
        assert!((0.4..1.5).contains(&mean), "{rows} x {columns}: {gram}");
        for ((i, j), x) in gram.indexed_iter() {
            assert!(i == j || x.abs() < 0.45, "{rows} x {columns}: {gram}");
        }
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

/// Signum (Bernstein et al. 2018), as someone outside this crate would write it.
struct Signum;
struct Mean<T>(ArrayD<T>);

impl<T: Real> State<T> for Mean<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("mean", Stored::Array(&mut self.0));
    }
}

impl<T: Real> Rule<T> for Signum {
    type State = Mean<T>;
    fn name(&self) -> &'static str {
        "signum"
    }
    fn init(&self, param: &ArrayRefD<T>) -> Mean<T> {
        Mean(ArrayD::zeros(param.raw_dim()))
    }
    fn update(&self, hyper: &Hyper, s: &mut Mean<T>, w: &mut ArrayRefD<T>, g: &ArrayRefD<T>) -> Result<()> {
        let (rate, beta) = (T::of(hyper.learning_rate), T::of(0.9));
        sweep("signum", w, g, [&mut s.0], |w, g, [m]| {
            for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
                *m = beta * *m + (T::one() - beta) * g;
                *w -= rate * m.signum();
            }
        })
    }
}

#[test]
fn a_rule_from_outside_is_used_like_the_built_in_ones() {
    fn reaches<T: Real>() {
        let at = descend::<T>(BoxRule::new(Signum), 4e-3, 6000, &QUADRATIC, 0.0);
        assert!(at.iter().zip(QUADRATIC.minimum).all(|(at, minimum)| (at - minimum).abs() < 2e-3), "{at:?}");
    }
    reaches::<f32>();
    reaches::<f64>();
}
