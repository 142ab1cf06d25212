//! What layers do beyond their gradients: shapes, first weights, running statistics, modes, names, refusals.

use gradwise_layers::*;
use ndarray::{Array, ArrayD, Axis, IxDyn};

fn input<T: Real>(shape: &[usize]) -> ArrayD<T> {
    Uniform::new(-1.0, 1.0).unwrap().array(shape, Key::new(9)).unwrap()
}

/// The output of a layer, and the buffers it updates, applied.
fn run<T: Real, M: Module<T>>(layer: &mut M, x: &ArrayD<T>, mode: Mode) -> Result<ArrayD<T>> {
    let mut workspace = Workspace::new();
    let mut updates = Updates::default();
    let y = {
        let mut tape = Tape::new(&mut workspace, mode);
        tape.watch(layer);
        let x = tape.input(x);
        let y = layer.forward(&mut tape, x)?;
        tape.take_updates(&mut updates);
        tape.value(y).to_owned()
    };
    updates.apply(layer);
    Ok(y)
}

#[track_caller]
fn close<T: Real>(a: &ArrayD<T>, b: &ArrayD<T>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a.as_f64(), b.as_f64());
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} is not {b}");
    }
}

#[track_caller]
fn out_shape<K>(layer: impl Build<f32, K>, shape: &[usize], expected: &[usize]) {
    let mut layer = layer.build(Key::new(1)).unwrap();
    for mode in [Mode::train(0, 0), Mode::evaluate()] {
        assert_eq!(run(&mut layer, &input(shape), mode).unwrap().shape(), expected);
    }
}

#[test]
fn shapes() {
    out_shape(Linear::config(3, 5), &[2, 3], &[2, 5]);
    out_shape(Linear::config(3, 5), &[2, 7, 3], &[2, 7, 5]);
    out_shape(Linear::config(3, 5), &[0, 3], &[0, 5]);
    out_shape(Conv2d::config(1, 4, 3), &[2, 1, 8, 8], &[2, 4, 6, 6]);
    out_shape(Conv2d::config(4, 8, 3).stride(2).padding(1).groups(4), &[2, 4, 7, 8], &[2, 8, 4, 4]);
    out_shape(Conv2d::config(1, 1, 3).dilation(2), &[1, 1, 8, 8], &[1, 1, 4, 4]);
    out_shape(Conv1d::config(2, 4, 3).padding(1), &[2, 2, 9], &[2, 4, 9]);
    out_shape(ConvTranspose2d::config(3, 2, 4).stride(2).padding(1), &[1, 3, 5, 5], &[1, 2, 10, 10]);
    out_shape(BatchNorm1d::new(3).unwrap(), &[4, 3], &[4, 3]);
    out_shape(BatchNorm1d::new(3).unwrap(), &[4, 3, 2], &[4, 3, 2]);
    out_shape(BatchNorm2d::new(3).unwrap(), &[1, 3, 2, 2], &[1, 3, 2, 2]);
    out_shape(LayerNorm::new(&[3]).unwrap(), &[4, 3], &[4, 3]);
    out_shape(MaxPool2d::new(2).unwrap(), &[1, 2, 5, 4], &[1, 2, 2, 2]);
    out_shape(MaxPool2d::new(2).unwrap().ceil_mode(), &[1, 2, 5, 4], &[1, 2, 3, 2]);
    out_shape(MaxPool1d::new(2).unwrap(), &[1, 2, 5], &[1, 2, 2]);
    out_shape(AvgPool1d::new(2).unwrap().ceil_mode(), &[1, 2, 5], &[1, 2, 3]);
    out_shape(GlobalAvgPool2d, &[2, 3, 4, 5], &[2, 3]);
    out_shape(AdaptiveAvgPool2d::new(2).unwrap(), &[2, 3, 4, 5], &[2, 3, 2, 2]);
    out_shape(Flatten, &[2, 3, 4], &[2, 12]);
    out_shape(Flatten, &[0, 3, 4], &[0, 12]);
    out_shape(Flatten, &[3], &[3, 1]);
    out_shape(Reshape::new(&[3, 4]), &[2, 12], &[2, 3, 4]);
    out_shape(Chain::new(), &[2, 3], &[2, 3]);
}

#[test]
fn parameters_of_the_models() {
    let mlp: Chain<f32> = models::mlp(&[784, 256, 10], Key::new(0)).unwrap();
    assert_eq!(mlp.n_trainable(), 203_530);
    assert_eq!(mlp.paths(), ["hidden0.weight", "hidden0.bias", "head.weight", "head.bias"]);
    let net: Chain<f32> = models::ConvNetConfig::new([1, 28, 28], 10).build(Key::new(0)).unwrap();
    assert_eq!(net.n_trainable(), 98_554);
    // 3 kernels, 3 batch norms of four arrays, 2 linear layers of two.
    assert_eq!(net.n_params(), 3 + 12 + 4);
    let small: Chain<f64> = models::ConvNetConfig::new([1, 8, 8], 10).build(Key::new(0)).unwrap();
    assert_eq!(small.n_trainable(), 98_554 - 8 * 64 * 128);
    let logits = predict(&small, &input(&[2, 1, 8, 8]), &mut Workspace::new()).unwrap();
    assert_eq!(logits.shape(), &[2, 10]);
}

