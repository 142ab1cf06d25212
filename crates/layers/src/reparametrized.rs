//! Layers whose weight is made of another one: normalized, or partly dropped.
//!
//! Each wraps any layer that has a weight ([`Weighted`]): while the layer runs, the tape hands it the weight that was made in the place of its own.

use crate::TapeExt;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::{noise, norm};
use ndarray::{ArrayD, IxDyn};

/// A layer whose main parameter is a weight `[outputs, …]`.
pub trait Weighted<T: Real>: Module<T> {
    /// That weight.
    fn weighted(&self) -> &Param<T>;
}

impl<T: Real> Weighted<T> for crate::Linear<T> {
    fn weighted(&self) -> &Param<T> {
        self.weight()
    }
}

impl<T: Real, O: crate::Convolution + gradwise_core::Op<T>> Weighted<T> for crate::Conv<T, O> {
    fn weighted(&self) -> &Param<T> {
        self.weight()
    }
}

/// Runs a layer with another weight.
fn with_weight<'p, T: Real, M: Weighted<T>>(
    tape: &mut Tape<'p, T>,
    layer: &'p M,
    x: Var,
    make: impl FnOnce(&mut Tape<'p, T>, Var) -> Result<Var>,
) -> Result<Var> {
    let weight = tape.param(layer.weighted());
    let made = make(tape, weight)?;
    tape.bind(layer.weighted(), made)?;
    let y = tape.scope("layer", |tape| layer.forward(tape, x));
    tape.unbind(layer.weighted());
    y
}

/// A weight seen as a matrix: outputs, and what each of them has.
fn rows_of<T: Real>(weight: &Param<T>) -> (usize, usize) {
    let shape = weight.value.shape();
    (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product())
}

/// Weight normalization: `w = g v / ‖v‖`, the length of each output's weights learned apart from their direction.
///
/// Parameters are `layer.weight` (v), `gain` (g, `[outputs]`), which begins as the length of `v`, and the layer's other ones.
///
/// Source: Salimans and Kingma, *Weight normalization*, NIPS 2016.
///
/// ```
/// use gradwise_layers::{Key, Linear, ParamsExt, WeightNorm};
///
/// let layer = WeightNorm::new(Linear::<f32>::new(8, 4, Key::new(1))?)?;
/// assert_eq!(layer.paths(), ["layer.weight", "layer.bias", "gain"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct WeightNorm<T, M> {
    layer: M,
    gain: Param<T>,
}

impl<T: Real, M: Weighted<T>> WeightNorm<T, M> {
    /// Of a layer, whose weight it leaves what it is for the time being.
    ///
    /// # Errors
    /// If an output's weights are all 0: they have no direction.
    pub fn new(layer: M) -> Result<Self> {
        let weight = &layer.weighted().value;
        let lengths = weight.outer_iter().map(|row| row.iter().map(|x| x.as_f64() * x.as_f64()).sum::<f64>().sqrt());
        let lengths: Vec<f64> = lengths.collect();
        if let Some(output) = lengths.iter().position(|length| *length == 0.0) {
            return Err(Error::value(
                "weight_norm: weight",
                "no output whose weights are all 0",
                format!("output {output}"),
            ));
        }
        let gain = lengths.into_iter().map(T::of).collect::<ndarray::Array1<T>>();
        Ok(WeightNorm { layer, gain: Param::new(gain) })
    }
}

impl<T: Real, M: Weighted<T>> Module<T> for WeightNorm<T, M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            with_weight(tape, &self.layer, x, |tape, v| {
                let (outputs, len) = rows_of(self.layer.weighted());
                let shape = tape.shape(v)?;
                let rows = tape.reshape(v, &[outputs, len])?;
                let squares = tape.square(rows)?;
                let lengths = tape.sum(squares, 1)?;
                let lengths = tape.sqrt(lengths)?;
                let gain = tape.param(&self.gain);
                let scale = tape.div(gain, lengths)?;
                let scale = tape.reshape(scale, &[outputs, 1])?;
                let w = tape.mul(rows, scale)?;
                tape.reshape(w, &shape)
            })
        })
    }
}

/// Weight standardization: each output's weights with mean 0 and variance 1, `w = (v - μ) / √(σ² + ε)`. Before group normalization.
///
/// The parameters are the layer's, under `layer`.
///
/// Source: Qiao et al., *Micro-batch training with batch-channel normalization and weight standardization*, 2019, <https://arxiv.org/abs/1903.10520>.
///
/// ```
/// use gradwise_layers::{Conv2d, Key, ParamsExt, WeightStandardization};
///
/// let layer = WeightStandardization::new(Conv2d::<f32>::new(3, 4, 3, Key::new(1))?)?;
/// assert_eq!(layer.paths(), ["layer.weight", "layer.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct WeightStandardization<M> {
    layer: M,
    #[params(skip)]
    op: norm::LayerNorm,
}

impl<M> WeightStandardization<M> {
    /// Of a layer, with ε = 1e-5.
    ///
    /// # Errors
    /// None.
    pub fn new<T: Real>(layer: M) -> Result<Self>
    where
        M: Weighted<T>,
    {
        Ok(WeightStandardization { layer, op: norm::LayerNorm::new(1, 1e-5)? })
    }
}

impl<T: Real, M: Weighted<T>> Module<T> for WeightStandardization<M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            with_weight(tape, &self.layer, x, |tape, v| {
                let ((outputs, len), shape) = (rows_of(self.layer.weighted()), tape.shape(v)?);
                let rows = tape.reshape(v, &[outputs, len])?;
                let w = tape.apply(self.op, &[rows])?;
                tape.reshape(w, &shape)
            })
        })
    }
}

