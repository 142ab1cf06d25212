//! Rules, steppers, clipping and schedules against PyTorch's numbers; see `oracle/README.md` of the workspace.

use gradwise_optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, BoxRule, Cosine, CosineRestarts, Cyclic, Exponential, Grads,
    Hyper, InverseSqrt, InverseTime, Lamb, Lars, LinearWarmup, Lion, MultiStep, Muon, Nadam, OneCycle, Optimizer,
    Param, Polynomial, RAdam, Real, ReduceOnPlateau, RmsProp, Rprop, Rule, Schedule, ScheduleFreeAdamW,
    ScheduleFreeSgd, Sgd, StepDecay, Stepper, clip,
    ndarray::{Array1, ArrayD, Axis, stack},
    steppers::{Average, Lbfgs},
};

#[path = "../../../oracle/reader.rs"]
mod oracle;
use oracle::{Case, for_each, tolerance};

fn rule<T: Real>(case: &Case) -> BoxRule<T> {
    let betas = |default| case.list("betas").map_or(default, |betas| [betas[0], betas[1]]);
    let [beta1, beta2] = betas([0.9, 0.999]);
    let epsilon = |default| case.number("eps").unwrap_or(default);
    let number = |key, default| case.number(key).unwrap_or(default);
    match case.kind() {
        "sgd" => {
            let mut sgd = case.number("momentum").map_or(Sgd::new(), |momentum| Sgd::with_momentum(momentum).unwrap());
            if let Some(dampening) = case.number("dampening") {
                sgd = sgd.dampening(dampening).unwrap();
            }
            BoxRule::new(if case.flag("nesterov") { sgd.nesterov().unwrap() } else { sgd })
        }
        "adam" => {
            let adam = Adam::new(beta1, beta2, epsilon(1e-8)).unwrap();
            BoxRule::new(if case.flag("amsgrad") { adam.amsgrad() } else { adam })
        }
        "adamw" => {
            let adamw = AdamW::new(beta1, beta2, epsilon(1e-8)).unwrap();
            BoxRule::new(if case.flag("amsgrad") { adamw.amsgrad() } else { adamw })
        }
        "adagrad" => BoxRule::new(Adagrad::new(number("initial_accumulator_value", 0.0), epsilon(1e-10)).unwrap()),
        "adadelta" => BoxRule::new(Adadelta::new(number("rho", 0.9), epsilon(1e-6)).unwrap()),
        "rmsprop" => {
            let rule = RmsProp::new(number("alpha", 0.99), epsilon(1e-8)).unwrap();
            let rule = rule.momentum(number("momentum", 0.0)).unwrap();
            BoxRule::new(if case.flag("centered") { rule.centered() } else { rule })
        }
        "adamax" => BoxRule::new(Adamax::new(beta1, beta2, epsilon(1e-8)).unwrap()),
        "nadam" => {
            let rule = Nadam::new(beta1, beta2, epsilon(1e-8)).unwrap();
            let rule = rule.momentum_decay(number("momentum_decay", 4e-3)).unwrap();
            BoxRule::new(if case.flag("decoupled_weight_decay") { rule.decoupled() } else { rule })
        }
        "radam" => {
            let rule = RAdam::new(beta1, beta2, epsilon(1e-8)).unwrap();
            BoxRule::new(if case.flag("decoupled_weight_decay") { rule.decoupled() } else { rule })
        }
        "rprop" => {
            let [shrink, grow] = case.list("etas").map_or([0.5, 1.2], |etas| [etas[0], etas[1]]);
            let [least, most] = case.list("step_sizes").map_or([1e-6, 50.0], |sizes| [sizes[0], sizes[1]]);
            // PyTorch's are lengths, ours count in rates.
            let rate = case.required("lr");
            BoxRule::new(Rprop::new(shrink, grow).unwrap().steps(least / rate, most / rate).unwrap())
        }
        "adafactor" => {
            let rule = Adafactor::new(-number("beta2_decay", -0.8)).unwrap().clip_at(number("d", 1.0)).unwrap();
            // The rounding unit of the type it is computed in, which was `f64`.
            let floors = case.list("eps").map_or([f64::EPSILON, 1e-3], |eps| [eps[0], eps[1]]);
            BoxRule::new(rule.floors(Some(floors[0]), floors[1]).unwrap())
        }
        "muon" => {
            let mut rule = Muon::new(number("momentum", 0.95)).unwrap();
            rule = rule.iterations(number("ns_steps", 5.0) as usize).unwrap();
            if case.option("nesterov") == Some("false") {
                rule = rule.without_nesterov();
            }
            BoxRule::new(if case.option("adjust_lr_fn").is_some() { rule.match_adamw() } else { rule })
        }
        "lion" => {
            let [beta1, beta2] = betas([0.9, 0.99]);
            BoxRule::new(Lion::new(beta1, beta2).unwrap())
        }
        "lamb" => BoxRule::new(Lamb::new(beta1, beta2, epsilon(1e-6)).unwrap()),
        "lars" => {
            let rule = Lars::new(number("momentum", 0.9), number("trust", 1e-3)).unwrap();
            BoxRule::new(if case.flag("nesterov") { rule.nesterov().unwrap() } else { rule })
        }
        "schedule_free_sgd" => BoxRule::new(ScheduleFreeSgd::new(number("momentum", 0.9)).unwrap()),
        "schedule_free_adamw" => {
            let rule = ScheduleFreeAdamW::new(number("momentum", 0.9), number("beta2", 0.999), epsilon(1e-8));
            BoxRule::new(rule.unwrap())
        }
        kind => panic!("{}: no rule {kind}", case.name),
    }
}

