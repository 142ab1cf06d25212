//! Steppers as training loops see them: behind `dyn`, over any model, with several evaluations a step; their states; their threads.

use gradwise_core::Path;
use gradwise_optim::ndarray::{Array, Array1, ArrayD, arr1};
use gradwise_optim::steppers::{
    Accumulate, Annealing, Average, Averaged, GradientNoise, Lbfgs, Lookahead, Proposal, Sam, Sgld, metropolis,
};
use gradwise_optim::{
    Adam, BoxRule, Clip, Constant, Cosine, Equalizer, Error, Exponential, Grads, LinearWarmup, Optimizer, Param,
    Params, ParamsExt, Pool, Real, Result, Rule, Sgd, StepInfo, Stepper, Stored,
};
use std::collections::BTreeMap;
use std::sync::Arc;

mod every;

/// `f(x, y) = x² + 10 y²`, through `Params` alone, as a loop over any model would have it.
fn evaluate<T: Real, M: Params<T> + ?Sized>(model: &M, grads: &mut Grads<T>) -> Result<T> {
    let mut loss = T::zero();
    let mut arrays = Vec::new();
    model.visit(|_, p| {
        let factors = [T::of(1.0), T::of(10.0)];
        let weighted: Vec<T> = p.value.iter().zip(factors).map(|(&x, a)| a * x).collect();
        loss += p.value.iter().zip(&weighted).map(|(&x, &ax)| x * ax).sum();
        arrays.push(Some(arr1(&weighted).into_dyn() * T::of(2.0)));
    });
    *grads = Grads::from_arrays(model, arrays);
    Ok(loss)
}

fn start<T: Real>() -> Vec<Param<T>> {
    vec![Param::new(arr1(&[T::of(1.0), T::of(-1.0)]))]
}

fn train<T: Real, M: Params<T> + ?Sized>(model: &mut M, stepper: &mut dyn Stepper<T, M>, steps: u64) -> Vec<f64> {
    let mut losses = Vec::new();
    for step in 0..steps {
        let info = stepper.step(model, &mut |model, grads| evaluate(model, grads)).unwrap();
        assert_eq!(info.step, step);
        assert!(!stepper.grads().is_empty());
        losses.push(info.loss.as_f64());
    }
    losses
}

#[test]
fn one_loop_for_concrete_and_dynamic_models_and_both_types() {
    fn both<T: Real>() {
        let optimizer = || Optimizer::new(Adam::default(), Constant::new(0.05).unwrap());
        let mut concrete = start::<T>();
        let losses = train(&mut concrete, &mut optimizer(), 200);
        assert!(losses[199] < 1e-3 * losses[0]);

        let mut boxed: Box<dyn Params<T>> = Box::new(start::<T>());
        let mut stepper: Box<dyn Stepper<T, dyn Params<T>>> = Box::new(optimizer());
        assert_eq!(train(&mut *boxed, &mut *stepper, 200), losses);
        // Boxes and borrows of steppers are steppers.
        let mut again: Box<dyn Params<T>> = Box::new(start::<T>());
        let mut boxed_again: Box<dyn Stepper<T, dyn Params<T>>> = Box::new(optimizer());
        assert_eq!(train(&mut *again, &mut &mut boxed_again, 200), losses);
    }
    both::<f32>();
    both::<f64>();
}

#[test]
fn a_stepper_may_evaluate_twice() {
    let sam = |rho| Sam::new(Optimizer::new(Sgd::new(), Constant::new(0.01).unwrap()), rho).unwrap();
    let mut model = start::<f64>();
    let mut evaluations = 0;
    let info = sam(0.1).step(&mut model, &mut |model, grads| {
        evaluations += 1;
        evaluate(model, grads)
    });
    assert_eq!(evaluations, 2);
    assert_eq!(info.unwrap().loss, 11.0);
    // By hand: ĝ = (2, −20) / ‖·‖, x + ρ ĝ, gradient (2 x, 20 y) there, then one step of 0.01 from x.
    let norm = 404_f64.sqrt();
    let expected = [1.0 - 0.01 * 2.0 * (1.0 + 0.2 / norm), -1.0 + 0.01 * 20.0 * (1.0 + 2.0 / norm)];
    for (found, expected) in model[0].value.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    let losses = train(&mut model, &mut sam(0.01), 300);
    assert!(losses[299] < 1e-2 * losses[0]);

    // If the second evaluation fails, the model is as it was.
    let (mut failing, before, mut evaluations) = (sam(0.1), model.clone(), 0);
    let result = failing.step(&mut model, &mut |model, grads| {
        evaluations += 1;
        if evaluations == 2 { Err(gradwise_optim::Error::Other("lost".into())) } else { evaluate(model, grads) }
    });
    assert!(result.is_err());
    assert_eq!(model, before);
}

