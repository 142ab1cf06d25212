//! Groups, clipping, equalized rates, and everything an optimizer refuses.

use gradwise_core::{ArrayRefD, Path};
use gradwise_optim::ndarray::{Array, Array1, ArrayD, IxDyn, arr1, arr2};
use gradwise_optim::{
    Adam, AdamW, Clip, Constant, Equalizer, Error, Grads, Group, Hyper, OneCycle, Optimizer, Param, Params, ParamsExt,
    Result, Rule, ScheduleFreeSgd, Sgd, Stepper, clip, discriminative, layer_decay, layers_of, no_decay_on_vectors,
};

/// Two layers of a weight and a bias, and a buffer.
#[derive(Clone, PartialEq, Debug)]
struct Net {
    encoder: [Param<f64>; 2],
    head: [Param<f64>; 2],
    mean: Param<f64>,
}

impl Net {
    fn new() -> Self {
        let layer = || [Param::new(Array::ones((2, 3))), Param::new(Array1::ones(3))];
        Net { encoder: layer(), head: layer(), mean: Param::buffer(arr1(&[7.0])) }
    }

    /// All gradients 1.
    fn grads(&self) -> Grads<f64> {
        let mut arrays = Vec::new();
        self.visit(|_, p| arrays.push(p.is_trainable().then(|| ArrayD::ones(p.value.raw_dim()))));
        Grads::from_arrays(self, arrays)
    }

    /// The first number of each parameter.
    fn firsts(&self) -> Vec<f64> {
        let mut firsts = Vec::new();
        self.visit(|_, p| firsts.extend(p.value.first()));
        firsts
    }
}

impl Params<f64> for Net {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<f64>)) {
        for (name, [weight, bias]) in [("encoder", &self.encoder), ("head", &self.head)] {
            weight.each(path.field(name).field("weight"), f);
            bias.each(path.field(name).field("bias"), f);
        }
        self.mean.each(path.field("mean"), f);
    }
    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<f64>)) {
        for (name, [weight, bias]) in [("encoder", &mut self.encoder), ("head", &mut self.head)] {
            weight.each_mut(path.field(name).field("weight"), f);
            bias.each_mut(path.field(name).field("bias"), f);
        }
        self.mean.each_mut(path.field("mean"), f);
    }
}

fn sgd(rate: f64) -> Optimizer<f64, Sgd> {
    Optimizer::new(Sgd::new(), Constant::new(rate).unwrap())
}

/// Applies gradients of 1 once and tells what was subtracted from each parameter's first number.
fn moved(mut optimizer: Optimizer<f64, Sgd>) -> Vec<f64> {
    let mut net = Net::new();
    let before = net.firsts();
    let mut grads = net.grads();
    optimizer.apply(&mut net, &mut grads).unwrap();
    before.iter().zip(net.firsts()).map(|(before, after)| before - after).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    let near = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12);
    assert!(near, "{found:?} instead of {expected:?}");
}