/// Ten steps by an optimizer, whose weights must be PyTorch's after each of them.
fn ten_steps<T: Real>(case: &Case) {
    let (curvature, noise) = (case.array::<T>("curvature"), case.array::<T>("noise"));
    let mut optimizer = match case.number("max_lr") {
        Some(max) => {
            let cycle = OneCycle::new(max, case.required("total_steps") as u64).unwrap();
            Optimizer::new(rule::<T>(case), cycle).momentum(cycle.momentum())
        }
        None => {
            let schedule = InverseTime::new(case.required("lr"), case.number("lr_decay").unwrap_or(0.0)).unwrap();
            Optimizer::new(rule::<T>(case), schedule)
        }
    };
    if let Some(decay) = case.number("weight_decay") {
        optimizer = optimizer.weight_decay(decay).unwrap();
    }
    let mut model = vec![Param::new(case.array::<T>("start"))];
    let (mut weights, mut averages) = (Vec::new(), Vec::new());
    for noise in noise.outer_iter() {
        let grad = &noise + &(&curvature * &model[0].value);
        let mut grads = Grads::from_arrays(&model, vec![Some(grad)]);
        optimizer.apply(&mut model, &mut grads).unwrap();
        weights.push(model[0].value.clone());
        optimizer.swap_averages(&mut model).unwrap();
        averages.push(model[0].value.clone());
        optimizer.swap_averages(&mut model).unwrap();
        assert_eq!(weights.last(), Some(&model[0].value));
    }
    case.check("weights", &stacked(&weights), tolerance::<T>());
    if case.has("averages") {
        case.check("averages", &stacked(&averages), tolerance::<T>());
    } else {
        assert_eq!(weights, averages);
    }
}

