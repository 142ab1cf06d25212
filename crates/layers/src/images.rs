//! What networks for images are made of besides convolutions, norms and pooling.

use crate::build::{at_least_one, configuration};
use crate::{Activation, Conv2d, Linear, Size2, TapeExt};
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::{BroadcastTo, GlobalAvgPool};
use ndarray::{ArrayD, IxDyn};
use std::marker::PhantomData;

/// Squeeze and excitation: each channel of `[samples, channels, …]` multiplied by a number in `(0, 1)` that two linear layers find from the means of all
/// channels.
///
/// Parameters are `squeeze` (`channels` to `channels / reduction`, with ReLU) and `excite` (back, with a sigmoid).
///
/// Source: Hu, Shen and Sun, *Squeeze-and-excitation networks*, CVPR 2018.
///
/// ```
/// use gradwise_layers::{Key, ParamsExt, SqueezeExcite};
///
/// let block = SqueezeExcite::<f32>::config(64).reduction(16).build(Key::new(1))?;
/// assert_eq!(block.n_trainable(), 64 * 4 + 4 + 4 * 64 + 64);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct SqueezeExcite<T> {
    squeeze: Linear<T>,
    excite: Linear<T>,
}

impl<T: Real> SqueezeExcite<T> {
    /// For so many channels, reduced to a sixteenth.
    ///
    /// # Errors
    /// If there are fewer than 16 channels.
    pub fn new(channels: usize, key: Key) -> Result<Self> {
        Self::config(channels).build(key)
    }

    /// A block whose options are still to be said.
    pub fn config(channels: usize) -> SqueezeExciteConfig<T> {
        SqueezeExciteConfig { numbers: PhantomData, channels, reduction: 16 }
    }
}

impl<T: Real> Module<T> for SqueezeExcite<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let shape = tape.shape(x)?;
            let means = tape.apply(GlobalAvgPool, &[x])?;
            let z = tape.scope("squeeze", |tape| self.squeeze.forward(tape, means))?;
            let z = tape.scope("excite", |tape| self.excite.forward(tape, z))?;
            let mut each = vec![1; shape.len()];
            each[..2].copy_from_slice(&shape[..2]);
            let z = tape.reshape(z, &each)?;
            tape.mul(x, z)
        })
    }
}

/// A [`SqueezeExcite`] in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqueezeExciteConfig<T> {
    numbers: PhantomData<T>,
    channels: usize,
    reduction: usize,
}

