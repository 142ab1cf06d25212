//! Convolutions of sequences as operations: those of images, of height 1.

use super::layer::{Layer, inputs};
use super::{Conv2dGeometry, ConvTranspose2d, problem::Problem};
use crate::Activation;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

/// Stride, padding, dilation and groups of a convolution along one axis: see [`Conv2dGeometry`].
///
/// ```
/// use gradwise_tensor::Conv1dGeometry;
///
/// let geometry = Conv1dGeometry::new().stride(2)?.padding(1);
/// assert_eq!(geometry.out_len(10, 3)?, 5);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Conv1dGeometry(Conv2dGeometry);

impl Conv1dGeometry {
    /// Stride 1, no padding, no dilation, one group.
    pub const fn new() -> Self {
        Conv1dGeometry(Conv2dGeometry::new())
    }

    /// With this distance from an output to the next.
    ///
    /// # Errors
    /// If it is 0.
    pub fn stride(self, stride: usize) -> Result<Self> {
        self.0.stride([1, stride]).map(Conv1dGeometry)
    }

    /// With this many zeros at both ends.
    #[must_use]
    pub const fn padding(self, padding: usize) -> Self {
        Conv1dGeometry(self.0.padding([0, padding]))
    }

    /// With this distance from a tap to the next.
    ///
    /// # Errors
    /// If it is 0.
    pub fn dilation(self, dilation: usize) -> Result<Self> {
        self.0.dilation([1, dilation]).map(Conv1dGeometry)
    }

    /// With channels in this many groups.
    ///
    /// # Errors
    /// If it is 0.
    pub fn groups(self, groups: usize) -> Result<Self> {
        self.0.groups(groups).map(Conv1dGeometry)
    }

    /// The same along the width of images of height 1.
    pub const fn as_2d(&self) -> Conv2dGeometry {
        self.0
    }

    /// The length of the output for a sequence and a kernel of these lengths.
    ///
    /// # Errors
    /// If the kernel is empty or does not fit into the padded sequence.
    pub fn out_len(&self, sequence: usize, kernel: usize) -> Result<usize> {
        self.0.out_size([1, sequence], [1, kernel]).map(|[_, len]| len)
    }
}

/// A shape `[a, b, length]` as that of images of height 1.
fn with_height(op: &'static str, expected: &str, shape: &[usize]) -> Result<[usize; 4]> {
    match *shape {
        [a, b, length] => Ok([a, b, 1, length]),
        _ => Err(Error::shape(op, expected, shape)),
    }
}

/// The output's shape without the height.
fn without_height(shape: [usize; 4]) -> IxDyn {
    IxDyn(&[shape[0], shape[1], shape[3]])
}

/// Both shapes with their height.
fn shapes(op: &'static str, x: &[usize], weight: &[usize]) -> Result<([usize; 4], [usize; 4])> {
    Ok((with_height(op, "sequences [n, c, length]", x)?, with_height(op, "a weight of three axes", weight)?))
}

macro_rules! op_of_height_one {
    ($name:ident, $label:literal) => {
        crate::once::compiled_once!($name);

        impl<T: Real> crate::once::OpKernel<T> for $name {
            fn name(&self) -> &'static str {
                $label
            }

            fn out_shape(&self, shapes: &[&[usize]]) -> Result<IxDyn> {
                let (x, weight, bias) = inputs($label, shapes)?;
                let layer = self.layer(x, weight)?;
                layer.check_bias($label, bias.copied())?;
                Ok(without_height(layer.out_shape()))
            }

            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                _: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<()> {
                self.layer(inputs[0].shape(), inputs[1].shape())?.forward(inputs, out, cx)
            }

            fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
                self.layer(at.inputs[0].shape(), at.inputs[1].shape())?.backward(&at, grads, cx)
            }

            fn needs(&self) -> Needs {
                Needs { inputs: true, output: self.activation != Activation::Identity }
            }

            fn before_activation(&self) -> Option<Box<dyn gradwise_core::Op<T> + '_>> {
                let fused = self.activation != Activation::Identity;
                fused.then(|| Box::new(self.with_activation(Activation::Identity)) as _)
            }

            fn bounds(&self) -> Option<[f64; 2]> {
                self.activation.bounds()
            }
        }
    };
}

/// `y[n, o] = f(Σ_c w[o, c] ⋆ x[n, c] + b[o])` along one axis.
///
/// Inputs: `x [n, c, length]`, `w [o, c / groups, k]` and, optionally, `b [o]`. Output: `[n, o, length']` with
/// [`Conv1dGeometry::out_len`].
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::{Conv1d, Conv1dGeometry};
///
/// let op = Conv1d::new(Conv1dGeometry::new().dilation(2)?);
/// let shape = Op::<f32>::out_shape(&op, &[&[4, 8, 100], &[16, 8, 3]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[4, 16, 96]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// As for [`Conv2d`](crate::Conv2d).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Conv1d {
    /// Where the taps lie.
    pub geometry: Conv1dGeometry,
    /// The activation `f`.
    pub activation: Activation,
}

impl Conv1d {
    /// A convolution without an activation.
    pub const fn new(geometry: Conv1dGeometry) -> Self {
        Conv1d { geometry, activation: Activation::Identity }
    }

    /// The same with an activation.
    #[must_use]
    pub const fn with_activation(self, activation: Activation) -> Self {
        Conv1d { activation, ..self }
    }

    fn layer(&self, x: &[usize], weight: &[usize]) -> Result<Layer> {
        let (x, weight) = shapes("conv1d", x, weight)?;
        let problem = Problem::new("conv1d", self.geometry.0, &x, &weight)?;
        Ok(Layer { problem, transposed: false, activation: self.activation })
    }
}
op_of_height_one!(Conv1d, "conv1d");

/// `y = f(wᵀ ⋆ x + b)` along one axis: see [`ConvTranspose2d`].
///
/// Inputs: `x [n, c, length]`, `w [c, o / groups, k]` and, optionally, `b [o]`.
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::{Conv1dGeometry, ConvTranspose1d};
///
/// let op = ConvTranspose1d::new(Conv1dGeometry::new().stride(2)?);
/// let shape = Op::<f32>::out_shape(&op, &[&[4, 8, 10], &[8, 3, 2]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[4, 3, 20]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// As for [`ConvTranspose2d`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConvTranspose1d {
    of_images: ConvTranspose2d,
    activation: Activation,
}

impl ConvTranspose1d {
    /// The transpose of a convolution, without output padding and activation.
    pub const fn new(geometry: Conv1dGeometry) -> Self {
        ConvTranspose1d { of_images: ConvTranspose2d::new(geometry.0), activation: Activation::Identity }
    }

    /// The same with elements added at the far end of the output.
    ///
    /// # Errors
    /// If they are as many as both stride and dilation, or more.
    pub fn with_output_padding(self, output_padding: usize) -> Result<Self> {
        Ok(ConvTranspose1d { of_images: self.of_images.with_output_padding([0, output_padding])?, ..self })
    }

    /// The same with an activation.
    #[must_use]
    pub const fn with_activation(self, activation: Activation) -> Self {
        ConvTranspose1d { of_images: self.of_images.with_activation(activation), activation }
    }

    fn layer(&self, x: &[usize], weight: &[usize]) -> Result<Layer> {
        let (x, weight) = shapes("conv_transpose1d", x, weight)?;
        self.of_images.layer("conv_transpose1d", &x, &weight)
    }
}
op_of_height_one!(ConvTranspose1d, "conv_transpose1d");