#[test]
fn groups_multiply_and_all_that_match_apply() {
    close(&moved(sgd(1.0)), &[1.0, 1.0, 1.0, 1.0, 0.0]);
    let tenth = || Group::matching("encoder.**").unwrap().learning_rate_times(0.1).unwrap();
    close(&moved(sgd(1.0).group(tenth())), &[0.1, 0.1, 1.0, 1.0, 0.0]);
    let double = || Group::matching("**.bias").unwrap().learning_rate_times(2.0).unwrap();
    close(&moved(sgd(1.0).group(tenth()).group(double())), &[0.1, 0.2, 1.0, 2.0, 0.0]);
    let frozen = || Group::matching("head.*").unwrap().frozen();
    close(&moved(sgd(1.0).group(double()).group(frozen())), &[1.0, 2.0, 0.0, 0.0, 0.0]);
    // Gradient 1 and decay 0.5 · weight 1.
    let decay = || sgd(1.0).weight_decay(0.5).unwrap();
    close(&moved(decay()), &[1.5, 1.5, 1.5, 1.5, 0.0]);
    close(&moved(decay().group(no_decay_on_vectors())), &[1.5, 1.0, 1.5, 1.0, 0.0]);
    let stronger = Group::matching("head.weight").unwrap().weight_decay_times(3.0).unwrap();
    close(&moved(decay().group(no_decay_on_vectors()).group(stronger)), &[1.5, 1.0, 2.5, 1.0, 0.0]);
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error() {
    let mut optimizer = sgd(1.0).group(Group::matching("encodr.**").unwrap().frozen());
    let error = Stepper::prepare(&mut optimizer, &Net::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "group: expected a pattern that matches one of the model's parameters (encoder.weight, encoder.bias, head.weight, \
         head.bias, mean), got `encodr.**`"
    );
    assert!(Group::matching("a..b").is_err());
    assert!(Group::vectors().learning_rate_times(-1.0).is_err());
    assert!(Group::vectors().weight_decay_times(f64::NAN).is_err());
    // A model without parameters is trained by doing nothing, whatever the groups over all parameters.
    let applied =
        sgd(1.0).group(no_decay_on_vectors()).apply(&mut Vec::<Param<f64>>::new(), &mut Grads::new()).unwrap();
    assert_eq!(applied.grad_norm, 0.0);
}

#[test]
fn adamw_decays_unless_told_otherwise_and_others_do_not() {
    assert_eq!(Rule::<f32>::default_weight_decay(&AdamW::default()), 0.01);
    assert_eq!(Rule::<f32>::default_weight_decay(&Adam::default()), 0.0);
    let after = |optimizer: Optimizer<f64, AdamW>| {
        let mut params = vec![Param::new(arr1(&[2.0]))];
        let mut optimizer = optimizer;
        let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[0.0]).into_dyn())]);
        optimizer.apply(&mut params, &mut grads).unwrap();
        params[0].value[[0]]
    };
    let optimizer = || Optimizer::new(AdamW::default(), Constant::new(0.5).unwrap());
    assert_eq!(after(optimizer()), 2.0 * (1.0 - 0.5 * 0.01));
    assert_eq!(after(optimizer().weight_decay(0.0).unwrap()), 2.0);
}

/// [`Sgd`] as someone writes it who has not heard of gradients that are scaled.
struct Plain;

impl Rule<f64> for Plain {
    type State = ();
    fn name(&self) -> &'static str {
        "plain"
    }
    fn init(&self, _: &ArrayRefD<f64>) {}
    fn update(&self, hyper: &Hyper, _: &mut (), w: &mut ArrayRefD<f64>, g: &ArrayRefD<f64>) -> Result<()> {
        w.scaled_add(-hyper.learning_rate, g);
        Ok(())
    }
}

/// Clips the 18 gradients of 1 of [`Net`], and tells the norm that was reported and how far each parameter moved.
fn clipped<R: Rule<f64>>(rule: R, clip: Clip) -> (f64, Vec<f64>, Grads<f64>) {
    let mut net = Net::new();
    let (before, mut grads) = (net.firsts(), net.grads());
    let mut optimizer = Optimizer::new(rule, Constant::new(1.0).unwrap()).clip(clip);
    let applied = optimizer.apply(&mut net, &mut grads).unwrap();
    (applied.grad_norm, before.iter().zip(net.firsts()).map(|(before, after)| before - after).collect(), grads)
}