impl<T: Real> SqueezeExciteConfig<T> {
    /// With this many times fewer features between the two layers.
    #[must_use]
    pub fn reduction(self, reduction: usize) -> Self {
        SqueezeExciteConfig { reduction, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If nothing is left of the channels.
    pub fn build(self, key: Key) -> Result<SqueezeExcite<T>> {
        let features = self.channels.checked_div(self.reduction).unwrap_or(0);
        if features == 0 {
            let expected = format!("a number from 1 to the {} channels", self.channels);
            return Err(Error::value("squeeze_excite: reduction", expected, self.reduction));
        }
        let [squeeze, excite] = [key.with_str("squeeze"), key.with_str("excite")];
        Ok(SqueezeExcite {
            squeeze: Linear::config(self.channels, features).activation(Activation::Relu).build(squeeze)?,
            excite: Linear::config(features, self.channels).activation(Activation::Sigmoid).build(excite)?,
        })
    }
}

configuration!(SqueezeExciteConfig<T> => SqueezeExcite<T>);

/// Two more channels, the row and the column of each pixel from -1 to 1: `[samples, channels, height, width]` to `channels + 2`. Before a convolution that
/// has to know where it is (CoordConv). An axis of one pixel has coordinate 0.
///
/// Source: Liu et al., *An intriguing failing of convolutional neural networks and the CoordConv solution*, NeurIPS 2018.
///
/// ```
/// use gradwise_layers::{AddCoordinates, predict};
/// use ndarray::Array;
///
/// let y = predict(&AddCoordinates, &Array::from_elem(vec![1, 1, 3, 2], 5.0), &mut Default::default())?;
/// assert_eq!(y.as_slice(), Some(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, -1.0, -1.0, 0.0, 0.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0][..]));
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
pub struct AddCoordinates;

impl<T: Real> Module<T> for AddCoordinates {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let [samples, _, height, width] = image(tape, "add_coordinates", x)?;
        let mut coordinates: ArrayD<T> = tape.scratch().array(IxDyn(&[1, 2, height, width]));
        let at = |i: usize, len: usize| T::of(if len < 2 { 0.0 } else { 2.0 * i as f64 / (len - 1) as f64 - 1.0 });
        for (index, value) in coordinates.indexed_iter_mut() {
            *value = if index[1] == 0 { at(index[2], height) } else { at(index[3], width) };
        }
        let coordinates = tape.constant(coordinates);
        let all = tape.apply(BroadcastTo::new(&[samples, 2, height, width]), &[coordinates])?;
        tape.concat(&[x, all], 1)
    }
}

/// The sizes of images, or a refusal.
fn image<T: Real>(tape: &Tape<'_, T>, op: &'static str, x: Var) -> Result<[usize; 4]> {
    let shape = tape.shape(x)?;
    <[usize; 4]>::try_from(&*shape)
        .map_err(|_| Error::shape(op, "[samples, channels, height, width]", &shape).at(tape.path()))
}

/// Images enlarged by whole factors: `[samples, channels, height, width]` to `height · factor` and `width · factor`.
///
/// ```
/// use gradwise_layers::{Upsample2d, predict};
/// use ndarray::Array;
///
/// let x = Array::from_shape_vec(vec![1, 1, 1, 2], vec![1.0, 5.0]).unwrap();
/// let nearest = predict(&Upsample2d::nearest(2)?, &x, &mut Default::default())?;
/// assert_eq!(nearest.as_slice(), Some(&[1.0, 1.0, 5.0, 5.0, 1.0, 1.0, 5.0, 5.0][..]));
/// let bilinear = predict(&Upsample2d::bilinear([1, 2])?, &x, &mut Default::default())?;
/// assert_eq!(bilinear.as_slice(), Some(&[1.0, 2.0, 4.0, 5.0][..]));
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Upsample2d {
    #[params(skip)]
    factors: [usize; 2],
    #[params(skip)]
    bilinear: bool,
}

impl Upsample2d {
    /// Each pixel repeated.
    ///
    /// # Errors
    /// If a factor is 0.
    pub fn nearest(factors: impl Into<Size2>) -> Result<Self> {
        let factors = factors.into().0;
        factors.iter().try_for_each(|&factor| at_least_one("upsample2d: factor", factor).map(drop))?;
        Ok(Upsample2d { factors, bilinear: false })
    }

    /// Values between pixels linear in the distance of their centres, those beyond the outer centres as there: PyTorch's `align_corners=False`.
    ///
    /// # Errors
    /// If a factor is 0.
    pub fn bilinear(factors: impl Into<Size2>) -> Result<Self> {
        Ok(Upsample2d { bilinear: true, ..Self::nearest(factors)? })
    }
}

/// The matrix `[len · factor, len]` of linear interpolation.
fn interpolation<T: Real>(tape: &mut Tape<'_, T>, len: usize, factor: usize) -> Var {
    let mut matrix: ArrayD<T> = tape.scratch().array(IxDyn(&[len * factor, len]));
    matrix.fill(T::zero());
    for i in 0..len * factor {
        let at = ((i as f64 + 0.5) / factor as f64 - 0.5).clamp(0.0, (len - 1) as f64);
        let (left, share) = (at as usize, at.fract());
        matrix[[i, left]] += T::of(1.0 - share);
        matrix[[i, (left + 1).min(len - 1)]] += T::of(share);
    }
    tape.constant(matrix)
}

impl<T: Real> Module<T> for Upsample2d {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let [samples, channels, height, width] = image(tape, "upsample2d", x)?;
        let [down, right] = self.factors;
        if self.bilinear && height > 0 && width > 0 {
            let (rows, columns) = (interpolation(tape, height, down), interpolation(tape, width, right));
            let columns = tape.transpose(columns)?;
            let wide = tape.matmul(x, columns)?;
            return tape.matmul(rows, wide);
        }
        let x = tape.reshape(x, &[samples, channels, height, 1, width, 1])?;
        let all = tape.apply(BroadcastTo::new(&[samples, channels, height, down, width, right]), &[x])?;
        tape.reshape(all, &[samples, channels, height * down, width * right])
    }
}