#[test]
fn a_stepper_needs_only_two_methods() {
    struct Still(Grads<f64>);
    impl<M: Params<f64> + ?Sized> Stepper<f64, M> for Still {
        fn step(
            &mut self,
            model: &mut M,
            eval: &mut dyn FnMut(&M, &mut Grads<f64>) -> Result<f64>,
        ) -> Result<StepInfo<f64>> {
            let loss = eval(model, &mut self.0)?;
            Ok(StepInfo { step: 0, loss, learning_rate: 0.0, grad_norm: self.0.global_norm() })
        }
        fn grads(&self) -> &Grads<f64> {
            &self.0
        }
    }
    let stepper: &mut dyn Stepper<f64, Vec<Param<f64>>> = &mut Still(Grads::new());
    stepper.measure_updates(true);
    let mut model = start();
    stepper.prepare(&model).unwrap();
    assert_eq!(stepper.step(&mut model, &mut |m, g| evaluate(m, g)).unwrap().loss, 11.0);
    assert!(stepper.update_norms().is_empty());
    stepper.visit_state(&mut |name, _| panic!("{name}")).unwrap();
}

#[test]
fn a_single_parameter_is_a_model() {
    let mut x = Param::new(arr1(&[1.0_f32, 1.0]));
    let mut optimizer = Optimizer::new(Sgd::new(), Constant::new(0.04).unwrap());
    assert!(train(&mut x, &mut optimizer, 100)[99] < 1e-3);
    x.each(Path::root(), &mut |path, _| assert_eq!(path.to_string(), ""));
}

// ---- saving and restoring ---------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Checkpoint<T> {
    arrays: BTreeMap<String, ArrayD<T>>,
    counters: BTreeMap<String, u64>,
    numbers: BTreeMap<String, f64>,
}

/// A stepper over any model.
type Any<T> = dyn Stepper<T, dyn Params<T>>;

fn save<T: Real>(stepper: &mut Any<T>) -> Checkpoint<T> {
    let mut saved = Checkpoint::default();
    let visited = stepper.visit_state(&mut |name, stored| {
        let name = name.to_owned();
        let again = match stored {
            Stored::Array(array) => saved.arrays.insert(name.clone(), array.to_owned()).is_some(),
            Stored::Counter(counter) => saved.counters.insert(name.clone(), *counter).is_some(),
            Stored::Number(number) => saved.numbers.insert(name.clone(), *number).is_some(),
        };
        assert!(!again, "{name} is not unique");
    });
    visited.unwrap();
    saved
}

fn restore<T: Real>(stepper: &mut Any<T>, checkpoint: &Checkpoint<T>) {
    let visited = stepper.visit_state(&mut |name, stored| match stored {
        Stored::Array(array) => array.assign(&checkpoint.arrays[name]),
        Stored::Counter(counter) => *counter = checkpoint.counters[name],
        Stored::Number(number) => *number = checkpoint.numbers[name],
    });
    visited.unwrap();
}