#[test]
fn clipping_bounds_the_update_and_reports_the_norm_before() {
    let n = 18_f64.sqrt();
    let norms = Clip::norm(0.5).unwrap();
    let (by_six, by_three) = (0.5 / 6_f64.sqrt(), 0.5 / 3_f64.sqrt());
    for (clip, expected) in [
        (Clip::global_norm(1.0).unwrap(), [1.0 / n, 1.0 / n, 1.0 / n, 1.0 / n, 0.0]),
        (Clip::global_norm(5.0).unwrap(), [1.0, 1.0, 1.0, 1.0, 0.0]),
        (norms, [by_six, by_three, by_six, by_three, 0.0]),
        (Clip::value(0.25).unwrap(), [0.25, 0.25, 0.25, 0.25, 0.0]),
    ] {
        let (norm, moved, grads) = clipped(Sgd::new(), clip);
        let (norm_plain, moved_plain, grads_plain) = clipped(Plain, clip);
        assert!((norm - n).abs() < 1e-12 && (norm_plain - n).abs() < 1e-12);
        close(&moved, &expected);
        close(&moved_plain, &expected);
        // A rule that scales leaves the gradients alone; for one that does not, they are what it was given.
        let firsts = |grads: &Grads<f64>| grads.iter().map(|(_, grad)| *grad.first().unwrap()).collect::<Vec<_>>();
        close(&firsts(&grads_plain), &expected[..4]);
        close(&firsts(&grads), if clip == Clip::value(0.25).unwrap() { &expected[..4] } else { &[1.0; 4] });
    }
}

#[test]
fn adam_is_clipped_as_it_would_be_by_hand() {
    let run = |clip: Option<Clip>, scale: f64| {
        let mut net = Net::new();
        let mut optimizer = Optimizer::new(AdamW::default(), Constant::new(0.1).unwrap());
        optimizer = clip.into_iter().fold(optimizer, Optimizer::clip);
        for _ in 0..3 {
            let mut grads = net.grads();
            grads.scale(scale);
            optimizer.apply(&mut net, &mut grads).unwrap();
        }
        net.firsts()
    };
    let n = 18_f64.sqrt();
    close(&run(Some(Clip::global_norm(1.0).unwrap()), 1.0), &run(None, 1.0 / n));
}

#[test]
fn frozen_parameters_count_for_nothing_in_clipping() {
    // ‖g‖ is that of the encoder's 9 gradients, and the head's stay as they are.
    let (mut net, frozen) = (Net::new(), Group::matching("head.**").unwrap().frozen());
    let mut grads = net.grads();
    let mut optimizer =
        Optimizer::new(Plain, Constant::new(1.0).unwrap()).group(frozen).clip(Clip::global_norm(0.3).unwrap());
    assert_eq!(optimizer.apply(&mut net, &mut grads).unwrap().grad_norm, 3.0);
    assert!((grads.get(0).unwrap()[[0, 0]] - 0.1).abs() < 1e-12);
    assert_eq!(grads.get(2).unwrap()[[0, 0]], 1.0);
}

#[test]
fn a_state_that_is_not_made_yet_is_not_passed_over() {
    let mut optimizer = sgd(1.0);
    let error = Stepper::<f64, Net>::visit_state(&mut optimizer, &mut |_, _| ()).unwrap_err();
    assert_eq!(error.to_string(), "optimizer: state: expected a step or `prepare` before, got none");
    Stepper::prepare(&mut optimizer, &Net::new()).unwrap();
    Stepper::<f64, Net>::visit_state(&mut optimizer, &mut |_, _| ()).unwrap();
}

#[test]
fn a_rule_that_fails_is_reported_by_the_parameter_it_failed_at() {
    struct Choosy;
    impl Rule<f64> for Choosy {
        type State = ();
        fn name(&self) -> &'static str {
            "choosy"
        }
        fn init(&self, _: &ArrayRefD<f64>) {}
        fn update(&self, _: &Hyper, _: &mut (), w: &mut ArrayRefD<f64>, _: &ArrayRefD<f64>) -> Result<()> {
            if w.ndim() == 1 {
                return Err(Error::Other("choosy: no vectors".into()));
            }
            w.fill(7.0);
            Ok(())
        }
    }
    let mut net = Net::new();
    let mut grads = net.grads();
    let error = Optimizer::new(Choosy, Constant::new(1.0).unwrap()).apply(&mut net, &mut grads).unwrap_err();
    assert_eq!(error.to_string(), "encoder.bias: choosy: no vectors");
    assert_eq!(net.firsts(), [7.0, 1.0, 1.0, 1.0, 7.0]);
}

