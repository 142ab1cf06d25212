//! Every kind is built and trained once.

use gradwise_recipe::{Recipe, Registry};

#[track_caller]
fn trains(text: &str) {
    let result = text.parse::<Recipe>().and_then(|recipe| recipe.build(&Registry::new())?.train(&mut []));
    match result {
        Ok(trained) => assert!(trained.summary.train_loss.is_finite(), "{text}"),
        Err(error) => panic!("{error} in\n{text}"),
    }
}

fn with(data: &str, layers: &str, more: &str) -> String {
    format!(
        "[data]\nsource = {data}\n[model]\nlayers = [{layers}]\n{more}\n[train]\nsteps = 1\nbatch = 8\nthreads = 1\n"
    )
}

const MOONS: &str = "{ kind = 'moons', samples = 40 }";
const IMAGES: &str = "'digits'\nscale = [{ kind = 'multiply', by = 0.0625 }]";

/// The kinds of a family that need options, with those.
fn told<'a>(names: impl Iterator<Item = &'a str>, options: &[(&str, &str)], left_out: &[&str]) -> Vec<String> {
    names
        .filter(|name| !left_out.contains(name))
        .map(|name| match options.iter().find(|(kind, _)| *kind == name) {
            Some((_, options)) => format!("{{ kind = '{name}', {options} }}"),
            None => format!("'{name}'"),
        })
        .collect()
}

#[test]
fn every_layer_trains() {
    let registry = Registry::new();
    // Those that need samples of another kind are trained below.
    let images = [
        "conv1d",
        "conv-transpose1d",
        "lstm",
        "gru",
        "rnn",
        "last-step",
        "transformer",
        "positions",
        "lenet",
        "vit",
        "resnet",
        "maxout",
        "glu",
        "residual",
        "repeat",
        "reshape",
        "mlp",
        "conv-net",
    ];
    let options = [
        ("linear", "units = 3"),
        ("conv2d", "channels = 2, kernel = 3, stride = 2, padding = 1, dilation = 1, groups = 1"),
        ("conv-transpose2d", "channels = 2, kernel = 3, stride = 2, output-padding = 1"),
        ("separable-conv2d", "channels = 2, kernel = 3, padding = 'same'"),
        ("dropout", "rate = 0.5"),
        ("spatial-dropout", "rate = 0.5"),
        ("alpha-dropout", "rate = 0.5"),
        ("gaussian-dropout", "rate = 0.5"),
        ("stochastic-depth", "rate = 0.5"),
        ("drop-block", "rate = 0.1, size = 3"),
        ("gaussian-noise", "deviation = 0.5"),
        ("max-pool", "kernel = 2, ceil = true"),
        ("avg-pool", "kernel = [2, 2], stride = 1"),
        ("adaptive-avg-pool", "size = 3"),
        ("adaptive-max-pool", "size = [3, 2]"),
        ("upsample", "factor = 2, bilinear = true"),
        ("squeeze-excite", "reduction = 1"),
    ];
    for layer in told(registry.layers.names(), &options, &images) {
        trains(&with(IMAGES, &format!("{layer}, 'flatten', 'linear'"), ""));
    }
    let reshape = "{ kind = 'reshape', shape = [8, 8] }";
    for layer in [
        "{ kind = 'conv1d', channels = 2, kernel = 3 }",
        "{ kind = 'conv-transpose1d', channels = 2, kernel = 3 }",
        "{ kind = 'max-pool', kernel = 2 }",
        "{ kind = 'lstm', units = 3 }, 'last-step'",
        "{ kind = 'gru', units = 3, bidirectional = true }",
        "{ kind = 'rnn', units = 3, init = 'orthogonal' }",
        "'positions', { kind = 'transformer', heads = 2, causal = true }",
        "{ kind = 'positions', sinusoidal = true }",
        "'flatten', { kind = 'maxout', pieces = 2 }, { kind = 'glu', gate = 'silu' }",
        "{ kind = 'residual', layers = ['relu'], shortcut = [{ kind = 'linear', units = 8 }] }",
    ] {
        trains(&with(IMAGES, &format!("{reshape}, {layer}, 'flatten', 'linear'"), ""));
    }
    for network in [
        "{ kind = 'mlp', hidden = [5], activation = 'sigmoid', dropout = 0.1 }",
        "{ kind = 'conv-net', channels = [2, 3], hidden = 4 }",
        "{ kind = 'resnet', layers = 8, projected = true, zero-gain = true }",
        "{ kind = 'vit', patch = 4, width = 6, heads = 2, depth = 1 }",
    ] {
        let text = with(IMAGES, "", "").replace("layers = []", &format!("network = {network}"));
        trains(&text);
    }
    trains(&with(IMAGES, "{ kind = 'upsample', factor = 4 }, 'lenet'", ""));
}

