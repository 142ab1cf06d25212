//! Convolutions as layers, and their transposes: one layer and one configuration, for whichever operation they run.

use crate::build::{at_least_one, configuration};
use crate::fold::{rectifier, scale_inputs, scale_outputs};
use crate::size::{Size, Size1, Size2};
use crate::weights::{Weights, weight_options};
use gradwise_autograd::{Affine, Module, Tape, Var};
use gradwise_core::{Error, Key, Op, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{Fan, Init};
use gradwise_tensor::{self as tensor, Activation, Conv1dGeometry, Conv2dGeometry};

/// A convolution of images: `y[o] = f(Σ_c w[o, c] ⋆ x[c] + b[o])`.
///
/// - Input `[samples, inputs, height, width]`, output `[samples, outputs, height', width']`; an axis of length `n` becomes
///   `⌊(n + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1`.
/// - Parameters are `weight` `[outputs, inputs / groups, kernel height, kernel width]` and `bias` `[outputs]`.
///
/// ```
/// use gradwise_layers::{Activation, Conv2d, Key, ParamsExt};
///
/// let conv = Conv2d::<f32>::config(16, 32, 3).padding(1).activation(Activation::Relu).build(Key::new(1))?;
/// assert_eq!(conv.n_trainable(), 32 * 16 * 9 + 32);
///
/// let depthwise = Conv2d::<f32>::config(16, 16, [5, 3]).padding([2, 1]).groups(16).without_bias().build(Key::new(2))?;
/// assert_eq!(depthwise.weight().value.shape(), &[16, 1, 5, 3]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
pub type Conv2d<T> = Conv<T, tensor::Conv2d>;

/// A convolution of sequences: `[samples, inputs, length]` to `[samples, outputs, length']`; see [`Conv2d`].
///
/// Parameters are `weight` `[outputs, inputs / groups, kernel]` and `bias` `[outputs]`.
pub type Conv1d<T> = Conv<T, tensor::Conv1d>;

/// The transpose of a convolution of images: a stride enlarges, as in the decoder of an autoencoder.
///
/// - Input `[samples, inputs, height, width]`, output `[samples, outputs, height', width']`; an axis of length `n` becomes
///   `(n - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output padding`.
/// - Parameters are `weight` `[inputs, outputs / groups, kernel height, kernel width]` and `bias` `[outputs]`.
///
/// ```
/// use gradwise_layers::{ConvTranspose2d, Key, predict};
///
/// let double = ConvTranspose2d::<f32>::config(8, 4, 2).stride(2).build(Key::new(1))?;
/// let y = predict(&double, &ndarray::Array::ones(vec![1, 8, 7, 7]), &mut Default::default())?;
/// assert_eq!(y.shape(), &[1, 4, 14, 14]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
pub type ConvTranspose2d<T> = Conv<T, tensor::ConvTranspose2d>;

/// The transpose of a convolution of sequences; see [`ConvTranspose2d`].
pub type ConvTranspose1d<T> = Conv<T, tensor::ConvTranspose1d>;

/// The layer of a convolution `O`: [`Conv1d`], [`Conv2d`], [`ConvTranspose1d`] or [`ConvTranspose2d`].
///
/// The activation is fused; there is none unless asked for. Weights begin uniform with variance `gain² / fan in`, the gain being that of
/// the fused activation; the bias begins at zero.
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Conv<T, O> {
    weight: Param<T>,
    bias: Option<Param<T>>,
    #[params(skip)]
    op: O,
    #[params(skip)]
    activation: Activation,
    #[params(skip)]
    groups: usize,
    /// Whether zeros are put around images, which a map of the input does not reach.
    #[params(skip)]
    padded: bool,
}

impl<T: Real, O: Convolution> Conv<T, O> {
    /// A convolution with stride 1, without padding and activation, with a bias.
    ///
    /// # Errors
    /// If there are no inputs, no outputs, or no kernel.
    pub fn new(inputs: usize, outputs: usize, kernel: impl Into<O::Size>, key: Key) -> Result<Self> {
        Self::config(inputs, outputs, kernel).build(key)
    }

    /// A convolution whose options are still to be said.
    pub fn config(inputs: usize, outputs: usize, kernel: impl Into<O::Size>) -> ConvConfig<T, O> {
        ConvConfig { options: ConvOptions::new(inputs, outputs, kernel.into()), weights: Weights::new() }
    }

    /// The weight.
    pub fn weight(&self) -> &Param<T> {
        &self.weight
    }

    /// The bias, one number for each output channel.
    pub fn bias(&self) -> Option<&Param<T>> {
        self.bias.as_ref()
    }
}

impl<T: Real, O: Convolution + Op<T>> Module<T> for Conv<T, O> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, self.op.name(), |tape| {
            let weight = tape.param(&self.weight);
            match &self.bias {
                Some(bias) => {
                    let bias = tape.param(bias);
                    tape.apply(self.op, &[x, weight, bias])
                }
                None => tape.apply(self.op, &[x, weight]),
            }
        })
    }

    fn absorb_next(&mut self, next: &Affine) -> bool {
        let shape = self.weight.value.shape();
        let (inputs, per_group) = (shape[0], shape[1]);
        let outputs = if O::TRANSPOSED { per_group * self.groups } else { inputs };
        let absorbed = self.activation == Activation::Identity && next.scale.len() == outputs;
        if absorbed {
            let inputs_per_group = inputs / self.groups;
            scale_outputs(&mut self.weight, &mut self.bias, next, |i, j| {
                if O::TRANSPOSED { i / inputs_per_group * per_group + j } else { i }
            });
            self.activation = rectifier(next);
            self.op = self.op.with_activation(self.activation);
        }
        absorbed
    }

    fn absorb_previous(&mut self, previous: &Affine) -> bool {
        let inputs = self.weight.value.shape()[1] * self.groups;
        // The zeros of a padding would have to be what the shift makes of them.
        let reaches_all = !self.padded || previous.shift.iter().all(|&shift| shift == 0.0);
        let absorbed = !O::TRANSPOSED && reaches_all && previous.scale.len() == inputs;
        if absorbed {
            scale_inputs(&mut self.weight, &mut self.bias, previous, self.groups);
        }
        absorbed
    }
}