#[test]
fn clipping_functions() {
    let model = vec![Param::new(arr1(&[0.0, 0.0])), Param::new(arr1(&[0.0]))];
    let grads =
        || Grads::from_arrays(&model, vec![Some(arr1(&[3.0, -4.0]).into_dyn()), Some(arr1(&[12.0]).into_dyn())]);
    let values = |grads: &Grads<f64>| grads.iter().flat_map(|(_, g)| g.iter().copied()).collect::<Vec<_>>();

    let mut clipped = grads();
    assert_eq!(clip::by_global_norm(&mut clipped, 6.5).unwrap(), 13.0);
    close(&values(&clipped), &[1.5, -2.0, 6.0]);
    let mut clipped = grads();
    assert_eq!(clip::by_global_norm(&mut clipped, 13.0).unwrap(), 13.0);
    assert_eq!(values(&clipped), [3.0, -4.0, 12.0]);
    let mut clipped = grads();
    clip::by_norm(&mut clipped, 10.0).unwrap();
    close(&values(&clipped), &[3.0, -4.0, 10.0]);
    clip::by_value(&mut clipped, 3.5).unwrap();
    close(&values(&clipped), &[3.0, -3.5, 3.5]);

    // Nothing helps against NaN, and nothing is made worse.
    let mut broken = grads();
    broken.get_mut(1).unwrap()[[0]] = f64::NAN;
    assert!(clip::by_global_norm(&mut broken, 1.0).unwrap().is_nan());
    assert_eq!(values(&broken)[..2], [3.0, -4.0]);
    assert!(clip::by_global_norm(&mut broken, 0.0).is_err());
    assert!(clip::by_norm(&mut broken, f64::NAN).is_err());
    assert!(clip::by_value(&mut broken, -1.0).is_err());
}

