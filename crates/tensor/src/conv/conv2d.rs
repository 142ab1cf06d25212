//! The convolution of images as an operation.

use super::layer::{Layer, inputs};
use super::{Conv2dGeometry, problem::Problem};
use crate::Activation;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

const NAME: &str = "conv2d";

/// `y[n, o] = f(Σ_c w[o, c] ⋆ x[n, c] + b[o])`, where `⋆` slides a filter over an image without turning it over.
///
/// Inputs: `x [n, c, h, w]`, `w [o, c / groups, kh, kw]` and, optionally, `b [o]`. Output: `[n, o, h', w']` with the size of
/// [`Conv2dGeometry::out_size`]. Bias and activation are applied as the product is written; backward finds the activation's
/// derivative in the output.
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::{Activation, Conv2d, Conv2dGeometry};
///
/// let op = Conv2d::new(Conv2dGeometry::new().padding([1, 1])).with_activation(Activation::Relu);
/// let shape = Op::<f32>::out_shape(&op, &[&[32, 3, 28, 28], &[16, 3, 3, 3], &[16]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[32, 16, 28, 28]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](gradwise_core::Error::Shape) if channels, groups and bias do not fit, or the kernel does not fit into the padded
/// image.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Conv2d {
    /// Where the taps lie.
    pub geometry: Conv2dGeometry,
    /// The activation `f`.
    pub activation: Activation,
}

impl Conv2d {
    /// A convolution without an activation.
    pub const fn new(geometry: Conv2dGeometry) -> Self {
        Conv2d { geometry, activation: Activation::Identity }
    }

    /// The same with an activation.
    #[must_use]
    pub const fn with_activation(self, activation: Activation) -> Self {
        Conv2d { activation, ..self }
    }

    fn layer(&self, x: &[usize], weight: &[usize]) -> Result<Layer> {
        let problem = Problem::new(NAME, self.geometry, x, weight)?;
        Ok(Layer { problem, transposed: false, activation: self.activation })
    }
}

crate::once::compiled_once!(Conv2d);

impl<T: Real> crate::once::OpKernel<T> for Conv2d {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, shapes: &[&[usize]]) -> Result<IxDyn> {
        let (x, weight, bias) = inputs(NAME, shapes)?;
        let layer = self.layer(x, weight)?;
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
