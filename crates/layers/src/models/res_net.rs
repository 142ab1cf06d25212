//! Residual networks.

use crate::build::{at_least_one, configuration};
use crate::{
    BatchNorm2d, Chain, ChainBuilder, Conv2d, Flatten, GlobalAvgPool2d, HeNormal, Linear, MaxPool2d, Residual,
    StochasticDepth,
};
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Real, Result};
use gradwise_derive::Params;
use gradwise_init::FanMode;
use gradwise_tensor::{Pad, PadMode, Slice, Span};

/// Residual networks: stages of blocks of two 3 x 3 convolutions with batch norm, each block with a shortcut around it; all but the first stage begin with
/// half the height and width. The outputs are logits.
///
/// | model | images | parameters |
/// |---|---|---|
/// | [`ResNetConfig::small`] with 3 blocks a stage: ResNet-20 | 32 x 32 | 269,722 (the paper's 0.27 M) |
/// | with 5: ResNet-32 | 32 x 32 | 464,154 (0.46 M) |
/// | with 9: ResNet-56 | 32 x 32 | 853,018 (0.85 M) |
/// | [`ResNetConfig::resnet18`] | 224 x 224 | 11,689,512 (11.7 M) |
///
/// Weights begin by He's normal initializer over the outputs, as in the papers' programs.
///
/// Source: He et al., *Deep residual learning for image recognition*, CVPR 2016.
///
/// ```
/// use gradwise_layers::{Chain, Key, ParamsExt, models::ResNetConfig};
///
/// let model: Chain<f32> = ResNetConfig::small(3, 10).build(Key::new(0))?;
/// assert_eq!(model.n_trainable(), 269_722);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ResNetConfig {
    channels: usize,
    classes: usize,
    /// Channels and blocks of each stage.
    stages: Vec<(usize, usize)>,
    /// A 7 x 7 convolution with stride 2 and pooling at the beginning, for large images.
    large: bool,
    projected: bool,
    zero_gain: bool,
    depth: f64,
}

impl ResNetConfig {
    /// The networks for colour images of 32 x 32 pixels: stages of 16, 32 and 64 channels with so many blocks each, 6 n + 2 layers. Where a stage begins,
    /// the shortcut takes every second pixel and adds channels of zeros (the paper's option A).
    pub fn small(blocks: usize, classes: usize) -> Self {
        ResNetConfig {
            channels: 3,
            classes,
            stages: [16, 32, 64].map(|channels| (channels, blocks)).to_vec(),
            large: false,
            projected: false,
            zero_gain: false,
            depth: 0.0,
        }
    }

    /// ResNet-20, `small(3, classes)`.
    pub fn resnet20(classes: usize) -> Self {
        Self::small(3, classes)
    }

    /// ResNet-32, `small(5, classes)`.
    pub fn resnet32(classes: usize) -> Self {
        Self::small(5, classes)
    }

    /// ResNet-18 for colour images of 224 x 224 pixels: stages of 64, 128, 256 and 512 channels with two blocks each. Where a stage begins, the shortcut is a
    /// 1 x 1 convolution (option B).
    pub fn resnet18(classes: usize) -> Self {
        let stages = [64, 128, 256, 512].map(|channels| (channels, 2)).to_vec();
        ResNetConfig { stages, large: true, projected: true, ..Self::small(2, classes) }
    }

    /// For images of so many channels.
    #[must_use]
    pub fn channels(self, channels: usize) -> Self {
        ResNetConfig { channels, ..self }
    }

    /// With 1 x 1 convolutions where a stage begins (option B).
    #[must_use]
    pub fn projected(self) -> Self {
        ResNetConfig { projected: true, ..self }
    }

    /// With `γ = 0` in the last norm of each block, which then begins as the identity (Goyal et al., *Accurate, large minibatch SGD*, 2017).
    #[must_use]
    pub fn zero_gain(self) -> Self {
        ResNetConfig { zero_gain: true, ..self }
    }

