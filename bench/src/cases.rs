//! The training steps that are timed: nets, optimizers and batches as the programs of the peers have them.

use gradwise_core::{Key, Result};
use gradwise_layers::{
    Activation, BatchNorm1d, BatchNorm2d, Chain, Conv2d, Dropout, Flatten, GlobalAvgPool2d, Linear, MaxPool2d, Residual,
};

/// A net, how it is trained, and on batches of what size.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, as the peers' programs spell it.
    pub name: &'static str,
    /// Samples in a batch.
    pub batch: usize,
    /// Shape of a sample.
    pub sample: &'static [usize],
    /// The rule that moves its parameters.
    pub rule: Rule,
    /// How many numbers are trained: as many as in PyTorch's net of the same description.
    pub n_trainable: usize,
    build: fn(Key) -> Result<Chain<f32>>,
}

/// An optimizer with everything that the cases leave open.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Adam with its usual moments.
    Adam {
        /// Its learning rate.
        learning_rate: f64,
    },
    /// Gradient descent with momentum 0.9.
    Momentum {
        /// Its learning rate.
        learning_rate: f64,
    },
}

const ADAM: Rule = Rule::Adam { learning_rate: 1e-3 };

/// All cases, small ones first.
pub const CASES: &[Case] = &[
    Case { name: "digits_b32", batch: 32, sample: &[64], rule: ADAM, n_trainable: 2_410, build: digits },
    Case { name: "mlp_b64", batch: 64, sample: &[784], rule: ADAM, n_trainable: 535_818, build: perceptron },
    Case { name: "mlp_b256", batch: 256, sample: &[784], rule: ADAM, n_trainable: 535_818, build: perceptron },
    Case {
        name: "deep_bn_b64",
        batch: 64,
        sample: &[784],
        rule: Rule::Momentum { learning_rate: 0.01 },
        n_trainable: 420_618,
        build: deep,
    },
    Case { name: "lenet_b64", batch: 64, sample: &[1, 28, 28], rule: ADAM, n_trainable: 1_199_882, build: lenet },
    Case {
        name: "resnet20_b128",
        batch: 128,
        sample: &[3, 32, 32],
        rule: Rule::Momentum { learning_rate: 0.1 },
        n_trainable: 272_474,
        build: resnet20,
    },
];

/// The case of a name.
pub fn case(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

impl Case {
    /// The net, with its first weights.
    ///
    /// # Errors
    /// What its layers refuse; none does.
    pub fn model(&self) -> Result<Chain<f32>> {
        (self.build)(Key::new(0))
    }
}

fn digits(key: Key) -> Result<Chain<f32>> {
    linears(&[64, 32, 10], key)
}

fn perceptron(key: Key) -> Result<Chain<f32>> {
    linears(&[784, 512, 256, 10], key)
}

/// Linear layers with ReLU between them.
fn linears(sizes: &[usize], key: Key) -> Result<Chain<f32>> {
    let mut chain = Chain::seeded(key);
    for (i, pair) in sizes.windows(2).enumerate() {
        let layer = Linear::config(pair[0], pair[1]);
        let last = i + 2 == sizes.len();
        chain = chain.then(if last { layer } else { layer.activation(Activation::Relu) });
    }
    chain.build()
}

/// Twenty times a linear layer, batch norm and ReLU.
fn deep(key: Key) -> Result<Chain<f32>> {
    let mut chain = Chain::seeded(key);
    for i in 0..20 {
        let inputs = if i == 0 { 784 } else { 128 };
        chain = chain.then(Linear::config(inputs, 128)).then(BatchNorm1d::new(128)?.with_relu());
    }
    chain.then(Linear::config(128, 10)).build()
}

/// Two convolutions without padding, pooling, dropout, two linear layers.
fn lenet(key: Key) -> Result<Chain<f32>> {
    Chain::seeded(key)
        .then(Conv2d::config(1, 32, 3).activation(Activation::Relu))
        .then(Conv2d::config(32, 64, 3).activation(Activation::Relu))
        .then(MaxPool2d::new(2)?)
        .then(Dropout::new(0.25)?)
        .then(Flatten)
        .then(Linear::config(9216, 128).activation(Activation::Relu))
        .then(Dropout::new(0.5)?)
        .then(Linear::config(128, 10))
        .build()
}

/// ResNet-20 for small images: nine blocks in three stages, with 1x1 convolutions where a stage begins with another shape (He et al.,
/// *Deep residual learning for image recognition*, 2015, section 4.2, shortcuts of option B).
fn resnet20(key: Key) -> Result<Chain<f32>> {
    let mut chain = Chain::seeded(key)
        .then(Conv2d::config(3, 16, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(16)?.with_relu());
    let mut inputs = 16;
    for (stage, (outputs, stride)) in [(16, 1), (32, 2), (64, 2)].into_iter().enumerate() {
        for block in 0..3 {
            let stride = if block == 0 { stride } else { 1 };
            let key = key.with_str("stage").with(stage as u64).with(block);
            let body = Chain::seeded(key.with_str("body"))
                .then(Conv2d::config(inputs, outputs, 3).stride(stride).padding(1).without_bias())
                .then(BatchNorm2d::new(outputs)?.with_relu())
                .then(Conv2d::config(outputs, outputs, 3).padding(1).without_bias())
                .build()?;
            let norm = BatchNorm2d::new(outputs)?.with_relu();
            chain = if inputs == outputs {
                chain.then(Residual::new(body).normed(norm))
            } else {
                let shortcut = Chain::seeded(key.with_str("shortcut"))
                    .then(Conv2d::config(inputs, outputs, 1).stride(stride).without_bias())
                    .then(BatchNorm2d::new(outputs)?)
                    .build()?;
                chain.then(Residual::new(body).with_shortcut(shortcut).normed(norm))
            };
            inputs = outputs;
        }
    }
    chain.then(GlobalAvgPool2d).then(Flatten).then(Linear::config(64, 10)).build()
}