#[test]
fn a_momentum_schedule_reaches_the_rule_or_is_refused() {
    let mut params = vec![Param::new(arr1(&[0.0]))];
    let rule = Sgd::with_momentum(0.9).unwrap();
    let mut optimizer = Optimizer::new(rule, Constant::new(1.0).unwrap()).momentum(|step: u64| 0.25 * step as f64);
    let expected = [-1.0, -1.0 - 1.25, -1.0 - 1.25 - (0.5 * 1.25 + 1.0)];
    for expected in expected {
        let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[1.0]).into_dyn())]);
        optimizer.apply(&mut params, &mut grads).unwrap();
        assert_eq!(params[0].value[[0]], expected);
    }
    let grads = || Grads::from_arrays(&params, vec![Some(arr1(&[1.0]).into_dyn())]);
    optimizer.apply(&mut params.clone(), &mut grads()).unwrap();
    let error = optimizer.apply(&mut params.clone(), &mut grads()).unwrap_err();
    assert_eq!(error.to_string(), "schedule: momentum: expected a number in [0, 1), got 1");

    let cycle = OneCycle::new(0.1, 10).unwrap();
    let error = Optimizer::new(Sgd::new(), cycle).momentum(cycle.momentum()).apply(&mut params.clone(), &mut grads());
    assert_eq!(error.unwrap_err().to_string(), "momentum schedule: expected a rule with momentum, got sgd");
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let refuses = |optimizer: &mut Optimizer<f64, Adam>, net: &mut Net, grads: &mut Grads<f64>, expected: &str| {
        let (before, steps) = (net.clone(), optimizer.steps());
        assert_eq!(optimizer.apply(net, grads).unwrap_err().to_string(), expected);
        assert_eq!((&*net, optimizer.steps()), (&before, steps));
    };
    let mut net = Net::new();
    let mut optimizer = Optimizer::new(Adam::default(), Constant::new(0.1).unwrap());
    let mut grads = net.grads();

    let expected = "optimizer: gradients: expected one for each of the model's 5 parameters, got 0";
    refuses(&mut optimizer, &mut net, &mut Grads::new(), expected);
    *grads.get_mut(3).unwrap() = ArrayD::ones(IxDyn(&[4]));
    let expected = "head.bias: optimizer: expected a gradient of the parameter's shape [3], got shape [4]";
    refuses(&mut optimizer, &mut net, &mut grads, expected);
    *grads.get_mut(3).unwrap() = arr1(&[0.0, f64::NAN, 0.0]).into_dyn();
    let expected = "head.bias: norm of the gradient: expected finite numbers, got NaN";
    refuses(&mut optimizer, &mut net, &mut grads, expected);

    let mut grads = net.grads();
    optimizer.apply(&mut net, &mut grads).unwrap();
    net.encoder[1] = Param::new(Array1::ones(4));
    let mut grads = net.grads();
    let expected =
        "encoder.bias: optimizer: expected the shape [3] that the parameter had in the first step, got shape [4]";
    refuses(&mut optimizer, &mut net, &mut grads, expected);

    // Another model altogether: refused now, but not by an optimizer that never had a good step.
    let mut other = vec![Param::new(Array::ones((2, 3)))];
    let mut grads = Grads::from_arrays(&other, vec![Some(ArrayD::ones(IxDyn(&[2, 3])))]);
    let error = optimizer.apply(&mut other, &mut grads).unwrap_err().to_string();
    assert_eq!(error, "optimizer: number of parameters: expected the 5 that the model had in the first step, got 1");

    let mut fresh = Optimizer::new(Adam::default(), Constant::new(0.1).unwrap());
    assert!(fresh.apply(&mut Net::new(), &mut grads).is_err());
    assert!(fresh.apply(&mut other, &mut grads).is_ok());

    let mut bad = Optimizer::new(Adam::default(), |_: u64| f64::NAN);
    let expected = "schedule: learning rate: expected a finite number of at least 0, got NaN";
    refuses(&mut bad, &mut Net::new(), &mut Net::new().grads(), expected);
    assert!(sgd(1.0).weight_decay(-1.0).is_err());
}

#[test]
fn parameters_without_a_gradient_and_frozen_ones_are_left_alone() {
    let mut net = Net::new();
    let before = net.clone();
    net.head[0].freeze();
    let mut grads = Grads::from_arrays(&net, vec![None, Some(ArrayD::ones(IxDyn(&[3]))), None, None, None]);
    let mut optimizer = Optimizer::new(AdamW::default(), Constant::new(0.1).unwrap()).weight_decay(0.5).unwrap();
    optimizer.apply(&mut net, &mut grads).unwrap();
    assert_ne!(net.encoder[1], before.encoder[1]);
    assert_eq!((&net.encoder[0], &net.head[1], &net.mean), (&before.encoder[0], &before.head[1], &before.mean));
    // Unfrozen later, it begins with a fresh state and takes part.
    net.head[0].unfreeze();
    let mut grads = net.grads();
    optimizer.apply(&mut net, &mut grads).unwrap();
    assert_ne!(net.head[0], before.head[0]);
}

#[test]
fn update_norms_are_measured_on_request() {
    let mut net = Net::new();
    let mut optimizer = sgd(0.5).group(Group::matching("head.bias").unwrap().frozen());
    let mut grads = net.grads();
    optimizer.apply(&mut net, &mut grads).unwrap();
    let norms = |optimizer: &Optimizer<f64, Sgd>| Stepper::<f64, Net>::update_norms(optimizer).to_vec();
    assert_eq!(norms(&optimizer), [0.0; 0]);
    Stepper::<f64, Net>::measure_updates(&mut optimizer, true);
    optimizer.apply(&mut net, &mut grads).unwrap();
    close(&norms(&optimizer), &[0.5 * 6_f64.sqrt(), 0.5 * 3_f64.sqrt(), 0.5 * 6_f64.sqrt(), 0.0, 0.0]);
    Stepper::<f64, Net>::measure_updates(&mut optimizer, false);
    optimizer.apply(&mut net, &mut grads).unwrap();
    assert_eq!(norms(&optimizer), [0.0; 0]);
}