/// Trains for some steps, and for some more with the same stepper and with one that was restored.
fn continues_exactly<T: Real>(name: &str, stepper: impl Fn() -> Box<Any<T>>) {
    let mut params = vec![Param::new(arr1(&[0.3, -0.7].map(T::of))), Param::new(Array::from_elem((2, 2), T::of(0.1)))];
    let steps = |stepper: &mut Any<T>, params: &mut Vec<Param<T>>, range: std::ops::Range<u32>| {
        for step in range {
            let wave = T::of(f64::from(step).sin());
            let info = stepper.step(params, &mut |model: &(dyn Params<T> + 'static), grads| {
                let (mut loss, mut arrays) = (T::zero(), Vec::new());
                model.visit(|_, p| {
                    loss += p.value.iter().map(|&x| T::of(1.5) * x * x - wave * x).sum();
                    arrays.push(Some(p.value.mapv(|x| x * T::of(3.0) - wave)));
                });
                *grads = Grads::from_arrays(model, arrays);
                Ok(loss)
            });
            info.unwrap_or_else(|error| panic!("{name}, step {step}: {error}"));
        }
    };
    let mut straight = stepper();
    steps(&mut *straight, &mut params, 0..7);
    let (mut resumed, mut resumed_params) = (stepper(), params.clone());
    resumed.prepare(&resumed_params).unwrap();
    restore(&mut *resumed, &save(&mut *straight));
    let before = params.clone();
    steps(&mut *straight, &mut params, 7..20);
    steps(&mut *resumed, &mut resumed_params, 7..20);
    assert_eq!(params, resumed_params, "{name}");
    assert_ne!(params, before, "{name}");
    let all = save(&mut *straight);
    let again = save(&mut *resumed);
    assert_eq!((all.arrays, all.counters, all.numbers), (again.arrays, again.counters, again.numbers), "{name}");
    // What the model is evaluated by is the same, too.
    straight.swap_averages(&mut params).unwrap();
    resumed.swap_averages(&mut resumed_params).unwrap();
    assert_eq!(params, resumed_params, "{name}");
}

#[test]
fn restored_states_continue_exactly() {
    fn all<T: Real>() {
        for i in 0..every::rules::<T>().len() {
            let rule = || every::rules::<T>().swap_remove(i);
            continues_exactly::<T>(rule().name(), || {
                let schedule = LinearWarmup::new(5, Cosine::new(0.1, 30).unwrap()).unwrap();
                let optimizer = Optimizer::new(rule(), schedule).weight_decay(0.01).unwrap();
                let equalizer = Equalizer::new(0.01).unwrap().every(2).unwrap();
                Box::new(optimizer.clip(Clip::global_norm(2.0).unwrap()).equalize(equalizer))
            });
        }
    }
    all::<f32>();
    all::<f64>();
}

#[test]
fn restored_steppers_continue_exactly() {
    fn all<T: Real>() {
        let inner = || Optimizer::new(Adam::default(), Constant::new(0.05).unwrap());
        let average = || Average::exponential(0.8).unwrap().warm_up().starting_after(2);
        continues_exactly::<T>("averaged", || Box::new(Averaged::new(inner(), average())));
        continues_exactly::<T>("swa", || Box::new(Averaged::new(inner(), Average::equal().every(3).unwrap())));
        continues_exactly::<T>("lookahead", || Box::new(Lookahead::new(inner(), 5, 0.5).unwrap()));
        continues_exactly::<T>("sam", || Box::new(Sam::new(inner(), 0.05).unwrap()));
        continues_exactly::<T>("asam", || Box::new(Sam::new(inner(), 0.5).unwrap().adaptive()));
        continues_exactly::<T>("accumulate", || Box::new(Accumulate::new(inner(), 3).unwrap()));
        continues_exactly::<T>("noise", || Box::new(GradientNoise::new(inner(), 0.3, 0.55, 1).unwrap()));
        continues_exactly::<T>("sgld", || Box::new(Sgld::new(|_: u64| 0.05, 0.1, 1).unwrap()));
        let annealing = || Annealing::new(Exponential::new(1.0, 0.9).unwrap(), 0.3, 1).unwrap();
        continues_exactly::<T>("annealing", || Box::new(annealing().restart_after(4).unwrap()));
        continues_exactly::<T>("annealing, one", || Box::new(annealing().proposal(Proposal::One).deterministic()));
        let lbfgs = || Lbfgs::<T>::default().at_most(2, 6).unwrap().history(3).unwrap();
        continues_exactly::<T>("l-bfgs", || Box::new(lbfgs()));
        continues_exactly::<T>("l-bfgs, fixed", || Box::new(lbfgs().without_line_search().rate(0.3).unwrap()));
        // Around each other.
        let sam = || Sam::new(Accumulate::new(inner(), 2).unwrap(), 0.05).unwrap();
        continues_exactly::<T>("all", || Box::new(Averaged::new(Lookahead::new(sam(), 5, 0.5).unwrap(), average())));
    }
    all::<f32>();
    all::<f64>();
}

