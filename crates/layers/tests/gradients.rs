//! The gradients of every layer, with respect to its input and its parameters, against central differences at `f64`.

use gradwise_layers::check::Check;
use gradwise_layers::models::{ConvNetConfig, MlpConfig};
use gradwise_layers::*;
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

/// Values away from 0, where many functions have a kink; the same every time.
fn input(shape: &[usize]) -> ArrayD<f64> {
    let mut n = 0;
    ArrayD::from_shape_fn(IxDyn(shape), |_| {
        n += 1;
        let u = 2.0 * Key::new(5).uniform(n) - 1.0;
        u + 0.05_f64.copysign(u)
    })
}

/// Checks a layer in training and in evaluation.
#[track_caller]
fn check<K>(layer: impl Build<f64, K>, shape: &[usize]) {
    let mut layer = layer.build(Key::new(3)).unwrap();
    for training in [true, false] {
        let report = Check::new().training(training).module(&mut layer, &input(shape)).unwrap();
        assert!(report.compared > 0, "nothing was compared");
    }
}

fn uniform() -> Uniform {
    Uniform::new(-1.0, 1.0).unwrap()
}

#[test]
fn linear() {
    for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh] {
        check(Linear::config(3, 4).activation(activation).bias_init(uniform()), &[5, 3]);
    }
    check(Linear::config(3, 4).without_bias(), &[2, 2, 3]);
    check(Linear::config(1, 1), &[1, 1]);
}

#[test]
fn convolutions() {
    check(Conv2d::config(2, 3, 3).bias_init(uniform()), &[2, 2, 4, 5]);
    check(Conv2d::config(2, 3, 3).padding(1).activation(Activation::Relu).bias_init(uniform()), &[2, 2, 4, 4]);
    check(Conv2d::config(2, 4, [2, 3]).stride([2, 1]).padding([0, 1]).groups(2).without_bias(), &[1, 2, 4, 5]);
    check(Conv2d::config(1, 2, 2).dilation(2), &[1, 1, 4, 4]);
    check(Conv1d::config(2, 3, 3).stride(2).padding(1).activation(Activation::Tanh), &[2, 2, 6]);
    check(ConvTranspose1d::config(2, 4, 3).stride(2).output_padding(1).groups(2), &[2, 2, 4]);
    check(ConvTranspose2d::config(2, 3, 3).stride(2).padding(1).bias_init(uniform()), &[1, 2, 3, 3]);
}

#[test]
fn normalizations() {
    check(BatchNorm1d::new(3).unwrap(), &[5, 3]);
    check(BatchNorm1d::new(3).unwrap().with_relu(), &[4, 3, 2]);
    check(BatchNorm2d::new(2).unwrap(), &[3, 2, 2, 3]);
    check(BatchNorm2d::new(2).unwrap().without_affine(), &[3, 2, 2, 2]);
    check(BatchNorm2d::new(2).unwrap().with_epsilon(0.1).unwrap().with_relu(), &[3, 2, 2, 2]);
    check(LayerNorm::new(&[4]).unwrap(), &[3, 4]);
    check(LayerNorm::new(&[2, 3]).unwrap(), &[2, 2, 3]);
    check(RmsNorm::new(&[4]).unwrap(), &[3, 4]);
    check(GroupNorm::new(2, 4).unwrap(), &[2, 4, 3]);
    check(GroupNorm::instance(2).unwrap(), &[2, 2, 2, 3]);
}

#[test]
fn activation_layers() {
    let shape = &[3, 4];
    check(Relu, shape);
    check(Sigmoid, shape);
    check(LogSigmoid, shape);
    check(Tanh, shape);
    check(Gelu, shape);
    check(GeluTanh, shape);
    check(Silu, shape);
    check(Mish, shape);
    check(Softplus, shape);
    check(Softsign, shape);
    check(Selu, shape);
    check(HardSigmoid, shape);
    check(HardSwish, shape);
    check(Softmax { axis: 1 }, shape);
    check(LogSoftmax { axis: 0 }, shape);
    check(LeakyRelu::new(0.1).unwrap(), shape);
    check(Elu::new(1.3).unwrap(), shape);
    check(Clamp::new(-0.5, 0.5).unwrap(), shape);
}