#[test]
fn an_error_of_the_first_step_leaves_the_optimizer_usable() -> Result<(), Error> {
    let mut params = vec![Param::new(arr1(&[1.0_f32]))];
    let mut optimizer = Optimizer::new(Sgd::new(), Constant::new(0.5)?);
    let error = Stepper::step(&mut optimizer, &mut params, &mut |_, _| Err(Error::Other("no data".into())));
    assert_eq!(error.unwrap_err().to_string(), "no data");
    let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[1.0]).into_dyn())]);
    assert_eq!(optimizer.apply(&mut params, &mut grads)?.step, 0);
    assert_eq!(params[0].value[[0]], 0.5);
    Ok(())
}

#[test]
fn layers_learn_at_rates_of_their_own() {
    let layers = layers_of(&Net::new());
    assert_eq!(layers, ["encoder.*", "head.*"]);
    close(&moved(sgd(1.0).groups(layer_decay(&layers, 0.5).unwrap())), &[0.5, 0.5, 1.0, 1.0, 0.0]);
    let spread = discriminative(["encoder.weight", "encoder.bias", "head.*"], 0.01).unwrap();
    close(&moved(sgd(1.0).groups(spread)), &[0.01, 0.1, 1.0, 1.0, 0.0]);
    close(&moved(sgd(1.0).groups(discriminative(["**"], 0.01).unwrap())), &[1.0, 1.0, 1.0, 1.0, 0.0]);
    for bad in [0.0, -1.0, 1.5, f64::NAN] {
        let expected = format!("layer decay: expected a number in (0, 1], got {bad}");
        assert_eq!(layer_decay(&layers, bad).unwrap_err().to_string(), expected);
        assert!(discriminative(&layers, bad).is_err());
    }
    let none: [&str; 0] = [];
    assert_eq!(layer_decay(none, 0.5).unwrap_err().to_string(), "layers: expected at least one pattern, got none");
    // A layer that is not there is an error when the model is seen.
    let groups = layer_decay(["encoder.*", "body.*"], 0.5).unwrap();
    let error = Stepper::prepare(&mut sgd(1.0).groups(groups), &Net::new()).unwrap_err().to_string();
    assert!(error.contains("encoder.weight, encoder.bias") && error.ends_with("got `body.*`"), "{error}");
}

/// Gradients of sizes that are 10⁵ apart, as in a deep net that saturates, and how much each parameter moves in the last step.
#[test]
fn an_equalizer_makes_all_parameters_move_alike() {
    let ratios = |equalizer: Option<Equalizer>, schedule: fn(u64) -> f64| {
        let mut params: Vec<_> = (0..3).map(|_| Param::new(Array1::from_elem(4, 1.0_f64))).collect();
        let mut optimizer = Optimizer::new(Sgd::with_momentum(0.5).unwrap(), schedule);
        optimizer = equalizer.into_iter().fold(optimizer, Optimizer::equalize);
        Stepper::<f64, Vec<Param<f64>>>::measure_updates(&mut optimizer, true);
        for _ in 0..80 {
            let grads = [1.0, 1e-2, 1e-5].map(|size| Some(ArrayD::from_elem(IxDyn(&[4]), size))).into();
            let mut grads = Grads::from_arrays(&params, grads);
            optimizer.apply(&mut params, &mut grads).unwrap();
        }
        let norms = Stepper::<f64, Vec<Param<f64>>>::update_norms(&optimizer).to_vec();
        let sizes = params.iter().map(|p| p.value.iter().map(|x| x * x).sum::<f64>().sqrt());
        norms.iter().zip(sizes).map(|(norm, size)| norm / size).collect::<Vec<_>>()
    };
    let plain = ratios(None, |_| 0.01);
    assert!(plain[0] / plain[2] > 1e4, "{plain:?}");
    let equalizer = Equalizer::new(1e-3).unwrap();
    for ratio in ratios(Some(equalizer), |_| 0.01) {
        assert!((ratio / 1e-3 - 1.0).abs() < 0.05, "{ratio}");
    }
    // At a fifth of the largest rate, a fifth of the target.
    for ratio in ratios(Some(equalizer.strength(1.0).unwrap()), |step| if step < 40 { 0.05 } else { 0.01 }) {
        assert!((ratio / 2e-4 - 1.0).abs() < 0.05, "{ratio}");
    }
    // Bounded, the smallest gradients stay behind.
    let bounded = ratios(Some(equalizer.limit(10.0).unwrap()), |_| 0.01);
    assert!(bounded[2] < 1e-5, "{bounded:?}");
    assert!(Equalizer::new(0.0).is_err() && equalizer.strength(1.5).is_err() && equalizer.strength(0.0).is_err());
    assert!(equalizer.limit(0.5).is_err() && equalizer.every(0).is_err());
}