#[test]
fn states_have_names_that_tell_where_they_belong() {
    let model = vec![vec![Param::new(Array::ones((2, 3))), Param::new(Array1::<f64>::ones(3))]];
    let mut optimizer = Optimizer::new(Adam::default().amsgrad(), Constant::new(0.1).unwrap());
    Stepper::prepare(&mut optimizer, &model).unwrap();
    let checkpoint = save(&mut optimizer);
    assert_eq!(checkpoint.counters.len(), 1 + 2);
    assert_eq!(checkpoint.counters["step"], 0);
    assert_eq!(checkpoint.arrays.len(), 3 * 2);
    assert_eq!(checkpoint.arrays["0.0:first_moment"].shape(), [2, 3]);
    assert_eq!(checkpoint.arrays["0.1:largest_second_moment"].shape(), [3]);
}

// ---- threads ----------------------------------------------------------------------------------------------------------------

/// A pool that runs its tasks on threads of their own, or one after the other in the wrong order, or every second one alone.
struct Scattered(usize);

impl Pool for Scattered {
    fn threads(&self) -> usize {
        self.0
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        if self.0 == 3 {
            return (0..n).rev().for_each(task);
        }
        if self.0 == 5 {
            return (0..n).step_by(2).for_each(task);
        }
        std::thread::scope(|scope| (0..n).for_each(|i| _ = scope.spawn(move || task(i))));
    }
}

/// A large parameter of odd size, a small one and a matrix, after some steps on a pool.
fn trained_on<T: Real>(threads: usize, rule: BoxRule<T>) -> Vec<Vec<T>> {
    let sizes = [&[70_003][..], &[7], &[40, 1001]];
    let mut params: Vec<_> = sizes.iter().map(|&n| Param::new(ArrayD::from_elem(n, T::one()))).collect();
    let mut optimizer = Optimizer::new(rule, Constant::new(0.01).unwrap())
        .weight_decay(0.1)
        .unwrap()
        .clip(Clip::global_norm(3.0).unwrap())
        .pool(Arc::new(Scattered(threads)));
    for step in 0..3 {
        let number = |i: usize| T::of(((i * 7 + step) % 13) as f64 - 6.0);
        let array = |shape: &[usize]| {
            let numbers = (0..shape.iter().product()).map(number).collect();
            ArrayD::from_shape_vec(shape, numbers).ok()
        };
        let grads: Vec<_> = sizes.map(array).into();
        let mut grads = Grads::from_arrays(&params, grads);
        optimizer.apply(&mut params, &mut grads).unwrap();
    }
    params.iter().map(|param| param.value.iter().copied().collect()).collect()
}

#[test]
fn threads_change_no_bit() {
    fn all<T: Real>() {
        for i in 0..every::rules::<T>().len() {
            let rule = || every::rules().swap_remove(i);
            let expected = trained_on::<T>(1, rule());
            for threads in [2, 3, 5, usize::MAX] {
                assert!(trained_on(threads, rule()) == expected, "{} on {threads} threads", rule().name());
            }
        }
    }
    all::<f32>();
    all::<f64>();
}

// ---- what each stepper does ---------------------------------------------------------------------------------------------------

/// A model of one number, and an evaluation whose gradient is what it is told.
fn one(x: f64) -> Vec<Param<f64>> {
    vec![Param::new(arr1(&[x]))]
}

fn told(gradient: f64) -> impl FnMut(&Vec<Param<f64>>, &mut Grads<f64>) -> Result<f64> {
    move |model, grads| {
        *grads = Grads::from_arrays(model, vec![Some(arr1(&[gradient]).into_dyn())]);
        Ok(model[0].value[[0]])
    }
}

