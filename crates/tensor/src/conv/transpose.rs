//! The transposed convolution of images as an operation.

use super::layer::{Layer, inputs};
use super::{Conv2dGeometry, problem::Problem};
use crate::Activation;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

const NAME: &str = "conv_transpose2d";

/// `y = f(wᵀ ⋆ x + b)`: the map whose forward pass is the input gradient of a convolution, as used to enlarge images.
///
/// Inputs: `x [n, c, h, w]`, `w [c, o / groups, kh, kw]` and, optionally, `b [o]`. Output: `[n, o, h', w']` with the size of
/// [`Conv2dGeometry::transposed_out_size`]. The geometry is that of the convolution it is the transpose of, so a stride enlarges. As
/// several sizes have one convolution's result, the output padding says which is meant: rows and columns added at the far ends.
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::{Conv2dGeometry, ConvTranspose2d};
///
/// let geometry = Conv2dGeometry::new().stride([2, 2])?.padding([1, 1]);
/// let op = ConvTranspose2d::new(geometry).with_output_padding([1, 1])?;
/// let shape = Op::<f32>::out_shape(&op, &[&[8, 16, 7, 7], &[16, 4, 3, 3]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[8, 4, 14, 14]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if channels, groups and bias do not fit, or the padding leaves nothing of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConvTranspose2d {
    geometry: Conv2dGeometry,
    output_padding: [usize; 2],
    activation: Activation,
}

impl ConvTranspose2d {
    /// The transpose of a convolution, without output padding and activation.
    pub const fn new(geometry: Conv2dGeometry) -> Self {
        ConvTranspose2d { geometry, output_padding: [0, 0], activation: Activation::Identity }
    }

    /// The same with rows and columns added at the far ends of the output.
    ///
    /// # Errors
    /// If they are as many as both stride and dilation, or more: no convolution would ask for them.
    pub fn with_output_padding(self, output_padding: [usize; 2]) -> Result<Self> {
        for axis in 0..2 {
            let bound = self.geometry.stride[axis].max(self.geometry.dilation[axis]);
            if output_padding[axis] >= bound {
                let expected = format!("less than {bound}, the larger of stride and dilation");
                return Err(Error::value("conv_transpose: output padding", expected, output_padding[axis]));
            }
        }
        Ok(ConvTranspose2d { output_padding, ..self })
    }

    /// The same with an activation.
    #[must_use]
    pub const fn with_activation(self, activation: Activation) -> Self {
        ConvTranspose2d { activation, ..self }
    }

    /// The geometry of the convolution it is the transpose of.
    pub const fn geometry(&self) -> Conv2dGeometry {
        self.geometry
    }

    /// Rows and columns added at the far ends of the output.
    pub const fn output_padding(&self) -> [usize; 2] {
        self.output_padding
    }

    /// The activation.
    pub const fn activation(&self) -> Activation {
        self.activation
    }

    pub(super) fn layer(&self, op: &'static str, x: &[usize], weight: &[usize]) -> Result<Layer> {
        let problem = Problem::transposed(op, self.geometry, self.output_padding, x, weight)?;
        Ok(Layer { problem, transposed: true, activation: self.activation })
    }
}

crate::once::compiled_once!(ConvTranspose2d);

impl<T: Real> crate::once::OpKernel<T> for ConvTranspose2d {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, shapes: &[&[usize]]) -> Result<IxDyn> {
        let (x, weight, bias) = inputs(NAME, shapes)?;
        let layer = self.layer(NAME, x, weight)?;
        layer.check_bias(NAME, bias.copied())?;
        Ok(IxDyn(&layer.out_shape()))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        self.layer(NAME, inputs[0].shape(), inputs[1].shape())?.forward(inputs, out, cx)
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        self.layer(NAME, at.inputs[0].shape(), at.inputs[1].shape())?.backward(&at, grads, cx)
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
