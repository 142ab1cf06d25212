//! Attention, and the block of transformers.

use crate::build::{at_least_one, configuration};
use crate::{Dropout, LayerNorm, Linear, StochasticDepth, TapeExt};
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{InitExt, TruncatedNormal, XavierUniform};
use gradwise_tensor::MatMul;
use ndarray::{ArrayD, IxDyn};
use std::marker::PhantomData;

/// Attention with several heads: each position looks at all others, `softmax(Q Kᵀ / √d) V` in every head, with `Q = x W_q + b_q` and so on.
///
/// - Input and output `[samples, steps, width]`; each head has `width / heads` features.
/// - Parameters are `query`, `key`, `value` and `output`, each a [`Linear`] layer of `width` to `width` that begins as Glorot and Bengio's uniform.
///
/// Source: Vaswani et al., *Attention is all you need*, NIPS 2017.
///
/// ```
/// use gradwise_layers::{Key, MultiHeadAttention, ParamsExt, predict};
///
/// let attention = MultiHeadAttention::<f32>::config(8, 2).causal().build(Key::new(1))?;
/// assert_eq!(attention.n_trainable(), 4 * (8 * 8 + 8));
/// let y = predict(&attention, &ndarray::Array::ones(vec![2, 5, 8]), &mut Default::default())?;
/// assert_eq!(y.shape(), &[2, 5, 8]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct MultiHeadAttention<T> {
    query: Linear<T>,
    key: Linear<T>,
    value: Linear<T>,
    output: Linear<T>,
    #[params(skip)]
    heads: usize,
    #[params(skip)]
    causal: bool,
    #[params(skip)]
    dropout: Dropout,
}

impl<T: Real> MultiHeadAttention<T> {
    /// Attention of this width with so many heads.
    ///
    /// # Errors
    /// If the heads do not divide the width.
    pub fn new(width: usize, heads: usize, key: Key) -> Result<Self> {
        Self::config(width, heads).build(key)
    }

    /// Attention whose options are still to be said.
    pub fn config(width: usize, heads: usize) -> AttentionConfig<T> {
        AttentionConfig { numbers: PhantomData, width, heads, causal: false, dropout: 0.0 }
    }

    /// What `queries` `[samples, steps, width]` find in `memory` `[samples, others, width]`, which may be another sequence: cross-attention.
    ///
    /// A mask is added to the scores `[samples, heads, steps, others]`, to which it is broadcast: 0 where a position may be seen, `-∞` where not, as for
    /// padding, `[samples, 1, 1, others]`. Where a position sees nothing at all, the result is NaN.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn attend<'p>(&'p self, tape: &mut Tape<'p, T>, queries: Var, memory: Var, mask: Option<Var>) -> Result<Var> {
        tape.block(self, |tape| {
            let q = tape.scope("query", |tape| self.query.forward(tape, queries))?;
            let k = tape.scope("key", |tape| self.key.forward(tape, memory))?;
            let v = tape.scope("value", |tape| self.value.forward(tape, memory))?;
            let (q, k, v) = (self.split(tape, q)?, self.split(tape, k)?, self.split(tape, v)?);
            let features = tape.shape(q)?[3];
            let scores = tape.apply(MatMul { transpose_a: false, transpose_b: true }, &[q, k])?;
            let mut scores = tape.scale(scores, 1.0 / (features as f64).sqrt())?;
            if self.causal {
                let future = future(tape, scores)?;
                scores = tape.add(scores, future)?;
            }
            if let Some(mask) = mask {
                scores = tape.add(scores, mask)?;
            }
            let weights = tape.softmax(scores, 3)?;
            let weights = tape.scope("dropout", |tape| self.dropout.forward(tape, weights))?;
            let found = tape.matmul(weights, v)?;
            let joined = self.join(tape, found)?;
            tape.scope("output", |tape| self.output.forward(tape, joined))
        })
    }

    /// `[samples, steps, width]` as `[samples, heads, steps, width / heads]`.
    fn split(&self, tape: &mut Tape<'_, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        let &[samples, steps, width] = &*shape else {
            return Err(Error::shape("attention", "[samples, steps, width]", &shape).at(tape.path()));
        };
        let x = tape.reshape(x, &[samples, steps, self.heads, width / self.heads])?;
        tape.permute(x, &[0, 2, 1, 3])
    }

    /// The reverse.
    fn join(&self, tape: &mut Tape<'_, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        let x = tape.permute(x, &[0, 2, 1, 3])?;
        tape.reshape(x, &[shape[0], shape[2], shape[1] * shape[3]])
    }
}

/// `-∞` above the diagonal, else 0, for scores `[…, steps, others]`.
fn future<T: Real>(tape: &mut Tape<'_, T>, scores: Var) -> Result<Var> {
    let shape = tape.shape(scores)?;
    let (steps, others) = (shape[2], shape[3]);
    let mut mask: ArrayD<T> = tape.scratch().array(IxDyn(&[steps, others]));
    for (index, mask) in mask.indexed_iter_mut() {
        *mask = if index[1] > index[0] { T::neg_infinity() } else { T::zero() };
    }
    Ok(tape.constant(mask))
}