fn descent(rate: f64) -> Optimizer<f64, Sgd> {
    Optimizer::new(Sgd::new(), Constant::new(rate).unwrap())
}

#[test]
fn lookahead_draws_back_every_kth_step() {
    let mut model = one(0.0);
    let mut stepper = Lookahead::new(descent(1.0), 3, 0.5).unwrap();
    let at: Vec<f64> = (0..7)
        .map(|_| {
            stepper.step(&mut model, &mut told(-2.0)).unwrap();
            model[0].value[[0]]
        })
        .collect();
    assert_eq!(at, [2.0, 4.0, 3.0, 5.0, 7.0, 6.0, 8.0]);
    assert!(Lookahead::<f64, _>::new(descent(1.0), 0, 0.5).is_err());
    assert!(Lookahead::<f64, _>::new(descent(1.0), 5, 1.5).is_err());
    assert!(stepper.step(&mut vec![], &mut told(1.0)).is_err(), "another model");
}

#[test]
fn averages_begin_late_and_leave_buffers() {
    let mut model = vec![Param::new(arr1(&[1.0_f64])), Param::buffer(arr1(&[5.0]))];
    let mut average = Average::equal().starting_after(2).every(2).unwrap().without_buffers();
    let mut everything = Average::equal();
    for w in [100.0, 100.0, 7.0, 2.0, 7.0, 4.0] {
        model[0].value[[0]] = w;
        model[1].value[[0]] = w;
        average.update(&model).unwrap();
        everything.update(&model).unwrap();
    }
    let training = model.clone();
    average.swap(&mut model).unwrap();
    assert_eq!((model[0].value[[0]], model[1].value[[0]], average.n_averaged()), (3.0, 4.0, 2));
    assert!(average.update(&model).is_err(), "the average is in the model");
    average.swap(&mut model).unwrap();
    assert_eq!(model, training);
    everything.swap(&mut model).unwrap();
    assert!((model[1].value[[0]] - 220.0 / 6.0).abs() < 1e-12);
    assert!(average.update(&one(1.0)).is_err() && average.swap(&mut one(1.0)).is_err());
    assert!(Average::<f64>::exponential(1.0).is_err() && Average::<f64>::equal().every(0).is_err());
    // Before there is an average, there is nothing to swap.
    let mut untouched = one(3.0);
    Average::equal().swap(&mut untouched).unwrap();
    assert_eq!(untouched, one(3.0));
}

#[test]
fn accumulated_steps_are_the_large_batch() {
    let gradients = [1.0, -3.0, 8.0, 2.0];
    let mut model = one(1.0);
    let mut stepper = Accumulate::new(Optimizer::new(Adam::default(), Constant::new(0.1).unwrap()), 2).unwrap();
    let mut rates = Vec::new();
    for gradient in gradients {
        rates.push(stepper.step(&mut model, &mut told(gradient)).unwrap().learning_rate);
    }
    assert_eq!(rates, [0.0, 0.1, 0.0, 0.1]);
    let mut large = one(1.0);
    let mut optimizer = Optimizer::new(Adam::default(), Constant::new(0.1).unwrap());
    for gradient in [-1.0, 5.0] {
        optimizer.step(&mut large, &mut told(gradient)).unwrap();
    }
    assert_eq!(model, large);

    // A parameter that one batch of two does not reach gets half of the other's gradient: the mean over batches.
    let mut pair = vec![Param::new(arr1(&[0.0_f64])), Param::new(arr1(&[0.0]))];
    let mut stepper = Accumulate::new(descent(1.0), 2).unwrap();
    for reached in [true, false] {
        let mut eval = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
            let gradient = || arr1(&[4.0]).into_dyn();
            *grads = Grads::from_arrays(model, vec![Some(gradient()), reached.then(gradient)]);
            Ok(0.0)
        };
        stepper.step(&mut pair, &mut eval).unwrap();
    }
    assert_eq!((pair[0].value[[0]], pair[1].value[[0]]), (-4.0, -2.0));
    assert!(Accumulate::<f64, _>::new(descent(1.0), 0).is_err());
    assert!(stepper.step(&mut one(0.0), &mut told(1.0)).is_err());
}