#[test]
fn every_activation_and_initializer_trains() {
    let registry = Registry::new();
    for activation in told(registry.activations.names(), &[], &[]) {
        trains(&with(MOONS, &format!("{{ kind = 'linear', units = 3, activation = {activation} }}, 'linear'"), ""));
    }
    let options = [("constant", "value = 0.1"), ("uniform", "low = -0.05, high = 0.05"), ("sparse", "inputs = 1")];
    for init in told(registry.initializers.names(), &options, &["delta-orthogonal"]) {
        let layers = format!("{{ kind = 'linear', units = 3, init = {init} }}, 'linear'");
        trains(&with(MOONS, &layers, "bias-init = { kind = 'constant', value = 0.1 }"));
    }
    let layers = "{ kind = 'conv2d', channels = 2, kernel = 3, init = 'delta-orthogonal' }, 'flatten', 'linear'";
    trains(&with(IMAGES, layers, ""));
}

#[test]
fn every_loss_and_metric_trains() {
    let registry = Registry::new();
    for loss in told(registry.losses.names(), &[], &["kl-divergence", "probability-cross-entropy", "probability-bce"]) {
        trains(&with(MOONS, "'linear'", &format!("loss = {loss}")));
    }
    for (output, loss) in [
        ("log-softmax", "kl-divergence"),
        ("softmax", "probability-cross-entropy"),
        ("sigmoid", "probability-bce"),
        // Bad ones, which the tool must be able to say.
        ("softmax", "cross-entropy"),
        ("relu", "probability-cross-entropy"),
        ("exponential", "mean-squared-error"),
    ] {
        trains(&with(MOONS, "'linear'", &format!("output = '{output}'\nloss = '{loss}'")));
    }
    for loss in ["bce-with-logits", "binary-focal", "hinge", "mean-squared-error"] {
        trains(&with(MOONS, "{ kind = 'linear', units = 1 }", &format!("loss = '{loss}'")));
    }
    let numbers = ["r2", "mean-absolute-error", "mean-squared-error", "root-mean-squared-error"];
    let classes = told(registry.metrics.names(), &[("top-k", "k = 2")], &numbers).join(", ");
    trains(&format!("{}metrics = [{classes}]\n", with(MOONS, "'linear'", "")));
    let labels = "{ kind = 'multi-label', samples = 40, features = 5, labels = 3 }";
    let numbers = format!("{numbers:?}").replace('"', "'");
    trains(&format!("{}metrics = {numbers}\n", with(labels, "'linear'", "")));
    trains(&with(labels, "'linear'", "loss = 'bce-with-logits'"));
}

#[test]
fn every_rule_and_schedule_trains() {
    let registry = Registry::new();
    for rule in told(registry.rules.names(), &[], &[]) {
        trains(&with(MOONS, "'linear'", &format!("[optimizer]\nrule = {rule}")));
    }
    let options = [
        ("step", "epochs = 1"),
        ("multi-step", "epochs = [1, 2]"),
        ("exponential", "factor = 0.9"),
        ("cosine-restarts", "epochs = 1"),
        ("cyclic", "epochs = 1, low = 1e-5"),
        ("inverse-time", "decay = 0.1"),
    ];
    for schedule in told(registry.schedules.names(), &options, &[]) {
        trains(&with(MOONS, "'linear'", &format!("[optimizer]\nschedule = {schedule}")));
    }
    for more in [
        "clip = { norm = 1.0 }",
        "clip = { value = 1.0 }",
        "clip = { unit = 0.1 }",
        "accumulate = 2",
        "sam = { adaptive = true }",
        "lookahead = {}",
        "noise = { eta = 0.1 }",
        "average = { after = 1, every = 2 }",
        "layer-decay = 0.9\nwarmup = 5",
    ] {
        trains(&with(MOONS, "'linear', 'linear'", &format!("[optimizer]\n{more}")));
    }
    for penalty in [
        "'l1', strength = 0.1",
        "'elastic-net', l1 = 0.1, l2 = 0.1",
        "'group-lasso', strength = 0.1",
        "'orthogonality', strength = 1",
    ] {
        trains(&with(MOONS, "'linear'", &format!("[regularize]\npenalties = [{{ kind = {penalty} }}]")));
    }
}