/// A [`Conv`] in the making. Sizes of images are a number for height and width, or two.
pub struct ConvConfig<T, O: Convolution> {
    options: ConvOptions<O::Size>,
    weights: Weights<T>,
}

/// What is said of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvOptions<S> {
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Size of the kernel.
    pub kernel: S,
    /// Distance from an output to the next; in a transposed convolution, from an input to the next.
    pub stride: S,
    /// Zeros at both ends of each axis.
    pub padding: S,
    /// Distance between the elements that the kernel touches.
    pub dilation: S,
    /// In how many groups the channels are.
    pub groups: usize,
    /// Elements added at the far ends of a transposed convolution's output.
    pub output_padding: S,
}

impl<S: Size> ConvOptions<S> {
    fn new(inputs: usize, outputs: usize, kernel: S) -> Self {
        let (zero, one) = (S::all(0), S::all(1));
        ConvOptions {
            inputs,
            outputs,
            kernel,
            stride: one,
            padding: zero,
            dilation: one,
            groups: 1,
            output_padding: zero,
        }
    }
}

impl<T: Real, O: Convolution> ConvConfig<T, O> {
    /// With this distance from an output to the next.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<O::Size>) -> Self {
        self.options.stride = stride.into();
        self
    }

    /// With this many zeros at both ends of each axis.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<O::Size>) -> Self {
        self.options.padding = padding.into();
        self
    }

    /// With this distance between the elements that the kernel touches.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<O::Size>) -> Self {
        self.options.dilation = dilation.into();
        self
    }

    /// With channels in this many groups, each a convolution of its own; as many as inputs make it depthwise.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.options.groups = groups;
        self
    }

    weight_options!();

    /// Draws the first weights.
    ///
    /// # Errors
    /// If a size is 0, the groups do not divide inputs and outputs, or the output padding is too large.
    pub fn build(self, key: Key) -> Result<Conv<T, O>> {
        let ConvOptions { inputs, outputs, kernel, groups, .. } = self.options;
        let [inputs_name, outputs_name, kernel_name, groups_name] = O::NAMES;
        at_least_one(inputs_name, inputs)?;
        at_least_one(outputs_name, outputs)?;
        if kernel.lens().contains(&0) {
            return Err(Error::value(kernel_name, "at least 1", format_args!("{:?}", kernel.lens())));
        }
        if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(Error::value(
                groups_name,
                format!("a divisor of {inputs} inputs and {outputs} outputs"),
                groups,
            ));
        }
        let op = O::new(&self.options, self.weights.activation)?;
        // The outer axis of the weight counts all channels of its side, the inner one those of a group.
        let (outer, inner) = if O::TRANSPOSED { (inputs, outputs / groups) } else { (outputs, inputs / groups) };
        let shape = [&[outer, inner], kernel.lens()].concat();
        let fan = Fan::grouped(&shape, groups);
        let fan = if O::TRANSPOSED { fan.swapped() } else { fan };
        let (weight, bias) = self.weights.draw(&shape, fan, outputs, key)?;
        let padded = self.options.padding.lens().iter().any(|&n| n > 0);
        Ok(Conv { weight, bias, op, activation: self.weights.activation, groups, padded })
    }
}