/// Spectral normalization: the weight, as a matrix `[outputs, …]`, divided by its largest singular value `σ`, so that the layer stretches nothing by more
/// than 1. For discriminators, and wherever a bound on the slope is wanted.
///
/// `σ = uᵀ W v` is estimated by one step of power iteration each training step, which continues from the last: `v ← Wᵀu / ‖Wᵀu‖`, `u ← W v / ‖W v‖`. Both are
/// taken as constants in the gradient. They are the buffers `left` (u) and `right` (v); in evaluation they stay.
///
/// Source: Miyato et al., *Spectral normalization for generative adversarial networks*, ICLR 2018.
///
/// ```
/// use gradwise_layers::{Key, Linear, ParamsExt, SpectralNorm};
///
/// let layer = SpectralNorm::new(Linear::<f32>::new(8, 4, Key::new(1))?, Key::new(2))?;
/// assert_eq!(layer.paths(), ["layer.weight", "layer.bias", "left", "right"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct SpectralNorm<T, M> {
    layer: M,
    left: Param<T>,
    right: Param<T>,
}

impl<T: Real, M: Weighted<T>> SpectralNorm<T, M> {
    /// Of a layer, with singular vectors from a random start and 15 steps of power iteration, as PyTorch.
    ///
    /// # Errors
    /// If the weight is 0.
    pub fn new(layer: M, key: Key) -> Result<Self> {
        let (outputs, len) = rows_of(layer.weighted());
        let mut left: Vec<f64> = (0..outputs).map(|i| key.uniform(i as u64) - 0.5).collect();
        let mut right = vec![0.0; len];
        for _ in 0..15 {
            iterate(&layer.weighted().value, &mut left, &mut right);
        }
        if left.iter().all(|u| *u == 0.0) {
            return Err(Error::value("spectral_norm: weight", "a matrix that is not 0", "0"));
        }
        let buffer = |values: Vec<f64>| Param::buffer(values.into_iter().map(T::of).collect::<ndarray::Array1<T>>());
        Ok(SpectralNorm { layer, left: buffer(left), right: buffer(right) })
    }

    /// One step of power iteration on the buffers, which the tape hands on; the new values.
    fn step<'p>(&'p self, tape: &mut Tape<'p, T>) -> [ArrayD<T>; 2] {
        let mut vectors = [&self.left, &self.right].map(|buffer| {
            let values: Vec<f64> = tape.buffer(buffer).iter().map(|x| x.as_f64()).collect();
            values
        });
        let [left, right] = &mut vectors;
        if tape.training() {
            iterate(&self.layer.weighted().value, left, right);
        }
        vectors.map(|vector| {
            let mut array = tape.scratch().array(IxDyn(&[vector.len()]));
            array.iter_mut().zip(vector).for_each(|(x, value)| *x = T::of(value));
            array
        })
    }
}

/// `v ← Wᵀu / ‖Wᵀu‖`, `u ← W v / ‖W v‖`; zeros where there is no direction.
fn iterate<T: Real>(weight: &ArrayD<T>, left: &mut [f64], right: &mut [f64]) {
    right.fill(0.0);
    for (row, &u) in weight.outer_iter().zip(&*left) {
        right.iter_mut().zip(row).for_each(|(v, &w)| *v += u * w.as_f64());
    }
    normalize(right);
    for (row, u) in weight.outer_iter().zip(&mut *left) {
        *u = right.iter().zip(row).map(|(&v, &w)| v * w.as_f64()).sum();
    }
    normalize(left);
}

fn normalize(vector: &mut [f64]) {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|x| *x = if length > 0.0 { *x / length } else { 0.0 });
}

impl<T: Real, M: Weighted<T>> Module<T> for SpectralNorm<T, M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            with_weight(tape, &self.layer, x, |tape, w| {
                let ((outputs, len), shape) = (rows_of(self.layer.weighted()), tape.shape(w)?);
                let [left, right] = self.step(tape);
                if tape.training() {
                    for (buffer, value) in [(&self.left, &left), (&self.right, &right)] {
                        let mut copy = tape.scratch().array(value.raw_dim());
                        copy.assign(value);
                        tape.update(buffer, copy);
                    }
                }
                let (left, right) = (tape.constant(left), tape.constant(right));
                let (left, right) = (tape.reshape(left, &[1, outputs])?, tape.reshape(right, &[len, 1])?);
                let rows = tape.reshape(w, &[outputs, len])?;
                let product = tape.matmul(left, rows)?;
                let sigma = tape.matmul(product, right)?;
                let normed = tape.div(rows, sigma)?;
                tape.reshape(normed, &shape)
            })
        })
    }
}

/// DropConnect: in training elements of the weight are dropped instead of outputs, the same for all samples of a batch; see
/// [`noise::WeightDropout`].
///
/// The parameters are the layer's, under `layer`.
///
/// ```
/// use gradwise_layers::{DropConnect, Key, Linear, ParamsExt};
///
/// let layer = DropConnect::new(Linear::<f32>::new(8, 4, Key::new(1))?, 0.5)?;
/// assert_eq!(layer.paths(), ["layer.weight", "layer.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct DropConnect<M> {
    layer: M,
    #[params(skip)]
    op: noise::WeightDropout,
}

impl<M> DropConnect<M> {
    /// Of a layer, with this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    pub fn new(layer: M, rate: f64) -> Result<Self> {
        Ok(DropConnect { layer, op: noise::WeightDropout::new(rate)? })
    }
}

impl<T: Real, M: Weighted<T>> Module<T> for DropConnect<M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            if !tape.draws() || self.op.rate() == 0.0 {
                return tape.scope("layer", |tape| self.layer.forward(tape, x));
            }
            with_weight(tape, &self.layer, x, |tape, w| tape.apply(self.op, &[w]))
        })
    }
}