#[test]
fn first_weights_keep_the_variance_and_biases_are_zero() {
    let std = |p: &Param<f64>| (p.value.mapv(|x| x * x).mean().unwrap()).sqrt();
    for (activation, gain) in
        [(Activation::Identity, 1.0), (Activation::Relu, 2f64.sqrt()), (Activation::Tanh, 5.0 / 3.0)]
    {
        let layer: Linear<f64> = Linear::config(100, 200).activation(activation).build(Key::new(1)).unwrap();
        assert!((std(layer.weight()) * 10.0 / gain - 1.0).abs() < 0.02, "{activation:?}");
        assert!(layer.bias().unwrap().value.iter().all(|&b| b == 0.0));
    }
    let grouped: Conv2d<f64> = Conv2d::config(64, 64, 3).groups(4).build(Key::new(1)).unwrap();
    assert_eq!(grouped.weight().value.shape(), &[64, 16, 3, 3]);
    assert!((std(grouped.weight()) * 12.0 - 1.0).abs() < 0.02);
    let transposed: ConvTranspose2d<f64> = ConvTranspose2d::config(64, 16, 3).build(Key::new(1)).unwrap();
    assert_eq!(transposed.weight().value.shape(), &[64, 16, 3, 3]);
    assert!((std(transposed.weight()) * 24.0 - 1.0).abs() < 0.02);
    let he: Linear<f64> = Linear::config(50, 400)
        .init(HeNormal::new())
        .bias_init(Constant::new(0.5).unwrap())
        .build(Key::new(1))
        .unwrap();
    assert!((std(he.weight()) * 5.0 - 1.0).abs() < 0.03);
    assert_eq!(he.bias().unwrap().value.sum(), 200.0);
}

#[test]
fn keys_decide_the_first_weights() {
    let build = |seed| {
        Chain::<f32>::seeded(Key::new(seed)).then(Linear::config(3, 3)).then(Linear::config(3, 3)).build().unwrap()
    };
    let values = |chain: &Chain<f32>| {
        let mut values = Vec::new();
        chain.visit(|_, p| values.push(p.value.clone()));
        values
    };
    let (a, b, c) = (values(&build(1)), values(&build(1)), values(&build(2)));
    assert_eq!(a, b);
    assert_ne!(a[0], c[0]);
    assert_ne!(a[0], a[2], "two layers of one shape begin differently");
    // Another layer at the end leaves those before it as they were.
    let longer = build(1).with(Relu).with(Linear::new(3, 1, Key::new(8)).unwrap());
    assert_eq!(values(&longer)[..4], a[..]);
    // f32 is f64, rounded.
    let double: Linear<f64> = Linear::new(3, 3, Key::new(1)).unwrap();
    let single: Linear<f32> = Linear::new(3, 3, Key::new(1)).unwrap();
    assert_eq!(double.weight().value.mapv(|x| x as f32), single.weight().value);
}

