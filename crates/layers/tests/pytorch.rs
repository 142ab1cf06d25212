//! Layers and small models against PyTorch's numbers; see `oracle/README.md` of the workspace.

use gradwise_layers::*;
use ndarray::ArrayD;

#[path = "../../../oracle/reader.rs"]
mod oracle;
use oracle::{Case, for_each, tolerance};

/// The layer that a case is of, as `modules.py` makes it.
fn layer<T: Real>(case: &Case) -> Result<Box<dyn Module<T>>> {
    fn built<T: Real, K>(layer: impl Build<T, K, Layer: 'static>) -> Result<Box<dyn Module<T>>> {
        Ok(Box::new(layer.build(Key::new(0))?))
    }
    match case.name.as_str() {
        "linear" => built(Linear::config(4, 3)),
        "linear.no_bias" => built(Linear::config(4, 3).without_bias()),
        "conv1d" => built(Conv1d::config(4, 6, 3).stride(2).padding(1).dilation(2).groups(2)),
        "conv2d" => built(Conv2d::config(3, 4, 3).padding(1)),
        "conv2d.no_bias" => built(Conv2d::config(3, 4, 3).without_bias()),
        "conv2d.options" => {
            built(Conv2d::config(4, 6, [3, 2]).stride([2, 1]).padding([1, 2]).dilation([1, 2]).groups(2))
        }
        "conv_transpose2d" => built(ConvTranspose2d::config(4, 6, 3).stride(2).padding(1).output_padding(1).groups(2)),
        "conv_transpose1d" => {
            built(ConvTranspose1d::config(4, 6, 3).stride(3).padding(1).output_padding(2).dilation(2).groups(2))
        }
        "batch_norm1d.features" | "batch_norm1d.sequences" => built(BatchNorm1d::new(4)?),
        "batch_norm2d" => built(BatchNorm2d::new(3)?),
        "batch_norm2d.options" => built(BatchNorm2d::new(3)?.with_epsilon(1e-3)?.with_momentum(0.3)?),
        "batch_norm2d.plain" => built(BatchNorm2d::new(3)?.without_affine()),
        "layer_norm" => built(LayerNorm::new(&[5])?),
        "layer_norm.two_axes" => built(LayerNorm::with_epsilon(&[3, 5], 1e-3)?),
        "group_norm" => built(GroupNorm::new(2, 4)?),
        "instance_norm" => built(GroupNorm::instance(4)?),
        "rms_norm" => built(RmsNorm::new(&[5])?),
        "max_pool2d" => built(MaxPool2d::new(3)?.with_stride(2)?.with_padding(1)?),
        "max_pool2d.ceil" => built(MaxPool2d::new([2, 4])?.with_stride([2, 3])?.ceil_mode()),
        "avg_pool2d" => built(AvgPool2d::new(3)?.with_stride(2)?.with_padding(1)?),
        "max_pool1d" => built(MaxPool1d::new(3)?.with_stride(2)?.with_padding(1)?),
        "avg_pool1d" => built(AvgPool1d::new(3)?.with_stride(2)?.with_padding(1)?),
        "adaptive_avg_pool2d" => built(AdaptiveAvgPool2d::new([3, 2])?),
        "adaptive_max_pool2d" => built(AdaptiveMaxPool2d::new([3, 2])?),
        "global_avg_pool2d" => built(GlobalAvgPool2d),
        "flatten" => built(Flatten),
        "relu" => built(Relu),
        "sigmoid" => built(Sigmoid),
        "tanh" => built(Tanh),
        "gelu" => built(Gelu),
        "gelu_tanh" => built(GeluTanh),
        "silu" => built(Silu),
        "mish" => built(Mish),
        "softplus" => built(Softplus),
        "softsign" => built(Softsign),
        "log_sigmoid" => built(LogSigmoid),
        "selu" => built(Selu),
        "hard_sigmoid" => built(HardSigmoid),
        "hard_swish" => built(HardSwish),
        "leaky_relu" => built(LeakyRelu::new(0.1)?),
        "elu" => built(Elu::new(0.5)?),
        "clamp" => built(Clamp::new(0.0, 6.0)?),
        "dropout" => built(Dropout::new(0.5)?),
        "softmax" => built(Softmax { axis: 1 }),
        "prelu" => built(PRelu::new(4)?),
        "prelu.images" => built(PRelu::new(3)?),
        "glu" => built(Glu::new(1)),
        "maxout" => built(Maxout::new(2)?),
        "squeeze_excite" => built(SqueezeExcite::<T>::config(4).reduction(2)),
        "separable_conv2d" => built(SeparableConv2d::<T>::config(3, 4, 3).padding(1)),
        "upsample2d.nearest" => built(Upsample2d::nearest([2, 3])?),
        "upsample2d.bilinear" => built(Upsample2d::bilinear([2, 3])?),
        "simple_rnn" => built(SimpleRnn::config(3, 4)),
        "lstm" => built(Lstm::config(3, 4)),
        "lstm.no_bias" => built(Lstm::config(2, 3).without_bias()),
        "gru" => built(Gru::config(3, 4)),
        "attention" => built(MultiHeadAttention::<T>::config(6, 2)),
        "attention.causal" => built(MultiHeadAttention::<T>::config(6, 3).causal()),
        "transformer" => built(TransformerBlock::<T>::config(6, 2).hidden(8)),
        "transformer.norm_last" => built(TransformerBlock::<T>::config(6, 2).hidden(8).norm_last()),
        "weight_norm.linear" => built(WeightNorm::new(Linear::new(4, 3, Key::new(0))?)?),
        "weight_norm.conv2d" => built(WeightNorm::new(Conv2d::new(3, 4, 3, Key::new(0))?)?),
        "weight_standardization" => built(WeightStandardization::new::<T>(Conv2d::<T>::new(3, 4, 3, Key::new(0))?)?),
        "spectral_norm" => built(SpectralNorm::new(Linear::new(4, 3, Key::new(0))?, Key::new(1))?),
        name => panic!("{name}: no such layer"),
    }
}