    /// With stochastic depth: the probability that a block is left out grows from 0 at the first to this at the last.
    #[must_use]
    pub fn stochastic_depth(self, rate: f64) -> Self {
        ResNetConfig { depth: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If a size is 0 or a rate out of its range.
    pub fn build<T: Real>(self, key: Key) -> Result<Chain<T>> {
        at_least_one("res_net: channels", self.channels)?;
        at_least_one("res_net: classes", self.classes)?;
        let blocks: usize = self.stages.iter().map(|(_, blocks)| blocks).sum();
        at_least_one("res_net: blocks", blocks)?;
        let mut channels = self.stages[0].0;
        let mut chain = self.stem(channels, key)?;
        let mut n = 0;
        for (stage, &(outputs, blocks)) in self.stages.iter().enumerate() {
            for block in 0..blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let name = format!("stage{}_block{}", stage + 1, block + 1);
                let rate =
                    self.depth * (n + 1) as f64 / self.stages.iter().map(|(_, blocks)| blocks).sum::<usize>() as f64;
                chain = self.block(chain, &name, [channels, outputs], stride, rate, key.with_str(&name))?;
                (channels, n) = (outputs, n + 1);
            }
        }
        chain
            .named("pool", GlobalAvgPool2d)
            .named("flatten", Flatten)
            .named("head", Linear::config(channels, self.classes))
            .build()
    }

    fn stem<T: Real>(&self, channels: usize, key: Key) -> Result<ChainBuilder<T>> {
        let (kernel, stride) = if self.large { (7, 2) } else { (3, 1) };
        let conv = convolution(self.channels, channels, kernel, stride);
        let chain = Chain::seeded(key).named("conv", conv).named("norm", BatchNorm2d::new(channels)?.with_relu());
        Ok(if self.large {
            chain.named("max_pool", MaxPool2d::new(3)?.with_stride(2)?.with_padding(1)?)
        } else {
            chain
        })
    }

    fn block<T: Real>(
        &self,
        chain: ChainBuilder<T>,
        name: &str,
        [inputs, outputs]: [usize; 2],
        stride: usize,
        rate: f64,
        key: Key,
    ) -> Result<ChainBuilder<T>> {
        let body = Chain::seeded(key.with_str("body"))
            .named("conv1", convolution(inputs, outputs, 3, stride))
            .named("norm1", BatchNorm2d::new(outputs)?.with_relu())
            .named("conv2", convolution(outputs, outputs, 3, 1));
        let norm = BatchNorm2d::new(outputs)?;
        let norm = if self.zero_gain { norm.zero_weight() } else { norm };
        let same = inputs == outputs && stride == 1;
        let projection = || -> Result<Chain<T>> {
            Chain::seeded(key.with_str("shortcut"))
                .named("conv", convolution(inputs, outputs, 1, stride))
                .named("norm", BatchNorm2d::new(outputs)?)
                .build()
        };
        if rate > 0.0 {
            // What may be left out has to be behind the norm.
            let body = Residual::new(body.named("norm2", norm).named("depth", StochasticDepth::new(rate)?).build()?);
            let chain = match (same, self.projected) {
                (true, _) => chain.named(name, body),
                (_, true) => chain.named(name, body.with_shortcut(projection()?)),
                _ => chain.named(name, body.with_shortcut(Subsample::new(inputs, outputs, stride)?)),
            };
            return Ok(chain.named(&format!("{name}_relu"), crate::Relu));
        }
        let (body, norm) = (Residual::new(body.build()?), norm.with_relu());
        Ok(match (same, self.projected) {
            (true, _) => chain.named(name, body.normed(norm)),
            (_, true) => chain.named(name, body.with_shortcut(projection()?).normed(norm)),
            _ => chain.named(name, body.with_shortcut(Subsample::new(inputs, outputs, stride)?).normed(norm)),
        })
    }
}

fn convolution<T: Real>(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
) -> crate::ConvConfig<T, gradwise_tensor::Conv2d> {
    // By the outputs, so that gradients keep their variance on the way back.
    let init = HeNormal::new().with_mode(FanMode::Out);
    Conv2d::config(inputs, outputs, kernel).stride(stride).padding(kernel / 2).without_bias().init(init)
}

configuration!(ResNetConfig => Chain<T>);

/// The shortcut without parameters: every `stride`-th pixel, and channels of zeros behind those there are: `[samples, inputs, height, width]` to
/// `[samples, outputs, ⌈height / stride⌉, ⌈width / stride⌉]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Subsample {
    #[params(skip)]
    zeros: usize,
    #[params(skip)]
    stride: usize,
}

impl Subsample {
    /// From so many channels to so many.
    ///
    /// # Errors
    /// If there would be fewer channels, or the stride is 0.
    pub fn new(inputs: usize, outputs: usize, stride: usize) -> Result<Self> {
        let Some(zeros) = outputs.checked_sub(inputs) else {
            return Err(Error::value("subsample: outputs", format!("at least the {inputs} inputs"), outputs));
        };
        Ok(Subsample { zeros, stride: at_least_one("subsample: stride", stride)? })
    }
}

impl<T: Real> Module<T> for Subsample {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        if shape.len() != 4 {
            return Err(Error::shape("subsample", "[samples, channels, height, width]", &shape).at(tape.path()));
        }
        let mut x = x;
        if self.stride > 1 {
            for axis in [2, 3] {
                let every = Span::from(0..shape[axis]).step(self.stride)?;
                x = tape.apply(Slice::along(axis, every), &[x])?;
            }
        }
        if self.zeros > 0 {
            x = tape.apply(Pad::new(&[(0, 0), (0, self.zeros), (0, 0), (0, 0)], PadMode::Constant(0.0)), &[x])?;
        }
        Ok(x)
    }
}