fn running_statistics<T: Real>(tolerance: f64) {
    let mut norm = BatchNorm2d::<T>::new(2).unwrap().with_momentum(0.25).unwrap();
    let x = input::<T>(&[4, 2, 3, 3]).mapv(|x| T::of(3.0) * x + T::of(1.0));
    let per_channel = |f: &dyn Fn(&[f64]) -> f64| {
        let values = |c| x.index_axis(Axis(1), c).iter().map(|x| x.as_f64()).collect::<Vec<_>>();
        Array::from_iter([0, 1].map(|c| T::of(f(&values(c))))).into_dyn()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let square = |v: &[f64]| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>();
    let buffers = |norm: &BatchNorm2d<T>| {
        let mut buffers = Vec::new();
        norm.visit(|path, p| {
            if p.kind == gradwise_layers::core::Kind::Buffer {
                buffers.push((path.to_string(), p.value.clone()));
            }
        });
        assert_eq!((buffers[0].0.as_str(), buffers[1].0.as_str()), ("running_mean", "running_var"));
        (buffers[0].1.clone(), buffers[1].1.clone())
    };

    // The output is normalized by the batch's own statistics.
    let y = run(&mut norm, &x, Mode::train(0, 0)).unwrap();
    let sums = y.sum_axis(Axis(3)).sum_axis(Axis(2)).sum_axis(Axis(0));
    close(&sums, &ArrayD::zeros(IxDyn(&[2])), 18.0 * tolerance);
    // One step: a quarter of the batch's mean and unbiased variance (of 36 values), three quarters of 0 and 1.
    close(&buffers(&norm).0, &per_channel(&|v| 0.25 * mean(v)), tolerance);
    close(&buffers(&norm).1, &per_channel(&|v| 0.75 + 0.25 * square(v) / 35.0), tolerance);
    // Two steps.
    run(&mut norm, &x, Mode::train(0, 1)).unwrap();
    close(&buffers(&norm).0, &per_channel(&|v| (0.25 + 0.75 * 0.25) * mean(v)), tolerance);

    // Evaluation uses them, and changes nothing.
    let (mean, var) = buffers(&norm);
    let y = run(&mut norm, &x, Mode::evaluate()).unwrap();
    assert_eq!(buffers(&norm), (mean.clone(), var.clone()));
    let expected = ArrayD::from_shape_fn(x.raw_dim(), |i| (x[&i] - mean[i[1]]) / (var[i[1]] + T::of(1e-5)).sqrt());
    close(&y, &expected, tolerance);
    // A sample's result does not depend on the others.
    let alone = run(&mut norm, &x.slice_axis(Axis(0), (1..2).into()).to_owned(), Mode::evaluate()).unwrap();
    close(&alone, &y.slice_axis(Axis(0), (1..2).into()).to_owned(), tolerance);

    // One value a channel has no variance; in evaluation it is as good as many.
    let before = buffers(&norm);
    let error = run(&mut norm, &input(&[1, 2, 1, 1]), Mode::train(0, 0)).unwrap_err();
    assert!(error.to_string().contains("more than one value a channel"), "{error}");
    run(&mut norm, &input(&[1, 2, 1, 1]), Mode::evaluate()).unwrap();
    assert_eq!(buffers(&norm), before);
}

#[test]
fn running_statistics_follow_the_formula() {
    running_statistics::<f64>(1e-12);
    running_statistics::<f32>(2e-6);
}

#[test]
fn a_batch_norm_that_runs_twice_in_a_step_continues_from_itself() {
    let mut norm = BatchNorm1d::<f64>::new(1).unwrap().with_momentum(0.5).unwrap();
    let x = ndarray::array![[1.0], [3.0]].into_dyn();
    let mut workspace = Workspace::new();
    let mut updates = Updates::default();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    tape.watch(&norm);
    let v = tape.input(&x);
    norm.forward(&mut tape, v).unwrap();
    norm.forward(&mut tape, v).unwrap();
    tape.take_updates(&mut updates);
    drop(tape);
    updates.apply(&mut norm);
    norm.visit(|path, p| {
        if path.to_string() == "running_mean" {
            assert_eq!(p.value.sum(), 1.5);
        }
    });
}

#[test]
fn fused_activations_equal_layers_of_their_own() {
    fn body<T: Real>(tolerance: f64) {
        let x = input::<T>(&[3, 2, 5, 5]);
        let build = |activation| {
            Conv2d::config(2, 3, 3).activation(activation).init(HeNormal::new()).build(Key::new(4)).unwrap()
        };
        let mut fused: Conv2d<T> = build(Activation::Relu);
        let mut apart = Chain::new().with(build(Activation::Identity)).with(Relu);
        let mode = Mode::train(0, 0);
        close(&run(&mut fused, &x, mode).unwrap(), &run(&mut apart, &x, mode).unwrap(), tolerance);
        let mut fused = BatchNorm2d::<T>::new(2).unwrap().with_relu();
        let mut apart = Chain::new().with(BatchNorm2d::<T>::new(2).unwrap()).with(Relu);
        for mode in [mode, Mode::evaluate()] {
            close(&run(&mut fused, &x, mode).unwrap(), &run(&mut apart, &x, mode).unwrap(), tolerance);
        }
    }
    body::<f64>(1e-12);
    body::<f32>(1e-5);
}

#[test]
fn dropout_drops_in_training_only() {
    let x = ArrayD::<f64>::ones(IxDyn(&[50, 40]));
    let mut dropout = Dropout::new(0.25).unwrap();
    let y = run(&mut dropout, &x, Mode::train(1, 0)).unwrap();
    let dropped = y.iter().filter(|&&y| y == 0.0).count();
    // 2000 draws: standard error about 19.
    assert!((dropped as f64 - 500.0).abs() < 100.0, "{dropped}");
    assert!(y.iter().all(|&y| y == 0.0 || (y - 4.0 / 3.0).abs() < 1e-4));
    assert_eq!(y, run(&mut dropout, &x, Mode::train(1, 0)).unwrap());
    assert_ne!(y, run(&mut dropout, &x, Mode::train(1, 1)).unwrap());
    assert_eq!(run(&mut dropout, &x, Mode::evaluate()).unwrap(), x);
    // Two dropouts of one net drop different elements.
    let mut two = Chain::new().with(dropout).with(dropout);
    let both = run(&mut two, &x, Mode::train(1, 0)).unwrap().iter().filter(|&&y| y == 0.0).count();
    assert!((both as f64 - 875.0).abs() < 120.0, "{both}");
}

#[track_caller]
fn refused<X>(result: Result<X>, message: &str) {
    match result {
        Ok(_) => panic!("accepted, instead of: {message}"),
        Err(error) => assert_eq!(error.to_string(), message),
    }
}

#[test]
fn options_out_of_range_are_refused_in_words() {
    let key = Key::new(0);
    refused(Linear::<f32>::new(0, 1, key), "linear: inputs: expected at least 1, got 0");
    refused(Linear::<f32>::new(1, 0, key), "linear: outputs: expected at least 1, got 0");
    refused(Dropout::new(1.5), "dropout: rate: expected a number in [0, 1), got 1.5");
    refused(Dropout::new(f64::NAN), "dropout: rate: expected a number in [0, 1), got NaN");
    refused(BatchNorm2d::<f32>::new(0), "batch_norm: channels: expected at least 1, got 0");
    refused(
        BatchNorm2d::<f32>::new(1).unwrap().with_momentum(1.5),
        "batch_norm: momentum: expected a number in [0, 1], got 1.5",
    );
    refused(
        BatchNorm2d::<f32>::new(1).unwrap().with_epsilon(0.0),
        "batch_norm: epsilon: expected a positive number, got 0",
    );
    refused(LayerNorm::<f32>::new(&[]), "layer_norm: shape: expected at least one axis, each of at least 1, got []");
    refused(
        RmsNorm::<f32>::new(&[3, 0]),
        "rms_norm: shape: expected at least one axis, each of at least 1, got [3, 0]",
    );
    refused(GroupNorm::<f32>::new(3, 4), "group_norm: groups: expected a divisor of the 4 channels, got 3");
    refused(Conv2d::<f32>::config(0, 1, 3).build(key), "conv2d: inputs: expected at least 1, got 0");
    refused(
        Conv2d::<f32>::config(3, 4, 3).groups(2).build(key),
        "conv2d: groups: expected a divisor of 3 inputs and 4 outputs, got 2",
    );
    refused(models::mlp::<f32>(&[3], key), "mlp: sizes: expected at least those of inputs and outputs, got [3]");
    refused(models::mlp::<f32>(&[3, 0, 2], key), "hidden0: linear: outputs: expected at least 1, got 0");
    let nested = Chain::<f32>::seeded(key).named("body", models::MlpConfig::new(&[3, 0, 2])).build();
    refused(nested, "body.hidden0: linear: outputs: expected at least 1, got 0");
    let conv = models::ConvNetConfig::new([1, 7, 28], 10);
    refused::<Chain<f32>>(conv.build(key), "conv_net: input: expected an image that can be halved 3 times, got 7 x 28");
    let weight = Param::new(ndarray::arr2(&[[1.0_f32, 2.0]]));
    let bias = Param::new(ndarray::arr1(&[1.0_f32, 2.0]));
    refused(
        Linear::from_params(weight, Some(bias), Activation::Identity),
        "linear: expected a bias of shape [1], got shape [2]",
    );
    refused(
        Chain::<f32>::new().with_named("a.b", Relu),
        "chain: name of a layer: expected a name of its own, without dots and not beginning with a digit, got \"a.b\"",
    );
    refused(
        Chain::<f32>::new().with_named("0", Relu).map(drop),
        "chain: name of a layer: expected a name of its own, without dots and not beginning with a digit, got \"0\"",
    );
    assert!(Chain::<f32>::seeded(key).named("a", Relu).named("a", Relu).build().is_err());
}

#[derive(Params)]
struct Block<T> {
    inner: Linear<T>,
    norm: Option<BatchNorm1d<T>>,
}

impl<T: Real> Module<T> for Block<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let y = self.inner.forward(tape, x)?;
        match &self.norm {
            Some(norm) => norm.forward(tape, y),
            None => Ok(y),
        }
    }
}