impl<T: Real> Module<T> for MultiHeadAttention<T> {
    /// Attention of a sequence to itself.
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        self.attend(tape, x, x, None)
    }
}

/// A [`MultiHeadAttention`] in the making.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionConfig<T> {
    numbers: PhantomData<T>,
    width: usize,
    heads: usize,
    causal: bool,
    dropout: f64,
}

impl<T: Real> AttentionConfig<T> {
    /// With positions that see no later ones: for sequences that are continued.
    #[must_use]
    pub fn causal(self) -> Self {
        AttentionConfig { causal: true, ..self }
    }

    /// With dropout of this rate on the weights of the values.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        AttentionConfig { dropout: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If the heads do not divide the width, or the rate is not in `[0, 1)`.
    pub fn build(self, key: Key) -> Result<MultiHeadAttention<T>> {
        let (width, heads) = (at_least_one("attention: width", self.width)?, self.heads);
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(Error::value("attention: heads", format!("a divisor of the width {width}"), heads));
        }
        let linear = |name| Linear::config(width, width).init(XavierUniform::new()).build(key.with_str(name));
        Ok(MultiHeadAttention {
            query: linear("query")?,
            key: linear("key")?,
            value: linear("value")?,
            output: linear("output")?,
            heads,
            causal: self.causal,
            dropout: Dropout::new(self.dropout)?,
        })
    }
}

configuration!(AttentionConfig<T> => MultiHeadAttention<T>);

/// The block of a transformer: attention and two linear layers with GELU, each with a layer norm and a shortcut around it.
///
/// The norm comes first unless asked otherwise: `x + f(norm(x))`, which trains without warm-up (Xiong et al., *On layer normalization in the transformer
/// architecture*, ICML 2020); the original block is `norm(x + f(x))`.
///
/// - Input and output `[samples, steps, width]`. Parameters are `norm1`, `attention`, `norm2`, `expand` (to `4 · width` features unless said
///   otherwise) and `contract`.
///
/// ```
/// use gradwise_layers::{Key, ParamsExt, TransformerBlock};
///
/// let block = TransformerBlock::<f32>::config(192, 3).dropout(0.1).build(Key::new(1))?;
/// assert_eq!(block.n_trainable(), 444_864);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct TransformerBlock<T> {
    norm1: LayerNorm<T>,
    attention: MultiHeadAttention<T>,
    norm2: LayerNorm<T>,
    expand: Linear<T>,
    contract: Linear<T>,
    #[params(skip)]
    norm_last: bool,
    #[params(skip)]
    dropout: Dropout,
    #[params(skip)]
    depth: StochasticDepth,
}

impl<T: Real> TransformerBlock<T> {
    /// A block of this width with so many heads.
    ///
    /// # Errors
    /// If the heads do not divide the width.
    pub fn new(width: usize, heads: usize, key: Key) -> Result<Self> {
        Self::config(width, heads).build(key)
    }

    /// A block whose options are still to be said.
    pub fn config(width: usize, heads: usize) -> TransformerConfig<T> {
        TransformerConfig {
            numbers: PhantomData,
            attention: MultiHeadAttention::<T>::config(width, heads),
            hidden: 4 * width,
            epsilon: 1e-6,
            norm_last: false,
            dropout: 0.0,
            depth: 0.0,
        }
    }

    /// As [`Module::forward`], with a mask as in [`MultiHeadAttention::attend`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward_masked<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var, mask: Option<Var>) -> Result<Var> {
        tape.block(self, |tape| {
            let x = self.around(tape, x, &self.norm1, "norm1", |tape, x| {
                tape.scope("attention", |tape| self.attention.attend(tape, x, x, mask))
            })?;
            self.around(tape, x, &self.norm2, "norm2", |tape, x| {
                let x = tape.scope("expand", |tape| self.expand.forward(tape, x))?;
                let x = tape.gelu(x)?;
                let x = tape.scope("dropout", |tape| self.dropout.forward(tape, x))?;
                tape.scope("contract", |tape| self.contract.forward(tape, x))
            })
        })
    }

    /// A norm, `f`, and a shortcut around them.
    fn around<'p>(
        &'p self,
        tape: &mut Tape<'p, T>,
        x: Var,
        norm: &'p LayerNorm<T>,
        name: &str,
        f: impl FnOnce(&mut Tape<'p, T>, Var) -> Result<Var>,
    ) -> Result<Var> {
        let normed = if self.norm_last { x } else { tape.scope(name, |tape| norm.forward(tape, x))? };
        let y = f(tape, normed)?;
        let y = self.dropout.forward(tape, y)?;
        let y = self.depth.forward(tape, y)?;
        let sum = tape.add(x, y)?;
        if self.norm_last { tape.scope(name, |tape| norm.forward(tape, sum)) } else { Ok(sum) }
    }
}