#[test]
fn pools_shapes_and_dropout() {
    check(MaxPool2d::new(2).unwrap(), &[2, 2, 4, 4]);
    check(MaxPool2d::new(3).unwrap().with_stride(2).unwrap().with_padding(1).unwrap().ceil_mode(), &[1, 2, 5, 6]);
    check(MaxPool1d::new(3).unwrap().with_stride(2).unwrap().with_padding(1).unwrap(), &[2, 2, 6]);
    check(AvgPool1d::new(3).unwrap().with_stride(2).unwrap().ceil_mode(), &[2, 2, 6]);
    check(AvgPool2d::new([2, 1]).unwrap(), &[1, 2, 4, 3]);
    check(AdaptiveAvgPool2d::new([2, 3]).unwrap(), &[1, 2, 5, 4]);
    check(AdaptiveMaxPool2d::new(2).unwrap(), &[1, 2, 5, 4]);
    check(GlobalAvgPool2d, &[2, 3, 2, 2]);
    check(Flatten, &[2, 3, 2]);
    check(Reshape::new(&[3, 2]), &[2, 6]);
    check(Dropout::new(0.4).unwrap(), &[4, 6]);
}

#[test]
fn activity_penalties() {
    // The operation's gradient, with what is in front of it.
    for shape in [&[3, 4][..], &[2, 3, 2, 2]] {
        Check::new().function(&[input(shape)], |tape, x| tape.activity_penalty(x[0], 0.4, 0.2)).unwrap();
    }
    // What goes through is left as it is.
    check(ActivityPenalty::l1(0.5).unwrap(), &[3, 4]);
}

#[test]
fn noise_layers() {
    let images = &[3, 2, 4, 4];
    check(SpatialDropout::new(0.4).unwrap(), images);
    check(AlphaDropout::new(0.4).unwrap(), images);
    check(GaussianDropout::new(0.4).unwrap(), images);
    check(GaussianNoise::new(0.4).unwrap(), images);
    check(DropBlock::new(0.2, 2).unwrap(), images);
    check(StochasticDepth::new(0.4).unwrap(), images);
    check(RandomizedLeakyRelu::new(0.1, 0.4).unwrap(), images);
}

#[test]
fn gated_layers() {
    check(PRelu::new(2).unwrap(), &[3, 2, 2]);
    check(Maxout::new(3).unwrap(), &[2, 6]);
    check(Maxout::new(2).unwrap(), &[2, 4, 3]);
    for gate in [Gate::Sigmoid, Gate::Silu, Gate::Gelu, Gate::Relu, Gate::Identity] {
        check(Glu::new(1).gate(gate), &[2, 4, 3]);
    }
}

#[test]
fn layers_for_images() {
    check(SqueezeExcite::<f64>::config(4).reduction(2), &[2, 4, 2, 3]);
    check(AddCoordinates, &[2, 1, 2, 3]);
    check(SeparableConv2d::<f64>::config(2, 3, 3).padding(1).stride([2, 1]), &[2, 2, 4, 3]);
    check(Upsample2d::nearest([2, 3]).unwrap(), &[1, 2, 2, 3]);
    check(Upsample2d::bilinear([2, 3]).unwrap(), &[1, 2, 2, 3]);
    check(models::Subsample::new(2, 3, 2).unwrap(), &[1, 2, 3, 4]);
}

