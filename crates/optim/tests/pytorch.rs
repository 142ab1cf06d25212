//! Rules, clipping and schedules against PyTorch's numbers; see `oracle/README.md` of the workspace.

use gradwise_optim::{
    Adam, AdamW, BoxRule, Cosine, Exponential, Grads, Hyper, LinearWarmup, MultiStep, OneCycle, Optimizer, Param, Real,
    Rule, Schedule, Sgd, StepDecay, clip,
    ndarray::{Array1, ArrayD, Axis, stack},
};

#[path = "../../../oracle/reader.rs"]
mod oracle;
use oracle::{Case, for_each, tolerance};

fn rule<T: Real>(case: &Case) -> BoxRule<T> {
    let [beta1, beta2] = case.list("betas").map_or([0.9, 0.999], |betas| [betas[0], betas[1]]);
    let epsilon = case.number("eps").unwrap_or(1e-8);
    match case.kind() {
        "sgd" => {
            let mut sgd = case.number("momentum").map_or(Sgd::new(), |momentum| Sgd::with_momentum(momentum).unwrap());
            if let Some(dampening) = case.number("dampening") {
                sgd = sgd.dampening(dampening).unwrap();
            }
            BoxRule::new(if case.flag("nesterov") { sgd.nesterov().unwrap() } else { sgd })
        }
        "adam" => {
            let adam = Adam::new(beta1, beta2, epsilon).unwrap();
            BoxRule::new(if case.flag("amsgrad") { adam.amsgrad() } else { adam })
        }
        "adamw" => {
            let adamw = AdamW::new(beta1, beta2, epsilon).unwrap();
            BoxRule::new(if case.flag("amsgrad") { adamw.amsgrad() } else { adamw })
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
            let rate = case.required("lr");
            Optimizer::new(rule::<T>(case), move |_| rate)
        }
    };
    if let Some(decay) = case.number("weight_decay") {
        optimizer = optimizer.weight_decay(decay).unwrap();
    }
    let mut model = vec![Param::new(case.array::<T>("start"))];
    let mut weights = Vec::new();
    for noise in noise.outer_iter() {
        let grad = &noise + &(&curvature * &model[0].value);
        let mut grads = Grads::from_arrays(&model, vec![Some(grad)]);
        optimizer.apply(&mut model, &mut grads).unwrap();
        weights.push(model[0].value.clone());
    }
    case.check("weights", &stacked(&weights), tolerance::<T>());
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
    for_each("optim/rules.safetensors", 18, |case| {
        ten_steps::<f64>(case);
        ten_steps::<f32>(case);
        if case.option("max_lr").is_none() {
            ten_updates::<f64>(case);
            ten_updates::<f32>(case);
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
        kind => panic!("{}: no schedule {kind}", case.name),
    }
}

fn values(schedule: &dyn Schedule, like: &ArrayD<f64>) -> ArrayD<f64> {
    (0..like.len() as u64).map(|step| schedule.at(step)).collect::<Array1<f64>>().into_dyn()
}

#[test]
fn schedules_have_the_same_values() {
    for_each("optim/schedules.safetensors", 11, |case| {
        // Rates are small numbers, and PyTorch multiplies from step to step where we take a power.
        case.check("rates", &values(&*schedule(case), &case.array("rates")), 1e-15);
        if case.kind() == "one_cycle" {
            let mut momentum = one_cycle(case).momentum();
            if let Some(low) = case.number("base_momentum") {
                momentum = momentum.between(low, case.required("max_momentum")).unwrap();
            }
            case.check("momenta", &values(&momentum, &case.array("momenta")), 1e-14);
        }
    });
}