impl<T: Real> Module<T> for TransformerBlock<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        self.forward_masked(tape, x, None)
    }
}

/// A [`TransformerBlock`] in the making.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerConfig<T> {
    numbers: PhantomData<T>,
    attention: AttentionConfig<T>,
    hidden: usize,
    epsilon: f64,
    norm_last: bool,
    dropout: f64,
    depth: f64,
}

impl<T: Real> TransformerConfig<T> {
    /// With positions that see no later ones.
    #[must_use]
    pub fn causal(self) -> Self {
        TransformerConfig { attention: self.attention.causal(), ..self }
    }

    /// With this many features between the two linear layers.
    #[must_use]
    pub fn hidden(self, features: usize) -> Self {
        TransformerConfig { hidden: features, ..self }
    }

    /// With this ε in the norms; unless said otherwise 1e-6, as in vision transformers.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        TransformerConfig { epsilon, ..self }
    }

    /// With the norms behind the sums, as in the original transformer.
    #[must_use]
    pub fn norm_last(self) -> Self {
        TransformerConfig { norm_last: true, ..self }
    }

    /// With dropout of this rate behind attention, GELU and the last linear layer, and on attention's weights.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        TransformerConfig { dropout: rate, attention: self.attention.dropout(rate), ..self }
    }

    /// With this probability that a half of the block is left out for a sample, in training.
    #[must_use]
    pub fn stochastic_depth(self, rate: f64) -> Self {
        TransformerConfig { depth: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If the heads do not divide the width, or an option is out of its range.
    pub fn build(self, key: Key) -> Result<TransformerBlock<T>> {
        let width = self.attention.width;
        let attention = self.attention.build(key.with_str("attention"))?;
        let hidden = at_least_one("transformer: hidden", self.hidden)?;
        let linear = |inputs, outputs, name| {
            Linear::config(inputs, outputs).init(XavierUniform::new()).build(key.with_str(name))
        };
        Ok(TransformerBlock {
            norm1: LayerNorm::with_epsilon(&[width], self.epsilon)?,
            attention,
            norm2: LayerNorm::with_epsilon(&[width], self.epsilon)?,
            expand: linear(width, hidden, "expand")?,
            contract: linear(hidden, width, "contract")?,
            norm_last: self.norm_last,
            dropout: Dropout::new(self.dropout)?,
            depth: StochasticDepth::new(self.depth)?,
        })
    }
}

configuration!(TransformerConfig<T> => TransformerBlock<T>);

/// A number for every position and feature, added to sequences `[samples, steps, width]` of exactly so many steps: what tells attention where it is.
///
/// The parameter is `weight` `[steps, width]`, which begins truncated normal with deviation 0.02.
///
/// ```
/// use gradwise_layers::{Key, Positions, predict};
///
/// let positions = Positions::<f32>::new(5, 8, Key::new(1))?;
/// let y = predict(&positions, &ndarray::Array::zeros(vec![2, 5, 8]), &mut Default::default())?;
/// assert_eq!(y.shape(), &[2, 5, 8]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Positions<T> {
    weight: Param<T>,
}

impl<T: Real> Positions<T> {
    /// Positions that are learned.
    ///
    /// # Errors
    /// If there are no steps or no features.
    pub fn new(steps: usize, width: usize, key: Key) -> Result<Self> {
        let shape = [at_least_one("positions: steps", steps)?, at_least_one("positions: width", width)?];
        Ok(Positions { weight: TruncatedNormal::new(0.0, 0.02)?.param(&shape, key)? })
    }

    /// Sines and cosines of geometrically growing wavelengths, from 2π to 20,000 π, that are not learned (Vaswani et al.).
    ///
    /// # Errors
    /// If there are no steps or no features.
    pub fn sinusoidal(steps: usize, width: usize) -> Result<Self> {
        let shape = [at_least_one("positions: steps", steps)?, at_least_one("positions: width", width)?];
        let table = ArrayD::from_shape_fn(IxDyn(&shape), |index| {
            let (step, feature) = (index[0] as f64, index[1]);
            let angle = step / 10_000_f64.powf((feature / 2 * 2) as f64 / width as f64);
            T::of(if feature % 2 == 0 { angle.sin() } else { angle.cos() })
        });
        Ok(Positions { weight: Param::buffer(table) })
    }
}

impl<T: Real> Module<T> for Positions<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let (expected, shape) = (self.weight.value.shape(), tape.shape(x)?);
        if shape.len() != 3 || shape[1..] != *expected {
            let expected = format!("[samples, {}, {}]", expected[0], expected[1]);
            return Err(Error::shape("positions", expected, &shape).at(tape.path()));
        }
        let weight = tape.param(&self.weight);
        tape.add(x, weight)
    }
}
