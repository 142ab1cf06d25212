//! Vision transformers.

use crate::build::{at_least_one, configuration};
use crate::{Conv2d, Dropout, LayerNorm, Linear, Positions, TapeExt, TransformerBlock};
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{InitExt, TruncatedNormal, Zeros};
use gradwise_tensor::BroadcastTo;

/// Vision transformers: an image cut into patches, each a token of a sequence, one more token for the class, positions that are learned, blocks of
/// attention, and a linear head on what became of the class token. The outputs are logits.
///
/// | model | images | parameters |
/// |---|---|---|
/// | [`VitConfig::tiny`] with 1,000 classes: DeiT-Ti | 224 x 224, patches of 16 | 5,717,416 (the paper's 5 M) |
/// | [`VitConfig::small`]: for CIFAR | 32 x 32, patches of 4 | 2,693,578 with 10 classes |
///
/// A transformer knows nothing of neighbourhoods beforehand: on small sets of images it needs augmentation, or a convolutional network is better.
///
/// Sources: Dosovitskiy et al., *An image is worth 16x16 words*, ICLR 2021; the small ones: Touvron et al., *Training data-efficient image transformers*,
/// ICML 2021.
///
/// ```
/// use gradwise_layers::{Key, ParamsExt, models::{Vit, VitConfig}};
///
/// let model: Vit<f32> = VitConfig::small(10).build(Key::new(0))?;
/// assert_eq!(model.n_trainable(), 2_693_578);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VitConfig {
    input: [usize; 3],
    classes: usize,
    patch: usize,
    width: usize,
    depth: usize,
    heads: usize,
    dropout: f64,
    stochastic_depth: f64,
}

impl VitConfig {
    /// A network for images `[channels, height, width]` in patches of `patch` by `patch` pixels: of width 192 with 12 blocks of 3 heads, unless said otherwise.
    pub fn new(input: [usize; 3], patch: usize, classes: usize) -> Self {
        VitConfig { input, classes, patch, width: 192, depth: 12, heads: 3, dropout: 0.0, stochastic_depth: 0.0 }
    }

    /// DeiT-Ti, for colour images of 224 x 224 pixels.
    pub fn tiny(classes: usize) -> Self {
        Self::new([3, 224, 224], 16, classes)
    }

    /// For colour images of 32 x 32 pixels: patches of 4, 6 blocks of width 192.
    pub fn small(classes: usize) -> Self {
        Self::new([3, 32, 32], 4, classes).depth(6)
    }

    /// With tokens of so many features, in so many heads.
    #[must_use]
    pub fn width(self, width: usize, heads: usize) -> Self {
        VitConfig { width, heads, ..self }
    }

    /// With so many blocks.
    #[must_use]
    pub fn depth(self, blocks: usize) -> Self {
        VitConfig { depth: blocks, ..self }
    }

    /// With dropout of this rate on the tokens and in the blocks.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        VitConfig { dropout: rate, ..self }
    }

    /// With stochastic depth, whose rate grows from 0 at the first block to this at the last.
    #[must_use]
    pub fn stochastic_depth(self, rate: f64) -> Self {
        VitConfig { stochastic_depth: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If patches do not divide the image, heads the width, or an option is out of its range.
    pub fn build<T: Real>(self, key: Key) -> Result<Vit<T>> {
        let [channels, height, width] = self.input;
        let patch = at_least_one("vit: patch", self.patch)?;
        if !height.is_multiple_of(patch) || !width.is_multiple_of(patch) || height * width == 0 {
            let expected = format!("a divisor of {height} x {width} pixels");
            return Err(Error::value("vit: patch", expected, patch));
        }
        at_least_one("vit: depth", self.depth)?;
        let tokens = (height / patch) * (width / patch) + 1;
        let normal = TruncatedNormal::new(0.0, 0.02)?;
        let last = (self.depth - 1).max(1) as f64;
        let blocks = (0..self.depth).map(|i| {
            let rate = self.stochastic_depth * i as f64 / last;
            let block = TransformerBlock::<T>::config(self.width, self.heads).dropout(self.dropout);
            block.stochastic_depth(rate).build(key.with_str("block").with(i as u64))
        });
        Ok(Vit {
            patches: Conv2d::config(channels, self.width, patch)
                .stride(patch)
                .init(normal)
                .build(key.with_str("patches"))?,
            class_token: normal.param(&[1, 1, self.width], key.with_str("class_token"))?,
            positions: Positions::new(tokens, self.width, key.with_str("positions"))?,
            dropout: Dropout::new(self.dropout)?,
            blocks: blocks.collect::<Result<_>>()?,
            norm: LayerNorm::with_epsilon(&[self.width], 1e-6)?,
            head: Linear::config(self.width, self.classes).init(Zeros).build(key.with_str("head"))?,
        })
    }
}

configuration!(VitConfig => Vit<T>);

/// A vision transformer; see [`VitConfig`].
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Vit<T> {
    patches: Conv2d<T>,
    class_token: Param<T>,
    positions: Positions<T>,
    #[params(skip)]
    dropout: Dropout,
    blocks: Vec<TransformerBlock<T>>,
    norm: LayerNorm<T>,
    head: Linear<T>,
}

impl<T: Real> Module<T> for Vit<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let x = tape.scope("patches", |tape| self.patches.forward(tape, x))?;
            let shape = tape.shape(x)?;
            let (samples, width) = (shape[0], shape[1]);
            let x = tape.reshape(x, &[samples, width, shape[2] * shape[3]])?;
            let x = tape.permute(x, &[0, 2, 1])?;
            let token = tape.param(&self.class_token);
            let token = tape.apply(BroadcastTo::new(&[samples, 1, width]), &[token])?;
            let x = tape.concat(&[token, x], 1)?;
            let x = tape.scope("positions", |tape| self.positions.forward(tape, x))?;
            let mut x = tape.scope("dropout", |tape| self.dropout.forward(tape, x))?;
            for (i, block) in self.blocks.iter().enumerate() {
                x = tape.scope("blocks", |tape| tape.scope(&i.to_string(), |tape| block.forward(tape, x)))?;
            }
            let class = tape.slice(x, 1, 0..1)?;
            let class = tape.reshape(class, &[samples, width])?;
            let class = tape.scope("norm", |tape| self.norm.forward(tape, class))?;
            tape.scope("head", |tape| self.head.forward(tape, class))
        })
    }
}