/// A depthwise convolution and a 1 x 1 one behind it: nearly as able as a full convolution, with a fraction of its parameters and products.
///
/// Parameters are `depthwise` and `pointwise`, each a [`Conv2d`]; the first one has no bias.
///
/// Source: Chollet, *Xception*, CVPR 2017; Howard et al., *MobileNets*, 2017, <https://arxiv.org/abs/1704.04861>.
///
/// ```
/// use gradwise_layers::{Key, ParamsExt, SeparableConv2d};
///
/// let conv = SeparableConv2d::<f32>::config(16, 32, 3).padding(1).build(Key::new(1))?;
/// assert_eq!(conv.n_trainable(), 16 * 9 + 16 * 32 + 32);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct SeparableConv2d<T> {
    depthwise: Conv2d<T>,
    pointwise: Conv2d<T>,
}

impl<T: Real> SeparableConv2d<T> {
    /// A convolution with stride 1 and without padding.
    ///
    /// # Errors
    /// If there are no inputs, no outputs, or no kernel.
    pub fn new(inputs: usize, outputs: usize, kernel: impl Into<Size2>, key: Key) -> Result<Self> {
        Self::config(inputs, outputs, kernel).build(key)
    }

    /// A convolution whose options are still to be said.
    pub fn config(inputs: usize, outputs: usize, kernel: impl Into<Size2>) -> SeparableConfig<T> {
        SeparableConfig {
            numbers: PhantomData,
            channels: [inputs, outputs],
            kernel: kernel.into(),
            stride: 1.into(),
            padding: 0.into(),
            activation: Activation::Identity,
        }
    }
}

impl<T: Real> Module<T> for SeparableConv2d<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let x = tape.scope("depthwise", |tape| self.depthwise.forward(tape, x))?;
            tape.scope("pointwise", |tape| self.pointwise.forward(tape, x))
        })
    }
}

/// A [`SeparableConv2d`] in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeparableConfig<T> {
    numbers: PhantomData<T>,
    channels: [usize; 2],
    kernel: Size2,
    stride: Size2,
    padding: Size2,
    activation: Activation,
}

impl<T: Real> SeparableConfig<T> {
    /// With this distance from an output to the next.
    #[must_use]
    pub fn stride(self, stride: impl Into<Size2>) -> Self {
        SeparableConfig { stride: stride.into(), ..self }
    }

    /// With this many zeros at both ends of each axis.
    #[must_use]
    pub fn padding(self, padding: impl Into<Size2>) -> Self {
        SeparableConfig { padding: padding.into(), ..self }
    }

    /// With this activation behind the second convolution.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        SeparableConfig { activation, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If a size is 0.
    pub fn build(self, key: Key) -> Result<SeparableConv2d<T>> {
        let [inputs, outputs] = self.channels;
        let depthwise = Conv2d::config(inputs, inputs, self.kernel)
            .stride(self.stride)
            .padding(self.padding)
            .groups(at_least_one("separable_conv2d: inputs", inputs)?)
            .without_bias()
            .build(key.with_str("depthwise"))?;
        let pointwise =
            Conv2d::config(inputs, outputs, 1).activation(self.activation).build(key.with_str("pointwise"))?;
        Ok(SeparableConv2d { depthwise, pointwise })
    }
}

configuration!(SeparableConfig<T> => SeparableConv2d<T>);