#[derive(Params)]
struct Net<T: Real> {
    blocks: Vec<Block<T>>,
    head: Chain<T>,
    scale: Param<T>,
    width: usize,
}

impl<T: Real> Module<T> for Net<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let y = self.blocks.iter().try_fold(x, |x, block| block.forward(tape, x))?;
        let y = tape.scope("head", |tape| self.head.forward(tape, y))?;
        let scale = tape.param(&self.scale);
        tape.mul(y, scale)
    }
}

fn net<T: Real>() -> Net<T> {
    let key = Key::new(3);
    let block = |i: u64, norm| Block { inner: Linear::new(4, 4, key.with(i)).unwrap(), norm };
    Net {
        blocks: vec![block(0, None), block(1, Some(BatchNorm1d::new(4).unwrap()))],
        head: Chain::seeded(key).then(Tanh).then(Linear::config(4, 2)).build().unwrap(),
        scale: Param::new(ndarray::arr1(&[T::one(), T::of(2.0)])),
        width: 4,
    }
}

#[test]
fn custom_layers_nest() {
    let mut net = net::<f64>();
    assert_eq!(net.width, 4);
    let paths = net.paths();
    assert_eq!(paths[..3], ["blocks.0.inner.weight", "blocks.0.inner.bias", "blocks.1.inner.weight"]);
    assert_eq!(
        paths[4..8],
        ["blocks.1.norm.weight", "blocks.1.norm.bias", "blocks.1.norm.running_mean", "blocks.1.norm.running_var"]
    );
    assert_eq!(paths[8..], ["head.1.weight", "head.1.bias", "scale"]);
    check::module(&mut net, &input(&[5, 4])).unwrap();
    let y = predict(&crate::net::<f32>(), &input(&[5, 4]), &mut Workspace::new()).unwrap();
    close(&y.mapv(f64::from), &predict(&net, &input(&[5, 4]), &mut Workspace::new()).unwrap(), 1e-5);
}

#[test]
fn errors_name_the_layer_the_operation_and_both_shapes() {
    let mut net = net::<f32>();
    refused(
        run(&mut net, &input(&[5, 3]), Mode::evaluate()),
        "blocks.0.inner: linear: expected [.., 4], got shape [5, 3]",
    );
    net.blocks[1].norm = Some(BatchNorm1d::new(3).unwrap());
    refused(
        run(&mut net, &input(&[5, 4]), Mode::train(0, 0)),
        "blocks.1.norm: batch_norm: expected [samples, channels] or [samples, channels, length] with 3 channels, got shape [5, 4]",
    );
    let mut convolutions: Chain<f32> =
        Chain::seeded(Key::new(0)).named("conv1", Conv2d::config(3, 4, 3)).build().unwrap();
    let error = run(&mut convolutions, &input(&[2, 1, 8, 8]), Mode::evaluate()).unwrap_err();
    assert_eq!(error.path(), Some("conv1"));
    assert!(error.to_string().starts_with("conv1: conv2d: expected"), "{error}");
    let mut pools =
        Chain::<f32>::new().with_named("first", Relu).unwrap().with_named("pool", MaxPool2d::new(2).unwrap()).unwrap();
    assert_eq!(run(&mut pools, &input(&[2, 1, 1, 1]), Mode::evaluate()).unwrap_err().path(), Some("pool"));
    let mut residual = Residual::new(Linear::<f32>::new(3, 1, Key::new(0)).unwrap());
    refused(
        run(&mut residual, &input(&[2, 3]), Mode::evaluate()),
        "residual: expected the shortcut's shape [2, 3] from the body, got shape [2, 1]",
    );
    refused(run(&mut Flatten, &input::<f32>(&[]), Mode::evaluate()), "flatten: expected [samples, …], got shape []");
    let mut reshape = Chain::<f32>::new().with(Reshape::new(&[5]));
    refused(
        run(&mut reshape, &input(&[2, 4]), Mode::evaluate()),
        "0: reshape: expected as many elements as [2, 5] has, got shape [2, 4]",
    );
}

#[test]
fn a_normed_residual_is_what_its_parts_are() {
    let body = || Conv2d::<f64>::config(2, 2, 3).padding(1).build(Key::new(3)).unwrap();
    let norm = || BatchNorm2d::new(2).unwrap();
    let x = input(&[3, 2, 4, 5]);
    for mode in [Mode::train(0, 0), Mode::evaluate()] {
        for relu in [false, true] {
            let mut fused = Residual::new(body()).normed(if relu { norm().with_relu() } else { norm() });
            let block = Residual::new(Chain::<f64>::new().with(body()).with(norm()));
            let parts = Chain::<f64>::new().with(block);
            let mut parts = if relu { parts.with(Relu) } else { parts };
            let (found, expected) = (run(&mut fused, &x, mode).unwrap(), run(&mut parts, &x, mode).unwrap());
            close(&found, &expected, 1e-12);
            if !mode.training {
                let n_params = fused.n_params();
                let mut folded = fused.folded();
                assert_eq!(folded.n_params(), n_params - 4, "the norm's parameters and buffers are gone");
                close(&run(&mut folded, &x, mode).unwrap(), &expected, 1e-12);
            }
        }
    }
    let narrowing = Conv2d::<f32>::config(2, 1, 3).padding(1).build(Key::new(3)).unwrap();
    let mut narrowing = Residual::new(narrowing).normed(BatchNorm2d::new(1).unwrap());
    refused(
        run(&mut narrowing, &input(&[3, 2, 4, 5]), Mode::train(0, 0)),
        "residual: expected the shortcut's shape [3, 2, 4, 5] from the body, got shape [3, 1, 4, 5]",
    );
}