impl<T: Real, O: Transposed> ConvConfig<T, O> {
    /// With this many elements added at the far ends of the output: several sizes of image have one convolution's result, and this
    /// says which is meant. Less than stride or dilation.
    #[must_use]
    pub fn output_padding(mut self, output_padding: impl Into<O::Size>) -> Self {
        self.options.output_padding = output_padding.into();
        self
    }
}

configuration!(ConvConfig<T, O> => Conv<T, O>, for O: Convolution + Op<T>);

impl<T, O: Convolution> std::fmt::Debug for ConvConfig<T, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConvConfig").field("options", &self.options).finish_non_exhaustive()
    }
}

/// An operation that a [`Conv`] can run: its inputs are `x`, the weight and, where there is one, the bias.
pub trait Convolution: Copy + Send + Sync + 'static {
    /// How sizes are given: [`Size1`] for sequences, [`Size2`] for images.
    type Size: Size;

    /// Whether the weight is `[inputs, outputs / groups, …]` rather than `[outputs, inputs / groups, …]`.
    const TRANSPOSED: bool;

    /// What refusals call inputs, outputs, kernel and groups.
    const NAMES: [&'static str; 4];

    /// The operation with these options.
    ///
    /// # Errors
    /// If an option is out of its range.
    fn new(options: &ConvOptions<Self::Size>, activation: Activation) -> Result<Self>;

    /// The same operation with another activation.
    #[must_use]
    fn with_activation(self, activation: Activation) -> Self;
}

/// A [`Convolution`] that is a transposed one.
pub trait Transposed: Convolution {}
impl Transposed for tensor::ConvTranspose1d {}
impl Transposed for tensor::ConvTranspose2d {}

macro_rules! convolutions {
    ($($name:ident($label:literal), $geometry:ident of $size:ty, transposed $transposed:literal,
       |$op:ident, $options:ident| $finish:expr;)*) => {$(
        impl Convolution for tensor::$name {
            type Size = $size;
            const TRANSPOSED: bool = $transposed;
            const NAMES: [&'static str; 4] = [
                concat!($label, ": inputs"), concat!($label, ": outputs"), concat!($label, ": kernel"), concat!($label, ": groups"),
            ];

            fn new($options: &ConvOptions<$size>, activation: Activation) -> Result<Self> {
                let geometry = $geometry::new()
                    .stride($options.stride.into())?
                    .padding($options.padding.into())
                    .dilation($options.dilation.into())?
                    .groups($options.groups)?;
                let $op = tensor::$name::new(geometry).with_activation(activation);
                $finish
            }

            fn with_activation(self, activation: Activation) -> Self {
                // The inherent method.
                tensor::$name::with_activation(self, activation)
            }
        }
    )*};
}

convolutions! {
    Conv1d("conv1d"), Conv1dGeometry of Size1, transposed false, |op, options| Ok(op);
    Conv2d("conv2d"), Conv2dGeometry of Size2, transposed false, |op, options| Ok(op);
    ConvTranspose1d("conv_transpose1d"), Conv1dGeometry of Size1, transposed true,
        |op, options| op.with_output_padding(options.output_padding.into());
    ConvTranspose2d("conv_transpose2d"), Conv2dGeometry of Size2, transposed true,
        |op, options| op.with_output_padding(options.output_padding.into());
}