#[test]
fn units_are_clipped_by_their_weights() {
    // Norms of the rows: 5 and 0; of the vector: 1.
    let model = || vec![Param::new(arr2(&[[3.0, 4.0], [0.0, 0.0]])), Param::new(arr1(&[0.6, 0.8]))];
    let grads = |model: &Vec<Param<f64>>| {
        let weight = arr2(&[[6.0, 8.0], [0.0, 2.0]]).into_dyn();
        Grads::from_arrays(model, vec![Some(weight), Some(arr1(&[0.03, 0.04]).into_dyn())])
    };
    let mut clipped = grads(&model());
    clip::by_unit(&model(), &mut clipped, 0.1, 1e-3).unwrap();
    close(&clipped.get(0).unwrap().iter().copied().collect::<Vec<_>>(), &[0.3, 0.4, 0.0, 1e-4]);
    close(&clipped.get(1).unwrap().iter().copied().collect::<Vec<_>>(), &[0.03, 0.04]);

    let mut params = model();
    let mut optimizer = Optimizer::new(Sgd::new(), Constant::new(1.0).unwrap()).clip(Clip::unit(0.1).unwrap());
    optimizer.apply(&mut params, &mut grads(&model())).unwrap();
    close(&params[0].value.iter().copied().collect::<Vec<_>>(), &[2.7, 3.6, 0.0, -1e-4]);
    assert!(Clip::unit(0.0).is_err() && Clip::unit(0.1).unwrap().floor(-1.0).is_err());
    assert!(clip::by_unit(&model(), &mut clipped, f64::NAN, 1e-3).is_err());
}

#[test]
fn averages_go_out_of_the_model_before_training_goes_on() {
    let mut net = Net::new();
    let mut optimizer = Optimizer::new(ScheduleFreeSgd::default(), Constant::new(0.1).unwrap());
    let mut grads = net.grads();
    for _ in 0..3 {
        optimizer.apply(&mut net, &mut grads).unwrap();
    }
    let training = net.clone();
    optimizer.swap_averages(&mut net).unwrap();
    assert_ne!(net, training);
    let error = optimizer.apply(&mut net, &mut grads).unwrap_err().to_string();
    let expected = "optimizer: the model's parameters: expected those of training (a second call of `swap_averages`), got their averages";
    assert_eq!(error, expected);
    assert!(Stepper::<f64, Net>::visit_state(&mut optimizer, &mut |_, _| ()).is_err());
    assert!(optimizer.swap_averages(&mut vec![Param::new(arr1(&[1.0]))]).is_err());
    optimizer.swap_averages(&mut net).unwrap();
    assert_eq!(net, training);
    optimizer.apply(&mut net, &mut grads).unwrap();
}