#[test]
fn tape_functions_are_the_operations() {
    let (x, y) = (input::<f64>(&[2, 3]), input::<f64>(&[2, 3]).mapv(|x| x + 2.0));
    let labels = [0, 2];
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let (a, b) = (tape.input(&x), tape.input(&y));
    let equal = |v: Result<Var>, expected: ArrayD<f64>, tape: &Tape<'_, f64>| {
        close(&tape.value(v.unwrap()).to_owned(), &expected, 1e-12);
    };
    macro_rules! case {
        ($call:expr, $expected:expr) => {{
            let v = $call;
            equal(v, $expected, &tape);
        }};
    }
    case!(tape.add(a, b), &x + &y);
    case!(tape.sub(a, b), &x - &y);
    case!(tape.mul(a, b), &x * &y);
    case!(tape.div(a, b), &x / &y);
    case!(tape.maximum(a, b), y.clone());
    case!(tape.minimum(a, b), x.clone());
    case!(tape.pow(b, a), ArrayD::from_shape_fn(x.raw_dim(), |i| y[&i].powf(x[&i])));
    case!(tape.neg(a), x.mapv(|x| -x));
    case!(tape.abs(a), x.mapv(f64::abs));
    case!(tape.square(a), x.mapv(|x| x * x));
    case!(tape.sqrt(b), y.mapv(f64::sqrt));
    case!(tape.exp(a), x.mapv(f64::exp));
    case!(tape.ln(b), y.mapv(f64::ln));
    case!(tape.sin(a), x.mapv(f64::sin));
    case!(tape.cos(a), x.mapv(f64::cos));
    case!(tape.reciprocal(b), y.mapv(f64::recip));
    case!(tape.relu(a), x.mapv(|x| x.max(0.0)));
    case!(tape.leaky_relu(a, 0.1), x.mapv(|x| if x > 0.0 { x } else { 0.1 * x }));
    case!(tape.sigmoid(a), x.mapv(|x| 1.0 / (1.0 + (-x).exp())));
    case!(tape.silu(a), x.mapv(|x| x / (1.0 + (-x).exp())));
    case!(tape.tanh(a), x.mapv(f64::tanh));
    case!(tape.softplus(a), x.mapv(|x| x.exp().ln_1p()));
    case!(tape.scale(a, 3.0), x.mapv(|x| 3.0 * x));
    let penalty = x.iter().map(|x| 0.3 * x.abs() + 0.2 * x * x).sum::<f64>() / 2.0;
    case!(tape.activity_penalty(a, 0.3, 0.4), ndarray::arr0(penalty).into_dyn());
    case!(tape.add_scalar(a, 3.0), x.mapv(|x| 3.0 + x));
    case!(tape.sum(a, 0), x.sum_axis(Axis(0)));
    case!(tape.mean(a, 1), x.mean_axis(Axis(1)).unwrap());
    case!(tape.mean(a, Axes::All), ndarray::arr0(x.mean().unwrap()).into_dyn());
    case!(tape.max(a, 1), x.map_axis(Axis(1), |r| r.fold(f64::MIN, |m, &x| m.max(x))));
    case!(tape.min(a, 1), x.map_axis(Axis(1), |r| r.fold(f64::MAX, |m, &x| m.min(x))));
    case!(tape.log_sum_exp(a, 1), x.mapv(f64::exp).sum_axis(Axis(1)).mapv(f64::ln));
    case!(tape.variance(a, 1, 1), x.var_axis(Axis(1), 1.0));
    case!(tape.dropout(a, 0.5), x.clone());
    let softmax =
        ArrayD::from_shape_fn(x.raw_dim(), |i| x[&i].exp() / x.index_axis(Axis(0), i[0]).mapv(f64::exp).sum());
    case!(tape.softmax(a, 1), softmax.clone());
    case!(tape.log_softmax(a, 1), softmax.mapv(f64::ln));
    case!(tape.concat(&[a, b], 1), ndarray::concatenate![Axis(1), x, y]);
    case!(tape.stack(&[a, b], 0), ndarray::stack![Axis(0), x, y]);
    case!(tape.gather(a, 0, &labels[..1]), x.slice_axis(Axis(0), (0..1).into()).to_owned());
    let transposed = tape.transpose(b).unwrap();
    let matrix = |x: &ArrayD<f64>| x.clone().into_dimensionality::<ndarray::Ix2>().unwrap();
    let product = matrix(&x).dot(&matrix(&y).t());
    case!(tape.matmul(a, transposed), product.clone().into_dyn());
    case!(tape.linear(a, b, None, Activation::Identity), product.into_dyn());
    case!(tape.mean_squared_error(a, &y), ndarray::arr0((&x - &y).mapv(|d| d * d).mean().unwrap()).into_dyn());
    let log_softmax = |i: usize, c: usize| x[[i, c]] - (0..3).map(|c| x[[i, c]].exp()).sum::<f64>().ln();
    case!(
        tape.softmax_cross_entropy(a, &labels),
        ndarray::arr0(-0.5 * (log_softmax(0, 0) + log_softmax(1, 2))).into_dyn()
    );
    refused(tape.leaky_relu(a, f64::NAN), "leaky_relu: slope: expected a finite number, got NaN");
}