#[test]
fn every_source_and_transform_trains() {
    for source in [
        "{ kind = 'circles', samples = 40, noise = 0.1 }",
        "{ kind = 'spirals', samples = 40, classes = 3 }",
        "{ kind = 'blobs', samples = 40, features = 4, seed = 2 }",
    ] {
        trains(&with(source, "'linear'", ""));
    }
    let registry = Registry::new();
    let options = [
        ("multiply", "by = 2.0"),
        ("polynomial", "degree = 2"),
        ("fourier", "n = 3"),
        ("positional-encoding", "octaves = 2"),
        ("radial-basis", "n = 5"),
    ];
    for transform in told(registry.transforms.names(), &options, &["coordinates"]) {
        trains(&with(&format!("{MOONS}\nfeatures = [{transform}]\nscale = ['standard', 'standard']"), "'linear'", ""));
    }
    trains(&with("'digits'\nfeatures = ['coordinates']\nscale = ['standard']", "'flatten', 'linear'", ""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.npz");
    let x = ndarray::ArrayD::from_shape_fn(vec![20, 3], |at| (at[0] * at[1]) as f32);
    let y = ndarray::ArrayD::from_shape_fn(vec![20], |at| (at[0] % 2) as f32);
    gradwise_data::write_npz(&file, &[("x", &*x), ("y", &*y), ("z", &*x)]).unwrap();
    for more in ["", "task = 'number'", "targets = 'z'", "targets = 'z', test-inputs = 'x', test-targets = 'z'"] {
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        trains(&with(&format!("{{ kind = 'npz', file = '{}'{more} }}", file.display()), "'linear'", ""));
    }
}

/// The recipe, trained: what is measured on its test part, by name.
fn tested(text: &str) -> Vec<(String, f64)> {
    let mut run = text.parse::<Recipe>().unwrap().build(&Registry::new()).unwrap();
    run.train(&mut []).unwrap().test.unwrap().metrics
}

#[test]
fn one_output_is_cut_where_its_loss_has_the_middle() {
    for (last, loss) in [
        ("{ kind = 'linear', units = 1, activation = 'sigmoid' }", "probability-bce"),
        ("{ kind = 'linear', units = 1 }", "mean-squared-error"),
        ("{ kind = 'linear', units = 1 }", "bce-with-logits"),
    ] {
        let text = format!(
            "[data]
            source = {{ kind = 'blobs', classes = 2, samples = 200, std = 0.3 }}
            split = {{ test = 0.5 }}
            [model]
            layers = [{{ kind = 'linear', units = 8, activation = 'relu' }}, {last}]
            loss = '{loss}'
            [optimizer]
            rule = 'adam'
            rate = 0.03
            [train]
            epochs = 30
            batch = 20
            threads = 1\n"
        );
        let measured = tested(&text);
        let (_, accuracy) = measured.iter().find(|(name, _)| name.contains("accuracy")).unwrap();
        assert!(*accuracy > 0.95, "{loss}: {measured:?}");
    }
}

#[test]
fn schedules_end_with_training_whatever_is_accumulated() {
    use gradwise_core::{Event, Observer, Stop};
    for accumulate in [1, 4] {
        let text = format!(
            "data.source = {{ kind = 'moons', samples = 64 }}
            model.layers = ['linear']
            optimizer = {{ rule = 'sgd', rate = 1.0, schedule = 'cosine', accumulate = {accumulate} }}
            train = {{ epochs = 5, batch = 8, threads = 1 }}\n"
        );
        let mut run = text.parse::<Recipe>().unwrap().build(&Registry::new()).unwrap();
        let mut last = f64::NAN;
        let mut observer = |event: &Event<'_, f32>| -> std::ops::ControlFlow<Stop> {
            if let Event::Step { learning_rate, .. } = event {
                last = *learning_rate;
            }
            std::ops::ControlFlow::Continue(())
        };
        run.train(&mut [&mut observer as &mut dyn Observer<f32>]).unwrap();
        assert!(last < 0.05, "{accumulate}: {last}");
    }
}