#[test]
fn noise_is_of_the_size_it_should_be() {
    let mut model = vec![Param::new(Array1::<f64>::zeros(20_000))];
    let mut stepper = GradientNoise::new(descent(1.0), 0.3, 0.55, 3).unwrap();
    for step in 0..3_u64 {
        model[0].value.fill(0.0);
        let mut still = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
            *grads = Grads::from_arrays(model, vec![Some(ArrayD::zeros(model[0].value.raw_dim()))]);
            Ok(0.0)
        };
        stepper.step(&mut model, &mut still).unwrap();
        let variance = model[0].value.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        let expected = 0.3 / (1.0 + step as f64).powf(0.55);
        assert!((variance / expected - 1.0).abs() < 0.04, "step {step}: {variance} instead of {expected}");
    }
    assert!(GradientNoise::new(descent(1.0), -1.0, 0.55, 3).is_err());
}

/// The Langevin diffusion of x²/2 at temperature τ has variance τ (and 1/(1 − η/2) times it, in steps of size η).
#[test]
fn langevin_dynamics_draws_from_the_distribution() {
    let mut model = vec![Param::new(Array1::<f64>::zeros(500))];
    let (rate, temperature) = (0.1, 0.5);
    let mut stepper = Sgld::new(move |_: u64| rate, temperature, 5).unwrap();
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for step in 0..400 {
        let mut bowl = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
            *grads = Grads::from_arrays(model, vec![Some(model[0].value.clone())]);
            Ok(0.0)
        };
        stepper.step(&mut model, &mut bowl).unwrap();
        if step >= 100 && step % 20 == 0 {
            sum += model[0].value.sum();
            squares += model[0].value.iter().map(|x| x * x).sum::<f64>();
            n += 500.0;
        }
    }
    let expected = temperature / (1.0 - rate / 2.0);
    assert!((sum / n).abs() < 0.05 && (squares / n / expected - 1.0).abs() < 0.06, "{} {}", sum / n, squares / n);
}

/// The Metropolis rule along a line of slope `a`, with proposals of size σ at temperature `T`: with `s = a σ / T`, the share that is
/// accepted is `E min(1, exp(−s ξ)) = 1/2 + exp(s²/2) Φ(−s)` for a standard normal ξ.
#[test]
fn annealing_accepts_as_metropolis_says() {
    // Φ(−s) for s = 0, 1/2, 1, 2, 3, from tables of the normal distribution.
    for (slope, phi) in
        [(0.0, 0.5), (0.5, 0.308_537_539), (1.0, 0.158_655_254), (2.0, 0.022_750_132), (3.0, 0.001_349_898)]
    {
        let (sigma, temperature) = (0.25, 0.5);
        let mut model = one(0.0);
        let mut annealing = Annealing::new(move |_: u64| temperature, sigma, 11).unwrap().deterministic();
        let line = slope * temperature / sigma;
        for _ in 0..20_000 {
            let mut eval = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
                *grads = Grads::from_arrays(model, vec![None]);
                Ok(line * model[0].value[[0]])
            };
            annealing.step(&mut model, &mut eval).unwrap();
        }
        let share = annealing.accepted() as f64 / 20_000.0;
        let expected = 0.5 + (slope * slope / 2.0_f64).exp() * phi;
        // Four standard errors.
        let limit = 4.0 * (expected * (1.0 - expected) / 20_000.0).sqrt() + 1e-6;
        assert!((share - expected).abs() <= limit, "slope {slope}: {share} instead of {expected}");
    }
    assert_eq!(metropolis(f64::NAN, 1.0), 0.0);
    assert_eq!((metropolis(0.0, 0.0), metropolis(f64::INFINITY, 1.0)), (1.0, 0.0));
}