#[test]
fn sequences() {
    check(Lstm::config(3, 2), &[2, 4, 3]);
    check(Gru::config(3, 2).without_bias(), &[2, 4, 3]);
    check(SimpleRnn::config(3, 2), &[2, 4, 3]);
    let gru = |seed| Gru::new(2, 2, Key::new(seed)).unwrap();
    check(Bidirectional::new(gru(1), gru(2)), &[2, 3, 2]);
    check(Lstm::config(2, 3).stacked(2).dropout(0.4), &[2, 3, 2]);
    check(LastStep, &[2, 3, 2]);
    check(MultiHeadAttention::<f64>::config(4, 2).dropout(0.2), &[2, 3, 4]);
    check(MultiHeadAttention::<f64>::config(4, 2).causal(), &[2, 3, 4]);
    check(TransformerBlock::<f64>::config(4, 2).hidden(6).dropout(0.2).stochastic_depth(0.3), &[2, 3, 4]);
    check(TransformerBlock::<f64>::config(4, 1).hidden(6).norm_last(), &[2, 3, 4]);
    check(Positions::new(3, 4, Key::new(1)).unwrap(), &[2, 3, 4]);
    check(Positions::sinusoidal(3, 4).unwrap(), &[2, 3, 4]);
}

#[test]
fn reparametrized_layers() {
    let linear = || Linear::new(4, 3, Key::new(1)).unwrap();
    let conv = || Conv2d::new(2, 3, 3, Key::new(1)).unwrap();
    check(WeightNorm::new(linear()).unwrap(), &[5, 4]);
    check(WeightNorm::new(conv()).unwrap(), &[2, 2, 4, 3]);
    check(WeightStandardization::new::<f64>(conv()).unwrap(), &[2, 2, 4, 3]);
    check(DropConnect::new(linear(), 0.4).unwrap(), &[5, 4]);
}

#[test]
fn compositions_and_models() {
    check(Residual::new(Linear::config(3, 3).activation(Activation::Tanh).build(Key::new(1)).unwrap()), &[2, 3]);
    let shortcut: Conv2d<f64> = Conv2d::config(2, 3, 1).stride(2).build(Key::new(1)).unwrap();
    let body: Conv2d<f64> = Conv2d::config(2, 3, 3).stride(2).padding(1).build(Key::new(2)).unwrap();
    check(Residual::new(body).with_shortcut(shortcut), &[1, 2, 4, 4]);
    for norm in [BatchNorm2d::new(2).unwrap(), BatchNorm2d::new(2).unwrap().without_affine().with_relu()] {
        let body: Conv2d<f64> = Conv2d::config(2, 2, 3).padding(1).without_bias().build(Key::new(4)).unwrap();
        check(Residual::new(body).normed(norm), &[3, 2, 3, 3]);
    }
    check(
        Function::new(|tape: &mut Tape<'_, f64>, x| {
            let y = tape.square(x)?;
            tape.mean(y, 1)
        }),
        &[3, 4],
    );
    check(MlpConfig::new(&[6, 4, 3]).activation(Activation::Tanh).dropout(0.3), &[3, 2, 3]);
    check(ConvNetConfig::new([1, 4, 4], 3).channels(&[2, 3]).hidden(4), &[3, 1, 4, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn convolutions_of_any_geometry(
        samples in 1_usize..3, groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3, kernel in 1_usize..4,
        stride in 1_usize..3, padding in 0_usize..3, dilation in 1_usize..3, extra in 0_usize..3,
    ) {
        let size = (dilation * (kernel - 1) + 1 + extra).saturating_sub(2 * padding).max(1);
        let layer = Conv2d::config(groups * inputs, groups * outputs, [kernel, kernel])
            .stride(stride).padding(padding).dilation(dilation).groups(groups).bias_init(uniform());
        check(layer, &[samples, groups * inputs, size, size + 1]);
    }

    #[test]
    fn linear_of_any_size(rows in 0_usize..5, inputs in 1_usize..5, outputs in 1_usize..5) {
        check(Linear::config(inputs, outputs).activation(Activation::Sigmoid), &[rows, inputs]);
    }
}