fn model<T: Real>(case: &Case) -> Result<Chain<T>> {
    let key = Key::new(0);
    match case.name.as_str() {
        "conv_net" => Chain::seeded(key)
            .then(Conv2d::config(1, 3, 3).padding(1).without_bias())
            .then(BatchNorm2d::new(3)?)
            .then(Relu)
            .then(MaxPool2d::new(2)?)
            .then(Conv2d::config(3, 4, 3).padding(1))
            .then(Gelu)
            .then(AvgPool2d::new(2)?)
            .then(Flatten)
            .then(Linear::config(16, 3))
            .build(),
        "residual_net" => {
            let halving = Chain::seeded(key)
                .then(Conv2d::config(2, 4, 3).stride(2).padding(1))
                .then(BatchNorm2d::new(4)?)
                .build()?;
            let shortcut: Conv2d<T> = Conv2d::config(2, 4, 1).stride(2).build(key)?;
            let keeping = Chain::seeded(key).then(Conv2d::config(4, 4, 3).padding(1)).then(Tanh).build()?;
            Chain::seeded(key)
                .then(Residual::new(halving).with_shortcut(shortcut))
                .then(Relu)
                .then(Residual::new(keeping))
                .then(GlobalAvgPool2d)
                .then(Flatten)
                .then(Linear::config(4, 3))
                .build()
        }
        name => panic!("{name}: no such model"),
    }
}

/// Gives the parameters and buffers the values of a role, which must have one for each and no others.
fn assign<T: Real, M: Module<T> + ?Sized>(case: &Case, model: &mut M, role: &str) {
    let mut values = case.named::<T>(role);
    model.visit_mut(|path, p| {
        let path = path.to_string();
        let value = values.remove(path.as_str()).unwrap_or_else(|| panic!("{}: PyTorch has no {path}", case.name));
        assert_eq!(p.value.shape(), value.shape(), "{}: {path}", case.name);
        p.value = value;
    });
    assert!(values.is_empty(), "{}: only PyTorch has {:?}", case.name, values.keys());
}

/// Checks those parameters and buffers that a role has.
#[track_caller]
fn check_params<T: Real, M: Module<T> + ?Sized>(case: &Case, model: &M, role: &str) {
    model.visit(|path, p| {
        let role = format!("{role}.{path}");
        if case.has(&role) {
            case.check(&role, &p.value, tolerance::<T>());
        }
    });
}