/// Which way it goes, which the share that is accepted does not tell: a line is as steep up as down.
#[test]
fn cold_annealing_goes_downhill() {
    let mut model = one(3.0);
    let mut annealing = Annealing::new(|_: u64| 1e-3, 0.25, 11).unwrap().deterministic();
    for _ in 0..500 {
        let mut eval = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
            *grads = Grads::from_arrays(model, vec![None]);
            Ok(model[0].value[[0]].powi(2))
        };
        annealing.step(&mut model, &mut eval).unwrap();
    }
    // Distributed as exp(−x² / T) in the end, with a standard deviation of 0.02.
    assert!(model[0].value[[0]].abs() < 0.2, "{}", model[0].value);
}

#[test]
fn annealing_remembers_the_best_and_returns_to_it() {
    for proposal in [Proposal::Normal, Proposal::Uniform, Proposal::One] {
        // So hot that everything is accepted: the walk goes off, and comes back.
        let mut model = vec![Param::new(arr1(&[0.1_f64, 0.0, 0.0]))];
        let annealing = Annealing::new(|_: u64| 1e9, 0.5, 2).unwrap().proposal(proposal);
        let mut annealing = annealing.restart_after(5).unwrap();
        let mut losses = Vec::new();
        for _ in 0..50 {
            let mut eval = |model: &Vec<Param<f64>>, grads: &mut Grads<f64>| {
                *grads = Grads::from_arrays(model, vec![None]);
                let loss = model[0].value.iter().map(|x| x * x).sum::<f64>();
                losses.push(loss);
                Ok(loss)
            };
            annealing.step(&mut model, &mut eval).unwrap();
        }
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(annealing.best_loss(), least);
        assert!(losses.iter().filter(|&&loss| loss == least).count() >= 5, "{proposal:?}: {losses:?}");
        let walking = model.clone();
        annealing.swap_averages(&mut model).unwrap();
        assert_eq!(model[0].value.iter().map(|x| x * x).sum::<f64>(), least);
        assert!(annealing.step(&mut model, &mut |_, _| Ok(0.0)).is_err(), "the best point is in the model");
        annealing.swap_averages(&mut model).unwrap();
        assert_eq!(model, walking);
    }
    // A proposal whose evaluation fails is taken back.
    let (mut model, mut n) = (one(1.0), 0);
    let mut annealing = Annealing::new(|_: u64| 1.0, 0.5, 2).unwrap();
    let result = annealing.step(&mut model, &mut |_, _| {
        n += 1;
        if n == 2 { Err(Error::Other("lost".into())) } else { Ok(0.0) }
    });
    assert!(result.is_err() && model == one(1.0));
}

#[test]
fn wrappers_refuse_what_they_cannot_go_around() {
    let mut model = one(1.0);
    let mut sam = Sam::new(Lbfgs::default(), 0.05).unwrap();
    let error = sam.step(&mut model, &mut told(1.0)).unwrap_err().to_string();
    assert_eq!(error, "sam: the stepper inside: expected one that evaluates once a step, got a second evaluation");
    let mut sam = Sam::new(descent(0.1), 0.05).unwrap();
    let error = sam.step(&mut model, &mut told(f64::NAN)).unwrap_err().to_string();
    assert_eq!(error, "0: sam: first gradient: expected finite numbers, got NaN");
    assert!(Sam::<f64, _>::new(descent(0.1), f64::NAN).is_err());
}

#[test]
fn lbfgs_leaves_the_model_alone_when_it_fails() {
    let mut model = one(1.0);
    let mut n = 0;
    let error = Lbfgs::default().step(&mut model, &mut |model, grads| {
        n += 1;
        if n == 2 { Err(Error::Other("lost".into())) } else { told(1.0)(model, grads) }
    });
    assert!(error.is_err() && n == 2 && model == one(1.0));
    let error = Lbfgs::default().step(&mut model, &mut told(f64::INFINITY)).unwrap_err().to_string();
    assert_eq!(error, "l-bfgs: loss and gradient: expected finite numbers, got inf");
    assert!(Lbfgs::<f64>::default().at_most(0, 5).is_err() && Lbfgs::<f64>::default().history(0).is_err());
    assert!(Lbfgs::<f64>::default().rate(0.0).is_err() && Lbfgs::<f64>::default().tolerances(-1.0, 0.0).is_err());
}