/// The same with the bare rule, at the rates that PyTorch's optimizer had.
fn ten_updates<T: Real>(case: &Case) {
    let rule = rule::<T>(case);
    let (curvature, noise) = (case.array::<T>("curvature"), case.array::<T>("noise"));
    let rates = case.array::<f64>("rates");
    let mut w = case.array::<T>("start");
    let mut state = rule.init(&w);
    let mut weights = Vec::new();
    for (noise, &rate) in noise.outer_iter().zip(&rates) {
        let weight_decay = case.number("weight_decay").unwrap_or(rule.default_weight_decay());
        let grad = &noise + &(&curvature * &w);
        rule.update(&Hyper { weight_decay, ..Hyper::new(rate) }, &mut state, &mut w, &grad).unwrap();
        weights.push(w.clone());
    }
    case.check("weights", &stacked(&weights), tolerance::<T>());
}

fn stacked<T: Real>(arrays: &[ArrayD<T>]) -> ArrayD<T> {
    stack(Axis(0), &arrays.iter().map(|array| array.view()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn rules_take_the_same_ten_steps() {
    for_each("optim/rules.safetensors", 45, |case| {
        ten_steps::<f64>(case);
        ten_steps::<f32>(case);
        if case.option("max_lr").is_none() && case.option("lr_decay").is_none() {
            ten_updates::<f64>(case);
            ten_updates::<f32>(case);
        }
    });
}

#[test]
fn rules_that_pytorch_does_not_have_take_the_steps_of_others() {
    for_each("optim/references.safetensors", 12, |case| {
        ten_steps::<f64>(case);
        ten_steps::<f32>(case);
    });
}

/// The two functions of the oracle's L-BFGS, by the number of their variables.
fn smooth(w: &[f64]) -> (f64, Vec<f64>) {
    if let &[x, y] = w {
        let valley = y - x * x;
        let grad = vec![-2.0 * (1.0 - x) - 400.0 * x * valley, 200.0 * valley];
        return ((1.0 - x).powi(2) + 100.0 * valley * valley, grad);
    }
    let terms = w.iter().enumerate().map(|(i, &x)| ((i + 1) as f64, x));
    let loss = terms.clone().map(|(a, x)| 0.5 * a * x * x + x.cos()).sum();
    (loss, terms.map(|(a, x)| a * x - x.sin()).collect())
}

fn lbfgs(case: &Case) {
    let most = case.required("max_iter");
    let evaluations = case.number("max_eval").unwrap_or((most * 1.25).floor());
    let mut lbfgs = Lbfgs::<f64>::default().at_most(most as u64, evaluations as u64).unwrap();
    lbfgs = lbfgs.history(case.number("history_size").unwrap_or(100.0) as usize).unwrap();
    lbfgs = lbfgs.rate(case.number("lr").unwrap_or(1.0)).unwrap();
    if case.option("line_search_fn").is_none() {
        lbfgs = lbfgs.without_line_search();
    }
    let mut model = vec![Param::new(case.array::<f64>("start"))];
    let (mut weights, mut losses, mut evaluations) = (Vec::new(), Vec::new(), Vec::new());
    for _ in case.array::<f64>("losses") {
        let info = lbfgs.step(&mut model, &mut |model, grads| {
            let (loss, grad) = smooth(model[0].value.as_slice().unwrap());
            *grads = Grads::from_arrays(model, vec![Some(Array1::from(grad).into_dyn())]);
            Ok(loss)
        });
        losses.push(info.unwrap().loss);
        weights.push(model[0].value.clone());
        evaluations.push(lbfgs.evaluations() as f64);
    }
    case.check("weights", &stacked(&weights), 1e-7);
    case.check("losses", &Array1::from(losses).into_dyn(), 1e-7);
    case.check("evaluations", &Array1::from(evaluations).into_dyn(), 0.0);
}

fn average<T: Real>(case: &Case) {
    let mut average = case.number("decay").map_or(Average::equal(), |decay| Average::exponential(decay).unwrap());
    let mut model = vec![Param::new(Array1::<T>::zeros(4))];
    let mut averages = Vec::new();
    for w in case.array::<T>("walk").outer_iter() {
        model[0].value.assign(&w);
        average.update(&model).unwrap();
        average.swap(&mut model).unwrap();
        averages.push(model[0].value.clone());
        average.swap(&mut model).unwrap();
    }
    case.check("averages", &stacked(&averages), tolerance::<T>());
}

#[test]
fn steppers_go_where_pytorchs_go() {
    for_each("optim/steppers.safetensors", 5, |case| match case.kind() {
        "lbfgs" => lbfgs(case),
        _ => {
            average::<f64>(case);
            average::<f32>(case);
        }
    });
}

fn clipped<T: Real>(case: &Case) {
    let arrays = case.arrays::<T>("grad");
    let model: Vec<Param<T>> = arrays.iter().map(|array| Param::new(array.clone())).collect();
    let mut grads = Grads::from_arrays(&model, arrays.into_iter().map(Some).collect());
    let norm = clip::by_global_norm(&mut grads, case.required("max_norm")).unwrap();
    let expected: f64 = case.array::<f64>("norm")[[]];
    assert!((norm - expected).abs() <= tolerance::<T>() * expected, "{}: norm {norm}", case.name);
    // PyTorch divides by the norm and a little more; where it clips, its result is that much smaller.
    let factor = if norm > case.required("max_norm") { (expected + 1e-6) / expected } else { 1.0 };
    for (i, expected) in case.arrays::<f64>("clipped").iter().enumerate() {
        let got = grads.get(i).unwrap().to_owned();
        case.check_against("clipped", &got, &(expected * factor), tolerance::<T>());
    }
}

#[test]
fn clipping_by_global_norm_agrees() {
    for_each("optim/clipping.safetensors", 3, |case| {
        clipped::<f64>(case);
        clipped::<f32>(case);
    });
}

fn one_cycle(case: &Case) -> OneCycle {
    let mut cycle = OneCycle::new(case.required("max_lr"), case.required("total_steps") as u64).unwrap();
    if let Some(share) = case.number("pct_start") {
        cycle = cycle.rise(share).unwrap();
    }
    if let Some(start) = case.number("div_factor") {
        cycle = cycle.divisors(start, case.required("final_div_factor")).unwrap();
    }
    if case.option("anneal_strategy") == Some("linear") { cycle.linear() } else { cycle }
}

fn cyclic(case: &Case) -> Cyclic {
    let up = case.required("step_size_up");
    let cyclic = Cyclic::new(case.required("base_lr"), case.required("max_lr"), up as u64).unwrap();
    let cyclic = cyclic.down(case.number("step_size_down").unwrap_or(up) as u64).unwrap();
    match case.option("mode") {
        Some("triangular2") => cyclic.halving(),
        Some("exp_range") => cyclic.exponential(case.required("gamma")).unwrap(),
        _ => cyclic,
    }
}

fn schedule(case: &Case) -> Box<dyn Schedule> {
    let rate = case.required("rate");
    let whole = |key| case.required(key) as u64;
    match case.kind() {
        "step" => Box::new(StepDecay::new(rate, whole("step_size"), case.required("gamma")).unwrap()),
        "multi_step" => {
            let milestones: Vec<u64> = case.list("milestones").unwrap();
            Box::new(MultiStep::new(rate, milestones, case.required("gamma")).unwrap())
        }
        "exponential" => Box::new(Exponential::new(rate, case.required("gamma")).unwrap()),
        "cosine" => {
            let cosine = Cosine::new(rate, whole("T_max")).unwrap();
            Box::new(cosine.ending_at(case.number("eta_min").unwrap_or(0.0)).unwrap())
        }
        "warm_up" => {
            let then: Box<dyn Schedule> = match case.number("T_max") {
                Some(steps) => Box::new(Cosine::new(rate, steps as u64).unwrap()),
                None => Box::new(move |_| rate),
            };
            let warm_up = LinearWarmup::new(whole("total_iters"), then).unwrap();
            Box::new(warm_up.from(case.required("start_factor")).unwrap())
        }
        "one_cycle" => Box::new(one_cycle(case)),
        "polynomial" => {
            let polynomial = Polynomial::new(rate, whole("total_iters")).unwrap();
            Box::new(polynomial.power(case.number("power").unwrap_or(1.0)).unwrap())
        }
        "restarts" => {
            let restarts = CosineRestarts::new(rate, whole("T_0")).unwrap();
            let restarts = restarts.stretch(case.number("T_mult").unwrap_or(1.0) as u64).unwrap();
            Box::new(restarts.ending_at(case.number("eta_min").unwrap_or(0.0)).unwrap())
        }
        "cyclic" => Box::new(cyclic(case)),
        "inverse_time" => Box::new(InverseTime::new(rate, case.required("decay")).unwrap()),
        "inverse_sqrt" => {
            let offset = whole("offset");
            let warm_up = LinearWarmup::new(offset, InverseSqrt::new(rate, offset).unwrap()).unwrap();
            Box::new(warm_up.from(0.0).unwrap())
        }
        kind => panic!("{}: no schedule {kind}", case.name),
    }
}

/// The values at as many steps as there are numbers, every so many.
fn values(schedule: &dyn Schedule, like: &ArrayD<f64>, every: f64) -> ArrayD<f64> {
    (0..like.len() as u64).map(|n| schedule.at(n * every as u64)).collect::<Array1<f64>>().into_dyn()
}

/// A case's rates, and its momenta if the schedule has any.
fn has_the_values(case: &Case, tolerance: f64) {
    let every = case.number("every").unwrap_or(1.0);
    case.check("rates", &values(&*schedule(case), &case.array("rates"), every), tolerance);
    let between = [case.number("base_momentum"), case.number("max_momentum")];
    let momentum: Box<dyn Schedule> = match case.kind() {
        "one_cycle" => {
            let [low, high] = [between[0].unwrap_or(0.85), between[1].unwrap_or(0.95)];
            Box::new(one_cycle(case).momentum().between(low, high).unwrap())
        }
        "cyclic" => {
            let [low, high] = [between[0].unwrap_or(0.8), between[1].unwrap_or(0.9)];
            Box::new(cyclic(case).momentum().between(low, high).unwrap())
        }
        _ => return,
    };
    case.check("momenta", &values(&*momentum, &case.array("momenta"), every), 10.0 * tolerance);
}

#[test]
fn schedules_have_the_same_values() {
    // Rates are small numbers, and PyTorch multiplies from step to step where we take a power.
    for_each("optim/schedules.safetensors", 11, |case| has_the_values(case, 1e-15));
    for_each("optim/long_schedules.safetensors", 15, |case| has_the_values(case, 1e-13));
}

#[test]
fn plateaus_are_where_pytorch_finds_them() {
    for_each("optim/plateaus.safetensors", 4, |case| {
        let rate = case.required("rate");
        let mut plateau = ReduceOnPlateau::new(case.number("factor").unwrap_or(0.1)).unwrap();
        plateau = plateau.patience(case.required("patience") as u64);
        plateau = plateau.cooldown(case.number("cooldown").unwrap_or(0.0) as u64);
        plateau = plateau.lowest(case.number("min_lr").unwrap_or(0.0) / rate).unwrap();
        if let Some(threshold) = case.number("threshold") {
            let absolute = case.option("threshold_mode") == Some("abs");
            plateau =
                if absolute { plateau.absolute_threshold(threshold) } else { plateau.threshold(threshold) }.unwrap();
        }
        if case.option("mode") == Some("max") {
            plateau = plateau.maximize();
        }
        let schedule = plateau.schedule(move |_| rate);
        let mut rates = Vec::new();
        for &measure in &case.array::<f64>("measures") {
            plateau.observe(measure);
            rates.push(schedule.at(0));
        }
        assert!(rates.windows(2).filter(|pair| pair[0] > pair[1]).count() >= 2, "{}: {rates:?}", case.name);
        case.check("rates", &Array1::from(rates).into_dyn(), 1e-15);
    });
}