/// All parts together: gradients reach every parameter, running statistics are applied, and evaluation agrees with training.
#[test]
fn a_model_learns_a_batch_by_heart() {
    let (x, labels) = (input::<f32>(&[12, 1, 8, 8]), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    let config = models::ConvNetConfig::new([1, 8, 8], 3).channels(&[6, 8]).hidden(16).dropout(0.0);
    let mut model: Chain<f32> = config.build(Key::new(1)).unwrap();
    let (mut workspace, mut grads, mut updates) = (Workspace::new(), Grads::new(), Updates::new());
    for step in 0..150 {
        let mut tape = Tape::new(&mut workspace, Mode::train(0, step));
        tape.watch(&model);
        let x = tape.input(&x);
        let logits = model.forward(&mut tape, x).unwrap();
        let loss = tape.softmax_cross_entropy(logits, &labels).unwrap();
        tape.backward(loss).unwrap();
        tape.take_grads(&mut grads).unwrap();
        tape.take_updates(&mut updates);
        drop(tape);
        assert_eq!(grads.unreached().count(), 0);
        let mut i = 0;
        model.visit_mut(|_, p| {
            if let Some(grad) = grads.get(i) {
                p.value.scaled_add(-0.1, grad);
            }
            i += 1;
        });
        updates.apply(&mut model);
    }
    let logits = predict(&model, &x, &mut Workspace::new()).unwrap();
    for (row, &label) in logits.outer_iter().zip(&labels) {
        assert!((0..3).all(|c| c == label || row[c] + 1.0 < row[label]), "{row} for {label}");
    }
}

#[test]
fn parameters_of_known_networks() {
    use models::{LeNetConfig, ResNetConfig, VitConfig};
    let count = |model: Chain<f32>| model.n_trainable();
    assert_eq!(count(LeNetConfig::new(10).build(Key::new(0)).unwrap()), 61_706);
    for (blocks, parameters) in [(3, 269_722), (5, 464_154), (9, 853_018)] {
        assert_eq!(count(ResNetConfig::small(blocks, 10).build(Key::new(0)).unwrap()), parameters);
    }
    assert_eq!(count(ResNetConfig::resnet18(1000).build(Key::new(0)).unwrap()), 11_689_512);
    assert_eq!(count(ResNetConfig::small(3, 10).projected().build(Key::new(0)).unwrap()), 272_474);
    assert_eq!(VitConfig::tiny(1000).build::<f32>(Key::new(0)).unwrap().n_trainable(), 5_717_416);
}

#[test]
fn known_networks_run() {
    use models::{LeNetConfig, ResNetConfig, VitConfig};
    out_shape(LeNetConfig::new(7), &[2, 1, 28, 28], &[2, 7]);
    out_shape(LeNetConfig::new(7).without_padding().channels(3), &[1, 3, 32, 32], &[1, 7]);
    out_shape(ResNetConfig::small(1, 5), &[2, 3, 8, 8], &[2, 5]);
    out_shape(ResNetConfig::small(1, 5).projected().stochastic_depth(0.3).zero_gain(), &[2, 3, 9, 8], &[2, 5]);
    out_shape(ResNetConfig::small(1, 5).stochastic_depth(0.3).channels(1), &[2, 1, 8, 8], &[2, 5]);
    let vit = VitConfig::new([2, 8, 8], 4, 3).width(8, 2).depth(2).dropout(0.1).stochastic_depth(0.2);
    out_shape(vit, &[2, 2, 8, 8], &[2, 3]);
    assert!(VitConfig::new([2, 8, 8], 3, 3).build::<f32>(Key::new(0)).is_err());
    assert!(ResNetConfig::small(0, 5).build::<f32>(Key::new(0)).is_err());
    assert!(LeNetConfig::new(0).build::<f32>(Key::new(0)).is_err());
}

/// Where a stage begins, a convolution has half as many inputs as outputs, so the two ways to count differ.
#[test]
fn weights_of_residual_networks_begin_by_the_outputs() {
    let model: Chain<f64> = models::ResNetConfig::small(1, 10).build(Key::new(0)).unwrap();
    let mut n = 0;
    model.visit(|path, p| {
        if path.to_string().starts_with("stage3_block1") && path.to_string().contains("conv1.weight") {
            let variance = p.value.mapv(|w| w * w).mean().unwrap();
            assert!((variance * 64.0 * 9.0 / 2.0 - 1.0).abs() < 0.05, "{variance}");
            n += 1;
        }
    });
    assert_eq!(n, 1, "{:?}", model.paths());
}

/// A block whose body is left out, and one that begins with a gain of 0, are the identity on what is positive.
#[test]
fn a_block_without_its_body_is_its_shortcut() {
    let x = input::<f32>(&[2, 8]).mapv(f32::abs);
    let body = Linear::<f32>::new(8, 8, Key::new(1)).unwrap();
    let mut block = Residual::new(body).normed(BatchNorm1d::new(8).unwrap().zero_weight().with_relu());
    close(&run(&mut block, &x, Mode::train(0, 0)).unwrap(), &x, 1e-7);
}

#[test]
fn a_bidirectional_layer_reads_from_both_ends() {
    let [ahead, back] = [1, 2].map(|seed| Gru::<f64>::new(3, 2, Key::new(seed)).unwrap());
    let x = input::<f64>(&[2, 5, 3]);
    let reversed = |x: &ArrayD<f64>| {
        let mut x = x.clone();
        x.invert_axis(Axis(1));
        x.as_standard_layout().into_owned()
    };
    let y = predict(&Bidirectional::new(ahead.clone(), back.clone()), &x, &mut Workspace::new()).unwrap();
    let first = predict(&ahead, &x, &mut Workspace::new()).unwrap();
    let second = reversed(&predict(&back, &reversed(&x), &mut Workspace::new()).unwrap());
    let joined = ndarray::concatenate(Axis(2), &[first.view(), second.view()]).unwrap();
    close(&y, &joined, 1e-12);
}

#[test]
fn stacked_layers_are_layers_one_after_another() {
    let x = input::<f64>(&[2, 5, 3]);
    let mut stack = Gru::<f64>::config(3, 4).stacked(3).build(Key::new(1)).unwrap();
    assert_eq!(stack.paths().len(), 12);
    assert_eq!((&stack.paths()[0][..], &stack.paths()[11][..]), ("0.input_weight", "2.hidden_bias"));
    let chain: Chain<f64> = stack.layers().iter().cloned().fold(Chain::new(), |chain, layer| chain.with(layer));
    assert_eq!(
        predict(&stack, &x, &mut Workspace::new()).unwrap(),
        predict(&chain, &x, &mut Workspace::new()).unwrap()
    );
    assert_eq!(run(&mut stack, &x, Mode::train(0, 0)).unwrap(), predict(&stack, &x, &mut Workspace::new()).unwrap());
    // Dropout is between layers: one alone has none, and two differ from step to step in training.
    let build = |layers| Lstm::<f64>::config(3, 4).stacked(layers).dropout(0.5).build(Key::new(1)).unwrap();
    let (mut one, mut two) = (build(1), build(2));
    assert_eq!(run(&mut one, &x, Mode::train(0, 0)).unwrap(), run(&mut one, &x, Mode::train(0, 1)).unwrap());
    assert_ne!(run(&mut two, &x, Mode::train(0, 0)).unwrap(), run(&mut two, &x, Mode::train(0, 1)).unwrap());
    refused(
        Gru::<f64>::config(3, 4).stacked(0).build(Key::new(1)),
        "recurrent stack: layers: expected at least 1, got 0",
    );
    refused(
        Gru::<f64>::config(3, 4).stacked(2).dropout(1.0).build(Key::new(1)),
        "dropout: rate: expected a number in [0, 1), got 1",
    );
}

#[test]
fn a_penalty_on_activations_is_handed_to_the_loss_in_training() {
    let x = ndarray::arr2(&[[1.0, -2.0], [0.0, 3.0]]).into_dyn();
    let layer = ActivityPenalty::new(0.5, 0.1).unwrap();
    let emitted = |mode: Mode| {
        let mut workspace = Workspace::<f64>::new();
        let mut tape = Tape::new(&mut workspace, mode);
        let input = tape.input(&x);
        assert_eq!(layer.forward(&mut tape, input).unwrap(), input);
        let losses = tape.take_losses();
        losses.iter().map(|&loss| tape.value(loss).sum()).collect::<Vec<_>>()
    };
    assert_eq!(emitted(Mode::train(0, 0)), [(0.5 * 6.0 + 0.05 * 14.0) / 2.0]);
    assert_eq!(emitted(Mode::evaluate()), [0.0; 0]);
    let told = "activity_penalty: l2 strength: expected a finite number of at least 0, got NaN";
    refused(ActivityPenalty::l2(f64::NAN), told);
    let mut workspace = Workspace::<f64>::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let input = tape.input(&x);
    assert_eq!(tape.emit_loss(input).unwrap_err().to_string(), "emit_loss: expected one number, got shape [2, 2]");
}

#[test]
fn output_biases_begin_with_what_is_known_of_the_classes() {
    let prior = PriorBias::classes(&[8.0, 1.0, 1.0]).unwrap();
    let mut head =
        Linear::<f64>::config(4, 3).init(Normal::new(0.0, 1e-9).unwrap()).bias_init(prior).build(Key::new(1)).unwrap();
    let y = run(&mut head, &input(&[2, 4]), Mode::evaluate()).unwrap();
    for (logit, share) in y.iter().zip([0.8, 0.1, 0.1, 0.8, 0.1, 0.1]) {
        assert!((logit.exp() - share).abs() < 1e-6, "{y}");
    }
    for layer in [
        run(&mut LayerNorm::<f64>::new(&[4]).unwrap().zero_weight(), &input(&[2, 4]), Mode::train(0, 0)),
        run(&mut RmsNorm::<f64>::new(&[4]).unwrap().zero_weight(), &input(&[2, 4]), Mode::train(0, 0)),
        run(&mut GroupNorm::<f64>::new(2, 4).unwrap().zero_weight(), &input(&[2, 4]), Mode::train(0, 0)),
    ] {
        assert!(layer.unwrap().iter().all(|y| *y == 0.0));
    }
}

#[test]
fn causal_attention_sees_no_later_step() {
    let attention = MultiHeadAttention::<f64>::config(4, 2).causal().build(Key::new(1)).unwrap();
    let x = input::<f64>(&[1, 5, 4]);
    let mut other = x.clone();
    other.index_axis_mut(Axis(1), 3).fill(7.0);
    let [y, z] = [&x, &other].map(|x| predict(&attention, x, &mut Workspace::new()).unwrap());
    for step in 0..5 {
        let same = y.index_axis(Axis(1), step) == z.index_axis(Axis(1), step);
        assert_eq!(same, step < 3, "step {step}");
    }
}

#[test]
fn masked_positions_do_not_count() {
    let attention = MultiHeadAttention::<f64>::new(4, 2, Key::new(1)).unwrap();
    let (short, long) = (input::<f64>(&[1, 3, 4]), input::<f64>(&[1, 5, 4]));
    let mut long = long;
    long.slice_axis_mut(Axis(1), ndarray::Slice::from(..3)).assign(&short);
    let infinity = f64::INFINITY;
    let mask = ndarray::arr1(&[0.0, 0.0, 0.0, -infinity, -infinity]).into_shape_with_order(vec![1, 1, 1, 5]).unwrap();
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let (x, mask) = (tape.input(&long), tape.input(&mask));
    let y = attention.attend(&mut tape, x, x, Some(mask)).unwrap();
    let y = tape.value(y).slice_axis(Axis(1), ndarray::Slice::from(..3)).to_owned();
    close(&y, &predict(&attention, &short, &mut Workspace::new()).unwrap(), 1e-12);
}

/// Power iteration in training makes the largest singular value 1; evaluation leaves the buffers alone.
#[test]
fn spectral_norm_bounds_the_stretch() {
    let mut layer =
        SpectralNorm::new(Linear::<f64>::config(6, 5).without_bias().build(Key::new(1)).unwrap(), Key::new(2)).unwrap();
    for step in 0..100 {
        run(&mut layer, &input(&[2, 6]), Mode::train(0, step)).unwrap();
    }
    let before = layer.clone();
    let identity = ndarray::Array2::eye(6).into_dyn();
    let columns = run(&mut layer, &identity, Mode::evaluate()).unwrap();
    assert_eq!(layer, before);
    // The longest image of a unit vector, by power iteration on what evaluation gives.
    let matrix = columns.into_dimensionality::<ndarray::Ix2>().unwrap();
    let mut v = ndarray::Array1::from_elem(6, 1.0);
    let mut length = 0.0;
    for _ in 0..500 {
        let image = v.dot(&matrix);
        length = (image.dot(&image) / v.dot(&v)).sqrt();
        v = matrix.dot(&image);
        v /= v.dot(&v).sqrt();
    }
    assert!((length - 1.0).abs() < 1e-6, "{length}");
    let zero = Linear::<f64>::config(2, 2).init(Zeros).build(Key::new(1)).unwrap();
    assert!(SpectralNorm::new(zero.clone(), Key::new(1)).is_err() && WeightNorm::new(zero).is_err());
}

#[test]
fn weight_norm_begins_as_the_layer_it_wraps() {
    let (layer, x) = (Linear::<f64>::new(4, 3, Key::new(1)).unwrap(), input::<f64>(&[5, 4]));
    let expected = predict(&layer, &x, &mut Workspace::new()).unwrap();
    let mut normed = WeightNorm::new(layer).unwrap();
    close(&run(&mut normed, &x, Mode::evaluate()).unwrap(), &expected, 1e-12);
}

#[test]
fn dropped_connections_are_the_same_for_all_samples() {
    let mut layer = DropConnect::new(Linear::<f64>::new(8, 3, Key::new(1)).unwrap(), 0.5).unwrap();
    let x = ArrayD::ones(vec![4, 8]);
    let trained = run(&mut layer, &x, Mode::train(0, 0)).unwrap();
    assert!(trained.outer_iter().all(|row| row == trained.index_axis(Axis(0), 0)));
    assert_ne!(trained, run(&mut layer, &x, Mode::train(0, 1)).unwrap());
    assert_ne!(trained, run(&mut layer, &x, Mode::evaluate()).unwrap());
}

#[test]
fn embeddings_look_up_rows_and_learn_none_for_padding() {
    let table = Embedding::<f64>::new(5, 2, Key::new(1)).unwrap().padding(0);
    let (symbols, mut workspace, mut grads) = ([3, 0, 3, 1], Workspace::new(), Grads::new());
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    tape.watch(&table);
    let rows = table.lookup(&mut tape, &symbols, &[2, 2]).unwrap();
    assert_eq!(&*tape.shape(rows).unwrap(), &[2, 2, 2]);
    assert!(tape.value(rows).index_axis(Axis(0), 0).index_axis(Axis(0), 1).iter().all(|x| *x == 0.0));
    tape.backward_from(rows, &ArrayD::ones(vec![2, 2, 2])).unwrap();
    tape.take_grads(&mut grads).unwrap();
    let expected = ndarray::arr2(&[[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [2.0, 2.0], [0.0, 0.0]]).into_dyn();
    assert_eq!(grads.get(0), Some(&expected));
    drop(tape);
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    assert!(table.lookup(&mut tape, &[5], &[1]).is_err() && table.lookup(&mut tape, &[1], &[2]).is_err());
}

#[test]
fn the_forget_gate_begins_open() {
    let lstm = Lstm::<f64>::new(2, 3, Key::new(1)).unwrap();
    let mut biases = Vec::new();
    lstm.visit(|path, p| {
        if path.to_string() == "input_bias" {
            biases = p.value.iter().copied().collect();
        }
    });
    assert_eq!(biases, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(Lstm::<f64>::new(0, 3, Key::new(1)).is_err() && Gru::<f64>::new(2, 0, Key::new(1)).is_err());
}

#[test]
fn other_layers_refuse_what_does_not_fit() {
    let refused = |layer: &mut dyn Module<f64>, shape: &[usize]| {
        predict(&*layer, &input::<f64>(shape), &mut Workspace::new()).unwrap_err().to_string()
    };
    assert!(refused(&mut Maxout::new(2).unwrap(), &[2, 3]).contains("a multiple of 2 features"));
    assert!(refused(&mut Glu::new(1), &[2, 3]).contains("an even number of elements on axis 1"));
    assert!(refused(&mut AddCoordinates, &[2, 3]).contains("[samples, channels, height, width]"));
    assert!(refused(&mut LastStep, &[2, 0, 3]).contains("at least one step"));
    assert!(
        refused(&mut MultiHeadAttention::new(4, 2, Key::new(1)).unwrap(), &[2, 4]).contains("[samples, steps, width]")
    );
    assert!(refused(&mut Positions::new(3, 4, Key::new(1)).unwrap(), &[2, 2, 4]).contains("[samples, 3, 4]"));
    assert!(MultiHeadAttention::<f64>::new(4, 3, Key::new(1)).is_err() && PRelu::<f64>::new(0).is_err());
    assert!(SqueezeExcite::<f64>::new(8, Key::new(1)).is_err() && Upsample2d::nearest(0).is_err());
    assert!(Maxout::new(0).is_err() && models::Subsample::new(3, 2, 1).is_err());
}

/// The spread of one dropped input of weight 1 is that of the dropout; batch norm goes by its running statistics, and there is no spread without dropout.
#[test]
fn monte_carlo_tells_mean_and_spread() {
    let ones = || Linear::<f64>::config(1, 1).init(Constant::new(1.0).unwrap()).without_bias();
    let build = |rate| {
        let chain = Chain::seeded(Key::new(1)).then(Dropout::new(rate).unwrap()).then(ones());
        chain.then(BatchNorm1d::new(1).unwrap().with_epsilon(1e-12).unwrap()).build().unwrap()
    };
    let x = ArrayD::ones(vec![5, 1]);
    let draws = |model: &Chain<f64>, seed| monte_carlo(model, &x, 4000, seed, &mut Workspace::new()).unwrap();
    let outputs = draws(&build(0.5), 3);
    for (mean, deviation) in outputs.mean.iter().zip(&outputs.deviation) {
        assert!((mean - 1.0).abs() < 0.08 && (deviation - 1.0).abs() < 0.02, "{mean} {deviation}");
    }
    assert_eq!(outputs, draws(&build(0.5), 3));
    assert_ne!(outputs, draws(&build(0.5), 4));
    let certain = draws(&build(0.0), 3);
    assert!(certain.deviation.iter().all(|deviation| *deviation < 1e-12));
    assert!(monte_carlo(&build(0.5), &x, 1, 0, &mut Workspace::new()).is_err());
}