/// A forward pass and, with a cotangent, the gradients of the parameters and of the input; the buffers' new values are applied.
fn run<T: Real, M: Module<T> + ?Sized>(
    model: &mut M,
    mode: Mode,
    x: &ArrayD<T>,
    cotangent: Option<&ArrayD<T>>,
    grads: &mut Grads<T>,
) -> Result<(ArrayD<T>, Option<ArrayD<T>>)> {
    let (mut workspace, mut updates) = (Workspace::new(), Updates::new());
    let mut tape = Tape::new(&mut workspace, mode);
    tape.watch(model);
    let x = tape.variable(x);
    let y = model.forward(&mut tape, x)?;
    let output = tape.value(y).to_owned();
    if let Some(cotangent) = cotangent {
        tape.backward_from(y, cotangent)?;
        tape.take_grads(grads)?;
    }
    let input_grad = tape.grad(x).map(|g| g.to_owned());
    tape.take_updates(&mut updates);
    drop(tape);
    updates.apply(model);
    Ok((output, input_grad))
}

fn check_layer<T: Real>(case: &Case) {
    let tolerance = tolerance::<T>();
    let mut layer = layer::<T>(case).unwrap();
    let mut grads = Grads::new();
    assign(case, &mut *layer, "param");
    let x = case.array("input");

    let (evaluated, _) = run(&mut *layer, Mode::evaluate(), &x, None, &mut grads).unwrap();
    case.check("evaluated", &evaluated, tolerance);

    // PyTorch's dropout draws from a generator of its own, so its case is one of evaluation.
    let mode = if case.kind() == "dropout" { Mode::evaluate().with_gradients() } else { Mode::train(0, 0) };
    let cotangent = case.array("cotangent");
    let (output, input_grad) = run(&mut *layer, mode, &x, Some(&cotangent), &mut grads).unwrap();
    case.check("output", &output, tolerance);
    case.check("input_grad", &input_grad.expect("the input has a gradient"), tolerance);
    let mut i = 0;
    layer.visit(|path, p| {
        if p.is_trainable() {
            case.check(&format!("param_grad.{path}"), grads.get(i).expect("every parameter is reached"), tolerance);
        }
        i += 1;
    });
    check_params(case, &*layer, "step.1");
    if case.has("second_input") {
        run(&mut *layer, Mode::train(0, 1), &case.array("second_input"), None, &mut grads).unwrap();
        check_params(case, &*layer, "step.2");
    }
}

/// A model's first steps by gradient descent with momentum, written out: `v ← m v + g`, `w ← w - lr v`.
fn check_model<T: Real>(case: &Case) {
    let tolerance = 10.0 * tolerance::<T>();
    let mut model = model::<T>(case).unwrap();
    assign(case, &mut model, "param");
    let (x, (_, classes)) = (case.array("input"), case.indices("index"));
    let loss = CrossEntropyLoss::default().label_smoothing(case.required("label_smoothing")).unwrap();
    let (rate, momentum) = (T::of(case.required("lr")), T::of(case.required("momentum")));
    let (mut workspace, mut grads, mut updates) = (Workspace::new(), Grads::new(), Updates::new());
    let (mut losses, mut velocities) = (Vec::new(), vec![None::<ArrayD<T>>; model.n_params()]);
    for step in 0..case.required("steps") as u64 {
        let mut tape = Tape::new(&mut workspace, Mode::train(0, step));
        tape.watch(&model);
        let input = tape.input(&x);
        let logits = model.forward(&mut tape, input).unwrap();
        let value = tape.loss(&loss, logits, classes, Reduction::Mean).unwrap();
        losses.push(tape.value(value).sum());
        if step == 0 {
            case.check("logits", &tape.value(logits).to_owned(), tolerance);
        }
        tape.backward(value).unwrap();
        tape.take_grads(&mut grads).unwrap();
        tape.take_updates(&mut updates);
        drop(tape);
        let mut i = 0;
        model.visit_mut(|path, p| {
            if let Some(grad) = grads.get(i) {
                if step == 0 {
                    case.check(&format!("param_grad.{path}"), grad, tolerance);
                }
                let velocity = match &velocities[i] {
                    Some(velocity) => velocity * momentum + grad,
                    None => grad.clone(),
                };
                p.value.scaled_add(-rate, &velocity);
                velocities[i] = Some(velocity);
            }
            i += 1;
        });
        updates.apply(&mut model);
    }
    case.check("losses", &ndarray::Array::from(losses).into_dyn(), tolerance);
    check_params(case, &model, "after");
    let evaluated = predict(&model, &x, &mut workspace).unwrap();
    case.check("evaluated", &evaluated, tolerance);
}

#[test]
fn layers() {
    for_each("layers/layers.safetensors", 65, |case| {
        check_layer::<f64>(case);
        check_layer::<f32>(case);
    });
}

#[test]
fn models() {
    for_each("layers/models.safetensors", 2, |case| {
        check_model::<f64>(case);
        check_model::<f32>(case);
    });
}
